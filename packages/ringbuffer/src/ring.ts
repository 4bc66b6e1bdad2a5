/** Creating a ring of variable-length records, and attaching to its two ends. */
import { RingConsumer } from './consumer.ts';
import { endOnce } from './ends.ts';
import { RingRangeError, RingStateError, RingTypeError } from './errors.ts';
import {
  CAPACITY,
  CONSUMER_END,
  CONTROL_BYTES,
  checkCapacity,
  checkIdentity,
  controlWords,
  DATA_LINE,
  type EndMemory,
  formatRing,
  KIND_BYTES,
  KIND_SLOTS,
  LINE_BYTES,
  PRODUCER_END,
  SPACE_LINE,
} from './layout.ts';
import { isMessageHandle, type MessageHandle, mirrorConsumer, mirrorProducer } from './mirror.ts';
import type { ConsumerOptions, ProducerOptions } from './options.ts';
import { RingProducer } from './producer.ts';
import { FLAG, FLAG_ENDED, wakeAnyway } from './wait.ts';

/**
 * Names a ring in shared memory. A plain object: send it with `postMessage` or `workerData`, or store it.
 * `attach…` also takes the bare SharedArrayBuffer of a ring that begins at its first byte.
 */
export interface RingHandle {
  /** The memory; shared between the threads, never copied. */
  readonly buffer: SharedArrayBuffer;
  /**
   * Where the ring begins (bytes, a multiple of 128).
   *
   * @defaultValue 0
   */
  readonly byteOffset?: number;
}

/** Settings of a new ring. */
export interface RingOptions {
  /**
   * Bytes for records and their 4-byte headers: a power of two from 16 to 2^30. Rings larger than a quarter of
   * the CPU's second-level cache are slower once they fill.
   *
   * @defaultValue 262144
   */
  readonly capacity?: number;
  /** Memory to use instead of new memory, for instance the buffer of a shared `WebAssembly.Memory`. */
  readonly buffer?: SharedArrayBuffer;
  /**
   * Where to begin in `buffer` (bytes, a multiple of 128). The ring takes `ringBytes(capacity)` bytes there,
   * which must not be in use.
   *
   * @defaultValue 0
   */
  readonly byteOffset?: number;
  /**
   * Index at which traffic begins (a multiple of 4). For tests: close to 2^31 or 2^32, wrapping shows at once.
   *
   * @defaultValue 0
   */
  readonly startIndex?: number;
}

/** A new ring. */
export interface Ring {
  /** What the other threads need. */
  readonly handle: RingHandle;
  /** Bytes for records and headers. */
  readonly capacity: number;
}

/** Which end of a ring. */
export type RingSide = 'producer' | 'consumer';

const CAPACITY_DEFAULT = 1 << 18;

/**
 * Returns how much memory a ring takes, so that another can follow: its capacity and a control block of 1 KiB,
 * rounded up to a multiple of 128.
 *
 * @param capacity - as for {@link createRing}
 */
export function ringBytes(capacity: number): number {
  return (CONTROL_BYTES + checkCapacity(capacity) + LINE_BYTES - 1) & -LINE_BYTES;
}

/**
 * Creates a ring for one producer and one consumer.
 *
 * @returns the ring, whose handle goes to the threads that use it
 * @throws {RingRangeError} If the capacity is no power of two from 16 to 2^30, or `buffer` is too short.
 * @throws {RingStateError} If this page or runtime has no SharedArrayBuffer (not cross-origin isolated).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, attachProducer, createRing } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing({ capacity: 65536 });
 * // In one thread (handle arrives in workerData or a message):
 * const producer = attachProducer(handle);
 * assert.equal(producer.tryPush(new TextEncoder().encode('hello')), true);
 * // In another:
 * const consumer = attachConsumer(handle);
 * assert.equal(new TextDecoder().decode(consumer.tryPop()), 'hello');
 * assert.equal(consumer.tryPop(), undefined);
 * ```
 */
export function createRing(options: RingOptions = {}): Ring {
  const capacity = checkCapacity(options.capacity ?? CAPACITY_DEFAULT);
  const { byteOffset = 0, startIndex = 0 } = options;
  if (!Number.isInteger(startIndex) || startIndex % 4 !== 0) {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `startIndex must be a multiple of 4: startIndex=${startIndex}`,
    );
  }
  const buffer = options.buffer ?? allocate(byteOffset + CONTROL_BYTES + capacity);
  formatRing(buffer, byteOffset, capacity, startIndex);
  return { handle: { buffer, byteOffset }, capacity };
}

/** Returns new shared memory, or says why there is none. @internal */
export function allocate(bytes: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer !== 'function') {
    throw new RingStateError(
      'ERR_RING_UNSUPPORTED',
      'SharedArrayBuffer is missing: serve the page with COOP same-origin and COEP require-corp, or use createChannel',
    );
  }
  return new SharedArrayBuffer(bytes);
}

/** Where a handle points. @internal */
export function locationOf(handle: RingHandle | SharedArrayBuffer): {
  buffer: SharedArrayBuffer;
  byteOffset: number;
} {
  if (typeof handle !== 'object' || handle === null) {
    throw new RingTypeError(
      'ERR_RING_TYPE',
      `handle must be a RingHandle or a SharedArrayBuffer: handle=${String(handle)}`,
    );
  }
  return 'buffer' in handle
    ? { buffer: handle.buffer, byteOffset: handle.byteOffset ?? 0 }
    : { buffer: handle, byteOffset: 0 };
}

/** Returns the control words of a ring of one of these kinds. @internal */
export function openControl(
  handle: RingHandle | SharedArrayBuffer,
  kinds: readonly number[],
): Int32Array {
  const { buffer, byteOffset } = locationOf(handle);
  const words = controlWords(buffer, byteOffset, CONTROL_BYTES);
  checkIdentity(words, kinds);
  return words;
}

/** Checks a handle and returns its memory. @internal */
export function openRing(handle: RingHandle | SharedArrayBuffer): EndMemory {
  const { buffer, byteOffset } = locationOf(handle);
  const words = openControl(handle, [KIND_BYTES]);
  const capacity = words[CAPACITY]!;
  try {
    checkCapacity(capacity);
  } catch (error) {
    throw new RingTypeError('ERR_RING_FORMAT', `control block is damaged: ${String(error)}`);
  }
  controlWords(buffer, byteOffset, CONTROL_BYTES + capacity);
  return { words, dataWords: words, dataLine: DATA_LINE, buffer, byteOffset, capacity };
}

/**
 * Attaches to the producing end. Do it in the thread that will push.
 *
 * @param handle - the ring, in shared memory or mirrored by messages
 * @throws {RingTypeError} If the memory holds no ring of this kind and version.
 * @throws {RingStateError} With `ERR_RING_OWNER` in debug mode if there is a producer already.
 */
export function attachProducer(
  handle: RingHandle | MessageHandle | SharedArrayBuffer,
  options: ProducerOptions = {},
): RingProducer {
  if (isMessageHandle(handle)) return mirrorProducer(handle, options);
  return new RingProducer(openRing(handle), options);
}

/**
 * Attaches to the consuming end. Do it in the thread that will read.
 *
 * @param handle - the ring, in shared memory or mirrored by messages
 * @throws {RingTypeError} If the memory holds no ring of this kind and version.
 * @throws {RingStateError} With `ERR_RING_OWNER` in debug mode if there is a consumer already.
 */
export function attachConsumer(
  handle: RingHandle | MessageHandle | SharedArrayBuffer,
  options: ConsumerOptions = {},
): RingConsumer {
  if (isMessageHandle(handle)) return mirrorConsumer(handle, options);
  return new RingConsumer(openRing(handle), options);
}

/**
 * Ends one end of a ring from outside, because its thread has died: call it from the worker's `exit` event.
 * Whoever waits at the other end wakes; all that had been published stays readable.
 *
 * Concurrency: any thread, at any time; the first end wins (scenarios `SPSC producer declared dead while the other end
 * sleeps or works` and the same of the consumer).
 *
 * @param side - the end that died
 * @param reason - for the other end (up to 56 bytes of UTF-8, cut beyond)
 * @returns whether this call ended it; false when it had ended before
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, createRing, markDead } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing();
 * const consumer = attachConsumer(handle);
 * setTimeout(() => markDead(handle, 'producer', 'exit code 1'), 5);
 * assert.equal(await consumer.pop(), undefined); // woken by markDead
 * assert.deepEqual(consumer.producerEnd, { how: 'dead', reason: 'exit code 1' });
 * ```
 */
export function markDead(
  handle: RingHandle | SharedArrayBuffer,
  side: RingSide,
  reason = '',
): boolean {
  const words = openControl(handle, [KIND_BYTES, KIND_SLOTS]);
  return endFromOutside(words, words, DATA_LINE, side, reason);
}

/** Ends one end of the ring behind `words`, whose consumer sleeps on the given line. @internal */
export function endFromOutside(
  words: Int32Array,
  dataWords: Int32Array,
  dataLine: number,
  side: RingSide,
  reason: string,
): boolean {
  if (side === 'producer') {
    const ended = endOnce(words, PRODUCER_END, 'dead', reason);
    wakeAnyway(dataWords, dataLine);
    return ended;
  }
  const ended = endOnce(words, CONSUMER_END, 'dead', reason);
  Atomics.or(dataWords, dataLine + FLAG, FLAG_ENDED);
  wakeAnyway(words, SPACE_LINE);
  return ended;
}
