/**
 * The consuming end of a single-producer single-consumer byte ring: finding and copying records.
 *
 * Lamport's SPSC queue (1977) on byte indices, with the producer's index cached and release batched. Layout:
 * `layout.ts`; release, waiting and the invariants C1 to C4: `consumer-end.ts`.
 *
 * C5: whatever the control words and headers say, every step either advances by at least 4 bytes towards the
 *     tail or throws `ERR_RING_CORRUPT`.
 *
 * Cost: `tryPopInto` is O(length), `drain` O(1) per record plus one Atomics.load and store per call; neither
 * allocates.
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
import { DRAIN_ABORT, DRAIN_STOP, type DrainCallback, type LanesDrainCallback } from './drain.ts';
import { RingRangeError, RingStateError, RingTypeError } from './errors.ts';
import {
  CONTROL_BYTES,
  type EndMemory,
  HEADER_BYTES,
  KIND_SHIFT,
  LENGTH_MASK,
  PAD_MASK,
  PAD_SHIFT,
  SKIP,
} from './layout.ts';
import type { ConsumerOptions } from './options.ts';

/** What a released region is filled with in debug mode. */
const POISON = 0xdb;

/**
 * Reads records from a ring. Get one from {@link attachConsumer}.
 *
 * Concurrency: one consumer per ring, used by one thread; the producer may do anything meanwhile (scenarios
 * `SPSC 6 pushes x 8 pops` and `SPSC producer killed at any point`).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, attachProducer, createRing } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing();
 * const producer = attachProducer(handle);
 * for (const byte of [1, 2, 3]) producer.tryPush(Uint8Array.of(byte));
 * producer.close('done');
 *
 * const consumer = attachConsumer(handle);
 * let sum = 0;
 * while (await consumer.ready()) consumer.drain((bytes, start) => void (sum += bytes[start]!));
 * assert.equal(sum, 6);
 * assert.equal(consumer.producerEnd?.reason, 'done');
 * ```
 */
export class RingConsumer extends ConsumerEnd {
  /** The data of the ring. Borrowed: of it only what `peek` or `drain` has handed out. */
  declare readonly bytes: Uint8Array;

  /** @internal */ declare readonly data: Int32Array;
  /** @internal */ declare readonly plan: CopyPlan;
  /** @internal */ declare readonly wordsMax: number;
  /** @internal */ declare readonly bytesMax: number;
  /** @internal */ target: Uint8Array | undefined;
  /** @internal */ targetWords: Int32Array = NO_WORDS;
  /** @internal */ targetBase = 0;
  /** @internal */ targetLength = 0;
  /** Pad of the last record whose payload began at a word: probably that of the next, too (bytes). @internal */
  pad = 0;
  /** @internal */ locatedPad = 0;

  /** @internal */
  constructor(memory: EndMemory, options: ConsumerOptions) {
    super(memory, options, 1);
    const { buffer, byteOffset, capacity } = memory;
    this.bytes = new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity);
    this.data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2);
    this.plan = copyPlan(options.copy ?? 'auto');
    this.wordsMax = this.plan.wordsMax;
    this.bytesMax = this.plan.bytesMax;
  }

  /** Bytes of published records that haven't been taken, headers included (0 to `capacity`). */
  get availableBytes(): number {
    return this.available();
  }

  /**
   * Takes the oldest record as a copy of its own.
   *
   * @returns the payload (owned), or undefined when the ring is empty
   * @throws {RingStateError} If records are held by `peek`, or a drain is running.
   */
  tryPop(): Uint8Array | undefined {
    if (this.held !== 0 || this.draining) this.refuseHeld('tryPop');
    const from = this.locate(this.head);
    if (from < 0) return undefined;
    const copy = new Uint8Array(this.locatedEnd - from);
    if (copy.length <= this.bytesMax) copyBytes(this.bytes, from, copy, 0, copy.length);
    else copyBulk(this.plan, this.bytes, from, copy, 0, copy.length);
    this.take();
    return copy;
  }

  /**
   * Takes the oldest record by copying it into `target`.
   *
   * Cost: O(length), no allocation.
   *
   * @param target - where to copy to; keep passing the same array where you can, its views are cached
   * @param offset - where in `target` (index, included)
   * @returns the payload's length (bytes), or -1 when the ring is empty
   * @throws {RingRangeError} If the record doesn't fit; it stays in the ring.
   * @throws {RingStateError} If records are held by `peek`, or a drain is running.
   */
  tryPopInto(target: Uint8Array, offset = 0): number {
    // The common case, short enough for engines to inline it: a small record, or none, into the same, aligned target
    // as before.
    const { head, data } = this;
    if (
      target !== this.target ||
      this.held !== 0 ||
      this.draining ||
      this.debug ||
      (offset | 0) !== offset ||
      offset < 0 ||
      ((this.targetBase + offset) & 3) !== 0
    ) {
      return this.tryPopIntoSlowly(target, offset);
    }
    if (head === this.tailSeen && !this.looksAgain()) return -1;
    const at = head & this.mask;
    const header = data[at >> 2]!;
    const length = header & LENGTH_MASK;
    const { pad } = this; // not the header's: so the payload's lines are asked for before the header has come
    const size = (length + pad + 7) & -4;
    if (
      length > this.wordsMax ||
      ((header >>> PAD_SHIFT) & PAD_MASK) !== pad ||
      size > ((this.tailSeen - head) | 0) || // C5
      size > ((this.capacity - at) | 0) ||
      length > this.targetLength - offset
    ) {
      return this.tryPopIntoSlowly(target, offset);
    }
    const from = (at + HEADER_BYTES + pad) | 0;
    copyWords(data, from >> 2, this.targetWords, (this.targetBase + offset) >> 2, length >> 2);
    const rest = length & 3;
    if (rest !== 0) {
      copyBytes(this.bytes, from + length - rest, target, offset + length - rest, rest);
    }
    this.kind = header >>> KIND_SHIFT;
    const next = (head + size) | 0;
    this.head = next;
    this.popped++;
    if (((next - this.released) | 0) > this.releaseBytes) this.publish();
    return length;
  }

  private tryPopIntoSlowly(target: Uint8Array, offset: number): number {
    if (this.held !== 0 || this.draining) this.refuseHeld('tryPopInto');
    const from = this.locate(this.head);
    if (from < 0) return -1;
    const length = this.locatedEnd - from;
    if ((offset | 0) !== offset || offset < 0 || !(length <= target.length - offset)) {
      this.refuseTarget(target, offset, length);
    }
    if (target !== this.target) this.adopt(target);
    if (
      length <= this.wordsMax &&
      ((this.targetBase + offset) & 3) === 0 &&
      (from & 3) === 0 &&
      target === this.target
    ) {
      const count = length >> 2;
      const to = (this.targetBase + offset) >> 2;
      copyWords(this.data, from >> 2, this.targetWords, to, count);
      const done = count << 2;
      copyBytes(this.bytes, from + done, target, offset + done, length - done);
      this.pad = this.locatedPad;
    } else if (length <= this.bytesMax) {
      copyBytes(this.bytes, from, target, offset, length);
    } else {
      copyBulk(this.plan, this.bytes, from, target, offset, length);
    }
    this.take();
    return length;
  }

  /**
   * Hands out records in place, oldest first, and releases them.
   *
   * When the callback throws, its record counts as taken, so that a poisonous record can't come for ever.
   *
   * Cost: O(1) per record plus the callback, no allocation.
   *
   * @param callback - called per record with borrowed bytes
   * @param limit - most records (count, 0 or more)
   * @returns how many records were taken
   * @throws {RingStateError} If records are held by `peek`, or a drain is running.
   */
  drain(callback: DrainCallback, limit: number = 0x7fffffff): number {
    return this.drainLane(callback, limit);
  }

  /** As `drain`, with the lane as fifth argument. @internal */
  drainLane(callback: LanesDrainCallback, limit: number): number {
    if (this.held !== 0 || this.draining) this.refuseHeld('drain');
    this.loadTail();
    // Few variables live in the loop, so that they stay in registers.
    const { bytes, data, lane, mask, tailSeen } = this;
    let { head } = this;
    let next = head; // what counts as taken if the callback throws
    let left = limit;
    let visitAt = this.debug ? head : (this.released + this.drainBytes) | 0;
    this.draining = true;
    try {
      while (left > 0 && head !== tailSeen) {
        let offset = head & mask;
        let header = data[offset >> 2]!;
        if (header === SKIP) {
          head = (head + mask + 1 - offset) | 0; // L2
          offset = 0;
          header = data[0]!;
        }
        const length = header & LENGTH_MASK;
        const pad = (header >>> PAD_SHIFT) & PAD_MASK;
        const size = (length + pad + 7) & -4;
        if (((((tailSeen - head) | 0) - size) | (mask + 1 - offset - size)) < 0) {
          next = head;
          left++;
          this.refuseHeader(offset, header, (tailSeen - head) | 0); // C5
        }
        const start = (offset + HEADER_BYTES + pad) | 0;
        next = (head + size) | 0;
        const result = callback(bytes, start, (start + length) | 0, header >>> KIND_SHIFT, lane);
        if (result === DRAIN_ABORT) {
          this.stopped = true;
          break;
        }
        head = next;
        left--;
        if (((head - visitAt) | 0) > 0) visitAt = this.visit(head, size);
        if (result === DRAIN_STOP) {
          this.stopped = true;
          break;
        }
      }
    } catch (error) {
      this.endDrain(next, limit - left + 1);
      throw error;
    }
    this.endDrain(head, limit - left);
    return limit - left;
  }

  /** Now and then within a drain: gives space back, and poisons in debug mode; returns where to come again. */
  private visit(head: number, size: number): number {
    if (this.debug) this.poison((head - size) | 0, size);
    if (((head - this.released) | 0) > this.drainBytes) {
      this.head = head;
      this.publish();
    }
    return this.debug ? head : (head + this.drainBytes) | 0;
  }

  private endDrain(head: number, count: number): void {
    this.draining = false;
    this.head = head;
    this.popped += count;
    if (head !== this.released) this.publish();
  }

  /**
   * Finds the record at the index: returns its first byte, sets `locatedEnd`, `locatedAfter`, `locatedPad` and `kind`;
   * -1 when there is none.
   * @internal
   */
  locate(at: number): number {
    let index = at;
    if (index === this.tailSeen && !this.looksAgain()) return -1;
    const { data } = this;
    let offset = index & this.mask;
    let header = data[offset >> 2]!;
    if (header === SKIP) {
      index = (index + this.capacity - offset) | 0; // L2
      offset = 0;
      header = data[0]!;
    }
    const length = header & LENGTH_MASK;
    const pad = (header >>> PAD_SHIFT) & PAD_MASK;
    const size = (length + pad + 7) & -4;
    const left = (this.tailSeen - index) | 0;
    if (size > left || offset + size > this.capacity) this.refuseHeader(offset, header, left); // C5
    this.locatedAfter = (index + size) | 0;
    this.locatedPad = pad;
    this.kind = header >>> KIND_SHIFT;
    const from = offset + HEADER_BYTES + pad;
    this.locatedEnd = from + length;
    return from;
  }

  /** @internal */
  poison(index: number, size: number): void {
    const offset = index & this.mask;
    const room = this.capacity - offset;
    this.bytes.fill(POISON, offset, offset + Math.min(size, room));
    if (size > room) this.bytes.fill(POISON, 0, size - room);
  }

  private adopt(target: Uint8Array): void {
    const words = wordsOf(target);
    if (words === NO_WORDS) return;
    this.target = target;
    this.targetWords = words;
    this.targetBase = target.byteOffset & 3;
    this.targetLength = target.length;
  }

  private refuseTarget(target: Uint8Array, offset: number, length: number): never {
    if (!(target instanceof Uint8Array)) {
      throw new RingTypeError(
        'ERR_RING_TYPE',
        `target must be a Uint8Array: target=${Object.prototype.toString.call(target)}`,
      );
    }
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `target is too short for the record: offset=${offset}, length=${target.length}, record=${length} bytes`,
    );
  }

  private refuseHeader(offset: number, header: number, left: number): never {
    throw new RingStateError(
      'ERR_RING_CORRUPT',
      `record header at offset ${offset} contradicts the indices: header=0x${(header >>> 0).toString(16)}, left=${left} bytes`,
    );
  }
}
