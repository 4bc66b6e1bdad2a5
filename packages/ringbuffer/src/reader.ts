/**
 * Taking records and waiting for them, as all consumers do it. What there is to wait for is up to the subclass.
 *
 * D1: the end of the stream is reported only when the producer's end was seen and, after that, the ring was
 *     seen empty: the producer publishes everything before it ends. So after a wait the record is looked for again.
 */
import {
  deadlineOf,
  leftMsOf,
  timeoutOf,
  type Waitable,
  type Waiter,
  type WaitOptions,
} from './wait.ts';

const NO_OPTIONS: WaitOptions = {};

/** The waiting half of a consumer: what consumers of every topology share. */
export abstract class Reader<Options extends WaitOptions = WaitOptions> {
  /** @internal */ declare waiter: Waiter;
  /** Asynchronous waits that haven't ended (count). @internal */
  pending = 0;

  /** Takes the next record as a copy of its own; undefined when there is none. */
  abstract tryPop(): Uint8Array | undefined;
  /** Whether a record is there. @internal */
  abstract hasRecord(): boolean;
  /** What such a wait waits for: a record, or that none will ever come. May be the same for each. @internal */
  abstract subject(options: WaitOptions): Waitable;

  /**
   * Waits until a record can be taken.
   *
   * @returns true when there is one; false when the stream has ended and is drained, or `timeoutMs` has passed
   */
  async ready(options: Options | WaitOptions = NO_OPTIONS): Promise<boolean> {
    timeoutOf(options);
    this.pending++;
    try {
      await this.waiter.wait(this.subject(options), options);
    } finally {
      this.pending--;
    }
    return this.hasRecord();
  }

  /**
   * Blocks the thread until a record can be taken.
   *
   * @returns true when there is one; false when the stream has ended and is drained, or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  readySync(options: Omit<Options | WaitOptions, 'signal'> = NO_OPTIONS): boolean {
    this.waiter.waitSync(this.subject(options), timeoutOf(options));
    return this.hasRecord();
  }

  /**
   * Takes the next record, and waits for it if need be.
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
   * Takes the next record, and blocks the thread until there is one.
   *
   * @returns the payload (owned), or undefined when the stream has ended or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  popSync(options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): Uint8Array | undefined {
    return this.tryPop() ?? (this.readySync(options) ? this.tryPop() : undefined);
  }

  /** Yields owned copies of the records, one at a time, until the stream ends. Leaving the loop doesn't close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.ready()) {
      for (let record = this.tryPop(); record !== undefined; record = this.tryPop()) yield record;
    }
  }

  /** Makes waits keep the process alive, from the next one on. */
  ref(): void {
    this.waiter.ref = true;
  }

  /** Lets the process end although a wait is pending, from the next wait on. */
  unref(): void {
    this.waiter.ref = false;
  }
}
