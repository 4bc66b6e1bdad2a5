// Goal: exports count every value, where the formats' published rules put it, and lose only what they say.
// Method: each format is read back by its rules, written here anew, and compared with the recorded values.
import { Histogram } from '@millrace/histogram';
import {
  exactBounds,
  LATENCY_SECONDS,
  type NativeHistogram,
  toOpenMetrics,
  toOtlpJson,
  toPrometheusNative,
  toPrometheusText,
} from '@millrace/histogram/export';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filled, runs, values } from './support/arbitraries.ts';

interface ReadBucket {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Reads a native histogram by the rules of its specification. */
const readNative = (native: NativeHistogram): ReadBucket[] => {
  const buckets: ReadBucket[] = [];
  let index = 0;
  let count = 0;
  let at = 0;
  for (const span of native.positiveSpan) {
    index += span.offset;
    for (let i = 0; i < span.length; i++, index++) {
      count += Number(native.positiveDelta[at++]);
      const bound = (n: number): number =>
        native.customValues === undefined
          ? 2 ** (n * 2 ** -native.schema)
          : (native.customValues[n] ??
            (n < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY));
      buckets.push({ low: bound(index - 1), high: bound(index), count });
    }
  }
  expect(at).toBe(native.positiveDelta.length);
  return buckets.filter((bucket) => bucket.count !== 0);
};

/** Reads an exponential data point by the rules of OpenTelemetry's data model. */
const readExponential = (point: {
  scale: number;
  positive: { offset: number; bucketCounts: string[] };
}): ReadBucket[] =>
  point.positive.bucketCounts.map((count, i) => ({
    low: 2 ** ((point.positive.offset + i) * 2 ** -point.scale),
    high: 2 ** ((point.positive.offset + i + 1) * 2 ** -point.scale),
    count: Number(count),
  }));

/** Every recorded value must be matched, in order, by a bucket that holds it up to a factor. */
const expectHolds = (
  list: readonly number[],
  zeros: number,
  buckets: ReadBucket[],
  slack: number,
): void => {
  const sorted = [...list].sort((a, b) => a - b);
  let at = zeros;
  expect(sorted.slice(0, zeros).every((value) => value === 0)).toBe(true);
  for (const { low, high, count } of buckets) {
    for (let i = 0; i < count; i++, at++) {
      expect(sorted[at]!).toBeGreaterThan(low / slack);
      expect(sorted[at]!).toBeLessThanOrEqual(high * slack);
    }
  }
  expect(at).toBe(list.length);
};

describe('Prometheus native', () => {
  it('holds every value in a bucket of its schema', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 8 }), (list, schema) => {
        const native = toPrometheusNative(filled(list), { unitScale: 1, schema });
        expect(native.schema).toBeLessThanOrEqual(schema);
        expect(Number(native.sampleCount)).toBe(list.length);
        expect(native.positiveSpan.reduce((sum, span) => sum + span.length, 0)).toBeLessThanOrEqual(
          160,
        );
        // A bucket of ours, 2^-10 wide, may reach over a bound.
        expectHolds(list, Number(native.zeroCount), readNative(native), 1 + 2 ** -10 + 1e-12);
      }),
      runs(100),
    );
  });

  it('loses nothing with custom bounds', () => {
    fc.assert(
      fc.property(values, (list) => {
        const histogram = filled(list);
        const native = toPrometheusNative(histogram, { unitScale: 1, customBounds: 'exact' });
        const back = new Histogram();
        for (const { low, high, count } of readNative(native)) {
          expect(histogram.layout.indexOf(low + 1)).toBe(histogram.layout.indexOf(high));
          back.recordCount(high, count);
        }
        expect(back.equals(histogram)).toBe(true);
        expect(native.customValues).toEqual(exactBounds(histogram));
      }),
      runs(100),
    );
  });
});

describe('OTLP', () => {
  const points = (list: readonly number[], options: object): Record<string, unknown> => {
    const json = toOtlpJson(
      [
        {
          histogram: filled(list),
          startTimeUnixNano: 1n,
          timeUnixNano: 2n,
          attributes: { stage: 'parse', shard: 3, live: true, share: 0.5 },
        },
      ],
      { name: 'latency', unitScale: 1, ...options },
    );
    const text = JSON.parse(JSON.stringify(json));
    const metric = text.resourceMetrics[0].scopeMetrics[0].metrics[0];
    return (metric.histogram ?? metric.exponentialHistogram).dataPoints[0];
  };

  it('exponential holds every value in a bucket of its scale', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(20, 160, 1000), (list, bucketsMax) => {
        const point = points(list, { bucketsMax }) as never as Parameters<
          typeof readExponential
        >[0] & {
          count: string;
          zeroCount: string;
          min: number;
          max: number;
        };
        expect(point.count).toBe(String(list.length));
        expect([point.min, point.max]).toEqual([Math.min(...list), Math.max(...list)]);
        expect(point.positive.bucketCounts.length).toBeLessThanOrEqual(bucketsMax);
        expectHolds(list, Number(point.zeroCount), readExponential(point), 1 + 2 ** -10 + 1e-12);
      }),
      runs(100),
    );
  });

  it('explicit counts by its bounds', () => {
    const bounds = [10, 100, 1000];
    const point = points([5, 10, 11, 500, 2000], { kind: 'explicit', bounds });
    expect(point['explicitBounds']).toEqual(bounds);
    expect(point['bucketCounts']).toEqual(['2', '1', '1', '1']);
    expect(point['attributes']).toEqual([
      { key: 'stage', value: { stringValue: 'parse' } },
      { key: 'shard', value: { intValue: '3' } },
      { key: 'live', value: { boolValue: true } },
      { key: 'share', value: { doubleValue: 0.5 } },
    ]);
  });

  it('of nothing has no range', () => {
    expect(points([], {})).not.toHaveProperty('min');
    expect(points([], {})).toMatchObject({ count: '0', zeroCount: '0' });
  });
});

describe('text', () => {
  const seriesOf = (text: string, name: string): Map<string, number> =>
    new Map(
      text
        .split('\n')
        .filter((line) => line.startsWith(name))
        .map((line) => {
          const at = line.lastIndexOf(' ');
          return [line.slice(0, at), Number(line.slice(at + 1))];
        }),
    );

  it('counts cumulatively, a value never below its bound’s bucket', () => {
    fc.assert(
      fc.property(values, (list) => {
        const text = toPrometheusText([{ histogram: filled(list) }], { name: 'x_seconds' });
        const series = seriesOf(text, 'x_seconds');
        let previous = 0;
        for (const bound of LATENCY_SECONDS) {
          const count = series.get(`x_seconds_bucket{le="${bound}"}`)!;
          expect(count).toBeGreaterThanOrEqual(previous);
          expect(count).toBeLessThanOrEqual(list.filter((value) => value <= bound * 1e9).length);
          const surely = list.filter((value) => value <= bound * 1e9 * (1 - 2 ** -10) - 1).length;
          expect(count).toBeGreaterThanOrEqual(surely);
          previous = count;
        }
        expect(series.get('x_seconds_bucket{le="+Inf"}')).toBe(list.length);
        expect(series.get('x_seconds_count')).toBe(list.length);
      }),
      runs(50),
    );
  });

  it('escapes labels, and is a complete OpenMetrics exposition', () => {
    const histogram = filled([1e9, 3e9]);
    const text = toOpenMetrics([{ labels: { path: 'a\\b"c\nd' }, histogram }], {
      name: 'job_seconds',
      unit: 'seconds',
      help: 'How long a job takes.',
      bounds: [1, 2],
    });
    expect(text).toBe(
      [
        '# TYPE job_seconds histogram',
        '# UNIT job_seconds seconds',
        '# HELP job_seconds How long a job takes.',
        'job_seconds_bucket{path="a\\\\b\\"c\\nd",le="1.0"} 0',
        'job_seconds_bucket{path="a\\\\b\\"c\\nd",le="2.0"} 1',
        'job_seconds_bucket{path="a\\\\b\\"c\\nd",le="+Inf"} 2',
        `job_seconds_sum{path="a\\\\b\\"c\\nd"} ${histogram.mean * 2e-9}`,
        'job_seconds_count{path="a\\\\b\\"c\\nd"} 2',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('refuses names and bounds that the formats don’t have', () => {
    const code = expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' });
    const series = [{ histogram: new Histogram() }];
    expect(() => toPrometheusText(series, { name: '1x' })).toThrow(code);
    expect(() => toPrometheusText(series, { name: 'x', bounds: [2, 1] })).toThrow(code);
    expect(() => toOpenMetrics(series, { name: 'x', unit: 'seconds' })).toThrow(code);
    const labelled = [{ histogram: new Histogram(), labels: { le: '1' } }];
    expect(() => toPrometheusText(labelled, { name: 'x' })).toThrow(code);
  });
});
