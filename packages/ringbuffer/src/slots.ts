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
import { ConsumerEnd } from './consumer-end.ts';
import {
  type CopyPlan,
  copyBulk,
  copyBytes,
  copyPlan,
  copyWords,
  NO_WORDS,
  wordsOf,
} from './copy.ts';
import { DRAIN_ABORT, DRAIN_STOP, type DrainCallback } from './drain.ts';
import { RingRangeError, RingTypeError } from './errors.ts';
import {
  CAPACITY,
  CONTROL_BYTES,
  checkCapacity,
  controlWords,
  DATA_LINE,
  HEAD,
  KIND_SLOTS,
  SLOT_BYTES,
  TAIL,
  writeIdentity,
} from './layout.ts';
import type { ConsumerOptions, ProducerOptions } from './options.ts';
import { CLAIMED, type EndMemory, NEVER, OPEN, ProducerEnd } from './producer-end.ts';
import { allocate, locationOf, openControl, type Ring, type RingHandle } from './ring.ts';

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

/** Writes slots. Get one from {@link attachSlotProducer}. Its waits and its end work as those of a `RingProducer`. */
export class SlotProducer extends ProducerEnd {
  /** The slots, for writing between `claim` and `commit`. Borrowed: only the claimed slot is yours. */
  declare readonly bytes: Uint8Array;
  /** Bytes of a slot. */
  declare readonly slotBytes: number;
  /** @internal */ declare readonly data: Int32Array;
  /** @internal */ declare readonly plan: CopyPlan;
  /** @internal */ source: Uint8Array | undefined;
  /** @internal */ sourceWords: Int32Array = NO_WORDS;

  /** @internal */
  constructor(memory: EndMemory, options: ProducerOptions, slotBytes: number) {
    super(memory, options, slotBytes);
    const { buffer, byteOffset, capacity } = memory;
    this.bytes = new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity * slotBytes);
    this.data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, (capacity * slotBytes) >> 2);
    this.slotBytes = slotBytes;
    this.plan = copyPlan(options.copy ?? 'auto');
  }

  /**
   * Fills the next slot with `source[start, start + slotBytes)`.
   *
   * Cost: O(slotBytes), no allocation.
   *
   * @param source - bytes to copy
   * @param start - first byte (index, included)
   * @param end - must be `start + slotBytes`
   * @returns whether there was a free slot
   * @throws {RingRangeError} If the range isn't `slotBytes` long or lies outside `source`.
   * @throws {RingClosedError} If either end is closed.
   */
  tryPush(source: Uint8Array, start = 0, end: number = start + this.slotBytes): boolean {
    if (this.state !== OPEN && !this.admits()) return false;
    const { slotBytes } = this;
    if ((start | 0) !== start || start < 0 || end - start !== slotBytes || end > source.length) {
      this.refuseSlot(source, start, end);
    }
    if (((this.tail - this.headSeen) | 0) >= this.capacity && !this.hasRoom(1)) {
      if (this.full === 'drop-newest') this.dropped++;
      return false;
    }
    this.put(source, start);
    if (((this.tail - this.published) | 0) > this.threshold) this.due();
    return true;
  }

  private put(source: Uint8Array, start: number): void {
    const { slotBytes, plan } = this;
    const to = (this.tail & this.mask) * slotBytes;
    if (slotBytes <= plan.wordsMax && source !== this.source) {
      this.sourceWords = wordsOf(source);
      this.source = source;
    }
    const base = source.byteOffset;
    if (slotBytes <= plan.wordsMax && ((base + start) & 3) === 0 && this.sourceWords !== NO_WORDS) {
      copyWords(this.sourceWords, ((base & 3) + start) >> 2, this.data, to >> 2, slotBytes >> 2);
    } else if (slotBytes <= plan.bytesMax) {
      copyBytes(source, start, this.bytes, to, slotBytes);
    } else {
      copyBulk(plan, source, start, this.bytes, to, slotBytes);
    }
    this.tail = (this.tail + 1) | 0;
    this.pushed++;
  }

  /**
   * Fills a slot per source, all or none, and publishes them together.
   *
   * @returns whether there were enough free slots
   * @throws {RingRangeError} If one isn't `slotBytes` long, or there are more sources than slots.
   * @throws {RingClosedError} If either end is closed.
   */
  tryPushMany(sources: readonly Uint8Array[]): boolean {
    if (this.state !== OPEN && !this.admits()) return false;
    const total = this.extentOf(sources);
    if (!(((this.capacity - (this.tail - this.headSeen)) | 0) >= total || this.hasRoom(total))) {
      if (this.full === 'drop-newest') this.dropped += total;
      return false;
    }
    const { threshold } = this;
    this.threshold = NEVER;
    for (const source of sources) this.put(source, 0);
    this.threshold = threshold;
    if (((this.tail - this.published) | 0) > threshold) this.due();
    return true;
  }

  /**
   * Reserves the next slot, to be written in place in `bytes`.
   *
   * @returns the index in `bytes` at which it begins, a multiple of `slotBytes`; -1 when the ring is full
   * @throws {RingStateError} If a claim is open already.
   * @throws {RingClosedError} If either end is closed.
   */
  claim(): number {
    if (this.state !== OPEN && !this.admits()) return -1;
    const { tail } = this;
    if (((tail - this.headSeen) | 0) >= this.capacity && !this.hasRoom(1)) return -1;
    this.claimedFrom = tail;
    this.tail = (tail + 1) | 0; // not published before commit: P1
    this.state = CLAIMED;
    return (tail & this.mask) * this.slotBytes;
  }

  /**
   * Makes the claimed slot a record.
   *
   * @throws {RingStateError} If nothing is claimed.
   */
  commit(): void {
    if (this.state !== CLAIMED) this.refuseOrder('commit');
    this.state = OPEN;
    this.pushed++;
    if (((this.tail - this.published) | 0) > this.threshold) this.due();
  }

  /** Slots that are free, as far as is known (0 to `capacity`). */
  get freeCount(): number {
    return this.free();
  }

  /** @internal */
  extent(): number {
    return 1;
  }

  /** @internal */
  extentFor(source: Uint8Array, start: number, length: number): number {
    if (length !== this.slotBytes) this.refuseSlot(source, start, start + length);
    return 1;
  }

  /** @internal */
  extentOf(sources: readonly Uint8Array[]): number {
    for (const source of sources) {
      if (source.length !== this.slotBytes) this.refuseSlot(source, 0, source.length);
    }
    if (sources.length > this.capacity) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `sources must fit the ring together: count=${sources.length}, slotCount=${this.capacity}`,
      );
    }
    return sources.length;
  }

  private refuseSlot(source: Uint8Array, start: number, end: number): never {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `start and end must lie in the source, ${this.slotBytes} bytes apart: start=${start}, end=${end}, length=${source.length}`,
    );
  }
}

/** Reads slots. Get one from {@link attachSlotConsumer}. Its waits and its end work as those of a `RingConsumer`. */
export class SlotConsumer extends ConsumerEnd {
  /** The slots. Borrowed: of them only what `peek` or `drain` has handed out. */
  declare readonly bytes: Uint8Array;
  /** Bytes of a slot. */
  declare readonly slotBytes: number;
  /** @internal */ declare readonly data: Int32Array;
  /** @internal */ declare readonly plan: CopyPlan;
  /** @internal */ target: Uint8Array | undefined;
  /** @internal */ targetWords: Int32Array = NO_WORDS;

  /** @internal */
  constructor(memory: EndMemory, options: ConsumerOptions, slotBytes: number) {
    super(memory, options, slotBytes);
    const { buffer, byteOffset, capacity } = memory;
    this.bytes = new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity * slotBytes);
    this.data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, (capacity * slotBytes) >> 2);
    this.slotBytes = slotBytes;
    this.plan = copyPlan(options.copy ?? 'auto');
  }

  /**
   * Takes the oldest slot as a copy of its own.
   *
   * @returns its bytes (owned), or undefined when the ring is empty
   */
  tryPop(): Uint8Array | undefined {
    const copy = new Uint8Array(this.slotBytes);
    return this.tryPopInto(copy) < 0 ? undefined : copy;
  }

  /**
   * Takes the oldest slot by copying it into `target`.
   *
   * Cost: O(slotBytes), no allocation.
   *
   * @param target - where to copy to
   * @param offset - where in `target` (index, included)
   * @returns `slotBytes`, or -1 when the ring is empty
   * @throws {RingRangeError} If it doesn't fit; it stays in the ring.
   */
  tryPopInto(target: Uint8Array, offset = 0): number {
    if (this.held !== 0 || this.draining) this.refuseHeld('tryPopInto');
    const { slotBytes, plan } = this;
    const from = this.locate(this.head);
    if (from < 0) return -1;
    if ((offset | 0) !== offset || offset < 0 || slotBytes > target.length - offset) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `target is too short for a slot: offset=${offset}, length=${target.length}, slotBytes=${slotBytes}`,
      );
    }
    if (slotBytes <= plan.wordsMax && target !== this.target) {
      this.targetWords = wordsOf(target);
      this.target = target;
    }
    const base = target.byteOffset;
    if (
      slotBytes <= plan.wordsMax &&
      ((base + offset) & 3) === 0 &&
      this.targetWords !== NO_WORDS
    ) {
      const to = ((base & 3) + offset) >> 2;
      copyWords(this.data, from >> 2, this.targetWords, to, slotBytes >> 2);
    } else if (slotBytes <= plan.bytesMax) {
      copyBytes(this.bytes, from, target, offset, slotBytes);
    } else {
      copyBulk(plan, this.bytes, from, target, offset, slotBytes);
    }
    this.take();
    return slotBytes;
  }

  /**
   * Hands out slots in place, oldest first, and releases them; as `RingConsumer.drain`.
   *
   * @param callback - called per slot with borrowed bytes
   * @param limit - most slots (count, 0 or more)
   * @returns how many were taken
   */
  drain(callback: DrainCallback, limit: number = NEVER): number {
    if (this.held !== 0 || this.draining) this.refuseHeld('drain');
    this.loadTail();
    const { bytes, mask, slotBytes, drainBytes, tailSeen } = this;
    let { head } = this;
    let after = head;
    let count = 0;
    this.draining = true;
    try {
      while (count < limit && head !== tailSeen) {
        const start = (head & mask) * slotBytes;
        after = (head + 1) | 0;
        const result = callback(bytes, start, start + slotBytes, 0);
        if (result === DRAIN_ABORT) {
          after = head;
          break;
        }
        if (this.debug) this.poison(head, 1);
        head = after;
        count++;
        if (result === DRAIN_STOP) break;
        if (((head - this.released) | 0) > drainBytes) {
          this.head = head;
          this.publish();
        }
      }
    } finally {
      this.draining = false;
      if (after !== head) count++; // the callback has thrown: its slot is taken
      this.head = after;
      this.popped += count;
      if (after !== this.released) this.publish();
    }
    return count;
  }

  /** Slots that are published and haven't been taken (0 to `capacity`). */
  get availableCount(): number {
    return this.available();
  }

  /** @internal */
  locate(at: number): number {
    if (at === this.tailSeen) {
      this.loadTail();
      if (at === this.tailSeen) {
        if (this.head !== this.released) this.publish(); // never sit on space while empty
        return -1;
      }
    }
    this.locatedAfter = (at + 1) | 0;
    const from = (at & this.mask) * this.slotBytes;
    this.locatedEnd = from + this.slotBytes;
    return from;
  }

  /** @internal */
  poison(index: number, size: number): void {
    for (let i = 0; i < size; i++) {
      const from = ((index + i) & this.mask) * this.slotBytes;
      this.bytes.fill(0xdb, from, from + this.slotBytes);
    }
  }
}
