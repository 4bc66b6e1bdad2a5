// Goal: HdrHistogram for Java and this package read one another's encodings, texts and logs, to the last bit.
// Method: vectors that the Java library wrote and read (scripts/make-java-vectors.mjs), both directions.
import { readFileSync } from 'node:fs';
import type { Histogram } from '@millrace/histogram';
import {
  decode,
  decodeBase64,
  encode,
  formatPercentiles,
  parsePercentiles,
  readLog,
} from '@millrace/histogram/codec';
import { describe, expect, it } from 'vitest';
import { bucketHash } from './support/bucket-hash.ts';
import { ourLog, ours } from './support/our-encodings.ts';

interface Facts {
  readonly lowest: string;
  readonly highest: string;
  readonly digits: number;
  readonly count: string;
  readonly min: string;
  readonly max: string;
  readonly mean: number;
  readonly standardDeviation: number;
  readonly buckets: number;
  readonly hash: string;
  readonly percentiles: readonly string[];
}
interface Vector extends Facts {
  readonly kind: 'integer' | 'double' | 'distribution' | 'log';
  readonly id: string;
  readonly base64: string;
  readonly ticks: number;
  readonly scale: number;
  readonly csv: boolean;
  readonly text: string;
}
const {
  byJava,
  byUs,
  ourLog: ourLogRead,
} = JSON.parse(readFileSync(new URL('./fixtures/java-vectors.json', import.meta.url), 'utf8')) as {
  byJava: readonly Vector[];
  byUs: readonly { id: string; base64: string; read: Facts }[];
  ourLog: {
    text: string;
    read: readonly (Facts & { tag: string | null; start: string; end: string })[];
  };
};

const PERCENTILES = [0, 1, 5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.9, 99.99, 99.999, 100];

const near = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(Math.abs(expected) * 1e-9);
};

/** Compares with what Java found; it reports zeros where nothing was counted. */
const expectFacts = (histogram: Histogram, facts: Facts): void => {
  const { layout } = histogram;
  expect(String(layout.lowestSteps)).toBe(facts.lowest);
  expect(layout.digits).toBe(facts.digits);
  expect(Math.min(layout.highest, 2 ** 63)).toBe(Number(facts.highest));
  expect(String(histogram.countBigInt)).toBe(facts.count);
  expect(bucketHash(histogram)).toEqual({ hash: facts.hash, buckets: facts.buckets });
  if (histogram.isEmpty) return;
  expect(histogram.min).toBe(Number(facts.min));
  expect(histogram.max).toBe(Number(facts.max));
  near(histogram.mean, facts.mean);
  near(histogram.standardDeviation, facts.standardDeviation);
  for (const [i, value] of histogram.percentiles(PERCENTILES).entries()) {
    expect(value, `percentile=${PERCENTILES[i]}`).toBe(Number(facts.percentiles[i]));
  }
};

const expectDoubleFacts = (histogram: Histogram, facts: Facts): void => {
  expect(histogram.layout.digits).toBe(facts.digits);
  expect(String(histogram.countBigInt)).toBe(facts.count);
  expect(histogram.min).toBe(facts.min);
  near(histogram.mean, facts.mean);
  for (const [i, value] of histogram.percentiles(PERCENTILES).entries()) {
    near(value, Number(facts.percentiles[i]));
  }
};

const vectors = (kind: Vector['kind']): [string, Vector][] =>
  byJava.filter((vector) => vector.kind === kind).map((vector) => [vector.id, vector]);

describe('an encoding by Java', () => {
  it.each(vectors('integer'))('of integers is read: %s', (_, vector) => {
    for (const zlib of ['auto', 'own'] as const) {
      expectFacts(decodeBase64(vector.base64, { zlib }), vector);
    }
  });

  it.each(vectors('double'))('of doubles is read: %s', (_, vector) => {
    expectDoubleFacts(decodeBase64(vector.base64), vector);
  });

  it.each(vectors('integer'))(
    'keeps its buckets through every encoding of ours: %s',
    (_, vector) => {
      const histogram = decodeBase64(vector.base64);
      for (const version of [0, 1, 2] as const) {
        if (version < 2 && histogram.layout.digits > 3) continue;
        for (const deflate of [true, false]) {
          expect(decode(encode(histogram, { version, deflate })).equals(histogram)).toBe(true);
        }
      }
    },
  );

  it('is written by us byte for byte, before deflating', () => {
    for (const [, vector] of vectors('integer')) {
      // A shifted histogram says so in its header; ours is written without the shift.
      if (vector.id === 'shifted' || vector.id === 'bare') continue;
      const theirs = decodeBase64(vector.base64);
      const again = encode(theirs, { deflate: false });
      const java = decodeInner(vector.base64);
      expect(Buffer.from(again).toString('hex'), vector.id).toBe(Buffer.from(java).toString('hex'));
    }
  });
});

/** The bare encoding inside a deflated one. */
const decodeInner = (base64: string): Uint8Array => {
  const zlib = process.getBuiltinModule('node:zlib');
  return zlib.inflateSync(Buffer.from(base64, 'base64').subarray(8));
};

describe('an encoding by us', () => {
  it('is still what Java has read', () => {
    expect([...ours()]).toEqual(byUs.map(({ id, base64 }) => ({ id, base64 })));
  });

  it.each(byUs.map((vector) => [vector.id, vector] as const))(
    'is read by Java: %s',
    (id, vector) => {
      const histogram = decodeBase64(vector.base64);
      if (id.startsWith('double')) expectDoubleFacts(histogram, vector.read);
      else expectFacts(histogram, vector.read);
    },
  );
});

describe('a percentile distribution', () => {
  it.each(vectors('distribution'))('is written as Java writes it: %s', (_, vector) => {
    const histogram = decodeBase64(vector.base64);
    const text = formatPercentiles(histogram, {
      ticksPerHalfDistance: vector.ticks,
      valueScale: vector.scale,
      csv: vector.csv,
    });
    expect(text).toBe(vector.text);
  });

  it.each(vectors('distribution'))('is read: %s', (_, vector) => {
    const { lines, count } = parsePercentiles(vector.text);
    const histogram = decodeBase64(vector.base64);
    if (!vector.csv) expect(count).toBe(histogram.count);
    expect(lines.at(-1)?.cumulativeCount ?? 0).toBe(histogram.count);
    for (const { value, share, cumulativeCount } of lines) {
      const exact = histogram.percentile(share * 100) / vector.scale;
      if (share > 0) expect(Math.abs(value - exact)).toBeLessThanOrEqual(0.06);
      expect(cumulativeCount).toBeLessThanOrEqual(histogram.count);
    }
  });
});

describe('a log', () => {
  it('by Java is read, with its tags and base time', () => {
    const [, log] = vectors('log')[0]!;
    const intervals = [...readLog(log.text)];
    expect(intervals.map(({ tag }) => tag)).toEqual([undefined, 'odd', undefined, 'odd']);
    for (const [i, interval] of intervals.entries()) {
      expect(interval.startTimeSeconds).toBeCloseTo(1_700_000_000.25 + i, 6);
      expect(interval.lengthSeconds).toBe(1);
      const histogram = interval.histogram();
      expect(histogram.count).toBe(200);
      expect(histogram.max / 1e6).toBeCloseTo(interval.max, 2);
    }
    expect([...readLog(log.text, { tag: 'odd' })]).toHaveLength(2);
    expect([...readLog(log.text, { tag: null })]).toHaveLength(2);
  });

  it('by us is read by Java', () => {
    expect(ourLog()).toBe(ourLogRead.text);
    const intervals = [...readLog(ourLog())];
    expect(ourLogRead.read).toHaveLength(intervals.length);
    for (const [i, interval] of intervals.entries()) {
      const facts = ourLogRead.read[i]!;
      expect(facts.tag).toBe(interval.tag ?? null);
      expect(Number(facts.start)).toBeCloseTo(interval.startTimeSeconds * 1000, 0);
      expect(Number(facts.end) - Number(facts.start)).toBe(interval.lengthSeconds * 1000);
      expectFacts(interval.histogram(), facts);
    }
  });
});
