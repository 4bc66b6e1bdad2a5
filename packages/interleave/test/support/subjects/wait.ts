/** A one-slot channel with sleeping ends, and the ways in which wake-ups get lost. */
import { fifo, type Operation, type Scenario, type Spec } from '@millrace/interleave';

export const waitBugs = [
  'check then set flag',
  'epoch read late',
  'no notify',
  'no epoch bump',
  'notify the wrong word',
  'notify nobody',
  'signal before publish',
  'close without notify',
  'one notify for two sleepers',
] as const;

/** Changes that look like bugs and are none. */
export const waitEquivalents = ['notify twice', 'finite timeout'] as const;

interface ChannelMemory {
  readonly words: Int32Array;
  readonly slots: Int32Array;
}

const tail = 0;
const head = 1;
const epoch = 2;
const closed = 3;
const other = 4;
const parked = 5;

class Channel {
  readonly words: Int32Array;
  readonly slots: Int32Array;
  readonly bug: string;

  constructor({ words, slots }: ChannelMemory, bug: string) {
    this.words = words;
    this.slots = slots;
    this.bug = bug;
  }

  signal(everyone = true): void {
    const { words, bug } = this;
    if (bug === 'check then set flag') {
      if (Atomics.load(words, parked) === 1) {
        Atomics.store(words, parked, 0);
        Atomics.notify(words, parked);
      }
      return;
    }
    if (bug !== 'no epoch bump') Atomics.add(words, epoch, 1);
    if (bug === 'no notify') return;
    if (bug === 'notify the wrong word') Atomics.notify(words, other);
    else if (bug === 'notify nobody') Atomics.notify(words, epoch, 0);
    else if (bug === 'one notify for two sleepers' || !everyone) Atomics.notify(words, epoch, 1);
    else Atomics.notify(words, epoch);
    if (bug === 'notify twice') Atomics.notify(words, epoch);
  }

  put(value: number): void {
    const { words, slots, bug } = this;
    const t = Atomics.load(words, tail);
    if (bug === 'signal before publish') this.signal();
    slots[t & 1] = value;
    Atomics.store(words, tail, t + 1);
    if (bug !== 'signal before publish') this.signal();
  }

  close(): void {
    Atomics.store(this.words, closed, 1);
    if (this.bug !== 'close without notify') this.signal();
  }

  take(): number | string {
    const { words, slots, bug } = this;
    for (;;) {
      if (bug === 'check then set flag') {
        const h = Atomics.load(words, head);
        if (Atomics.load(words, tail) !== h) {
          Atomics.store(words, head, h + 1);
          return slots[h & 1]!;
        }
        Atomics.store(words, parked, 1);
        Atomics.wait(words, parked, 1);
        continue;
      }
      const ticket = bug === 'epoch read late' ? 0 : Atomics.load(words, epoch);
      const h = Atomics.load(words, head);
      if (Atomics.load(words, tail) !== h) {
        if (Atomics.compareExchange(words, head, h, h + 1) === h) return slots[h & 1]!;
        continue;
      }
      if (Atomics.load(words, closed) === 1) return 'closed';
      const seen = bug === 'epoch read late' ? Atomics.load(words, epoch) : ticket;
      Atomics.wait(words, epoch, seen, bug === 'finite timeout' ? 5 : undefined);
    }
  }
}

const closable = (): Spec<{ items: unknown[]; closed: boolean }> => {
  const queue = fifo({ capacity: 2 });
  return {
    initial: { items: [], closed: false },
    step(state, call) {
      if (call.name === 'close') return [[{ ...state, closed: true }, true, undefined]];
      const next = queue
        .step(state.items, call)
        .map(([items, done, result]) => [{ ...state, items }, done, result] as const);
      return next.length === 0 && state.closed ? [[state, true, 'closed']] : next;
    },
  };
};

/** Threads given as lists of operations `put`, `take`, `close`. */
export const channel = (
  threads: readonly (readonly Operation[])[],
  bug = 'none',
): Scenario<ChannelMemory> => ({
  name: `channel ${threads.map((ops) => ops.map(([name]) => name).join(' ')).join(' | ')}, ${bug}`,
  setup: () => {
    const buffer = new SharedArrayBuffer(32);
    return { words: new Int32Array(buffer, 0, 6), slots: new Int32Array(buffer, 24, 2) };
  },
  threads: threads.map((ops) => ({
    attach: (memory: ChannelMemory) => new Channel(memory, bug),
    ops,
  })),
  spec: closable(),
  // A timeout may come any number of times: bounded here by giving up on long calls.
  bounds: { opSteps: 60 },
});
