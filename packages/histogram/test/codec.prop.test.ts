// Goal: whatever is written is read back, by our own compression and Node's alike. Method: properties.
import * as hooks from 'node:perf_hooks';
import { BucketLayout, type Digits, Histogram, SharedHistogram } from '@millrace/histogram';
import {
  decode,
  decodeBase64,
  decodeNodeCbor,
  encode,
  encodeBase64,
  encodeNodeCbor,
  formatPercentiles,
  LogWriter,
  parsePercentiles,
  readLog,
} from '@millrace/histogram/codec';
import fc from 'fast-check';
import * as hdr from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { digits, filled, runs, values } from './support/arbitraries.ts';

const entries = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 40 }), fc.maxSafeNat()), {
  maxLength: 20,
});

const counted = (list: readonly (readonly [number, number])[], digit: Digits): Histogram => {
  const histogram = new Histogram({ digits: digit });
  for (const [value, count] of list) histogram.recordCount(value, count);
  return histogram;
};

describe('encodings', () => {
  it('give back every count', () => {
    fc.assert(
      fc.property(
        entries,
        digits,
        fc.constantFrom(0, 1, 2),
        fc.boolean(),
        fc.constantFrom('auto', 'own'),
        fc.constantFrom('auto', 'own'),
        (list, digit, version, deflate, writer, reader) => {
          // Fixed words of many digits are megabytes of zeros.
          const few = version < 2 ? (Math.min(digit, 3) as Digits) : digit;
          const histogram = counted(list, few);
          const bytes = encode(histogram, {
            version: version as 0 | 1 | 2,
            deflate,
            zlib: writer as 'auto',
          });
          const back = decode(bytes, { zlib: reader as 'auto' });
          expect(back.equals(histogram)).toBe(true);
          expect(back.layout.length).toBe(histogram.layout.length);
          expect(back.countBigInt).toBe(histogram.countBigInt);
        },
      ),
      runs(150),
    );
  });

  it('give back a histogram that goes on counting anywhere in its range', () => {
    fc.assert(
      fc.property(values, values, values, (before, more, merged) => {
        const back = decode(encode(filled(before)));
        expect(back.length).toBe(new Histogram().length);
        back.recordMany(more);
        back.add(filled(merged));
        const model = filled([...before, ...more, ...merged]);
        expect(back.equals(model)).toBe(true);
        expect([back.count, back.clamped, back.dropped]).toEqual([model.count, 0, 0]);
        const copy = back.copy();
        copy.record(1e15);
        expect([copy.clamped, copy.countAt(3.6e12)]).toEqual([1, 0]);
        expect(copy.countAt(copy.highestTrackable)).toBe(1);
      }),
      runs(50),
    );
    const shared = SharedHistogram.create();
    shared.claim().record(3e12);
    expect(shared.total(decode(encode(filled([1])))).countAt(3e12)).toBe(1);
  });

  it('keep fractional units, as double histograms', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.constantFrom(0.5, 0.001, 1e-9),
        (list, lowest) => {
          const histogram = filled(list, { lowest, highest: 1000 });
          const back = decodeBase64(encodeBase64(histogram));
          expect(back.equals(histogram)).toBe(true);
          expect(back.layout.step).toBe(histogram.layout.step);
        },
      ),
      runs(100),
    );
  });

  it('stay within the limit on buckets that the reader sets', () => {
    const bytes = encode(new Histogram({ digits: 5 }));
    expect(() => decode(bytes, { bucketsMax: 100_000 })).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_LIMIT', name: 'HistogramFormatError' }),
    );
  });

  it('can’t hold a double histogram in version 0, nor one wider than Java’s', () => {
    expect(() => encode(new Histogram({ lowest: 0.5 }), { version: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_FORMAT' }),
    );
    const wide = new Histogram({ lowest: 2 ** -20, highest: 2 ** 42, digits: 5 });
    expect(() => encode(wide)).toThrow(expect.objectContaining({ code: 'ERR_HISTOGRAM_LIMIT' }));
  });
});

describe('hdr-histogram-js', () => {
  it('reads what we write, and is read', () => {
    fc.assert(
      fc.property(values, fc.constantFrom<Digits>(1, 2, 3), (list, digit) => {
        const mine = filled(list, { digits: digit });
        const theirs = hdr.decodeFromCompressedBase64(encodeBase64(mine), 64);
        expect(theirs.totalCount).toBe(mine.count);
        for (const percentile of [50, 90, 99]) {
          expect(mine.layout.highestOf(mine.layout.indexOf(mine.percentile(percentile)))).toBe(
            theirs.getValueAtPercentile(percentile),
          );
        }
        const built = hdr.build({
          lowestDiscernibleValue: 1,
          highestTrackableValue: 3.6e12,
          numberOfSignificantValueDigits: digit as 1 | 2 | 3,
          bitBucketSize: 32,
        });
        for (const value of list) built.recordValue(value);
        expect(decodeBase64(hdr.encodeIntoCompressedBase64(built)).equals(mine)).toBe(true);
      }),
      runs(30),
    );
  });
});

describe('Node’s CBOR', () => {
  it('gives back every count, and the exact range', () => {
    fc.assert(
      fc.property(values, fc.constantFrom<Digits>(1, 2, 3, 4, 5), (list, digit) => {
        const histogram = filled(list, { digits: digit });
        const back = decodeNodeCbor(encodeNodeCbor(histogram));
        expect(back.equals(histogram)).toBe(true);
        expect([back.min, back.max]).toEqual([histogram.min, histogram.max]);
      }),
      runs(50),
    );
    expect(decodeNodeCbor(encodeNodeCbor(new Histogram())).isEmpty).toBe(true);
    const large = new Histogram();
    large.recordCount(3, 2 ** 52);
    expect(decodeNodeCbor(encodeNodeCbor(large)).equals(large)).toBe(true);
  });

  it('reads what Node 26 exported', () => {
    // createHistogram({ lowest: 1, highest: 1e6, figures: 2 }) after 1, 5, 5, 300, 70000, 900000.
    const hex =
      'ab00010101021a000f4240030204060501061a000dbba0070008fb3ff0000000000000091907000a8a01010402190111011903f2011901d301';
    const histogram = decodeNodeCbor(Buffer.from(hex, 'hex'));
    const model = filled([1, 5, 5, 300, 70_000, 900_000], { digits: 2, highest: 1e6 });
    expect(histogram.equals(model)).toBe(true);
    expect([histogram.min, histogram.max]).toEqual([1, 900_000]);
    expect(Buffer.from(encodeNodeCbor(model)).toString('hex')).toBe(hex);
  });

  const { importHistogram } = hooks as unknown as {
    importHistogram?: (bytes: Uint8Array) => {
      count: number;
      percentile(percentile: number): number;
    };
  };
  it.skipIf(importHistogram === undefined)('is imported by this Node', () => {
    fc.assert(
      fc.property(values, (list) => {
        const histogram = filled(list);
        const node = importHistogram!(encodeNodeCbor(histogram));
        expect(node.count).toBe(list.length);
        for (const percentile of [50, 99]) {
          const mine = histogram.percentile(percentile, { rank: 'c' });
          // Node takes 0 for nothing.
          const bucket = histogram.layout.indexOf(node.percentile(percentile));
          expect(bucket).toBe(histogram.layout.indexOf(mine));
        }
      }),
      runs(20),
    );
  });

  it('refuses what Node can’t have', () => {
    expect(() => encodeNodeCbor(new Histogram({ lowest: 0.5 }))).toThrow(
      expect.objectContaining({ name: 'HistogramFormatError' }),
    );
  });
});

describe('texts', () => {
  it('keep the percentiles', () => {
    fc.assert(
      fc.property(values, fc.boolean(), (list, csv) => {
        const histogram = filled(list);
        const { lines } = parsePercentiles(formatPercentiles(histogram, { csv }));
        expect(lines.at(-1)).toMatchObject({ share: 1, cumulativeCount: list.length });
        for (const { share, value } of lines) {
          if (share > 0 && share < 1) {
            expect(histogram.layout.indexOf(value)).toBe(
              histogram.layout.indexOf(histogram.percentile(share * 100)),
            );
          }
        }
      }),
      runs(50),
    );
  });

  it('say where a line is wrong', () => {
    expect(() => parsePercentiles('Value Percentile\n1 0.5 3 2\nnonsense\n')).toThrow(/line 3/);
  });

  it('keep logs, with or without tags', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(values, fc.boolean()), { maxLength: 5 }), (list) => {
        const writer = new LogWriter({ startTimeSeconds: 1e9, comments: ['[a test]'] });
        let text = writer.header();
        for (const [i, [content, tagged]] of list.entries()) {
          text += writer.entry({
            startTimeSeconds: 1e9 + i,
            lengthSeconds: 1,
            histogram: filled(content),
            ...(tagged ? { tag: `t${i}` } : {}),
          });
        }
        const intervals = [...readLog(text)];
        expect(intervals).toHaveLength(list.length);
        for (const [i, interval] of intervals.entries()) {
          expect(interval.startTimeSeconds).toBe(1e9 + i);
          expect(interval.tag).toBe(list[i]![1] ? `t${i}` : undefined);
          expect(interval.histogram().equals(filled(list[i]![0]))).toBe(true);
        }
      }),
      runs(20),
    );
  });

  it('refuse tags and comments that would break the log', () => {
    expect(() => new LogWriter({ comments: ['a\nb'] }).header()).toThrow(
      expect.objectContaining({ name: 'HistogramFormatError' }),
    );
    const histogram = new Histogram();
    for (const tag of ['', 'a,b', 'a b', 'a\n']) {
      expect(() =>
        new LogWriter().entry({ startTimeSeconds: 1, lengthSeconds: 1, tag, histogram }),
      ).toThrow(expect.objectContaining({ name: 'HistogramFormatError' }));
    }
  });

  it('throw at malformed lines, or hand them over', () => {
    const good = new LogWriter({ startTimeSeconds: 5 });
    const line = good.entry({ startTimeSeconds: 6, lengthSeconds: 1, histogram: filled([3]) });
    const text = `${good.header()}${line}Tag=x,7.1a3,1,1,HIST\n${line.slice(0, 9)}`;
    expect(() => [...readLog(text)]).toThrow(/line 5/);
    const malformed: number[] = [];
    const intervals = [
      ...readLog(text, { onMalformedLine: (_, number) => malformed.push(number) }),
    ];
    expect(intervals).toHaveLength(1);
    expect(malformed).toEqual([5, 6]);
    // A damaged histogram is found when it is asked for.
    const [damaged] = readLog('1,1,1,HISTFAAAAEJ42p\n');
    expect(() => damaged!.histogram()).toThrow(
      expect.objectContaining({ name: 'HistogramFormatError' }),
    );
  });
});

describe('a layout', () => {
  it('is the same after a round trip', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 2, max: 2 ** 30 }),
        (lowest, factor) => {
          const layout = new BucketLayout({ lowest, highest: lowest * factor, digits: 2 });
          const back = decode(encode(new Histogram(layout))).layout;
          expect({ ...back }).toEqual({ ...layout });
        },
      ),
      runs(100),
    );
  });
});
