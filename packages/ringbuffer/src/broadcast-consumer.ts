/**
 * A consuming end of a broadcast ring; see `broadcast.ts` for the layout and the invariants B1 to B4.
 *
 * Threads: all methods belong to one thread; each has a handle of its own.
 */
import { type BroadcastMemory, HEADER, LENGTH, OLDEST, sizeOf } from './broadcast-producer.ts';
import { type CopyPlan, copyBulk, copyBytes, copyPlan } from './copy.ts';
import type { DRAIN_STOP } from './drain.ts';
import { hasEnded, readEnd } from './ends.ts';
import { type RingEnd, RingRangeError, RingStateError } from './errors.ts';
import { DATA_LINE, PRODUCER_END, SKIP, TAIL } from './layout.ts';
import type { HandleOptions } from './options.ts';
import { Reader } from './reader.ts';
import { type Waitable, Waiter } from './wait.ts';

/** Options of a broadcast consumer. */
export interface BroadcastConsumerOptions extends HandleOptions {
  /**
   * Where to begin: with the oldest record that is there, or with the next one that is pushed.
   *
   * @defaultValue 'latest'
   */
  readonly from?: 'oldest' | 'latest';
}

/**
 * Receives a copy of one record.
 *
 * @param bytes - a buffer of the consumer; borrowed, and of it only `[start, end)`, until the callback returns
 * @param start - first byte of the payload (index, included)
 * @param end - end of the payload (index, excluded)
 * @param kind - the bit that travelled with the record (0 or 1)
 * @returns nothing to continue, or `DRAIN_STOP`
 */
export type BroadcastDrainCallback = (
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most callbacks return nothing at all
) => void | undefined | typeof DRAIN_STOP;

/** Reads records; one of several. Get one from {@link attachBroadcastConsumer}. */
export class BroadcastConsumer extends Reader {
  /** Bytes of the ring, headers included (a power of two). */
  declare readonly capacity: number;
  /** Records that this consumer missed because they were overwritten before it read them (count). */
  lost = 0;
  /** How often this consumer was overtaken (count). */
  laps = 0;
  /** Records taken so far (count). */
  popped = 0;
  /** Bit that travelled with the last record (0 or 1). */
  kind = 0;

  declare private readonly words: Int32Array;
  declare private readonly data: Int32Array;
  declare private readonly bytes: Uint8Array;
  declare private readonly plan: CopyPlan;
  declare private cursor: number;
  declare private tailSeen: number;
  /** Number of the next record: the first of a ring has 0. */
  private expected = 0;
  private scratch: Uint8Array = new Uint8Array(256);

  /** @internal */
  constructor(memory: BroadcastMemory, options: BroadcastConsumerOptions) {
    super();
    this.words = memory.words;
    this.data = memory.data;
    this.bytes = memory.bytes;
    this.capacity = memory.capacity;
    this.plan = copyPlan(options.copy ?? 'auto');
    // In this order: the oldest record is never behind a tail that is loaded later.
    this.cursor = Atomics.load(this.words, OLDEST);
    this.tailSeen = Atomics.load(this.words, TAIL);
    this.join(options.from === 'oldest');
    this.laps = 0;
    this.waiter = new Waiter(this.words, DATA_LINE, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: options.strategy ?? 'auto',
      doorbell: options.doorbell,
      before: () => {},
    });
  }

  /**
   * Takes the oldest record that is intact, as a copy of its own.
   *
   * @returns the payload (owned), or undefined when there is none
   */
  tryPop(): Uint8Array | undefined {
    const length = this.take(undefined, 0);
    return length < 0 ? undefined : this.scratch.slice(0, length);
  }

  /**
   * Takes the oldest record that is intact by copying it into `target`.
   *
   * Cost: O(length), no allocation.
   *
   * @param target - where to copy to
   * @param offset - where in `target` (index, included)
   * @returns the payload's length (bytes), or -1 when there is none
   * @throws {RingRangeError} If the record doesn't fit; it stays in the ring.
   */
  tryPopInto(target: Uint8Array, offset = 0): number {
    return this.take(target, offset);
  }

  /**
   * Hands out copies of the records that are there, oldest first.
   *
   * @param callback - called per record with borrowed bytes
   * @param limit - most records (count, 0 or more)
   * @returns how many were taken
   */
  drain(callback: BroadcastDrainCallback, limit: number = 0x7fffffff): number {
    // No further than what is there now: the producer may be faster for ever.
    const until = Atomics.load(this.words, TAIL);
    let count = 0;
    while (count < limit && ((until - this.cursor) | 0) > 0) {
      const length = this.take(undefined, 0);
      if (length < 0) break;
      count++;
      if (callback(this.scratch, 0, length, this.kind) !== undefined) break;
    }
    return count;
  }

  /** How the producer ended; undefined while it hasn't. Records may still be there. */
  get producerEnd(): RingEnd | undefined {
    return readEnd(this.words, PRODUCER_END);
  }

  /** Whether no record will ever come again. */
  get closed(): boolean {
    return hasEnded(this.words, PRODUCER_END) && !this.hasRecord();
  }

  /** @internal */
  subject(): Waitable {
    return this;
  }

  /** @internal */
  isReady(): boolean {
    return this.hasRecord() || hasEnded(this.words, PRODUCER_END);
  }

  /** @internal */
  announce(): void {}

  /** @internal */
  hasRecord(): boolean {
    this.tailSeen = Atomics.load(this.words, TAIL);
    return this.cursor !== this.tailSeen;
  }

  /** Copies the next intact record into `target`, or into the scratch buffer; returns its length or -1. */
  private take(target: Uint8Array | undefined, offset: number): number {
    for (;;) {
      if (this.cursor === this.tailSeen && !this.hasRecord()) return -1;
      const { data, capacity } = this;
      const at = this.cursor & (capacity - 1);
      const header = data[at >> 2]!; // racy from here to the validation: B3
      if (header === SKIP) {
        if (this.isIntact()) this.cursor = (this.cursor + capacity - at) | 0;
        continue;
      }
      const length = header & LENGTH; // mutant-ok mask-off-by-one: no record is that long
      const size = sizeOf(length);
      const sequence = data[(at >> 2) + 1]!;
      const plausible = size <= capacity - at && size <= ((this.tailSeen - this.cursor) | 0);
      if (!plausible) {
        if (!this.isIntact()) continue;
        throw new RingStateError(
          'ERR_RING_CORRUPT',
          `record header at offset ${at} contradicts the indices: header=0x${(header >>> 0).toString(16)}`,
        );
      }
      const into = target ?? this.scratchOf(length);
      const short = !(offset >= 0 && length <= into.length - offset);
      if (!short) {
        // mutant-ok skip-condition, index-off-by-one: both ways copy the same
        if (length <= this.plan.bytesMax) copyBytes(this.bytes, at + HEADER, into, offset, length);
        else copyBulk(this.plan, this.bytes, at + HEADER, into, offset, length);
      }
      if (!this.isIntact()) continue; // B2
      if (short) {
        throw new RingRangeError(
          'ERR_RING_ARGUMENT',
          `target is too short for the record: offset=${offset}, length=${into.length}, record=${length} bytes`,
        );
      }
      this.lost += (sequence - this.expected) >>> 0; // B4
      this.expected = (sequence + 1) | 0;
      this.kind = header >>> 31;
      this.cursor = (this.cursor + size) | 0;
      this.popped++;
      return length;
    }
  }

  /** Whether the record at the cursor hasn't been overwritten; if it has, moves on to the oldest that is intact. */
  private isIntact(): boolean {
    const oldest = Atomics.add(this.words, OLDEST, 0); // B2, B3
    if (((oldest - this.cursor) | 0) <= 0) return true;
    this.laps++;
    this.cursor = oldest;
    // mutant-ok other-word: whoever finds the cursor at it looks again, and anything behind it isn't intact
    this.tailSeen = Atomics.load(this.words, TAIL);
    return false;
  }

  private scratchOf(length: number): Uint8Array {
    // mutant-ok skip-condition, index-off-by-one: another buffer, as good
    if (length > this.scratch.length) this.scratch = new Uint8Array(length * 2);
    return this.scratch;
  }

  /** Moves the cursor to the first record to read, and finds out its number from the records that are there. */
  private join(atOldest: boolean): void {
    const { data, capacity } = this;
    while (this.cursor !== this.tailSeen) {
      const at = this.cursor & (capacity - 1);
      const header = data[at >> 2]!;
      const sequence = data[(at >> 2) + 1]!;
      if (!this.isIntact()) continue;
      if (header === SKIP) {
        this.cursor = (this.cursor + capacity - at) | 0;
        continue;
      }
      this.expected = sequence;
      if (atOldest) return;
      this.expected = (sequence + 1) | 0;
      this.cursor = (this.cursor + sizeOf(header & LENGTH)) | 0; // mutant-ok mask-off-by-one: no record is that long
    }
  }
}
