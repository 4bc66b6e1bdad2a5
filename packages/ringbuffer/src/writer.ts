/**
 * Pushing and waiting for room, as all producers do that may wait. Where a record goes, and what there is to wait for,
 * is up to the subclass.
 *
 * P6: pushes that wait form a queue, so records keep the order of the calls; while it isn't empty, `tryPush`
 *     and `claim` report "full".
 */
import { RingStateError } from './errors.ts';
import type { FullPolicy } from './options.ts';
import {
  deadlineOf,
  leftMsOf,
  timeoutOf,
  type Waitable,
  type Waiter,
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
 * States of a producer. Anything but OPEN makes the entry points look closer; above it: a claim is open, and takes so
 * many index units. (One field for both, as each store of a field counts in the time of a small record.)
 */
export const OPEN = 0;
/** An earlier asynchronous push waits for room, and must stay first. */
export const QUEUED = -1;
export const ENDED = -2;

/** The waiting half of a producer: what the producing ends of all rings that can be full share. */
export abstract class Writer {
  /** Size of the ring: bytes with headers, or slots (a power of two). */
  declare readonly capacity: number;

  /** @internal */ declare readonly full: FullPolicy;
  /** @internal */ declare waiter: Waiter;
  /** @internal */ state: number = OPEN;
  /** Pushes that wait, oldest first; an object each, told apart by identity. */
  private readonly queue: object[] = [];

  /** @internal */
  constructor(capacity: number, full: FullPolicy = 'block') {
    this.capacity = capacity;
    this.full = full;
  }

  /** Appends a copy of `source[start, end)` as one record; false when the ring is full. */
  abstract tryPush(source: Uint8Array, start?: number, end?: number, kind?: number): boolean;
  /** Appends a record per source, all or none. */
  abstract tryPushMany(sources: readonly Uint8Array[], kind?: number): boolean;
  /** Index units that a record of that length takes at the tail; throws if it never fits. @internal */
  abstract extent(lengthBytes: number): number;
  /** Index units that this record takes at the tail. @internal */
  abstract extentFor(source: Uint8Array, start: number, length: number): number;
  /** Index units that these records take at the tail. @internal */
  abstract extentOf(sources: readonly Uint8Array[]): number;
  /** Index units that are free, as far as is known (0 to `capacity`). @internal */
  abstract free(): number;
  /** What a wait for so much room waits for; with a ticket, for its turn as well. @internal */
  abstract room(total: number, ticket?: object): Waitable;
  /** Whether either end has ended. @internal */
  abstract hasEnded(): boolean;
  /** @internal */
  abstract refuseEnded(): never;

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
    if (this.tryPush(source, start, end, kind)) return true;
    if (!this.blocks()) return false;
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
    if (this.tryPushMany(sources, kind)) return true;
    if (!this.blocks()) return false;
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
    if (!(await this.waiter.wait(this.room(this.extent(lengthBytes)), wait))) return false;
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
    return this.waiter.waitSync(this.room(this.extent(lengthBytes)), timeoutMs) && !this.hasEnded();
  }

  /** Makes waits keep the process alive, from the next one on. */
  ref(): void {
    this.waiter.ref = true;
  }

  /** Lets the process end although a wait is pending, from the next wait on. */
  unref(): void {
    this.waiter.ref = false;
  }

  /** What the policy says about a full ring: whether to wait. */
  private blocks(): boolean {
    if (this.full === 'block') return true;
    if (this.full === 'fail') {
      throw new RingStateError(
        'ERR_RING_FULL',
        `the ring is full: free=${this.free()} of capacity=${this.capacity}`,
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
    if (this.state === OPEN) this.state = QUEUED; // P6
    try {
      for (;;) {
        options.signal?.throwIfAborted();
        if (this.hasEnded()) this.refuseEnded();
        if (this.isTurnOf(ticket)) {
          this.state = OPEN;
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

  /** Whether nobody else may go first. @internal */
  isTurnOf(ticket: object | undefined): boolean {
    return ticket === undefined || this.queue[0] === ticket;
  }
}
