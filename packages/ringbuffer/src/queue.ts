/** Creating a work queue, and attaching to it; `work-queue.ts` has its layout and what it promises. */
import { RingRangeError } from './errors.ts';
import { stampsOf } from './half-done.ts';
import {
  CONTROL_BYTES,
  checkCapacity,
  controlWords,
  HEAD,
  KIND_QUEUE,
  TAIL,
  writeIdentity,
} from './layout.ts';
import type { HandleOptions } from './options.ts';
import { allocate, locationOf, openControl, type Ring, type RingHandle } from './ring.ts';
import type { SlotRingOptions } from './slots.ts';
import { SLOT_HEADER_BYTES, stampsBytes, WorkQueue } from './work-queue.ts';

/**
 * Creates a work queue for any number of producers and consumers.
 *
 * @param options - `slotBytes` is the longest record; `slotCount` must be 2 or more
 * @throws {RingRangeError} If `slotCount` is no power of two, or `slotBytes` no multiple of 4.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachQueue, createQueue } from '@millrace/ringbuffer';
 *
 * const { handle } = createQueue({ slotCount: 64, slotBytes: 32 });
 * const queue = attachQueue(handle); // one in each thread that pushes or pops
 * assert.equal(queue.tryPush(Uint8Array.of(1, 2, 3)), true);
 * assert.deepEqual(queue.tryPop(), Uint8Array.of(1, 2, 3));
 * assert.equal(queue.tryPop(), undefined);
 * ```
 */
export function createQueue(options: SlotRingOptions): Ring {
  const { slotCount, slotBytes, byteOffset = 0, startIndex = 0 } = options;
  checkCapacity(slotCount, 2, 'slotCount');
  const slots = slotCount * (slotBytes + SLOT_HEADER_BYTES);
  if (!(Number.isInteger(slotBytes) && slotBytes > 0 && slotBytes % 4 === 0 && slots <= 2 ** 30)) {
    throw new RingRangeError(
      'ERR_RING_CAPACITY',
      `slotBytes must be a multiple of 4, and all slots at most ${2 ** 30}: slotBytes=${slotBytes}, slotCount=${slotCount}`,
    );
  }
  const bytes = CONTROL_BYTES + stampsBytes(slotCount) + slots;
  const buffer = options.buffer ?? allocate(byteOffset + bytes);
  const words = controlWords(buffer, byteOffset, bytes);
  words.fill(0);
  words[TAIL] = startIndex | 0; // mutant-ok swap-statements: nobody else has the memory yet
  words[HEAD] = startIndex | 0;
  const stamps = stampsOf(buffer, byteOffset, slotCount);
  for (let i = 0; i < slotCount; i++) {
    const index = (startIndex + i) | 0;
    stamps[index & (slotCount - 1)] = index; // M1
  }
  writeIdentity(words, KIND_QUEUE, [slotCount, startIndex | 0, slotBytes]);
  return { handle: { buffer, byteOffset }, capacity: slotCount };
}

/**
 * Attaches this thread to a work queue, to push, to pop, or both.
 *
 * @throws {RingTypeError} If the memory holds no work queue of this version.
 */
export function attachQueue(
  handle: RingHandle | SharedArrayBuffer,
  options: Omit<HandleOptions, 'debug'> = {},
): WorkQueue {
  const { buffer, byteOffset } = locationOf(handle);
  const words = openControl(handle, [KIND_QUEUE]);
  return new WorkQueue(buffer, byteOffset, words, options);
}
