/**
 * Writes histograms as OTLP/JSON metrics, for an OpenTelemetry collector's HTTP receiver.
 *
 * What is lost: as `explicit`, E1 of buckets.ts; as `exponential`, E2. `min` and `max` are kept.
 */
import type { Histogram } from '../histogram.ts';
import {
  amountsOf,
  checkBounds,
  countsBetween,
  exponentialCounts,
  LATENCY_SECONDS,
} from './buckets.ts';

/** One series of a metric. */
export interface OtlpSeries {
  /** Attributes of this series. @defaultValue none */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** What was recorded between the two times; left unchanged. */
  readonly histogram: Histogram;
  /** Start of the recording (ns since the epoch). */
  readonly startTimeUnixNano: bigint;
  /** Time of this export (ns since the epoch). */
  readonly timeUnixNano: bigint;
}

/** How to write a metric. */
export interface OtlpOptions {
  /** Name of the metric. */
  readonly name: string;
  /** One sentence about it. @defaultValue none */
  readonly description?: string;
  /** UCUM code of the exported unit. @defaultValue 's' */
  readonly unit?: string;
  /** Exported unit per recorded unit. @defaultValue 1e-9: nanoseconds as seconds */
  readonly unitScale?: number;
  /** `delta` for intervals, `cumulative` for everything so far. @defaultValue 'cumulative' */
  readonly temporality?: 'delta' | 'cumulative';
  /** Kind of buckets. @defaultValue 'exponential' */
  readonly kind?: 'exponential' | 'explicit';
  /** Upper bounds of `explicit`. @defaultValue 1-2-5 steps from a microsecond to 100 s */
  readonly bounds?: readonly number[];
  /** Most buckets of `exponential`; the scale is reduced until they suffice. @defaultValue 160 */
  readonly bucketsMax?: number;
  /** Attributes of the resource. @defaultValue none */
  readonly resource?: Readonly<Record<string, string | number | boolean>>;
}

/** Any JSON value. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

const attributesOf = (attributes: Readonly<Record<string, string | number | boolean>>): Json =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : Number.isSafeInteger(value)
            ? { intValue: String(value) }
            : { doubleValue: value },
  }));

/** Returns what both kinds of data point have; 64-bit numbers are strings in protobuf's JSON. */
const pointOf = (series: OtlpSeries, unitScale: number): { readonly [key: string]: Json } => {
  const { count, sum, min, max } = amountsOf(series.histogram, unitScale);
  return {
    attributes: attributesOf(series.attributes ?? {}),
    startTimeUnixNano: String(series.startTimeUnixNano),
    timeUnixNano: String(series.timeUnixNano),
    count: String(count),
    sum,
    ...(count === 0 ? {} : { min, max }),
  };
};

/**
 * Writes series of histograms as the body of an OTLP/JSON request (`ExportMetricsServiceRequest`).
 *
 * @param series - histograms with their attributes and times
 * @param options - name, unit, kind of buckets
 * @returns plain JSON for `POST /v1/metrics`
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if the bounds don't ascend
 *
 * Concurrency: owner thread of the histograms. Cost: O(span) per series.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { toOtlpJson } from '@millrace/histogram/export';
 *
 * const histogram = new Histogram();
 * histogram.recordMany([1_000_000, 2_000_000]);
 * const body = toOtlpJson(
 *   [{ histogram, startTimeUnixNano: 0n, timeUnixNano: 60_000_000_000n }],
 *   { name: 'latency' },
 * );
 * assert.ok(JSON.stringify(body).includes('"exponentialHistogram"'));
 * ```
 */
export function toOtlpJson(series: readonly OtlpSeries[], options: OtlpOptions): Json {
  const { name, description = '', unit = 's', unitScale = 1e-9, resource = {} } = options;
  const aggregationTemporality = options.temporality === 'delta' ? 1 : 2;
  const metric =
    options.kind === 'explicit'
      ? { histogram: { aggregationTemporality, dataPoints: explicitPoints(series, options) } }
      : {
          exponentialHistogram: {
            aggregationTemporality,
            dataPoints: series.map((one) => exponentialPoint(one, unitScale, options)),
          },
        };
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeMetrics: [
          {
            scope: { name: '@millrace/histogram' },
            metrics: [{ name, description, unit, ...metric }],
          },
        ],
      },
    ],
  };
}

function explicitPoints(series: readonly OtlpSeries[], options: OtlpOptions): Json {
  const { unitScale = 1e-9, bounds = LATENCY_SECONDS } = options;
  checkBounds(bounds);
  return series.map((one) => ({
    ...pointOf(one, unitScale),
    explicitBounds: bounds,
    bucketCounts: countsBetween(one.histogram, bounds, unitScale).map(String),
  }));
}

function exponentialPoint(series: OtlpSeries, unitScale: number, options: OtlpOptions): Json {
  const { scale, zeroCount, offset, counts } = exponentialCounts(
    series.histogram,
    unitScale,
    20,
    -10,
    options.bucketsMax ?? 160,
  );
  return {
    ...pointOf(series, unitScale),
    scale,
    zeroCount: String(zeroCount),
    positive: { offset, bucketCounts: counts.map(String) },
    negative: { offset: 0, bucketCounts: [] },
  };
}
