/** Values, layouts and the naive model that the property tests compare with. */
import { type Digits, Histogram, type HistogramOptions } from '@millrace/histogram';
import fc from 'fast-check';

/** Runs per property; FC_RUNS scales all of them. */
export const runs = (base: number): { numRuns: number } => ({
  numRuns: Math.max(1, Math.round(base * Number(process.env['FC_RUNS'] ?? 1))),
});

export const digits: fc.Arbitrary<Digits> = fc.constantFrom<Digits>(0, 1, 2, 3, 4, 5);

/** Values spread over all magnitudes up to 2^bits, and next to powers of two. */
export const valueBelow = (bits: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc
      .tuple(
        fc.integer({ min: 0, max: bits - 1 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      )
      .map(([bit, fraction]) => Math.floor(2 ** bit * (1 + fraction))),
    fc
      .tuple(fc.integer({ min: 0, max: bits - 1 }), fc.integer({ min: -2, max: 2 }))
      .map(([bit, offset]) => Math.max(0, 2 ** bit + offset)),
    fc.integer({ min: 0, max: 4096 }),
  );

export const values = fc.array(valueBelow(41), { minLength: 1, maxLength: 300 });

export const filled = (list: readonly number[], options: HistogramOptions = {}): Histogram => {
  const histogram = new Histogram(options);
  histogram.recordMany(list);
  return histogram;
};

/** The model: sorted values, no buckets. Rank as HdrHistogram in Java has it, in exact arithmetic. */
export const exactPercentile = (sorted: readonly number[], percentile: number): number => {
  // percentile has at most three decimals in the tests, so this is exact.
  const rank = Math.ceil((Math.round(percentile * 1000) * sorted.length) / 100_000);
  return sorted[Math.max(rank, 1) - 1]!;
};

/** m of the layout: the relative error bound is 2^-m. */
export const subBucketBits = { 0: 0, 1: 4, 2: 7, 3: 10, 4: 14, 5: 17 } as const;
