/** The consuming end of a ring of slots; see `slots.ts` for the layout, `consumer-end.ts` for C1 to C4. */
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
import { RingRangeError } from './errors.ts';
import { CONTROL_BYTES, type EndMemory } from './layout.ts';
import type { ConsumerOptions } from './options.ts';
import { NEVER } from './producer-end.ts';

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
    if (this.held !== 0 || this.draining) this.refuseHeld('tryPop');
    const from = this.locate(this.head);
    if (from < 0) return undefined;
    const { slotBytes, plan } = this;
    const copy = new Uint8Array(slotBytes);
    if (slotBytes <= plan.bytesMax) copyBytes(this.bytes, from, copy, 0, slotBytes);
    else copyBulk(plan, this.bytes, from, copy, 0, slotBytes);
    this.take();
    return copy;
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
    if (at === this.tailSeen && !this.looksAgain()) return -1;
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
