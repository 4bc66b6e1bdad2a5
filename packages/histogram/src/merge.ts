/**
 * Puts two histograms together, takes one from another, compares them: bucket by bucket.
 *
 * Owner thread of both. Cost: O(span of the other); numbers as long as no bucket has passed 2^32, else bigints.
 */
import { HistogramRangeError } from './errors.ts';
import type { Histogram } from './histogram.ts';

const COUNT_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Adds the counts of `other`; see {@link Histogram.add}. */
export function addInto(target: Histogram, other: Histogram): void {
  if (other.isEmpty) return;
  const { firstIndex, lastIndex } = other;
  if (target.layout.sameBuckets(other.layout)) {
    if (target.outOfRange === 'grow' || lastIndex < target.layout.length) target.ensure(lastIndex);
    if (lastIndex < target.allocated) {
      addCounts(target, other, firstIndex, lastIndex);
      if (other.maximum > target.maximum) target.maximum = other.maximum;
      if (other.minimum < target.minimum) target.minimum = other.minimum;
      return;
    }
  }
  const { min, max } = other;
  for (let i = firstIndex; i <= lastIndex; i++) {
    const count = other.countAtIndexBigInt(i);
    if (count === 0n) continue;
    const value = Math.min(Math.max(other.layout.middleOf(i), min), max);
    for (let rest = count; rest > 0n; rest -= COUNT_MAX) {
      target.recordCount(value, Number(rest < COUNT_MAX ? rest : COUNT_MAX));
    }
  }
}

function addCounts(target: Histogram, other: Histogram, first: number, last: number): void {
  if (target.carries !== undefined || other.carries !== undefined) {
    for (let i = first; i <= last; i++) {
      const count = other.countAtIndexBigInt(i);
      if (count !== 0n) target.setAt(i, target.countAtIndexBigInt(i) + count);
    }
    return;
  }
  const { memory } = target;
  const own = target.counts;
  const theirs = other.counts;
  if (own === theirs) {
    for (let i = first; i <= last; i++) if (own[i] !== 0) target.addAt(i, own[i]!);
    return;
  }
  const mayWrap =
    memory !== undefined && memory === other.memory
      ? memory.add(own, theirs, first, last)
      : addLow(own, theirs, first, last);
  if (!mayWrap) return;
  // A sum modulo 2^32 has wrapped if it is less than what was added.
  for (let i = first; i <= last; i++) if (own[i]! < theirs[i]!) target.carry(i, 1);
}

/** Adds 32-bit counts modulo 2^32; returns whether a sum may have wrapped. */
function addLow(own: Uint32Array, theirs: Uint32Array, first: number, last: number): boolean {
  let seen = 0;
  let i = first;
  for (; i + 3 <= last; i += 4) {
    const a = theirs[i]! | 0;
    const b = theirs[i + 1]! | 0;
    const c = theirs[i + 2]! | 0;
    const d = theirs[i + 3]! | 0;
    const p = own[i]! | 0;
    const q = own[i + 1]! | 0;
    const r = own[i + 2]! | 0;
    const s = own[i + 3]! | 0;
    own[i] = (p + a) | 0;
    own[i + 1] = (q + b) | 0;
    own[i + 2] = (r + c) | 0;
    own[i + 3] = (s + d) | 0;
    seen |= a | b | c | d | p | q | r | s;
  }
  for (; i <= last; i++) {
    seen |= own[i]! | theirs[i]!;
    own[i] = (own[i]! + theirs[i]!) | 0;
  }
  return seen < 0; // one of them had 2^31 or more
}

/** Takes the counts of `other` away, or throws and changes nothing; see {@link Histogram.subtract}. */
export function subtractFrom(target: Histogram, other: Histogram): void {
  if (!target.layout.sameBuckets(other.layout)) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_SUBTRACT',
      `other must have the same bucket layout: digits=${other.layout.digits} step=${other.layout.step}`,
    );
  }
  const { firstIndex, lastIndex } = other;
  const exact = target.carries !== undefined || other.carries !== undefined;
  for (let i = firstIndex; i <= lastIndex; i++) {
    const less = exact
      ? target.countAtIndexBigInt(i) < other.countAtIndexBigInt(i)
      : target.countAtIndex(i) < other.countAtIndex(i);
    if (less) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_SUBTRACT',
        `other counts more than this at value=${other.layout.lowestOf(i)}: count=${other.countAtIndex(i)}`,
      );
    }
  }
  const last = Math.min(lastIndex, target.allocated - 1);
  for (let i = firstIndex; i <= last; i++) {
    if (exact) target.setAt(i, target.countAtIndexBigInt(i) - other.countAtIndexBigInt(i));
    else target.counts[i]! -= other.counts[i] ?? 0;
  }
  target.tightenRange();
}

/** Tells whether both count the same; see {@link Histogram.equals}. */
export function sameCounts(one: Histogram, other: Histogram): boolean {
  if (!one.layout.sameBuckets(other.layout)) return false;
  if (one.isEmpty || other.isEmpty) return one.isEmpty && other.isEmpty;
  const last = Math.max(one.lastIndex, other.lastIndex);
  const exact = one.carries !== undefined || other.carries !== undefined;
  for (let i = Math.min(one.firstIndex, other.firstIndex); i <= last; i++) {
    if (one.countAtIndex(i) !== other.countAtIndex(i)) return false;
    if (exact && one.countAtIndexBigInt(i) !== other.countAtIndexBigInt(i)) return false;
  }
  return true;
}
