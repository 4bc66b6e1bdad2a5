/**
 * Turns HdrHistogram's buckets into the two kinds that monitoring systems have: bounds of one's choice, and
 * powers of a base (OpenTelemetry exponential, Prometheus native).
 *
 * - E1: explicit bounds: a bucket is counted below a bound if all of its values are at or below it. A value
 *   that shares its bucket with the bound may therefore be counted one bound too high, never too low; with
 *   bounds from `exactBounds` nothing moves.
 * - E2: base b: each bucket is counted where its middle lies, so a value moves to a neighbour at most, and
 *   is known to a factor of b (and 2^-m) afterwards instead of 2^-m.
 * - E3: no count is lost: the counts of all buckets sum to `count`.
 */
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';

/** Amounts that every export has. */
export interface Amounts {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** Returns count, sum, min and max, in the exported unit; zeros when empty. */
export const amountsOf = (histogram: Histogram, scale: number): Amounts => {
  const { count } = histogram;
  if (count === 0) return { count, sum: 0, min: 0, max: 0 };
  return {
    count,
    sum: histogram.mean * count * scale,
    min: histogram.min * scale,
    max: histogram.max * scale,
  };
};

/** Throws unless bounds ascend. */
export const checkBounds = (bounds: readonly number[]): void => {
  for (let i = 0; i < bounds.length; i++) {
    if (!Number.isFinite(bounds[i]) || (i > 0 && bounds[i]! <= bounds[i - 1]!)) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `bounds must be finite and ascend: bounds[${i}]=${bounds[i]}`,
      );
    }
  }
};

/**
 * Returns the counts between bounds (E1).
 *
 * @param histogram - left unchanged
 * @param bounds - upper bounds in the exported unit, ascending
 * @param scale - exported unit per recorded unit
 * @returns one count more than bounds: the last is of what is above all
 */
export function countsBetween(
  histogram: Histogram,
  bounds: readonly number[],
  scale: number,
): number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  const { layout, firstIndex, lastIndex } = histogram;
  let at = 0;
  for (let index = firstIndex; index <= lastIndex; index++) {
    const count = histogram.countAtIndex(index);
    if (count === 0) continue;
    const highest = layout.highestOf(index) * scale;
    while (at < bounds.length && highest > bounds[at]!) at++;
    counts[at]! += count;
  }
  return counts;
}

/**
 * Returns bounds that lose nothing: both ends of every bucket in use.
 *
 * @param histogram - left unchanged
 * @param scale - exported unit per recorded unit
 */
export function exactBounds(histogram: Histogram, scale: number = 1): number[] {
  const bounds: number[] = [];
  const { layout, firstIndex, lastIndex } = histogram;
  for (let index = firstIndex; index <= lastIndex; index++) {
    if (histogram.countAtIndex(index) === 0) continue;
    const below = index === 0 ? -layout.step * scale : layout.highestOf(index - 1) * scale;
    if (bounds.length === 0 || bounds.at(-1)! < below) bounds.push(below);
    bounds.push(layout.highestOf(index) * scale);
  }
  return bounds;
}

/** Counts by powers of a base: bucket i holds values in (base^i, base^(i + 1)], base = 2^(2^-scale). */
export interface ExponentialCounts {
  /** Resolution: a factor of 2^(2^-scale) between bounds. */
  readonly scale: number;
  /** Number of zeros. */
  readonly zeroCount: number;
  /** Index of the first count. */
  readonly offset: number;
  /** Counts of consecutive buckets, none at either end is 0. */
  readonly counts: readonly number[];
}

/** Returns the bucket of a positive value, as OpenTelemetry numbers them. */
const exponentialIndex = (value: number, scale: number): number => {
  const index = Math.ceil(Math.log2(value) * 2 ** scale) - 1;
  // The logarithm rounds: a power of the base belongs to the bucket that it closes.
  if (value > 2 ** ((index + 1) / 2 ** scale)) return index + 1;
  if (value <= 2 ** (index / 2 ** scale)) return index - 1;
  return index;
};

/**
 * Returns the counts by powers of a base (E2), at the finest scale that needs no more than `bucketsMax`.
 *
 * @param histogram - left unchanged
 * @param unit - exported unit per recorded unit
 * @param scaleMax - finest scale to use
 * @param scaleMin - coarsest scale to use
 * @param bucketsMax - most buckets between the first and the last in use
 */
export function exponentialCounts(
  histogram: Histogram,
  unit: number,
  scaleMax: number,
  scaleMin: number,
  bucketsMax: number,
): ExponentialCounts {
  const { layout, lastIndex } = histogram;
  const zeroCount = histogram.isEmpty ? 0 : histogram.countAtIndex(0);
  const first = Math.max(1, histogram.firstIndex);
  let low = first;
  while (low <= lastIndex && histogram.countAtIndex(low) === 0) low++;
  if (low > lastIndex) return { scale: scaleMax, zeroCount, offset: 0, counts: [] };
  const middleOf = (index: number): number => layout.middleOf(index) * unit;
  let scale = scaleMax;
  while (
    scale > scaleMin &&
    exponentialIndex(middleOf(lastIndex), scale) - exponentialIndex(middleOf(low), scale) >=
      bucketsMax
  ) {
    scale--;
  }
  const offset = exponentialIndex(middleOf(low), scale);
  const counts = new Array<number>(exponentialIndex(middleOf(lastIndex), scale) - offset + 1).fill(
    0,
  );
  for (let index = low; index <= lastIndex; index++) {
    const count = histogram.countAtIndex(index);
    if (count > 0) counts[exponentialIndex(middleOf(index), scale) - offset]! += count;
  }
  return { scale, zeroCount, offset, counts };
}

/** Bounds of a latency in seconds, 1-2-5 from a microsecond to 100 s. */
export const LATENCY_SECONDS: readonly number[] = Array.from({ length: 25 }, (_, i) =>
  Number(`${[1, 2, 5][i % 3]}e${Math.floor(i / 3) - 6}`),
);
