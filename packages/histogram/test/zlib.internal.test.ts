// Goal: our inflate and deflate are zlib's, and our base64 is Node's. Method: differential, both directions.
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  base64ToBytes,
  base64ToBytesPortable,
  bytesToBase64,
  bytesToBase64Portable,
} from '../src/codec/base64.ts';
import { deflate } from '../src/codec/deflate.ts';
import { adler32, inflate } from '../src/codec/inflate.ts';
import { runs } from './support/arbitraries.ts';

const LIMIT = 1 << 20;

/** Bytes with runs and repeats at all distances, as encodings have them. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 2000 }))
        .map(([byte, count]) => new Uint8Array(count).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 300 }))
        .map(([piece, count]) =>
          Uint8Array.from({ length: piece.length * count }, (_, i) => piece[i % piece.length]!),
        ),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)));

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

describe('inflate', () => {
  it('reads what zlib writes, at any level and strategy', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom(
          zlib.constants.Z_DEFAULT_STRATEGY,
          zlib.constants.Z_FIXED,
          zlib.constants.Z_HUFFMAN_ONLY,
          zlib.constants.Z_RLE,
        ),
        (data, level, strategy) => {
          expect(hex(inflate(zlib.deflateSync(data, { level, strategy }), LIMIT))).toBe(hex(data));
        },
      ),
      runs(300),
    );
  });

  it('returns the head alone when that is asked for', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 300 }), (data, count) => {
        const head = inflate(zlib.deflateSync(data), count, true);
        expect(hex(head)).toBe(hex(data.subarray(0, count)));
      }),
      runs(100),
    );
  });

  it('stops at its limit', () => {
    const bomb = zlib.deflateSync(new Uint8Array(1 << 22));
    expect(() => inflate(bomb, 1000)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_LIMIT' }),
    );
  });

  it('rejects what zlib rejects', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (data, where, mask) => {
        const packed = new Uint8Array(zlib.deflateSync(data));
        packed[where % packed.length]! ^= mask;
        let theirs: string | undefined;
        try {
          theirs = hex(zlib.inflateSync(packed, { maxOutputLength: LIMIT }));
        } catch {}
        let mine: string | undefined;
        try {
          mine = hex(inflate(packed, LIMIT));
        } catch (error) {
          expect(error).toMatchObject({ name: 'HistogramFormatError' });
        }
        // zlib is stricter in one point: incomplete codes. What both read is the same.
        if (theirs !== undefined) expect(mine).toBe(theirs);
      }),
      runs(500),
    );
  });
});

describe('deflate', () => {
  it('is read by zlib and by us', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const packed = deflate(data);
        expect(hex(zlib.inflateSync(packed))).toBe(hex(data));
        expect(hex(inflate(packed, LIMIT))).toBe(hex(data));
      }),
      runs(300),
    );
  });

  it('makes repeats small', () => {
    expect(deflate(new Uint8Array(10_000)).length).toBeLessThan(120);
  });
});

describe('checksum and text', () => {
  it('adler32 is zlib’s', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        const packed = zlib.deflateSync(data);
        expect(adler32(data)).toBe(packed.readUInt32BE(packed.length - 4));
      }),
      runs(100),
    );
  });

  it('base64 is Node’s', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        const text = Buffer.from(data).toString('base64');
        expect(bytesToBase64(data)).toBe(text);
        expect(bytesToBase64Portable(data)).toBe(text);
        expect(hex(base64ToBytes(text))).toBe(hex(data));
        expect(hex(base64ToBytesPortable(text))).toBe(hex(data));
        expect(hex(base64ToBytes(text.replace(/=+$/, '')))).toBe(hex(data));
      }),
      runs(200),
    );
    for (const text of ['!!!!', 'A', 'AAAA=A', 'AA AA', 'AAAAA']) {
      expect(() => base64ToBytes(text)).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_FORMAT' }),
      );
    }
  });
});
