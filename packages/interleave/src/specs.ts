/** Sequential specifications that come up again and again. */
import type { Spec, SpecCall, SpecStep } from './scenario.ts';

/** Names of the calls that a queue specification understands. */
export interface QueueCalls {
  /** Appends its first argument; true, or false when full. @defaultValue `['push', 'tryPush', 'send']` */
  readonly push?: readonly string[];
  /** Takes the oldest item; undefined when empty. @defaultValue `['pop', 'tryPop']` */
  readonly pop?: readonly string[];
  /** Takes the oldest item; waits while there is none. @defaultValue `['take', 'receive']` */
  readonly take?: readonly string[];
  /** Appends its first argument; waits while full. @defaultValue `['put']` */
  readonly put?: readonly string[];
}

export interface QueueOptions extends QueueCalls {
  /** Items that fit (count). */
  readonly capacity: number;
}

const roleOf = (options: QueueCalls, name: string): keyof QueueCalls => {
  const { push = ['push', 'tryPush', 'send'], pop = ['pop', 'tryPop'] } = options;
  const { take = ['take', 'receive'], put = ['put'] } = options;
  if (push.includes(name)) return 'push';
  if (pop.includes(name)) return 'pop';
  if (take.includes(name)) return 'take';
  if (put.includes(name)) return 'put';
  throw new TypeError(`the queue specification has no call of that name: name=${name}`);
};

/**
 * Makes the specification of a strict FIFO queue: every call takes effect at one point.
 *
 * @param options - capacity (items), and names of calls where they differ
 * @returns a specification; `push` gives whether there was room, `pop` the oldest item or undefined
 *
 * Cost: a state holds the items in the queue.
 */
export function fifo(options: QueueOptions): Spec<unknown[]> {
  const { capacity } = options;
  return {
    initial: [],
    step(items, { name, args }): readonly SpecStep<unknown[]>[] {
      const role = roleOf(options, name);
      if (role === 'push' || role === 'put') {
        if (items.length < capacity) {
          return [[[...items, args[0]], true, role === 'push' ? true : undefined]];
        }
        return role === 'push' ? [[items, true, false]] : [];
      }
      if (items.length > 0) return [[items.slice(1), true, items[0]]];
      return role === 'pop' ? [[items, true, undefined]] : [];
    },
  };
}

/** A place of a two-phase queue: reserved (0), committed (1), claimed (2) or freed (3), by whom, and its item. */
export type TwoPhaseCell = readonly [phase: number, owner: number, value: unknown];
const reserved = 0;
const committed = 1;
const claimed = 2;
const freed = 3;

/**
 * Makes the specification of a queue whose calls take effect in two steps: push reserves its place and then
 * commits the item, pop claims the oldest item and then frees its place.
 *
 * No Vyukov-style queue is a strict FIFO: pop may say empty while an older push is half done. This is what
 * such a queue does promise.
 *
 * @param options - capacity (items), and names of calls where they differ
 * @returns a specification with the calls of `fifo`
 *
 * Cost: a state holds the items that are reserved, committed or being taken.
 */
export function twoPhaseFifo(options: QueueOptions): Spec<TwoPhaseCell[]> {
  return {
    initial: [],
    step: (cells, call) =>
      ['push', 'put'].includes(roleOf(options, call.name))
        ? pushStep(options, cells, call)
        : popStep(options, cells, call),
  };
}

function pushStep(
  options: QueueOptions,
  cells: TwoPhaseCell[],
  call: SpecCall,
): readonly SpecStep<TwoPhaseCell[]>[] {
  const { args, phase, thread } = call;
  const waits = roleOf(options, call.name) === 'put';
  if (phase > 0) {
    const next = cells.map(
      (cell): TwoPhaseCell =>
        cell[1] === thread && cell[0] === reserved ? [committed, -1, cell[2]] : cell,
    );
    return [[next, true, waits ? undefined : true]];
  }
  if (cells.length < options.capacity) return [[[...cells, [reserved, thread, args[0]]], false]];
  return waits ? [] : [[cells, true, false]];
}

function popStep(
  options: QueueOptions,
  cells: TwoPhaseCell[],
  call: SpecCall,
): readonly SpecStep<TwoPhaseCell[]>[] {
  const { phase, thread } = call;
  if (phase > 0) {
    const mine = cells.find((cell) => cell[0] === claimed && cell[1] === thread)!;
    let next = cells.map((cell): TwoPhaseCell => (cell === mine ? [freed, -1, null] : cell));
    while (next[0]?.[0] === freed) next = next.slice(1);
    return [[next, true, mine[2]]];
  }
  const oldest = cells.findIndex((cell) => cell[0] < claimed);
  if (oldest >= 0 && cells[oldest]![0] === committed) {
    const next = cells.map(
      (cell, index): TwoPhaseCell => (index === oldest ? [claimed, thread, cell[2]] : cell),
    );
    return [[next, false]];
  }
  return roleOf(options, call.name) === 'pop' ? [[cells, true, undefined]] : [];
}

/**
 * Makes the specification of one cell with `load()`, `store(v)`, `add(v)`, `exchange(v)` and
 * `compareExchange(expected, v)`, each returning what it found (`store`: undefined).
 *
 * @param initial - value at the start
 */
export function register(initial = 0): Spec<number> {
  return {
    initial,
    step(value, { name, args }): readonly SpecStep<number>[] {
      const [a, b] = args as number[];
      switch (name) {
        case 'load':
          return [[value, true, value]];
        case 'store':
          return [[a!, true, undefined]];
        case 'add':
          return [[value + a!, true, value]];
        case 'exchange':
          return [[a!, true, value]];
        case 'compareExchange':
          return [[value === a ? b! : value, true, value]];
        default:
          throw new TypeError(`the register specification has no call of that name: name=${name}`);
      }
    },
  };
}
