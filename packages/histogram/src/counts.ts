/**
 * The counts of one histogram: where they are kept, how wide they are, which of them can be non-zero.
 *
 * ```text
 *  counts   u32[allocated]   low word of each bucket's count
 *  carries  u32[allocated]   high word; undefined until the first bucket passes 2^32 - 1
 *  minimum, maximum          least and greatest recorded value in scaled units, exact, as doubles
 * ```
 *
 * - H1: count(i) = counts[i] + 2^32 * carries[i]; it never wraps silently and never passes 2^63 - 1.
 * - H3: all non-empty buckets lie in [firstIndex, lastIndex], which follow from minimum and maximum.
 *
 * Owner thread of the histogram. Cost: O(1), but `ensure`, which copies, and `tightenRange`, which looks for
 * the outermost non-empty bucket.
 */
import type { CountsMemory } from './counts-memory.ts';
import { HistogramRangeError } from './errors.ts';
import type { BucketLayout } from './layout.ts';

const COUNT_MAX = 2n ** 63n - 1n;
const CARRY = 2 ** 32;

/** What every histogram is underneath; `Histogram` is its only subclass, so call sites stay monomorphic. */
export class Counts {
  // `declare`: a field that is first undefined and then a number would never be an unboxed one.
  /** @internal Low words of the counts (H1). */
  declare counts: Uint32Array;
  /**
   * @internal Number of counts there are now. In a field of its own: a typed array's length costs V8 a check
   * for detachment. Less than `length` in a decoded histogram, which has the rest made when it is needed.
   */
  declare allocated: number;
  /** @internal `allocated` if the layout is plain (3 digits, lowest 1, step 1), else 0: a fast path's bound. */
  declare plainLength: number;
  /** @internal High words of the counts (H1). */
  carries: Uint32Array | undefined = undefined;
  /** @internal Least recorded value, scaled; Infinity when empty. */
  minimum: number = Number.POSITIVE_INFINITY;
  /** @internal Greatest recorded value, scaled; -Infinity when empty. */
  maximum: number = Number.NEGATIVE_INFINITY;
  /** Where values are counted: ranges, widths, value of an index. */
  readonly layout: BucketLayout;
  /** @internal The memory that `counts` lie in, unless it is ordinary. */
  memory: CountsMemory | undefined;

  /** @internal */
  constructor(layout: BucketLayout, allocated: number, memory: CountsMemory | undefined) {
    this.layout = layout;
    const counts = memory?.allocate(allocated);
    this.memory = counts === undefined ? undefined : memory;
    this.counts = counts ?? new Uint32Array(allocated);
    this.allocated = allocated;
    this.plainLength = layout.isPlain ? allocated : 0;
  }

  /** Whether nothing has been counted. */
  get isEmpty(): boolean {
    return this.minimum > this.maximum;
  }

  /** Number of buckets. */
  get length(): number {
    return Math.max(this.layout.length, this.allocated);
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
      this.carries ??= new Uint32Array(this.allocated);
      this.carries[index] = high;
    }
    this.counts[index] = Number(count & 0xffffffffn);
  }

  /** @internal Adds to a bucket's high word (H1). */
  carry(index: number, high: number): void {
    this.carries ??= new Uint32Array(this.allocated);
    this.carries[index]! += high;
  }

  /** @internal Makes the counts of all buckets up to one, whole octaves at a time. */
  ensure(index: number): void {
    if (index < this.allocated) return;
    const octave = 2 ** this.layout.subBucketBits;
    const length = (Math.floor(index / octave) + 1) * octave;
    const { memory } = this;
    this.#moveTo(memory?.allocate(length), length);
  }

  /** @internal Moves the counts to ordinary memory. */
  leaveMemory(): void {
    if (this.memory !== undefined) this.#moveTo(undefined, this.allocated);
  }

  /** Moves the counts to `room`, or to new ordinary memory without one. */
  #moveTo(room: Uint32Array | undefined, length: number): void {
    const counts = room ?? new Uint32Array(length);
    counts.set(this.counts);
    this.memory?.release(this.counts);
    if (room === undefined) this.memory = undefined;
    if (this.carries !== undefined) {
      const carries = new Uint32Array(length);
      carries.set(this.carries);
      this.carries = carries;
    }
    this.counts = counts;
    this.allocated = length;
    if (this.layout.isPlain) this.plainLength = length;
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
    return Math.min(this.layout.indexOfScaled(scaled), this.allocated - 1);
  }
}
