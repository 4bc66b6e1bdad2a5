/**
 * Records into shared memory from one thread: the writers' side of a shared histogram.
 *
 * Memory layout and the two-word counts: shared-layout.ts.
 *
 * - R1: an exclusive shard has one writer at a time: the thread whose compareExchange took `owner` from 0.
 *   All its stores are therefore plain, and cost what they cost in private memory.
 * - R2: counts only ever grow, across owners too. Readers subtract; nobody resets. A terminated worker
 *   hence loses nothing that it had recorded.
 * - R3: every call of record ends in exactly one cell: a bucket, or `dropped`, unless it throws.
 * - R4: the range is published before the count. Readers sum within the range only, so the other way round
 *   a writer killed in between would hide its last record until the shard's next owner widens the range.
 *
 * One recorder belongs to the thread that claimed it; any number of threads may read meanwhile. R1 and R4 are
 * proved by the scenarios of test/interleave/scenarios.ts that begin with them, R2 by those of G1 and G4, R3 by
 * test/interleave/sequential.ts.
 *
 * Atomics: `owner` is released by Atomics.store, so the next owner's compareExchange orders its plain
 * stores behind ours, and a reader that sees the release sees every count. The common shard has many
 * writers, hence Atomics.add for each record.
 *
 * Cost: record as in histogram.ts; on the common shard one Atomics.add more.
 */
import { checkCount, HistogramRangeError, HistogramSharedError } from './errors.ts';
import { type BucketLayout, wideIndex } from './layout.ts';
import {
  CELL_CLAMPED,
  CELL_DROPPED,
  EXTRA_CELLS,
  FLOAT_MAXIMUM,
  FLOAT_MINIMUM,
  nextCarry,
  type ShardViews,
  WORD_CROSSED,
  WORD_OWNER,
} from './shared-layout.ts';

/** Policies of a shared histogram; its memory can't grow. */
export type SharedOutOfRangePolicy = 'clamp' | 'drop' | 'throw';

/** Largest part of a count added at once, far enough from 2^30 for S1. */
const PART_MAX = 2 ** 29;

/**
 * Records values into a shared histogram from the thread that claimed it.
 *
 * Concurrency: one thread. Readers elsewhere need no agreement (scenarios `G2: ...`).
 * Cost: as `Histogram.record`; `exclusive` false adds one atomic addition per record.
 */
export interface SharedRecorder {
  /** Number of the shard, 0 and above. */
  readonly shard: number;
  /** Whether this recorder has a shard of its own; false when all were taken. */
  readonly exclusive: boolean;
  /**
   * Counts one value.
   *
   * @param value - 0 and above, in the caller's unit; floored to a step
   * @throws {HistogramRangeError} ERR_HISTOGRAM_VALUE if the value has no bucket and the policy is `throw`
   * @throws {HistogramSharedError} ERR_HISTOGRAM_RELEASED after `release`
   */
  record(value: number): void;
  /**
   * Counts one value several times.
   *
   * @param value - 0 and above, in the caller's unit
   * @param count - how often (0 to 2^53 - 1)
   */
  recordCount(value: number, count: number): void;
  /**
   * Counts each value of a list.
   *
   * @param values - numbers or a typed array; read, never kept
   * @param start - first index, included
   * @param end - last index, excluded
   */
  recordMany(values: ArrayLike<number>, start?: number, end?: number): void;
  /** Gives the shard back, for another thread to continue. Recording afterwards throws. Idempotent. */
  release(): void;
  /** Does the same as `release`, for `using`. */
  [Symbol.dispose](): void;
}

const released = (shard: number): HistogramSharedError =>
  new HistogramSharedError(
    'ERR_HISTOGRAM_RELEASED',
    `this recorder has been released: shard=${shard}`,
  );

const outOfRange = (layout: BucketLayout, length: number, value: number): HistogramRangeError =>
  new HistogramRangeError(
    'ERR_HISTOGRAM_VALUE',
    `value must be from 0 to ${layout.highestOf(length - 1)}: value=${String(value)}`,
  );

/** Where a value without a bucket is counted: its bucket under `clamp`, or nowhere. */
const cellOutOfRange = (
  layout: BucketLayout,
  length: number,
  policy: SharedOutOfRangePolicy,
  value: number,
): { index: number; scaled: number } | undefined => {
  if (policy === 'throw') throw outOfRange(layout, length, value);
  const number = Number(value);
  if (policy === 'drop' || !Number.isFinite(number)) return undefined;
  const scaled = Math.max(0, number * layout.scale);
  return { index: Math.min(layout.indexOfScaled(scaled), length - 1), scaled };
};

/** @internal A shard of its own: plain stores (R1). */
export class ExclusiveRecorder implements SharedRecorder {
  // `declare`: a field that is first undefined and then a number would never be an unboxed one.
  declare counts: Uint32Array;
  /** Buckets that may be recorded into, so that one bound check does it all; 0 once released. */
  declare length: number;
  /** `length` if the layout is plain, else 0; see histogram.ts. */
  declare plainLength: number;
  /** What this writer has published in its shard's range, at hand without a load from shared memory. */
  declare minimum: number;
  declare maximum: number;
  declare readonly scale: number;
  declare readonly subBucketBits: number;
  declare readonly leadingZeros: number;
  declare readonly linearMask: number;
  readonly #views: ShardViews;
  readonly #layout: BucketLayout;
  readonly #policy: SharedOutOfRangePolicy;
  readonly #length: number;
  readonly shard: number;
  readonly exclusive: boolean = true;

  constructor(
    layout: BucketLayout,
    views: ShardViews,
    shard: number,
    policy: SharedOutOfRangePolicy,
  ) {
    this.#layout = layout;
    this.#views = views;
    this.#policy = policy;
    this.#length = views.counts.length - EXTRA_CELLS;
    this.length = this.#length;
    this.plainLength = layout.isPlain ? this.#length : 0;
    this.counts = views.counts;
    // The previous owner's range goes on.
    this.minimum = views.range[FLOAT_MINIMUM]!;
    this.maximum = views.range[FLOAT_MAXIMUM]!;
    this.scale = layout.scale;
    this.subBucketBits = layout.subBucketBits;
    this.leadingZeros = 31 - layout.subBucketBits;
    this.linearMask = 2 ** (layout.subBucketBits + 1) - 1;
    this.shard = shard;
  }

  record(value: number): void {
    if (
      value < 2147483648 &&
      // mutant-ok index-off-by-one: 0 takes the other path to the same bucket
      value >= 0
    ) {
      const whole = value | 0;
      const octave = 21 - Math.clz32(whole | 2047); // L1, with m = 10
      const index = (octave << 10) + (whole >> octave);
      if (index < this.plainLength) {
        // R4
        if (value > this.maximum) this.#raise(+value); // mutant-ok index-off-by-one: the same bound
        if (value < this.minimum) this.#lower(+value); // mutant-ok index-off-by-one: the same bound
        const counts = this.counts;
        const next = (counts[index]! + 1) | 0;
        // mutant-ok atomic-access: plain is enough (R1), and a tenth of the cost
        counts[index] = next;
        if ((next & 0x7fffffff) === 0) this.#cross(index, next);
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
    if (index >>> 0 >= this.length) {
      this.#recordOutOfRange(value, 1);
      return;
    }
    this.#widen(scaled); // R4
    const counts = this.counts;
    const next = (counts[index]! + 1) | 0;
    counts[index] = next; // R1: plain
    if ((next & 0x7fffffff) === 0) this.#cross(index, next);
  }

  recordCount(value: number, count: number): void {
    checkCount(count);
    if (count === 0) return;
    const scaled = value * this.scale;
    const index = this.#layout.indexOfScaled(scaled);
    if (index >>> 0 >= this.length) {
      this.#recordOutOfRange(value, count);
      return;
    }
    this.#widen(scaled); // R4
    this.#addAt(index, count);
  }

  recordMany(values: ArrayLike<number>, start: number = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.record(values[i]!);
  }

  release(): void {
    if (this.length === 0) return;
    this.length = 0;
    this.plainLength = 0;
    Atomics.store(this.#views.control, WORD_OWNER, 0);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #widen(scaled: number): void {
    if (scaled > this.maximum) this.#raise(scaled); // mutant-ok index-off-by-one: the same bound
    if (scaled < this.minimum) this.#lower(scaled); // mutant-ok index-off-by-one: the same bound
  }

  #raise(scaled: number): void {
    this.maximum = scaled;
    this.#views.range[FLOAT_MAXIMUM] = scaled;
  }

  #lower(scaled: number): void {
    this.minimum = scaled;
    this.#views.range[FLOAT_MINIMUM] = scaled;
  }

  #cross(index: number, low: number): void {
    const { carries, control } = this.#views;
    // mutant-ok swap-statements: a reader that doesn't know of carries yet reads right without (S1)
    carries[index] = nextCarry(carries[index]!, low); // S1
    control[WORD_CROSSED] = 1;
  }

  #addAt(index: number, count: number): void {
    const { counts } = this.#views;
    // mutant-ok index-off-by-one: adds 0 at the end
    for (let rest = count; rest > 0; rest -= PART_MAX) {
      const old = counts[index]!;
      const next = (old + Math.min(rest, PART_MAX)) | 0;
      counts[index] = next; // mutant-ok atomic-access: plain is enough (R1)
      // The top bit has changed. mutant-ok index-off-by-one: no part adds 0 or 2^32
      if ((old ^ next) < 0) this.#cross(index, next);
    }
  }

  #recordOutOfRange(value: number, count: number): void {
    if (this.length === 0) throw released(this.shard);
    const cell = cellOutOfRange(this.#layout, this.#length, this.#policy, value);
    if (cell === undefined) {
      this.#addAt(this.#length + CELL_DROPPED, count);
      return;
    }
    this.#widen(cell.scaled); // R4
    this.#addAt(this.#length + CELL_CLAMPED, count);
    this.#addAt(cell.index, count);
  }
}

/** @internal The shard for everyone who found none free: atomic additions, range known to a bucket only. */
export class CommonRecorder implements SharedRecorder {
  #open = true;
  readonly #views: ShardViews;
  readonly #layout: BucketLayout;
  readonly #policy: SharedOutOfRangePolicy;
  readonly #length: number;
  readonly shard: number;
  readonly exclusive: boolean = false;

  constructor(
    layout: BucketLayout,
    views: ShardViews,
    shard: number,
    policy: SharedOutOfRangePolicy,
  ) {
    this.#layout = layout;
    this.#views = views;
    this.#policy = policy;
    this.#length = views.counts.length - EXTRA_CELLS;
    this.shard = shard;
  }

  record(value: number): void {
    this.recordCount(value, 1);
  }

  recordCount(value: number, count: number): void {
    if (!this.#open) throw released(this.shard);
    checkCount(count);
    if (count === 0) return;
    const index = this.#layout.indexOf(value);
    if (index >>> 0 < this.#length) {
      this.#addAt(index, count);
      return;
    }
    const cell = cellOutOfRange(this.#layout, this.#length, this.#policy, value);
    if (cell === undefined) {
      this.#addAt(this.#length + CELL_DROPPED, count);
      return;
    }
    this.#addAt(this.#length + CELL_CLAMPED, count);
    this.#addAt(cell.index, count);
  }

  recordMany(values: ArrayLike<number>, start: number = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.recordCount(values[i]!, 1);
  }

  release(): void {
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #addAt(index: number, count: number): void {
    const { counts, carries, control } = this.#views;
    // mutant-ok index-off-by-one: adds 0 at the end
    for (let rest = count; rest > 0; rest -= PART_MAX) {
      const part = Math.min(rest, PART_MAX);
      const old = Atomics.add(counts, index, part);
      // Exactly one adder sees each crossing, so each is carried once.
      // mutant-ok index-off-by-one: no part adds 0 or 2^32
      if ((old ^ (old + part)) < 0) {
        // mutant-ok swap-statements: a reader that doesn't know of carries yet reads right without (S1)
        Atomics.add(carries, index, 1);
        Atomics.store(control, WORD_CROSSED, 1);
      }
    }
  }
}
