/**
 * The oracle: enumerates every interleaving of every single access, with full vector clocks and the complete
 * list of past accesses. Shares no idea with the checker: no memoisation, no fusing, no sets of knowers.
 */
import { type Instruction, memoryBytes, type Program } from './programs.ts';

type Clock = readonly number[];

interface Event {
  readonly thread: number;
  readonly at: number;
  readonly size: number;
  readonly atomic: boolean;
  readonly write: boolean;
  readonly value: number | null;
  readonly clock: Clock;
}

interface ThreadState {
  readonly next: number;
  readonly clock: Clock;
  readonly results: readonly number[];
  readonly asleep: number | null;
}

interface State {
  readonly threads: readonly ThreadState[];
  readonly memory: readonly number[];
  /** Event that last wrote each byte. */
  readonly writers: readonly (Event | null)[];
  readonly events: readonly Event[];
  readonly lists: Readonly<Record<number, Clock>>;
  readonly queue: readonly { readonly thread: number; readonly at: number }[];
  /** Values that racy reads claim to have returned; judged when the execution is complete. */
  readonly claims: readonly { readonly event: Event; readonly value: number }[];
}

export interface Oracle {
  readonly race: boolean;
  /** Results and final memory of each execution. */
  readonly outcomes: ReadonlySet<string>;
  readonly executions: number;
}

const join = (x: Clock, y: Clock): Clock => x.map((value, index) => Math.max(value, y[index]!));
const before = (event: Event, clock: Clock): boolean =>
  clock[event.thread]! >= event.clock[event.thread]!;

const readBytes = (memory: readonly number[], at: number, size: number): number => {
  let value = 0;
  for (let index = size - 1; index >= 0; index--) value = value * 256 + memory[at + index]!;
  return size === 4 ? value | 0 : value;
};

const writeBytes = (
  memory: readonly number[],
  at: number,
  size: number,
  value: number,
): number[] => {
  const next = memory.slice();
  for (let index = 0; index < size; index++) next[at + index] = (value >> (8 * index)) & 0xff;
  return next;
};

export const outcomeOf = (
  results: readonly (readonly number[] | null)[],
  memory: readonly number[],
): string =>
  `${results.map((list) => (list === null ? 'asleep' : list.join())).join(' | ')} / ${memory.join()}`;

class Enumeration {
  race = false;
  executions = 0;
  readonly outcomes = new Set<string>();
  readonly #program: Program;
  readonly #limit: number;

  readonly #racyBytes: number;

  constructor(program: Program, limit: number, racyBytes: number) {
    this.#program = program;
    this.#limit = limit;
    this.#racyBytes = racyBytes;
  }

  explore(state: State): void {
    if (this.executions > this.#limit) return;
    let moved = false;
    for (let thread = 0; thread < this.#program.length; thread++) {
      const { next, asleep } = state.threads[thread]!;
      if (asleep !== null || next >= this.#program[thread]!.length) continue;
      moved = true;
      const code = this.#program[thread]![next]!;
      if (code.kind === 'read' && code.at < this.#racyBytes) {
        for (let value = 0; value < 4; value++)
          this.explore(this.#claim(state, thread, code, value));
        continue;
      }
      const after = this.#step(state, thread, code);
      if (after !== null) this.explore(after);
    }
    if (moved) return;
    this.executions++;
    if (!state.claims.every((claim) => this.#isAllowed(state, claim))) return;
    const results = state.threads.map(({ asleep, results: list }) =>
      asleep === null ? list : null,
    );
    this.outcomes.add(outcomeOf(results, state.memory));
  }

  #claim(state: State, thread: number, code: Instruction, value: number): State {
    const after = this.#access(state, thread, code, false, null);
    return {
      ...after,
      claims: [...after.claims, { event: after.events.at(-1)!, value }],
      threads: after.threads.map((item, index) =>
        index === thread
          ? { ...item, next: item.next + 1, results: [...item.results, value] }
          : item,
      ),
    };
  }

  /** The memory model's rule for an unordered read: some write of that value, not hidden by happens-before. */
  #isAllowed({ events }: State, { event, value }: State['claims'][number]): boolean {
    const writes = events.filter((other) => other.write && other.at === event.at);
    const isHidden = (from: Event | null): boolean =>
      writes.some(
        (other) =>
          other !== from &&
          before(other, event.clock) &&
          (from === null || before(from, other.clock)),
      );
    if (value === 0 && !isHidden(null)) return true;
    return writes.some(
      (write) => write.value === value && !before(event, write.clock) && !isHidden(write),
    );
  }

  #access(
    state: State,
    thread: number,
    { at, size }: Instruction,
    atomic: boolean,
    value: number | null,
  ): State {
    let own = state.threads[thread]!.clock.slice();
    own[thread]!++;
    const writer = state.writers[at];
    const readsWhole =
      writer?.atomic === true &&
      writer.at === at &&
      writer.size === size &&
      state.writers.slice(at, at + size).every((other) => other === writer);
    if (atomic && readsWhole && this.#reads) own = [...join(own, writer.clock)];
    const event: Event = { thread, at, size, atomic, write: value !== null, value, clock: own };
    for (const other of state.events) {
      const overlap = other.at < at + size && at < other.at + other.size;
      const harmless = other.atomic && atomic && other.at === at && other.size === size;
      if (
        at >= this.#racyBytes &&
        overlap &&
        !harmless &&
        (other.write || event.write) &&
        other.thread !== thread &&
        !before(other, own)
      ) {
        this.race = true;
      }
    }
    const writers = state.writers.slice();
    if (value !== null) writers.fill(event, at, at + size);
    return {
      ...state,
      memory: value === null ? state.memory : writeBytes(state.memory, at, size, value),
      writers,
      events: [...state.events, event],
      threads: state.threads.map((item, index) =>
        index === thread ? { ...item, clock: own } : item,
      ),
    };
  }

  /** Whether the access in progress reads; a pure store acquires nothing. */
  #reads = true;

  #step(state: State, thread: number, code: Instruction): State | null {
    const old = readBytes(state.memory, code.at, code.size);
    this.#reads = code.kind !== 'store';
    const mask = code.size === 4 ? -1 : (1 << (8 * code.size)) - 1;
    const done = (after: State, result?: number, skip = 0): State => ({
      ...after,
      threads: after.threads.map((item, index) =>
        index === thread
          ? {
              ...item,
              next: item.next + 1 + skip,
              results: result === undefined ? item.results : [...item.results, result],
            }
          : item,
      ),
    });
    switch (code.kind) {
      case 'load':
        return done(this.#access(state, thread, code, true, null), old);
      case 'store':
        return done(this.#access(state, thread, code, true, code.a));
      case 'add':
        return done(this.#access(state, thread, code, true, (old + code.a) & mask), old);
      case 'exchange':
        return done(this.#access(state, thread, code, true, code.a), old);
      case 'cas':
        return done(this.#access(state, thread, code, true, old === code.a ? code.b : null), old);
      case 'read':
        return done(this.#access(state, thread, code, false, null), old);
      case 'write':
        return done(this.#access(state, thread, code, false, code.a));
      case 'wait':
        return this.#wait(state, thread, code, old, done);
      case 'notify':
        return this.#notify(state, thread, code, done);
      default:
        return done(state, undefined, state.threads[thread]!.results.at(-1) === code.a ? 1 : 0);
    }
  }

  /** Enters and leaves the critical section of a waiter list. */
  #section(state: State, thread: number, at: number): State {
    const known = state.lists[at];
    const clock =
      known === undefined
        ? state.threads[thread]!.clock
        : join(state.threads[thread]!.clock, known);
    return {
      ...state,
      lists: { ...state.lists, [at]: clock },
      threads: state.threads.map((item, index) => (index === thread ? { ...item, clock } : item)),
    };
  }

  #wait(
    state: State,
    thread: number,
    code: Instruction,
    old: number,
    done: (after: State, result?: number) => State,
  ): State {
    const after = this.#section(this.#access(state, thread, code, true, null), thread, code.at);
    if (old !== code.a) return done(after, 0);
    return {
      ...after,
      queue: [...after.queue, { thread, at: code.at }],
      threads: after.threads.map((item, index) =>
        index === thread ? { ...item, asleep: code.at } : item,
      ),
    };
  }

  #notify(
    state: State,
    thread: number,
    code: Instruction,
    done: (after: State, result?: number) => State,
  ): State {
    let after = this.#section(state, thread, code.at);
    const limit = code.b === 0 ? Number.POSITIVE_INFINITY : code.b;
    const woken = after.queue.filter((entry) => entry.at === code.at).slice(0, limit);
    after = { ...after, queue: after.queue.filter((entry) => !woken.includes(entry)) };
    after = done(after, woken.length);
    for (const { thread: sleeper } of woken) {
      after = this.#section(after, sleeper, code.at);
      after = {
        ...after,
        threads: after.threads.map((item, index) =>
          index === sleeper
            ? { ...item, asleep: null, next: item.next + 1, results: [...item.results, 1] }
            : item,
        ),
      };
    }
    return after;
  }
}

/** Enumerates all executions; null if there are more than `limit`. */
export function enumerate(program: Program, limit = 20_000, racyBytes = 0): Oracle | null {
  const zero = program.map(() => 0);
  const enumeration = new Enumeration(program, limit, racyBytes);
  enumeration.explore({
    threads: program.map(() => ({ next: 0, clock: zero, results: [], asleep: null })),
    memory: new Array<number>(memoryBytes).fill(0),
    writers: new Array<Event | null>(memoryBytes).fill(null),
    events: [],
    lists: {},
    queue: [],
    claims: [],
  });
  if (enumeration.executions > limit) return null;
  const { race, outcomes, executions } = enumeration;
  return { race, outcomes, executions };
}
