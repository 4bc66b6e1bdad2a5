/** The histograms whose encodings HdrHistogram for Java has read; see scripts/make-java-vectors.mjs. */
import { Histogram, type HistogramOptions } from '@millrace/histogram';
import { encodeBase64, LogWriter } from '@millrace/histogram/codec';

export interface OurEncoding {
  readonly id: string;
  readonly base64: string;
}

/** Log-uniform values from 1 to 2^bits, the same each time. */
const fill = (options: HistogramOptions, count: number, bits: number, scale = 1): Histogram => {
  const histogram = new Histogram(options);
  let state = 12_345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    histogram.record(2 ** ((state / 2 ** 32) * bits) * scale);
  }
  return histogram;
};

export const ourHistograms = (): Record<string, Histogram> => {
  const huge = new Histogram({ digits: 3, highest: 3.6e9 });
  for (let i = 0; i < 128; i++) huge.recordCount(100, 2 ** 53 - 1);
  huge.recordCount(7, 2 ** 32 + 5);
  const grown = new Histogram({ highest: 1000, outOfRange: 'grow' });
  grown.record(5);
  grown.record(1e12);
  const far = new Histogram({ highest: 2n ** 63n - 1n });
  far.recordBigInt(2n ** 62n);
  far.record(1);
  return {
    'digits-0': fill({ digits: 0 }, 500, 34),
    'digits-1': fill({ digits: 1 }, 500, 34),
    'digits-2': fill({ digits: 2 }, 1000, 34),
    'digits-3': fill({ digits: 3 }, 1000, 34),
    'digits-4': fill({ digits: 4 }, 1000, 34),
    'digits-5': fill({ digits: 5 }, 1000, 34),
    'unit-1000': fill({ lowest: 1000 }, 1000, 38),
    empty: new Histogram(),
    huge,
    grown,
    far,
  };
};

export const ourDoubles = (): Record<string, Histogram> => ({
  'double-seconds': fill({ lowest: 1e-9, highest: 3600 }, 1000, 30, 1e-9),
  'double-milliseconds': fill({ lowest: 0.001, highest: 60_000, digits: 2 }, 500, 20, 0.01),
  'double-wide-step': fill({ lowest: 4, highest: 1e6, step: 0.5 }, 500, 18),
});

/** Every histogram in every form; deflated by our own deflate, so that the bytes depend on nothing else. */
export function* ours(): IterableIterator<OurEncoding> {
  for (const [id, histogram] of Object.entries(ourHistograms())) {
    // Fixed words of five digits would be megabytes.
    for (const version of id === 'digits-5' || id === 'digits-4' || id === 'far'
      ? ([2] as const)
      : ([0, 1, 2] as const)) {
      for (const deflate of version === 2 ? [false, true] : [true]) {
        const base64 = encodeBase64(histogram, { version, deflate, zlib: 'own' });
        yield { id: `${id}-v${version}${deflate ? '-deflated' : ''}`, base64 };
      }
    }
  }
  for (const [id, histogram] of Object.entries(ourDoubles())) {
    for (const deflate of [false, true]) {
      const base64 = encodeBase64(histogram, { deflate, zlib: 'own' });
      yield { id: `${id}${deflate ? '-deflated' : ''}`, base64 };
    }
  }
}

/** A log with and without tags, relative to a base time. */
export const ourLog = (): string => {
  const writer = new LogWriter({
    startTimeSeconds: 1_700_000_000.5,
    baseTimeSeconds: 1_700_000_000,
    comments: ['[Written by @millrace/histogram]'],
    zlib: 'own',
  });
  let text = writer.header();
  for (let i = 0; i < 3; i++) {
    text += writer.entry({
      startTimeSeconds: 1_700_000_000.5 + i,
      lengthSeconds: 1,
      ...(i === 1 ? { tag: 'middle' } : {}),
      histogram: fill({ digits: 2 }, 100 * (i + 1), 30),
    });
  }
  return text;
};
