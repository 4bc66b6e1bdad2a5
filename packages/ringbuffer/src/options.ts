/** Options that handles of every topology share. */
import type { CopyKernel } from './copy.ts';
import type { Doorbell, WaitStrategy } from './wait.ts';

/** What a full ring means to `push` and `tryPush`. */
export type FullPolicy = 'block' | 'fail' | 'drop-newest';

/**
 * When pushed records become visible to the consumer: at once, at the end of the current tick (microtask), or
 * when more than so many bytes have gathered. Every policy publishes on `flush`, before it waits, when the
 * ring is full, and on close.
 */
export type PublishPolicy = 'each' | 'tick' | number;

/** Options of every handle. */
export interface HandleOptions {
  /**
   * Copy kernel; leave it alone except to test or to compare.
   *
   * @defaultValue 'auto'
   */
  readonly copy?: CopyKernel;
  /**
   * Most turns of the spin loop before a wait puts the thread to sleep (count, 0 or more); adapts downwards
   * while spinning doesn't pay.
   *
   * @defaultValue 0 for asynchronous and 2000 for blocking waits
   */
  readonly spin?: number;
  /**
   * Whether a pending asynchronous wait keeps the process (or worker) alive. Change it later by `ref()` and
   * `unref()`.
   *
   * @defaultValue true
   */
  readonly ref?: boolean;
  /**
   * How asynchronous waits sleep. `auto` takes the doorbell if there is one, else `Atomics.waitAsync`, else
   * it polls once a millisecond.
   *
   * @defaultValue 'auto'
   */
  readonly strategy?: WaitStrategy;
  /** Port to the peer, which has the other one: used to wake it, and by the strategy `doorbell`. */
  readonly doorbell?: Doorbell;
  /**
   * Finds misuse, at a cost: a second handle on the same end, use from two threads, use after release.
   *
   * @defaultValue false
   */
  readonly debug?: boolean;
}

/** Options of a producer. */
export interface ProducerOptions extends HandleOptions {
  /**
   * When records become visible.
   *
   * @defaultValue 'each'
   */
  readonly publish?: PublishPolicy;
  /**
   * What a full ring means: `push` waits, fails, or drops the record that it was given and counts it.
   *
   * @defaultValue 'block'
   */
  readonly full?: FullPolicy;
  /**
   * Alignment of payloads in the ring (4 or 8 bytes). With 8, a `Float64Array` or `BigInt64Array` can lie on them.
   *
   * @defaultValue 4
   */
  readonly alignBytes?: 4 | 8;
}

/** Options of a consumer. */
export interface ConsumerOptions extends HandleOptions {
  /**
   * Space is given back to the producer when more than so many bytes have been released (bytes, 0 or more);
   * always when the ring is empty, and before a wait.
   *
   * @defaultValue 0
   */
  readonly releaseBytes?: number;
}
