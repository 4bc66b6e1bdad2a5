// Goal: counts, range, percentiles, merging and corrections of a histogram are right for any values.
// Method: properties against the exact sorted list and against a map of counts per bucket.
import { Histogram } from '@millrace/histogram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  digits,
  exactPercentile,
  filled,
  runs,
  subBucketBits,
  valueBelow,
  values,
} from './support/arbitraries.ts';

const PERCENTILES = [0, 0.1, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100];

describe('a histogram of any values', () => {
  it('knows count, min and max exactly', () => {
    fc.assert(
      fc.property(values, digits, (list, digit) => {
        const histogram = filled(list, { digits: digit });
        expect(histogram.count).toBe(list.length);
        expect(histogram.countBigInt).toBe(BigInt(list.length));
        expect(histogram.min).toBe(Math.min(...list));
        expect(histogram.max).toBe(Math.max(...list));
        expect(histogram.clamped + histogram.dropped).toBe(0);
      }),
      runs(200),
    );
  });

  it('counts each value in its bucket', () => {
    fc.assert(
      fc.property(values, digits, (list, digit) => {
        const histogram = filled(list, { digits: digit });
        const model = new Map<number, number>();
        for (const value of list) {
          const index = histogram.layout.indexOf(value);
          model.set(index, (model.get(index) ?? 0) + 1);
        }
        for (const value of list) {
          expect(histogram.countAt(value)).toBe(model.get(histogram.layout.indexOf(value)));
        }
      }),
      runs(100),
    );
  });

  it('is never below the exact percentile, and above it by at most 2^-m', () => {
    fc.assert(
      fc.property(values, digits, (list, digit) => {
        const sorted = [...list].sort((a, b) => a - b);
        const histogram = filled(list, { digits: digit });
        const answers = histogram.percentiles(PERCENTILES);
        for (const [i, percentile] of PERCENTILES.entries()) {
          const exact = exactPercentile(sorted, percentile);
          const answer = answers[i]!;
          if (percentile > 0) expect(answer).toBeGreaterThanOrEqual(exact);
          expect(answer).toBeLessThanOrEqual(exact * (1 + 2 ** -subBucketBits[digit]));
          expect(histogram.percentile(percentile)).toBe(answer);
        }
      }),
      runs(300),
    );
  });

  it('stays within the bucket when it interpolates', () => {
    fc.assert(
      fc.property(values, digits, (list, digit) => {
        const sorted = [...list].sort((a, b) => a - b);
        const histogram = filled(list, { digits: digit });
        for (const percentile of PERCENTILES) {
          const exact = exactPercentile(sorted, percentile);
          const answer = histogram.percentile(percentile, { interpolate: true });
          const bound = Math.max(1, exact * 2 ** -subBucketBits[digit]);
          expect(Math.abs(answer - exact)).toBeLessThanOrEqual(bound);
        }
      }),
      runs(200),
    );
  });

  it('answers percentiles in any order, and many at once', () => {
    fc.assert(
      fc.property(
        values,
        fc.array(fc.double({ min: -5, max: 105, noNaN: true }), { maxLength: 20 }),
        (list, percentiles) => {
          const histogram = filled(list);
          expect(histogram.percentiles(percentiles)).toEqual(
            percentiles.map((percentile) => histogram.percentile(percentile)),
          );
        },
      ),
      runs(100),
    );
  });

  it('has the mean and deviation of its values, up to the buckets’ width', () => {
    fc.assert(
      fc.property(values, (list) => {
        const histogram = filled(list);
        const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
        const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length;
        const tolerance = Math.max(...list) * 2 ** -10 + 1;
        expect(Math.abs(histogram.mean - mean)).toBeLessThanOrEqual(tolerance);
        expect(Math.abs(histogram.standardDeviation - Math.sqrt(variance))).toBeLessThanOrEqual(
          tolerance * 2,
        );
      }),
      runs(100),
    );
  });
});

describe('merging', () => {
  it('adds as if everything had been recorded into one', () => {
    fc.assert(
      fc.property(values, values, digits, (a, b, digit) => {
        const sum = filled(a, { digits: digit });
        sum.add(filled(b, { digits: digit }));
        const whole = filled([...a, ...b], { digits: digit });
        expect(sum.equals(whole)).toBe(true);
        expect([sum.min, sum.max, sum.count]).toEqual([whole.min, whole.max, whole.count]);
      }),
      runs(100),
    );
  });

  it('subtracts what was added', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const sum = filled(a);
        sum.add(filled(b));
        sum.subtract(filled(b));
        expect(sum.equals(filled(a))).toBe(true);
        const { layout } = sum;
        const first = layout.indexOf(Math.min(...a));
        const last = layout.indexOf(Math.max(...a));
        expect(layout.indexOf(sum.min)).toBe(first);
        expect(layout.indexOf(sum.max)).toBe(last);
      }),
      runs(100),
    );
  });

  it('refuses to subtract what isn’t there, and changes nothing then', () => {
    fc.assert(
      fc.property(values, valueBelow(41), (list, extra) => {
        const histogram = filled(list);
        const more = filled([...list, extra]);
        expect(() => histogram.subtract(more)).toThrow(
          expect.objectContaining({ code: 'ERR_HISTOGRAM_SUBTRACT' }),
        );
        expect(histogram.equals(filled(list))).toBe(true);
      }),
      runs(50),
    );
  });

  it('moves a value of another layout by at most half its bucket and one of ours', () => {
    fc.assert(
      fc.property(values, digits, digits, (list, from, to) => {
        const target = new Histogram({ digits: to });
        target.add(filled(list, { digits: from }));
        const sorted = [...list].sort((a, b) => a - b);
        expect(target.count).toBe(list.length);
        for (const percentile of [1, 50, 99, 100]) {
          const exact = exactPercentile(sorted, percentile);
          const bound = exact * (2 ** -subBucketBits[from] + 2 ** -subBucketBits[to]) + 1;
          expect(Math.abs(target.percentile(percentile) - exact)).toBeLessThanOrEqual(bound);
        }
      }),
      runs(100),
    );
  });

  it('copies into an equal, independent histogram, and resets to an empty one', () => {
    fc.assert(
      fc.property(values, (list) => {
        const histogram = filled(list);
        const copy = histogram.copy();
        expect(copy.equals(histogram)).toBe(true);
        histogram.reset();
        expect(histogram.count).toBe(0);
        expect(histogram.min).toBeNaN();
        expect(copy.count).toBe(list.length);
        expect(histogram.equals(new Histogram())).toBe(true);
      }),
      runs(50),
    );
  });
});

describe('counts beyond 32 bits', () => {
  const large = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  it('stay exact', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), large), { maxLength: 8 }),
        (entries) => {
          const histogram = new Histogram({ digits: 1 });
          const model = new Map<number, bigint>();
          for (const [value, count] of entries) {
            histogram.recordCount(value, count);
            model.set(value, (model.get(value) ?? 0n) + BigInt(count));
          }
          let total = 0n;
          for (const [value, count] of model) {
            total += count;
            expect(histogram.countAt(value)).toBe(Number(count));
          }
          expect(histogram.countBigInt).toBe(total);
          expect(histogram.count).toBe(Number(total));
        },
      ),
      runs(200),
    );
  });

  it('carry when single records pass 2^32', () => {
    const histogram = new Histogram();
    histogram.recordCount(77, 2 ** 32 - 1);
    histogram.record(77);
    histogram.record(77);
    histogram.record(1000);
    expect(histogram.countAt(77)).toBe(2 ** 32 + 1);
    expect(histogram.count).toBe(2 ** 32 + 2);
    expect(histogram.percentiles([50, 100])).toEqual([77, 1000]);
    const sum = histogram.copy();
    sum.add(histogram);
    expect(sum.countAt(77)).toBe(2 * (2 ** 32 + 1));
    sum.subtract(histogram);
    expect(sum.equals(histogram)).toBe(true);
  });

  it('carry when two halves are added', () => {
    const half = new Histogram();
    half.recordCount(5, 2 ** 31);
    const sum = half.copy();
    sum.add(half);
    expect(sum.countAt(5)).toBe(2 ** 32);
  });

  it('refuse to pass 2^63 - 1', () => {
    const histogram = new Histogram({ digits: 1 });
    for (let i = 0; i < 1024; i++) histogram.recordCount(1, Number.MAX_SAFE_INTEGER);
    expect(() => histogram.recordCount(1, 2048)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_COUNT' }),
    );
  });
});
