/**
 * Where a work queue stands still, told from its memory alone; `work-queue.ts` has its layout and M1 to M3.
 *
 * Threads: any, at any time.
 */
import { CONTROL_BYTES, HEAD, TAIL } from './layout.ts';

/** The stamps of the queue at a place in memory. @internal */
export const stampsOf = (
  buffer: ArrayBufferLike,
  byteOffset: number,
  slotCount: number,
): Int32Array => new Int32Array(buffer, byteOffset + CONTROL_BYTES, slotCount);

/** A push or pop that has reserved its slot and isn't complete. */
export interface HalfDone {
  /** What the thread was doing. */
  readonly call: 'push' | 'pop';
  /** The slot that it holds (index, 0 to `slotCount` - 1). */
  readonly slot: number;
}

/** The half-done call at which the queue would stop, if its thread were dead. @internal */
export function halfDoneIn(words: Int32Array, stamps: Int32Array): HalfDone | undefined {
  const mask = stamps.length - 1;
  const head = Atomics.load(words, HEAD);
  const tail = Atomics.load(words, TAIL);
  if (head !== tail && Atomics.load(stamps, head & mask) === head) {
    return { call: 'push', slot: head & mask }; // the tail has passed it, its stamp hasn't: M1
  }
  const before = (tail - stamps.length) | 0;
  if (((head - before) | 0) > 0 && Atomics.load(stamps, tail & mask) === ((before + 1) | 0)) {
    return { call: 'pop', slot: tail & mask }; // the head has passed it, its stamp still says record: M2
  }
  return undefined;
}
