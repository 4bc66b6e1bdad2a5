/**
 * The producing end of a single-producer single-consumer byte ring.
 *
 * The algorithm is Lamport's SPSC queue (1977) on byte indices, with the consumer's index cached as in
 * Lee, Bu and Chandranmenon's MCRingBuffer (2010) and with batched publication. Layout: `layout.ts`.
 *
 * P1: bytes in [published, tail) are private to this thread; the consumer never reads behind the published tail.
 * P2: a record is written completely before the `Atomics.store` of a tail behind it, so the consumer, which
 *     loads the tail by `Atomics.load`, reads it without a race.
 * P3: `headSeen` is a head that the consumer stored earlier; heads only advance, so space computed from it is
 *     really free. It is loaded again only when it doesn't suffice.
 * P4: a publication is followed by a load of the data line's flag, so a consumer that is going to sleep either
 *     sees the new tail or is woken (W1 in `wait.ts`).
 * P5: a killed producer leaves the published tail at the end of a whole record: nothing to repair.
 *
 * Threads: all methods belong to one thread, the producer's.
 * Cost: `tryPush` is O(length), without allocation; published `each` costs one Atomics.store and one
 * Atomics.load more per record, about as much as the copy of a small record itself.
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
import { COUNT_WORDS, storeCount } from './counts.ts';
import { readEnd } from './ends.ts';
import { RingClosedError, RingRangeError, RingStateError, RingTypeError } from './errors.ts';
import {
  CONSUMER_END,
  CONTROL_BYTES,
  HEAD,
  HEADER_BYTES,
  KIND_SHIFT,
  lengthBytesMaxOf,
  PAD_MASK,
  PAD_SHIFT,
  PRODUCER_COUNTS,
  PRODUCER_END,
  recordBytes,
  SKIP,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import type { FullPolicy, ProducerOptions } from './options.ts';
import { checkOwner, claimOwner, type Owner } from './owner.ts';
import { FLAG, FLAG_ENDED, TARGET, Waiter, wake } from './wait.ts';

/** States of a producer. Anything but OPEN makes the entry points look closer. */
export const OPEN = 0;
export const CLAIMED = 1;
/** An earlier asynchronous push waits for room, and must stay first. */
export const QUEUED = 2;
export const ENDED = 3;

const NEVER = 0x7fffffff;

/** The memory that a producer works on; `attachProducer` builds it. @internal */
export interface ProducerMemory {
  readonly words: Int32Array;
  readonly dataWords: Int32Array;
  readonly dataLine: number;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly capacity: number;
}

/**
 * The synchronous half of a producer: placing, copying and publishing records. Use {@link RingProducer}.
 */
export class ProducerCore {
  /** The data of the ring, for writing between `claim` and `commit`. Borrowed: only the claimed range is yours. */
  readonly bytes: Uint8Array;
  /** Bytes of the ring, headers included (a power of two). */
  readonly capacity: number;
  /** Longest record (bytes). */
  readonly lengthBytesMax: number;
  /** Records refused by the policy `drop-newest` so far (count). */
  dropped = 0;
  /** Records pushed so far (count). */
  pushed = 0;

  /** @internal */ readonly words: Int32Array;
  /** @internal */ readonly dataWords: Int32Array;
  /** @internal */ readonly dataLine: number;
  /** @internal */ readonly data: Int32Array;
  /** @internal */ readonly mask: number;
  /** @internal */ readonly plan: CopyPlan;
  /** @internal */ readonly alignMask: number;
  /** @internal */ readonly coalignMax: number;
  /** @internal */ readonly wordsMax: number;
  /** @internal */ readonly bytesMax: number;
  /** @internal */ readonly full: FullPolicy;
  /** @internal */ readonly waiter: Waiter;
  /** @internal */ owner: Owner | undefined;
  /** @internal */ bell: (() => void) | undefined;

  /** @internal */ state: number = OPEN;
  /** @internal */ tail: number;
  /** @internal */ published: number;
  /** @internal */ headSeen: number;
  /** @internal */ countedAt: number;
  /** @internal */ threshold: number;
  /** @internal */ readonly thresholdOpen: number;
  /** @internal */ readonly perTick: boolean;
  /** @internal */ tickScheduled = false;
  /** @internal */ corked = 0;
  /** @internal */ claimedStart = 0;
  /** @internal */ claimedLength = 0;
  /** @internal */ claimedKind = 0;
  /** @internal */ claimedSkip = 0;
  /** @internal */ fullHits = 0;
  /** @internal */ wakes = 0;
  /** @internal */ source: Uint8Array | undefined;
  /** @internal */ sourceWords: Int32Array = NO_WORDS;
  /** @internal */ sourceBase = 0;

  /** @internal */
  constructor(memory: ProducerMemory, options: ProducerOptions) {
    const { words, buffer, byteOffset, capacity } = memory;
    this.words = words;
    this.dataWords = memory.dataWords;
    this.dataLine = memory.dataLine;
    this.bytes = new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity);
    this.data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2);
    this.capacity = capacity;
    this.mask = capacity - 1;
    const alignBytes = options.alignBytes ?? 4;
    if (alignBytes !== 4 && alignBytes !== 8) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `alignBytes must be 4 or 8: alignBytes=${alignBytes}`,
      );
    }
    this.alignMask = alignBytes & 4 ? 0 : 4;
    this.lengthBytesMax = lengthBytesMaxOf(capacity, alignBytes);
    this.plan = copyPlan(options.copy ?? 'auto');
    this.wordsMax = this.plan.wordsMax;
    this.bytesMax = this.plan.bytesMax;
    this.coalignMax = this.plan.coalign && alignBytes === 4 ? (capacity >> 1) - 12 : -1;
    this.full = options.full ?? 'block';
    const publish = options.publish ?? 'each';
    if (typeof publish === 'number' && !(publish >= 0)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `publish must be 'each', 'tick' or a count of bytes, 0 or more: publish=${publish}`,
      );
    }
    this.perTick = publish === 'tick';
    this.thresholdOpen = typeof publish === 'number' ? Math.min(publish, NEVER) : 0;
    this.threshold = this.thresholdOpen;
    this.tail = Atomics.load(words, TAIL);
    this.published = this.tail;
    this.countedAt = this.tail;
    this.published = this.tail;
    this.headSeen = Atomics.load(words, HEAD);
    const { doorbell } = options;
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    this.waiter = new Waiter(words, SPACE_LINE, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: options.strategy ?? 'auto',
      doorbell,
      before: () => this.flush(),
    });
    this.owner = options.debug ? claimOwner(words, 'producer') : undefined;
    this.loadHead();
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
    if (this.state !== OPEN && !this.admits()) return false;
    const length = end - start;
    if (
      (start | 0) !== start ||
      (end | 0) !== end ||
      start < 0 ||
      length < 0 ||
      end > source.length ||
      length > this.lengthBytesMax
    ) {
      this.refuseRange(source, start, end);
    }
    if (this.append(source, start, length, kind)) return true;
    if (this.full === 'drop-newest') this.dropped++;
    return false;
  }

  /** Places, copies and publishes one record; false when there is no room. The range has been checked. @internal */
  append(source: Uint8Array, start: number, length: number, kind: number): boolean {
    let wordFrom = -1;
    let sourceAlign = -1;
    if (length <= this.wordsMax) {
      if (source !== this.source) this.adopt(source);
      const at = (this.sourceBase + start) | 0;
      if ((at & 3) === 0 && this.sourceWords !== NO_WORDS) wordFrom = at >> 2;
    }
    if (wordFrom < 0 && length > this.bytesMax && length <= this.coalignMax) {
      sourceAlign = (source.byteOffset + start) & 7;
    }
    let offset = this.tail & this.mask;
    let pad = this.padAt(offset, sourceAlign);
    let size = (length + pad + 7) & -4;
    const room = (this.capacity - offset) | 0;
    let total = size;
    if (size > room) {
      pad = this.padAt(0, sourceAlign); // L2: the record starts at 0
      size = (length + pad + 7) & -4;
      total = (room + size) | 0;
    }
    if (((this.capacity - (this.tail - this.headSeen)) | 0) < total && !this.hasRoom(total)) {
      return false;
    }
    const { data } = this;
    if (total !== size) {
      data[offset >> 2] = SKIP;
      this.tail = (this.tail + room) | 0;
      offset = 0;
    }
    data[offset >> 2] = length | (pad << PAD_SHIFT) | (kind << KIND_SHIFT);
    const to = offset + HEADER_BYTES + pad;
    if (wordFrom >= 0) {
      const count = length >> 2;
      copyWords(this.sourceWords, wordFrom, data, to >> 2, count);
      const rest = length & 3;
      if (rest !== 0) {
        const done = count << 2;
        copyBytes(source, start + done, this.bytes, to + done, rest);
      }
    } else if (length <= this.bytesMax) {
      copyBytes(source, start, this.bytes, to, length);
    } else {
      copyBulk(this.plan, source, start, this.bytes, to, length);
    }
    this.tail = (this.tail + size) | 0;
    this.pushed++;
    if (((this.tail - this.published) | 0) > this.threshold) this.due();
    return true;
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
    if ((lengthBytes | 0) !== lengthBytes || lengthBytes < 0 || lengthBytes > this.lengthBytesMax) {
      this.refuseLength(lengthBytes);
    }
    let offset = this.tail & this.mask;
    let pad = this.padAt(offset, -1);
    let size = (lengthBytes + pad + 7) & -4;
    const room = (this.capacity - offset) | 0;
    let total = size;
    if (size > room) {
      pad = this.padAt(0, -1);
      size = (lengthBytes + pad + 7) & -4;
      total = (room + size) | 0;
    }
    if (((this.capacity - (this.tail - this.headSeen)) | 0) < total && !this.hasRoom(total)) {
      return -1;
    }
    if (total !== size) {
      this.data[offset >> 2] = SKIP;
      offset = 0;
    }
    this.claimedSkip = total - size;
    this.claimedLength = lengthBytes;
    this.claimedKind = kind;
    this.claimedStart = offset + HEADER_BYTES + pad;
    this.state = CLAIMED;
    return this.claimedStart;
  }

  /**
   * Makes the claimed space a record.
   *
   * @param lengthBytes - its final length (0 to the claimed length)
   * @throws {RingStateError} If nothing is claimed.
   * @throws {RingRangeError} If `lengthBytes` is more than was claimed; the claim stays open.
   */
  commit(lengthBytes: number = this.claimedLength): void {
    if (this.state !== CLAIMED) this.refuseOrder('commit');
    if ((lengthBytes | 0) !== lengthBytes || lengthBytes < 0 || lengthBytes > this.claimedLength) {
      this.refuseLength(lengthBytes);
    }
    this.tail = (this.tail + this.claimedSkip) | 0;
    const offset = this.tail & this.mask;
    const pad = this.claimedStart - offset - HEADER_BYTES;
    this.data[offset >> 2] = lengthBytes | (pad << PAD_SHIFT) | (this.claimedKind << KIND_SHIFT);
    this.tail = (this.tail + ((lengthBytes + pad + 7) & -4)) | 0;
    this.state = OPEN;
    this.pushed++;
    if (((this.tail - this.published) | 0) > this.threshold) this.due();
  }

  /**
   * Gives the claimed space back; nothing of it ever becomes visible.
   *
   * @throws {RingStateError} If nothing is claimed.
   */
  abort(): void {
    if (this.state !== CLAIMED) this.refuseOrder('abort');
    this.state = OPEN; // P1: the tail hasn't moved
  }

  /**
   * Appends a record per source, all or none, and publishes them together.
   *
   * Cost: O(bytes).
   *
   * @param sources - one array per record
   * @param kind - one bit that travels with each of them (0 or 1)
   * @returns whether they were appended; false when they don't all fit now
   * @throws {RingRangeError} If one is longer than `lengthBytesMax`, or all together than the ring.
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
    let extent = 0;
    for (const source of sources) {
      if (source.length > this.lengthBytesMax) this.refuseRange(source, 0, source.length);
      extent += this.extentFor(source, 0, source.length, (this.tail + extent) | 0);
      if (extent > this.capacity) {
        throw new RingRangeError(
          'ERR_RING_ARGUMENT',
          `sources must fit the ring together: count=${sources.length}, capacity=${this.capacity}`,
        );
      }
    }
    return extent;
  }

  /** Bytes that one record would take when placed at the index. @internal */
  extentFor(source: Uint8Array, start: number, length: number, at: number = this.tail): number {
    const address = source.byteOffset + start;
    const byWords = length <= this.wordsMax && (address & 3) === 0 && wordsOf(source) !== NO_WORDS;
    const coaligned = !byWords && length > this.bytesMax && length <= this.coalignMax;
    return this.extent(length, coaligned ? address & 7 : -1, at);
  }

  /** Bytes that a record takes when placed at the index, skip included. @internal */
  extent(length: number, sourceAlign: number, at: number = this.tail): number {
    const offset = at & this.mask;
    const room = this.capacity - offset;
    const size = recordBytes(length, this.padAt(offset, sourceAlign));
    return size <= room ? size : room + recordBytes(length, this.padAt(0, sourceAlign));
  }

  /** Makes everything pushed so far visible to the consumer, and wakes it if it sleeps. */
  flush(): void {
    if (this.tail !== this.published) this.publish();
  }

  /** Holds publication back until {@link uncork} (calls nest), except when the ring is full. */
  cork(): void {
    this.corked++;
    this.threshold = NEVER;
  }

  /** Undoes one {@link cork}; the last one publishes. */
  uncork(): void {
    if (this.corked === 0) this.refuseOrder('uncork');
    if (--this.corked !== 0) return;
    this.threshold = this.thresholdOpen;
    if (this.tail !== this.published) this.publish();
  }

  /** Bytes that are neither released nor free: pushed and not yet released by the consumer, as far as is known. */
  get usedBytes(): number {
    this.loadHead();
    return (this.tail - this.headSeen) | 0;
  }

  /** Bytes free for records and their headers, as far as is known (0 to `capacity`). */
  get freeBytes(): number {
    return this.capacity - this.usedBytes;
  }

  /** Pad before the payload of a record at this offset, for a source of this alignment, or -1 for none. */
  private padAt(offset: number, sourceAlign: number): number {
    return sourceAlign < 0
      ? -(offset + HEADER_BYTES) & this.alignMask
      : (sourceAlign - offset - HEADER_BYTES) & PAD_MASK;
  }

  /** The publication threshold has been passed. */
  private due(): void {
    if (!this.perTick) {
      this.publish();
      return;
    }
    if (this.tickScheduled) {
      this.publish(); // a quarter of the ring within one tick
      return;
    }
    this.tickScheduled = true;
    this.threshold = this.capacity >> 2;
    queueMicrotask(() => {
      this.tickScheduled = false;
      this.threshold = this.corked > 0 ? NEVER : this.thresholdOpen;
      if (this.corked === 0 && this.tail !== this.published) this.publish();
    });
  }

  /** Stores the tail and wakes a consumer that sleeps. @internal */
  publish(): void {
    if (this.owner !== undefined) this.checkSole();
    this.published = this.tail;
    Atomics.store(this.words, TAIL, this.tail); // P2
    if (Atomics.load(this.dataWords, this.dataLine + FLAG) !== 0) this.alert(false); // P4
  }

  /** Wakes the consumer if its watermark has been reached, or anyway; learns whether it has ended. @internal */
  alert(anyway: boolean): void {
    const { dataWords, dataLine } = this;
    const flag = Atomics.load(dataWords, dataLine + FLAG);
    if ((flag & FLAG_ENDED) !== 0 && this.state === OPEN) this.state = ENDED;
    if (!anyway && ((this.published - Atomics.load(dataWords, dataLine + TARGET)) | 0) < 0) return;
    this.wakes++;
    wake(dataWords, dataLine, this.bell);
  }

  /** Whether that many bytes are free, after a look at the consumer's index. @internal */
  hasRoom(total: number): boolean {
    this.loadHead();
    if (((this.capacity - (this.tail - this.headSeen)) | 0) >= total) return true;
    this.fullHits++;
    // The consumer can only make room for what it can see, watermark or not.
    if (this.tail !== this.published) this.publish();
    if (Atomics.load(this.dataWords, this.dataLine + FLAG) !== 0) this.alert(true);
    return false;
  }

  private loadHead(): void {
    this.headSeen = Atomics.load(this.words, HEAD); // P3
    const used = (this.tail - this.headSeen) | 0;
    if (used < 0 || used > this.capacity) {
      throw new RingStateError(
        'ERR_RING_CORRUPT',
        `indices contradict each other: head=${this.headSeen}, tail=${this.tail}, capacity=${this.capacity}`,
      ); // L3
    }
    if (((this.tail - this.countedAt) | 0) > this.capacity >> 1) this.storeCounts();
  }

  /** @internal */
  storeCounts(): void {
    const { words } = this;
    this.countedAt = this.tail;
    storeCount(words, PRODUCER_COUNTS, this.pushed);
    storeCount(words, PRODUCER_COUNTS + COUNT_WORDS, this.dropped);
    storeCount(words, PRODUCER_COUNTS + 2 * COUNT_WORDS, this.fullHits);
    storeCount(words, PRODUCER_COUNTS + 3 * COUNT_WORDS, this.waiter.parks);
    storeCount(words, PRODUCER_COUNTS + 4 * COUNT_WORDS, this.wakes);
  }

  private adopt(source: Uint8Array): void {
    if (!(source instanceof Uint8Array)) {
      throw new RingTypeError(
        'ERR_RING_TYPE',
        `source must be a Uint8Array: source=${Object.prototype.toString.call(source)}`,
      );
    }
    this.source = source;
    this.sourceWords = wordsOf(source);
    this.sourceBase = source.byteOffset & 3;
  }

  /** Whether a record may be taken while the state isn't OPEN: false to wait, or throws. */
  private admits(): boolean {
    if (this.state === QUEUED) return false;
    if (this.state === CLAIMED) {
      throw new RingStateError('ERR_RING_ORDER', 'a claim is open: commit or abort it first');
    }
    this.refuseEnded();
  }

  /** @internal */
  refuseEnded(): never {
    const own = readEnd(this.words, PRODUCER_END);
    const end = own ?? readEnd(this.words, CONSUMER_END) ?? { how: 'closed', reason: '' };
    const who = own === undefined ? 'consumer' : 'producer';
    throw new RingClosedError(`the ring's ${who} is ${end.how}: reason=${end.reason}`, end);
  }

  private refuseOrder(call: string): never {
    throw new RingStateError('ERR_RING_ORDER', `${call} without its counterpart before it`);
  }

  private refuseLength(lengthBytes: number): never {
    const most = this.state === CLAIMED ? this.claimedLength : this.lengthBytesMax;
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `lengthBytes must be an integer from 0 to ${most}: lengthBytes=${lengthBytes}`,
    );
  }

  /** @internal */
  refuseRange(source: Uint8Array, start: number, end: number): never {
    if (!(source instanceof Uint8Array)) this.adopt(source);
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `start and end must lie in the source and be at most ${this.lengthBytesMax} apart: ` +
        `start=${start}, end=${end}, length=${source.length}`,
    );
  }

  /** Debug mode: finds a second producer, or a second thread. */
  private checkSole(): void {
    checkOwner(this.words, this.owner!);
    const tail = Atomics.load(this.words, TAIL);
    if (tail !== this.published) {
      throw new RingStateError(
        'ERR_RING_OWNER',
        `a second producer has stored the tail: tail=${tail}, expected ${this.published}`,
      );
    }
  }
}
