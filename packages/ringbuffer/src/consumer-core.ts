/**
 * The consuming end of a single-producer single-consumer byte ring, without waiting.
 *
 * Lamport's SPSC queue (1977) on byte indices, with the producer's index cached and release batched. Layout:
 * `layout.ts`.
 *
 * C1: `released <= head <= cursor <= tailSeen <= tail`, as distances: released bytes may be overwritten at any
 *     time; [head, cursor) is held by `peek`; [cursor, tailSeen) is known to hold whole records.
 * C2: a record is read completely before the `Atomics.store` of a head behind it, so the producer, which loads
 *     the head by `Atomics.load`, overwrites it without a race.
 * C3: `tailSeen` is a tail that the producer stored earlier; it is loaded again only when it is used up.
 * C4: a release is followed by a load of the space line's flag, as in P4.
 * C5: whatever the control words and headers say, every step either advances by at least 4 bytes towards the
 *     tail or throws `ERR_RING_CORRUPT`.
 *
 * Threads: all methods belong to one thread, the consumer's.
 * Cost: `tryPopInto` is O(length), `drain` O(1) per record plus one Atomics.load and store per call; neither allocates.
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
import { RingRangeError, RingStateError, RingTypeError } from './errors.ts';
import {
  CONSUMER_COUNTS,
  CONTROL_BYTES,
  HEAD,
  HEADER_BYTES,
  KIND_SHIFT,
  LENGTH_MASK,
  PAD_MASK,
  PAD_SHIFT,
  SKIP,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import type { ConsumerOptions } from './options.ts';
import { checkOwner, claimOwner, type Owner } from './owner.ts';
import { FLAG, TARGET, Waiter, wake } from './wait.ts';

/** Result of a drain callback: this record was taken, and is the last of this call. */
export const DRAIN_STOP = 1;
/** Result of a drain callback: this record wasn't taken and comes again; the call ends. */
export const DRAIN_ABORT = 2;

/**
 * Receives one record in place.
 *
 * @param bytes - the ring's data; borrowed, and of it only `[start, end)`, until the callback returns
 * @param start - first byte of the payload (index, included)
 * @param end - end of the payload (index, excluded)
 * @param kind - the bit that travelled with the record (0 or 1)
 * @returns nothing to continue, {@link DRAIN_STOP} or {@link DRAIN_ABORT}
 */
export type DrainCallback = (
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most callbacks return nothing at all
) => void | undefined | typeof DRAIN_STOP | typeof DRAIN_ABORT;

/** The memory that a consumer works on; `attachConsumer` builds it. @internal */
export interface ConsumerMemory {
  readonly words: Int32Array;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly capacity: number;
}

/** What a released region is filled with in debug mode. */
const POISON = 0xdb;

/** The synchronous half of a consumer. Use {@link RingConsumer}. */
export class ConsumerCore {
  /** The data of the ring. Borrowed: of it only what `peek` or `drain` has handed out. */
  readonly bytes: Uint8Array;
  /** Bytes of the ring, headers included (a power of two). */
  readonly capacity: number;
  /** First byte in `bytes` of the record that `peek` handed out last (index, included). */
  start = 0;
  /** End in `bytes` of the record that `peek` handed out last (index, excluded). */
  end = 0;
  /** Bit that travelled with the record that came last (0 or 1). */
  kind = 0;
  /** Records handed out by `peek` and not yet released (count). */
  held = 0;
  /** Records taken so far (count). */
  popped = 0;

  /** @internal */ readonly words: Int32Array;
  /** @internal */ readonly data: Int32Array;
  /** @internal */ readonly mask: number;
  /** @internal */ readonly plan: CopyPlan;
  /** @internal */ readonly wordsMax: number;
  /** @internal */ readonly bytesMax: number;
  /** @internal */ readonly releaseBytes: number;
  /** @internal */ readonly drainBytes: number;
  /** @internal */ readonly waiter: Waiter;
  /** @internal */ owner: Owner | undefined;
  /** @internal */ readonly debug: boolean;
  /** @internal */ bell: (() => void) | undefined;

  /** @internal */ draining = false;
  /** @internal */ head: number;
  /** @internal */ cursor: number;
  /** @internal */ released: number;
  /** @internal */ tailSeen: number;
  /** @internal */ countedAt: number;
  /** @internal */ after = 0;
  /** @internal */ wakes = 0;
  /** @internal */ highWater = 0;
  /** @internal */ target: Uint8Array | undefined;
  /** @internal */ targetWords: Int32Array = NO_WORDS;
  /** @internal */ targetBase = 0;

  /** @internal */
  constructor(
    memory: ConsumerMemory,
    options: ConsumerOptions,
    waitWords: Int32Array,
    waitLine: number,
  ) {
    const { words, buffer, byteOffset, capacity } = memory;
    this.words = words;
    this.bytes = new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity);
    this.data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2);
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.plan = copyPlan(options.copy ?? 'auto');
    this.wordsMax = this.plan.wordsMax;
    this.bytesMax = this.plan.bytesMax;
    this.releaseBytes = Math.min(options.releaseBytes ?? 0, capacity);
    if (!(this.releaseBytes >= 0)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `releaseBytes must be 0 or more: releaseBytes=${options.releaseBytes}`,
      );
    }
    this.drainBytes = Math.max(this.releaseBytes, capacity >> 3);
    this.debug = options.debug ?? false;
    this.head = Atomics.load(words, HEAD);
    this.cursor = this.head;
    this.released = this.head;
    this.tailSeen = this.head;
    this.countedAt = this.head;
    const { doorbell } = options;
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    this.waiter = new Waiter(waitWords, waitLine, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: options.strategy ?? 'auto',
      doorbell,
      before: () => this.flush(),
    });
    this.owner = this.debug ? claimOwner(words, 'consumer') : undefined;
    this.loadTail();
  }

  /**
   * Takes the oldest record as a copy of its own.
   *
   * @returns the payload (owned), or undefined when the ring is empty
   * @throws {RingStateError} If records are held by `peek`, or a drain is running.
   */
  tryPop(): Uint8Array | undefined {
    if (this.cursor !== this.head || this.draining) this.refuseHeld('tryPop');
    const from = this.locate();
    if (from < 0) return undefined;
    const copy = new Uint8Array(this.end - from);
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
    if (this.cursor !== this.head || this.draining) this.refuseHeld('tryPopInto');
    const from = this.locate();
    if (from < 0) return -1;
    const length = this.end - from;
    if ((offset | 0) !== offset || offset < 0 || length > target.length - offset) {
      this.refuseTarget(target, offset, length);
    }
    if (length <= this.wordsMax) {
      if (target !== this.target) this.adopt(target);
      const to = (this.targetBase + offset) | 0;
      if (((to | from) & 3) === 0 && this.targetWords !== NO_WORDS) {
        const count = length >> 2;
        copyWords(this.data, from >> 2, this.targetWords, to >> 2, count);
        const rest = length & 3;
        if (rest !== 0) {
          const done = count << 2;
          copyBytes(this.bytes, from + done, target, offset + done, rest);
        }
        this.take();
        return length;
      }
    }
    if (length <= this.bytesMax) copyBytes(this.bytes, from, target, offset, length);
    else copyBulk(this.plan, this.bytes, from, target, offset, length);
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
    if (this.cursor !== this.head || this.draining) this.refuseHeld('drain');
    this.loadTail();
    const before = this.popped;
    const { bytes } = this;
    this.draining = true;
    try {
      while (this.popped - before < limit && this.head !== this.tailSeen) {
        const start = this.locate();
        let result: unknown;
        try {
          result = callback(bytes, start, this.end, this.kind);
        } catch (error) {
          this.advance();
          throw error;
        }
        if (result === DRAIN_ABORT) break;
        this.advance();
        if (result === DRAIN_STOP) break;
        if (((this.head - this.released) | 0) > this.drainBytes) this.publish();
      }
    } finally {
      this.draining = false;
      if (this.head !== this.released) this.publish();
    }
    return this.popped - before;
  }

  /**
   * Hands out the next record in place and holds it; several may be held at a time.
   *
   * Cost: O(1), no allocation.
   *
   * @returns where it starts in `bytes` (its end and kind are in `end` and `kind`), or -1 when there is none
   */
  peek(): number {
    if (this.draining) this.refuseHeld('peek');
    const from = this.locate();
    if (from < 0) return -1;
    this.start = from;
    this.cursor = this.after;
    this.held++;
    return from;
  }

  /**
   * Gives back the oldest held records; their bytes are no longer yours.
   *
   * @param count - how many (1 to `held`)
   * @throws {RingRangeError} If fewer are held.
   */
  release(count = 1): void {
    if (!(count >= 0 && count <= this.held && (count | 0) === count)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `count must be from 0 to the records held: count=${count}, held=${this.held}`,
      );
    }
    const { cursor, start, end, kind } = this;
    this.cursor = this.head;
    for (let i = 0; i < count; i++) {
      this.locate();
      this.advance();
    }
    this.held -= count;
    this.cursor = cursor;
    this.start = start;
    this.end = end;
    this.kind = kind;
    if (((this.head - this.released) | 0) > this.releaseBytes) this.publish();
  }

  /** Gives all released space back to the producer, and wakes it if it sleeps. */
  flush(): void {
    if (this.head !== this.released) this.publish();
  }

  /** Bytes of published records that haven't been taken, headers included (0 to `capacity`). */
  get availableBytes(): number {
    this.loadTail();
    return (this.tailSeen - this.cursor) | 0;
  }

  /**
   * Finds the record at the cursor: returns its first byte, sets `end`, `kind` and `after`; -1 when there is none.
   * @internal
   */
  locate(): number {
    let index = this.cursor;
    if (index === this.tailSeen) {
      this.loadTail();
      if (index === this.tailSeen) {
        if (this.head !== this.released) this.publish(); // never sit on space while empty
        return -1;
      }
    }
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
    this.after = (index + size) | 0;
    this.kind = header >>> KIND_SHIFT;
    const from = offset + HEADER_BYTES + pad;
    this.end = from + length;
    return from;
  }

  /** Moves head and cursor behind the located record. @internal */
  advance(): void {
    if (this.debug) this.poison();
    this.head = this.after;
    this.cursor = this.after;
    this.popped++;
  }

  private take(): void {
    this.advance();
    if (((this.head - this.released) | 0) > this.releaseBytes) this.publish();
  }

  /** Stores the head and wakes a producer that sleeps. */
  private publish(): void {
    if (this.owner !== undefined) this.checkSole();
    const { words } = this;
    this.released = this.head;
    Atomics.store(words, HEAD, this.head); // C2
    if (Atomics.load(words, SPACE_LINE + FLAG) !== 0) this.alert(); // C4
  }

  /** Wakes the producer once its target has been reached. @internal */
  alert(): void {
    const { words } = this;
    if (((this.released - Atomics.load(words, SPACE_LINE + TARGET)) | 0) < 0) return;
    this.wakes++;
    wake(words, SPACE_LINE, this.bell);
  }

  /** Loads the producer's index. @internal */
  loadTail(): void {
    const tail = Atomics.load(this.words, TAIL);
    if (tail === this.tailSeen) return;
    this.tailSeen = tail; // C3
    const used = (tail - this.released) | 0;
    const ahead = (tail - this.cursor) | 0;
    if (used < 0 || used > this.capacity || ahead < 0 || (ahead & 3) !== 0) {
      throw new RingStateError(
        'ERR_RING_CORRUPT',
        `indices contradict each other: head=${this.released}, tail=${tail}, capacity=${this.capacity}`,
      ); // L3
    }
    if (used > this.highWater) this.highWater = used;
    if (((this.head - this.countedAt) | 0) > this.capacity >> 1) this.storeCounts();
  }

  /** @internal */
  storeCounts(): void {
    const { words } = this;
    this.countedAt = this.head;
    storeCount(words, CONSUMER_COUNTS, this.popped);
    storeCount(words, CONSUMER_COUNTS + COUNT_WORDS, this.highWater);
    storeCount(words, CONSUMER_COUNTS + 2 * COUNT_WORDS, this.waiter.parks);
    storeCount(words, CONSUMER_COUNTS + 3 * COUNT_WORDS, this.wakes);
  }

  private adopt(target: Uint8Array): void {
    this.target = target;
    this.targetWords = wordsOf(target);
    this.targetBase = target.byteOffset & 3;
  }

  /** Debug mode: makes a use after release visible. */
  private poison(): void {
    const offset = this.head & this.mask;
    const size = (this.after - this.head) | 0;
    const room = this.capacity - offset;
    this.bytes.fill(POISON, offset, offset + Math.min(size, room));
    if (size > room) this.bytes.fill(POISON, 0, size - room);
  }

  /** Debug mode: finds a second consumer, or a second thread. */
  private checkSole(): void {
    checkOwner(this.words, this.owner!);
    const head = Atomics.load(this.words, HEAD);
    if (head !== this.released) {
      throw new RingStateError(
        'ERR_RING_OWNER',
        `a second consumer has stored the head: head=${head}, expected ${this.released}`,
      );
    }
  }

  private refuseHeld(call: string): never {
    throw new RingStateError(
      'ERR_RING_ORDER',
      this.draining
        ? `${call} inside a drain callback`
        : `${call} while records are held: held=${this.held}; release them first`,
    );
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
