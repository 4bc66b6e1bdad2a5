// Goal: the proven bound holds on every kind of distribution, at every percentile, for every precision.
// Method: twenty distributions against an exact sort, with both rank rules and with interpolation.
import { FrozenHistogram, Histogram } from '@millrace/histogram';
import { describe, expect, it } from 'vitest';
import { subBucketBits } from './support/arbitraries.ts';

const COUNT = 20_000;
let state = 1;
const next = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state + 0.5) / 2 ** 32;
};
const gauss = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());

const DISTRIBUTIONS: Record<string, (i: number) => number> = {
  constant: () => 12_345,
  'two points': (i) => (i % 100 === 0 ? 5_000_000 : 900),
  'two points, ties at a percentile': (i) => (i < COUNT * 0.99 ? 1000 : 2000),
  ascending: (i) => i,
  descending: (i) => COUNT - i,
  'uniform, small': () => next() * 100,
  'uniform, 31 bits': () => next() * 2 ** 31,
  'uniform, 41 bits': () => next() * 2 ** 41,
  'log-uniform': () => 2 ** (next() * 41),
  normal: () => Math.max(0, 1e6 + 1e5 * gauss()),
  'narrow normal': () => 1e9 + 10 * gauss(),
  'log-normal': () => Math.exp(Math.log(20_000) + gauss()),
  'wide log-normal': () => Math.exp(Math.log(20_000) + 3 * gauss()),
  exponential: () => -Math.log(next()) * 50_000,
  Pareto: () => 5000 / next() ** (1 / 1.3),
  'heavy Pareto': () => 100 / next() ** 1.5,
  bimodal: () => (next() < 0.97 ? 18_000 + 900 * gauss() : 4e6 + 3e5 * gauss()),
  steps: () => [1200, 1500, 52_000, 16_600_000][Math.floor(next() * next() * 4)]! + next() * 40,
  'powers of two': (i) => 2 ** (i % 41),
  'mostly zero': () => (next() < 0.9 ? 0 : next() * 1e6),
};
const PERCENTILES = [0.01, 0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100];

describe.each(Object.entries(DISTRIBUTIONS))('%s', (_, draw) => {
  const list = Array.from({ length: COUNT }, (_value, i) =>
    Math.floor(Math.min(3.6e12, Math.max(0, draw(i)))),
  );
  const sorted = [...list].sort((a, b) => a - b);
  it.each([1, 2, 3, 4, 5] as const)('is answered within the bound, with %d digits', (digits) => {
    const histogram = new Histogram({ digits });
    histogram.recordMany(list);
    const error = 2 ** -subBucketBits[digits];
    const frozen = new FrozenHistogram(histogram);
    for (const percentile of PERCENTILES) {
      const scaled = Math.round(percentile * 1000) * COUNT;
      const exact = sorted[Math.max(1, Math.ceil(scaled / 100_000)) - 1]!;
      const answer = histogram.percentile(percentile);
      expect(answer).toBeGreaterThanOrEqual(exact);
      expect(answer).toBeLessThanOrEqual(exact * (1 + error));
      expect(frozen.percentile(percentile)).toBe(answer);
      const inside = histogram.percentile(percentile, { interpolate: true });
      expect(Math.abs(inside - exact)).toBeLessThanOrEqual(Math.max(1, exact * error));
      const nearest = sorted[Math.max(1, Math.floor(scaled / 100_000 + 0.5)) - 1]!;
      const answerC = histogram.percentile(percentile, { rank: 'c' });
      expect(answerC).toBeGreaterThanOrEqual(nearest);
      expect(answerC).toBeLessThanOrEqual(nearest * (1 + error));
    }
  });
});
