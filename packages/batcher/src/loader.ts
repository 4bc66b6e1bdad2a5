/**
 * `load(key)`: one value for one key, many loads in one request.
 *
 * The shape that dataloader made known, on an adaptive batcher: loads of one tick (promise reactions included) share a
 * request, and loads of later ticks join it when the law expects that to pay.
 *
 * Invariants
 * - D1: with the cache, loads of a key share one promise until `clear`, or until it fails.
 * - D2: every load settles exactly once: with its value, its own error, or the error of its request.
 * - D3: what a load needs to be settled travels through the batcher with its key.
 *
 * One thread. Cost of a load: a promise with its two functions and one small object, O(1); a request copies its keys.
 */
import type { Batcher } from './batcher.ts';
import { createBatcher } from './create-batcher.ts';
import { BatcherArgumentError } from './errors.ts';
import { list } from './merge.ts';
import type { FlushReport } from './options.ts';
import { defaultScheduler, type Scheduler, tickEndAfterJobs } from './scheduler.ts';

/** Where a loader keeps its promises: a `Map`, or something bounded with the same four methods. */
export interface LoaderCache<CacheKey, Value> {
  /** Returns the promise of a key, undefined if there is none. */
  get(key: CacheKey): Promise<Value> | undefined;
  /** Keeps the promise of a key. */
  set(key: CacheKey, value: Promise<Value>): unknown;
  /** Forgets a key. */
  delete(key: CacheKey): unknown;
  /** Forgets all keys. */
  clear(): unknown;
}

/** Options of `createLoader`. */
export interface LoaderOptions<Key, Value, CacheKey = Key> {
  /** Loads many keys: as many results, in the same order; an `Error` in place of a value fails that key alone. */
  readonly load: (
    keys: readonly Key[],
    signal: AbortSignal,
  ) => PromiseLike<readonly (Value | Error)[]> | readonly (Value | Error)[];
  /**
   * Whether loads of a key share one promise until `clear`, or where these promises are kept (an LRU, for instance);
   * with `false` each load asks anew. @defaultValue true, a `Map` without bound
   */
  readonly cache?: boolean | LoaderCache<CacheKey, Value>;
  /** Returns what tells keys apart. @defaultValue the key itself */
  readonly cacheKey?: (key: Key) => CacheKey;
  /** Keys in a request. @defaultValue 1000 */
  readonly countMax?: number;
  /** Requests that may run at once; loads inside `load` need 2 or more. @defaultValue Infinity */
  readonly concurrency?: number;
  /** Longest hold (ms). @defaultValue 2 */
  readonly delayMsMax?: number;
  /**
   * `learned` may hold a request past its tick, `none` never does. @defaultValue 'learned' with `costMs`, else 'none':
   * what `load` does before it returns its promise says nothing about what a request costs
   */
  readonly hold?: 'learned' | 'none';
  /** What a request costs besides its keys (ms). @defaultValue unknown, so that nothing is held */
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
  /** Forgets a key, so that it will be loaded anew; returns the loader. */
  clear(key: Key): Loader<Key, Value>;
  /** Forgets all keys; returns the loader. */
  clearAll(): Loader<Key, Value>;
  /**
   * Puts a value in the cache unless the key is there (`clear(key).prime(key, value)` replaces it); an `Error` makes
   * loads of the key reject until `clear`. Returns the loader.
   */
  prime(key: Key, value: Value | Error): Loader<Key, Value>;
  /** Sends what waits, now. */
  flush(): void;
  /** Sends what waits and ends; later loads reject. */
  close(): Promise<void>;
  /** The batcher behind it, for its statistics. */
  readonly batcher: Batcher<unknown, unknown, unknown>;
}

/** A load that waits: the item that the batcher carries. */
interface Load<Key, Value> {
  readonly key: Key;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
  /** What the cache has, with a cache. */
  promise: Promise<Value> | undefined;
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
  const { cache: chosen = true } = options;
  const cache: LoaderCache<CacheKey, Value> | undefined =
    chosen === true ? new Map<CacheKey, Promise<Value>>() : chosen === false ? undefined : chosen;
  const report: FlushReport | undefined = costMs === undefined ? undefined : { costMs };
  let running = 0;
  let onFree: (() => void) | undefined;
  const onIdle: (() => void)[] = [];

  /** Rejects a load, and takes it out of the cache: the next one tries again. */
  const fail = (failed: Load<Key, Value>, error: unknown): void => {
    failed.reject(error);
    if (cache === undefined) return;
    const id = cacheKey(failed.key);
    if (cache.get(id) === failed.promise) cache.delete(id);
  };
  const end = (): void => {
    running--;
    onFree?.();
    onFree = undefined;
    if (running === 0) for (const resolve of onIdle.splice(0)) resolve();
  };
  /** Sends a request. */
  const send = (loads: readonly Load<Key, Value>[], signal: AbortSignal): void => {
    const keys = loads.map((load) => load.key);
    running++;
    const onError = (error: unknown): void => {
      for (const load of loads) fail(load, error); // D2
      end();
    };
    const onResults = (results: readonly (Value | Error)[]): void => {
      if (!Array.isArray(results) || results.length !== loads.length) {
        const lengths = `keys=${loads.length}, results=${results?.length}`;
        onError(new TypeError(`load must return one result per key: ${lengths}`));
        return;
      }
      for (let i = 0; i < loads.length; i++) {
        const result = results[i]!;
        if (result instanceof Error) fail(loads[i]!, result);
        else loads[i]!.resolve(result);
      }
      end();
    };
    try {
      Promise.resolve(options.load(keys, signal)).then(onResults, onError);
    } catch (error) {
      onError(error);
    }
  };
  const batcher = createBatcher({
    merge: list<Load<Key, Value>>(),
    scheduler: options.scheduler ?? { ...defaultScheduler(), tickEnd: tickEndAfterJobs },
    waiting: 'each',
    hold: options.hold ?? (costMs === undefined ? 'none' : 'learned'),
    delayMsMax: options.delayMsMax ?? 2,
    countMax: options.countMax ?? 1000,
    pendingBytesMax: Number.POSITIVE_INFINITY,
    flush: ({ entries, signal }) => {
      send(
        entries.length === 1 ? entries[0]!.value : entries.flatMap((entry) => entry.value),
        signal,
      );
      if (running < concurrency) return report;
      return new Promise<FlushReport | undefined>((resolve) => {
        onFree = () => resolve(report);
      });
    },
  });
  const lane = batcher.lane(undefined);

  const load = (key: Key): Promise<Value> => {
    let id: CacheKey | undefined;
    if (cache !== undefined) {
      id = cacheKey(key);
      const known = cache.get(id);
      if (known !== undefined) return known; // D1
    }
    let waiting: Load<Key, Value>;
    // An executor for each load: once inlined it is no closure any more, and cheaper than one for all.
    const promise = new Promise<Value>((resolve, reject) => {
      waiting = { key, resolve, reject, promise: undefined };
    });
    if (cache !== undefined) {
      waiting!.promise = promise;
      cache.set(id!, promise);
    }
    try {
      lane.push(waiting!); // last: the request may be sent inside the push
    } catch (error) {
      fail(waiting!, error); // a push that throws has taken nothing
    }
    return promise;
  };
  const close = async (): Promise<void> => {
    await batcher.close();
    if (running === 0) return;
    await new Promise<void>((resolve) => {
      onIdle.push(resolve);
    });
  };
  const loader: Loader<Key, Value> = {
    load,
    loadMany: (keys) =>
      Promise.all(
        keys.map((key) =>
          load(key).catch((error) =>
            error instanceof Error ? error : new Error('load failed', { cause: error }),
          ),
        ),
      ),
    clear: (key) => {
      cache?.delete(cacheKey(key));
      return loader;
    },
    clearAll: () => {
      cache?.clear();
      return loader;
    },
    prime: (key, value) => {
      if (cache === undefined) return loader;
      const id = cacheKey(key);
      if (cache.get(id) !== undefined) return loader;
      const primed = value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
      primed.catch(() => {}); // nobody has asked yet
      cache.set(id, primed);
      return loader;
    },
    flush: () => void batcher.flush(),
    close,
    batcher: batcher as Batcher<unknown, unknown, unknown>,
    [Symbol.asyncDispose]: close,
  };
  return loader;
}
