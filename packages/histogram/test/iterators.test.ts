// Goal: the five walks report every count once, in order, at HdrHistogram's levels. Method: properties.
import {
  allBuckets,
  Histogram,
  linearBuckets,
  logarithmicBuckets,
  percentileBuckets,
  recordedBuckets,
} from '@millrace/histogram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filled, runs } from './support/arbitraries.ts';

const small = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 100 });

describe.each([
  ['all', (histogram: Histogram) => allBuckets(histogram)],
  ['recorded', (histogram: Histogram) => recordedBuckets(histogram)],
  ['linear', (histogram: Histogram) => linearBuckets(histogram, 1000)],
  ['logarithmic', (histogram: Histogram) => logarithmicBuckets(histogram, 10, 2)],
  ['percentile', (histogram: Histogram) => percentileBuckets(histogram, 5)],
])('walking %s buckets', (_, walk) => {
  it('reports every count once, in order', () => {
    fc.assert(
      fc.property(small, (list) => {
        const histogram = filled(list, { highest: 200_000, digits: 2 });
        let cumulative = 0;
        let end = 0;
        for (const step of walk(histogram)) {
          cumulative += step.count;
          expect(step.cumulativeCount).toBe(cumulative);
          expect(step.from).toBe(end);
          expect(step.to).toBeGreaterThanOrEqual(step.from);
          end = step.to;
        }
        expect(cumulative).toBe(list.length);
      }),
      runs(50),
    );
  });

  it('ends at once when nothing was counted, or reports zeros', () => {
    for (const step of walk(new Histogram({ highest: 1000 }))) expect(step.count).toBe(0);
  });
});

describe('levels', () => {
  it('halve towards 100 % as HdrHistogram’s do', () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 100; value++) histogram.record(value);
    const levels = [...percentileBuckets(histogram, 1)].map((step) => step.percentileLevel);
    expect(levels).toEqual([0, 50, 75, 87.5, 93.75, 96.875, 98.4375, 99.21875, 100]);
  });

  it('reject widths and factors that go nowhere', () => {
    const histogram = filled([1]);
    for (const walk of [
      linearBuckets(histogram, 0),
      logarithmicBuckets(histogram, 1, 1),
      logarithmicBuckets(histogram, 0, 2),
      percentileBuckets(histogram, 0),
    ]) {
      expect(() => [...walk]).toThrow(expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }));
    }
  });
});
