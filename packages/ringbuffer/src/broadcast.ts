/**
 * One producer, any number of consumers, none of which can slow it down: who falls behind by more than the ring
 * loses the oldest records, and learns how many. With one consumer this is the policy "drop oldest".
 *
 * After Agrona's broadcast transmitter, with exact loss counts and with record borders kept by the producer, so
 * that a consumer that was lapped goes on with the oldest record that is intact.
 *
 * ```text
 * control block as in layout.ts; line 1: tail, next number; line 2: oldest: index of the oldest record that is intact
 *
 * record:  | length 31 bits, kind 1 | sequence number i32 | payload | up to 3 unused |
 * ```
 * B1: before it overwrites, the producer moves `oldest` behind all that it will overwrite, by a
 *     read-modify-write. Then it writes, then it stores the tail.
 * B2: a consumer copies a record, then reads `oldest` by a read-modify-write (add 0), and hands the copy out
 *     only if `oldest` isn't behind the record.
 * B3: the consumer's copy is a data race on purpose, and harmless: say it saw a byte that was written after `oldest` had
 *     moved past the record (S), and yet its own read-modify-write (R) saw the old value. Then R precedes S in
 *     the order of modifications of that word, so S, directly or through others, read what R wrote: R
 *     synchronizes with S, the consumer's plain reads happen before R, the producer's plain writes after S, and
 *     a read never sees a write that happens after it. That is why neither may be a mere load or store.
 * B4: each record carries its number; what a consumer lost is the difference to the one that it expected.
 *
 * Threads: one producer; each consumer handle belongs to one thread. Proved with every value that a racy read may
 * return: scenarios `broadcast, 4 pushes, pops 2, room for 2` and `broadcast, 3 pushes, pops 1, room for 2, attaching
 * meanwhile`.
 * Cost: a push costs one Atomics.exchange more than in a byte ring once the ring has wrapped; a pop one
 * Atomics.add.
 */
import { BroadcastConsumer, type BroadcastConsumerOptions } from './broadcast-consumer.ts';
import { type BroadcastMemory, BroadcastProducer, OLDEST } from './broadcast-producer.ts';
import { RingRangeError } from './errors.ts';
import {
  CAPACITY,
  CONTROL_BYTES,
  checkCapacity,
  controlWords,
  KIND_BROADCAST,
  TAIL,
  writeIdentity,
} from './layout.ts';
import type { HandleOptions } from './options.ts';
import {
  allocate,
  locationOf,
  openControl,
  type Ring,
  type RingHandle,
  type RingOptions,
} from './ring.ts';

/**
 * Creates a ring for one producer and any number of consumers that may lose records.
 *
 * @throws {RingRangeError} If the capacity is no power of two from 32 to 2^30.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import {
 *   attachBroadcastConsumer,
 *   attachBroadcastProducer,
 *   createBroadcast,
 * } from '@millrace/ringbuffer';
 *
 * const { handle } = createBroadcast({ capacity: 64 });
 * const producer = attachBroadcastProducer(handle);
 * const consumer = attachBroadcastConsumer(handle);
 * for (let i = 0; i < 10; i++) producer.tryPush(Uint8Array.of(i)); // room for five
 * assert.deepEqual(consumer.tryPop(), Uint8Array.of(5));
 * assert.equal(consumer.lost, 5);
 * ```
 */
export function createBroadcast(options: RingOptions = {}): Ring {
  const capacity = checkCapacity(options.capacity ?? 1 << 18, 32);
  const { byteOffset = 0, startIndex = 0 } = options;
  if (!Number.isInteger(startIndex) || startIndex % 4 !== 0) {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `startIndex must be a multiple of 4: startIndex=${startIndex}`,
    );
  }
  const buffer = options.buffer ?? allocate(byteOffset + CONTROL_BYTES + capacity);
  const words = controlWords(buffer, byteOffset, CONTROL_BYTES + capacity);
  words.fill(0);
  words[TAIL] = startIndex | 0;
  words[OLDEST] = startIndex | 0;
  writeIdentity(words, KIND_BROADCAST, [capacity, startIndex | 0]);
  return { handle: { buffer, byteOffset }, capacity };
}

function openBroadcast(handle: RingHandle | SharedArrayBuffer): BroadcastMemory {
  const { buffer, byteOffset } = locationOf(handle);
  const words = openControl(handle, [KIND_BROADCAST]);
  const capacity = checkCapacity(words[CAPACITY]!, 32);
  controlWords(buffer, byteOffset, CONTROL_BYTES + capacity);
  return {
    words,
    data: new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2),
    bytes: new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity),
    capacity,
  };
}

/**
 * Attaches to the producing end of a broadcast ring.
 *
 * @throws {RingTypeError} If the memory holds no broadcast ring of this version.
 */
export function attachBroadcastProducer(
  handle: RingHandle | SharedArrayBuffer,
  options: Pick<HandleOptions, 'copy' | 'doorbell' | 'debug'> = {},
): BroadcastProducer {
  return new BroadcastProducer(openBroadcast(handle), options);
}

/**
 * Attaches one more consumer to a broadcast ring.
 *
 * @throws {RingTypeError} If the memory holds no broadcast ring of this version.
 */
export function attachBroadcastConsumer(
  handle: RingHandle | SharedArrayBuffer,
  options: BroadcastConsumerOptions = {},
): BroadcastConsumer {
  return new BroadcastConsumer(openBroadcast(handle), options);
}
