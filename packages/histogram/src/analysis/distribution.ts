/**
 * Answers about one histogram beyond percentiles: shares, counts between, moments, confidence intervals.
 *
 * A bucket is taken as one value, its middle where an amount is needed, so every answer is that of the
 * recorded values up to a relative error of 2^-m; see layout.ts.
 */
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';
import { moments } from '../moments.ts';
import { binomialQuantile, studentQuantile } from './special.ts';

/** An interval that holds the true figure with the confidence asked for. */
export interface Interval {
  /** Lower end, included. */
  readonly low: number;
  /** Upper end, included. */
  readonly high: number;
}

/** Throws unless a share is between 0 and 1, both excluded. */
export const checkShare = (name: string, share: number): void => {
  if (!(share > 0 && share < 1)) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `${name} must be between 0 and 1: ${name}=${String(share)}`,
    );
  }
};

/**
 * Returns how many values were counted in the buckets from one value's to another's, both included.
 *
 * @param histogram - left unchanged
 * @param from - in the lowest bucket
 * @param to - in the highest bucket
 *
 * Cost: O(buckets between).
 */
export function countBetween(histogram: Histogram, from: number, to: number): number {
  const first = Math.max(histogram.layout.indexOf(Math.max(0, from)), histogram.firstIndex);
  const last = Math.min(histogram.layout.indexOf(to), histogram.lastIndex);
  let count = 0;
  for (let index = first; index <= last; index++) count += histogram.countAtIndex(index);
  return count;
}

/**
 * Returns the share of values at or below a value, its whole bucket included.
 *
 * @param histogram - left unchanged
 * @param value - in the caller's unit
 * @returns 0 to 1; NaN when empty
 *
 * Cost: O(span).
 */
export function shareAtOrBelow(histogram: Histogram, value: number): number {
  if (value < 0) return histogram.isEmpty ? Number.NaN : 0;
  return countBetween(histogram, 0, value) / histogram.count;
}

/**
 * Returns the share of values above a value's bucket: 1 - {@link shareAtOrBelow}, without rounding it away.
 *
 * @param histogram - left unchanged
 * @param value - in the caller's unit
 * @returns 0 to 1; NaN when empty
 *
 * Cost: O(span).
 */
export function shareAbove(histogram: Histogram, value: number): number {
  const { count } = histogram;
  if (value < 0) return count / count;
  return (count - countBetween(histogram, 0, value)) / count;
}

/**
 * Returns a confidence interval of a percentile, by order statistics: no assumption about the distribution.
 *
 * @param histogram - left unchanged
 * @param percentile - 0 to 100, both excluded
 * @param confidence - 0 to 1, both excluded
 * @returns values whose ranks enclose the percentile's with at least that confidence, widened to their
 * buckets; `min` or `max` where there are too few values for an end; NaNs when empty
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an argument is out of its range
 *
 * Cost: O(span).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram, percentileInterval } from '@millrace/histogram';
 *
 * const latencies = new Histogram();
 * for (let value = 1; value <= 1000; value++) latencies.record(value);
 * const { low, high } = percentileInterval(latencies, 50);
 * assert.deepEqual([low, high], [469, 532]);
 * ```
 */
export function percentileInterval(
  histogram: Histogram,
  percentile: number,
  confidence: number = 0.95,
): Interval {
  const share = percentile / 100;
  checkShare('percentile / 100', share);
  checkShare('confidence', confidence);
  const { count } = histogram;
  if (count === 0) return { low: Number.NaN, high: Number.NaN };
  const outside = (1 - confidence) / 2;
  const lowRank = binomialQuantile(outside, count, share);
  const highRank = binomialQuantile(1 - outside, count, share) + 1;
  return {
    low: lowRank < 1 ? histogram.min : valueAtRank(histogram, lowRank, 'low'),
    high: highRank > count ? histogram.max : valueAtRank(histogram, highRank, 'high'),
  };
}

/** Returns the end of the bucket that holds the value of a rank, 1 to count. */
function valueAtRank(histogram: Histogram, rank: number, end: 'low' | 'high'): number {
  const { layout, firstIndex, lastIndex, min, max } = histogram;
  let index = firstIndex;
  let reached = histogram.countAtIndex(index);
  while (reached < rank && index < lastIndex) reached += histogram.countAtIndex(++index);
  return end === 'low'
    ? Math.max(layout.lowestOf(index), min)
    : Math.min(layout.highestOf(index), max);
}

/**
 * Returns a confidence interval of the mean, by Student's distribution.
 *
 * Latencies are far from normal: below some hundred values, or with a heavy tail, trust
 * {@link percentileInterval} instead.
 *
 * @param histogram - left unchanged
 * @param confidence - 0 to 1, both excluded
 * @returns NaNs below 2 values
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if `confidence` is out of its range
 *
 * Cost: O(span).
 */
export function meanInterval(histogram: Histogram, confidence: number = 0.95): Interval {
  checkShare('confidence', confidence);
  const { count, mean, variance } = moments(histogram);
  if (count < 2) return { low: Number.NaN, high: Number.NaN };
  const error = Math.sqrt(variance / (count - 1));
  const reach = studentQuantile(1 - confidence, count - 1) * error;
  return { low: mean - reach, high: mean + reach };
}
