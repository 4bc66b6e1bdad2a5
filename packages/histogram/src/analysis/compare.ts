/**
 * Compares two histograms: is the second run slower, or is it chance?
 *
 * Kolmogorov-Smirnov (any difference in shape), Mann-Whitney (which one tends to be larger; ties are
 * corrected for, since a bucket is a tie), Welch (difference of means). All by one pass over both.
 *
 * p-values assume independent values. Latencies measured one after another are correlated, so a small p is
 * a hint; the effect (`distance`, `superiority`, `difference`) is the finding.
 */
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';
import { moments } from '../moments.ts';
import type { Interval } from './distribution.ts';
import { kolmogorovTail, normalCdf, studentQuantile, studentTwoSided } from './special.ts';

/** What {@link kolmogorovSmirnov} found. */
export interface KolmogorovSmirnov {
  /** Greatest distance between the two distributions, 0 to 1. */
  readonly distance: number;
  /** Value at which they are that far apart (the top of its bucket). */
  readonly at: number;
  /** Probability of such a distance by chance, from the limit distribution; too large where ties abound. */
  readonly pValue: number;
}

/** What {@link mannWhitney} found. */
export interface MannWhitney {
  /** U statistic: pairs in which b's value is greater, ties counted half. */
  readonly u: number;
  /** Share of such pairs: 0.5 is no difference, 1 means that all of b is above all of a. */
  readonly superiority: number;
  /** Cliff's delta, 2 * superiority - 1. */
  readonly cliffsDelta: number;
  /** Probability of such a U by chance, two-sided, normal approximation. */
  readonly pValue: number;
}

/** What {@link welch} found. */
export interface Welch {
  /** Mean of b less mean of a. */
  readonly difference: number;
  /** Interval of the difference at the confidence asked for. */
  readonly interval: Interval;
  /** Student's t. */
  readonly t: number;
  /** Degrees of freedom. */
  readonly degrees: number;
  /** Probability of such a t by chance, two-sided. */
  readonly pValue: number;
  /** Difference in units of the pooled standard deviation. */
  readonly cohensD: number;
}

const checkComparable = (a: Histogram, b: Histogram): void => {
  if (!a.layout.sameBuckets(b.layout)) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `histograms must have the same bucket layout: digits=${a.layout.digits} and ${b.layout.digits}`,
    );
  }
  if (a.isEmpty || b.isEmpty) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_EMPTY',
      `histograms must not be empty: count=${a.count} and ${b.count}`,
    );
  }
};

/** Calls `visit` for each bucket that either has counted something in, in order. */
const eachBucket = (
  a: Histogram,
  b: Histogram,
  visit: (countA: number, countB: number, index: number) => void,
): void => {
  const last = Math.max(a.lastIndex, b.lastIndex);
  for (let index = Math.min(a.firstIndex, b.firstIndex); index <= last; index++) {
    const countA = a.countAtIndex(index);
    const countB = b.countAtIndex(index);
    if (countA + countB > 0) visit(countA, countB, index);
  }
};

/**
 * Tests whether two histograms come from the same distribution, of whatever shape.
 *
 * @param a - left unchanged, not empty
 * @param b - left unchanged, not empty, same bucket layout
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if the layouts differ; ERR_HISTOGRAM_EMPTY if one is
 * empty
 *
 * Cost: O(span).
 */
export function kolmogorovSmirnov(a: Histogram, b: Histogram): KolmogorovSmirnov {
  checkComparable(a, b);
  const countA = a.count;
  const countB = b.count;
  let distance = 0;
  let at = a.min;
  let reachedA = 0;
  let reachedB = 0;
  eachBucket(a, b, (hereA, hereB, index) => {
    reachedA += hereA;
    reachedB += hereB;
    const here = Math.abs(reachedA / countA - reachedB / countB);
    if (here > distance) {
      distance = here;
      at = a.layout.highestOf(index);
    }
  });
  const effective = Math.sqrt((countA * countB) / (countA + countB));
  // Stephens' correction for finite counts.
  const pValue = kolmogorovTail((effective + 0.12 + 0.11 / effective) * distance);
  return { distance, at, pValue };
}

/**
 * Tests whether values of `b` tend to be greater or less than values of `a`.
 *
 * @param a - left unchanged, not empty
 * @param b - left unchanged, not empty, same bucket layout
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if the layouts differ; ERR_HISTOGRAM_EMPTY if one is
 * empty
 *
 * Cost: O(span).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram, mannWhitney } from '@millrace/histogram';
 *
 * const before = new Histogram();
 * const after = new Histogram();
 * for (let value = 1; value <= 100; value++) {
 *   before.record(1000 + value);
 *   after.record(1020 + value);
 * }
 * const { superiority, pValue } = mannWhitney(before, after);
 * assert.ok(superiority > 0.6 && pValue < 0.001); // slower, and not by chance
 * ```
 */
export function mannWhitney(a: Histogram, b: Histogram): MannWhitney {
  checkComparable(a, b);
  const countA = a.count;
  const countB = b.count;
  const total = countA + countB;
  let u = 0;
  let below = 0;
  let ties = 0;
  eachBucket(a, b, (hereA, hereB) => {
    u += hereB * (below + hereA / 2);
    below += hereA;
    const tied = hereA + hereB;
    ties += tied * (tied * tied - 1);
  });
  const mean = (countA * countB) / 2;
  // The variance of U without ties, less what ties take away.
  const variance = ((countA * countB) / 12) * (total + 1 - ties / (total * (total - 1)));
  const z = variance > 0 ? Math.max(0, Math.abs(u - mean) - 0.5) / Math.sqrt(variance) : 0;
  const superiority = u / (countA * countB);
  return {
    u,
    superiority,
    cliffsDelta: 2 * superiority - 1,
    pValue: Math.min(1, 2 * normalCdf(-z)),
  };
}

/**
 * Tests whether the means of two histograms differ, with unequal variances.
 *
 * @param a - left unchanged, two values at least
 * @param b - left unchanged, two values at least, same bucket layout
 * @param confidence - of the interval, 0 to 1, both excluded
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if the layouts differ; ERR_HISTOGRAM_EMPTY if one has
 * fewer than two values
 *
 * Cost: O(span).
 */
export function welch(a: Histogram, b: Histogram, confidence: number = 0.95): Welch {
  checkComparable(a, b);
  const momentsA = moments(a);
  const momentsB = moments(b);
  if (momentsA.count < 2 || momentsB.count < 2) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_EMPTY',
      `histograms must have two values at least: count=${momentsA.count} and ${momentsB.count}`,
    );
  }
  const errorA = momentsA.variance / (momentsA.count - 1);
  const errorB = momentsB.variance / (momentsB.count - 1);
  const error = Math.sqrt(errorA + errorB);
  const difference = momentsB.mean - momentsA.mean;
  const t = error > 0 ? difference / error : difference === 0 ? 0 : Number.POSITIVE_INFINITY;
  const degrees =
    error > 0
      ? (errorA + errorB) ** 2 /
        (errorA ** 2 / (momentsA.count - 1) + errorB ** 2 / (momentsB.count - 1))
      : momentsA.count + momentsB.count - 2;
  const reach = studentQuantile(1 - confidence, degrees) * error;
  const pooled = Math.sqrt(
    (momentsA.count * momentsA.variance + momentsB.count * momentsB.variance) /
      (momentsA.count + momentsB.count - 2),
  );
  return {
    difference,
    interval: { low: difference - reach, high: difference + reach },
    t,
    degrees,
    pValue: Number.isFinite(t) ? studentTwoSided(t, degrees) : 0,
    cohensD:
      pooled > 0 ? difference / pooled : Math.sign(difference) * Number.POSITIVE_INFINITY || 0,
  };
}
