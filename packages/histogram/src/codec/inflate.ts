/**
 * Inflates zlib data (RFC 1950, RFC 1951) with a hard limit on the output, for places without node:zlib.
 *
 * Codes are looked up in one table per alphabet, indexed by the next `bits` bits of input, where `bits` is
 * the longest code in use; an entry is symbol << 4 | length, 0 if no code begins so.
 *
 * - N1: output never passes the limit, and memory never passes twice the limit: the buffer doubles.
 * - N2: every loop either consumes input or produces output, so hostile input ends: time is O(input + limit).
 *
 * Any thread. Cost: O(input + output); one table of up to 2^15 entries per block.
 */
import { HistogramFormatError } from './errors.ts';

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
] as const;
const LENGTH_EXTRA = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
] as const;
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
  3073, 4097, 6145, 8193, 12289, 16385, 24577,
] as const;
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
] as const;
const CODE_LENGTH_ORDER = [
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
] as const;

interface Table {
  readonly entries: Uint16Array;
  readonly bits: number;
}

/** Builds the lookup table of canonical codes with these lengths (RFC 1951, 3.2.2). */
function tableOf(lengths: Uint8Array): Table {
  const counts = new Uint16Array(16);
  let bits = 0;
  for (const length of lengths) {
    if (length === 0) continue;
    counts[length]!++;
    if (length > bits) bits = length;
  }
  const next = new Uint16Array(17);
  let code = 0;
  let free = 1;
  for (let length = 1; length <= 15; length++) {
    next[length] = code;
    code = (code + counts[length]!) << 1;
    free = free * 2 - counts[length]!;
    if (free < 0) throw new HistogramFormatError('deflate codes are oversubscribed');
  }
  const entries = new Uint16Array(2 ** bits);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    // Codes are sent most significant bit first, so the table index is the code reversed.
    let reversed = 0;
    for (let bit = 0, value = next[length]!++; bit < length; bit++, value >>= 1) {
      reversed = (reversed << 1) | (value & 1);
    }
    for (let i = reversed; i < entries.length; i += 2 ** length) {
      entries[i] = (symbol << 4) | length;
    }
  }
  return { entries, bits };
}

let fixedTables: { literals: Table; distances: Table } | undefined;
const fixed = (): { literals: Table; distances: Table } => {
  if (fixedTables === undefined) {
    const lengths = new Uint8Array(288).fill(8);
    lengths.fill(9, 144, 256).fill(7, 256, 280);
    fixedTables = { literals: tableOf(lengths), distances: tableOf(new Uint8Array(30).fill(5)) };
  }
  return fixedTables;
};

/** Reads bits, least significant first, from bytes. */
class BitReader {
  readonly #input: Uint8Array;
  #position: number;
  #held = 0;
  #heldBits = 0;

  constructor(input: Uint8Array, position: number) {
    this.#input = input;
    this.#position = position;
  }

  /** Holds at least `count` (at most 16) bits, padding with zeros behind the end. */
  #fill(count: number): void {
    while (this.#heldBits < count) {
      this.#held |= (this.#input[this.#position++] ?? 0) << this.#heldBits;
      this.#heldBits += 8;
    }
  }

  #consume(count: number): void {
    this.#held >>>= count;
    this.#heldBits -= count;
    // Bits behind the end were made up.
    if (this.#position - (this.#heldBits >> 3) > this.#input.length) {
      throw new HistogramFormatError('deflate data ends early', 'ERR_HISTOGRAM_TRUNCATED');
    }
  }

  take(count: number): number {
    if (count === 0) return 0;
    this.#fill(count);
    const value = this.#held & ((1 << count) - 1);
    this.#consume(count);
    return value;
  }

  symbol(table: Table): number {
    this.#fill(table.bits);
    const entry = table.entries[this.#held & ((1 << table.bits) - 1)]!;
    if (entry === 0) throw new HistogramFormatError('deflate code is not in use');
    this.#consume(entry & 15);
    return entry >> 4;
  }

  /** Drops the rest of a byte and returns the position of the next whole one. */
  align(): number {
    this.#position -= this.#heldBits >> 3;
    this.#held = 0;
    this.#heldBits = 0;
    return this.#position;
  }

  seek(position: number): void {
    this.#position = position;
  }
}

/** Output of one inflation (N1). */
class Output {
  bytes: Uint8Array;
  length = 0;
  readonly #limit: number;
  /** Whether to stop at the limit instead of throwing. */
  readonly #truncate: boolean;
  full = false;

  constructor(limit: number, truncate: boolean) {
    this.#limit = limit;
    this.#truncate = truncate;
    this.bytes = new Uint8Array(Math.min(limit, 16_384));
  }

  /** Makes room for `count` more bytes; returns how many of them fit. */
  reserve(count: number): number {
    let room = count;
    if (this.length + count > this.#limit) {
      if (!this.#truncate) {
        throw new HistogramFormatError(
          `inflated data must be at most ${this.#limit} bytes`,
          'ERR_HISTOGRAM_LIMIT',
        );
      }
      room = this.#limit - this.length;
      this.full = true;
    }
    if (this.length + room > this.bytes.length) {
      const grown = new Uint8Array(
        Math.min(this.#limit, Math.max(this.bytes.length * 2, this.length + room)),
      );
      grown.set(this.bytes);
      this.bytes = grown;
    }
    return room;
  }
}

function readTables(reader: BitReader): { literals: Table; distances: Table } {
  const literalCount = reader.take(5) + 257;
  const distanceCount = reader.take(5) + 1;
  const codeCount = reader.take(4) + 4;
  if (literalCount > 286 || distanceCount > 30) {
    throw new HistogramFormatError(`deflate block has too many codes: count=${literalCount}`);
  }
  const codeLengths = new Uint8Array(19);
  for (let i = 0; i < codeCount; i++) codeLengths[CODE_LENGTH_ORDER[i]!] = reader.take(3);
  const codes = tableOf(codeLengths);
  const lengths = new Uint8Array(literalCount + distanceCount);
  for (let i = 0; i < lengths.length; ) {
    const symbol = reader.symbol(codes);
    if (symbol < 16) {
      lengths[i++] = symbol;
      continue;
    }
    const repeated = symbol === 16 ? lengths[i - 1] : 0;
    const count =
      symbol === 16 ? 3 + reader.take(2) : symbol === 17 ? 3 + reader.take(3) : 11 + reader.take(7);
    if (repeated === undefined || i + count > lengths.length) {
      throw new HistogramFormatError('deflate code lengths overrun');
    }
    lengths.fill(repeated, i, i + count);
    i += count;
  }
  return {
    literals: tableOf(lengths.subarray(0, literalCount)),
    distances: tableOf(lengths.subarray(literalCount)),
  };
}

function inflateBlock(
  reader: BitReader,
  output: Output,
  tables: { literals: Table; distances: Table },
): void {
  while (!output.full) {
    const symbol = reader.symbol(tables.literals);
    if (symbol < 256) {
      if (output.length === output.bytes.length && output.reserve(1) === 0) return;
      output.bytes[output.length++] = symbol;
      continue;
    }
    if (symbol === 256) return;
    if (symbol > 285) throw new HistogramFormatError(`deflate length is invalid: symbol=${symbol}`);
    const length = LENGTH_BASE[symbol - 257]! + reader.take(LENGTH_EXTRA[symbol - 257]!);
    const distanceSymbol = reader.symbol(tables.distances);
    if (distanceSymbol > 29) throw new HistogramFormatError('deflate distance is invalid');
    const distance = DISTANCE_BASE[distanceSymbol]! + reader.take(DISTANCE_EXTRA[distanceSymbol]!);
    if (distance > output.length) {
      throw new HistogramFormatError(`deflate distance is too far: distance=${distance}`);
    }
    const room = output.reserve(length);
    const { bytes } = output;
    const start = output.length;
    output.length = start + room;
    if (distance === 1) bytes.fill(bytes[start - 1]!, start, start + room);
    else if (distance >= room) bytes.copyWithin(start, start - distance, start - distance + room);
    // Source and target overlap: byte by byte.
    else for (let i = start; i < start + room; i++) bytes[i] = bytes[i - distance]!;
  }
}

function inflateStored(input: Uint8Array, reader: BitReader, output: Output): void {
  const start = reader.align();
  if (start + 4 > input.length) {
    throw new HistogramFormatError('deflate data ends early', 'ERR_HISTOGRAM_TRUNCATED');
  }
  const length = input[start]! | (input[start + 1]! << 8);
  const inverse = input[start + 2]! | (input[start + 3]! << 8);
  if ((length ^ inverse) !== 0xffff)
    throw new HistogramFormatError('deflate stored length is damaged');
  if (start + 4 + length > input.length) {
    throw new HistogramFormatError('deflate data ends early', 'ERR_HISTOGRAM_TRUNCATED');
  }
  const room = output.reserve(length);
  output.bytes.set(input.subarray(start + 4, start + 4 + room), output.length);
  output.length += room;
  reader.seek(start + 4 + length);
}

/** Returns the checksum of zlib (RFC 1950, 8.2). */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; ) {
    // The sums stay below 2^31 for this many bytes.
    const end = Math.min(i + 3800, bytes.length);
    for (; i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

/**
 * Returns the inflated content of zlib data.
 *
 * @param input - zlib data; bytes behind its end are ignored
 * @param limit - most bytes to return
 * @param truncate - return the first `limit` bytes unchecked instead of throwing when there are more
 * @throws {HistogramFormatError} If the data is malformed, cut off or damaged, or inflates beyond the limit
 */
export function inflate(input: Uint8Array, limit: number, truncate: boolean = false): Uint8Array {
  if (input.length < 2) {
    throw new HistogramFormatError('zlib data ends early', 'ERR_HISTOGRAM_TRUNCATED');
  }
  const header = (input[0]! << 8) | input[1]!;
  if ((header & 0x0f00) !== 0x0800 || header % 31 !== 0 || (header & 0x20) !== 0) {
    throw new HistogramFormatError(`zlib header is invalid: header=0x${header.toString(16)}`);
  }
  const reader = new BitReader(input, 2);
  const output = new Output(limit, truncate);
  for (let final = 0; final === 0 && !output.full; ) {
    final = reader.take(1);
    const type = reader.take(2);
    if (type === 0) inflateStored(input, reader, output);
    else if (type === 1) inflateBlock(reader, output, fixed());
    else if (type === 2) inflateBlock(reader, output, readTables(reader));
    else throw new HistogramFormatError('deflate block type is invalid: type=3');
  }
  const bytes = output.bytes.subarray(0, output.length);
  if (output.full) return bytes;
  const at = reader.align();
  if (at + 4 > input.length) {
    throw new HistogramFormatError('zlib checksum is missing', 'ERR_HISTOGRAM_TRUNCATED');
  }
  const expected = new DataView(input.buffer, input.byteOffset + at, 4).getUint32(0);
  if (adler32(bytes) !== expected) {
    throw new HistogramFormatError('zlib checksum differs', 'ERR_HISTOGRAM_CHECKSUM');
  }
  return bytes;
}
