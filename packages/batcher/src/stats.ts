/** What a batcher tells about itself, and what it leaves behind. */
import type { Entry } from './lanes.ts';

/** What was not delivered when a batcher was closed or aborted. */
export interface Remains<Key, Value> {
  /** Entries that no flush holds, oldest first within a key; they belong to the caller. */
  readonly undelivered: readonly Entry<Key, Value>[];
  /** Entries of a flush that still runs: the sink may or may not deliver them. */
  readonly unsettled: readonly Entry<Key, Value>[];
}

/** What a batcher is doing, and what it has learned. */
export interface BatcherStats {
  /** `open`, `closing` (draining), `closed`, `aborted` or `failed`. */
  readonly state: BatcherState;
  /** Items pushed, delivered and dropped. */
  readonly pushed: number;
  /** Items whose flush succeeded. */
  readonly delivered: number;
  /** Items that `onError` gave up. */
  readonly dropped: number;
  /** Flushes that succeeded. */
  readonly flushes: number;
  /** Flushes that failed. */
  readonly failures: number;
  /** Entries that wait, as items. */
  readonly count: number;
  /** Bytes that wait or are being delivered. */
  readonly bytes: number;
  /** Keys that have something to deliver. */
  readonly keys: number;
  /** Keys under pressure. */
  readonly pressed: number;
  /** Queue above which keys are pressed (bytes). */
  readonly limitBytes: number;
  /** Bytes of a batch by its caps and the predicted time. */
  readonly batchBytes: number;
  /** Learned speed of the sink with a full batch (bytes per ms); Infinity before the first timed flush. */
  readonly drainBytesPerMs: number;
  /** Learned fixed cost of a flush (ms). */
  readonly fixedMs: number;
  /** Learned cost of one more byte (ms). */
  readonly perByteMs: number;
  /** Break-even hold: fixed cost over `overhead` (ms). */
  readonly tauMs: number;
  /** Hold of the newest arrival (ms). */
  readonly holdMs: number;
  /** How far the counted chances of a merge are believed: 1, or towards 0 where holds bring nothing (a closed loop). */
  readonly trust: number;
}

/** Where a batcher is in its life. */
export type BatcherState = 'open' | 'closing' | 'closed' | 'aborted' | 'failed';
