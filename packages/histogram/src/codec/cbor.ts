/**
 * Reads and writes what Node 26 exports and imports: a histogram as a CBOR map (RFC 8949).
 *
 * ```text
 *  0 version (1)     1 lowest     2 highest    3 figures    4 count    5 min    6 max
 *  7 offset (0)      8 ratio f64  9 buckets   10 [skipped buckets, count, skipped, count, ...]
 *  11 { half life and threshold }: read over, not kept
 * ```
 *
 * - N3: any well-formed CBOR is read, but only the map above is taken; nesting is bounded, arrays are read
 *   as they come, so a length that lies costs nothing.
 *
 * Any thread. Cost: O(length).
 */
import { HistogramRangeError } from '../errors.ts';
import { Histogram } from '../histogram.ts';
import { BucketLayout, type Digits } from '../layout.ts';
import { HistogramFormatError } from './errors.ts';

const DEPTH_MAX = 8;
const KEY_LOWEST = 1;
const KEY_HIGHEST = 2;
const KEY_FIGURES = 3;
const KEY_COUNT = 4;
const KEY_MIN = 5;
const KEY_MAX = 6;
const KEY_OFFSET = 7;
const KEY_RATIO = 8;
const KEY_BUCKETS = 9;
const KEY_COUNTS = 10;

type Item =
  | number
  | bigint
  | string
  | Uint8Array
  | boolean
  | null
  | undefined
  | Item[]
  | Map<Item, Item>;

/** Reads one CBOR item after another. */
class CborReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  #take(count: number): number {
    const start = this.#position;
    if (count > this.#bytes.length - start) {
      throw new HistogramFormatError('CBOR ends early', 'ERR_HISTOGRAM_TRUNCATED');
    }
    this.#position = start + count;
    return start;
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info === 24) return this.#view.getUint8(this.#take(1));
    if (info === 25) return this.#view.getUint16(this.#take(2));
    if (info === 26) return this.#view.getUint32(this.#take(4));
    if (info === 27) {
      const value = this.#view.getBigUint64(this.#take(8));
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
    }
    throw new HistogramFormatError(`CBOR of indefinite length is not supported: info=${info}`);
  }

  item(depth: number = 0): Item {
    if (depth > DEPTH_MAX) throw new HistogramFormatError('CBOR is nested too deeply');
    const head = this.#view.getUint8(this.#take(1));
    const major = head >> 5;
    const info = head & 31;
    if (major === 7) return this.#simple(info);
    const argument = this.#argument(info);
    if (major === 0) return argument;
    if (major === 1) return typeof argument === 'bigint' ? -1n - argument : -1 - argument;
    if (major === 6) return this.item(depth + 1);
    const count = Number(argument);
    if (major === 2 || major === 3) {
      const start = this.#take(count);
      const bytes = this.#bytes.subarray(start, start + count);
      return major === 2 ? bytes : new TextDecoder().decode(bytes);
    }
    if (major === 4) {
      const list: Item[] = [];
      for (let i = 0; i < count; i++) list.push(this.item(depth + 1));
      return list;
    }
    const map = new Map<Item, Item>();
    for (let i = 0; i < count; i++) map.set(this.item(depth + 1), this.item(depth + 1));
    return map;
  }

  #simple(info: number): Item {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22) return null;
    if (info === 23) return undefined;
    if (info === 26) return this.#view.getFloat32(this.#take(4));
    if (info === 27) return this.#view.getFloat64(this.#take(8));
    throw new HistogramFormatError(`CBOR simple value is not supported: value=${info}`);
  }
}

const wholeNumber = (map: Map<Item, Item>, key: number, name: string): bigint => {
  const value = map.get(key);
  if (typeof value === 'bigint' && value >= 0n) return value;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value);
  throw new HistogramFormatError(`${name} must be a whole number: ${name}=${String(value)}`);
};

/**
 * Reads what Node's `histogram.export()` returns.
 *
 * @param bytes - one exported histogram
 * @returns the histogram, with Node's exact minimum and maximum; half life and threshold are not kept
 * @throws {HistogramFormatError} If the bytes are no such export
 *
 * Concurrency: any thread. Cost: O(length); memory bounded by the declared range.
 */
export function decodeNodeCbor(bytes: Uint8Array): Histogram {
  const reader = new CborReader(bytes);
  const map = reader.item();
  if (!(map instanceof Map) || !reader.atEnd || map.get(0) !== 1) {
    throw new HistogramFormatError('bytes must be one CBOR map of version 1');
  }
  const layout = cborLayout(map);
  const histogram = new Histogram(layout);
  const counts = map.get(KEY_COUNTS);
  if (!Array.isArray(counts) || counts.length % 2 !== 0) {
    throw new HistogramFormatError('counts must be a list of pairs');
  }
  let index = 0;
  let first = -1;
  for (let i = 0; i < counts.length; i += 2) {
    const skipped = counts[i];
    const count = counts[i + 1];
    if (typeof skipped !== 'number' || !Number.isInteger(skipped) || skipped < 0) {
      throw new HistogramFormatError(
        `skipped buckets must be a whole number: skipped=${String(skipped)}`,
      );
    }
    index += skipped;
    if (index >= histogram.length) {
      throw new HistogramFormatError(
        `counts reach beyond the declared range: bucket=${index} buckets=${histogram.length}`,
      );
    }
    const isCount =
      typeof count === 'bigint'
        ? count > 0n
        : typeof count === 'number' && Number.isInteger(count) && count > 0;
    if (!isCount) throw new HistogramFormatError(`count must be above 0: count=${String(count)}`);
    const sum = histogram.countAtIndexBigInt(index) + BigInt(count as number | bigint);
    if (sum >= 2n ** 63n) throw new HistogramFormatError(`count must be below 2^63: count=${sum}`);
    histogram.setAt(index, sum);
    if (first < 0) first = index;
  }
  if (first >= 0) {
    histogram.minimum = Number(wholeNumber(map, KEY_MIN, 'min')) * layout.scale;
    histogram.maximum = Number(wholeNumber(map, KEY_MAX, 'max')) * layout.scale;
    // Keeps both where they are in the outermost buckets, else takes those buckets' ends.
    histogram.tightenRange(first, index);
  }
  if (wholeNumber(map, KEY_COUNT, 'count') !== histogram.countBigInt) {
    throw new HistogramFormatError(
      `count must be the sum of the counts: count=${String(map.get(KEY_COUNT))}`,
    );
  }
  return histogram;
}

function cborLayout(map: Map<Item, Item>): BucketLayout {
  try {
    return new BucketLayout({
      lowest: wholeNumber(map, KEY_LOWEST, 'lowest'),
      highest: wholeNumber(map, KEY_HIGHEST, 'highest'),
      digits: map.get(KEY_FIGURES) as Digits,
    });
  } catch (error) {
    if (error instanceof HistogramRangeError) throw new HistogramFormatError(error.message);
    throw error;
  }
}

/** Writes CBOR items into bytes that grow. */
class CborWriter {
  #bytes: Uint8Array = new Uint8Array(1024);
  #length = 0;

  #room(count: number): DataView {
    if (this.#length + count > this.#bytes.length) {
      const grown = new Uint8Array(this.#bytes.length * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return new DataView(this.#bytes.buffer);
  }

  head(major: number, argument: number | bigint): void {
    const view = this.#room(9);
    const at = this.#length;
    if (argument < 24) {
      view.setUint8(at, (major << 5) | Number(argument));
      this.#length += 1;
    } else if (argument < 256) {
      view.setUint8(at, (major << 5) | 24);
      view.setUint8(at + 1, Number(argument));
      this.#length += 2;
    } else if (argument < 65_536) {
      view.setUint8(at, (major << 5) | 25);
      view.setUint16(at + 1, Number(argument));
      this.#length += 3;
    } else if (argument < 2 ** 32) {
      view.setUint8(at, (major << 5) | 26);
      view.setUint32(at + 1, Number(argument));
      this.#length += 5;
    } else {
      view.setUint8(at, (major << 5) | 27);
      view.setBigUint64(at + 1, BigInt(argument));
      this.#length += 9;
    }
  }

  entry(key: number, value: number | bigint): void {
    this.head(0, key);
    this.head(0, value);
  }

  double(key: number, value: number): void {
    this.head(0, key);
    const view = this.#room(9);
    view.setUint8(this.#length, 0xfb);
    view.setFloat64(this.#length + 1, value);
    this.#length += 9;
  }

  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/**
 * Writes a histogram as Node's `importHistogram` reads it.
 *
 * @param histogram - left unchanged; its `step` must be 1
 * @throws {HistogramFormatError} If the step isn't 1 or the digits are 0: Node has no such histograms
 *
 * Concurrency: owner thread of the histogram. Cost: O(span).
 */
export function encodeNodeCbor(histogram: Histogram): Uint8Array {
  const { layout, length } = histogram;
  if (layout.step !== 1 || layout.digits === 0) {
    throw new HistogramFormatError(
      `Node needs a step of 1 and 1 to 5 digits: step=${layout.step} digits=${layout.digits}`,
    );
  }
  const pairs: [skipped: number, count: bigint][] = [];
  let previous = 0;
  for (let index = histogram.firstIndex; index <= histogram.lastIndex; index++) {
    if (histogram.countAtIndex(index) === 0) continue;
    pairs.push([index - previous, histogram.countAtIndexBigInt(index)]);
    previous = index;
  }
  const writer = new CborWriter();
  const grown = length > layout.length;
  // Node has safe integers only.
  const highest = Math.min(
    grown ? histogram.highestTrackable : layout.highest,
    Number.MAX_SAFE_INTEGER,
  );
  writer.head(5, 11);
  writer.entry(0, 1);
  writer.entry(KEY_LOWEST, layout.lowestSteps);
  writer.entry(KEY_HIGHEST, highest);
  writer.entry(KEY_FIGURES, layout.digits);
  writer.entry(KEY_COUNT, histogram.countBigInt);
  writer.entry(KEY_MIN, histogram.isEmpty ? 2n ** 63n - 1n : histogram.min);
  writer.entry(KEY_MAX, histogram.isEmpty ? 0 : Math.min(histogram.max, highest));
  writer.entry(KEY_OFFSET, 0);
  writer.double(KEY_RATIO, 1);
  writer.entry(KEY_BUCKETS, new BucketLayout({ ...optionsOf(layout), highest }).length);
  writer.head(0, KEY_COUNTS);
  writer.head(4, pairs.length * 2);
  for (const [skipped, count] of pairs) {
    writer.head(0, skipped);
    writer.head(0, count);
  }
  return writer.bytes;
}

const optionsOf = ({ lowest, digits }: BucketLayout): { lowest: number; digits: Digits } => ({
  lowest,
  digits,
});
