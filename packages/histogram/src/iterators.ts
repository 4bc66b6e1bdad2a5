/**
 * Walks a histogram in the five ways of HdrHistogram, as JavaScript iterators.
 *
 * Every step yields a fresh object, so it may be kept. Don't record into the histogram while walking it.
 */
import { HistogramRangeError } from './errors.ts';
import type { Histogram } from './histogram.ts';

/** One step of a walk over a histogram. */
export interface HistogramStep {
  /** Where the step begins: the previous step's `to` (0 for the first); excluded. */
  readonly from: number;
  /** Highest value of the step, included. */
  readonly to: number;
  /** Number of values counted in this step. */
  readonly count: number;
  /** Number of values counted in this step and all before. */
  readonly cumulativeCount: number;
  /** Percent of all values counted in this step and all before. */
  readonly percentile: number;
  /** Percentile that the step stands for; differs from `percentile` in walks by percentile only. */
  readonly percentileLevel: number;
}

const positiveStep = (name: string, value: number, above: number): void => {
  if (!(value > above) || value === Number.POSITIVE_INFINITY) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `${name} must be a finite number above ${above}: ${name}=${String(value)}`,
    );
  }
};

/**
 * Walks every bucket, also the empty ones.
 *
 * @param histogram - to walk
 *
 * Cost: O(buckets).
 */
export function* allBuckets(histogram: Histogram): IterableIterator<HistogramStep> {
  const total = histogram.count;
  let cumulativeCount = 0;
  let from = 0;
  for (let index = 0; index < histogram.length; index++) {
    const count = histogram.countAtIndex(index);
    cumulativeCount += count;
    const to = histogram.layout.highestOf(index);
    const percentile = total === 0 ? 0 : (100 * cumulativeCount) / total;
    yield { from, to, count, cumulativeCount, percentile, percentileLevel: percentile };
    from = to;
  }
}

/**
 * Walks the buckets that have counted something.
 *
 * @param histogram - to walk
 *
 * Cost: O(span).
 */
export function* recordedBuckets(histogram: Histogram): IterableIterator<HistogramStep> {
  const total = histogram.count;
  let cumulativeCount = 0;
  let from = 0;
  const { firstIndex, lastIndex } = histogram;
  for (let index = firstIndex; index <= lastIndex; index++) {
    const count = histogram.countAtIndex(index);
    if (count === 0) continue;
    cumulativeCount += count;
    const to = histogram.layout.highestOf(index);
    const percentile = (100 * cumulativeCount) / total;
    yield { from, to, count, cumulativeCount, percentile, percentileLevel: percentile };
    from = to;
  }
}

/** Yields steps that end at each value of `ends` until every count has been reported. */
function* stepsUpTo(histogram: Histogram, ends: Iterable<number>): IterableIterator<HistogramStep> {
  const total = histogram.count;
  if (total === 0) return;
  const { layout, lastIndex } = histogram;
  let cumulativeCount = 0;
  let from = 0;
  let index = 0;
  for (const end of ends) {
    let count = 0;
    // A bucket belongs to the first step that reaches its highest value's bucket, as in HdrHistogram.
    const reach = layout.indexOf(end);
    for (; index <= lastIndex && index <= reach; index++) count += histogram.countAtIndex(index);
    cumulativeCount += count;
    const percentile = (100 * cumulativeCount) / total;
    yield { from, to: end, count, cumulativeCount, percentile, percentileLevel: percentile };
    from = end;
    if (index > lastIndex) return;
  }
}

/**
 * Walks in steps of equal width.
 *
 * @param histogram - to walk
 * @param width - of a step, in the caller's unit (above 0). Where a bucket is wider, its count falls into
 * the first step that touches it
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if `width` isn't above 0
 *
 * Cost: O(span + max / width).
 */
export function* linearBuckets(
  histogram: Histogram,
  width: number,
): IterableIterator<HistogramStep> {
  positiveStep('width', width, 0);
  const { step } = histogram.layout;
  yield* stepsUpTo(
    histogram,
    (function* () {
      for (let end = width; ; end += width) yield end - step;
    })(),
  );
}

/**
 * Walks in steps that grow by a factor.
 *
 * @param histogram - to walk
 * @param first - end of the first step, in the caller's unit (above 0), excluded
 * @param factor - from each end to the next (above 1)
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an argument is out of its range
 *
 * Cost: O(span + log(max / first)).
 */
export function* logarithmicBuckets(
  histogram: Histogram,
  first: number,
  factor: number,
): IterableIterator<HistogramStep> {
  positiveStep('first', first, 0);
  positiveStep('factor', factor, 1);
  const { step } = histogram.layout;
  yield* stepsUpTo(
    histogram,
    (function* () {
      for (let end = first; ; end *= factor) yield end - step;
    })(),
  );
}

/**
 * Walks by percentile, in steps that halve with every halving of the distance to 100 %.
 *
 * @param histogram - to walk
 * @param ticksPerHalfDistance - number of steps from 0 to 50 %, from 50 to 75 %, and so on (1 and above)
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if `ticksPerHalfDistance` is below 1
 *
 * Cost: O(span + ticksPerHalfDistance * log(count)).
 */
export function* percentileBuckets(
  histogram: Histogram,
  ticksPerHalfDistance: number = 5,
): IterableIterator<HistogramStep> {
  positiveStep('ticksPerHalfDistance', ticksPerHalfDistance, 0.5);
  const total = histogram.count;
  if (total === 0) return;
  const { layout, firstIndex, lastIndex } = histogram;
  let level = 0;
  let cumulativeCount = 0;
  let reported = 0;
  let from = 0;
  for (let index = firstIndex; index <= lastIndex; index++) {
    const count = histogram.countAtIndex(index);
    if (count === 0) continue;
    cumulativeCount += count;
    const to = layout.highestOf(index);
    const percentile = (100 * cumulativeCount) / total;
    while (percentile >= level || cumulativeCount >= total) {
      yield {
        from,
        to,
        count: cumulativeCount - reported,
        cumulativeCount,
        percentile,
        percentileLevel: level,
      };
      reported = cumulativeCount;
      from = to;
      if (level >= 100) return;
      // With everything reported once, only the end of the scale is left.
      if (cumulativeCount >= total) {
        level = 100;
        continue;
      }
      const halvings = Math.floor(Math.log2(100 / (100 - level))) + 1;
      level += 100 / (Math.floor(ticksPerHalfDistance) * 2 ** halvings);
    }
  }
}
