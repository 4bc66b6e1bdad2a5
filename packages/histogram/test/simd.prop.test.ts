// Goal: a histogram in SIMD memory answers exactly as one in ordinary memory, whatever is counted and however
// often, and no histogram in the same memory is touched by another. Method: the same calls on both, compared.
import { Histogram, type HistogramOptions, SharedHistogram } from '@millrace/histogram';
import { SimdMemory } from '@millrace/histogram/simd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digits, runs, valueBelow } from './support/arbitraries.ts';

/** Values and how often, often near where 32 bits or a block's sum would wrap. */
const entries = fc.array(
  fc.tuple(
    valueBelow(36),
    fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.constantFrom(2 ** 26 - 1, 2 ** 26, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40),
    ),
  ),
  { minLength: 1, maxLength: 60 },
);
const options = fc.record({
  digits: digits.filter((count) => count < 4),
  highest: fc.constantFrom(100, 65_536, 3_600_000_000),
  outOfRange: fc.constantFrom('clamp', 'grow', 'drop'),
}) as fc.Arbitrary<HistogramOptions>;
const percentiles = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), {
  minLength: 1,
  maxLength: 9,
});

const record = (histogram: Histogram, list: readonly (readonly [number, number])[]): void => {
  for (const [value, count] of list) histogram.recordCount(value, count);
};
const same = (one: Histogram, other: Histogram): void => {
  expect(one.equals(other)).toBe(true);
  expect([one.min, one.max, one.countBigInt]).toEqual([other.min, other.max, other.countBigInt]);
};

describe('histograms in SIMD memory', () => {
  it('answer percentiles and add up as others do', () => {
    fc.assert(
      fc.property(options, entries, entries, percentiles, (layout, first, second, levels) => {
        const memory = new SimdMemory({ bytes: 1 << 20 });
        const [a, b] = [new Histogram({ ...layout, memory }), new Histogram({ ...layout, memory })];
        const [x, y] = [new Histogram(layout), new Histogram(layout)];
        record(a, first);
        record(x, first);
        record(b, second);
        record(y, second);
        for (const interpolate of [false, true]) {
          for (const rank of ['java', 'c'] as const) {
            expect(a.percentiles(levels, { interpolate, rank })).toEqual(
              x.percentiles(levels, { interpolate, rank }),
            );
          }
        }
        expect(a.count).toBe(x.count);
        a.add(b);
        x.add(y);
        same(a, x);
        same(b, y);
        expect(a.percentiles(levels)).toEqual(x.percentiles(levels));
        a.add(a);
        x.add(x);
        same(a, x);
        // Between the two kinds of memory.
        b.add(x);
        y.add(a);
        same(b, y);
        a.subtract(x);
        expect(a.isEmpty).toBe(true);
      }),
      runs(150),
    );
  });

  it('never touch one another, whatever is created, grown, copied and freed between', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({ what: fc.constant('create'), layout: options }),
            fc.record({ what: fc.constant('record'), at: fc.nat(20), list: entries }),
            fc.record({ what: fc.constant('add'), at: fc.nat(20), from: fc.nat(20) }),
            fc.record({ what: fc.constant('copy'), at: fc.nat(20) }),
            fc.record({ what: fc.constant('free'), at: fc.nat(20) }),
          ),
          { maxLength: 25 },
        ),
        (steps) => {
          const memory = new SimdMemory({ bytes: 150_000 });
          const pairs: [Histogram, Histogram][] = [];
          for (const step of steps) {
            if (step.what === 'create' || pairs.length === 0) {
              const layout = 'layout' in step ? step.layout : {};
              pairs.push([new Histogram({ ...layout, memory }), new Histogram(layout)]);
              continue;
            }
            const [one, model] = pairs[('at' in step ? step.at : 0) % pairs.length]!;
            if ('list' in step) {
              record(one, step.list);
              record(model, step.list);
            } else if ('from' in step) {
              const [other, otherModel] = pairs[step.from % pairs.length]!;
              one.add(other);
              model.add(otherModel);
            } else if (step.what === 'copy') {
              pairs.push([one.copy(), model.copy()]);
            } else {
              memory.free(one);
              expect(memory.holds(one)).toBe(false);
            }
            for (const [a, b] of pairs) same(a, b);
          }
          for (const [a] of pairs) memory.free(a);
          expect(memory.bytesUsed).toBe(0);
        },
      ),
      runs(100),
    );
  });

  it('go on in ordinary memory when it is full, or where there is no WebAssembly', () => {
    const small = new SimdMemory({ bytes: 140_000 });
    const [one, two] = [new Histogram({ memory: small }), new Histogram({ memory: small })];
    expect([small.holds(one), small.holds(two)]).toEqual([small.isAccelerated, false]);
    const without = new SimdMemory({ wasm: false });
    const three = new Histogram({ memory: without });
    expect([without.isAccelerated, without.holds(three), without.bytesUsed]).toEqual([
      false,
      false,
      0,
    ]);
    for (const histogram of [one, two, three]) histogram.recordMany([5, 6, 7]);
    one.add(two);
    one.add(three);
    expect(one.percentiles([50, 100])).toEqual([6, 7]);
    expect(one.count).toBe(9);
    small.free(one);
    const again = new Histogram({ memory: small });
    expect([small.holds(again), again.isEmpty]).toEqual([small.isAccelerated, true]);
    expect(one.count).toBe(9);
    expect(again.countAt(6)).toBe(0);
  });

  it('take the totals of shared ones', () => {
    const memory = new SimdMemory();
    const shared = SharedHistogram.create({ shards: 1 });
    const total = new Histogram({ memory });
    const recorder = shared.claim();
    for (let value = 1; value <= 1000; value++) recorder.record(value * 1000);
    expect(shared.total(total)).toBe(total);
    expect(memory.holds(total)).toBe(memory.isAccelerated);
    expect(total.percentiles([50, 99])).toEqual(shared.total().percentiles([50, 99]));
  });

  it('are refused a size that makes no sense', () => {
    for (const bytes of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
      expect(() => new SimdMemory({ bytes })).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
      );
    }
  });
});
