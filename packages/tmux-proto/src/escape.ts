/**
 * The escaping of `%output` payloads: bytes below 0x20 and the backslash travel as `\ooo`, all others raw.
 *
 * E1: an escape is a backslash and three octal digits of which the first is at most 3.
 * E2: a backslash that starts no escape (tmux never writes one) stands for itself.
 *
 * All functions work on a byte range of an array, allocate nothing and are pure in everything but their
 * target. The engines have faster decoders of their own; these serve the lazy layer and are tested against
 * them.
 */

const BACKSLASH = 0x5c;

const isEscape = (bytes: Uint8Array, index: number, end: number): boolean =>
  index + 3 < end &&
  (bytes[index + 1]! & 0xfc) === 0x30 && // E1
  (bytes[index + 2]! & 0xf8) === 0x30 &&
  (bytes[index + 3]! & 0xf8) === 0x30;

/**
 * Returns how many bytes a raw payload decodes to, without decoding it.
 *
 * Cost: O(n), no allocation.
 * @param bytes - array that holds the raw payload
 * @param start - first byte (included)
 * @param end - end of the payload (excluded)
 * @returns the decoded length (bytes), 0 for an empty payload
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { decodedLength } from '@millrace/tmux-proto';
 *
 * const raw = new TextEncoder().encode('ls\\015\\012');
 * assert.equal(decodedLength(raw), 4);
 * ```
 */
export function decodedLength(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): number {
  let count = end - start;
  let index = bytes.indexOf(BACKSLASH, start);
  while (index >= 0 && index < end) {
    if (isEscape(bytes, index, end)) {
      count -= 3;
      index += 4;
    } else {
      index++; // E2
    }
    while (index < end && bytes[index] !== BACKSLASH) index++;
  }
  return count;
}

/**
 * Decodes a raw payload into `target`. The target may be the same array with `offset <= start`.
 *
 * Cost: O(n), no allocation.
 * @param bytes - array that holds the raw payload
 * @param start - first byte (included)
 * @param end - end of the payload (excluded)
 * @param target - where to write; needs `decodedLength` bytes after `offset`
 * @param offset - first byte to write
 * @returns the offset behind the last byte written
 * @throws {RangeError} If the target is too small.
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { decodeInto } from '@millrace/tmux-proto';
 *
 * const raw = new TextEncoder().encode('a\\134b');
 * const target = new Uint8Array(8);
 * assert.equal(decodeInto(raw, 0, raw.length, target), 3);
 * assert.deepEqual([...target.subarray(0, 3)], [97, 0x5c, 98]);
 * ```
 */
export function decodeInto(
  bytes: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number = 0,
): number {
  let to = offset;
  const room = target.length;
  for (let index = start; index < end; ) {
    const byte = bytes[index]!;
    if (to >= room) {
      throw new RangeError(`target is too small: target.length=${room}, offset=${offset}`);
    }
    if (byte === BACKSLASH && isEscape(bytes, index, end)) {
      target[to++] =
        ((bytes[index + 1]! & 3) << 6) | ((bytes[index + 2]! & 7) << 3) | (bytes[index + 3]! & 7);
      index += 4;
    } else {
      target[to++] = byte;
      index++;
    }
  }
  return to;
}

/**
 * Escapes bytes as tmux does for `%output`: the inverse of decoding. For recorders, proxies and tests.
 *
 * Cost: O(n), one allocation.
 * @param bytes - what a pane wrote
 * @returns a new array (owned by the caller), up to four times as long
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { escapeOutput } from '@millrace/tmux-proto';
 *
 * const raw = escapeOutput(new TextEncoder().encode('a\\\r\n'));
 * assert.equal(new TextDecoder().decode(raw), 'a\\134\\015\\012');
 * ```
 */
export function escapeOutput(bytes: Uint8Array): Uint8Array {
  const escaped = new Uint8Array(bytes.length * 4);
  let to = 0;
  for (const byte of bytes) {
    if (byte < 0x20 || byte === BACKSLASH) {
      escaped[to++] = BACKSLASH;
      escaped[to++] = 0x30 | (byte >> 6);
      escaped[to++] = 0x30 | ((byte >> 3) & 7);
      escaped[to++] = 0x30 | (byte & 7);
    } else {
      escaped[to++] = byte;
    }
  }
  return escaped.slice(0, to);
}
