export { type BatchFunction, type BatchFunctionOptions, batch } from './batch.ts';
export { Batcher, type BatcherLane } from './batcher.ts';
export { type BrowserSchedulerOptions, browserScheduler } from './browser-scheduler.ts';
export { createBatcher } from './create-batcher.ts';
export {
  BatcherArgumentError,
  BatcherClosedError,
  type BatcherErrorCode,
  BatcherFlushError,
  BatcherFullError,
  BatcherTimeoutError,
} from './errors.ts';
export { createFrameCoalescer, type FrameCoalescer, type FrameCoalescerOptions } from './frame.ts';
export type { Entry } from './lanes.ts';
export {
  createLoader,
  type Loader,
  type LoaderCache,
  type LoaderOptions,
  type LoadRequest,
} from './loader.ts';
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
export {
  defaultScheduler,
  type Scheduler,
  tickEndAfterJobs,
  type WakeHandle,
} from './scheduler.ts';
export type { BatcherState, BatcherStats, Remains } from './stats.ts';
export type { WaitOptions } from './waiters.ts';
export { type WorkerScheduler, workerScheduler } from './worker-scheduler.ts';
