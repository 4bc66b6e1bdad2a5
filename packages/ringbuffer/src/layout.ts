/**
 * Every offset, mask and size of the shared memory of a byte ring.
 *
 * One control block of eight lines, then the data. A line is 128 bytes, two cache lines, because adjacent
 * lines are prefetched in pairs; words that different threads write never share one.
 *
 * ```text
 * byte    0 +--------------------------------------------------------------+
 *           | magic | version | kind | capacity | start index | ...        |  written once, at creation
 *       128 +--------------------------------------------------------------+
 *           | tail: index behind the last published byte                   |  producer
 *       256 +--------------------------------------------------------------+
 *           | head: index of the first byte that isn't released            |  consumer
 *       384 +--------------------------------------------------------------+
 *           | data line:  flag | epoch | target    (see wait.ts)           |  a consumer that waits, its waker
 *       512 +--------------------------------------------------------------+
 *           | space line: flag | epoch | target                            |  a producer that waits, its waker
 *       640 +--------------------------------------------------------------+
 *           | producer's counts (u64 pairs) | owner                        |  producer
 *       768 +--------------------------------------------------------------+
 *           | consumer's counts (u64 pairs) | owner                        |  consumer
 *       896 +-------------------------------+------------------------------+
 *           | producer's end: state, length,| consumer's end: the same     |  whoever ends it, once
 *           |   reason (56 bytes of UTF-8)  |                              |
 *      1024 +-------------------------------+------------------------------+
 *           | data: capacity bytes of records                              |
 *           +--------------------------------------------------------------+
 *
 * record:   | header i32                         | pad bytes | payload | up to 3 unused |
 *           | length 28 bits | pad 3 | kind 1    |           |         |                |
 *             bits 0..27       28..30  31
 * ```
 *
 * L1: indices count bytes modulo 2^32 and are compared only as `(a - b) | 0`; offset = index & (capacity - 1).
 * L2: records start at multiples of 4 and never wrap: a header of -1 (SKIP) says that the rest up to the
 *     end of the data is unused, and a record at offset 0 follows in the same publication.
 * L3: `0 <= (tail - head) | 0 <= capacity`.
 * L4: words accessed by Atomics are never accessed plainly by another thread than their only writer, and no
 *     word of the control block is ever part of a payload.
 */
import { RingRangeError, RingTypeError } from './errors.ts';

/** Bytes of a control block, and of each of its lines. */
export const CONTROL_BYTES = 1024;
export const CONTROL_WORDS: number = CONTROL_BYTES >> 2;
export const LINE_BYTES = 128;

/** "MRNG", read as a little-endian word: a block of the other byte order fails the check. */
export const MAGIC_VALUE = 0x474e524d;
export const VERSION_VALUE = 1;

// Word indices into the control block.
export const MAGIC = 0;
export const VERSION = 1;
export const KIND = 2;
export const CAPACITY = 3;
export const START = 4;
/** Kind-specific sizes: bytes of a slot, count of slots or lanes. */
export const SLOT_BYTES = 5;
export const COUNT = 6;
export const TAIL = 32;
export const HEAD = 64;
/** First words of the two wait lines; `wait.ts` defines what follows. */
export const DATA_LINE = 96;
export const SPACE_LINE = 128;
export const PRODUCER_COUNTS = 160;
export const CONSUMER_COUNTS = 192;
/** Token of the handle that owns an end, or 0: in the last word of the counts' lines. */
export const PRODUCER_OWNER = 191;
export const CONSUMER_OWNER = 223;
export const PRODUCER_END = 224;
export const CONSUMER_END = 240;

/** What the data region holds. Values are part of the format. */
export const KIND_BYTES = 1;
export const KIND_SLOTS = 2;
export const KIND_LANES = 3;
export const KIND_BROADCAST = 4;
export const KIND_QUEUE = 5;

export const CAPACITY_MIN = 16;
export const CAPACITY_MAX: number = 2 ** 30;
export const HEADER_BYTES = 4;
export const SKIP = -1;
export const LENGTH_MASK = 0x0fffffff;
export const PAD_SHIFT = 28;
export const PAD_MASK = 7;
export const KIND_SHIFT = 31;

/** Longest payload: half of the capacity less header (and pad), so that it fits at whatever offset. */
export const lengthBytesMaxOf = (capacity: number, alignBytes: number): number =>
  Math.min((capacity >> 1) - alignBytes, LENGTH_MASK - 15);

/** Bytes that a record takes. */
export const recordBytes = (lengthBytes: number, pad: number): number =>
  (lengthBytes + pad + HEADER_BYTES + 3) & -4;

/** Throws unless `value` is a power of two within the limits. */
export function checkCapacity(
  value: number,
  minimum: number = CAPACITY_MIN,
  name: string = 'capacity',
): number {
  if (!(Number.isInteger(value) && value >= minimum && value <= CAPACITY_MAX)) {
    throw new RingRangeError(
      'ERR_RING_CAPACITY',
      `${name} must be an integer from ${minimum} to ${CAPACITY_MAX}: ${name}=${value}`,
    );
  }
  if ((value & (value - 1)) !== 0) {
    throw new RingRangeError(
      'ERR_RING_CAPACITY',
      `${name} must be a power of two: ${name}=${value}`,
    );
  }
  return value;
}

/** Memory in which a ring lives. */
export type RingBuffer = SharedArrayBuffer | ArrayBuffer;

const isMemory = (value: unknown): value is RingBuffer =>
  (typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer) ||
  value instanceof ArrayBuffer;

/** Returns the control words at `byteOffset` after checking that `bytes` bytes lie there. */
export function controlWords(buffer: unknown, byteOffset: number, bytes: number): Int32Array {
  if (!isMemory(buffer)) {
    throw new RingTypeError(
      'ERR_RING_TYPE',
      `buffer must be a SharedArrayBuffer: buffer=${String(buffer)}`,
    );
  }
  if (!(Number.isInteger(byteOffset) && byteOffset >= 0 && byteOffset % LINE_BYTES === 0)) {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `byteOffset must be a multiple of ${LINE_BYTES}: byteOffset=${byteOffset}`,
    );
  }
  if (byteOffset + bytes > buffer.byteLength) {
    throw new RingRangeError(
      'ERR_RING_FORMAT',
      `buffer is too short: ${bytes} bytes needed at byteOffset=${byteOffset}, byteLength=${buffer.byteLength}`,
    );
  }
  return new Int32Array(buffer, byteOffset, CONTROL_WORDS);
}

/** Where the parts of a ring lie; attach builds it. @internal */
export interface EndMemory {
  /** The ring's own control block. */
  readonly words: Int32Array;
  /** The block and line on which the consumer sleeps. */
  readonly dataWords: Int32Array;
  readonly dataLine: number;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  /** In index units: bytes, or slots. */
  readonly capacity: number;
  /** Whether this is one thread's mirror of a ring, kept by messages. */
  readonly local?: boolean;
}

/** Writes the identity line; the magic word last, atomically, so that attach sees all or nothing. */
export function writeIdentity(words: Int32Array, kind: number, fields: readonly number[]): void {
  words[VERSION] = VERSION_VALUE;
  words[KIND] = kind;
  for (let i = 0; i < fields.length; i++) words[CAPACITY + i] = fields[i]!;
  Atomics.store(words, MAGIC, MAGIC_VALUE);
}

/** Throws unless the control block says that it is a block of one of these kinds and of this version. */
export function checkIdentity(words: Int32Array, kinds: readonly number[]): void {
  const magic = Atomics.load(words, MAGIC);
  if (magic !== MAGIC_VALUE) {
    throw new RingTypeError(
      'ERR_RING_FORMAT',
      `memory holds no ring: magic=0x${(magic >>> 0).toString(16)}, expected 0x${MAGIC_VALUE.toString(16)}`,
    );
  }
  if (words[VERSION] !== VERSION_VALUE) {
    throw new RingTypeError(
      'ERR_RING_FORMAT',
      `ring has another format: version=${words[VERSION]}, expected ${VERSION_VALUE}`,
    );
  }
  if (!kinds.includes(words[KIND]!)) {
    throw new RingTypeError(
      'ERR_RING_FORMAT',
      `ring is of another kind: kind=${words[KIND]}, expected ${kinds.join(' or ')}`,
    );
  }
}

/** Writes the control block of an empty ring. @internal */
export function formatRing(
  buffer: SharedArrayBuffer | ArrayBuffer,
  byteOffset: number,
  capacity: number,
  startIndex: number,
): void {
  const words = controlWords(buffer, byteOffset, CONTROL_BYTES + capacity);
  words.fill(0);
  words[TAIL] = startIndex | 0;
  words[HEAD] = startIndex | 0;
  writeIdentity(words, KIND_BYTES, [capacity, startIndex | 0]);
}
