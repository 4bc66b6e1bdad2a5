/**
 * HdrHistogram's binary encodings: V0, V1 and V2, bare or deflated, and the double histogram around them.
 *
 * From HdrHistogram (Java), whose writers and readers this is tested against. All numbers are big-endian.
 *
 * ```text
 * V1, V2   cookie i32 | payload bytes i32 | offset i32 | digits i32 | lowest i64 | highest i64 | ratio f64
 *          then counts: V2 as numbers of varint.ts, V1 as words of 2, 4 or 8 bytes
 * V0       cookie i32 | digits i32 | lowest i64 | highest i64 | total i64, then counts as words
 * deflated cookie i32 | bytes i32 | zlib data of one of the above
 * double   cookie i32 | digits i32 | highest-to-lowest ratio i64 | one of the above, whose ratio is the step
 * cookie   kind + 16 * (bytes of a word | 1), where a word of V2 is not told: kind + 16
 * ```
 *
 * - C1: input is never trusted: lengths are checked before they are used, the buckets allocated are those
 *   of the declared range (25 MB at most), inflating stops at the declared payload, or at 256 KB.
 * - C2: what is wrong with input ends in a HistogramFormatError, never in another error or a wrong value.
 * - C3: a count is exact up to 2^63 - 1; a larger one is refused.
 *
 * Any thread. Cost: O(payload + buckets in use).
 */
import { HistogramRangeError } from '../errors.ts';
import { Histogram } from '../histogram.ts';
import { BucketLayout, type Digits } from '../layout.ts';
import { HistogramFormatError } from './errors.ts';
import { type Cursor, readVarint, writeVarint, writeVarintBigInt } from './varint.ts';
import { compress, decompress, decompressHead, decompressLittle, type ZlibChoice } from './zlib.ts';

const KIND_MASK = ~0xf0;
const V0 = 0x1c849308;
const V0_DEFLATED = 0x1c849309;
const V1 = 0x1c849301;
const V1_DEFLATED = 0x1c849302;
const V2 = 0x1c849303;
const V2_DEFLATED = 0x1c849304;
const DOUBLE = 0x0c72124e;
const DOUBLE_DEFLATED = 0x0c72124f;

const HEADER_BYTES = 40;
const HEADER_BYTES_V0 = 32;
const VARINT_BYTES_MAX = 9;

/** Which encoding to write. */
export interface EncodeOptions {
  /** Version of the format; every reader of today reads 2. @defaultValue 2 */
  readonly version?: 0 | 1 | 2;
  /** Whether to deflate. @defaultValue true */
  readonly deflate?: boolean;
  /** Effort of Node's zlib, 0 to 9. @defaultValue zlib's own, 6 */
  readonly level?: number;
  /** `own` takes this package's deflate also where Node's zlib is there. @defaultValue 'auto' */
  readonly zlib?: ZlibChoice;
}

/** How to read an encoding. */
export interface DecodeOptions {
  /**
   * Most buckets to allocate, 4 bytes each; for input from strangers.
   * @defaultValue Infinity: as many as the largest range of the format has, 25 MB
   */
  readonly bucketsMax?: number;
  /** `own` takes this package's inflate also where Node's zlib is there. @defaultValue 'auto' */
  readonly zlib?: ZlibChoice;
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const need = (bytes: Uint8Array, count: number, what: string): void => {
  if (bytes.length < count) {
    throw new HistogramFormatError(
      `${what} needs ${count} bytes: length=${bytes.length}`,
      'ERR_HISTOGRAM_TRUNCATED',
    );
  }
};

interface Header {
  readonly kind: number;
  readonly wordBytes: number;
  readonly headerBytes: number;
  readonly payloadBytes: number;
  readonly layout: BucketLayout;
}

/** Reads a bare header; `step` is that of the double histogram around it, if any. */
function readHeader(bytes: Uint8Array, isDouble: boolean, options: DecodeOptions): Header {
  need(bytes, 4, 'a header');
  const view = viewOf(bytes);
  const cookie = view.getInt32(0);
  const kind = cookie & KIND_MASK;
  if (kind !== V0 && kind !== V1 && kind !== V2) {
    throw new HistogramFormatError(`cookie is unknown: cookie=0x${(cookie >>> 0).toString(16)}`);
  }
  const wordBytes = (cookie >> 4) & 0xe;
  if (kind !== V2 && wordBytes !== 2 && wordBytes !== 4 && wordBytes !== 8) {
    throw new HistogramFormatError(`word must have 2, 4 or 8 bytes: bytes=${wordBytes}`);
  }
  const headerBytes = kind === V0 ? HEADER_BYTES_V0 : HEADER_BYTES;
  need(bytes, headerBytes, 'a header');
  const payloadBytes = kind === V0 ? Number.POSITIVE_INFINITY : view.getInt32(4);
  if (payloadBytes < 0) {
    throw new HistogramFormatError(`payload must not be negative: bytes=${payloadBytes}`);
  }
  const at = kind === V0 ? 4 : 12;
  const digits = view.getInt32(at);
  const lowest = view.getBigInt64(at + 4);
  const highest = view.getBigInt64(at + 12);
  const ratio = isDouble ? view.getFloat64(32) : 1;
  const layout = layoutOf(digits, lowest, highest, ratio);
  const bucketsMax = options.bucketsMax ?? Number.POSITIVE_INFINITY;
  if (layout.length > bucketsMax) {
    throw new HistogramFormatError(
      `range needs ${layout.length} buckets: bucketsMax=${bucketsMax}`,
      'ERR_HISTOGRAM_LIMIT',
    );
  }
  return { kind, wordBytes, headerBytes, payloadBytes, layout };
}

function layoutOf(digits: number, lowest: bigint, highest: bigint, step: number): BucketLayout {
  try {
    return new BucketLayout({
      digits: digits as Digits,
      lowest: Number(lowest) * step,
      highest: Number(highest) * step,
      step,
    });
  } catch (error) {
    if (error instanceof HistogramRangeError) throw new HistogramFormatError(error.message);
    throw error;
  }
}

/** Sets a bucket's count, with its place and size checked (C3). */
function setCount(histogram: Histogram, index: number, count: number | bigint): void {
  if (index >= histogram.allocated) {
    throw beyondRange(index, histogram.allocated);
  }
  if (typeof count === 'number' && count < 2 ** 32) histogram.counts[index] = count;
  else histogram.setAt(index, BigInt(count));
}

/** The last bucket that a count was written to; -1 if none. */
interface Used {
  last: number;
}

const beyondRange = (index: number, buckets: number): HistogramFormatError =>
  new HistogramFormatError(
    `counts reach beyond the declared range: bucket=${index} buckets=${buckets}`,
  );

/** Reads the counts of V2 from `start` to `end`; says in `used` which buckets were written, also if it throws. */
function readVarints(
  bytes: Uint8Array,
  start: number,
  end: number,
  histogram: Histogram,
  used: Used,
): void {
  const { counts, allocated: length } = histogram;
  const cursor = { position: start };
  let index = 0;
  // Nearly all numbers have one byte or two. What is stored behind the counts' end is lost, and then refused.
  while (cursor.position < end) {
    index = readShortVarints(bytes, cursor, end, counts, index, used);
    if (index > length) throw beyondRange(index, length);
    if (cursor.position >= end) return;
    const value = readVarint(bytes, cursor, end);
    if (typeof value === 'bigint') {
      if (value & 1n) {
        throw new HistogramFormatError(`run of empty buckets is too long: run=${value}`);
      }
      used.last = index;
      setCount(histogram, index++, value >> 1n);
    } else if (value % 2 === 1) {
      index += (value + 1) / 2;
      // Trailing runs may be as long as the range, not longer.
      if (index > length) throw beyondRange(index, length);
    } else {
      if (value !== 0) used.last = index;
      setCount(histogram, index++, value / 2);
    }
  }
}

/** Reads numbers of one byte or two, up to a longer one or `end`; returns the next bucket. */
function readShortVarints(
  bytes: Uint8Array,
  cursor: Cursor,
  end: number,
  counts: Uint32Array,
  start: number,
  used: Used,
): number {
  let index = start;
  let last = used.last;
  let position = cursor.position;
  while (position < end && index <= counts.length) {
    let value = bytes[position]!;
    let next = position + 1;
    if (value >= 128) {
      const second = next < end ? bytes[next]! : 128;
      if (second >= 128) break;
      value = (value & 127) | (second << 7);
      next++;
    }
    position = next;
    if ((value & 1) === 1) {
      index += (value + 1) >> 1;
      continue;
    }
    if (value !== 0) {
      counts[index] = value >> 1;
      last = index;
    }
    index++;
  }
  cursor.position = position;
  used.last = last;
  return index;
}

/** Reads counts of fixed width (V0, V1). */
function readWords(
  bytes: Uint8Array,
  start: number,
  end: number,
  wordBytes: number,
  histogram: Histogram,
  used: Used,
): void {
  const view = viewOf(bytes);
  let index = 0;
  for (let at = start; at + wordBytes <= end; at += wordBytes, index++) {
    const count =
      wordBytes === 2
        ? view.getInt16(at)
        : wordBytes === 4
          ? view.getInt32(at)
          : view.getBigInt64(at);
    if (count < 0) throw new HistogramFormatError(`count must not be negative: count=${count}`);
    if (count === 0 || count === 0n) continue;
    used.last = index;
    setCount(histogram, index, count);
  }
}

/** Reads a bare encoding behind its header. */
function decodeCounts(bytes: Uint8Array, header: Header): Histogram {
  const { kind, wordBytes, headerBytes, payloadBytes, layout } = header;
  const available = bytes.length - headerBytes;
  // Old writers in C and Python put the header's size into the payload's.
  if (kind !== V0 && payloadBytes > available + headerBytes) {
    throw new HistogramFormatError(
      `payload is cut off: bytes=${payloadBytes} available=${available}`,
      'ERR_HISTOGRAM_TRUNCATED',
    );
  }
  const end = headerBytes + Math.min(payloadBytes, available);
  const histogram = new Histogram(layout, 0);
  // Counted in a kept array first: the histogram then gets as many counts as it uses, not the whole range.
  if (countScratch.length < layout.length) countScratch = new Uint32Array(layout.length);
  const counts = countScratch;
  histogram.counts = counts;
  histogram.allocated = layout.length;
  const used: Used = { last: -1 };
  try {
    if (kind === V2) readVarints(bytes, headerBytes, end, histogram, used);
    else readWords(bytes, headerBytes, end, wordBytes, histogram, used);
    const { last } = used;
    const octave = 2 ** layout.subBucketBits;
    const allocated = (Math.floor(last / octave) + 1) * octave;
    histogram.counts = counts.slice(0, allocated);
    histogram.carries = histogram.carries?.slice(0, allocated);
    histogram.allocated = allocated;
    histogram.plainLength = layout.isPlain ? allocated : 0;
    if (last >= 0) {
      let first = 0;
      while (histogram.countAtIndex(first) === 0) first++;
      histogram.minimum = layout.scaledLowestOf(first);
      histogram.maximum = layout.scaledHighestOf(last);
    }
    return histogram;
  } finally {
    if (counts.length > COUNT_SCRATCH_MAX) countScratch = new Uint32Array(0);
    else counts.fill(0, 0, used.last + 1);
  }
}

/** Counts that are kept for the next decoding, all zero between two. */
let countScratch: Uint32Array = new Uint32Array(0);
const COUNT_SCRATCH_MAX = 1 << 20;

/** Reads an encoding of which a double histogram's frame, if there is one, has been taken off. */
function decodeInteger(bytes: Uint8Array, isDouble: boolean, options: DecodeOptions): Histogram {
  need(bytes, 4, 'a header');
  const view = viewOf(bytes);
  const kind = view.getInt32(0) & KIND_MASK;
  if (kind !== V0_DEFLATED && kind !== V1_DEFLATED && kind !== V2_DEFLATED) {
    return decodeCounts(bytes, readHeader(bytes, isDouble, options));
  }
  need(bytes, 8, 'a deflated header');
  const length = view.getInt32(4);
  if (length < 0) throw new HistogramFormatError(`length must not be negative: length=${length}`);
  need(bytes, 8 + length, 'deflated content');
  const content = bytes.subarray(8, 8 + length);
  const expected = kind === V0_DEFLATED ? V0 : kind === V1_DEFLATED ? V1 : V2;
  const zlib = options.zlib ?? 'auto';
  // Usually little enough to be inflated without a look at the header, which costs as much again.
  const little = decompressLittle(content, zlib);
  const header = readHeader(little ?? decompressHead(content, HEADER_BYTES), isDouble, options);
  if (header.kind !== expected) {
    throw new HistogramFormatError(
      `content must have the version of its frame: content=0x${header.kind.toString(16)}`,
    );
  }
  if (little !== undefined) return decodeCounts(little, header);
  // The header tells how much there can be, before any more of it is inflated (C1).
  const countBytes = header.kind === V2 ? VARINT_BYTES_MAX : header.wordBytes;
  const limit =
    header.headerBytes + Math.min(header.payloadBytes, header.layout.length * countBytes);
  return decodeCounts(decompress(content, limit, zlib), header);
}

/**
 * Reads any of HdrHistogram's encodings: V0, V1 or V2, bare or deflated, of integers or doubles.
 *
 * @param bytes - one encoding; bytes behind its end are ignored
 * @param options - limits
 * @returns the histogram; its `min` and `max` are exact to a bucket, its `step` is 1 unless it was a double
 * histogram
 * @throws {HistogramFormatError} If the input is malformed, cut off, damaged or beyond a limit
 *
 * Concurrency: any thread; the input must not change meanwhile. Cost: O(length); memory bounded by the
 * declared range.
 */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): Histogram {
  need(bytes, 4, 'a header');
  const view = viewOf(bytes);
  const cookie = view.getInt32(0);
  if (cookie !== DOUBLE && cookie !== DOUBLE_DEFLATED) {
    return decodeInteger(bytes, false, options);
  }
  need(bytes, 16, 'a double header');
  const histogram = decodeInteger(bytes.subarray(16), true, options);
  const digits = view.getInt32(4);
  if (digits !== histogram.layout.digits) {
    throw new HistogramFormatError(
      `digits must be the same inside: digits=${digits} inside=${histogram.layout.digits}`,
    );
  }
  return histogram;
}

/** Writes the counts of V2; returns the position behind them. */
function writeVarints(histogram: Histogram, limit: number, bytes: Uint8Array, at: number): number {
  const { counts, carries } = histogram;
  let position = at;
  for (let index = 0; index < limit; ) {
    const low = counts[index]!;
    const high = carries === undefined ? 0 : carries[index]!;
    if (high === 0 && low === 0) {
      const start = index++;
      while (
        index < limit &&
        counts[index] === 0 &&
        (carries === undefined || carries[index] === 0)
      ) {
        index++;
      }
      const run = index - start;
      position = writeVarint(bytes, position, run === 1 ? 0 : run * 2 - 1);
      continue;
    }
    if (high === 0 && low < 64) bytes[position++] = low * 2;
    else if (high < 2 ** 19) position = writeVarint(bytes, position, (high * 2 ** 32 + low) * 2);
    else position = writeVarintBigInt(bytes, position, histogram.countAtIndexBigInt(index) * 2n);
    index++;
  }
  return position;
}

/** Room for one encoding while it is made; kept, because most histograms of a process are alike. */
let scratch: Uint8Array = new Uint8Array(0);

/** Returns room for `count` bytes, to be used up before the next call; large ones aren't kept. */
const room = (count: number): Uint8Array => {
  if (count > 1 << 20) return new Uint8Array(count);
  if (scratch.length < count) scratch = new Uint8Array(count);
  return scratch;
};

/** Writes a bare encoding into the scratch. */
function encodeBare(histogram: Histogram, version: 0 | 1 | 2, isDouble: boolean): Uint8Array {
  const { layout } = histogram;
  const limit = Math.max(histogram.lastIndex, 0) + 1;
  const headerBytes = version === 0 ? HEADER_BYTES_V0 : HEADER_BYTES;
  const capacity = headerBytes + limit * (version === 2 ? VARINT_BYTES_MAX : 8);
  const bytes = room(capacity);
  const view = viewOf(bytes);
  let end: number;
  if (version === 2) {
    end = writeVarints(histogram, limit, bytes, headerBytes);
  } else {
    for (let index = 0; index < limit; index++) {
      view.setBigInt64(headerBytes + 8 * index, histogram.countAtIndexBigInt(index));
    }
    end = capacity;
  }
  const cookie = version === 0 ? V0 | 0x80 : version === 1 ? V1 | 0x80 : V2 | 0x10;
  view.setInt32(0, cookie);
  let at = 4;
  if (version > 0) {
    view.setInt32(4, end - headerBytes);
    view.setInt32(8, 0);
    at = 12;
  }
  const range = isDouble ? doubleRange(histogram) : integerRange(histogram);
  view.setInt32(at, layout.digits);
  view.setBigInt64(at + 4, range.lowest);
  view.setBigInt64(at + 12, range.highest);
  if (version === 0) view.setBigInt64(at + 20, histogram.countBigInt);
  else view.setFloat64(at + 20, isDouble ? layout.step * 2 ** layout.unitBits : 1);
  return bytes.subarray(0, end);
}

const LONG_MAX = 2n ** 63n - 1n;

/** Range in whole steps, as the header has it; what has grown is part of it. */
function integerRange({ layout, length }: Histogram): { lowest: bigint; highest: bigint } {
  const declared = BigInt(Math.min(Math.round(layout.highest / layout.step), 2 ** 63));
  const highest = length > layout.length ? layout.highestStepsOf(length - 1) : declared;
  return {
    lowest: BigInt(layout.lowestSteps),
    highest: highest > LONG_MAX ? LONG_MAX : highest,
  };
}

/** Number of octaves of a double histogram's integers: 2^(bits of the ratio + 1), as Java derives it. */
const octavesOf = ({ layout, length }: Histogram): number =>
  Math.max(3, (length >> layout.subBucketBits) - 1);

/** Range of the integers inside a double histogram; Java insists on exactly this one. */
function doubleRange(histogram: Histogram): { lowest: bigint; highest: bigint } {
  const bits = BigInt(histogram.layout.subBucketBits + octavesOf(histogram));
  return { lowest: 1n, highest: (1n << bits) - 1n };
}

/**
 * Writes a histogram in HdrHistogram's binary encoding: V2, deflated, unless told otherwise; as a double
 * histogram if its `step` isn't 1.
 *
 * @param histogram - left unchanged. Kept: range, precision, counts; not kept: exact `min` and `max` (to a
 * bucket only), policy, `clamped` and `dropped`
 * @param options - version and compression
 * @returns new bytes, owned by the caller
 * @throws {HistogramFormatError} ERR_HISTOGRAM_LIMIT if a double histogram's range is beyond Java's
 *
 * Concurrency: owner thread of the histogram. Cost: O(span) and zlib.
 */
export function encode(histogram: Histogram, options: EncodeOptions = {}): Uint8Array {
  const version = options.version ?? 2;
  const isDouble = histogram.layout.step !== 1;
  if (isDouble && version === 0) {
    throw new HistogramFormatError('version 0 has no double histograms: version=0');
  }
  const bare = encodeBare(histogram, version, isDouble);
  const deflated = options.deflate !== false;
  const content = deflated ? compress(bare, options.zlib ?? 'auto', options.level) : bare;
  const frame = (isDouble ? 16 : 0) + (deflated ? 8 : 0);
  if (frame === 0) return content.slice();
  const bytes = new Uint8Array(frame + content.length);
  const view = viewOf(bytes);
  if (isDouble) {
    const octaves = octavesOf(histogram);
    if (octaves + histogram.layout.subBucketBits > 61) {
      throw new HistogramFormatError(
        `range is too wide for a double histogram: octaves=${octaves}`,
        'ERR_HISTOGRAM_LIMIT',
      );
    }
    view.setInt32(0, deflated ? DOUBLE_DEFLATED : DOUBLE);
    view.setInt32(4, histogram.layout.digits);
    view.setBigInt64(8, 1n << BigInt(octaves - 2));
  }
  if (deflated) {
    const cookie =
      version === 0 ? V0_DEFLATED | 0x80 : version === 1 ? V1_DEFLATED | 0x80 : V2_DEFLATED | 0x10;
    view.setInt32(frame - 8, cookie);
    view.setInt32(frame - 4, content.length);
  }
  bytes.set(content, frame);
  return bytes;
}
