/** A correct SPSC ring of int32 with cached peer indices, and the ways in which such rings get broken. */
import { fifo, type Operation, type Scenario } from '@millrace/interleave';

export const spscBugs = [
  'publish before write',
  'plain publish',
  'plain index read',
  'free before read',
  'wrong mask',
  'stale cached index',
  'off by one full',
  'signed compare',
  'refresh from the wrong word',
  'head never published',
  'attach at index 0',
  'plain head publish',
] as const;

/** Changes that look like bugs and are none. */
export const spscEquivalents = [
  'always refresh',
  'plain read of own index',
  'exchange publish',
] as const;

export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: number;
}

const head = 0;
const tail = 1;

export class Ring {
  readonly words: Int32Array;
  readonly slots: Int32Array;
  readonly capacity: number;
  readonly bug: string;
  headIndex: number;
  tailIndex: number;

  constructor({ buffer, capacity }: RingMemory, bug: string) {
    this.words = new Int32Array(buffer, 0, 2);
    this.slots = new Int32Array(buffer, 8, capacity);
    this.capacity = capacity;
    this.bug = bug;
    const zero = bug === 'attach at index 0';
    this.headIndex = zero ? 0 : Atomics.load(this.words, head);
    this.tailIndex = zero ? 0 : Atomics.load(this.words, tail);
  }

  #slot(index: number): number {
    return index & (this.bug === 'wrong mask' ? this.capacity : this.capacity - 1);
  }

  #isFull(t: number): boolean {
    const used = (t - this.headIndex) | 0;
    if (this.bug === 'off by one full') return used > this.capacity;
    if (this.bug === 'signed compare') return t >= ((this.headIndex + this.capacity) | 0);
    return used >= this.capacity;
  }

  push(value: number): boolean {
    const { words, slots, bug } = this;
    const t = bug === 'plain read of own index' ? words[tail]! : this.tailIndex;
    if (bug === 'always refresh' || this.#isFull(t)) {
      if (bug !== 'stale cached index') {
        this.headIndex = Atomics.load(words, bug === 'refresh from the wrong word' ? tail : head);
      }
      if (this.#isFull(t)) return false;
    }
    const next = (t + 1) | 0;
    this.tailIndex = next;
    if (bug === 'publish before write') Atomics.store(words, tail, next);
    slots[this.#slot(t)] = value;
    if (bug === 'plain publish') words[tail] = next;
    else if (bug === 'exchange publish') Atomics.exchange(words, tail, next);
    else if (bug !== 'publish before write') Atomics.store(words, tail, next);
    return true;
  }

  pop(): number | undefined {
    const { words, slots, bug } = this;
    const h = this.headIndex;
    if (h === this.tailIndex) {
      this.tailIndex = bug === 'plain index read' ? words[tail]! : Atomics.load(words, tail);
      if (h === this.tailIndex) return undefined;
    }
    const next = (h + 1) | 0;
    this.headIndex = next;
    if (bug === 'free before read') Atomics.store(words, head, next);
    const value = slots[this.#slot(h)]!;
    if (bug === 'plain head publish') words[head] = next;
    else if (bug !== 'free before read' && bug !== 'head never published') {
      Atomics.store(words, head, next);
    }
    return value;
  }
}

export interface RingShape {
  readonly capacity: number;
  readonly startIndex: number;
  readonly pushes: number;
  readonly pops: number;
}

export const ringMemory = ({ capacity, startIndex }: RingShape): RingMemory => {
  const buffer = new SharedArrayBuffer(8 + 4 * capacity);
  new Int32Array(buffer, 0, 2).fill(startIndex);
  return { buffer, capacity };
};

export const pushes = (count: number): Operation[] =>
  Array.from({ length: count }, (_, index) => ['push', index + 1]);
export const pops = (count: number): Operation[] => Array.from({ length: count }, () => ['pop']);

/** One producer, one consumer. */
export const spsc = (shape: RingShape, bug = 'none'): Scenario<RingMemory> => ({
  name: `SPSC ${shape.pushes}x${shape.pops}, capacity ${shape.capacity}, from ${shape.startIndex}, ${bug}`,
  setup: () => ringMemory(shape),
  threads: [
    { attach: (memory) => new Ring(memory, bug), ops: pushes(shape.pushes) },
    { attach: (memory) => new Ring(memory, bug), ops: pops(shape.pops) },
  ],
  spec: fifo({ capacity: shape.capacity }),
  // The ring's only private part is a method: its fields are its whole state.
  fingerprint: ({ headIndex, tailIndex }: Ring) => [headIndex, tailIndex],
});
