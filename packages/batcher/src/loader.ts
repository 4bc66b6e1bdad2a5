/**
 * `load(key)`: one value for one key, many loads in one request. The shape that dataloader made known.
 *
 * Loads of one tick (promise reactions included) share a request; told what a request costs, the law of the batcher
 * lets loads of later ticks join it when that should pay. How: request-loader.ts.
 */
import type { Batcher } from './batcher.ts';
import { RequestLoader } from './request-loader.ts';
import type { Scheduler } from './scheduler.ts';

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

/** What `load` is told besides its keys. */
export interface LoadRequest {
  /** Aborted when `loader.batcher` is aborted; made at its first reading. */
  readonly signal: AbortSignal;
}

/** Options of `createLoader`. */
export interface LoaderOptions<Key, Value, CacheKey = Key> {
  /** Loads many keys: as many results, in the same order; an `Error` in place of a value fails that key alone. */
  readonly load: (
    keys: readonly Key[],
    request: LoadRequest,
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
  /**
   * The batcher behind it, for its statistics. A loader that holds nothing and limits no `concurrency` makes it at the
   * first reading, and from then on sends through it.
   */
  readonly batcher: Batcher<unknown, unknown, unknown>;
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
  return new RequestLoader(options);
}
