// Goal: every value is counted in HdrHistogram's bucket, whatever the magnitude, digits and unit.
// Method: against the definition in bigint arithmetic, bit by bit; plus the laws L1 to L4 of layout.ts.
import { BucketLayout } from '@millrace/histogram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digits, runs, subBucketBits, valueBelow } from './support/arbitraries.ts';

/** HdrHistogram's countsArrayIndex, by definition. */
const definition = (value: number, m: number, unitBits: number): number => {
  const steps = BigInt(Math.floor(value));
  const bitLength = steps === 0n ? 0 : steps.toString(2).length;
  const octave = Math.max(0, bitLength - 1 - m - unitBits);
  return octave * 2 ** m + Number(steps >> BigInt(octave + unitBits));
};

describe('index of a value', () => {
  it('is HdrHistogram’s for every power of two and its neighbours', () => {
    for (const digit of [1, 2, 3, 4, 5] as const) {
      for (const [lowest, unitBits] of [
        [1, 0],
        [5, 2],
        [1000, 9],
        [1024, 10],
      ] as const) {
        const layout = new BucketLayout({ digits: digit, lowest, highest: 2 ** 53 });
        for (let bit = 0; bit <= 53; bit++) {
          for (let offset = -2; offset <= 2; offset++) {
            const value = 2 ** bit + offset;
            if (value < 0 || value > Number.MAX_SAFE_INTEGER) continue;
            const want = definition(value, subBucketBits[digit], unitBits);
            expect(layout.indexOf(value), `value=${value} digits=${digit}`).toBe(want);
          }
        }
      }
    }
  });

  it('is HdrHistogram’s for any value', () => {
    fc.assert(
      fc.property(valueBelow(53), digits, fc.integer({ min: 0, max: 20 }), (value, digit, unit) => {
        const layout = new BucketLayout({ digits: digit, lowest: 2 ** unit, highest: 2 ** 53 });
        expect(layout.indexOf(value)).toBe(definition(value, subBucketBits[digit], unit));
      }),
      runs(2000),
    );
  });

  it('lies in a bucket that holds the value and is at most 2^-m of it wide', () => {
    fc.assert(
      fc.property(valueBelow(53), digits, (value, digit) => {
        const layout = new BucketLayout({ digits: digit, highest: 2 ** 53 });
        const index = layout.indexOf(value);
        expect(layout.lowestOf(index)).toBeLessThanOrEqual(value);
        expect(layout.highestOf(index)).toBeGreaterThanOrEqual(value);
        expect(layout.widthOf(index)).toBeLessThanOrEqual(
          Math.max(1, layout.lowestOf(index) / 2 ** subBucketBits[digit]),
        );
      }),
      runs(1000),
    );
  });

  it('covers the range without gap or overlap', () => {
    for (const digit of [1, 2, 3] as const) {
      const layout = new BucketLayout({ digits: digit, lowest: 3, highest: 1e9 });
      for (let index = 0; index + 1 < layout.length; index++) {
        expect(layout.highestOf(index) + 1).toBe(layout.lowestOf(index + 1));
        expect(layout.lowestOf(index) + layout.widthOf(index)).toBe(layout.lowestOf(index + 1));
        expect(layout.indexOf(layout.lowestOf(index))).toBe(index);
        expect(layout.indexOf(layout.highestOf(index))).toBe(index);
        expect(layout.highestStepsOf(index)).toBe(BigInt(layout.highestOf(index)));
        expect(layout.lowestStepsOf(index)).toBe(BigInt(layout.lowestOf(index)));
      }
      expect(layout.highestOf(layout.length - 1)).toBeGreaterThanOrEqual(1e9);
    }
  });
});

describe('fractional units', () => {
  it('splits below 1 as finely as lowest asks for', () => {
    const layout = new BucketLayout({ lowest: 0.001, highest: 3600, digits: 3 });
    expect(layout.step).toBe(2 ** -10);
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 3600, noNaN: true }), (value) => {
        const index = layout.indexOf(value);
        const floored = Math.floor(value / layout.step) * layout.step;
        expect(layout.lowestOf(index)).toBeLessThanOrEqual(floored);
        expect(layout.highestOf(index)).toBeGreaterThanOrEqual(floored);
      }),
      runs(500),
    );
  });
});

describe('options', () => {
  it.each([
    [{ digits: -1 as 1 }],
    [{ digits: 6 as 5 }],
    [{ digits: 2.5 as 2 }],
    [{ lowest: 0 }],
    [{ lowest: -1 }],
    [{ lowest: Number.NaN }],
    [{ lowest: 10, highest: 19 }],
    [{ highest: Number.POSITIVE_INFINITY }],
    [{ highest: 2 ** 64 }],
    [{ step: 0 }],
    [{ lowest: 2 ** 60, highest: 2 ** 62 }],
    [{ lowest: '1' as unknown as number }],
  ])('rejects %j with a typed error', (options) => {
    expect(() => new BucketLayout(options)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION', name: 'HistogramRangeError' }),
    );
  });

  it('takes the whole range of 63 bits', () => {
    const layout = new BucketLayout({ highest: 2n ** 63n - 1n });
    expect(layout.indexOf(2 ** 63)).toBe(layout.length);
    expect(layout.highestStepsOf(layout.length - 1)).toBe(2n ** 63n - 1n);
  });
});
