// Goal: hostile input ends in a typed error, within bounded memory and time. Method: mutations of valid
// encodings, also with the damage inside the compressed part, and random bytes. FC_RUNS=100 makes 10^6 of
// them (npm run test:deep).
import { readFileSync } from 'node:fs';
import zlib from 'node:zlib';
import { Histogram } from '@millrace/histogram';
import {
  decode,
  decodeBase64,
  decodeNodeCbor,
  encode,
  encodeNodeCbor,
  HistogramFormatError,
  parsePercentiles,
  readLog,
} from '@millrace/histogram/codec';
import { describe, expect, it } from 'vitest';
import { runs } from './support/arbitraries.ts';

const { byJava } = JSON.parse(
  readFileSync(new URL('./fixtures/java-vectors.json', import.meta.url), 'utf8'),
) as { byJava: readonly { kind: string; base64: string; text: string }[] };

let state = Number(process.env['FC_SEED'] ?? 1) >>> 0;
const random = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

/** Damages bytes: flips, overwrites, cuts, repeats. */
const mutate = (bytes: Uint8Array): Uint8Array => {
  let result = Uint8Array.from(bytes);
  for (let i = random(4); i >= 0; i--) {
    if (result.length === 0) return result;
    const at = random(result.length);
    const kind = random(6);
    if (kind === 0) result[at]! ^= 1 << random(8);
    else if (kind === 1) result[at] = [0, 1, 127, 128, 255][random(5)]!;
    else if (kind === 2) result[random(Math.min(48, result.length))] = random(256);
    else if (kind === 3) result = result.slice(0, at);
    else if (kind === 4) result.copyWithin(at, random(result.length), random(result.length));
    else for (let j = at; j < Math.min(result.length, at + 9); j++) result[j] = 255;
  }
  return result;
};

/** Runs a decoder on hostile input; anything but a result or the typed error fails the test. */
const attempt = (work: () => unknown): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof HistogramFormatError)) throw error;
    return false;
  }
};

const deflated = (bare: Uint8Array): Uint8Array => {
  const content = zlib.deflateSync(bare, { level: 1 });
  const bytes = Buffer.alloc(8 + content.length);
  bytes.writeInt32BE(0x1c849314);
  bytes.writeInt32BE(content.length, 4);
  bytes.set(content, 8);
  return bytes;
};

const seeds = byJava
  .filter(({ kind, base64 }) => kind !== 'log' && base64.length < 3000)
  .map(({ base64 }) => new Uint8Array(Buffer.from(base64, 'base64')));
const bares = seeds.flatMap((seed) => {
  const histogram = decode(seed);
  return histogram.layout.step === 1 && histogram.layout.digits < 4
    ? [encode(histogram, { deflate: false })]
    : [];
});
const { numRuns } = runs(2500);

describe('damaged encodings', () => {
  it.each(['auto', 'own'] as const)('are read or refused, deflated (zlib: %s)', (choice) => {
    for (let i = 0; i < numRuns; i++) {
      const bytes = mutate(seeds[random(seeds.length)]!);
      attempt(() => decode(bytes, { zlib: choice }));
    }
  });

  it('are read or refused, bare or damaged before deflating', () => {
    let read = 0;
    for (let i = 0; i < numRuns; i++) {
      const bare = mutate(bares[random(bares.length)]!);
      const bytes = i % 4 === 0 ? deflated(bare) : bare;
      let histogram: Histogram | undefined;
      if (attempt(() => (histogram = decode(bytes)))) {
        // What was read is consistent: written and read again, it is the same.
        read++;
        if (i % 16 === 0 && histogram!.length < 100_000) {
          expect(decode(encode(histogram!)).equals(histogram!)).toBe(true);
          histogram!.percentiles([0, 50, 100]);
        }
      }
    }
    expect(read).toBeGreaterThan(0);
  });

  it('are read or refused as Node’s CBOR', () => {
    const histogram = new Histogram({ digits: 2 });
    for (let i = 0; i < 100; i++) histogram.record(random(2 ** 30));
    const seed = encodeNodeCbor(histogram);
    for (let i = 0; i < numRuns; i++) {
      const bytes = mutate(seed);
      attempt(() => decodeNodeCbor(bytes));
    }
  });

  it('are read or refused as text', () => {
    const texts = byJava.filter(({ kind }) => kind === 'distribution' || kind === 'log');
    for (let i = 0; i < numRuns / 10; i++) {
      const { text } = texts[random(texts.length)]!;
      const damaged = Buffer.from(mutate(Buffer.from(text))).toString('latin1');
      attempt(() => parsePercentiles(damaged));
      attempt(() => {
        for (const interval of readLog(damaged)) interval.histogram();
      });
      attempt(() => decodeBase64(damaged));
    }
  });

  it('are refused as random bytes', () => {
    for (let i = 0; i < numRuns; i++) {
      const bytes = Uint8Array.from({ length: random(200) }, () => random(256));
      expect(attempt(() => decode(bytes))).toBe(false);
      attempt(() => decodeNodeCbor(bytes));
    }
  });
});

describe('what must be refused', () => {
  const bare = encode(
    (() => {
      const histogram = new Histogram({ highest: 3.6e9 });
      for (let i = 0; i < 500; i++) histogram.record(random(1e9));
      return histogram;
    })(),
    { deflate: false },
  );
  const patched = (patch: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
    const bytes = Uint8Array.from(bare);
    patch(new DataView(bytes.buffer), bytes);
    return bytes;
  };
  const withCounts = (counts: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(40 + counts.length);
    bytes.set(bare.subarray(0, 40));
    bytes.set(counts, 40);
    new DataView(bytes.buffer).setInt32(4, counts.length);
    return bytes;
  };
  const cases: [string, Uint8Array, string][] = [
    ['nothing', new Uint8Array(0), 'ERR_HISTOGRAM_TRUNCATED'],
    ['four bytes', bare.subarray(0, 4), 'ERR_HISTOGRAM_TRUNCATED'],
    ['an unknown cookie', patched((view) => view.setInt32(0, 0x12345678)), 'ERR_HISTOGRAM_FORMAT'],
    ['a negative length', patched((view) => view.setInt32(4, -5)), 'ERR_HISTOGRAM_FORMAT'],
    [
      'a length beyond the input',
      patched((view) => view.setInt32(4, 1e6)),
      'ERR_HISTOGRAM_TRUNCATED',
    ],
    ['9 digits', patched((view) => view.setInt32(12, 9)), 'ERR_HISTOGRAM_FORMAT'],
    ['negative digits', patched((view) => view.setInt32(12, -1)), 'ERR_HISTOGRAM_FORMAT'],
    ['a lowest of 0', patched((view) => view.setBigInt64(16, 0n)), 'ERR_HISTOGRAM_FORMAT'],
    ['a range of 1', patched((view) => view.setBigInt64(24, 1n)), 'ERR_HISTOGRAM_FORMAT'],
    ['a cut end', bare.subarray(0, bare.length - 60), 'ERR_HISTOGRAM_TRUNCATED'],
    ['a run past the end', withCounts([0xff, 0xff, 0xff, 0xff, 0x0f]), 'ERR_HISTOGRAM_FORMAT'],
    [
      'an endless run',
      withCounts([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      'ERR_HISTOGRAM_FORMAT',
    ],
    ['a number that is cut off', withCounts([2, 0x80]), 'ERR_HISTOGRAM_TRUNCATED'],
    ['too many counts', withCounts(new Array(30_000).fill(2)), 'ERR_HISTOGRAM_FORMAT'],
    [
      'deflated nonsense',
      new Uint8Array([0x1c, 0x84, 0x93, 0x14, 0, 0, 0, 2, 1, 2]),
      'ERR_HISTOGRAM_FORMAT',
    ],
  ];
  it.each(cases)('is refused: %s', (_, bytes, code) => {
    expect(() => decode(bytes)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused although it inflates to gigabytes', () => {
    const bomb = Buffer.concat([bare, new Uint8Array(1 << 24)]);
    for (const choice of ['auto', 'own'] as const) {
      expect(() => decode(deflated(bomb), { zlib: choice })).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_LIMIT' }),
      );
    }
  });
});
