/**
 * A histogram that won't change any more, with running sums: answers in O(log buckets in use).
 *
 * For a figure that is asked for often: a page that draws it, a scheduler that reads p99 per decision.
 */
import type { Histogram } from '../histogram.ts';
import { type PercentileOptions, rankOf } from '../percentiles.ts';

/**
 * Answers percentiles and shares from running sums taken once.
 *
 * Concurrency: one thread. Cost: 20 bytes per bucket in use; each answer O(log buckets in use).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { FrozenHistogram, Histogram } from '@millrace/histogram';
 *
 * const latencies = new Histogram();
 * latencies.recordMany([1, 2, 3, 4]);
 * const frozen = new FrozenHistogram(latencies);
 * latencies.record(1000); // not seen any more
 * assert.equal(frozen.percentile(50), 2);
 * assert.equal(frozen.shareAtOrBelow(3), 0.75);
 * ```
 */
export class FrozenHistogram {
  /** Number of values. */
  readonly count: number;
  /** Least value, as the histogram had it. */
  readonly min: number;
  /** Greatest value, as the histogram had it. */
  readonly max: number;
  readonly #lowest: Float64Array;
  readonly #highest: Float64Array;
  /** Number of values up to each bucket in use, included. */
  readonly #reached: Float64Array;

  /**
   * Takes the running sums of a histogram.
   *
   * @param histogram - left unchanged, not kept
   */
  constructor(histogram: Histogram) {
    const { layout, firstIndex, lastIndex } = histogram;
    let used = 0;
    for (let i = firstIndex; i <= lastIndex; i++) if (histogram.countAtIndex(i) !== 0) used++;
    this.#lowest = new Float64Array(used);
    this.#highest = new Float64Array(used);
    this.#reached = new Float64Array(used);
    let reached = 0;
    let at = 0;
    for (let index = firstIndex; index <= lastIndex; index++) {
      const count = histogram.countAtIndex(index);
      if (count === 0) continue;
      reached += count;
      this.#lowest[at] = layout.lowestOf(index);
      this.#highest[at] = layout.highestOf(index);
      this.#reached[at++] = reached;
    }
    this.count = reached;
    this.min = histogram.min;
    this.max = histogram.max;
  }

  /** Returns the position of the first bucket whose running sum reaches a rank. */
  #find(rank: number): number {
    const reached = this.#reached;
    let low = 0;
    let high = reached.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (reached[middle]! < rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Returns the value below or at which `percentile` percent of the values lie, as `Histogram.percentile`.
   *
   * @param percentile - 0 to 100
   * @param options - rank rule and interpolation
   * @returns NaN when empty
   */
  percentile(percentile: number, options?: PercentileOptions): number {
    if (this.count === 0 || Number.isNaN(percentile)) return Number.NaN;
    const rank = rankOf(percentile, this.count, options?.rank ?? 'java');
    const at = this.#find(rank);
    const lowest = this.#lowest[at]!;
    const highest = this.#highest[at]!;
    let value = percentile <= 0 ? lowest : highest;
    if (options?.interpolate === true) {
      const before = at === 0 ? 0 : this.#reached[at - 1]!;
      value = lowest + ((highest - lowest) * (rank - before - 0.5)) / (this.#reached[at]! - before);
    }
    return Math.min(Math.max(value, this.min), this.max);
  }

  /**
   * Returns several percentiles.
   *
   * @param percentiles - each 0 to 100, in any order
   * @param options - rank rule and interpolation
   */
  percentiles<const List extends readonly number[]>(
    percentiles: List,
    options?: PercentileOptions,
  ): { -readonly [Index in keyof List]: number } {
    const values = new Array<number>(percentiles.length);
    for (let i = 0; i < percentiles.length; i++) {
      values[i] = this.percentile(percentiles[i]!, options);
    }
    return values as { -readonly [Index in keyof List]: number };
  }

  /**
   * Returns the share of values at or below a value, its whole bucket included.
   *
   * @param value - in the caller's unit
   * @returns 0 to 1; NaN when empty
   */
  shareAtOrBelow(value: number): number {
    const lowest = this.#lowest;
    let low = 0;
    let high = lowest.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lowest[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return (low === 0 ? 0 : this.#reached[low - 1]!) / this.count;
  }
}
