/**
 * A loader: collects the loads of a tick and sends them as one request, through a batcher only where it needs one.
 *
 *     load ─▶ next request ─▶ end of the tick, `countMax` or flush ─▶ load(keys) ─▶ results settle the loads
 *         └─▶ batcher: with a learned hold, a bound of concurrency, or once somebody has asked for it ─▶┘
 *
 * Servers make a loader for each request of theirs, and most of these loaders only merge the loads of a tick. A batcher
 * with its clock, limits and statistics is made when something needs it, and takes over what waits.
 *
 * Invariants
 * - D1: with the cache, loads of a key share one promise until `clear`, or until it fails.
 * - D2: every load settles exactly once: with its value, its own error, or the error of its request.
 * - D3: a request has the keys and what settles their loads at the same places; nobody else gets at the latter.
 * - D4: what waits is in the next request, in order, whoever decides when it leaves; a batcher only counts it. So what a
 *   batcher is made late for, or aborted with, is neither lost nor sent twice.
 *
 * One thread. Cost of a load: a promise and the function that resolves it, O(1); one that rejects isn't kept, so that
 * the optimiser needn't make it. To reject, a load is resolved with something whose `then` rejects.
 */
import { Batcher, PUSHES_MAX } from './batcher.ts';
import { BatcherArgumentError, BatcherClosedError, checkRange, throwLater } from './errors.ts';
import { LazySignal } from './lazy-signal.ts';
import type { Loader, LoaderCache, LoaderOptions, LoadRequest } from './loader.ts';
import type { Merge } from './merge.ts';
import type { FlushReport } from './options.ts';
import { defaultScheduler, type Scheduler, tickEndAfterJobs } from './scheduler.ts';

type Settle<Value> = (value: Value | PromiseLike<Value>) => void;

/** Loads that are sent together: keys, and at the same places what settles them (D3). */
interface Request<Key, Value, CacheKey> {
  readonly keys: Key[];
  readonly settlers: Settle<Value>[];
  /** What the cache has of them, with a cache. */
  readonly cacheKeys: CacheKey[];
  readonly promises: Promise<Value>[];
}

const nothing = (): void => {};

/** Cuts the first `count` loads off. */
function takeFrom<Key, Value, CacheKey>(
  waiting: Request<Key, Value, CacheKey>,
  count: number,
): Request<Key, Value, CacheKey> {
  return {
    keys: waiting.keys.splice(0, count),
    settlers: waiting.settlers.splice(0, count),
    cacheKeys: waiting.cacheKeys.splice(0, count),
    promises: waiting.promises.splice(0, count),
  };
}

/** Counts loads: what a loader's batcher delivers. */
const counted: Merge<undefined, undefined, null> = {
  create: () => null,
  append: () => {},
};

/** What a load is resolved with to reject it. */
class Failure implements PromiseLike<never> {
  readonly #error: unknown;

  constructor(error: unknown) {
    this.#error = error;
  }

  // biome-ignore lint/suspicious/noThenProperty: what a promise takes over
  then(_: unknown, reject?: ((error: unknown) => unknown) | null): PromiseLike<never> {
    reject?.(this.#error);
    return this;
  }
}

/** What `load` is given: the signal without the way to abort it. */
class Given implements LoadRequest {
  readonly #failure: LazySignal;

  constructor(failure: LazySignal) {
    this.#failure = failure;
  }

  get signal(): AbortSignal {
    return this.#failure.signal;
  }
}

let common: Scheduler | undefined;
const schedulerAfterJobs = (): Scheduler => {
  common ??= { ...defaultScheduler(), tickEnd: tickEndAfterJobs };
  return common;
};

/** The loader behind `createLoader`. */
export class RequestLoader<Key, Value, CacheKey> implements Loader<Key, Value> {
  readonly #options: LoaderOptions<Key, Value, CacheKey>;
  readonly #cache: LoaderCache<CacheKey, Value> | null;
  readonly #scheduler: Scheduler;
  readonly #countMax: number;
  readonly #delayMsMax: number;
  readonly #failure = new LazySignal();
  #given: Given | undefined;
  /** What waits: the next request, or with a batcher several. */
  #next: Request<Key, Value, CacheKey> | null = null;
  /** Arrival of its first load (ms). */
  #startedMs = 0;
  /** Its loads at which it is full, or the clock is looked at; 0 with a batcher. */
  #lookAt = 0;
  #isTickQueued = false;
  #batcher: Batcher<undefined, undefined, null> | null = null;
  /** Loads and requests sent without a batcher. */
  #sent = 0;
  #requests = 0;
  #running = 0;
  /** Tells the batcher that another request may run. */
  #onFree: (() => void) | undefined;
  #onIdle: (() => void)[] | undefined;

  constructor(options: LoaderOptions<Key, Value, CacheKey>) {
    const { cache = true, concurrency = Number.POSITIVE_INFINITY, hold } = options;
    if (typeof options.load !== 'function') {
      throw new BatcherArgumentError(`load must be a function: load=${typeof options.load}`);
    }
    if (!(concurrency >= 1)) {
      throw new BatcherArgumentError(`concurrency must be 1 or more: concurrency=${concurrency}`);
    }
    const infinity = Number.POSITIVE_INFINITY;
    this.#options = options;
    this.#cache =
      cache === true ? new Map<CacheKey, Promise<Value>>() : cache === false ? null : cache;
    this.#scheduler = options.scheduler ?? schedulerAfterJobs();
    this.#countMax = Math.floor(checkRange('countMax', options.countMax ?? 1000, 1, infinity));
    this.#delayMsMax = checkRange('delayMsMax', options.delayMsMax ?? 2, 0, infinity);
    const holdsNothing = hold === 'none' || (hold === undefined && options.costMs === undefined);
    if (!holdsNothing || concurrency !== infinity) this.#batcher = this.#createBatcher();
  }

  load(key: Key): Promise<Value> {
    const cache = this.#cache;
    let cacheKey: CacheKey | undefined;
    if (cache !== null) {
      cacheKey = this.#cacheKeyOf(key);
      const known = cache.get(cacheKey);
      if (known !== undefined) return known; // D1
    }
    const next = this.#next ?? this.#begin();
    // An executor for each load: once inlined it is no closure any more, and cheaper than one for all.
    const promise = new Promise<Value>((resolve) => {
      next.settlers.push(resolve);
    });
    const count = next.keys.push(key);
    if (cache !== null) this.#keep(cache, next, cacheKey!, promise);
    if (count >= this.#lookAt) this.#look(next);
    return promise;
  }

  /** Puts the newest load in the cache; if that throws, it was no load. */
  #keep(
    cache: LoaderCache<CacheKey, Value>,
    next: Request<Key, Value, CacheKey>,
    cacheKey: CacheKey,
    promise: Promise<Value>,
  ): void {
    try {
      cache.set(cacheKey, promise);
    } catch (error) {
      next.keys.pop();
      next.settlers.pop();
      throw error;
    }
    next.cacheKeys.push(cacheKey);
    next.promises.push(promise);
  }

  #cacheKeyOf(key: Key): CacheKey {
    const { cacheKey } = this.#options;
    return cacheKey === undefined ? (key as unknown as CacheKey) : cacheKey(key);
  }

  #begin(): Request<Key, Value, CacheKey> {
    // An array that has held a function: an empty one is for V8 one of small integers, and the pushes of all loads are
    // then compiled for both kinds, which costs a third more a load (`--trace-deopt` says "not a Smi").
    const settlers: Settle<Value>[] = [nothing];
    settlers.pop();
    const next: Request<Key, Value, CacheKey> = {
      keys: [],
      settlers,
      cacheKeys: [],
      promises: [],
    };
    this.#next = next;
    if (this.#batcher !== null) return next;
    this.#startedMs = this.#scheduler.now();
    this.#lookAt = Math.min(PUSHES_MAX, this.#countMax);
    if (!this.#isTickQueued) {
      this.#isTickQueued = true;
      this.#scheduler.tickEnd(this.#onTickEnd);
    }
    return next;
  }

  readonly #onTickEnd = (): void => {
    this.#isTickQueued = false;
    this.#sendNext();
  };

  /** Tells the batcher; without one, sends what is full, or in a long synchronous loop has waited its time. */
  #look(next: Request<Key, Value, CacheKey>): void {
    if (this.#batcher !== null) {
      this.#count(this.#batcher, next);
      return;
    }
    const { length } = next.keys;
    if (length >= this.#countMax || this.#scheduler.now() - this.#startedMs >= this.#delayMsMax) {
      this.#sendNext();
    } else this.#lookAt = Math.min(length + PUSHES_MAX, this.#countMax);
  }

  #count(batcher: Batcher<undefined, undefined, null>, next: Request<Key, Value, CacheKey>): void {
    try {
      batcher.push(undefined, undefined);
    } catch (error) {
      next.keys.pop(); // what throws has taken nothing
      this.#fail(next.settlers.pop()!, next.cacheKeys.pop(), next.promises.pop(), error);
    }
  }

  #sendNext(): void {
    const next = this.#next;
    if (next === null || this.#batcher !== null) return;
    this.#next = null;
    this.#sent += next.keys.length;
    this.#requests++;
    this.#send(next);
  }

  #send(request: Request<Key, Value, CacheKey>): void {
    this.#running++;
    this.#given ??= new Given(this.#failure);
    try {
      Promise.resolve(this.#options.load(request.keys, this.#given)).then(
        (results) => this.#onResults(request, results),
        (error) => this.#onError(request, error),
      );
    } catch (error) {
      this.#onError(request, error);
    }
  }

  #onResults(
    request: Request<Key, Value, CacheKey>,
    results: readonly (Value | Error)[] | undefined,
  ): void {
    const { settlers } = request;
    if (!Array.isArray(results) || results.length !== settlers.length) {
      const lengths = `keys=${settlers.length}, results=${results?.length}`;
      this.#onError(request, new TypeError(`load must return one result per key: ${lengths}`));
      return;
    }
    for (let i = 0; i < settlers.length; i++) {
      const result: Value | Error = results[i]!;
      if (result instanceof Error) this.#failAt(request, i, result);
      else settlers[i]!(result);
    }
    this.#end();
  }

  #onError(request: Request<Key, Value, CacheKey>, error: unknown): void {
    for (let i = 0; i < request.settlers.length; i++) this.#failAt(request, i, error); // D2
    this.#end();
  }

  #failAt(request: Request<Key, Value, CacheKey>, i: number, error: unknown): void {
    this.#fail(request.settlers[i]!, request.cacheKeys[i], request.promises[i], error);
  }

  /** Rejects a load, and takes it out of the cache: the next one tries again. */
  #fail(
    settle: Settle<Value>,
    cacheKey: CacheKey | undefined,
    promise: Promise<Value> | undefined,
    error: unknown,
  ): void {
    settle(new Failure(error));
    const cache = this.#cache;
    if (cache === null) return;
    try {
      if (cache.get(cacheKey!) === promise) cache.delete(cacheKey!);
    } catch (thrown) {
      throwLater(thrown); // by a cache of the user's own: the other loads must settle (D2)
    }
  }

  #end(): void {
    this.#running--;
    this.#onFree?.();
    this.#onFree = undefined;
    if (this.#running > 0 || this.#onIdle === undefined) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle = undefined;
  }

  loadMany(keys: readonly Key[]): Promise<(Value | Error)[]> {
    return Promise.all(
      keys.map((key) =>
        this.load(key).catch((error) =>
          error instanceof Error ? error : new Error('load failed', { cause: error }),
        ),
      ),
    );
  }

  clear(key: Key): Loader<Key, Value> {
    this.#cache?.delete(this.#cacheKeyOf(key));
    return this;
  }

  clearAll(): Loader<Key, Value> {
    this.#cache?.clear();
    return this;
  }

  prime(key: Key, value: Value | Error): Loader<Key, Value> {
    const cache = this.#cache;
    if (cache === null) return this;
    const cacheKey = this.#cacheKeyOf(key);
    if (cache.get(cacheKey) !== undefined) return this;
    const primed = value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
    primed.catch(() => {}); // nobody has asked yet
    cache.set(cacheKey, primed);
    return this;
  }

  flush(): void {
    while (this.#next !== null && this.#batcher === null) this.#sendNext(); // loads inside `load` too
    this.#batcher?.flush();
  }

  async close(): Promise<void> {
    await this.#theBatcher().close();
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle ??= [];
      this.#onIdle.push(resolve);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get batcher(): Batcher<unknown, unknown, unknown> {
    return this.#theBatcher() as Batcher<unknown, unknown, unknown>;
  }

  #theBatcher(): Batcher<undefined, undefined, null> {
    if (this.#batcher !== null) return this.#batcher;
    const batcher = this.#createBatcher();
    this.#batcher = batcher;
    this.#lookAt = 0;
    const { length } = this.#next?.keys ?? [];
    for (let i = 0; i < length; i++) batcher.push(undefined, undefined); // D4
    return batcher;
  }

  #createBatcher(): Batcher<undefined, undefined, null> {
    const { costMs, concurrency = Number.POSITIVE_INFINITY, hold } = this.#options;
    const report: FlushReport | undefined = costMs === undefined ? undefined : { costMs };
    const batcher = new Batcher<undefined, undefined, null>(
      {
        merge: counted,
        scheduler: this.#scheduler,
        waiting: 'each',
        hold: hold ?? (costMs === undefined ? 'none' : 'learned'),
        delayMsMax: this.#delayMsMax,
        countMax: this.#countMax,
        pendingBytesMax: Number.POSITIVE_INFINITY,
        flush: ({ count }) => {
          this.#send(takeFrom(this.#next!, count));
          if (this.#running < concurrency) return report;
          return new Promise<FlushReport | undefined>((resolve) => {
            this.#onFree = () => resolve(report);
          });
        },
      },
      { count: this.#sent, flushes: this.#requests, failure: this.#failure },
    );
    void batcher.closed.then(() => this.#rejectWaiting());
    return batcher;
  }

  /** Fails what an abort has left (D2). */
  #rejectWaiting(): void {
    const next = this.#next;
    if (next === null || next.keys.length === 0) return;
    this.#next = null;
    const { reason } = this.#failure.signal;
    const error = new BatcherClosedError('the batcher was aborted', { cause: reason });
    for (let i = 0; i < next.settlers.length; i++) this.#failAt(next, i, error);
  }
}
