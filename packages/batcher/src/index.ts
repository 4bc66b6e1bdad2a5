export {
  Batcher,
  type BatcherLane,
  type BatcherState,
  type BatcherStats,
  createBatcher,
  type Remains,
} from './batcher.ts';
export {
  BatcherArgumentError,
  BatcherClosedError,
  type BatcherErrorCode,
  BatcherFlushError,
  BatcherFullError,
  BatcherTimeoutError,
} from './errors.ts';
export type { Entry } from './lanes.ts';
export {
  type Box,
  type ByteAccumulator,
  concat,
  last,
  list,
  type Merge,
  type MergeWithValue,
  sum,
} from './merge.ts';
export type {
  Batch,
  BatcherOptions,
  FailureDecision,
  FlushReport,
  FlushResult,
  RetryOptions,
} from './options.ts';
export { defaultScheduler, type Scheduler, type WakeHandle } from './scheduler.ts';
export type { WaitOptions } from './waiters.ts';
