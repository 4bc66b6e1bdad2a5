/**
 * The producing end of a single-producer single-consumer byte ring: placing and copying records.
 *
 * The algorithm is Lamport's SPSC queue (1977) on byte indices, with the consumer's index cached as in Lee, Bu
 * and Chandranmenon's MCRingBuffer (2010) and with batched publication. Layout: `layout.ts`; publication,
 * waiting and the invariants P1 to P7: `producer-end.ts` and `writer.ts`.
 *
 * Cost: `tryPush` is O(length), `claim` and `commit` O(1), without allocation. Published `each`, a record costs
 * one Atomics.store and one Atomics.load more, about as much as the copy of a small record itself.
 */
import {
  type CopyPlan,
  copyBulk,
  copyBytes,
  copyPlan,
  copyWords,
  NO_WORDS,
  wordsOf,
} from './copy.ts';
import { RingRangeError, RingTypeError } from './errors.ts';
import {
  CONTROL_BYTES,
  type EndMemory,
  HEADER_BYTES,
  KIND_SHIFT,
  LENGTH_MASK,
  lengthBytesMaxOf,
  PAD_MASK,
  PAD_SHIFT,
  recordBytes,
  SKIP,
} from './layout.ts';
import type { ProducerOptions } from './options.ts';
import { NEVER, ProducerEnd } from './producer-end.ts';
import { OPEN } from './writer.ts';

/** Results of `alignmentOf`, apart from 0 to 7. */
const BY_WORDS = -1;
const BY_BYTES = -2;

/**
 * Writes records into a ring. Get one from {@link attachProducer}.
 *
 * Concurrency: one producer per ring, used by one thread; the consumer may do anything meanwhile (scenarios
 * `SPSC 6 pushes x 8 pops` and `SPSC consumer killed at any point`).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, attachProducer, createRing } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing({ capacity: 1024 });
 * const producer = attachProducer(handle);
 * const start = producer.claim(100); // room for up to 100 bytes, or -1
 * producer.bytes.set([7, 8, 9], start);
 * producer.commit(3);
 * assert.deepEqual(attachConsumer(handle).tryPop(), Uint8Array.of(7, 8, 9));
 * ```
 */
export class RingProducer extends ProducerEnd {
  /** The data of the ring, for writing between `claim` and `commit`. Borrowed: only the claimed range is yours. */
  declare readonly bytes: Uint8Array;
  /** Longest record (bytes). */
  declare readonly lengthBytesMax: number;

  /** @internal */ declare readonly data: Int32Array;
  /** Longest payload that a record can have, a lane's sequence number included. @internal */
  declare readonly payloadMax: number;
  /** @internal */ declare readonly plan: CopyPlan;
  /** @internal */ declare readonly alignMask: number;
  /** Longest payload that may be placed with a pad of up to 7 bytes. @internal */
  declare readonly coalignMax: number;
  /** Longest payload for which `tryPush` has words in its first lines. @internal */
  declare readonly shortMax: number;
  /** Whole sources longer than this are copied by `set`. @internal */
  declare readonly wholeMin: number;
  /** @internal */ declare readonly wordsMax: number;
  /** @internal */ declare readonly bytesMax: number;
  /** @internal */ source: Uint8Array | undefined;
  /** @internal */ sourceWords: Int32Array = NO_WORDS;
  /** @internal */ sourceBase = 0;
  /** @internal */ sourceLength = 0;
  /** The last source that was copied by `set`, and its address modulo 8. @internal */
  whole: Uint8Array | undefined;
  /** @internal */ wholeAlign = 0;
  /** The bytes from the tail up to this index are known to be free, and don't wrap: P3. @internal */
  declare runEnd: number;

  /** @internal */
  constructor(memory: EndMemory, options: ProducerOptions, prefixBytes: number = 0) {
    super(memory, options, 1);
    const { buffer, byteOffset, capacity } = memory;
    this.bytes = new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity);
    this.data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2);
    const alignBytes = options.alignBytes ?? 4;
    if (alignBytes !== 4 && alignBytes !== 8) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `alignBytes must be 4 or 8: alignBytes=${alignBytes}`,
      );
    }
    this.alignMask = alignBytes & 4 ? 0 : 4;
    this.payloadMax = lengthBytesMaxOf(capacity, alignBytes);
    this.lengthBytesMax = this.payloadMax - prefixBytes;
    this.plan = copyPlan(options.copy ?? 'auto');
    this.wordsMax = this.plan.wordsMax;
    this.bytesMax = this.plan.bytesMax;
    this.coalignMax = alignBytes === 4 ? (capacity >> 1) - 12 : -1;
    this.wholeMin = alignBytes === 4 ? this.plan.wholeMin : NEVER;
    this.shortMax = Math.min(this.plan.wordsMax, this.wholeMin);
    this.runEnd = this.tail;
  }

  /**
   * Appends a copy of `source[start, end)` as one record.
   *
   * Cost: O(end - start), no allocation.
   *
   * @param source - bytes to copy; keep passing the same array where you can, its views are cached
   * @param start - first byte (index, included)
   * @param end - end (index, excluded)
   * @param kind - one bit that travels with the record (0 or 1)
   * @returns whether it was appended; false when the ring is full, or while an earlier `push` waits
   * @throws {RingRangeError} If the range is outside `source` or longer than `lengthBytesMax`.
   * @throws {RingClosedError} If either end is closed.
   */
  tryPush(source: Uint8Array, start = 0, end: number = source.length, kind = 0): boolean {
    // The common case, short enough for engines to inline it: few bytes of an aligned array that was used before.
    const length = end - start;
    if (
      source !== this.source ||
      this.state !== OPEN ||
      length > this.shortMax ||
      (start | 0) !== start ||
      (end | 0) !== end ||
      (start | length | (this.sourceLength - end)) < 0 || // one is negative
      ((this.sourceBase + start) & 3) !== 0
    ) {
      return this.tryPushWhole(source, start, end, kind);
    }
    const offset = this.tail & this.mask;
    const pad = (0 - offset - HEADER_BYTES) & this.alignMask;
    const size = (length + pad + 7) & -4;
    if (((this.runEnd - this.tail) | 0) < size) {
      return this.tryPushSlowly(source, start, end, kind); // P3
    }
    this.data[offset >> 2] = length | (pad << PAD_SHIFT) | (kind << KIND_SHIFT);
    const to = (offset + HEADER_BYTES + pad) | 0;
    // The words of a detached source are empty, so nothing foreign is read.
    copyWords(this.sourceWords, (this.sourceBase + start) >> 2, this.data, to >> 2, length >> 2);
    const rest = length & 3;
    if (rest !== 0) copyBytes(source, end - rest, this.bytes, to + length - rest, rest);
    this.advance(size);
    return true;
  }

  /** The other common case: a whole array that was used before, by `set`. */
  private tryPushWhole(source: Uint8Array, start: number, end: number, kind: number): boolean {
    const length = end - start;
    if (
      source === this.whole &&
      start === 0 &&
      length > this.shortMax &&
      length === source.length && // not if it has been detached or resized
      this.state === OPEN
    ) {
      const offset = this.tail & this.mask;
      const pad = (this.wholeAlign - offset - HEADER_BYTES) & PAD_MASK;
      const size = (length + pad + 7) & -4;
      if (((this.runEnd - this.tail) | 0) >= size) {
        this.data[offset >> 2] = length | (pad << PAD_SHIFT) | (kind << KIND_SHIFT); // P3
        this.bytes.set(source, (offset + HEADER_BYTES + pad) | 0);
        this.advance(size);
        return true;
      }
    }
    return this.tryPushSlowly(source, start, end, kind);
  }

  /** Moves the tail behind a record that has been written. */
  private advance(size: number): void {
    const next = (this.tail + size) | 0;
    this.tail = next;
    this.pushed++;
    if (((next - this.published) | 0) > this.threshold) this.due();
  }

  private tryPushSlowly(source: Uint8Array, start: number, end: number, kind: number): boolean {
    if (this.state !== OPEN && !this.admits()) return false;
    const length = end - start;
    if (
      (start | 0) !== start ||
      (end | 0) !== end ||
      start < 0 ||
      length < 0 ||
      end > source.length ||
      length > this.payloadMax
    ) {
      this.refuseRange(source, start, end);
    }
    if (this.append(source, start, length, kind)) return true;
    if (this.full === 'drop-newest') this.dropped++;
    return false;
  }

  /** Places, copies and publishes one record; false when there is no room. The range has been checked. @internal */
  append(source: Uint8Array, start: number, length: number, kind: number): boolean {
    const sourceAlign = this.alignmentOf(source, start, length);
    const total = this.extent(length, sourceAlign);
    if (((this.capacity - (this.tail - this.headSeen)) | 0) < total && !this.hasRoom(total)) {
      return false;
    }
    const offset = this.skipTo(total);
    this.measureRun();
    const pad = this.padAt(offset, sourceAlign);
    this.data[offset >> 2] = length | (pad << PAD_SHIFT) | (kind << KIND_SHIFT);
    const to = offset + HEADER_BYTES + pad;
    if (sourceAlign === BY_WORDS) {
      const count = length >> 2;
      copyWords(this.sourceWords, (this.sourceBase + start) >> 2, this.data, to >> 2, count);
      const done = count << 2;
      copyBytes(source, start + done, this.bytes, to + done, length - done);
    } else if (length <= this.bytesMax) {
      copyBytes(source, start, this.bytes, to, length);
    } else {
      copyBulk(this.plan, source, start, this.bytes, to, length);
    }
    this.advance(recordBytes(length, pad));
    return true;
  }

  /** Finds out how far the tail may go without another look at the head, or at the end of the data. */
  private measureRun(): void {
    const free = (this.capacity - (this.tail - this.headSeen)) | 0;
    const room = this.capacity - (this.tail & this.mask);
    this.runEnd = (this.tail + Math.min(free, room)) | 0;
  }

  /** Moves the tail over the rest of the data if a record of that extent doesn't fit there. */
  private skipTo(total: number): number {
    const offset = this.tail & this.mask;
    const room = this.capacity - offset;
    if (total <= room) return offset;
    this.data[offset >> 2] = SKIP; // L2
    this.tail = (this.tail + room) | 0;
    return 0;
  }

  /**
   * Reserves contiguous space for one record, to be written in place in `bytes`.
   *
   * Cost: O(1), no allocation.
   *
   * @param lengthBytes - most bytes that the record will have (0 to `lengthBytesMax`)
   * @param kind - one bit that travels with the record (0 or 1)
   * @returns the index in `bytes` at which to write, a multiple of `alignBytes`; -1 when the ring is full
   * @throws {RingRangeError} If `lengthBytes` is out of range.
   * @throws {RingStateError} If a claim is open already.
   * @throws {RingClosedError} If either end is closed.
   */
  claim(lengthBytes: number, kind = 0): number {
    if (this.state !== OPEN && !this.admits()) return -1;
    if ((lengthBytes | 0) !== lengthBytes || lengthBytes < 0 || lengthBytes > this.payloadMax) {
      this.refuseLength(lengthBytes);
    }
    const { data, tail } = this;
    let offset = tail & this.mask;
    let pad = (0 - offset - HEADER_BYTES) & this.alignMask;
    let size = (lengthBytes + pad + 7) & -4;
    if (((this.runEnd - tail) | 0) < size) {
      const room = this.capacity - offset;
      const total = size <= room ? size : room + recordBytes(lengthBytes, this.alignMask);
      if (((this.capacity - (tail - this.headSeen)) | 0) < total && !this.hasRoom(total)) {
        return -1;
      }
      offset = this.skipTo(total);
      this.measureRun();
      pad = (0 - offset - HEADER_BYTES) & this.alignMask;
      size = (this.tail - tail + ((lengthBytes + pad + 7) & -4)) | 0; // with the skip
      this.tail = tail;
    }
    data[offset >> 2] = lengthBytes | (pad << PAD_SHIFT) | (kind << KIND_SHIFT);
    this.state = size; // P1
    return (offset + HEADER_BYTES + pad) | 0;
  }

  /**
   * Makes the claimed space a record.
   *
   * @param lengthBytes - its final length (0 to the claimed length); -1 for the claimed length
   * @throws {RingStateError} If nothing is claimed.
   * @throws {RingRangeError} If `lengthBytes` is more than was claimed; the claim stays open.
   */
  commit(lengthBytes = -1): void {
    if (this.state <= OPEN) this.refuseOrder('commit');
    if (lengthBytes !== -1) this.shorten(lengthBytes);
    const next = (this.tail + this.state) | 0;
    this.tail = next;
    this.state = OPEN;
    this.pushed++;
    if (((next - this.published) | 0) > this.threshold) this.due();
  }

  override abort(): void {
    super.abort();
    this.runEnd = this.tail; // the run may have begun behind a skip that is gone
  }

  /** Gives back what the claimed record doesn't need. @internal */
  shorten(lengthBytes: number): void {
    const { data, mask } = this;
    const index = this.claimedIndex();
    const at = (index & mask) >> 2;
    const header = data[at]!;
    const claimed = header & LENGTH_MASK;
    if ((lengthBytes | 0) !== lengthBytes || lengthBytes < 0 || lengthBytes > claimed) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `lengthBytes must be an integer from 0 to the ${claimed} claimed: lengthBytes=${lengthBytes}`,
      );
    }
    data[at] = (header & ~LENGTH_MASK) | lengthBytes;
    const end = index + recordBytes(lengthBytes, (header >>> PAD_SHIFT) & PAD_MASK);
    this.state = (end - this.tail) | 0;
  }

  /** Index of the claimed record's header. @internal */
  claimedIndex(): number {
    const { tail } = this;
    const offset = tail & this.mask;
    return this.data[offset >> 2] === SKIP ? (tail + this.capacity - offset) | 0 : tail;
  }

  /**
   * Appends a record per source, all or none, and publishes them together.
   *
   * Cost: O(bytes).
   *
   * @param sources - one array per record
   * @param kind - one bit that travels with each of them (0 or 1)
   * @returns whether they were appended; false when they don't all fit now
   * @throws {RingRangeError} If one is longer than `lengthBytesMax`, or all, with the longest counted twice, are
   * larger than the ring.
   * @throws {RingClosedError} If either end is closed.
   */
  tryPushMany(sources: readonly Uint8Array[], kind = 0): boolean {
    if (this.state !== OPEN && !this.admits()) return false;
    const total = this.extentOf(sources);
    if (((this.capacity - (this.tail - this.headSeen)) | 0) < total && !this.hasRoom(total)) {
      if (this.full === 'drop-newest') this.dropped += sources.length;
      return false;
    }
    const { threshold } = this;
    this.threshold = NEVER;
    try {
      for (const source of sources) this.append(source, 0, source.length, kind);
    } finally {
      this.threshold = threshold;
    }
    if (((this.tail - this.published) | 0) > threshold) this.due();
    return true;
  }

  /** Bytes that the records would take from the tail on, skips included; places them as `append` will. @internal */
  extentOf(sources: readonly Uint8Array[]): number {
    this.checkTogether(sources, 0);
    let extent = 0;
    for (const source of sources) {
      extent += this.extentFor(source, 0, source.length, (this.tail + extent) | 0);
    }
    return extent;
  }

  /** Bytes that one record would take when placed at the index. @internal */
  extentFor(source: Uint8Array, start: number, length: number, at: number = this.tail): number {
    return this.extent(length, this.alignmentOf(source, start, length), at);
  }

  /** Which address, modulo 8, the payload should agree with; BY_WORDS or BY_BYTES when none matters. */
  private alignmentOf(source: Uint8Array, start: number, length: number): number {
    if (source !== this.source && source !== this.whole) checkSource(source);
    const { plan } = this;
    const isWhole = length > this.wholeMin && length <= plan.wholeMax && length === source.length;
    if (!isWhole && length <= this.wordsMax && (source === this.source || this.adopt(source))) {
      if (((this.sourceBase + start) & 3) === 0) return BY_WORDS;
    }
    if (length <= this.bytesMax || length > this.coalignMax) return BY_BYTES;
    if (!isWhole) return plan.coalign ? (source.byteOffset + start) & 7 : BY_BYTES;
    this.whole = source;
    this.wholeAlign = source.byteOffset & 7;
    return this.wholeAlign;
  }

  /** Bytes that a record takes when placed at the index, skip included. @internal */
  extent(length: number, sourceAlign: number = BY_BYTES, at: number = this.tail): number {
    if (!(length >= 0 && length <= this.payloadMax)) this.refuseLength(length);
    const offset = at & this.mask;
    const room = this.capacity - offset;
    const size = recordBytes(length, this.padAt(offset, sourceAlign));
    return size <= room ? size : room + recordBytes(length, this.padAt(0, sourceAlign));
  }

  /** Bytes that are pushed and not released by the consumer, as far as is known (0 to `capacity`). */
  get usedBytes(): number {
    return this.capacity - this.free();
  }

  /** Bytes free for records and their headers, as far as is known (0 to `capacity`). */
  get freeBytes(): number {
    return this.free();
  }

  /** Pad before the payload of a record at this offset, for a source of this alignment, or -1 for none. */
  private padAt(offset: number, sourceAlign: number): number {
    return sourceAlign < 0
      ? (0 - offset - HEADER_BYTES) & this.alignMask
      : (sourceAlign - offset - HEADER_BYTES) & PAD_MASK;
  }

  /** Derives words of the source, once per array, as that costs more than a small copy; false if it can't. */
  private adopt(source: Uint8Array): boolean {
    const words = wordsOf(source);
    if (words === NO_WORDS) return false;
    this.source = source;
    this.sourceWords = words;
    this.sourceBase = source.byteOffset & 3;
    this.sourceLength = source.length;
    return true;
  }

  /**
   * Throws unless the records would fit an empty ring together wherever its tail is: a skip is shorter than the
   * longest of them.
   * @internal
   */
  checkTogether(sources: readonly Uint8Array[], prefixBytes: number): void {
    let sum = 0;
    let longest = 0;
    for (const source of sources) {
      if (source.length > this.lengthBytesMax) this.refuseRange(source, 0, source.length);
      const size = recordBytes(source.length + prefixBytes, PAD_MASK);
      sum += size;
      longest = Math.max(longest, size);
    }
    if (sources.length < 2 || sum + longest - HEADER_BYTES <= this.capacity) return;
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `sources, and the longest once more, must fit the ring together: count=${sources.length}, bytes=${sum}, longest=${longest}, capacity=${this.capacity}`,
    );
  }

  /** @internal */
  refuseLength(lengthBytes: number): never {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `lengthBytes must be an integer from 0 to ${this.lengthBytesMax}: lengthBytes=${lengthBytes}`,
    );
  }

  /** @internal */
  refuseRange(source: Uint8Array, start: number, end: number): never {
    checkSource(source);
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `start and end must lie in the source and be at most ${this.lengthBytesMax} apart: ` +
        `start=${start}, end=${end}, length=${source.length}`,
    );
  }
}

function checkSource(source: unknown): void {
  if (source instanceof Uint8Array) return;
  throw new RingTypeError(
    'ERR_RING_TYPE',
    `source must be a Uint8Array: source=${Object.prototype.toString.call(source)}`,
  );
}
