/**
 * Cost of questions, merging, encoding: 200,000 log-normal values, 3 digits, 1 ns to 1 h, 33,792 buckets.
 *
 * Measured: whole calls, answers included. Ours answers percentiles from `min` to `max`; so do the peers.
 */
import { createHistogram } from 'node:perf_hooks';
import { DDSketch } from '@datadog/sketches-js';
import { FrozenHistogram, Histogram, measureClock } from '@millrace/histogram';
import {
  decode,
  decodeBase64,
  encode,
  encodeBase64,
  HistogramFormatError,
} from '@millrace/histogram/codec';
import { SimdMemory } from '@millrace/histogram/simd';
import * as hdr from 'hdr-histogram-js';
import tdigest from 'tdigest';
import type { Contender, Row } from '../harness/row.ts';
import { HIGHEST, lognormal, PERCENTILES, random, sample } from './data.ts';

const values = lognormal(200_000, 11);
hdr.initWebAssemblySync();

const filled = (): Histogram => {
  const histogram = new Histogram({ highest: HIGHEST, digits: 3 });
  histogram.recordMany(values);
  return histogram;
};
const filledHdr = (useWebAssembly: boolean): hdr.Histogram => {
  const histogram = hdr.build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
    bitBucketSize: 32,
    useWebAssembly,
  });
  for (const value of values) histogram.recordValue(value);
  return histogram;
};
const filledNode = () => {
  const histogram = createHistogram({ lowest: 1, highest: HIGHEST, figures: 3 });
  for (const value of values) histogram.record(value);
  return histogram;
};
const filledSketch = (): DDSketch => {
  const sketch = new DDSketch({ relativeAccuracy: 0.001 });
  for (const value of values) sketch.accept(value);
  return sketch;
};

const filledDigest = () => {
  const digest = new tdigest.TDigest();
  for (const value of values) digest.push(value);
  return digest;
};
/** Two in the same memory. */
const filledSimd = (): [Histogram, Histogram] => {
  const memory = new SimdMemory();
  return [0, 1].map(() => {
    const histogram = new Histogram({ highest: HIGHEST, digits: 3, memory });
    histogram.recordMany(values);
    return histogram;
  }) as [Histogram, Histogram];
};
const withoutSimd = (): string | undefined =>
  new SimdMemory({ bytes: 1 }).isAccelerated ? undefined : 'no WebAssembly SIMD';

/** Microseconds per call, after 200 calls of warm-up. */
const microseconds = (create: () => () => unknown): Contender => {
  let work: (() => unknown) | undefined;
  return () => {
    if (work === undefined) {
      work = create();
      for (let i = 0; i < 200; i++) work();
    }
    const call = work;
    return sample(() => void call(), 1) / 1000;
  };
};

const absolute = (
  name: string,
  ours: Contender,
  bar: number,
  peers: Record<string, Contender> = {},
): Row => ({
  name,
  kind: 'absolute',
  unit: 'us',
  better: 'lower',
  ours,
  bar,
  peers,
});

const eightOf = (percentile: (percentile: number) => unknown) => () => {
  for (const level of PERCENTILES) percentile(level);
};

const nodeEight = microseconds(() => {
  const histogram = filledNode();
  return eightOf((level) => histogram.percentile(level));
});
/** Few centroids, hence fast, and no bound on the error of a value: see the row of the worst error. */
const digestEight = microseconds(() => {
  const digest = filledDigest();
  const shares = PERCENTILES.map((level) => level / 100);
  return () => digest.percentile(shares);
});

const encoded = encodeBase64(filled());
const theirs = hdr.encodeIntoCompressedBase64(filledHdr(false));

/** Longest time for one damaged input out of many (us), each input tried three times, the fastest counted. */
const worstDamaged = (): number => {
  const next = random(5);
  const seed = encode(filled());
  let worst = 0;
  for (let i = 0; i < 3000; i++) {
    const bytes = Uint8Array.from(seed);
    for (let j = 0; j < 3; j++)
      bytes[Math.floor(next() * (j === 0 ? 60 : bytes.length))] = Math.floor(next() * 256);
    let best = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3; attempt++) {
      const start = performance.now();
      try {
        decode(bytes);
      } catch (error) {
        if (!(error instanceof HistogramFormatError)) throw error;
      }
      best = Math.min(best, performance.now() - start);
    }
    worst = Math.max(worst, best);
  }
  return worst;
};

export const queryRows: readonly Row[] = [
  absolute(
    '8 percentiles, JS',
    microseconds(() => {
      const histogram = filled();
      return () => histogram.percentiles(PERCENTILES);
    }),
    9,
    {
      'hdr-histogram-js JS': microseconds(() => {
        const histogram = filledHdr(false);
        return eightOf((level) => histogram.getValueAtPercentile(level));
      }),
      'hdr-histogram-js WASM': microseconds(() => {
        const histogram = filledHdr(true);
        return eightOf((level) => histogram.getValueAtPercentile(level));
      }),
      createHistogram: nodeEight,
      tdigest: digestEight,
      DDSketch: microseconds(() => {
        const sketch = filledSketch();
        return eightOf((level) => sketch.getValueAtQuantile(level / 100));
      }),
    },
  ),
  {
    ...absolute(
      '8 percentiles, SIMD',
      microseconds(() => {
        const [histogram] = filledSimd();
        return () => histogram.percentiles(PERCENTILES);
      }),
      1.6,
      { createHistogram: nodeEight, tdigest: digestEight },
    ),
    unavailable: withoutSimd,
  },
  absolute(
    '8 percentiles, frozen',
    microseconds(() => {
      const frozen = new FrozenHistogram(filled());
      return () => frozen.percentiles(PERCENTILES);
    }),
    0.2,
  ),
  absolute(
    'merge of 33,792 buckets, a third of them between min and max, JS',
    microseconds(() => {
      const sum = filled();
      const other = filled();
      return () => sum.add(other);
    }),
    30,
    {
      'hdr-histogram-js JS': microseconds(() => {
        const sum = filledHdr(false);
        const other = filledHdr(false);
        return () => sum.add(other);
      }),
      createHistogram: microseconds(() => {
        const sum = filledNode();
        const other = filledNode();
        return () => sum.add(other);
      }),
    },
  ),
  {
    ...absolute(
      'merge of 33,792 buckets, from the first to the last, SIMD',
      microseconds(() => {
        const pair = filledSimd();
        for (const histogram of pair) histogram.recordMany([0, HIGHEST]);
        return () => pair[0].add(pair[1]);
      }),
      3,
      {
        'the same in JS': microseconds(() => {
          const pair = [filled(), filled()] as const;
          for (const histogram of pair) histogram.recordMany([0, HIGHEST]);
          return () => pair[0].add(pair[1]);
        }),
      },
    ),
    unavailable: withoutSimd,
  },
  {
    name: 'V2 base64 encode vs hdr-histogram-js',
    kind: 'comparison',
    unit: 'us',
    better: 'lower',
    ours: microseconds(() => {
      const histogram = filled();
      return () => encodeBase64(histogram);
    }),
    peers: {
      'hdr-histogram-js': microseconds(() => {
        const histogram = filledHdr(false);
        return () => hdr.encodeIntoCompressedBase64(histogram);
      }),
    },
    bar: 1.82,
    stretch: 2.5,
  },
  {
    name: 'V2 base64 decode vs hdr-histogram-js',
    kind: 'comparison',
    unit: 'us',
    better: 'lower',
    ours: microseconds(() => () => decodeBase64(encoded)),
    peers: {
      'hdr-histogram-js': microseconds(() => () => hdr.decodeFromCompressedBase64(theirs, 32)),
    },
    bar: 1.82,
    stretch: 2.5,
  },
  {
    name: 'V2 base64 size vs hdr-histogram-js',
    kind: 'comparison',
    unit: 'characters',
    better: 'lower',
    rounds: 3,
    ours: () => encoded.length,
    peers: { 'hdr-histogram-js': () => theirs.length },
    bar: 1,
  },
  {
    name: 'longest time for a damaged encoding, of 3,000',
    kind: 'absolute',
    unit: 'ms',
    better: 'lower',
    rounds: 3,
    ours: worstDamaged,
    bar: 5,
  },
  {
    name: 'clock: performance.now through nowNanoseconds',
    kind: 'absolute',
    unit: 'ns/call',
    better: 'lower',
    ours: () => measureClock().costNanoseconds,
    bar: 60,
    peers: { 'step between two readings': () => measureClock().resolutionNanoseconds },
  },
];
