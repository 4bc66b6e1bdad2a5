/** Vyukov's bounded MPMC queue, and the ways in which ports of it get broken. */
import { type Operation, type Scenario, twoPhaseFifo } from '@millrace/interleave';

export const mpmcBugs = [
  'no CAS',
  'CAS result ignored',
  'sequence before value',
  'stale sequence',
  'wrong sequence',
  'plain sequence',
  'full check by head',
  'pop without commit check',
  'free before read',
] as const;

/** Changes that look like bugs and are none. */
export const mpmcEquivalents = ['retry at the next place'] as const;

interface QueueMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
}

const head = 0;
const tail = 1;

class Queue {
  readonly words: Int32Array;
  readonly sequence: Int32Array;
  readonly values: Int32Array;
  readonly capacity: number;
  readonly bug: string;

  constructor({ buffer, capacity }: QueueMemory, bug: string) {
    this.words = new Int32Array(buffer, 0, 2);
    this.sequence = new Int32Array(buffer, 8, capacity);
    this.values = new Int32Array(buffer, 8 + 4 * capacity, capacity);
    this.capacity = capacity;
    this.bug = bug;
  }

  claim(word: number, place: number): number {
    if (this.bug === 'no CAS') {
      Atomics.store(this.words, word, place + 1);
      return place;
    }
    const found = Atomics.compareExchange(this.words, word, place, place + 1);
    return this.bug === 'CAS result ignored' ? place : found;
  }

  publish(slot: number, sequence: number): void {
    if (this.bug === 'plain sequence') this.sequence[slot] = sequence;
    else Atomics.store(this.sequence, slot, sequence);
  }

  push(value: number): boolean {
    const { words, sequence, values, capacity, bug } = this;
    let place = Atomics.load(words, tail);
    for (;;) {
      const slot = place & (capacity - 1);
      const gap =
        bug === 'full check by head'
          ? place - Atomics.load(words, head) >= capacity
            ? -1
            : 0
          : (Atomics.load(sequence, slot) - place) | 0;
      if (gap < 0) return false;
      if (gap > 0) {
        place = Atomics.load(words, tail);
        continue;
      }
      const found = this.claim(tail, place);
      if (found === place) {
        if (bug === 'sequence before value') this.publish(slot, place + 1);
        values[slot] = value;
        if (bug === 'stale sequence') this.publish(slot, place);
        else if (bug === 'wrong sequence') this.publish(slot, place + 2);
        else if (bug !== 'sequence before value') this.publish(slot, place + 1);
        return true;
      }
      place = bug === 'retry at the next place' ? place + 1 : found;
    }
  }

  pop(): number | undefined {
    const { words, sequence, values, capacity, bug } = this;
    let place = Atomics.load(words, head);
    for (;;) {
      const slot = place & (capacity - 1);
      const gap =
        bug === 'pop without commit check'
          ? Atomics.load(words, tail) === place
            ? -1
            : 0
          : (Atomics.load(sequence, slot) - place - 1) | 0;
      if (gap < 0) return undefined;
      if (gap > 0) {
        place = Atomics.load(words, head);
        continue;
      }
      const found = this.claim(head, place);
      if (found === place) {
        if (bug === 'free before read') this.publish(slot, place + capacity);
        const value = values[slot];
        if (bug !== 'free before read') this.publish(slot, place + capacity);
        return value;
      }
      place = found;
    }
  }
}

/** Threads given as lists of operations. */
export const mpmc = (
  capacity: number,
  threads: readonly (readonly Operation[])[],
  bug = 'none',
): Scenario<QueueMemory> => ({
  name: `MPMC capacity ${capacity}, ${threads.map((ops) => ops.map(([name]) => name).join(' ')).join(' | ')}, ${bug}`,
  setup: () => {
    const buffer = new SharedArrayBuffer(8 + 8 * capacity);
    const sequence = new Int32Array(buffer, 8, capacity);
    for (let slot = 0; slot < capacity; slot++) sequence[slot] = slot;
    return { buffer, capacity };
  },
  threads: threads.map((ops) => ({ attach: (memory: QueueMemory) => new Queue(memory, bug), ops })),
  spec: twoPhaseFifo({ capacity }),
});
