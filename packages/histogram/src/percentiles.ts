/**
 * Finds the values at many percentiles in one pass over the counts.
 *
 * Rank rules from HdrHistogram in Java and in C. The pass sums blocks of 64 buckets (block-sums.ts), then
 * walks those sums once for all percentiles and looks inside one block for each.
 *
 * - P1: the value at rank k is the highest value of the first bucket at which the running count reaches k,
 *   so it is never below the exact k-th value and above it by less than the bucket's width.
 * - P2: with interpolation the value lies inside the same bucket, hence the same bound on both sides.
 * - P3: no value above `max` or below `min` is ever returned.
 *
 * Owner thread of the histogram. Cost: O(span) for the pass, O(64) for each percentile.
 */
import { sumBlocks } from './block-sums.ts';
import { BLOCK } from './counts-memory.ts';
import type { Histogram } from './histogram.ts';
import { nextBelow } from './layout.ts';

/** How a percentile is turned into a rank and a rank into a value. */
export interface PercentileOptions {
  /**
   * `java`: the least rank k with k / count >= percentile, as HdrHistogram in Java. `c`: percentile * count
   * rounded to the nearest whole rank, as HdrHistogram in C and Node's own histogram.
   * @defaultValue 'java'
   */
  readonly rank?: 'java' | 'c';
  /**
   * Whether to spread a bucket's values evenly over its width, instead of taking its highest. The error is
   * still below the bucket's width, but falls on either side; on smooth data it is far smaller.
   * @defaultValue false
   */
  readonly interpolate?: boolean;
}

/** Returns the rank, 1 to `count`, that a percentile names. */
export const rankOf = (percentile: number, count: number, rule: 'java' | 'c'): number => {
  const bounded = Math.min(Math.max(percentile, 0), 100);
  const rank =
    rule === 'c'
      ? Math.floor((bounded / 100) * count + 0.5)
      : // One step down first: 99.9 / 100 * 200_000 must not round up to the rank above 199_800.
        bounded === 0
        ? 1
        : Math.ceil((nextBelow(bounded) * count) / 100);
  return Math.min(Math.max(rank, 1), count);
};

/** Orders the positions of `percentiles` by value; the usual ascending list needs no sort. */
const ascending = (percentiles: readonly number[]): readonly number[] | undefined => {
  for (let i = 1; i < percentiles.length; i++) {
    if (percentiles[i]! < percentiles[i - 1]!) {
      return percentiles
        .map((_, position) => position)
        .sort((x, y) => percentiles[x]! - percentiles[y]!);
    }
  }
  return undefined;
};

/** Returns the value at each percentile; see {@link Histogram.percentiles}. */
export function percentilesOf(
  histogram: Histogram,
  percentiles: readonly number[],
  options: PercentileOptions = {},
): number[] {
  const values = new Array<number>(percentiles.length).fill(Number.NaN);
  const { firstIndex, lastIndex, counts, carries } = histogram;
  if (lastIndex < 0) return values;
  const { sums, total } = sumBlocks(histogram, firstIndex, lastIndex);
  const rule = options.rank ?? 'java';
  const order = ascending(percentiles);
  const { min, max } = histogram;
  let reached = 0;
  let block = 0;
  for (let k = 0; k < percentiles.length; k++) {
    const position = order === undefined ? k : order[k]!;
    const percentile = percentiles[position]!;
    if (Number.isNaN(percentile)) continue;
    const rank = rankOf(percentile, total, rule);
    while (reached + sums[block]! < rank && firstIndex + (block + 1) * BLOCK <= lastIndex) {
      reached += sums[block++]!;
    }
    let index = firstIndex + block * BLOCK;
    let before = reached;
    let count = histogram.countAtIndex(index);
    if (carries === undefined) {
      while (before + count < rank && index < lastIndex) {
        before += count;
        count = counts[++index]!;
      }
    } else {
      while (before + count < rank && index < lastIndex) {
        before += count;
        count = histogram.countAtIndex(++index);
      }
    }
    values[position] = valueIn(histogram, index, percentile, rank - before, count, options);
    values[position] = Math.min(Math.max(values[position]!, min), max); // P3
  }
  return values;
}

/** Returns the value of the `nth` of `count` values in a bucket (P1, P2). */
function valueIn(
  histogram: Histogram,
  index: number,
  percentile: number,
  nth: number,
  count: number,
  options: PercentileOptions,
): number {
  const { layout } = histogram;
  if (options.interpolate === true) {
    const lowest = layout.lowestOf(index);
    return lowest + (layout.highestOf(index) - lowest) * ((nth - 0.5) / count);
  }
  return percentile <= 0 ? layout.lowestOf(index) : layout.highestOf(index);
}
