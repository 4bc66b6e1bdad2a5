/**
 * Writes Prometheus native histograms as JSON of their protobuf message (client_model, `Histogram`).
 *
 * ```text
 * schema 0..8  bucket i holds values in (b^(i-1), b^i], b = 2^(2^-schema); spans of consecutive buckets,
 *              counts as differences from the count before: counts 3 5 5 0 2 -> deltas 3 2 0, gap, -3
 * schema -53   bounds of one's own (`customValues`), the same spans over their buckets
 * ```
 *
 * What is lost: with a schema, E2 of buckets.ts; with custom bounds from `exactBounds`, nothing.
 */
import type { Histogram } from '../histogram.ts';
import {
  amountsOf,
  checkBounds,
  countsBetween,
  exactBounds,
  exponentialCounts,
} from './buckets.ts';

/** Consecutive buckets: how many are left out before them, and how many they are. */
export interface NativeSpan {
  /** Buckets between the last span and this one; of the first span, its index. */
  readonly offset: number;
  /** Number of buckets. */
  readonly length: number;
}

/** A native histogram in JSON names of its protobuf message. */
export interface NativeHistogram {
  /** Number of values; 64-bit numbers are strings in protobuf's JSON. */
  readonly sampleCount: string;
  /** Sum of the values. */
  readonly sampleSum: number;
  /** Resolution, 0 to 8, or -53 for custom bounds. */
  readonly schema: number;
  /** Values up to this one count as zero. */
  readonly zeroThreshold: number;
  /** Number of zeros. */
  readonly zeroCount: string;
  /** Buckets in use. */
  readonly positiveSpan: readonly NativeSpan[];
  /** Counts of the buckets in the spans, each less the one before. */
  readonly positiveDelta: readonly string[];
  /** Upper bounds of schema -53. */
  readonly customValues?: readonly number[];
}

/** How to write a native histogram. */
export interface NativeOptions {
  /** Exported unit per recorded unit. @defaultValue 1e-9: nanoseconds as seconds */
  readonly unitScale?: number;
  /** Finest resolution to use, -4 to 8; 3 is Prometheus' own choice. @defaultValue 8 */
  readonly schema?: number;
  /** Most buckets; the resolution is reduced until they suffice. @defaultValue 160 */
  readonly bucketsMax?: number;
  /** Upper bounds of one's own instead of a schema; `exact` takes those that lose nothing. */
  readonly customBounds?: readonly number[] | 'exact';
}

/** Writes counts from `first` on as spans and deltas; a gap of up to two empty buckets is cheaper kept. */
function spansOf(
  counts: readonly number[],
  first: number,
): { positiveSpan: NativeSpan[]; positiveDelta: string[] } {
  const positiveSpan: NativeSpan[] = [];
  const positiveDelta: string[] = [];
  let previous = 0;
  let end = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue;
    const gap = i - end;
    const last = positiveSpan.at(-1);
    if (last !== undefined && gap <= 2) {
      for (let empty = 0; empty < gap; empty++) {
        positiveDelta.push(String(-previous));
        previous = 0;
      }
      positiveSpan[positiveSpan.length - 1] = { ...last, length: last.length + gap + 1 };
    } else {
      positiveSpan.push({ offset: last === undefined ? first + i : gap, length: 1 });
    }
    positiveDelta.push(String(counts[i]! - previous));
    previous = counts[i]!;
    end = i + 1;
  }
  return { positiveSpan, positiveDelta };
}

/**
 * Writes a histogram as a Prometheus native histogram.
 *
 * @param histogram - everything recorded so far; left unchanged
 * @param options - resolution or bounds
 * @returns the message as plain JSON
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if custom bounds don't ascend
 *
 * Concurrency: owner thread of the histogram. Cost: O(span).
 */
export function toPrometheusNative(
  histogram: Histogram,
  options: NativeOptions = {},
): NativeHistogram {
  const { unitScale = 1e-9, schema = 8, bucketsMax = 160, customBounds } = options;
  const { count, sum } = amountsOf(histogram, unitScale);
  const amounts = { sampleCount: String(count), sampleSum: sum };
  if (customBounds !== undefined) {
    const bounds = customBounds === 'exact' ? exactBounds(histogram, unitScale) : customBounds;
    checkBounds(bounds);
    return {
      ...amounts,
      schema: -53,
      zeroThreshold: 0,
      zeroCount: '0',
      ...spansOf(countsBetween(histogram, bounds, unitScale), 0),
      customValues: bounds,
    };
  }
  const exponential = exponentialCounts(histogram, unitScale, Math.min(schema, 8), -4, bucketsMax);
  return {
    ...amounts,
    schema: exponential.scale,
    // Half of the finest bucket: nothing else than zeros lies below.
    zeroThreshold: (histogram.layout.lowestOf(1) * unitScale) / 2,
    zeroCount: String(exponential.zeroCount),
    // Prometheus numbers a bucket by its upper bound, OpenTelemetry by its lower.
    ...spansOf(exponential.counts, exponential.offset + 1),
  };
}
