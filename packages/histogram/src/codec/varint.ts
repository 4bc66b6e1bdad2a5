/**
 * HdrHistogram's variable-length numbers: ZigZag, then seven bits a byte, the ninth byte whole.
 *
 * A count c is written as 2c, a run of z empty buckets as 2z - 1 (ZigZag of -z). Counts and runs stay
 * numbers up to 2^53; only beyond that is a bigint made.
 */
import { HistogramFormatError } from './errors.ts';

const truncated = (): HistogramFormatError =>
  new HistogramFormatError('counts end inside a number', 'ERR_HISTOGRAM_TRUNCATED');

/** Position in some bytes; the reader moves it on. */
export interface Cursor {
  position: number;
}

/** Reads one unsigned number of up to 64 bits; exact, a bigint only above 2^53. */
export function readVarint(bytes: Uint8Array, cursor: Cursor, end: number): number | bigint {
  let position = cursor.position;
  let value = 0;
  let factor = 1;
  for (let i = 0; i < 7; i++) {
    if (position >= end) throw truncated();
    const byte = bytes[position++]!;
    value += (byte & 127) * factor;
    if (byte < 128) {
      cursor.position = position;
      return value;
    }
    factor *= 128;
  }
  // 49 bits so far.
  if (position >= end) throw truncated();
  const eighth = bytes[position++]!;
  let large = BigInt(value) | (BigInt(eighth & 127) << 49n);
  if (eighth >= 128) {
    if (position >= end) throw truncated();
    large |= BigInt(bytes[position++]!) << 56n;
  }
  cursor.position = position;
  return large <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(large) : large;
}

/** Writes one unsigned number below 2^53; returns the position behind it. */
export function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let position = start;
  let rest = value;
  while (rest >= 0x80000000) {
    bytes[position++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    bytes[position++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  return position;
}

/** Writes one unsigned number of up to 64 bits; returns the position behind it. */
export function writeVarintBigInt(bytes: Uint8Array, start: number, value: bigint): number {
  let position = start;
  let rest = value;
  for (let i = 0; i < 8 && rest >= 128n; i++) {
    bytes[position++] = Number(rest & 127n) | 128;
    rest >>= 7n;
  }
  bytes[position++] = Number(rest);
  return position;
}
