/**
 * Mean, variance and shape of what was counted, every value taken as the middle of its bucket.
 *
 * Owner thread of the histogram. Cost: O(span), two passes.
 */
import type { Histogram } from './histogram.ts';

/** Central moments of a distribution. */
export interface Moments {
  /** Number of values. */
  readonly count: number;
  /** Mean; NaN when empty. */
  readonly mean: number;
  /** Variance of the population; NaN when empty. */
  readonly variance: number;
  /** Third standardised moment: above 0 if the tail is to the right; NaN without spread. */
  readonly skewness: number;
  /** Fourth standardised moment less 3: above 0 if the tails are heavier than the normal; NaN without spread. */
  readonly excessKurtosis: number;
}

/**
 * Returns the moments of the counted values.
 *
 * @param histogram - left unchanged
 *
 * Cost: O(span), two passes.
 */
export function moments(histogram: Histogram): Moments {
  const { firstIndex, lastIndex, layout } = histogram;
  let count = 0;
  let sum = 0;
  for (let index = firstIndex; index <= lastIndex; index++) {
    const here = histogram.countAtIndex(index);
    if (here === 0) continue;
    count += here;
    sum += here * layout.middleOf(index);
  }
  const mean = sum / count;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let index = firstIndex; index <= lastIndex; index++) {
    const here = histogram.countAtIndex(index);
    if (here === 0) continue;
    const deviation = layout.middleOf(index) - mean;
    const square = deviation * deviation;
    second += here * square;
    third += here * square * deviation;
    fourth += here * square * square;
  }
  const variance = second / count;
  return {
    count,
    mean,
    variance,
    skewness: third / count / variance ** 1.5,
    excessKurtosis: fourth / count / variance ** 2 - 3,
  };
}
