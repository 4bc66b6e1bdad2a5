/**
 * Waiting for records, for consumers of more than one producer or of a ring that may lose records.
 *
 * D1 of `consumer-end.ts` holds here too: after a wait the record is looked for again, so the end is reported
 * only when it was seen before the emptiness.
 */
import { deadlineOf, leftMsOf, timeoutOf, type Waiter, type WaitOptions } from './wait.ts';

const NO_OPTIONS: WaitOptions = {};

/** The waiting half of a consumer: what {@link LanesConsumer} and {@link BroadcastConsumer} share. */
export abstract class Reader {
  /** @internal */ declare waiter: Waiter;

  /** Takes a record as a copy of its own; undefined when there is none. */
  abstract tryPop(): Uint8Array | undefined;
  /** Whether a record is there. @internal */
  abstract hasRecord(): boolean;
  /** Whether a record is there, or none will ever come. @internal */
  abstract isReady(): boolean;
  /** Called before this thread sleeps. @internal */
  abstract announce(): void;

  /**
   * Waits until a record can be taken.
   *
   * @returns true when there is one; false when the stream has ended and is drained, or `timeoutMs` has passed
   */
  async ready(options: WaitOptions = NO_OPTIONS): Promise<boolean> {
    await this.waiter.wait(this, { signal: options.signal, timeoutMs: timeoutOf(options) });
    return this.hasRecord();
  }

  /**
   * Blocks the thread until a record can be taken.
   *
   * @returns true when there is one; false when the stream has ended and is drained, or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  readySync(options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): boolean {
    this.waiter.waitSync(this, timeoutOf(options));
    return this.hasRecord();
  }

  /**
   * Takes a record, and waits for it if need be.
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
   * Takes a record, and blocks the thread until there is one.
   *
   * @returns the payload (owned), or undefined when the stream has ended or `timeoutMs` has passed
   * @throws {RingStateError} With `ERR_RING_BLOCKING` if this thread may not block.
   */
  popSync(options: Omit<WaitOptions, 'signal'> = NO_OPTIONS): Uint8Array | undefined {
    return this.tryPop() ?? (this.readySync(options) ? this.tryPop() : undefined);
  }

  /** Yields owned copies of the records until the stream ends. Leaving the loop doesn't close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (await this.ready()) {
      for (let record = this.tryPop(); record !== undefined; record = this.tryPop()) yield record;
    }
  }

  /** Makes pending waits keep the process alive from now on. */
  ref(): void {
    this.waiter.ref = true;
  }

  /** Lets the process end although a wait is pending, from the next wait on. */
  unref(): void {
    this.waiter.ref = false;
  }
}
