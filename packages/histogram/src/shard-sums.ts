/**
 * Adds up the shards of a shared histogram: the readers' side.
 *
 * Loads are plain and race with the writers on purpose, but for the common shard, whose words are loaded
 * atomically as they are added to; what makes that right is in shared-histogram.ts.
 * A shard is read from its published minimum to its published maximum; a bucket outside, whose range the
 * writer is just publishing, is seen by the next look.
 *
 * Buckets are taken a piece at a time: each shard's 32-bit counts are added up modulo 2^32, and if none is so
 * large that a sum could have wrapped, that is all. Otherwise, or once a count has passed 2^31, the piece is
 * added up again in doubles, with carries.
 *
 * The thread of the reader. Cost: O(span * shards in use), one pass; scratch of 12 KB for the process.
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
  WORD_CROSSED,
  WORD_USED,
} from './shared-layout.ts';

/** What a reader saw at its last look. */
export interface Seen {
  /** A count per bucket, then clamped and dropped, of all shards together; exact below 2^53. */
  readonly counts: Float64Array;
  /** Least and greatest value, scaled, as the writers had published them. */
  minimum: number;
  maximum: number;
}

/** Returns what a reader has seen that hasn't looked yet. */
export const nothingSeen = (length: number): Seen => ({
  counts: new Float64Array(length + EXTRA_CELLS),
  minimum: Number.POSITIVE_INFINITY,
  maximum: Number.NEGATIVE_INFINITY,
});

/** A shard that was claimed at least once, and where its counts are. */
interface UsedShard {
  readonly views: ShardViews;
  /** Whether it is the common one, whose many writers add atomically: so its counts are loaded. */
  readonly isCommon: boolean;
  readonly first: number;
  readonly last: number;
  /** Whether a count may have passed 2^31, so that carries count. */
  readonly crossed: boolean;
}

/** Buckets in a piece. */
const PIECE = 1024;
const narrow: Uint32Array = new Uint32Array(PIECE);
const wide: Float64Array = new Float64Array(PIECE);

/**
 * Fills an empty histogram with what the shards hold more than `seen` (all of it without one), and brings
 * `seen` up to date. Minimum and maximum are the published ones where they are new or lie in the outermost
 * bucket, else that bucket's ends.
 */
export function readShards(
  histogram: Histogram,
  shards: readonly ShardViews[],
  seen: Seen | undefined,
): void {
  const { layout } = histogram;
  const length = shards[0]!.counts.length - EXTRA_CELLS;
  histogram.ensure(length - 1);
  const used: UsedShard[] = [];
  let from = length;
  let to = -1;
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let shard = 0; shard < shards.length; shard++) {
    const views = shards[shard]!;
    const { control, range } = views;
    // mutant-ok drop-recheck: an unused shard counts nothing; leaving it out saves time
    if (Atomics.load(control, WORD_USED) === 0) continue;
    const isCommon = shard === shards.length - 1;
    let first = 0;
    let last = length - 1;
    let crossed: boolean;
    if (isCommon) {
      crossed = Atomics.load(control, WORD_CROSSED) !== 0;
    } else {
      crossed = control[WORD_CROSSED] !== 0;
      const least = range[FLOAT_MINIMUM]!;
      const greatest = range[FLOAT_MAXIMUM]!;
      first = indexWithin(layout, length, least);
      last = least > greatest ? -1 : indexWithin(layout, length, greatest);
      minimum = Math.min(minimum, least);
      maximum = Math.max(maximum, greatest);
    }
    used.push({ views, isCommon, first, last, crossed });
    from = Math.min(from, first);
    to = Math.max(to, last);
  }
  takeLost(histogram, used, length, seen);
  let first = length;
  let last = -1;
  for (let start = from; start <= to; start += PIECE) {
    const end = Math.min(start + PIECE - 1, to);
    const piece = addNarrow(used, start, end)
      ? takeNarrow(histogram, seen, start, end)
      : takeWide(histogram, used, seen, start, end);
    if (piece.last < 0) continue;
    first = Math.min(first, piece.first);
    last = piece.last;
  }
  const isMinimumNew = seen === undefined || seen.minimum !== minimum;
  const isMaximumNew = seen === undefined || seen.maximum !== maximum;
  histogram.minimum = isMinimumNew ? minimum : Number.POSITIVE_INFINITY;
  histogram.maximum = isMaximumNew ? maximum : Number.NEGATIVE_INFINITY;
  if (seen !== undefined) {
    seen.minimum = minimum;
    seen.maximum = maximum;
  }
  histogram.tightenRange(first, last);
}

const indexWithin = (layout: BucketLayout, length: number, scaled: number): number =>
  Math.min(Math.max(layout.indexOfScaled(scaled), 0), length - 1);

/** First and last bucket of a piece that have something new; last is -1 if none has. */
interface News {
  readonly first: number;
  readonly last: number;
}

/** Counts what the buckets of a piece have more than was seen, from the sums in `narrow`. */
function takeNarrow(
  histogram: Histogram,
  seen: Seen | undefined,
  start: number,
  end: number,
): News {
  const sums = narrow;
  const { counts } = histogram;
  if (seen === undefined) {
    for (let k = 0, index = start; index <= end; k++, index++) {
      counts[index] = sums[k]!; // mutant-ok atomic-access: the caller's own memory
    }
    return { first: start, last: end };
  }
  const before = seen.counts;
  let first = -1;
  let last = -1;
  for (let k = 0, index = start; index <= end; k++, index++) {
    const sum = sums[k]!;
    const added = sum - before[index]!;
    // G2: an older value than the last one seen is no news. mutant-ok index-off-by-one: adds 0
    if (added <= 0) continue;
    before[index] = sum; // mutant-ok swap-statements: the reader's own memory
    counts[index] = added; // mutant-ok atomic-access: the caller's own memory
    if (last < 0) first = index;
    last = index;
  }
  return { first, last };
}

/** Does the same from exact sums. */
function takeWide(
  histogram: Histogram,
  used: readonly UsedShard[],
  seen: Seen | undefined,
  start: number,
  end: number,
): News {
  addWide(used, start, end);
  let first = -1;
  let last = -1;
  for (let index = start; index <= end; index++) {
    const sum = wide[index - start]!;
    const added = seen === undefined ? sum : sum - seen.counts[index]!;
    // G2. mutant-ok index-off-by-one: adds 0
    if (added <= 0) continue;
    if (seen !== undefined) seen.counts[index] = sum;
    // mutant-ok atomic-access: the caller's own memory
    if (added < 2 ** 32) histogram.counts[index] = added;
    else histogram.setAt(index, BigInt(added));
    if (last < 0) first = index;
    last = index;
  }
  return { first, last };
}

/** Counts what was clamped and dropped since it was seen. */
function takeLost(
  histogram: Histogram,
  used: readonly UsedShard[],
  length: number,
  seen: Seen | undefined,
): void {
  const [clamped, dropped] = [CELL_CLAMPED, CELL_DROPPED].map((cell) => {
    const before = seen === undefined ? 0 : seen.counts[length + cell]!;
    let sum = 0;
    for (const shard of used) sum += cellOf(shard, length + cell);
    if (seen !== undefined) seen.counts[length + cell] = Math.max(before, sum);
    return Math.max(0, sum - before);
  });
  histogram.addLost(clamped!, dropped!);
}

const cellOf = ({ views, isCommon, crossed }: UsedShard, cell: number): number => {
  const { counts, carries } = views;
  // The low word once only: S1 needs its two uses to agree.
  const low = isCommon ? Atomics.load(counts, cell) : counts[cell]!;
  // mutant-ok drop-recheck: without a crossing the carry is 0, and that is what S1 makes of it
  if (!crossed) return low;
  return countOf(low, isCommon ? Atomics.load(carries, cell) : carries[cell]!);
};

/** Adds a piece up in `narrow`; returns whether no sum can have wrapped. */
function addNarrow(used: readonly UsedShard[], start: number, end: number): boolean {
  narrow.fill(0, 0, end - start + 1);
  let seen = 0;
  for (const { views, isCommon, first, last, crossed } of used) {
    if (crossed) return false;
    const from = Math.max(first, start);
    const to = Math.min(last, end);
    seen |= isCommon
      ? addAtomicCounts(views.counts, from, to, start)
      : addCounts(views.counts, from, to, start);
  }
  return (seen >>> 0) * used.length < 2 ** 32;
}

/** Adds counts from first to last, both included, modulo 2^32; returns the bits that any of them has. */
function addCounts(counts: Uint32Array, first: number, last: number, start: number): number {
  const sums = narrow;
  let seen = 0;
  let i = first;
  let k = first - start;
  // mutant-ok index-off-by-one: the loop below does the rest
  for (; i + 3 <= last; i += 4, k += 4) {
    const a = counts[i]! | 0;
    const b = counts[i + 1]! | 0;
    const c = counts[i + 2]! | 0;
    const d = counts[i + 3]! | 0;
    sums[k] = (sums[k]! + a) | 0; // mutant-ok swap-statements, atomic-access: own scratch
    sums[k + 1] = (sums[k + 1]! + b) | 0; // mutant-ok swap-statements, atomic-access: own scratch
    sums[k + 2] = (sums[k + 2]! + c) | 0; // mutant-ok swap-statements, atomic-access: own scratch
    sums[k + 3] = (sums[k + 3]! + d) | 0; // mutant-ok atomic-access: own scratch
    seen |= a | b | c | d;
  }
  for (; i <= last; i++, k++) {
    const a = counts[i]! | 0;
    sums[k] = (sums[k]! + a) | 0; // mutant-ok atomic-access: own scratch
    seen |= a;
  }
  return seen;
}

/** Does the same with counts that are added to atomically. */
function addAtomicCounts(counts: Uint32Array, first: number, last: number, start: number): number {
  let seen = 0;
  for (let i = first; i <= last; i++) {
    const a = Atomics.load(counts, i) | 0;
    narrow[i - start] = (narrow[i - start]! + a) | 0; // mutant-ok atomic-access: own scratch
    seen |= a;
  }
  return seen;
}

/** Adds a piece up in `wide`, exactly. */
function addWide(used: readonly UsedShard[], start: number, end: number): void {
  wide.fill(0, 0, end - start + 1);
  for (const shard of used) {
    const to = Math.min(shard.last, end);
    for (let i = Math.max(shard.first, start); i <= to; i++) wide[i - start]! += cellOf(shard, i);
  }
}
