/**
 * Finds the values at many percentiles in one pass over the counts.
 *
 * Rank rules from HdrHistogram in Java and in C. The pass sums 64 buckets at a time in four 32-bit lanes,
 * then walks the block sums once for all percentiles and looks inside one block for each.
 *
 * - P1: the value at rank k is the highest value of the first bucket at which the running count reaches k,
 *   so it is never below the exact k-th value and above it by less than the bucket's width.
 * - P2: with interpolation the value lies inside the same bucket, hence the same bound on both sides.
 * - P3: no value above `max` or below `min` is ever returned.
 *
 * Owner thread of the histogram. Cost: O(span) for the pass, O(64) for each percentile; scratch is
 * kept for the process (4 KB and more, 8 bytes per 64 buckets).
 */
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

const BLOCK = 64;
let blockSums: Float64Array = new Float64Array(512);

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

/** Sums blocks of 64 buckets from `first` on into the scratch; returns the total. */
function sumBlocks(histogram: Histogram, first: number, last: number): number {
  const blocks = Math.ceil((last + 1 - first) / BLOCK);
  if (blockSums.length < blocks) blockSums = new Float64Array(blocks * 2);
  const sums = blockSums;
  const counts = histogram.counts;
  let total = 0;
  for (let block = 0; block < blocks; block++) {
    const start = first + block * BLOCK;
    const end = Math.min(start + BLOCK, last + 1);
    let sum: number;
    if (histogram.carries !== undefined) {
      sum = 0;
      for (let i = start; i < end; i++) sum += histogram.countAtIndex(i);
    } else {
      sum = sumLow(counts, start, end);
    }
    sums[block] = sum;
    total += sum;
  }
  return total;
}

/** Sums 32-bit counts; exact also where four 32-bit lanes would wrap. */
function sumLow(counts: Uint32Array, start: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let seen = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const p = counts[i]!;
    const q = counts[i + 1]!;
    const r = counts[i + 2]!;
    const s = counts[i + 3]!;
    a = (a + p) | 0;
    b = (b + q) | 0;
    c = (c + r) | 0;
    d = (d + s) | 0;
    seen |= p | q | r | s;
  }
  for (; i < end; i++) {
    a = (a + counts[i]!) | 0;
    seen |= counts[i]!;
  }
  // 64 counts below 2^26 sum to less than 2^32: no lane has wrapped.
  if (seen >>> 26 === 0) return (a + b + c + d) >>> 0;
  let sum = 0;
  for (let k = start; k < end; k++) sum += counts[k]!;
  return sum;
}

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
  const { firstIndex, lastIndex } = histogram;
  if (lastIndex < 0) return values;
  const total = sumBlocks(histogram, firstIndex, lastIndex);
  const rule = options.rank ?? 'java';
  const order = ascending(percentiles);
  const sums = blockSums;
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
    while (before + count < rank && index < lastIndex) {
      before += count;
      count = histogram.countAtIndex(++index);
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
