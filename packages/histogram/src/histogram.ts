/**
 * Counts values in HdrHistogram's buckets: the histogram of one thread, and what every reader hands out.
 *
 * Bucket layout and its error bound: layout.ts. Counts are 64 bits wide at the price of 32: an unsigned
 * 32-bit word per bucket, and a second array for the rare bucket that passes 2^32, allocated then.
 *
 * ```text
 *  counts   u32[length]   low word of each bucket's count
 *  carries  u32[length]   high word; undefined until the first bucket passes 2^32 - 1
 *  minimum, maximum       least and greatest recorded value in scaled units, exact, as doubles
 * ```
 *
 * - H1: count(i) = counts[i] + 2^32 * carries[i]; it never wraps silently and never passes 2^63 - 1.
 * - H2: every call of record ends in exactly one of: a bucket (in range, or clamped), `dropped`, a throw.
 *   Hence count + dropped equals the number of calls that returned.
 * - H3: all non-empty buckets lie in [firstIndex, lastIndex], which follow from minimum and maximum.
 *
 * One thread only: for recording from several threads see shared-histogram.ts. No atomics.
 *
 * Cost of record: one multiplication, clz32, one bound check that catches everything abnormal, one
 * increment, two compares; no allocation, no option is read. One class without subclasses, so that call
 * sites stay monomorphic.
 */
import { HistogramRangeError } from './errors.ts';
import { BucketLayout, type LayoutOptions, wideIndex } from './layout.ts';
import { type PercentileOptions, percentilesOf } from './percentiles.ts';

/**
 * What happens to a value that has no bucket: `clamp` counts it in the nearest bucket (and in `clamped`),
 * `drop` leaves it out (and counts it in `dropped`), `throw` throws, `grow` adds buckets up to the value.
 * NaN and infinities have no nearest bucket: all but `throw` drop them. Negative values are clamped to 0
 * by `clamp` and `grow`.
 */
export type OutOfRangePolicy = 'clamp' | 'drop' | 'throw' | 'grow';

/** How to create a {@link Histogram}. */
export interface HistogramOptions extends LayoutOptions {
  /** What happens to values without a bucket. @defaultValue 'clamp' */
  readonly outOfRange?: OutOfRangePolicy;
}

const COUNT_MAX = 2n ** 63n - 1n;
const CARRY = 2 ** 32;

const checkCount = (count: number): number => {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_COUNT',
      `count must be a whole number from 0 to 2^53 - 1: count=${String(count)}`,
    );
  }
  return count;
};

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
export class Histogram {
  // `declare`: a field that is first undefined and then a number would never be an unboxed one.
  /** @internal Low words of the counts (H1). */
  declare counts: Uint32Array;
  /** Number of buckets. In a field of its own: a typed array's length costs V8 a check for detachment. */
  declare length: number;
  /** @internal High words of the counts (H1). */
  carries: Uint32Array | undefined = undefined;
  /** @internal Least recorded value, scaled; Infinity when empty. */
  minimum: number = Number.POSITIVE_INFINITY;
  /** @internal Greatest recorded value, scaled; -Infinity when empty. */
  maximum: number = Number.NEGATIVE_INFINITY;
  /** @internal Copies of the layout's, for record. */
  declare readonly scale: number;
  /** @internal */
  declare readonly subBucketBits: number;
  /** @internal 31 - m: clz32 of the first value beyond the linear part. */
  declare readonly leadingZeros: number;
  /** @internal */
  declare readonly linearMask: number;
  /** Where values are counted: ranges, widths, value of an index. */
  readonly layout: BucketLayout;
  /** What happens to values without a bucket. */
  readonly outOfRange: OutOfRangePolicy;
  #clamped = 0;
  #dropped = 0;

  /**
   * Creates an empty histogram.
   *
   * @param options - range, precision and policy; or a layout, as of another histogram
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an option is out of its range
   */
  constructor(options: HistogramOptions | BucketLayout = {}) {
    const layout = options instanceof BucketLayout ? options : new BucketLayout(options);
    const outOfRange = (options as HistogramOptions).outOfRange ?? 'clamp';
    if (!['clamp', 'drop', 'throw', 'grow'].includes(outOfRange)) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `outOfRange must be clamp, drop, throw or grow: outOfRange=${String(outOfRange)}`,
      );
    }
    this.layout = layout;
    this.outOfRange = outOfRange;
    this.counts = new Uint32Array(layout.length);
    this.length = layout.length;
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
    const scaled = value * this.scale;
    let index: number;
    if (scaled < 2147483648 && scaled >= 0) {
      const whole = scaled | 0;
      const octave = this.leadingZeros - Math.clz32(whole | this.linearMask);
      index = (octave << this.subBucketBits) + (whole >> octave); // L1
    } else {
      index = scaled >= 2147483648 ? wideIndex(scaled, this.subBucketBits) : -1;
    }
    if (index >>> 0 >= this.length) {
      this.#recordOutOfRange(value, 1);
      return;
    }
    const counts = this.counts;
    const next = (counts[index]! + 1) | 0;
    counts[index] = next;
    if (next === 0) this.#carry(index, 1);
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
    if (index >>> 0 >= this.length) {
      this.#recordOutOfRange(value, count);
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
    const counts = this.counts;
    const last = this.lastIndex;
    let total = 0;
    for (let i = this.firstIndex; i <= last; i++) total += counts[i]!;
    const carries = this.carries;
    if (carries === undefined) return total;
    return Number(this.countBigInt);
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
    let total = 0;
    let sum = 0;
    for (let i = this.firstIndex; i <= this.lastIndex; i++) {
      const count = this.countAtIndex(i);
      if (count === 0) continue;
      total += count;
      sum += count * this.layout.middleOf(i);
    }
    return total === 0 ? Number.NaN : sum / total;
  }

  /** Standard deviation (of the population) of the counted values; NaN when empty. */
  get standardDeviation(): number {
    const mean = this.mean;
    let total = 0;
    let squares = 0;
    for (let i = this.firstIndex; i <= this.lastIndex; i++) {
      const count = this.countAtIndex(i);
      if (count === 0) continue;
      const deviation = this.layout.middleOf(i) - mean;
      total += count;
      squares += count * deviation * deviation;
    }
    return total === 0 ? Number.NaN : Math.sqrt(squares / total);
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
    return index >>> 0 < this.length ? this.countAtIndex(index) : 0;
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
    if (other.isEmpty) {
      this.#clamped += other.#clamped;
      this.#dropped += other.#dropped;
      return;
    }
    const { firstIndex, lastIndex } = other;
    if (this.layout.sameBuckets(other.layout)) {
      if (lastIndex >= this.length && this.outOfRange === 'grow') this.#grow(lastIndex);
      if (lastIndex < this.length) {
        this.#addCounts(other, firstIndex, lastIndex);
        if (other.maximum > this.maximum) this.maximum = other.maximum;
        if (other.minimum < this.minimum) this.minimum = other.minimum;
        this.#clamped += other.#clamped;
        this.#dropped += other.#dropped;
        return;
      }
    }
    for (let i = firstIndex; i <= lastIndex; i++) {
      const count = other.countAtIndexBigInt(i);
      if (count === 0n) continue;
      const value = Math.min(Math.max(other.layout.middleOf(i), other.min), other.max);
      for (let rest = count; rest > 0n; rest -= BigInt(Number.MAX_SAFE_INTEGER)) {
        this.recordCount(value, Math.min(Number(rest), Number.MAX_SAFE_INTEGER));
      }
    }
    this.#clamped += other.#clamped;
    this.#dropped += other.#dropped;
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
    if (!this.layout.sameBuckets(other.layout)) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_SUBTRACT',
        `other must have the same bucket layout: digits=${other.layout.digits} step=${other.layout.step}`,
      );
    }
    const { firstIndex, lastIndex } = other;
    for (let i = firstIndex; i <= lastIndex; i++) {
      const count = other.countAtIndexBigInt(i);
      if (count !== 0n && (i >= this.length || this.countAtIndexBigInt(i) < count)) {
        throw new HistogramRangeError(
          'ERR_HISTOGRAM_SUBTRACT',
          `other counts more than this at value=${other.layout.lowestOf(i)}: count=${count}`,
        );
      }
    }
    for (let i = firstIndex; i <= lastIndex; i++) {
      const count = other.countAtIndexBigInt(i);
      if (count !== 0n) this.setAt(i, this.countAtIndexBigInt(i) - count);
    }
    this.#clamped = Math.max(0, this.#clamped - other.#clamped);
    this.#dropped = Math.max(0, this.#dropped - other.#dropped);
    this.tightenRange();
  }

  /** Returns an equal, independent histogram. Cost: O(buckets). */
  copy(): Histogram {
    const copy = new Histogram({ ...this.#options, outOfRange: this.outOfRange });
    copy.counts = this.counts.slice();
    copy.length = this.length;
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
    if (!this.layout.sameBuckets(other.layout)) return false;
    if (this.isEmpty || other.isEmpty) return this.isEmpty && other.isEmpty;
    const first = Math.min(this.firstIndex, other.firstIndex);
    const last = Math.max(this.lastIndex, other.lastIndex);
    for (let i = first; i <= last; i++) {
      if (this.countAtIndexBigInt(i) !== other.countAtIndexBigInt(i)) return false;
    }
    return true;
  }

  /** Whether nothing has been counted. */
  get isEmpty(): boolean {
    return this.minimum > this.maximum;
  }

  /** Greatest value that has a bucket (caller's unit). */
  get highestTrackable(): number {
    return this.layout.highestOf(this.length - 1);
  }

  /** @internal First bucket that can be non-empty (H3); 0 when empty. */
  get firstIndex(): number {
    if (this.isEmpty) return 0;
    return this.#indexWithin(this.minimum);
  }

  /** @internal Last bucket that can be non-empty (H3); -1 when empty. */
  get lastIndex(): number {
    if (this.isEmpty) return -1;
    return this.#indexWithin(this.maximum);
  }

  /** @internal Count of a bucket to the nearest double (H1). */
  countAtIndex(index: number): number {
    const low = this.counts[index] ?? 0;
    return this.carries === undefined ? low : low + (this.carries[index] ?? 0) * CARRY;
  }

  /** @internal Count of a bucket, exact (H1). */
  countAtIndexBigInt(index: number): bigint {
    const low = BigInt(this.counts[index] ?? 0);
    return this.carries === undefined ? low : low + (BigInt(this.carries[index] ?? 0) << 32n);
  }

  /** @internal Adds to a bucket without touching minimum and maximum. */
  addAt(index: number, count: number): void {
    const sum = this.counts[index]! + count;
    if (sum < CARRY) {
      this.counts[index] = sum;
      return;
    }
    this.setAt(index, this.countAtIndexBigInt(index) + BigInt(count));
  }

  /** @internal Sets a bucket's count without touching minimum and maximum (H1). */
  setAt(index: number, count: bigint): void {
    if (count > COUNT_MAX) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_COUNT',
        `a bucket's count must be at most 2^63 - 1: count=${count}`,
      );
    }
    const high = Number(count >> 32n);
    if (high > 0 || this.carries !== undefined) {
      this.carries ??= new Uint32Array(this.length);
      this.carries[index] = high;
    }
    this.counts[index] = Number(count & 0xffffffffn);
  }

  /** @internal Adds to the counters of values without a bucket. */
  addLost(clamped: number, dropped: number): void {
    this.#clamped += clamped;
    this.#dropped += dropped;
  }

  /** @internal Sets minimum and maximum from the outermost non-empty buckets. */
  tightenRange(first: number = this.firstIndex, last: number = this.lastIndex): void {
    let from = first;
    let to = last;
    while (from <= to && this.countAtIndex(from) === 0) from++;
    while (to > from && this.countAtIndex(to) === 0) to--;
    const { layout } = this;
    if (from > to) {
      this.minimum = Number.POSITIVE_INFINITY;
      this.maximum = Number.NEGATIVE_INFINITY;
      return;
    }
    // A bound that lies in its outermost bucket is exact and stays.
    if (!Number.isFinite(this.minimum) || this.#indexWithin(this.minimum) !== from) {
      this.minimum = layout.scaledLowestOf(from);
    }
    if (!Number.isFinite(this.maximum) || this.#indexWithin(this.maximum) !== to) {
      this.maximum = layout.scaledHighestOf(to);
    }
  }

  #indexWithin(scaled: number): number {
    return Math.min(this.layout.indexOfScaled(scaled), this.length - 1);
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

  #carry(index: number, high: number): void {
    this.carries ??= new Uint32Array(this.length);
    this.carries[index]! += high;
  }

  #grow(index: number): void {
    const octave = 1 << this.subBucketBits;
    const length = (Math.floor(index / octave) + 1) * octave;
    const counts = new Uint32Array(length);
    counts.set(this.counts);
    if (this.carries !== undefined) {
      const carries = new Uint32Array(length);
      carries.set(this.carries);
      this.carries = carries;
    }
    this.counts = counts;
    this.length = length;
  }

  #recordOutOfRange(value: number, count: number): void {
    if (this.outOfRange === 'throw') {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_VALUE',
        `value must be from 0 to ${this.highestTrackable}: value=${String(value)}`,
      );
    }
    const number = Number(value);
    if (this.outOfRange === 'drop' || !Number.isFinite(number)) {
      this.#dropped += count;
      return;
    }
    const scaled = Math.max(0, number * this.scale);
    const index = this.layout.indexOfScaled(scaled);
    if (this.outOfRange === 'grow' && number >= 0 && scaled < 2 ** (63 - this.layout.unitBits)) {
      this.#grow(index);
    } else {
      this.#clamped += count;
    }
    this.addAt(Math.min(index, this.length - 1), count);
    if (scaled > this.maximum) this.maximum = scaled;
    if (scaled < this.minimum) this.minimum = scaled;
  }

  #addCounts(other: Histogram, first: number, last: number): void {
    const own = this.counts;
    const theirs = other.counts;
    if (this.carries === undefined && other.carries === undefined) {
      for (let i = first; i <= last; i++) {
        const sum = own[i]! + theirs[i]!;
        own[i] = sum;
        if (sum >= CARRY) this.#carry(i, 1);
      }
      return;
    }
    for (let i = first; i <= last; i++) {
      const count = other.countAtIndexBigInt(i);
      if (count !== 0n) this.setAt(i, this.countAtIndexBigInt(i) + count);
    }
  }
}
