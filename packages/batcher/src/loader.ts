/**
 * `load(key)`: one value for one key, many loads in one request.
 *
 * The shape that dataloader made known, on an adaptive batcher: loads of one tick (promise reactions included) share a
 * request, and loads of later ticks join it when the law expects that to pay.
 *
 * Invariants
 * - D1: concurrent loads of a key share one promise; with a cache, later loads do too, until `clear`.
 * - D2: every load settles exactly once: with its value, its own error, or the error of its request.
 */
import type { Batcher } from './batcher.ts';
import { createBatcher } from './create-batcher.ts';
import { BatcherArgumentError } from './errors.ts';
import { list } from './merge.ts';
import type { FlushReport } from './options.ts';
import { defaultScheduler, type Scheduler, tickEndAfterJobs } from './scheduler.ts';

/** Options of `createLoader`. */
export interface LoaderOptions<Key, Value, CacheKey = Key> {
  /** Loads many keys: as many results, in the same order; an `Error` in place of a value fails that key alone. */
  readonly load: (
    keys: readonly Key[],
    signal: AbortSignal,
  ) => PromiseLike<readonly (Value | Error)[]> | readonly (Value | Error)[];
  /** Whether loaded values are kept until `clear`; loads in flight are shared either way. @defaultValue true */
  readonly cache?: boolean;
  /** Returns what tells keys apart. @defaultValue the key itself */
  readonly cacheKey?: (key: Key) => CacheKey;
  /** Keys in a request. @defaultValue 1000 */
  readonly countMax?: number;
  /** Requests that may run at once; loads inside `load` need 2 or more. @defaultValue Infinity */
  readonly concurrency?: number;
  /** Longest hold (ms). @defaultValue 2 */
  readonly delayMsMax?: number;
  /** `learned` may hold a request past its tick, `none` never does. @defaultValue 'learned' */
  readonly hold?: 'learned' | 'none';
  /** What a request costs besides its keys (ms). @defaultValue the time that `load` takes to return its promise */
  readonly costMs?: number;
  /** Clock and timers. @defaultValue `defaultScheduler()`, whose tick ends after promise reactions */
  readonly scheduler?: Scheduler;
}

/** Loads values by key, in batches. */
export interface Loader<Key, Value> extends AsyncDisposable {
  /** Returns the value of a key. Rejects with what the request or this key failed with. */
  load(key: Key): Promise<Value>;
  /** Returns the values of many keys; a key that failed has its error in its place. */
  loadMany(keys: readonly Key[]): Promise<(Value | Error)[]>;
  /** Forgets a key, so that it will be loaded anew. */
  clear(key: Key): void;
  /** Forgets all keys. */
  clearAll(): void;
  /** Puts a value in the cache unless the key is there. */
  prime(key: Key, value: Value): void;
  /** Sends what waits, now. */
  flush(): void;
  /** Sends what waits and ends; later loads reject. */
  close(): Promise<void>;
  /** The batcher behind it, for its statistics. */
  readonly batcher: Batcher<unknown, unknown, unknown>;
}

interface Load<Key, Value> {
  readonly key: Key;
  readonly cacheKey: unknown;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Creates a loader.
 *
 * @throws {BatcherArgumentError} If an option is outside its range.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { createLoader } from '@millrace/batcher';
 *
 * const requests: number[][] = [];
 * const users = createLoader({
 *   load: async (ids: readonly number[]) => {
 *     requests.push([...ids]);
 *     return ids.map((id) => (id < 0 ? new Error(`no user ${id}`) : `user ${id}`));
 *   },
 * });
 * const [ann, bob, none] = await Promise.allSettled([users.load(1), users.load(2), users.load(-1)]);
 * assert.deepEqual(requests, [[1, 2, -1]]);
 * assert.equal(ann.status === 'fulfilled' && ann.value, 'user 1');
 * assert.equal(none.status, 'rejected');
 * await users.close();
 * ```
 */
export function createLoader<Key, Value, CacheKey = Key>(
  options: LoaderOptions<Key, Value, CacheKey>,
): Loader<Key, Value> {
  if (typeof options.load !== 'function') {
    throw new BatcherArgumentError(`load must be a function: load=${typeof options.load}`);
  }
  const { costMs, cacheKey = (key: Key) => key as unknown as CacheKey } = options;
  const concurrency = options.concurrency ?? Number.POSITIVE_INFINITY;
  if (!(concurrency >= 1)) {
    throw new BatcherArgumentError(`concurrency must be 1 or more: concurrency=${concurrency}`);
  }
  const promises = new Map<CacheKey, Promise<Value>>();
  const report: FlushReport | undefined = costMs === undefined ? undefined : { costMs };
  let running = 0;
  let onFree: (() => void) | undefined;

  const settle = (
    loads: readonly Load<Key, Value>[],
    results: readonly (Value | Error)[],
  ): void => {
    if (!Array.isArray(results) || results.length !== loads.length) {
      throw new TypeError(
        `load must return one result per key: keys=${loads.length}, results=${results?.length}`,
      );
    }
    for (let i = 0; i < loads.length; i++) {
      const result = results[i]!;
      if (result instanceof Error) loads[i]!.reject(result);
      else loads[i]!.resolve(result);
    }
  };
  const finish = (): void => {
    running--;
    onFree?.();
    onFree = undefined;
  };
  const request = async (
    loads: readonly Load<Key, Value>[],
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      settle(
        loads,
        await options.load(
          loads.map((load) => load.key),
          signal,
        ),
      );
    } catch (error) {
      for (const load of loads) load.reject(error); // D2: settled ones ignore it
    } finally {
      finish();
    }
  };
  const batcher = createBatcher({
    merge: list<Load<Key, Value>, undefined>(),
    scheduler: options.scheduler ?? { ...defaultScheduler(), tickEnd: tickEndAfterJobs },
    waiting: 'each',
    hold: options.hold ?? 'learned',
    delayMsMax: options.delayMsMax ?? 2,
    countMax: options.countMax ?? 1000,
    pendingBytesMax: Number.POSITIVE_INFINITY,
    flush: (batch) => {
      const loads: Load<Key, Value>[] = [];
      for (const entry of batch.entries) loads.push(...entry.value);
      running++;
      void request(loads, batch.signal);
      if (running < concurrency) return report;
      return new Promise<FlushReport | undefined>((resolve) => {
        onFree = () => resolve(report);
      });
    },
  });

  const load = (key: Key): Promise<Value> => {
    const id = cacheKey(key);
    const known = promises.get(id);
    if (known !== undefined) return known; // D1
    const promise = new Promise<Value>((resolve, reject) => {
      batcher.push({ key, cacheKey: id, resolve, reject }, undefined);
    });
    promises.set(id, promise);
    const forget = (): void => {
      if (promises.get(id) === promise) promises.delete(id);
    };
    // A failure isn't kept: the next load tries again.
    promise.then(options.cache === false ? forget : undefined, forget);
    return promise;
  };
  const close = async (): Promise<void> => {
    await batcher.close();
    await Promise.allSettled([...promises.values()]);
  };
  return {
    load,
    loadMany: (keys) =>
      Promise.all(
        keys.map((key) =>
          load(key).catch((error) =>
            error instanceof Error ? error : new Error('load failed', { cause: error }),
          ),
        ),
      ),
    clear: (key) => void promises.delete(cacheKey(key)),
    clearAll: () => promises.clear(),
    prime: (key, value) => {
      const id = cacheKey(key);
      if (!promises.has(id)) promises.set(id, Promise.resolve(value));
    },
    flush: () => void batcher.flush(),
    close,
    batcher: batcher as Batcher<unknown, unknown, unknown>,
    [Symbol.asyncDispose]: close,
  };
}
