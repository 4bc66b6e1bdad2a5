// Goal: the special functions are right to the digits that statistics need. Method: published values, and
// sums where there is one.
import { describe, expect, it } from 'vitest';
import {
  binomialCdf,
  binomialQuantile,
  incompleteBeta,
  kolmogorovTail,
  logGamma,
  normalCdf,
  normalQuantile,
  studentQuantile,
  studentTwoSided,
} from '../src/analysis/special.ts';

describe('special functions', () => {
  it('logGamma', () => {
    expect(logGamma(1)).toBeCloseTo(0, 12);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 10);
  });

  it('normal distribution', () => {
    expect(normalCdf(0)).toBeCloseTo(0.5, 14);
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 12);
    expect(normalCdf(-6)).toBeCloseTo(9.865876450376981e-10, 20);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 10);
    for (const share of [1e-9, 0.01, 0.3, 0.5, 0.8, 0.999]) {
      expect(normalCdf(normalQuantile(share))).toBeCloseTo(share, 12);
    }
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('Student’s distribution', () => {
    expect(studentTwoSided(2.262157, 9)).toBeCloseTo(0.05, 6);
    expect(studentTwoSided(12.7062, 1)).toBeCloseTo(0.05, 5);
    expect(studentQuantile(0.05, 9)).toBeCloseTo(2.262157, 5);
    expect(studentQuantile(0.05, 1e7)).toBeCloseTo(1.959964, 5);
  });

  it('binomial distribution', () => {
    let sum = 0;
    let term = 0.7 ** 20;
    for (let k = 0; k <= 20; k++) {
      sum += term;
      expect(binomialCdf(k, 20, 0.3)).toBeCloseTo(sum, 10);
      term *= ((20 - k) / (k + 1)) * (0.3 / 0.7);
    }
    for (const level of [0.001, 0.025, 0.5, 0.975, 0.999]) {
      const k = binomialQuantile(level, 500, 0.2);
      expect(binomialCdf(k, 500, 0.2)).toBeGreaterThanOrEqual(level);
      expect(binomialCdf(k - 1, 500, 0.2)).toBeLessThan(level);
    }
    expect(incompleteBeta(2, 3, 0)).toBe(0);
    expect(incompleteBeta(2, 3, 1)).toBe(1);
  });

  it('Kolmogorov’s distribution', () => {
    expect(kolmogorovTail(1.3581)).toBeCloseTo(0.05, 4);
    expect(kolmogorovTail(1.6276)).toBeCloseTo(0.01, 4);
    expect(kolmogorovTail(0.1)).toBe(1);
  });
});
