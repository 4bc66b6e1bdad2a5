/**
 * Adds up the shards of a shared histogram: the readers' side.
 *
 * Loads are plain and race with the writers on purpose; what makes that right is in shared-histogram.ts.
 * A shard is summed from its published minimum to its published maximum; a bucket outside, whose range the
 * writer is just publishing, is seen by the next sum.
 */
import type { Histogram } from './histogram.ts';
import type { BucketLayout } from './layout.ts';
import {
  CELL_CLAMPED,
  CELL_DROPPED,
  countOf,
  EXTRA_CELLS,
  FLOAT_MAXIMUM,
  FLOAT_MINIMUM,
  type ShardViews,
  WORD_CLAIMS,
  WORD_CROSSED,
  WORD_OWNER,
} from './shared-layout.ts';

/** Counts of all shards together at one look. */
export interface Sums {
  /** A count per bucket, then clamped and dropped; exact below 2^53. */
  readonly counts: Float64Array;
  /** Buckets outside first..last are 0. */
  first: number;
  last: number;
  /** Least and greatest value, scaled, as the writers published them. */
  minimum: number;
  maximum: number;
}

export const emptySums = (length: number): Sums => ({
  counts: new Float64Array(length + EXTRA_CELLS),
  first: length,
  last: -1,
  minimum: Number.POSITIVE_INFINITY,
  maximum: Number.NEGATIVE_INFINITY,
});

/** Sums every shard that was ever claimed into `sums`, whose previous content is dropped. */
export function sumShards(layout: BucketLayout, shards: readonly ShardViews[], sums: Sums): void {
  const { counts } = sums;
  const { length } = layout;
  if (sums.last >= sums.first) counts.fill(0, sums.first, sums.last + 1);
  counts.fill(0, length);
  sums.first = length;
  sums.last = -1;
  sums.minimum = Number.POSITIVE_INFINITY;
  sums.maximum = Number.NEGATIVE_INFINITY;
  for (let shard = 0; shard < shards.length; shard++) {
    const views = shards[shard]!;
    if (Atomics.load(views.control, WORD_CLAIMS) === 0) continue;
    Atomics.load(views.control, WORD_OWNER); // orders the loads below after a release (G1)
    const crossed = views.control[WORD_CROSSED] !== 0;
    const common = shard === shards.length - 1;
    const first = common ? 0 : indexWithin(layout, views.range[FLOAT_MINIMUM]!);
    const last = common ? length - 1 : indexWithin(layout, views.range[FLOAT_MAXIMUM]!);
    addCells(views, counts, length + CELL_CLAMPED, length + CELL_DROPPED, crossed);
    if (!common) {
      if (views.range[FLOAT_MINIMUM]! > views.range[FLOAT_MAXIMUM]!) continue;
      sums.minimum = Math.min(sums.minimum, views.range[FLOAT_MINIMUM]!);
      sums.maximum = Math.max(sums.maximum, views.range[FLOAT_MAXIMUM]!);
    }
    addCells(views, counts, first, last, crossed);
    sums.first = Math.min(sums.first, first);
    sums.last = Math.max(sums.last, last);
  }
}

const indexWithin = (layout: BucketLayout, scaled: number): number =>
  Math.min(Math.max(layout.indexOfScaled(scaled), 0), layout.length - 1);

/** Adds a shard's cells from first to last, both included. */
function addCells(
  views: ShardViews,
  sums: Float64Array,
  first: number,
  last: number,
  crossed: boolean,
): void {
  const { counts, carries } = views;
  if (!crossed) {
    for (let i = first; i <= last; i++) sums[i]! += counts[i]!;
    return;
  }
  for (let i = first; i <= last; i++) {
    // The low word once only: S1 needs its two uses to agree.
    const low = counts[i]!;
    sums[i]! += countOf(low, carries[i]!);
  }
}

/**
 * Fills an empty histogram with what `sums` has more than `previous` (all of it without one), and brings
 * `previous` up to date. Minimum and maximum are the published ones where they are new or lie in the
 * outermost bucket, else that bucket's ends.
 */
export function fillHistogram(histogram: Histogram, sums: Sums, previous: Sums | undefined): void {
  const { counts } = sums;
  const before = previous?.counts;
  const length = counts.length - EXTRA_CELLS;
  histogram.ensure(length - 1);
  let first = length;
  let last = -1;
  for (let i = sums.first; i <= sums.last; i++) {
    const sum = counts[i]!;
    const added = before === undefined ? sum : sum - before[i]!;
    if (added <= 0) continue; // G2: an older value than the last one seen is no news
    if (before !== undefined) before[i] = sum;
    if (first === length) first = i;
    last = i;
    if (added < 2 ** 32) histogram.counts[i] = added;
    else histogram.setAt(i, BigInt(added));
  }
  const lost = [CELL_CLAMPED, CELL_DROPPED].map((cell) => {
    const added = Math.max(0, counts[length + cell]! - (before?.[length + cell] ?? 0));
    if (before !== undefined) before[length + cell]! += added;
    return added;
  });
  histogram.addLost(lost[0]!, lost[1]!);
  const isNews = (bound: 'minimum' | 'maximum'): boolean =>
    previous === undefined || previous[bound] !== sums[bound];
  histogram.minimum = isNews('minimum') ? sums.minimum : Number.POSITIVE_INFINITY;
  histogram.maximum = isNews('maximum') ? sums.maximum : Number.NEGATIVE_INFINITY;
  if (previous !== undefined) {
    previous.minimum = sums.minimum;
    previous.maximum = sums.maximum;
  }
  histogram.tightenRange(first, last);
}
