/**
 * Counts values in HdrHistogram's buckets: the histogram of one thread, and what every reader hands out.
 *
 * Bucket layout and its error bound: layout.ts. The counts themselves, and how wide they are: counts.ts.
 *
 * - H2: every call of record ends in exactly one of: a bucket (in range, or clamped), `dropped`, a throw.
 *   Hence count + dropped equals the number of calls that returned.
 *
 * One thread only: for recording from several threads see shared-histogram.ts. No atomics.
 *
 * Cost of record: two compares, clz32, one bound check, one increment, two compares; no allocation, no
 * option is read. That is for the plain layout (3 digits of whole units), whose numbers are literals; any
 * other takes one call, one multiplication and a few loads more.
 */
import { sumBlocks } from './block-sums.ts';
import { Counts } from './counts.ts';
import type { CountsMemory } from './counts-memory.ts';
import { checkCount, HistogramRangeError } from './errors.ts';
import { BucketLayout, type LayoutOptions, wideIndex } from './layout.ts';
import { addInto, sameCounts, subtractFrom } from './merge.ts';
import { moments } from './moments.ts';
import { type OutOfRangePolicy, recordOutOfRange } from './out-of-range.ts';
import { type PercentileOptions, percentilesOf } from './percentiles.ts';

/** How to create a {@link Histogram}. */
export interface HistogramOptions extends LayoutOptions {
  /** What happens to values without a bucket. @defaultValue 'clamp' */
  readonly outOfRange?: OutOfRangePolicy;
  /**
   * Where the counts live, if not in memory of their own: `SimdMemory` of `@millrace/histogram/simd` answers
   * and adds up faster.
   */
  readonly memory?: CountsMemory | undefined;
}

/**
 * Counts values, latencies above all, and answers any percentile within a proven relative error.
 *
 * Concurrency: one thread; hand copies or encodings to others, or use SharedHistogram.
 * Cost: 4 bytes per bucket (135 KB for a nanosecond to an hour with 3 digits); recording allocates nothing.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 *
 * const latencies = new Histogram({ lowest: 1, highest: 60_000_000_000, digits: 3 });
 * for (let value = 1; value <= 1000; value++) latencies.record(value * 1000);
 * const [p50, p99] = latencies.percentiles([50, 99]);
 * assert.equal(p50, 500_223); // at most 2^-10 above the exact 500_000
 * assert.equal(p99, 990_207);
 * assert.equal(latencies.max, 1_000_000); // exact
 * ```
 */
export class Histogram extends Counts {
  // `declare`: a field that is first undefined and then a number would never be an unboxed one.
  /** @internal Copies of the layout's, for record. */
  declare readonly scale: number;
  /** @internal */
  declare readonly subBucketBits: number;
  /** @internal 31 - m: clz32 of the first value beyond the linear part. */
  declare readonly leadingZeros: number;
  /** @internal */
  declare readonly linearMask: number;
  /** What happens to values without a bucket. */
  readonly outOfRange: OutOfRangePolicy;
  #clamped = 0;
  #dropped = 0;

  /**
   * Creates an empty histogram.
   *
   * @param options - range, precision and policy; or a layout, as of another histogram
   * @param allocated - internal: number of counts to begin with
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an option is out of its range
   */
  constructor(options: HistogramOptions | BucketLayout = {}, allocated?: number) {
    const layout = options instanceof BucketLayout ? options : new BucketLayout(options);
    const outOfRange = (options as HistogramOptions).outOfRange ?? 'clamp';
    if (!['clamp', 'drop', 'throw', 'grow'].includes(outOfRange)) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `outOfRange must be clamp, drop, throw or grow: outOfRange=${String(outOfRange)}`,
      );
    }
    super(layout, allocated ?? layout.length, (options as HistogramOptions).memory);
    this.outOfRange = outOfRange;
    this.scale = layout.scale;
    this.subBucketBits = layout.subBucketBits;
    this.leadingZeros = 31 - layout.subBucketBits;
    this.linearMask = 2 ** (layout.subBucketBits + 1) - 1;
  }

  /**
   * Counts one value.
   *
   * @param value - 0 and above, in the caller's unit; floored to a step
   * @throws {HistogramRangeError} ERR_HISTOGRAM_VALUE if the value has no bucket and the policy is `throw`
   *
   * Concurrency: owner thread. Cost: O(1), no allocation.
   */
  record(value: number): void {
    if (value < 2147483648 && value >= 0) {
      const whole = value | 0;
      const octave = 21 - Math.clz32(whole | 2047); // L1, with m = 10
      const index = (octave << 10) + (whole >> octave);
      if (index < this.plainLength) {
        const counts = this.counts;
        const next = (counts[index]! + 1) | 0;
        counts[index] = next;
        if (next === 0) this.carry(index, 1);
        // The plus keeps a numeric string, which JavaScript lets through, from becoming a bound.
        if (value > this.maximum) this.maximum = +value;
        if (value < this.minimum) this.minimum = +value;
        return;
      }
    }
    this.#recordAny(value);
  }

  /** Counts one value in any layout. */
  #recordAny(value: number): void {
    const scaled = value * this.scale;
    let index: number;
    if (scaled < 2147483648 && scaled >= 0) {
      const whole = scaled | 0;
      const octave = this.leadingZeros - Math.clz32(whole | this.linearMask);
      index = (octave << this.subBucketBits) + (whole >> octave); // L1
    } else {
      index = scaled >= 2147483648 ? wideIndex(scaled, this.subBucketBits) : -1;
    }
    if (index >>> 0 >= this.allocated) {
      recordOutOfRange(this, value, 1);
      return;
    }
    const counts = this.counts;
    const next = (counts[index]! + 1) | 0;
    counts[index] = next;
    if (next === 0) this.carry(index, 1);
    if (scaled > this.maximum) this.maximum = scaled;
    if (scaled < this.minimum) this.minimum = scaled;
  }

  /**
   * Counts one value several times.
   *
   * @param value - 0 and above, in the caller's unit
   * @param count - how often (0 to 2^53 - 1)
   * @throws {HistogramRangeError} ERR_HISTOGRAM_VALUE as `record`; ERR_HISTOGRAM_COUNT if `count` isn't a
   * safe whole number or the bucket would pass 2^63 - 1
   *
   * Cost: O(1), no allocation.
   */
  recordCount(value: number, count: number): void {
    checkCount(count);
    if (count === 0) return;
    const scaled = value * this.scale;
    const index = this.layout.indexOfScaled(scaled);
    if (index >>> 0 >= this.allocated) {
      recordOutOfRange(this, value, count);
      return;
    }
    this.addAt(index, count);
    if (scaled > this.maximum) this.maximum = scaled;
    if (scaled < this.minimum) this.minimum = scaled;
  }

  /**
   * Counts each value of a list.
   *
   * @param values - numbers or a typed array; read, never kept
   * @param start - first index, included
   * @param end - last index, excluded
   *
   * Cost: O(end - start), no allocation.
   */
  recordMany(values: ArrayLike<number>, start: number = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.record(values[i]!);
  }

  /**
   * Counts a value given as a bigint, exactly up to 2^63.
   *
   * @param value - 0 and above, in the caller's unit
   * @param count - how often (0 to 2^53 - 1)
   *
   * Cost: O(1).
   */
  recordBigInt(value: bigint, count: number = 1): void {
    // Rounding to a double could step over a bucket's end: drop the bits below the bucket's first.
    const excess = Math.max(0, value.toString(2).length - 53);
    this.recordCount(Number((value >> BigInt(excess)) << BigInt(excess)), count);
  }

  /**
   * Counts a value, and the values that a stalled caller would have measured meanwhile: value - interval,
   * value - 2 * interval, and so on. Corrects coordinated omission as it happens.
   *
   * @param value - measured, in the caller's unit
   * @param expectedInterval - time between two measurements when nothing stalls (above 0)
   * @param count - how often (0 to 2^53 - 1)
   * @throws {HistogramRangeError} ERR_HISTOGRAM_VALUE if `expectedInterval` isn't above 0
   *
   * Cost: O(value / expectedInterval).
   */
  recordCorrected(value: number, expectedInterval: number, count: number = 1): void {
    if (!(expectedInterval > 0)) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_VALUE',
        `expectedInterval must be above 0: expectedInterval=${String(expectedInterval)}`,
      );
    }
    this.recordCount(value, count);
    if (value === Number.POSITIVE_INFINITY) return;
    for (let missing = value - expectedInterval; missing >= expectedInterval; ) {
      this.recordCount(missing, count);
      missing -= expectedInterval;
    }
  }

  /** Number of values counted, clamped ones included; to the nearest double above 2^53. */
  get count(): number {
    if (this.carries !== undefined) return Number(this.countBigInt);
    return sumBlocks(this, this.firstIndex, this.lastIndex).total;
  }

  /** Number of values counted, exact at any size. */
  get countBigInt(): bigint {
    let total = 0n;
    for (let i = this.firstIndex; i <= this.lastIndex; i++) {
      if (this.countAtIndex(i) !== 0) total += this.countAtIndexBigInt(i);
    }
    return total;
  }

  /** Number of values counted in the nearest bucket because they had none (policies `clamp`, `grow`). */
  get clamped(): number {
    return this.#clamped;
  }

  /** Number of values left out because they had no bucket. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Least counted value, exact to a step (bucket-exact after decoding or subtracting); NaN when empty. */
  get min(): number {
    return this.#unscaled(this.minimum);
  }

  /** Greatest counted value, also one that was clamped; exact as `min`; NaN when empty. */
  get max(): number {
    const { layout, lastIndex, maximum } = this;
    // Known to its bucket only, as after decoding: not to be rounded away from the bucket's end.
    if (lastIndex >= 0 && maximum === layout.scaledHighestOf(lastIndex)) {
      return layout.highestOf(lastIndex);
    }
    return this.#unscaled(maximum);
  }

  /** Mean of the counted values, each taken as the middle of its bucket; NaN when empty. */
  get mean(): number {
    return moments(this).mean;
  }

  /** Standard deviation (of the population) of the counted values; NaN when empty. */
  get standardDeviation(): number {
    return Math.sqrt(moments(this).variance);
  }

  /**
   * Returns the value below or at which `percentile` percent of the counted values lie.
   *
   * @param percentile - 0 to 100, both included; values outside are taken as the nearest end
   * @param options - rank rule and interpolation
   * @returns a value q with exact <= q <= exact * (1 + 2^-m), never above `max`; NaN when empty
   *
   * Cost: O(span) where span is the number of buckets from `min` to `max`.
   */
  percentile(percentile: number, options?: PercentileOptions): number {
    return percentilesOf(this, [percentile], options)[0]!;
  }

  /**
   * Returns several percentiles in one pass over the counts.
   *
   * @param percentiles - each 0 to 100, in any order
   * @param options - rank rule and interpolation
   * @returns a value for each, as `percentile`
   *
   * Cost: O(span) once, and about 32 buckets for each percentile.
   */
  percentiles<const List extends readonly number[]>(
    percentiles: List,
    options?: PercentileOptions,
  ): { -readonly [Index in keyof List]: number } {
    return percentilesOf(this, percentiles, options) as {
      -readonly [Index in keyof List]: number;
    };
  }

  /**
   * Returns how many values were counted in the bucket of a value.
   *
   * @param value - caller's unit
   * @returns 0 if the value has no bucket
   */
  countAt(value: number): number {
    const index = this.layout.indexOf(value);
    return index >>> 0 < this.allocated ? this.countAtIndex(index) : 0;
  }

  /**
   * Adds another histogram's counts to this one. Equal bucket layouts add exactly; otherwise every bucket
   * of the other is counted at its middle, which moves a value by at most half of that bucket's width.
   *
   * @param other - left unchanged
   * @throws {HistogramRangeError} ERR_HISTOGRAM_VALUE if a value has no bucket here and the policy is
   * `throw`
   *
   * Cost: O(span of `other`).
   */
  add(other: Histogram): void {
    addInto(this, other);
    this.addLost(other.#clamped, other.#dropped);
  }

  /**
   * Takes another histogram's counts away from this one's. Afterwards `min` and `max` are exact to a bucket
   * only.
   *
   * @param other - left unchanged; same bucket layout, and no bucket with more than this one has
   * @throws {HistogramRangeError} ERR_HISTOGRAM_SUBTRACT if it isn't contained in this one; then nothing
   * has changed
   *
   * Cost: O(span of `other`).
   */
  subtract(other: Histogram): void {
    subtractFrom(this, other);
    this.#clamped = Math.max(0, this.#clamped - other.#clamped);
    this.#dropped = Math.max(0, this.#dropped - other.#dropped);
  }

  /** Returns an equal, independent histogram. Cost: O(buckets). */
  copy(): Histogram {
    const { outOfRange, memory } = this;
    const copy = new Histogram({ ...this.#options, outOfRange, memory }, this.allocated);
    copy.counts.set(this.counts);
    copy.carries = this.carries?.slice();
    copy.minimum = this.minimum;
    copy.maximum = this.maximum;
    copy.#clamped = this.#clamped;
    copy.#dropped = this.#dropped;
    return copy;
  }

  /**
   * Returns a copy corrected for coordinated omission after the fact: as if every value had been recorded
   * by `recordCorrected`.
   *
   * @param expectedInterval - time between two measurements when nothing stalls (above 0)
   *
   * Cost: O(sum over buckets of value / expectedInterval).
   */
  copyCorrected(expectedInterval: number): Histogram {
    const copy = new Histogram({ ...this.#options, outOfRange: this.outOfRange });
    for (let i = this.firstIndex; i <= this.lastIndex; i++) {
      const count = this.countAtIndex(i);
      if (count === 0) continue;
      const value = Math.min(this.layout.highestOf(i), this.max);
      copy.recordCorrected(value, expectedInterval, count);
    }
    copy.minimum = Math.min(copy.minimum, this.minimum);
    return copy;
  }

  /** Empties the histogram and its counters; keeps its range. Cost: O(span). */
  reset(): void {
    if (!this.isEmpty) {
      this.counts.fill(0, this.firstIndex, this.lastIndex + 1);
      this.carries?.fill(0);
    }
    this.minimum = Number.POSITIVE_INFINITY;
    this.maximum = Number.NEGATIVE_INFINITY;
    this.#clamped = 0;
    this.#dropped = 0;
  }

  /**
   * Tells whether two histograms count the same: same layout and the same count in every bucket.
   *
   * @param other - to compare with
   */
  equals(other: Histogram): boolean {
    return sameCounts(this, other);
  }

  /** Greatest value that has a bucket (caller's unit). */
  get highestTrackable(): number {
    return this.layout.highestOf(this.length - 1);
  }

  /** @internal Adds to the counters of values without a bucket. */
  addLost(clamped: number, dropped: number): void {
    this.#clamped += clamped;
    this.#dropped += dropped;
  }

  get #options(): LayoutOptions {
    const { lowest, highest, digits, step } = this.layout;
    return { lowest, highest, digits, step };
  }

  #unscaled(scaled: number): number {
    if (this.isEmpty) return Number.NaN;
    const { step, unitBits } = this.layout;
    return Math.floor(scaled * 2 ** unitBits) * step + 0; // + 0 turns -0 into 0
  }
}
