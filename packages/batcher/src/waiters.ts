/** Promises that wait for a state of the batcher, each with an optional deadline and signal. */
import { BatcherTimeoutError } from './errors.ts';
import type { Scheduler } from './scheduler.ts';

/** How long a waiting function waits, and what ends it early. */
export interface WaitOptions {
  /** Rejects the wait with its reason when aborted. */
  readonly signal?: AbortSignal;
  /** Rejects the wait with `ERR_BATCHER_TIMEOUT` after this time (ms). */
  readonly timeoutMs?: number;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** The pending waits of a batcher. */
export class Waiters {
  readonly #waiters = new Set<Waiter>();
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Returns a promise that resolves once `isMet`, checked at every `settle`. */
  add(isMet: () => boolean, what: string, options: WaitOptions = {}): Promise<void> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      let timer: unknown;
      const onAbort = (): void => waiter.reject(signal!.reason);
      const end = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        if (timer !== undefined) this.#scheduler.cancel(timer);
      };
      const waiter: Waiter = {
        isMet,
        resolve: () => {
          end();
          resolve();
        },
        reject: (reason) => {
          end();
          reject(reason);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort);
      if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
        timer = this.#scheduler.wake(() => {
          timer = undefined;
          waiter.reject(new BatcherTimeoutError(`${what} took longer than timeoutMs=${timeoutMs}`));
        }, timeoutMs);
      }
    });
  }

  /** Resolves every wait whose condition holds. */
  settle(): void {
    if (this.#waiters.size === 0) return;
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.resolve();
  }

  /** Rejects every wait. */
  rejectAll(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(reason);
  }
}
