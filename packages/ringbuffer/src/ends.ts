/**
 * How an end of a ring ends: once, by its owner (`close`) or by a third party (`markDead`), with a reason.
 *
 * ```text
 * word  +0      +1       +2 .. +15
 *       | state | length | reason, UTF-8, at most 56 bytes |
 * ```
 * E1: `state` goes 0 (open) -> 1 (someone writes the reason) -> 2 (closed) or 3 (dead). Who moved it from 0 to 1
 *     writes and moves it on; it counts as open until then. A thread that dies at 1 would leave it there, so
 *     `markDead` may move 1 to 4: dead, and the reason isn't to be read.
 * E2: the reason is read only after a load of 2 or 3, which follows its plain writes.
 */
import type { RingEnd } from './errors.ts';

const OPEN = 0;
const ENDING = 1;
const CLOSED = 2;
const DEAD = 3;
const DEAD_WITHOUT_REASON = 4;
const REASON_BYTES_MAX = 56;

/** Ends the end, unless it has ended already; returns whether this call did it. */
export function endOnce(
  words: Int32Array,
  end: number,
  how: RingEnd['how'],
  reason: string,
): boolean {
  const state = Atomics.compareExchange(words, end, OPEN, ENDING); // E1
  if (state === OPEN) {
    words[end + 1] = reason === '' ? 0 : writeReason(words, end, reason);
    const next = how === 'closed' ? CLOSED : DEAD;
    return Atomics.compareExchange(words, end, ENDING, next) === ENDING;
  }
  if (state !== ENDING || how === 'closed') return false;
  return Atomics.compareExchange(words, end, ENDING, DEAD_WITHOUT_REASON) === ENDING;
}

function writeReason(words: Int32Array, end: number, reason: string): number {
  const text = bytesOf(reason);
  let length = Math.min(text.length, REASON_BYTES_MAX);
  // Cut between characters: a continuation byte is 10xxxxxx, and behind the text there is none.
  while ((text[length]! & 0xc0) === 0x80) length--;
  for (let i = 0; i < length; i++) {
    const word = end + 2 + (i >> 2);
    const shift = (i & 3) << 3;
    words[word] = (words[word]! & ~(0xff << shift)) | (text[i]! << shift);
  }
  return length;
}

/** Whether the end has ended. */
export const hasEnded = (words: Int32Array, end: number): boolean =>
  Atomics.load(words, end) >= CLOSED;

/** How the end ended; undefined while it is open. */
export function readEnd(words: Int32Array, end: number): RingEnd | undefined {
  const state = Atomics.load(words, end);
  if (state < CLOSED) return undefined;
  const how = state === CLOSED ? 'closed' : 'dead';
  if (state === DEAD_WITHOUT_REASON) return { how, reason: '' };
  const length = Math.max(0, Math.min(words[end + 1]!, REASON_BYTES_MAX)); // E2
  const text = new Uint8Array(length);
  // mutant-ok index-off-by-one: a byte behind the end of the text goes nowhere
  for (let i = 0; i < length; i++) {
    text[i] = words[end + 2 + (i >> 2)]! >>> ((i & 3) << 3);
  }
  return { how, reason: textOf(text) };
}

/** UTF-8. Audio worklets have neither coder; they get along with ASCII. */
const bytesOf = (text: string): Uint8Array =>
  typeof TextEncoder === 'function'
    ? new TextEncoder().encode(text)
    : Uint8Array.from(text, (letter) => (letter < '\x80' ? letter.charCodeAt(0) : 0x3f));
const textOf = (bytes: Uint8Array): string =>
  typeof TextDecoder === 'function'
    ? new TextDecoder().decode(bytes)
    : String.fromCharCode(...bytes);
