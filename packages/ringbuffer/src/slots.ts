/**
 * A single-producer single-consumer ring of slots of one size, without headers: no overhead in memory, and a
 * record is wherever its index says.
 *
 * ```text
 * byte 0              1024          1024 + slotBytes              1024 + slotCount * slotBytes
 *      +---------------+-------------+-------------+-------------+
 *      | control block | slot 0      | slot 1      | ...         |
 *      +---------------+-------------+-------------+-------------+
 * ```
 * The control block is that of a byte ring (`layout.ts`), but indices count slots. The invariants P1 to P6, C1
 * to C4 and D1 hold with slots in the place of bytes; a slot's offset is (index & (slotCount - 1)) * slotBytes.
 *
 * Cost: as a byte ring, less the header.
 */
import { RingRangeError, RingTypeError } from './errors.ts';
import {
  CAPACITY,
  CONTROL_BYTES,
  checkCapacity,
  controlWords,
  DATA_LINE,
  type EndMemory,
  HEAD,
  KIND_SLOTS,
  SLOT_BYTES,
  TAIL,
  writeIdentity,
} from './layout.ts';
import type { ConsumerOptions, ProducerOptions } from './options.ts';
import { allocate, locationOf, openControl, type Ring, type RingHandle } from './ring.ts';
import { SlotConsumer } from './slot-consumer.ts';
import { SlotProducer } from './slot-producer.ts';

/** Settings of a new slot ring. */
export interface SlotRingOptions {
  /** Slots: a power of two from 1 to 2^30. */
  readonly slotCount: number;
  /** Bytes of a slot: a multiple of 4, so that together they are at most 2^30. */
  readonly slotBytes: number;
  /** Memory to use instead of new memory. */
  readonly buffer?: SharedArrayBuffer;
  /**
   * Where to begin in `buffer` (bytes, a multiple of 128).
   *
   * @defaultValue 0
   */
  readonly byteOffset?: number;
  /**
   * Index at which traffic begins. For tests: close to 2^31 or 2^32, wrapping shows at once.
   *
   * @defaultValue 0
   */
  readonly startIndex?: number;
}

/**
 * Creates a ring of slots of one size for one producer and one consumer.
 *
 * @throws {RingRangeError} If `slotCount` is no power of two, or `slotBytes` no multiple of 4.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachSlotConsumer, attachSlotProducer, createSlotRing } from '@millrace/ringbuffer';
 *
 * const { handle } = createSlotRing({ slotCount: 1024, slotBytes: 8 });
 * const producer = attachSlotProducer(handle);
 * const samples = new Float64Array(producer.bytes.buffer, producer.bytes.byteOffset);
 * const start = producer.claim();
 * samples[start / 8] = 0.5;
 * producer.commit();
 *
 * const consumer = attachSlotConsumer(handle);
 * consumer.drain((bytes, start) => assert.equal(samples[start / 8], 0.5));
 * ```
 */
export function createSlotRing(options: SlotRingOptions): Ring {
  const { slotCount, slotBytes, byteOffset = 0, startIndex = 0 } = options;
  checkCapacity(slotCount, 1, 'slotCount');
  const bytes = slotCount * slotBytes;
  if (!(Number.isInteger(slotBytes) && slotBytes > 0 && slotBytes % 4 === 0 && bytes <= 2 ** 30)) {
    throw new RingRangeError(
      'ERR_RING_CAPACITY',
      `slotBytes must be a multiple of 4, and slotCount * slotBytes at most ${2 ** 30}: slotBytes=${slotBytes}, slotCount=${slotCount}`,
    );
  }
  const buffer = options.buffer ?? allocate(byteOffset + CONTROL_BYTES + bytes);
  const words = controlWords(buffer, byteOffset, CONTROL_BYTES + bytes);
  words.fill(0);
  words[TAIL] = startIndex | 0;
  words[HEAD] = startIndex | 0;
  writeIdentity(words, KIND_SLOTS, [slotCount, startIndex | 0, slotBytes]);
  return { handle: { buffer, byteOffset }, capacity: slotCount };
}

function openSlotRing(handle: RingHandle | SharedArrayBuffer): EndMemory & { slotBytes: number } {
  const { buffer, byteOffset } = locationOf(handle);
  const words = openControl(handle, [KIND_SLOTS]);
  const capacity = words[CAPACITY]!;
  const slotBytes = words[SLOT_BYTES]!;
  const sound = capacity > 0 && (capacity & (capacity - 1)) === 0 && slotBytes > 0;
  if (!sound || slotBytes % 4 !== 0) {
    throw new RingTypeError(
      'ERR_RING_FORMAT',
      `control block is damaged: slotCount=${capacity}, slotBytes=${slotBytes}`,
    );
  }
  controlWords(buffer, byteOffset, CONTROL_BYTES + capacity * slotBytes);
  return { words, dataWords: words, dataLine: DATA_LINE, buffer, byteOffset, capacity, slotBytes };
}

/**
 * Attaches to the producing end of a slot ring.
 *
 * @throws {RingTypeError} If the memory holds no slot ring of this version.
 */
export function attachSlotProducer(
  handle: RingHandle | SharedArrayBuffer,
  options: Omit<ProducerOptions, 'alignBytes'> = {},
): SlotProducer {
  const memory = openSlotRing(handle);
  return new SlotProducer(memory, options, memory.slotBytes);
}

/**
 * Attaches to the consuming end of a slot ring.
 *
 * @throws {RingTypeError} If the memory holds no slot ring of this version.
 */
export function attachSlotConsumer(
  handle: RingHandle | SharedArrayBuffer,
  options: ConsumerOptions = {},
): SlotConsumer {
  const memory = openSlotRing(handle);
  return new SlotConsumer(memory, options, memory.slotBytes);
}
