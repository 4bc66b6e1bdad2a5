// Goal: show what a histogram does with ordinary, odd and hostile values. Method: examples.
import {
  Histogram,
  type HistogramOptions,
  LapTimer,
  measureClock,
  nowNanoseconds,
  type OutOfRangePolicy,
} from '@millrace/histogram';
import { describe, expect, it } from 'vitest';

const ODD = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  -0.5,
  -0,
  0,
  0.9,
  1.7,
  1e3,
  1e6,
  1e18,
  1e300,
  '5' as unknown as number,
  'five' as unknown as number,
  undefined as unknown as number,
];

describe('values without a bucket', () => {
  it.each<OutOfRangePolicy>(['clamp', 'drop', 'grow'])(
    'are all accounted for under %s',
    (policy) => {
      const histogram = new Histogram({ highest: 1e5, outOfRange: policy });
      for (const value of ODD) histogram.record(value);
      expect(histogram.count + histogram.dropped).toBe(ODD.length);
    },
  );

  it('throw under throw, and leave nothing behind', () => {
    const histogram = new Histogram({ highest: 1e5, outOfRange: 'throw' });
    let thrown = 0;
    for (const value of ODD) {
      try {
        histogram.record(value);
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_HISTOGRAM_VALUE', name: 'HistogramRangeError' });
        thrown++;
      }
    }
    expect(histogram.count + thrown).toBe(ODD.length);
    expect(histogram.dropped + histogram.clamped).toBe(0);
  });

  it('are clamped to the nearest bucket, with the true maximum kept', () => {
    const histogram = new Histogram({ highest: 1000, digits: 2 });
    histogram.record(50_000);
    histogram.record(-3);
    expect([histogram.count, histogram.clamped, histogram.dropped]).toEqual([2, 2, 0]);
    expect([histogram.min, histogram.max]).toEqual([0, 50_000]);
    expect(histogram.percentile(100)).toBe(histogram.highestTrackable);
  });

  it('make the histogram grow under grow', () => {
    const histogram = new Histogram({ highest: 1000, outOfRange: 'grow' });
    histogram.record(3);
    histogram.record(5e9);
    expect(histogram.percentiles([50, 100])).toEqual([3, 5e9]);
    expect(histogram.highestTrackable).toBeGreaterThanOrEqual(5e9);
    const small = new Histogram({ highest: 1000, outOfRange: 'grow' });
    small.add(histogram);
    expect(small.equals(histogram)).toBe(true);
  });

  it('can be as large as 2^63 - 1', () => {
    const histogram = new Histogram({ highest: 2n ** 63n - 1n });
    histogram.recordBigInt(2n ** 63n - 1n);
    histogram.recordBigInt(2n ** 53n + 1n, 2);
    expect(histogram.count).toBe(3);
    expect(histogram.clamped).toBe(0);
    expect(histogram.countAt(2 ** 53)).toBe(2);
  });
});

describe('an empty histogram', () => {
  it('has no statistics', () => {
    const histogram = new Histogram();
    expect(histogram.count).toBe(0);
    expect(histogram.isEmpty).toBe(true);
    for (const figure of [
      histogram.min,
      histogram.max,
      histogram.mean,
      histogram.standardDeviation,
      histogram.percentile(99),
    ]) {
      expect(figure).toBeNaN();
    }
  });

  it('adds and subtracts as nothing', () => {
    const histogram = new Histogram();
    histogram.record(7);
    histogram.add(new Histogram());
    histogram.subtract(new Histogram());
    expect(histogram.count).toBe(1);
    const empty = new Histogram();
    empty.add(histogram);
    expect(empty.equals(histogram)).toBe(true);
  });
});

describe('rank rules', () => {
  it('take 99.9 % of 200,000 as rank 199,800, not one more', () => {
    const histogram = new Histogram();
    histogram.recordCount(1, 199_800);
    histogram.recordCount(1000, 200);
    expect(histogram.percentile(99.9)).toBe(1);
  });

  it('differ between Java and C where C rounds to the nearest rank', () => {
    const histogram = new Histogram();
    histogram.recordMany([1, 2, 3]);
    expect(histogram.percentile(40)).toBe(2);
    expect(histogram.percentile(40, { rank: 'c' })).toBe(1);
  });
});

describe('coordinated omission', () => {
  // Java's own example: 100 s of 1 ms responses every 10 ms, then one stall of 100 s.
  const interval = 10_000;
  const record = (histogram: Histogram, corrected: boolean): Histogram => {
    for (let i = 0; i < 10_000; i++) {
      if (corrected) histogram.recordCorrected(1000, interval);
      else histogram.record(1000);
    }
    if (corrected) histogram.recordCorrected(100_000_000, interval);
    else histogram.record(100_000_000);
    return histogram;
  };
  const options: HistogramOptions = { highest: 3_600_000_000 };

  it('is corrected while recording', () => {
    const raw = record(new Histogram(options), false);
    const corrected = record(new Histogram(options), true);
    expect(raw.count).toBe(10_001);
    expect(corrected.count).toBe(20_000);
    expect(raw.percentile(99.99)).toBe(1000);
    expect(corrected.percentile(50)).toBe(1000);
    expect(corrected.percentile(75)).toBeGreaterThan(49_000_000);
    expect(corrected.max).toBe(100_000_000);
  });

  it('is corrected the same afterwards', () => {
    const after = record(new Histogram(options), false).copyCorrected(interval);
    const at = record(new Histogram(options), true);
    expect(after.count).toBe(at.count);
    for (const percentile of [50, 75, 90, 99, 99.99, 100]) {
      const bound = at.percentile(percentile) * 2 ** -10 + interval;
      expect(Math.abs(after.percentile(percentile) - at.percentile(percentile))).toBeLessThan(
        bound,
      );
    }
  });

  it('needs an interval above 0', () => {
    expect(() => new Histogram().recordCorrected(5, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_VALUE' }),
    );
  });
});

describe('lap timing', () => {
  it('records the time between readings, in the unit asked for', () => {
    let time = 5;
    const histogram = new Histogram({ lowest: 0.001, highest: 1000 });
    const timer = new LapTimer(histogram, { clock: () => time, unitNanoseconds: 1e6 });
    time += 2e6;
    expect(timer.lap()).toBe(2);
    time += 9e6;
    timer.skip();
    time += 5e5;
    expect(timer.lap()).toBe(0.5);
    expect([histogram.min, histogram.max, histogram.count]).toEqual([0.5, 2, 2]);
  });

  it('says what a clock costs and how fine it is', () => {
    let time = 0;
    const clock = measureClock(() => (time += 30), 100);
    expect(clock.costNanoseconds).toBe(30);
    expect(clock.resolutionNanoseconds).toBe(30);
    const real = measureClock(nowNanoseconds, 1000);
    expect(real.costNanoseconds).toBeGreaterThan(0);
    expect(real.resolutionNanoseconds).toBeGreaterThan(0);
    expect(measureClock(() => 1, 10).resolutionNanoseconds).toBe(Number.POSITIVE_INFINITY);
  });
});
