/** The producing end of a ring of slots; see `slots.ts` for the layout, `producer-end.ts` and `writer.ts` for P1 to P7. */
import {
  type CopyPlan,
  copyBulk,
  copyBytes,
  copyPlan,
  copyWords,
  NO_WORDS,
  wordsOf,
} from './copy.ts';
import { RingRangeError } from './errors.ts';
import { CONTROL_BYTES, type EndMemory } from './layout.ts';
import type { ProducerOptions } from './options.ts';
import { NEVER, ProducerEnd } from './producer-end.ts';
import { OPEN } from './writer.ts';

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
    this.state = 1; // P1
    return (tail & this.mask) * this.slotBytes;
  }

  /**
   * Makes the claimed slot a record.
   *
   * @throws {RingStateError} If nothing is claimed.
   */
  commit(): void {
    if (this.state <= OPEN) this.refuseOrder('commit');
    this.tail = (this.tail + 1) | 0;
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
