/**
 * The consuming end as callers see it: `ConsumerCore` plus waiting for records, iteration and ending.
 *
 * D1: the end of the stream is reported only when the producer's end was seen and, after that, the ring was
 *     seen empty: the producer publishes everything before it ends.
 */
import { ConsumerCore, type ConsumerMemory } from './consumer-core.ts';
import { endOnce, hasEnded, readEnd } from './ends.ts';
import type { RingEnd } from './errors.ts';
import { CONSUMER_END, DATA_LINE, PRODUCER_END, SPACE_LINE } from './layout.ts';
import type { ConsumerOptions } from './options.ts';
import { releaseOwner } from './owner.ts';
import {
  deadlineOf,
  FLAG,
  FLAG_ENDED,
  leftMsOf,
  TARGET,
  timeoutOf,
  type Waitable,
  type WaitOptions,
  wake,
} from './wait.ts';

/** How a consumer waits for records. */
export interface ReadyOptions extends WaitOptions {
  /**
   * Watermark: sleep until that many bytes, headers included, are there (1 to half of the capacity). A full
   * ring, the producer's end and the timeout wake earlier.
   *
   * @defaultValue 1
   */
  readonly bytes?: number;
}

const NO_OPTIONS: ReadyOptions = {};
const BATCH_COUNT = 256;

/**
 * Reads records from a ring. Get one from {@link attachConsumer}.
 *
 * Concurrency: one consumer per ring, used by one thread; the producer may do anything meanwhile.
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
export class RingConsumer extends ConsumerCore {
  private ended = false;
  private pending = 0;

  /** @internal */
  constructor(memory: ConsumerMemory, options: ConsumerOptions) {
    super(memory, options, memory.words, DATA_LINE);
  }

  /**
   * Waits until a record can be taken.
   *
   * @returns true when there is one; false when the stream has ended and is drained, or `timeoutMs` has passed
   */
  async ready(options: ReadyOptions = NO_OPTIONS): Promise<boolean> {
    const wait = { signal: options.signal, timeoutMs: timeoutOf(options) };
    this.pending++;
    try {
      await this.waiter.wait(this.records(options.bytes), wait);
    } finally {
      this.pending--;
    }
    return this.availableBytes > 0;
  }

  /**
   * Blocks the thread until a record can be taken.
   *
   * @returns true when there is one; false when the stream has ended and is drained, or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  readySync(options: Omit<ReadyOptions, 'signal'> = NO_OPTIONS): boolean {
    this.waiter.waitSync(this.records(options.bytes), timeoutOf(options));
    return this.availableBytes > 0;
  }

  /**
   * Takes the oldest record, and waits for it if need be.
   *
   * @returns the payload (owned), or undefined when the stream has ended or `timeoutMs` has passed
   */
  async pop(options: WaitOptions = NO_OPTIONS): Promise<Uint8Array | undefined> {
    const deadline = deadlineOf(options);
    for (;;) {
      const record = this.tryPop();
      if (record !== undefined) return record;
      const timeoutMs = leftMsOf(deadline);
      if (!(await this.ready({ signal: options.signal, timeoutMs }))) return undefined;
    }
  }

  /**
   * Takes the oldest record, and blocks the thread until there is one.
   *
   * @returns the payload (owned), or undefined when the stream has ended or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  popSync(options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): Uint8Array | undefined {
    const record = this.tryPop();
    if (record !== undefined) return record;
    return this.readySync(options) ? this.tryPop() : undefined;
  }

  /** Yields owned copies of the records, one at a time, until the stream ends. Leaving the loop doesn't close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.ready()) {
      for (let record = this.tryPop(); record !== undefined; record = this.tryPop()) yield record;
    }
  }

  /**
   * Yields owned copies of all records that are there, as arrays, until the stream ends.
   *
   * @param limit - most records in one array (count, 1 or more)
   */
  async *batches(
    limit: number = BATCH_COUNT,
    options: ReadyOptions = NO_OPTIONS,
  ): AsyncGenerator<Uint8Array[], void, undefined> {
    while (await this.ready(options)) {
      const batch: Uint8Array[] = [];
      this.drain((bytes, start, end) => void batch.push(bytes.slice(start, end)), limit);
      if (batch.length > 0) yield batch;
    }
  }

  /** How the producer ended; undefined while it hasn't. Records may still be there. */
  get producerEnd(): RingEnd | undefined {
    return readEnd(this.words, PRODUCER_END);
  }

  /** Whether no record will ever come again: the producer has ended, or this end has, and the ring is empty. */
  get closed(): boolean {
    return this.isOver() && this.availableBytes === 0;
  }

  /**
   * Tells the producer that nobody reads any more: its pushes fail with `ERR_RING_CLOSED` and this reason.
   * Records that are there can still be taken. Closing again has no effect.
   *
   * @param reason - for the producer (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    const { words } = this;
    this.flush();
    this.storeCounts();
    this.ended = true;
    if (endOnce(words, CONSUMER_END, 'closed', reason)) {
      Atomics.or(words, DATA_LINE + FLAG, FLAG_ENDED); // seen by the producer's next publication
      wake(words, SPACE_LINE, this.bell);
    }
    this.waiter.kick();
    this.detach();
  }

  /** Lets another handle take over this end (needed in debug mode only). */
  detach(): void {
    if (this.owner === undefined) return;
    this.flush();
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

  /** Ends this end; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  private isOver(): boolean {
    return this.ended || hasEnded(this.words, PRODUCER_END);
  }

  private records(bytes = 1): Waitable {
    const least = Math.max(1, Math.min(bytes, this.capacity >> 1));
    return {
      isReady: () => {
        if (this.availableBytes >= least) return true;
        return this.isOver(); // D1: callers look at the ring again
      },
      announce: () => {
        // With several waits pending, the earliest of their targets: any data.
        const target = this.pending > 1 ? this.cursor + 1 : this.cursor + least;
        Atomics.store(this.words, DATA_LINE + TARGET, target | 0);
        this.storeCounts();
      },
    };
  }
}
