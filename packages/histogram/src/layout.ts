/**
 * Where a value is counted: HdrHistogram's log-linear buckets, as arithmetic without any counts.
 *
 * From HdrHistogram (Gil Tene), whose counts array this is index for index; with `lowest` 1 it is also H2
 * (IOP Systems' histogram) with grouping power 4, 7, 10, 14, 17 for 1 to 5 digits.
 *
 * A value is first turned into a whole number of *units* of 2^unitBits steps (x, "scaled"). Below 2^(m+1)
 * every x has a bucket of its own; above, each power of two is cut into 2^m buckets of equal width, so a
 * bucket is never wider than 2^-m of the values in it:
 *
 * ```text
 *  index   0 .............. 2^m ........... 2*2^m .......... 3*2^m .......... 4*2^m ...
 *          +----------------+----------------+----------------+----------------+
 *  x       | 0 .. 2^m - 1   | 2^m ..2^(m+1)-1| .. 2^(m+2) - 1 | .. 2^(m+3) - 1 | ...
 *  width   | 1              | 1              | 2              | 4              | doubles
 *          +----------------+----------------+----------------+----------------+
 *  m = 0, 4, 7, 10, 14, 17 for 0, 1, 2, 3, 4, 5 digits: 2^-m <= 10^-digits
 * ```
 *
 * - L1: index(x) = (b << m) + floor(x / 2^b), b = max(0, floor(log2 x) - m).
 * - L2: lowestOf(indexOf(v)) <= v (floored to a step) <= highestOf(indexOf(v)).
 * - L3: index is monotone in v and doesn't depend on `highest`, so growing is a copy.
 * - L4: widthOf(i) <= lowestOf(i) * 2^-m wherever the width is above one unit.
 *
 * Pure arithmetic over immutable fields: any thread, no atomics. Cost: O(1), no allocation.
 */
import { HistogramRangeError } from './errors.ts';

/** Number of significant decimal digits that a bucket keeps apart; 0 leaves one bucket per power of two. */
export type Digits = 0 | 1 | 2 | 3 | 4 | 5;

/** What range a histogram covers and how finely; see {@link BucketLayout}. */
export interface LayoutOptions {
  /**
   * Smallest difference worth telling apart (in the caller's unit, above 0). 1000 for nanoseconds of which
   * only microseconds matter; 0.001 for milliseconds of which microseconds matter.
   * @defaultValue 1
   */
  readonly lowest?: number | bigint;
  /**
   * Largest value that must be countable (at least 2 * lowest, at most 2^63 steps). Values up to the end of
   * the last bucket, less than twice this, are in range too.
   * @defaultValue 3_600_000_000_000, an hour in nanoseconds
   */
  readonly highest?: number | bigint;
  /** Significant decimal digits kept, 0 to 5. @defaultValue 3 */
  readonly digits?: Digits;
  /**
   * Size of one step: recorded values are floored to a whole number of steps. A power of two keeps all
   * arithmetic exact; with any other size (1e-6 for milliseconds counted in nanoseconds) a value may be
   * rounded to the step above or below.
   * @defaultValue 1, or the largest power of two that isn't above `lowest` when that is below 1
   */
  readonly step?: number;
}

/** Largest number of steps, as HdrHistogram's 64-bit signed values have it. */
const STEPS_MAX = 2 ** 63;
const SUB_BUCKET_BITS = [0, 4, 7, 10, 14, 17] as const;

const floatView: Float64Array = new Float64Array(1);
const wordView: Uint32Array = new Uint32Array(floatView.buffer);
// Engines run on little-endian hardware today; a big-endian one keeps the exponent in word 0.
const HIGH_WORD: 0 | 1 = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** 2^0 to 2^1023: `2 ** n` would be a call. */
const POWERS: Float64Array = Float64Array.from({ length: 1024 }, (_, bits) => 2 ** bits);

/** Returns floor(log2 value) of a positive normal number, exactly. */
const exponentOf = (value: number): number => {
  floatView[0] = value;
  return ((wordView[HIGH_WORD]! >>> 20) & 0x7ff) - 1023;
};

/**
 * Returns the index of a scaled value of 2^31 and above (L1), from the bits of the double: exponent and top
 * m bits of the mantissa are already the index, up to a constant. Anything too large, Infinity included,
 * gives an index beyond every array.
 */
export const wideIndex = (scaled: number, subBucketBits: number): number => {
  floatView[0] = scaled;
  return (wordView[HIGH_WORD]! - ((1022 + subBucketBits) << 20)) >>> (20 - subBucketBits);
};

/** Returns the next double below a positive one. */
export const nextBelow = (value: number): number => {
  floatView[0] = value;
  const low = wordView[1 - HIGH_WORD]!;
  wordView[1 - HIGH_WORD] = low - 1;
  if (low === 0) wordView[HIGH_WORD]! -= 1;
  return floatView[0]!;
};

const positive = (name: string, value: unknown): number => {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !(number > 0) || number === Infinity) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `${name} must be a positive finite number: ${name}=${String(value)}`,
    );
  }
  return number;
};

/**
 * Holds the arithmetic of one bucket layout: value to index and back.
 *
 * Concurrency: immutable. Cost: every method O(1), no allocation.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { BucketLayout } from '@millrace/histogram';
 *
 * const layout = new BucketLayout({ digits: 3 });
 * const index = layout.indexOf(100_000);
 * assert.equal(layout.lowestOf(index), 99_968);
 * assert.equal(layout.highestOf(index), 100_031);
 * ```
 */
export class BucketLayout {
  /** Significant decimal digits. */
  readonly digits: Digits;
  /** m: each power of two has 2^m buckets. */
  readonly subBucketBits: number;
  /** The finest bucket spans 2^unitBits steps. */
  readonly unitBits: number;
  /** Size of one step in the caller's unit. */
  readonly step: number;
  /** `lowest` as asked for, in the caller's unit. */
  readonly lowest: number;
  /** `highest` as asked for, in the caller's unit. */
  readonly highest: number;
  /** `lowest` in steps, a whole number. */
  readonly lowestSteps: number;
  /** Multiplies a value into units of 2^unitBits steps ("scaled"). */
  readonly scale: number;
  /** @internal Whether values are counted as they are, with 3 digits: what the fast paths are made for. */
  readonly isPlain: boolean;
  /** Number of buckets that reach up to `highest`. */
  readonly length: number;
  /** Size of the finest bucket in the caller's unit. */
  readonly #unit: number;

  /**
   * Creates the layout of a range.
   *
   * @param options - range and precision
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an option is out of its range
   */
  constructor(options: LayoutOptions = {}) {
    const lowest = positive('lowest', options.lowest ?? 1);
    const highest = positive('highest', options.highest ?? 3_600_000_000_000);
    const digits = options.digits ?? 3;
    const subBucketBits = SUB_BUCKET_BITS[digits];
    if (!Number.isInteger(digits) || digits < 0 || subBucketBits === undefined) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `digits must be a whole number from 0 to 5: digits=${String(digits)}`,
      );
    }
    const step = positive('step', options.step ?? (lowest < 1 ? 2 ** exponentOf(lowest) : 1));
    const lowestSteps = Math.max(1, Math.floor(lowest / step));
    if (highest < 2 * lowest) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `highest must be at least 2 * lowest: highest=${highest} lowest=${lowest}`,
      );
    }
    if (highest / step > STEPS_MAX) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `highest must be at most 2^63 steps: highest=${highest} step=${step}`,
      );
    }
    this.digits = digits;
    this.subBucketBits = subBucketBits;
    this.unitBits = exponentOf(lowestSteps);
    if (this.unitBits + subBucketBits + 1 > 62) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `lowest is too large for these digits: lowest=${lowest} digits=${digits}`,
      );
    }
    this.step = step;
    this.lowest = lowest;
    this.highest = highest;
    this.lowestSteps = lowestSteps;
    this.#unit = step * 2 ** this.unitBits;
    this.scale = 1 / this.#unit;
    this.isPlain = digits === 3 && this.#unit === 1;
    this.length = this.lengthFor(highest);
  }

  /**
   * Returns how many buckets reach up to a value.
   *
   * @param highest - largest value to cover (caller's unit)
   * @returns at least 2 * 2^m
   */
  lengthFor(highest: number): number {
    // A step that isn't a power of two may have moved the quotient off a whole number.
    const steps = Math.min(this.step === 1 ? highest : Math.round(highest / this.step), STEPS_MAX);
    let untrackable = 2 ** (this.subBucketBits + 1 + this.unitBits);
    let octaves = 2;
    while (untrackable <= steps && untrackable < STEPS_MAX) {
      untrackable *= 2;
      octaves++;
    }
    return octaves << this.subBucketBits;
  }

  /**
   * Returns the bucket of a value.
   *
   * @param value - any value of 0 and above (caller's unit)
   * @returns the index, possibly beyond `length`; -1 for NaN and negative values
   */
  indexOf(value: number): number {
    return this.indexOfScaled(value * this.scale);
  }

  /** @internal */
  indexOfScaled(scaled: number): number {
    if (!(scaled >= 0)) return -1;
    if (scaled >= 2 ** 31) return wideIndex(scaled, this.subBucketBits);
    const whole = scaled | 0;
    const octave = Math.max(0, 31 - Math.clz32(whole) - this.subBucketBits);
    return (octave << this.subBucketBits) + (whole >> octave); // L1
  }

  /**
   * Returns the least value of a bucket.
   *
   * @param index - bucket, 0 and above
   * @returns the value in the caller's unit; exact below 2^53 steps and for every bucket of step 1
   */
  lowestOf(index: number): number {
    return this.scaledLowestOf(index) * this.#unit;
  }

  /**
   * Returns the width of a bucket, from its least value to the next bucket's.
   *
   * @param index - bucket, 0 and above
   * @returns the width in the caller's unit
   */
  widthOf(index: number): number {
    return this.scaledWidthOf(index) * this.#unit;
  }

  /**
   * Returns the greatest value of a bucket: one step below the next bucket.
   *
   * @param index - bucket, 0 and above
   * @returns the value in the caller's unit, rounded to a double above 2^53 steps
   */
  highestOf(index: number): number {
    const unit = POWERS[this.unitBits]!;
    const width = this.scaledWidthOf(index) * unit;
    return (this.scaledLowestOf(index) * unit + (width - 1)) * this.step;
  }

  /**
   * Returns the value in the middle of a bucket, as HdrHistogram defines it.
   *
   * @param index - bucket, 0 and above
   * @returns the value in the caller's unit
   */
  middleOf(index: number): number {
    const unit = POWERS[this.unitBits]!;
    const width = this.scaledWidthOf(index) * unit;
    return (this.scaledLowestOf(index) * unit + Math.floor(width / 2)) * this.step;
  }

  /**
   * Returns the greatest value of a bucket in steps, exactly.
   *
   * @param index - bucket, 0 and above
   * @returns the value in steps, also above 2^53
   */
  highestStepsOf(index: number): bigint {
    const octave = (index >> this.subBucketBits) - 1;
    const bits = BigInt(Math.max(0, octave) + this.unitBits);
    return this.lowestStepsOf(index) + (1n << bits) - 1n;
  }

  /**
   * Returns the least value of a bucket in steps, exactly.
   *
   * @param index - bucket, 0 and above
   * @returns the value in steps, also above 2^53
   */
  lowestStepsOf(index: number): bigint {
    return BigInt(this.scaledLowestOf(index)) << BigInt(this.unitBits);
  }

  /**
   * Tells whether two layouts put every value in the same bucket, up to the shorter one's end.
   *
   * @param other - layout to compare with
   */
  sameBuckets(other: BucketLayout): boolean {
    return (
      this.subBucketBits === other.subBucketBits &&
      this.unitBits === other.unitBits &&
      this.step === other.step
    );
  }

  /** @internal Least value of a bucket, scaled. */
  scaledLowestOf(index: number): number {
    const bits = this.subBucketBits;
    const octave = (index >> bits) - 1;
    return octave <= 0 ? index : ((index & ((1 << bits) - 1)) + (1 << bits)) * POWERS[octave]!;
  }

  /** @internal Width of a bucket, scaled. */
  scaledWidthOf(index: number): number {
    const octave = (index >> this.subBucketBits) - 1;
    return octave <= 0 ? 1 : POWERS[octave]!;
  }

  /** @internal Greatest value of a bucket, scaled: one step below the next bucket, or one double. */
  scaledHighestOf(index: number): number {
    const end = this.scaledLowestOf(index) + this.scaledWidthOf(index);
    return Math.min(end - 1 / POWERS[this.unitBits]!, nextBelow(end));
  }
}
