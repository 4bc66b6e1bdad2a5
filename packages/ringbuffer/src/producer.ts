/**
 * The producing end as callers see it: `ProducerCore` plus waiting for room, order between waiting pushes,
 * and ending.
 *
 * Q1: pushes that wait form a queue, so records keep the order of the calls; while it isn't empty, `tryPush`
 *     and `claim` report "full".
 */
import { endOnce, hasEnded, readEnd } from './ends.ts';
import { type RingEnd, RingStateError } from './errors.ts';
import { CONSUMER_END, PRODUCER_END, SPACE_LINE } from './layout.ts';
import { releaseOwner } from './owner.ts';
import { CLAIMED, ENDED, OPEN, ProducerCore, QUEUED } from './producer-core.ts';
import {
  deadlineOf,
  leftMsOf,
  TARGET,
  timeoutOf,
  type Waitable,
  type WaitOptions,
} from './wait.ts';

/** Which bytes to push, and how long to wait for room. */
export interface PushOptions extends WaitOptions {
  /**
   * First byte of the source (index, included).
   *
   * @defaultValue 0
   */
  readonly start?: number;
  /**
   * End of the bytes (index, excluded).
   *
   * @defaultValue the source's length
   */
  readonly end?: number;
  /**
   * One bit that travels with the record (0 or 1).
   *
   * @defaultValue 0
   */
  readonly kind?: number;
}

const NO_OPTIONS: PushOptions = {};

/**
 * Writes records into a ring. Get one from {@link attachProducer}.
 *
 * Concurrency: one producer per ring, used by one thread; the consumer may do anything meanwhile.
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
export class RingProducer extends ProducerCore {
  /** Pushes that wait, oldest first; an object each, told apart by identity. */
  private readonly queue: object[] = [];

  /**
   * Appends a copy of the source's bytes as one record, and waits for room if the policy is to block.
   *
   * The source must not change until the promise settles.
   *
   * @param source - bytes to copy
   * @returns whether it was appended; false when `timeoutMs` has passed, or the policy dropped it
   * @throws {RingStateError} With `ERR_RING_FULL` if the ring is full and the policy is to fail.
   * @throws {RingClosedError} If either end is closed, also while waiting.
   * @throws {RingRangeError} If the range is outside `source` or longer than `lengthBytesMax`.
   */
  async push(source: Uint8Array, options: PushOptions = NO_OPTIONS): Promise<boolean> {
    const { start = 0, end = source.length, kind = 0 } = options;
    if (this.queue.length === 0) {
      if (this.tryPush(source, start, end, kind)) return true;
      if (!this.blocks()) return false;
    }
    const extent = (): number => this.extentFor(source, start, end - start);
    return this.enqueue(() => this.tryPush(source, start, end, kind), extent, options);
  }

  /**
   * Appends a record per source, all or none, and waits until there is room for all of them.
   *
   * @param sources - one array per record; they must not change until the promise settles
   * @returns whether they were appended; false when `timeoutMs` has passed, or the policy dropped them
   * @throws As {@link push} does.
   */
  async pushMany(
    sources: readonly Uint8Array[],
    options: Omit<PushOptions, 'start' | 'end'> = NO_OPTIONS,
  ): Promise<boolean> {
    const { kind = 0 } = options;
    if (this.queue.length === 0) {
      if (this.tryPushMany(sources, kind)) return true;
      if (!this.blocks()) return false;
    }
    const extent = (): number => this.extentOf(sources);
    return this.enqueue(() => this.tryPushMany(sources, kind), extent, options);
  }

  /**
   * Appends a copy of the source's bytes as one record, and blocks the thread while the ring is full.
   *
   * @param source - bytes to copy
   * @returns whether it was appended; false when `timeoutMs` has passed, or the policy dropped it
   * @throws {RingStateError} With `ERR_RING_FULL` if the ring is full and the policy is to fail, with
   * `ERR_RING_BLOCKING` if this thread may not block.
   * @throws {RingClosedError} If either end is closed, also while waiting.
   */
  pushSync(source: Uint8Array, options: Omit<PushOptions, 'signal'> = NO_OPTIONS): boolean {
    const { start = 0, end = source.length, kind = 0 } = options;
    if (this.tryPush(source, start, end, kind)) return true;
    if (!this.blocks()) return false;
    if (this.state === QUEUED) {
      throw new RingStateError('ERR_RING_ORDER', 'an asynchronous push waits, and must stay first');
    }
    const deadline = deadlineOf(options);
    const room = this.room(this.extentFor(source, start, end - start));
    for (;;) {
      if (!this.waiter.waitSync(room, leftMsOf(deadline))) return false;
      if (this.hasEnded()) this.refuseEnded();
      if (this.tryPush(source, start, end, kind)) return true;
    }
  }

  /**
   * Waits until a record of this length would fit.
   *
   * @param lengthBytes - payload (0 to `lengthBytesMax`)
   * @returns whether it fits; false when `timeoutMs` has passed or an end is closed
   */
  async ready(lengthBytes = 0, options: WaitOptions = NO_OPTIONS): Promise<boolean> {
    const wait = { signal: options.signal, timeoutMs: timeoutOf(options) };
    if (!(await this.waiter.wait(this.room(this.extent(lengthBytes, -1)), wait))) return false;
    return !this.hasEnded();
  }

  /**
   * Blocks the thread until a record of this length would fit.
   *
   * @param lengthBytes - payload (0 to `lengthBytesMax`)
   * @returns whether it fits; false when `timeoutMs` has passed or an end is closed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  readySync(lengthBytes = 0, options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): boolean {
    const timeoutMs = timeoutOf(options);
    return (
      this.waiter.waitSync(this.room(this.extent(lengthBytes, -1)), timeoutMs) && !this.hasEnded()
    );
  }

  /** How the consumer ended; undefined while it hasn't. */
  get consumerEnd(): RingEnd | undefined {
    return readEnd(this.words, CONSUMER_END);
  }

  /** Whether records can no longer be pushed because either end is closed. */
  get closed(): boolean {
    return this.hasEnded();
  }

  /**
   * Publishes everything and ends the stream: the consumer gets all records, then the end with this reason.
   * An open claim is aborted. Closing again has no effect.
   *
   * @param reason - for the consumer (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    if (this.state === CLAIMED) this.abort();
    if (!hasEnded(this.words, PRODUCER_END)) this.flush();
    this.storeCounts();
    this.state = ENDED;
    if (endOnce(this.words, PRODUCER_END, 'closed', reason)) this.alert(true);
    this.waiter.kick();
    this.detach();
  }

  /** Publishes everything and lets another handle take over this end (needed in debug mode only). */
  detach(): void {
    if (this.owner === undefined) return;
    if (this.state !== ENDED) this.flush();
    releaseOwner(this.words, this.owner);
    this.owner = undefined;
  }

  /** Makes pending waits keep the process alive from now on. */
  ref(): void {
    this.waiter.ref = true;
  }

  /** Lets the process end although a wait is pending, from the next wait on. */
  unref(): void {
    this.waiter.ref = false;
  }

  /** Closes the stream; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  private hasEnded(): boolean {
    return hasEnded(this.words, PRODUCER_END) || hasEnded(this.words, CONSUMER_END);
  }

  /** What the policy says about a full ring: whether to wait. */
  private blocks(): boolean {
    if (this.full === 'block') return true;
    if (this.full === 'fail') {
      throw new RingStateError(
        'ERR_RING_FULL',
        `the ring is full: used=${this.usedBytes} of capacity=${this.capacity} bytes`,
      );
    }
    return false;
  }

  /** Tries, sleeps and tries again, in the order of the calls. */
  private async enqueue(
    attempt: () => boolean,
    extent: () => number,
    options: WaitOptions,
  ): Promise<boolean> {
    const ticket = {};
    const deadline = deadlineOf(options);
    this.queue.push(ticket);
    if (this.state === OPEN) this.state = QUEUED; // Q1
    try {
      for (;;) {
        options.signal?.throwIfAborted();
        if (this.hasEnded()) this.refuseEnded();
        if (this.queue[0] === ticket) {
          if (this.state === QUEUED) this.state = OPEN;
          if (attempt()) return true;
          this.state = QUEUED;
        }
        const turn = this.room(extent(), ticket);
        const wait = { signal: options.signal, timeoutMs: leftMsOf(deadline) };
        if (!(await this.waiter.wait(turn, wait))) return false;
      }
    } finally {
      this.queue.splice(this.queue.indexOf(ticket), 1);
      if (this.queue.length > 0) {
        if (this.state === OPEN) this.state = QUEUED;
        this.waiter.kick(); // the next one's turn
      } else if (this.state === QUEUED) this.state = OPEN;
    }
  }

  private room(total: number, ticket?: object): Waitable {
    return {
      isReady: () => {
        if (this.hasEnded()) return true;
        return (ticket === undefined || this.queue[0] === ticket) && this.freeBytes >= total;
      },
      announce: () => {
        if (ticket !== undefined && this.queue[0] !== ticket) return;
        const target = (this.tail + total - this.capacity) | 0;
        Atomics.store(this.words, SPACE_LINE + TARGET, target);
        this.storeCounts();
      },
    };
  }
}
