/**
 * One histogram that many threads record into at once and any number of threads read, without locks.
 *
 * Sharded counters with differencing readers: every writer has a shard of its own in one SharedArrayBuffer,
 * counts there with plain stores and never resets; a reader sums the shards, and an interval is what has
 * been added since that reader's own last look. Layout: shared-layout.ts; writers: shared-recorder.ts.
 *
 * - G1: total() never misses a record that happened before it (same thread, a released shard, a message
 *   received), and counts none twice.
 * - G2: each record falls into exactly one interval of each interval reader; an interval is never negative.
 *   Readers keep their own previous sums, so they don't disturb one another.
 * - G3: writers never wait, and never learn that a reader exists.
 * - G4: a worker that dies holding a shard loses no record; releaseOwner hands its shards on.
 *
 * Each is proved, in every interleaving and with every value that a racy read may return, by the scenarios of
 * test/interleave/scenarios.ts whose names begin with it; G3 by all of them, none of which ever blocks.
 *
 * An interval is no instantaneous cut: of two records by different threads, the later may show earlier.
 *
 * Any thread may call any method here; a recorder stays with the thread that claimed it, an interval reader
 * with the thread that made it.
 *
 * Atomics: compareExchange on `owner` makes a claim exclusive and orders it after the release before it;
 * `used` is set before a shard's first record, so a reader that has been told of a record doesn't skip
 * the shard. Loads of counts are plain and racy on purpose: each count has one writer and only grows, so any
 * value seen is a value that it had, and a value older than the last one seen is ignored (G2). The common
 * shard has many writers: atomic additions, atomic loads.
 *
 * Cost: 8 bytes per bucket and shard, of which the carries are touched only beyond 2^31 counts; total and
 * next O(span * shards in use).
 */
import { HistogramRangeError, HistogramSharedError } from './errors.ts';
import { Histogram } from './histogram.ts';
import { IntervalReader } from './interval-reader.ts';
import { BucketLayout, type Digits, type LayoutOptions } from './layout.ts';
import { readShards } from './shard-sums.ts';
import {
  EXTRA_CELLS,
  FLOAT_HIGHEST,
  FLOAT_LOWEST,
  FLOAT_MINIMUM,
  FLOAT_STEP,
  HEADER_BYTES,
  MAGIC,
  POLICIES,
  type ShardViews,
  shardViews,
  strideOf,
  VERSION,
  WORD_CELLS,
  WORD_DIGITS,
  WORD_MAGIC,
  WORD_OWNER,
  WORD_POLICY,
  WORD_SHARDS,
  WORD_STRIDE,
  WORD_USED,
  WORD_VERSION,
} from './shared-layout.ts';
import {
  CommonRecorder,
  ExclusiveRecorder,
  type SharedOutOfRangePolicy,
  type SharedRecorder,
} from './shared-recorder.ts';

/** How to create a {@link SharedHistogram}. */
export interface SharedHistogramOptions extends LayoutOptions {
  /**
   * Number of threads that can record at full speed at the same time (1 to 1024). Later ones share one
   * slower, atomic shard.
   * @defaultValue 8
   */
  readonly shards?: number;
  /** What happens to values without a bucket. @defaultValue 'clamp' */
  readonly outOfRange?: SharedOutOfRangePolicy;
}

const formatError = (message: string): HistogramSharedError =>
  new HistogramSharedError('ERR_HISTOGRAM_SHARED_FORMAT', message);

/**
 * Counts values from many threads in one SharedArrayBuffer.
 *
 * Post `buffer` to the other threads and attach there; claim one recorder per recording thread.
 *
 * Concurrency: any number of writers and readers; nobody waits for anybody.
 * Cost: recording as in `Histogram`; memory 8 bytes per bucket and shard.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { SharedHistogram } from '@millrace/histogram';
 *
 * const shared = SharedHistogram.create({ highest: 60_000_000_000, shards: 4 });
 * // In each worker: SharedHistogram.attach(buffer).claim()
 * const recorder = SharedHistogram.attach(shared.buffer).claim();
 * const perSecond = shared.intervals();
 * recorder.record(1_500_000);
 * assert.equal(perSecond.next().count, 1);
 * assert.equal(perSecond.next().count, 0);
 * assert.equal(shared.total().max, 1_500_000);
 * recorder.release();
 * ```
 */
export class SharedHistogram {
  /** The memory; post it to other threads. */
  readonly buffer: SharedArrayBuffer;
  /** Ranges and widths of the buckets. */
  readonly layout: BucketLayout;
  /** Number of exclusive shards. */
  readonly shards: number;
  /** What happens to values without a bucket. */
  readonly outOfRange: SharedOutOfRangePolicy;
  readonly #shardViews: readonly ShardViews[];

  private constructor(buffer: SharedArrayBuffer) {
    const words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    const floats = new Float64Array(buffer, 0, HEADER_BYTES / 8);
    this.buffer = buffer;
    this.layout = new BucketLayout({
      digits: words[WORD_DIGITS] as Digits,
      lowest: floats[FLOAT_LOWEST]!,
      highest: floats[FLOAT_HIGHEST]!,
      step: floats[FLOAT_STEP]!,
    });
    this.shards = words[WORD_SHARDS]!;
    this.outOfRange = POLICIES[words[WORD_POLICY]!]!;
    const cells = words[WORD_CELLS]!;
    const stride = words[WORD_STRIDE]!;
    if (
      cells !== this.layout.length + EXTRA_CELLS ||
      stride !== strideOf(cells) ||
      this.outOfRange === undefined ||
      !(this.shards >= 1) ||
      buffer.byteLength < HEADER_BYTES + (this.shards + 1) * stride
    ) {
      throw formatError(
        `buffer is damaged: byteLength=${buffer.byteLength} shards=${this.shards} cells=${cells}`,
      );
    }
    this.#shardViews = Array.from({ length: this.shards + 1 }, (_, index) =>
      shardViews(buffer, index, cells, stride),
    );
  }

  /**
   * Creates an empty shared histogram in new memory.
   *
   * @param options - range, precision, policy, number of shards
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an option is out of its range
   * @throws {HistogramSharedError} ERR_HISTOGRAM_NOT_SHARED where there is no SharedArrayBuffer (a page that
   * isn't cross-origin isolated)
   */
  static create(options: SharedHistogramOptions = {}): SharedHistogram {
    const layout = new BucketLayout(options);
    const shards = options.shards ?? 8;
    if (!Number.isInteger(shards) || shards < 1 || shards > 1024) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `shards must be a whole number from 1 to 1024: shards=${String(shards)}`,
      );
    }
    const policy = POLICIES.indexOf(options.outOfRange ?? 'clamp');
    if (policy < 0) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `outOfRange must be clamp, drop or throw: outOfRange=${String(options.outOfRange)}`,
      );
    }
    if (typeof SharedArrayBuffer === 'undefined') {
      throw new HistogramSharedError(
        'ERR_HISTOGRAM_NOT_SHARED',
        'there is no SharedArrayBuffer here: a page must be cross-origin isolated',
      );
    }
    const cells = layout.length + EXTRA_CELLS;
    const stride = strideOf(cells);
    const buffer = new SharedArrayBuffer(HEADER_BYTES + (shards + 1) * stride);
    const words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    const floats = new Float64Array(buffer, 0, HEADER_BYTES / 8);
    words.set([MAGIC, VERSION, layout.digits, shards, cells, stride, policy], WORD_MAGIC);
    floats.set([layout.lowest, layout.highest, layout.step], FLOAT_LOWEST);
    // mutant-ok index-off-by-one: the common shard has no range
    for (let shard = 0; shard < shards; shard++) {
      const { range } = shardViews(buffer, shard, cells, stride);
      range.set([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], FLOAT_MINIMUM);
    }
    return new SharedHistogram(buffer);
  }

  /**
   * Opens a shared histogram that another thread created.
   *
   * @param buffer - the creator's `buffer`
   * @throws {HistogramSharedError} ERR_HISTOGRAM_NOT_SHARED if it isn't a SharedArrayBuffer;
   * ERR_HISTOGRAM_SHARED_FORMAT if it holds something else
   */
  static attach(buffer: SharedArrayBuffer): SharedHistogram {
    if (typeof SharedArrayBuffer === 'undefined' || !(buffer instanceof SharedArrayBuffer)) {
      throw new HistogramSharedError(
        'ERR_HISTOGRAM_NOT_SHARED',
        `buffer must be a SharedArrayBuffer: buffer=${Object.prototype.toString.call(buffer)}`,
      );
    }
    if (buffer.byteLength < HEADER_BYTES) {
      throw formatError(`buffer is too short: byteLength=${buffer.byteLength}`);
    }
    const words = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    const magic = words[WORD_MAGIC];
    if (magic !== MAGIC) throw formatError(`buffer holds no shared histogram: magic=${magic}`);
    if (words[WORD_VERSION] !== VERSION) {
      throw formatError(`version must be ${VERSION}: version=${words[WORD_VERSION]}`);
    }
    try {
      return new SharedHistogram(buffer);
    } catch (error) {
      if (error instanceof HistogramRangeError) throw formatError(error.message);
      throw error;
    }
  }

  /**
   * Takes a free shard for this thread to record into.
   *
   * @param owner - tag of this thread for `releaseOwner` (1 to 2^31 - 1), its threadId + 1 for instance
   * @returns a recorder; when all shards are taken, one on the common shard, correct but slower
   * (`exclusive` false)
   *
   * Concurrency: any thread (R1: scenario `R1: two writers, one shard, no race` and those beside it).
   * Cost: O(shards).
   */
  claim(owner: number = 1): SharedRecorder {
    this.#checkOwner(owner);
    for (let shard = 0; shard < this.shards; shard++) {
      const views = this.#shardViews[shard]!;
      if (Atomics.compareExchange(views.control, WORD_OWNER, 0, owner) === 0) {
        Atomics.store(views.control, WORD_USED, 1);
        return new ExclusiveRecorder(this.layout, views, shard, this.outOfRange);
      }
    }
    const views = this.#shardViews[this.shards]!;
    Atomics.store(views.control, WORD_USED, 1);
    return new CommonRecorder(this.layout, views, this.shards, this.outOfRange);
  }

  /**
   * Frees every shard of an owner that has ended, so that others can claim them. Nothing counted is lost.
   *
   * @param owner - the tag given to `claim`; its threads must not record any more
   * @returns how many shards were freed
   *
   * Concurrency: any thread, after the owner's end (a worker's `exit` event). G4: scenario
   * `G4, R4: what a writer that dies anywhere has counted is in the total`. Cost: O(shards).
   */
  releaseOwner(owner: number): number {
    this.#checkOwner(owner);
    let count = 0;
    // mutant-ok index-off-by-one: the common shard has no owner
    for (let shard = 0; shard < this.shards; shard++) {
      const { control } = this.#shardViews[shard]!;
      if (Atomics.compareExchange(control, WORD_OWNER, owner, 0) === owner) count++;
    }
    return count;
  }

  /**
   * Returns everything recorded so far, by all threads.
   *
   * @param into - a histogram made by this method, to reuse its memory
   * @returns a histogram of its own (or `into`), owned by the caller
   *
   * Concurrency: any thread, at any time. G1: scenarios `G1: what a message told of is in the total` and
   * `G1: what a released shard held is in the total of the next owner`. Cost: O(span * shards in use).
   */
  total(into?: Histogram): Histogram {
    const histogram = this.#target(into);
    readShards(histogram, this.#shardViews, undefined);
    return histogram;
  }

  /**
   * Creates a reader of intervals. Its first interval starts now.
   *
   * @param options - `from: 'start'` makes the first interval hold everything recorded so far
   *
   * Concurrency: the reader stays with this thread; make as many as you like. G2: scenarios
   * `G2: two readers of one interval each, one writer` and those beside it. Cost: 8 bytes per bucket.
   */
  intervals(options: { readonly from?: 'now' | 'start' } = {}): IntervalReader {
    return new IntervalReader(this.layout, this.#shardViews, options.from === 'start');
  }

  #target(into: Histogram | undefined): Histogram {
    if (into === undefined) return new Histogram(this.layout);
    if (!into.layout.sameBuckets(this.layout) || into.length !== this.layout.length) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `into must have the layout of this histogram: digits=${into.layout.digits} length=${into.length}`,
      );
    }
    into.reset();
    return into;
  }

  #checkOwner(owner: number): void {
    if (!Number.isInteger(owner) || owner < 1 || owner > 0x7fffffff) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `owner must be a whole number from 1 to 2^31 - 1: owner=${String(owner)}`,
      );
    }
  }
}
