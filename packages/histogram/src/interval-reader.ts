/**
 * Hands out what has been recorded into a shared histogram since the last look: one reader's intervals.
 *
 * The reader keeps the sums of its last look and subtracts; see shared-histogram.ts (G2).
 */
import { HistogramRangeError } from './errors.ts';
import { Histogram } from './histogram.ts';
import type { BucketLayout } from './layout.ts';
import { nothingSeen, readShards, type Seen } from './shard-sums.ts';
import type { ShardViews } from './shared-layout.ts';

/**
 * Reads a shared histogram interval by interval; made by `SharedHistogram.intervals`.
 *
 * Concurrency: one thread; writers and other readers are not affected (scenarios `G2: ...` of
 * test/interleave/scenarios.ts).
 * Cost: 8 bytes per bucket; `next` O(span * shards in use).
 */
export class IntervalReader {
  readonly #layout: BucketLayout;
  readonly #shards: readonly ShardViews[];
  readonly #seen: Seen;

  /** @internal */
  constructor(layout: BucketLayout, shards: readonly ShardViews[], fromStart: boolean) {
    this.#layout = layout;
    this.#shards = shards;
    this.#seen = nothingSeen(layout.length);
    if (!fromStart) this.skip();
  }

  /**
   * Returns what has been recorded since the last call, and starts the next interval.
   *
   * @param into - a histogram made by this method, to reuse its memory
   * @returns a histogram owned by the caller. Its `max` is exact if it is the greatest value so far, else
   * the top of its bucket; `min` likewise
   */
  next(into?: Histogram): Histogram {
    if (into !== undefined) {
      if (!into.layout.sameBuckets(this.#layout) || into.length !== this.#layout.length) {
        throw new HistogramRangeError(
          'ERR_HISTOGRAM_OPTION',
          `into must have the layout of this reader: digits=${into.layout.digits} length=${into.length}`,
        );
      }
      into.reset();
    }
    const histogram = into ?? new Histogram(this.#layout);
    readShards(histogram, this.#shards, this.#seen);
    return histogram;
  }

  /** Starts the next interval now and forgets the current one. */
  skip(): void {
    this.next();
  }
}
