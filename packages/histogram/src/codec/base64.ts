/**
 * Base64 in and out, strict and synchronous: Node's Buffer where there is one, else a table.
 *
 * Strict: Node's decoder would skip characters that don't belong.
 */
import { HistogramFormatError } from './errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALID = /^[A-Za-z0-9+/]*={0,2}$/;

interface NodeBuffer {
  from(data: string | ArrayBufferLike, second: string | number, length?: number): NodeBytes;
}
type NodeBytes = Uint8Array & { toString(encoding: string): string };
const native = (globalThis as { Buffer?: NodeBuffer }).Buffer;

let values: Uint8Array | undefined;
const valueTable = (): Uint8Array => {
  if (values === undefined) {
    values = new Uint8Array(128);
    for (let i = 0; i < 64; i++) values[ALPHABET.charCodeAt(i)] = i;
  }
  return values;
};

/** @internal The portable decoder; `text` has been checked. */
export function base64ToBytesPortable(text: string): Uint8Array {
  const table = valueTable();
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array((digits.length * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < digits.length; i++) {
    bits = (bits << 6) | table[digits.charCodeAt(i)]!;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
}

/** Returns the bytes of a base64 text; padding may be missing. */
export function base64ToBytes(text: string): Uint8Array {
  let end = text.length;
  while (end > 0 && text.length - end < 2 && text.charCodeAt(end - 1) === 61) end--;
  if (end % 4 !== 1) {
    if (native === undefined) {
      if (VALID.test(text)) return base64ToBytesPortable(text);
    } else {
      // Node leaves out what doesn't belong, so too few bytes tell that there was something.
      const bytes = native.from(text, 'base64');
      if (bytes.length === (end * 3) >> 2) return bytes;
    }
  }
  throw new HistogramFormatError(`text must be base64: text=${JSON.stringify(text.slice(0, 40))}`);
}

/** @internal The portable encoder. */
export function bytesToBase64Portable(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const count = Math.min(3, bytes.length - i);
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!;
    text += count > 1 ? ALPHABET[(group >> 6) & 63]! : '=';
    text += count > 2 ? ALPHABET[group & 63]! : '=';
  }
  return text;
}

/** Returns the base64 text of bytes, padded. */
export function bytesToBase64(bytes: Uint8Array): string {
  if (native === undefined) return bytesToBase64Portable(bytes);
  return native.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
