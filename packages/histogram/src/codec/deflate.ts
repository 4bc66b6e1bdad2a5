/**
 * Deflates into zlib data (RFC 1950, RFC 1951), for places without node:zlib.
 *
 * Greedy matches from a hash of three bytes with one candidate each, and the fixed Huffman code: small and
 * fast rather than tight. Any inflater reads it.
 *
 * Any thread. Cost: O(input); 128 KB of scratch per call.
 */
import { adler32 } from './inflate.ts';

const MATCH_MIN = 3;
const MATCH_MAX = 258;
const DISTANCE_MAX = 32_768;
const HASH_BITS = 15;

/** Writes bits, least significant first. */
class BitWriter {
  bytes: Uint8Array;
  length: number;
  #held = 0;
  #heldBits = 0;

  constructor(capacity: number, start: number) {
    this.bytes = new Uint8Array(capacity);
    this.length = start;
  }

  write(value: number, count: number): void {
    this.#held |= value << this.#heldBits;
    this.#heldBits += count;
    while (this.#heldBits >= 8) {
      this.bytes[this.length++] = this.#held & 0xff;
      this.#held >>>= 8;
      this.#heldBits -= 8;
    }
  }

  /** Huffman codes go most significant bit first. */
  writeCode(code: number, count: number): void {
    let reversed = 0;
    for (let i = 0; i < count; i++) reversed |= ((code >> i) & 1) << (count - 1 - i);
    this.write(reversed, count);
  }

  align(): void {
    if (this.#heldBits > 0) this.write(0, 8 - this.#heldBits);
  }
}

/** Writes a symbol of the fixed literal and length alphabet. */
const writeSymbol = (writer: BitWriter, symbol: number): void => {
  if (symbol < 144) writer.writeCode(0x30 + symbol, 8);
  else if (symbol < 256) writer.writeCode(0x190 + symbol - 144, 9);
  else if (symbol < 280) writer.writeCode(symbol - 256, 7);
  else writer.writeCode(0xc0 + symbol - 280, 8);
};

/** Writes a match: lengths and distances come in groups that double in size (RFC 1951, 3.2.5). */
const writeMatch = (writer: BitWriter, length: number, distance: number): void => {
  if (length === MATCH_MAX) {
    writeSymbol(writer, 285);
  } else {
    const rest = length - MATCH_MIN;
    const extra = rest < 8 ? 0 : 29 - Math.clz32(rest);
    writeSymbol(writer, 257 + (extra << 2) + (rest >> extra));
    writer.write(rest & ((1 << extra) - 1), extra);
  }
  const rest = distance - 1;
  const extra = rest < 4 ? 0 : 30 - Math.clz32(rest);
  writer.writeCode((extra << 1) + (rest >> extra), 5);
  writer.write(rest & ((1 << extra) - 1), extra);
};

/**
 * Returns zlib data that inflates to `input`.
 *
 * @param input - read, never kept
 */
export function deflate(input: Uint8Array): Uint8Array {
  // Nine bits a literal at worst.
  const writer = new BitWriter(16 + Math.ceil((input.length * 9) / 8), 2);
  writer.bytes[0] = 0x78;
  writer.bytes[1] = 0x01;
  writer.write(1, 1);
  writer.write(1, 2);
  const candidates = new Int32Array(2 ** HASH_BITS).fill(-1);
  let at = 0;
  while (at < input.length) {
    let length = 0;
    let candidate = -1;
    if (at + MATCH_MIN <= input.length) {
      const hash =
        Math.imul((input[at]! << 16) | (input[at + 1]! << 8) | input[at + 2]!, 0x9e3779b1) >>>
        (32 - HASH_BITS);
      candidate = candidates[hash]!;
      candidates[hash] = at;
      if (candidate >= 0 && at - candidate <= DISTANCE_MAX) {
        const end = Math.min(MATCH_MAX, input.length - at);
        while (length < end && input[candidate + length] === input[at + length]) length++;
      }
    }
    if (length >= MATCH_MIN) {
      writeMatch(writer, length, at - candidate);
      at += length;
    } else {
      writeSymbol(writer, input[at++]!);
    }
  }
  writeSymbol(writer, 256);
  writer.align();
  const end = writer.length;
  new DataView(writer.bytes.buffer).setUint32(end, adler32(input));
  return writer.bytes.subarray(0, end + 4);
}
