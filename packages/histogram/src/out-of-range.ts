/**
 * What becomes of a value that has no bucket: the path that record leaves to a function of its own.
 *
 * Owner thread of the histogram. Cost: O(1); `grow` copies the counts.
 */
import { HistogramRangeError } from './errors.ts';
import type { Histogram } from './histogram.ts';

/**
 * What happens to a value that has no bucket: `clamp` counts it in the nearest bucket (and in `clamped`),
 * `drop` leaves it out (and counts it in `dropped`), `throw` throws, `grow` adds buckets up to the value.
 * NaN and infinities have no nearest bucket: all but `throw` drop them. Negative values are clamped to 0
 * by `clamp` and `grow`.
 */
export type OutOfRangePolicy = 'clamp' | 'drop' | 'throw' | 'grow';

/** Counts a value beyond the counts that there are (H2). */
export function recordOutOfRange(histogram: Histogram, value: number, count: number): void {
  const { layout, outOfRange } = histogram;
  const wanted = layout.indexOf(value);
  if (wanted >= 0 && wanted < layout.length) {
    histogram.ensure(wanted); // in range, but not allocated yet
    histogram.recordCount(value, count);
    return;
  }
  if (outOfRange === 'throw') {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_VALUE',
      `value must be from 0 to ${histogram.highestTrackable}: value=${String(value)}`,
    );
  }
  const number = Number(value);
  if (outOfRange === 'drop' || !Number.isFinite(number)) {
    histogram.addLost(0, count);
    return;
  }
  const scaled = Math.max(0, number * histogram.scale);
  const index = layout.indexOfScaled(scaled);
  if (outOfRange === 'grow' && number >= 0 && scaled < 2 ** (63 - layout.unitBits)) {
    histogram.ensure(index);
  } else {
    histogram.addLost(count, 0);
  }
  histogram.ensure(histogram.length - 1);
  histogram.addAt(Math.min(index, histogram.allocated - 1), count);
  if (scaled > histogram.maximum) histogram.maximum = scaled;
  if (scaled < histogram.minimum) histogram.minimum = scaled;
}
