// Goal: shares, moments, intervals, comparisons and windows are those of the values themselves.
// Method: small whole values have a bucket each, so brute force over the list must agree exactly.
import {
  burnRate,
  countBetween,
  ExponentialAverage,
  FrozenHistogram,
  Histogram,
  kolmogorovSmirnov,
  mannWhitney,
  meanInterval,
  moments,
  percentileInterval,
  SlidingWindowHistogram,
  shareAbove,
  shareAtOrBelow,
  welch,
} from '@millrace/histogram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filled, runs, values } from './support/arbitraries.ts';

const small = fc.array(fc.integer({ min: 0, max: 2047 }), { minLength: 1, maxLength: 80 });

describe('shares', () => {
  it('are those of the list', () => {
    fc.assert(
      fc.property(small, fc.integer({ min: -5, max: 2047 }), fc.nat(2047), (list, a, b) => {
        const histogram = filled(list);
        const atOrBelow = list.filter((value) => value <= a).length / list.length;
        expect(shareAtOrBelow(histogram, a)).toBeCloseTo(atOrBelow, 12);
        expect(shareAbove(histogram, a)).toBeCloseTo(1 - atOrBelow, 12);
        expect(countBetween(histogram, a, b)).toBe(
          list.filter((value) => value >= a && value <= b).length,
        );
        expect(burnRate(histogram, a, 0.99)).toBeCloseTo((1 - atOrBelow) * 100, 8);
      }),
      runs(200),
    );
    expect(shareAtOrBelow(new Histogram(), 5)).toBeNaN();
    expect(shareAbove(new Histogram(), -5)).toBeNaN();
  });
});

describe('a frozen histogram', () => {
  it('answers as the histogram did', () => {
    fc.assert(
      fc.property(values, fc.array(fc.double({ min: -1, max: 101, noNaN: true })), (list, ps) => {
        const histogram = filled(list);
        const frozen = new FrozenHistogram(histogram);
        for (const options of [{}, { rank: 'c' }, { interpolate: true }] as const) {
          const expected = histogram.percentiles(ps, options);
          for (const [i, value] of frozen.percentiles(ps, options).entries()) {
            expect(value).toBeCloseTo(expected[i]!, 6);
          }
        }
        for (const value of list) {
          expect(frozen.shareAtOrBelow(value)).toBe(shareAtOrBelow(histogram, value));
        }
        expect([frozen.count, frozen.min, frozen.max]).toEqual([
          list.length,
          histogram.min,
          histogram.max,
        ]);
      }),
      runs(100),
    );
    expect(new FrozenHistogram(new Histogram()).percentile(50)).toBeNaN();
  });
});

describe('moments', () => {
  it('are those of the list', () => {
    fc.assert(
      fc.property(small, (list) => {
        const { count, mean, variance, skewness } = moments(filled(list));
        const exactMean = list.reduce((sum, value) => sum + value, 0) / list.length;
        const central = (power: number): number =>
          list.reduce((sum, value) => sum + (value - exactMean) ** power, 0) / list.length;
        expect(count).toBe(list.length);
        expect(mean).toBeCloseTo(exactMean, 8);
        expect(Math.abs(variance - central(2))).toBeLessThanOrEqual(1e-9 * (1 + central(2)));
        if (central(2) > 1) {
          expect(skewness).toBeCloseTo(central(3) / central(2) ** 1.5, 6);
        }
      }),
      runs(100),
    );
  });

  it('tell skew and heavy tails', () => {
    const right = filled([...new Array(90).fill(10), 500, 600, 2000]);
    expect(moments(right).skewness).toBeGreaterThan(1);
    expect(moments(right).excessKurtosis).toBeGreaterThan(1);
    const even = filled(Array.from({ length: 1001 }, (_, i) => i));
    expect(moments(even).skewness).toBeCloseTo(0, 8);
    expect(moments(even).excessKurtosis).toBeCloseTo(-1.2, 3);
  });
});

describe('a confidence interval', () => {
  /** P(B <= k) by summing up. */
  const cumulative = (k: number, n: number, p: number): number => {
    // In logarithms: (1 - p)^n is below the least double.
    let logTerm = n * Math.log1p(-p);
    let sum = 0;
    for (let i = 0; i <= k; i++) {
      sum += Math.exp(logTerm);
      logTerm += Math.log(((n - i) / (i + 1)) * (p / (1 - p)));
    }
    return sum;
  };

  it('of a percentile encloses it with at least the confidence asked for, by the binomial', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 400 }),
        fc.constantFrom(0.1, 0.25, 0.5, 0.9, 0.99),
        fc.constantFrom(0.5, 0.9, 0.95),
        (n, p, confidence) => {
          const histogram = filled(Array.from({ length: n }, (_, i) => i + 1));
          const { low, high } = percentileInterval(histogram, p * 100, confidence);
          // Value i has rank i; the percentile lies between ranks low and high if low <= B < high.
          const below = low <= 1 ? 0 : cumulative(low - 1, n, p);
          const above = high >= n ? 1 : cumulative(high - 1, n, p);
          expect(above - below).toBeGreaterThanOrEqual(confidence - 1e-9);
          expect(low).toBeLessThanOrEqual(Math.ceil(n * p));
          expect(high).toBeGreaterThanOrEqual(Math.floor(n * p));
        },
      ),
      runs(200),
    );
  });

  it('stays sound for millions of values', () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 1000; value++) histogram.recordCount(value, 10_000);
    const { low, high } = percentileInterval(histogram, 99);
    expect([low, high]).toEqual([990, 991]);
    expect(percentileInterval(new Histogram(), 50).low).toBeNaN();
    for (const [percentile, confidence] of [
      [0, 0.9],
      [100, 0.9],
      [50, 0],
      [50, 1],
    ] as const) {
      expect(() => percentileInterval(histogram, percentile, confidence)).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
      );
    }
  });

  it('of the mean is Student’s', () => {
    // 1..10: mean 5.5, s 3.02765, t(9, 0.975) 2.262157.
    const { low, high } = meanInterval(filled([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    expect(low).toBeCloseTo(5.5 - 2.262157 * (3.02765 / Math.sqrt(10)), 4);
    expect(high).toBeCloseTo(5.5 + 2.262157 * (3.02765 / Math.sqrt(10)), 4);
    expect(meanInterval(filled([1])).low).toBeNaN();
  });
});

describe('comparing', () => {
  it('finds the greatest distance and where it is', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        const { distance, at, pValue } = kolmogorovSmirnov(filled(a), filled(b));
        const gap = (value: number): number =>
          Math.abs(
            a.filter((x) => x <= value).length / a.length -
              b.filter((x) => x <= value).length / b.length,
          );
        expect(distance).toBeCloseTo(Math.max(...[...a, ...b].map(gap)), 12);
        if (distance > 0) expect(gap(at)).toBeCloseTo(distance, 12);
        expect(pValue).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
      }),
      runs(100),
    );
  });

  it('counts the pairs in which one is greater', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        let u = 0;
        for (const x of a) for (const y of b) u += y > x ? 1 : y === x ? 0.5 : 0;
        const result = mannWhitney(filled(a), filled(b));
        expect(result.u).toBeCloseTo(u, 8);
        expect(result.superiority).toBeCloseTo(u / (a.length * b.length), 12);
        const mirrored = mannWhitney(filled(b), filled(a));
        expect(result.cliffsDelta).toBeCloseTo(-mirrored.cliffsDelta, 12);
        expect(result.pValue).toBeCloseTo(mirrored.pValue, 10);
      }),
      runs(100),
    );
  });

  it('gives the p-values of the textbooks', () => {
    // Normal approximation, corrected for ties and continuity.
    const a = filled([1, 2, 2, 3, 4, 5]);
    const b = filled([4, 5, 5, 6, 7, 8]);
    const { u, pValue } = mannWhitney(a, b);
    expect(u).toBe(33.5);
    const ties = [2, 2, 3].reduce((sum, t) => sum + t * (t * t - 1), 0);
    const variance = (36 / 12) * (13 - ties / (12 * 11));
    expect(pValue).toBeCloseTo(twoSided((33.5 - 18 - 0.5) / Math.sqrt(variance)), 6);
    // Welch: means 2.8333 and 5.8333, equal variances 2.1667.
    const result = welch(a, b);
    expect(result.difference).toBeCloseTo(3, 10);
    expect(result.t).toBeCloseTo(3 / Math.sqrt((2 * (13 / 6)) / 6), 3);
    expect(result.degrees).toBeCloseTo(10, 1);
    expect(result.pValue).toBeCloseTo(0.00546, 3);
    expect(result.interval.low).toBeLessThan(3);
    expect(result.interval.high).toBeGreaterThan(3);
  });

  it('finds nothing in equal runs, and the difference in unequal ones', () => {
    const run = (seed: number, shift: number): Histogram => {
      const histogram = new Histogram();
      let state = seed;
      for (let i = 0; i < 5000; i++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        histogram.record(1000 + (state >>> 22) + shift);
      }
      return histogram;
    };
    const [one, two, slower] = [run(1, 0), run(2, 0), run(3, 40)];
    expect(mannWhitney(one!, two!).pValue).toBeGreaterThan(0.01);
    expect(kolmogorovSmirnov(one!, two!).pValue).toBeGreaterThan(0.01);
    expect(welch(one!, two!).pValue).toBeGreaterThan(0.01);
    expect(mannWhitney(one!, slower!).pValue).toBeLessThan(1e-6);
    expect(kolmogorovSmirnov(one!, slower!).pValue).toBeLessThan(1e-4);
    expect(welch(one!, slower!).pValue).toBeLessThan(1e-6);
    expect(welch(one!, slower!).cohensD).toBeGreaterThan(0.1);
  });

  it('needs equal layouts and something to compare', () => {
    const one = filled([1]);
    for (const test of [kolmogorovSmirnov, mannWhitney, welch]) {
      expect(() => test(one, filled([1], { digits: 2 }))).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
      );
      expect(() => test(one, new Histogram())).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_EMPTY' }),
      );
    }
    expect(() => welch(one, one)).toThrow(expect.objectContaining({ code: 'ERR_HISTOGRAM_EMPTY' }));
  });
});

/** P(|Z| >= z), by numeric integration. */
const twoSided = (z: number): number => {
  let sum = 0;
  const step = 1e-4;
  for (let x = z; x < z + 12; x += step)
    sum += Math.exp((-(x + step / 2) * (x + step / 2)) / 2) * step;
  return (2 * sum) / Math.sqrt(2 * Math.PI);
};

describe('a sliding window', () => {
  it('holds what was recorded within it, in whole parts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.nat(1000)), { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        (steps, parts) => {
          const window = new SlidingWindowHistogram({ windowMs: parts * 100, parts });
          const recorded: [number, number][] = [];
          let time = 12_345;
          for (const [pause, value] of steps) {
            time += pause;
            window.record(value, time);
            recorded.push([Math.floor(time / 100), value]);
            const part = Math.floor(time / 100);
            const inside = recorded.filter(([at]) => at > part - parts);
            expect(window.current(time).count).toBe(inside.length);
            expect(window.current(time).equals(filled(inside.map(([, v]) => v)))).toBe(true);
          }
          expect(window.current(time + parts * 100).count).toBe(0);
        },
      ),
      runs(50),
    );
  });

  it('asks its clock, and rejects windows of nothing', () => {
    let time = 0;
    const window = new SlidingWindowHistogram({ windowMs: 1000, clock: () => time });
    window.record(5);
    time = 2000;
    expect(window.current().count).toBe(0);
    for (const options of [{ windowMs: 0 }, { windowMs: 5, parts: 0 }]) {
      expect(() => new SlidingWindowHistogram(options)).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
      );
    }
  });
});

describe('an exponential average', () => {
  it('weighs by age, as the definition says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(500), fc.nat(1000)), { minLength: 1, maxLength: 40 }),
        (steps) => {
          const average = new ExponentialAverage({ halfLifeMs: 300, threshold: 700 });
          const taken: [number, number][] = [];
          let time = 1e6;
          for (const [pause, value] of steps) {
            time += pause;
            average.record(value, time);
            taken.push([time, value]);
          }
          const weight = ([at]: [number, number]): number => 2 ** (-(time - at) / 300);
          const total = taken.reduce((sum, entry) => sum + weight(entry), 0);
          const mean = taken.reduce((sum, entry) => sum + weight(entry) * entry[1], 0) / total;
          const variance =
            taken.reduce((sum, entry) => sum + weight(entry) * (entry[1] - mean) ** 2, 0) / total;
          const errors = taken.reduce((sum, e) => sum + (e[1] > 700 ? weight(e) : 0), 0) / total;
          expect(average.mean).toBeCloseTo(mean, 6);
          expect(average.standardDeviation).toBeCloseTo(Math.sqrt(Math.max(0, variance)), 3);
          expect(average.errorRate).toBeCloseTo(errors, 9);
        },
      ),
      runs(100),
    );
  });

  it('knows nothing at first, and ignores NaN', () => {
    const average = new ExponentialAverage({ halfLifeMs: 1 });
    average.record(Number.NaN, 0);
    expect([average.mean, average.standardDeviation, average.errorRate]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect(() => average.burnRate(1)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
    );
  });
});
