/**
 * A work queue: any number of producers and of consumers, each record goes to one consumer.
 *
 * Dmitry Vyukov's bounded MPMC queue (2010): slots with stamps, claimed by compare-and-swap on two indices.
 *
 * ```text
 * byte 0              1024             1024 + 4 * slotCount (rounded to 128)
 *      +---------------+----------------+--------------------------------------+
 *      | control block | stamps, i32    | slots: length i32, kind i32, payload |
 *      +---------------+----------------+--------------------------------------+
 * line 1: tail, the next index to push; line 2: head, the next index to pop; line 3 and 4: waiting poppers, pushers
 * ```
 * M1: stamp === index: the slot is free for the push at this index. The pusher that moves the tail from index to
 *     index + 1 owns the slot, writes it and stores stamp = index + 1.
 * M2: stamp === index + 1: the slot holds the record of this index. The popper that moves the head owns it, reads
 *     it and stores stamp = index + slotCount.
 * M3: a slot's payload is accessed only by its owner, between the compareExchange and the store of the stamp,
 *     each of which reads the stamp stored by the owner before: no data race.
 *
 * What is promised: a push or pop happens in two steps, reserve (the compareExchange) and complete (the stamp).
 * Records are popped in the order in which their pushes were reserved. `tryPop` may say empty, and `tryPush`
 * full, while an older operation of another thread is half done; no bounded queue of this kind is a strict FIFO.
 * A thread killed between the two steps leaves a slot that blocks the queue at that place, and `halfDone` says
 * which: where threads are terminated, use lanes.
 *
 * Threads: a handle belongs to one thread, which may push and pop. Proved by the scenarios of
 * test/interleave/queue-scenarios.ts that begin with `queue, `.
 * Cost: one Atomics.compareExchange, two loads and one store per push or pop, more under contention.
 */
import { type CopyPlan, copyBulk, copyBytes, copyPlan } from './copy.ts';
import { endOnce, hasEnded, readEnd } from './ends.ts';
import {
  RingClosedError,
  type RingEnd,
  RingRangeError,
  RingStateError,
  RingTypeError,
} from './errors.ts';
import { type HalfDone, halfDoneIn, stampsOf } from './half-done.ts';
import {
  CAPACITY,
  CONTROL_BYTES,
  controlWords,
  DATA_LINE,
  HEAD,
  LINE_BYTES,
  PRODUCER_END,
  SLOT_BYTES,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import type { HandleOptions } from './options.ts';
import {
  deadlineOf,
  FLAG,
  leftMsOf,
  type Waitable,
  Waiter,
  type WaitOptions,
  wake,
} from './wait.ts';

/** Bytes in front of each payload. */
export const SLOT_HEADER_BYTES = 8;
const NO_OPTIONS: WaitOptions = {};

/** Bytes that the stamps take. */
export const stampsBytes = (slotCount: number): number =>
  // mutant-ok mask-off-by-one: any multiple of 4 would do; 128 keeps slots off the stamps' lines
  (slotCount * 4 + LINE_BYTES - 1) & -LINE_BYTES;

/**
 * Pushes and pops records of a work queue. Get one from {@link attachQueue}.
 *
 * Concurrency: each handle belongs to one thread; any number of handles may push and pop at once (scenarios
 * `queue, 2 producers x 1, 2 consumers x 1` and `queue, 2 producers x 2, 1 consumer x 4`).
 */
export class WorkQueue {
  /** Slots (a power of two). */
  declare readonly capacity: number;
  /** Longest record (bytes). */
  declare readonly slotBytes: number;
  /** Bit that travelled with the record popped last (0 or 1). */
  kind = 0;
  /** Records pushed by this handle (count). */
  pushed = 0;
  /** Records popped by this handle (count). */
  popped = 0;

  declare private readonly words: Int32Array;
  declare private readonly stamps: Int32Array;
  declare private readonly data: Int32Array;
  declare private readonly bytes: Uint8Array;
  declare private readonly plan: CopyPlan;
  declare private readonly mask: number;
  declare private readonly stride: number;
  declare private readonly dataWaiter: Waiter;
  declare private readonly spaceWaiter: Waiter;
  declare private readonly records: Waitable;
  declare private readonly room: Waitable;
  private bell: (() => void) | undefined;

  /** @internal */
  constructor(
    buffer: ArrayBufferLike,
    byteOffset: number,
    words: Int32Array,
    options: HandleOptions,
  ) {
    const slotCount = words[CAPACITY]!;
    const slotBytes = words[SLOT_BYTES]!;
    if (!(slotCount >= 2 && (slotCount & (slotCount - 1)) === 0 && slotBytes > 0)) {
      throw new RingTypeError(
        'ERR_RING_FORMAT',
        `control block is damaged: slotCount=${slotCount}, slotBytes=${slotBytes}`,
      );
    }
    this.words = words;
    this.capacity = slotCount;
    this.slotBytes = slotBytes;
    this.mask = slotCount - 1;
    this.stride = slotBytes + SLOT_HEADER_BYTES;
    this.plan = copyPlan(options.copy ?? 'auto');
    const slotsAt = byteOffset + CONTROL_BYTES + stampsBytes(slotCount);
    controlWords(buffer, byteOffset, slotsAt - byteOffset + slotCount * this.stride);
    this.stamps = stampsOf(buffer, byteOffset, slotCount);
    this.data = new Int32Array(buffer, slotsAt, (slotCount * this.stride) >> 2);
    this.bytes = new Uint8Array(buffer, slotsAt, slotCount * this.stride);
    const { doorbell } = options;
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    const settings = {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: options.strategy ?? 'auto',
      doorbell,
      before: () => {},
    };
    this.dataWaiter = new Waiter(words, DATA_LINE, settings);
    this.spaceWaiter = new Waiter(words, SPACE_LINE, settings);
    const announce = (): void => {};
    this.records = { isReady: () => this.hasRecord() || this.closed, announce };
    this.room = { isReady: () => this.hasRoom() || this.isOver(), announce };
  }

  /**
   * Appends a copy of `source[start, end)` as one record.
   *
   * @param source - bytes to copy
   * @param start - first byte (index, included)
   * @param end - end (index, excluded)
   * @param kind - one bit that travels with the record (0 or 1)
   * @returns whether it was appended; false when no slot is free, or an older pop isn't complete
   * @throws {RingRangeError} If the range is outside `source` or longer than `slotBytes`.
   * @throws {RingClosedError} If the queue is closed.
   */
  tryPush(source: Uint8Array, start = 0, end: number = source.length, kind = 0): boolean {
    const length = end - start;
    if (!(start >= 0 && length >= 0 && end <= source.length && length <= this.slotBytes)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `start and end must lie in the source and be at most ${this.slotBytes} apart: start=${start}, end=${end}, length=${source.length}`,
      );
    }
    if (this.isOver()) {
      const reached = readEnd(this.words, PRODUCER_END) ?? { how: 'closed', reason: '' };
      throw new RingClosedError(`the queue is closed: reason=${reached.reason}`, reached);
    }
    const { words, stamps, mask } = this;
    let index = Atomics.load(words, TAIL); // mutant-ok other-word: an index behind the tail is noticed below
    for (;;) {
      const ahead = (Atomics.load(stamps, index & mask) - index) | 0;
      if (ahead < 0) return false;
      if (ahead > 0) {
        index = Atomics.load(words, TAIL); // somebody was faster
        continue;
      }
      const seen = Atomics.compareExchange(words, TAIL, index, (index + 1) | 0); // M1
      if (seen === index) break;
      index = seen;
    }
    const at = (index & mask) * this.stride;
    this.data[at >> 2] = length; // mutant-ok swap-statements: the stamp publishes both
    this.data[(at >> 2) + 1] = kind;
    const to = at + SLOT_HEADER_BYTES;
    // mutant-ok skip-condition, index-off-by-one: both ways copy the same
    if (length <= this.plan.bytesMax) copyBytes(source, start, this.bytes, to, length);
    else copyBulk(this.plan, source, start, this.bytes, to, length);
    Atomics.store(stamps, index & mask, (index + 1) | 0);
    this.pushed++;
    // mutant-ok skip-condition: `wake` looks at the flag too; the load is cheaper
    if (Atomics.load(words, DATA_LINE + FLAG) !== 0) wake(words, DATA_LINE, this.bell);
    return true;
  }

  /**
   * Takes the oldest record as a copy of its own.
   *
   * @returns the payload (owned), or undefined when there is none, or an older push isn't complete
   */
  tryPop(): Uint8Array | undefined {
    const index = this.reserve();
    if (index === undefined) return undefined;
    const at = (index & this.mask) * this.stride;
    const record = this.bytes.slice(
      at + SLOT_HEADER_BYTES,
      at + SLOT_HEADER_BYTES + this.lengthAt(at),
    );
    this.complete(index, at);
    return record;
  }

  /**
   * Takes the oldest record by copying it into `target`.
   *
   * Cost: O(length), no allocation.
   *
   * @param target - where to copy to; from `offset` on there must be `slotBytes` bytes
   * @param offset - where in `target` (index, included)
   * @returns the payload's length (bytes), or -1 when there is none, or an older push isn't complete
   * @throws {RingRangeError} If `target` is too short for the longest record.
   */
  tryPopInto(target: Uint8Array, offset = 0): number {
    // Checked before the slot is ours: a reserved record can't be put back.
    if (!(offset >= 0 && target.length - offset >= this.slotBytes)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `target must have room for ${this.slotBytes} bytes: offset=${offset}, length=${target.length}`,
      );
    }
    const index = this.reserve();
    if (index === undefined) return -1;
    const at = (index & this.mask) * this.stride;
    const length = this.lengthAt(at);
    const from = at + SLOT_HEADER_BYTES;
    // mutant-ok skip-condition, index-off-by-one: both ways copy the same
    if (length <= this.plan.bytesMax) copyBytes(this.bytes, from, target, offset, length);
    else copyBulk(this.plan, this.bytes, from, target, offset, length);
    this.complete(index, at);
    return length;
  }

  /**
   * Appends a copy of the source as one record, and waits for a free slot.
   *
   * Waiting pushes of several threads have no order.
   *
   * @param source - bytes to copy; they must not change until the promise settles
   * @returns whether it was appended; false when `timeoutMs` has passed
   * @throws {RingClosedError} If the queue is closed, also while waiting.
   */
  async push(source: Uint8Array, options: WaitOptions = NO_OPTIONS): Promise<boolean> {
    const deadline = deadlineOf(options);
    for (;;) {
      if (this.tryPush(source)) return true;
      const wait = { signal: options.signal, timeoutMs: leftMsOf(deadline) };
      if (!(await this.spaceWaiter.wait(this.room, wait))) return false;
    }
  }

  /**
   * Appends a copy of the source as one record, and blocks the thread until a slot is free.
   *
   * @param source - bytes to copy
   * @returns whether it was appended; false when `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   * @throws {RingClosedError} If the queue is closed, also while waiting.
   */
  pushSync(source: Uint8Array, options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): boolean {
    const deadline = deadlineOf(options);
    for (;;) {
      if (this.tryPush(source)) return true;
      if (!this.spaceWaiter.waitSync(this.room, leftMsOf(deadline))) return false;
    }
  }

  /**
   * Takes a record, and waits for it if need be.
   *
   * @returns the payload (owned), or undefined when the queue is closed and drained, or `timeoutMs` has passed
   */
  async pop(options: WaitOptions = NO_OPTIONS): Promise<Uint8Array | undefined> {
    const deadline = deadlineOf(options);
    for (;;) {
      const record = this.tryPop();
      if (record !== undefined) return record;
      if (this.closed) return undefined;
      const wait = { signal: options.signal, timeoutMs: leftMsOf(deadline) };
      if (!(await this.dataWaiter.wait(this.records, wait))) return undefined;
    }
  }

  /**
   * Takes a record, and blocks the thread until there is one.
   *
   * @returns the payload (owned), or undefined when the queue is closed and drained, or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  popSync(options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): Uint8Array | undefined {
    const deadline = deadlineOf(options);
    for (;;) {
      const record = this.tryPop();
      if (record !== undefined) return record;
      if (this.closed) return undefined;
      if (!this.dataWaiter.waitSync(this.records, leftMsOf(deadline))) return undefined;
    }
  }

  /** Yields owned copies of records until the queue is closed and drained. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (let record = await this.pop(); record !== undefined; record = await this.pop()) {
      yield record;
    }
  }

  /** Records and reservations that are in the queue (0 to `capacity`). */
  get count(): number {
    const head = Atomics.load(this.words, HEAD);
    return Math.max(0, Math.min(this.capacity, (Atomics.load(this.words, TAIL) - head) | 0));
  }

  /**
   * The push or pop at which the queue stands still, or would next: while a thread is in the middle of it for a
   * moment, and for good if that thread was killed there. Poppers then find nothing, or pushers no room, although
   * there is some; what it says twice, longer apart than a thread may be delayed, won't move again.
   *
   * Concurrency: any thread, at any time (scenarios `queue, push killed at any point` and `queue, looked at while it is
   * used`).
   *
   * @example
   * ```ts
   * import assert from 'node:assert/strict';
   * import { attachQueue, createQueue } from '@millrace/ringbuffer';
   *
   * const queue = attachQueue(createQueue({ slotCount: 64, slotBytes: 32 }).handle);
   * queue.tryPush(Uint8Array.of(1));
   * assert.equal(queue.halfDone, undefined);
   * ```
   */
  get halfDone(): HalfDone | undefined {
    return halfDoneIn(this.words, this.stamps);
  }

  /** How the queue was closed; undefined while it is open. */
  get end(): RingEnd | undefined {
    return readEnd(this.words, PRODUCER_END);
  }

  /** Whether the queue is closed and no record is left. */
  get closed(): boolean {
    return this.isOver() && this.count === 0;
  }

  /**
   * Closes the queue for all threads: pushes fail, what is there can still be popped, and then poppers get the end.
   * Close it when all pushes have returned: one that runs in another thread at this moment may arrive behind the end.
   *
   * @param reason - for the others (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    if (!endOnce(this.words, PRODUCER_END, 'closed', reason)) return;
    wake(this.words, DATA_LINE, this.bell);
    wake(this.words, SPACE_LINE, this.bell);
    this.dataWaiter.kick();
    this.spaceWaiter.kick();
  }

  /** Closes the queue; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  private isOver(): boolean {
    return hasEnded(this.words, PRODUCER_END);
  }

  private hasRecord(): boolean {
    // mutant-deep plain-access: takes two poppers that sleep
    const index = Atomics.load(this.words, HEAD);
    return ((Atomics.load(this.stamps, index & this.mask) - index - 1) | 0) >= 0;
  }

  private hasRoom(): boolean {
    const index = Atomics.load(this.words, TAIL);
    return ((Atomics.load(this.stamps, index & this.mask) - index) | 0) >= 0;
  }

  /** Makes the oldest complete record ours; its index, or undefined. */
  private reserve(): number | undefined {
    const { words, stamps, mask } = this;
    let index = Atomics.load(words, HEAD);
    for (;;) {
      const ahead = (Atomics.load(stamps, index & mask) - index - 1) | 0;
      if (ahead < 0) return undefined;
      if (ahead > 0) {
        index = Atomics.load(words, HEAD); // somebody was faster
        continue;
      }
      const seen = Atomics.compareExchange(words, HEAD, index, (index + 1) | 0); // M2
      if (seen === index) return index;
      index = seen;
    }
  }

  private lengthAt(at: number): number {
    const length = this.data[at >> 2]!;
    if (length >= 0 && length <= this.slotBytes) return length;
    throw new RingStateError(
      'ERR_RING_CORRUPT',
      `slot at offset ${at} has an impossible length: length=${length}, slotBytes=${this.slotBytes}`,
    );
  }

  /** Frees the slot for the push one round later. */
  private complete(index: number, at: number): void {
    const { words } = this;
    this.kind = this.data[(at >> 2) + 1]! & 1;
    Atomics.store(this.stamps, index & this.mask, (index + this.capacity) | 0);
    this.popped++;
    // mutant-ok skip-condition: `wake` looks at the flag too
    if (Atomics.load(words, SPACE_LINE + FLAG) !== 0) wake(words, SPACE_LINE, this.bell);
  }

  /** Makes waits keep the process alive, from the next one on. */
  ref(): void {
    this.dataWaiter.ref = true;
    this.spaceWaiter.ref = true;
  }

  /** Lets the process end although a wait is pending, from the next wait on. */
  unref(): void {
    this.dataWaiter.ref = false;
    this.spaceWaiter.ref = false;
  }
}
