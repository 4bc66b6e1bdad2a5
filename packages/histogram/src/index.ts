export type { KolmogorovSmirnov, MannWhitney, Welch } from './analysis/compare.ts';
export { kolmogorovSmirnov, mannWhitney, welch } from './analysis/compare.ts';
export type { Interval } from './analysis/distribution.ts';
export {
  countBetween,
  meanInterval,
  percentileInterval,
  shareAbove,
  shareAtOrBelow,
} from './analysis/distribution.ts';
export { FrozenHistogram } from './analysis/frozen.ts';
export type {
  ExponentialAverageOptions,
  MillisecondClock,
  SlidingWindowOptions,
} from './analysis/windows.ts';
export { burnRate, ExponentialAverage, SlidingWindowHistogram } from './analysis/windows.ts';
export type { Clock, ClockProperties, LapTimerOptions, ValueRecorder } from './clock.ts';
export { LapTimer, measureClock, nowNanoseconds } from './clock.ts';
export type { CountsMemory } from './counts-memory.ts';
export type { HistogramRangeErrorCode, HistogramSharedErrorCode } from './errors.ts';
export { HistogramRangeError, HistogramSharedError } from './errors.ts';
export type { HistogramOptions } from './histogram.ts';
export { Histogram } from './histogram.ts';
export { IntervalReader } from './interval-reader.ts';
export type { HistogramStep } from './iterators.ts';
export {
  allBuckets,
  linearBuckets,
  logarithmicBuckets,
  percentileBuckets,
  recordedBuckets,
} from './iterators.ts';
export type { Digits, LayoutOptions } from './layout.ts';
export { BucketLayout } from './layout.ts';
export type { Moments } from './moments.ts';
export { moments } from './moments.ts';
export type { OutOfRangePolicy } from './out-of-range.ts';
export type { PercentileOptions } from './percentiles.ts';
export type { SharedHistogramOptions } from './shared-histogram.ts';
export { SharedHistogram } from './shared-histogram.ts';
export type { SharedOutOfRangePolicy, SharedRecorder } from './shared-recorder.ts';
