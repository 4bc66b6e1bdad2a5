/** Options of a batcher, their defaults and limits. */
import { BatcherArgumentError, checkRange } from './errors.ts';
import type { Entry } from './lanes.ts';
import type { Merge } from './merge.ts';
import { defaultScheduler, type Scheduler } from './scheduler.ts';

/** What a sink is handed: borrowed until the flush has ended (returned, or its promise has settled). */
export interface Batch<Key, Value> {
  /** One entry a key, oldest first; a key with a large backlog may have several, in order. */
  readonly entries: readonly Entry<Key, Value>[];
  /** Items in all entries. */
  readonly count: number;
  /** Bytes in all entries. */
  readonly bytes: number;
  /** Age of the oldest item when this flush started (ms). */
  readonly ageMs: number;
  /** 1 at the first try, 2 at the first retry. */
  readonly attempt: number;
  /** Aborted when the batcher is aborted while this flush runs. */
  readonly signal: AbortSignal;
}

/** What a sink may report about a flush, when the time of its synchronous part isn't what the flush costs. */
export interface FlushReport {
  /** Cost of the flush in CPU time (ms). */
  readonly costMs: number;
}

/** What a flush returns: nothing, or a report, at once or by a promise. */
// biome-ignore lint/suspicious/noConfusingVoidType: a sink that returns nothing is the common case
export type FlushResult = void | FlushReport | PromiseLike<void | FlushReport | unknown>;

/**
 * What to do with a batch that failed for good: try another round, cut it in two to find what the sink chokes on,
 * forget it, or stop the batcher.
 */
export type FailureDecision = 'retry' | 'split' | 'drop' | 'fail';

/** How often and how fast a failed flush is tried again. */
export interface RetryOptions {
  /** Tries a batch gets before `onError` decides, the first included. @defaultValue 5 */
  readonly attemptsMax?: number;
  /** Upper bound of the first backoff; each further one doubles; the wait is random below it (ms). @defaultValue 1 */
  readonly delayMs?: number;
  /** Upper bound of every backoff (ms). @defaultValue 1000 */
  readonly delayMsMax?: number;
}

/** Options of `createBatcher`. */
export interface BatcherOptions<Item, Key, Accumulator, Value> {
  /** Delivers a batch. Only one flush runs at a time; a promise keeps the next one back until it settles. */
  readonly flush: (batch: Batch<Key, Value>) => FlushResult;
  /** How items of one key become one value: `list()`, `last()`, `sum()`, `concat()` or your own. */
  readonly merge: Merge<Item, Key, Accumulator>;
  /** Returns the bytes of an item. @defaultValue the merge's own, else 1 for each item */
  readonly weigh?: (item: Item) => number;
  /** Latency budget: no item gets older while the sink is free (ms, 0 or more). @defaultValue 5 */
  readonly delayMsMax?: number;
  /** Items in a batch (1 or more; a fraction is cut off). @defaultValue 65536 */
  readonly countMax?: number;
  /** Bytes in a batch. @defaultValue 1048576 */
  readonly bytesMax?: number;
  /** Bytes accepted and not yet delivered, above which `push` throws. @defaultValue 16 MiB, at least `bytesMax` */
  readonly pendingBytesMax?: number;
  /** CPU share that flush overhead may take (above 0, at most 1). @defaultValue 0.1 */
  readonly overhead?: number;
  /**
   * Whose waiting counts against the cost of a flush. `oldest`: it costs while anything waits, however much (a screen
   * is stale as a whole). `each`: every waiting item costs (requests whose callers wait). @defaultValue 'oldest'
   */
  readonly waiting?: 'oldest' | 'each';
  /**
   * Longest time that one flush should take: batches are cut to it by the learned cost (ms). A batch always carries
   * bytes worth a quarter of its fixed cost, so a sink whose fixed cost alone nears this takes longer. @defaultValue 8
   */
  readonly sliceMs?: number;
  /** Queueing time from which `push` returns false (ms). @defaultValue `2 * delayMsMax`, at least 1 */
  readonly sojournMs?: number;
  /**
   * `learned`: hold a batch when a merge is likely to pay. `none`: deliver at the end of every tick while the sink is
   * free, so that only a lagging sink makes batches. @defaultValue 'learned'
   */
  readonly hold?: 'learned' | 'none';
  /** Retries of a failed flush. */
  readonly retry?: RetryOptions;
  /** Decides about a batch whose tries are used up. @defaultValue fails the batcher */
  readonly onError?: (error: unknown, batch: Batch<Key, Value>) => FailureDecision;
  /**
   * Told when a key's backlog gets too old (true) and when it has drained (false). What a hook throws is thrown later,
   * as an error that nobody caught.
   */
  readonly onPressure?: (key: Key, pressed: boolean) => void;
  /** Told after each delivery how long its oldest item waited (ms): feed it to a histogram. */
  readonly onDelivered?: (ageMs: number, count: number, bytes: number) => void;
  /** Clock and timers. @defaultValue `defaultScheduler()` */
  readonly scheduler?: Scheduler;
  /** Source of the backoff's jitter, in [0, 1). @defaultValue Math.random */
  readonly random?: () => number;
}

/** The options with every default filled in. */
export interface Settings<Item, Key, Accumulator, Value> {
  readonly flush: (batch: Batch<Key, Value>) => FlushResult;
  readonly weigh: ((item: Item) => number) | undefined;
  readonly delayMsMax: number;
  readonly countMax: number;
  readonly bytesMax: number;
  readonly pendingBytesMax: number;
  readonly overhead: number;
  readonly waiting: 'oldest' | 'each';
  readonly sliceMs: number;
  readonly sojournMs: number;
  readonly learns: boolean;
  readonly attemptsMax: number;
  readonly retryMs: number;
  readonly retryMsMax: number;
  readonly onError: BatcherOptions<Item, Key, Accumulator, Value>['onError'];
  readonly onPressure: ((key: Key, pressed: boolean) => void) | undefined;
  readonly onDelivered: ((ageMs: number, count: number, bytes: number) => void) | undefined;
  readonly scheduler: Scheduler;
  readonly random: () => number;
}

/** Checks the options and fills in the defaults. */
export function settingsOf<Item, Key, Accumulator, Value>(
  options: BatcherOptions<Item, Key, Accumulator, Value>,
): Settings<Item, Key, Accumulator, Value> {
  const infinity = Number.POSITIVE_INFINITY;
  if (typeof options.flush !== 'function') {
    throw new BatcherArgumentError(`flush must be a function: flush=${typeof options.flush}`);
  }
  const hold = options.hold ?? 'learned';
  if (hold !== 'learned' && hold !== 'none') {
    throw new BatcherArgumentError(`hold must be 'learned' or 'none': hold=${String(hold)}`);
  }
  const waiting = options.waiting ?? 'oldest';
  if (waiting !== 'oldest' && waiting !== 'each') {
    throw new BatcherArgumentError(
      `waiting must be 'oldest' or 'each': waiting=${String(waiting)}`,
    );
  }
  const { merge } = options;
  const weighMerge = merge.weigh === undefined ? undefined : (item: Item) => merge.weigh!(item);
  const delayMsMax = checkRange('delayMsMax', options.delayMsMax ?? 5, 0, infinity);
  const bytesMax = checkRange('bytesMax', options.bytesMax ?? 1 << 20, 1, infinity);
  const retryMs = checkRange('retry.delayMs', options.retry?.delayMs ?? 1, 0, infinity);
  return {
    flush: options.flush,
    weigh: options.weigh ?? weighMerge,
    delayMsMax,
    countMax: Math.floor(checkRange('countMax', options.countMax ?? 65536, 1, infinity)),
    bytesMax,
    pendingBytesMax: checkRange(
      'pendingBytesMax',
      options.pendingBytesMax ?? Math.max(1 << 24, bytesMax),
      1,
      infinity,
    ),
    overhead: checkRange('overhead', options.overhead ?? 0.1, 1e-6, 1),
    waiting,
    sliceMs: checkRange('sliceMs', options.sliceMs ?? 8, 0, infinity),
    sojournMs: checkRange(
      'sojournMs',
      options.sojournMs ?? Math.max(1, 2 * delayMsMax),
      0,
      infinity,
    ),
    learns: hold === 'learned',
    attemptsMax: checkRange('retry.attemptsMax', options.retry?.attemptsMax ?? 5, 1, infinity),
    retryMs,
    retryMsMax: checkRange(
      'retry.delayMsMax',
      options.retry?.delayMsMax ?? Math.max(1000, retryMs),
      retryMs,
      infinity,
    ),
    onError: options.onError,
    onPressure: options.onPressure,
    onDelivered: options.onDelivered,
    scheduler: options.scheduler ?? defaultScheduler(),
    random: options.random ?? Math.random,
  };
}
