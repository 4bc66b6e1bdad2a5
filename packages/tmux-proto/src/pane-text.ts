/**
 * Text of panes: decodes UTF-8 that tmux cuts anywhere.
 *
 * U1: what the calls for a pane return, joined, is what one decoder makes of all its bytes.
 * U2: a pane keeps at most three bytes: the start of a character whose end hasn't come.
 *
 * Cost: one string a call; no allocation beside it unless a character is split.
 */

/** Second bytes that a lead byte allows, as in the Unicode standard's table 3-7; others are broken. */
const isStart = (lead: number, second: number): boolean => {
  if (lead === 0xe0) return second >= 0xa0 && second <= 0xbf;
  if (lead === 0xed) return second >= 0x80 && second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90 && second <= 0xbf;
  if (lead === 0xf4) return second >= 0x80 && second <= 0x8f;
  return (second & 0xc0) === 0x80;
};

/** Returns how many bytes at the end are the start of an unfinished character: 0 to 3. */
function unfinished(bytes: Uint8Array, start: number, end: number): number {
  const most = Math.min(3, end - start);
  for (let count = 1; count <= most; count++) {
    const lead = bytes[end - count]!;
    if (lead < 0x80) return 0;
    if (lead < 0xc0) continue;
    const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (count >= length) return 0;
    return count === 1 || isStart(lead, bytes[end - count + 1]!) ? count : 0;
  }
  return 0;
}

/** Up to this many bytes, ASCII is faster byte by byte than through a decoder. */
const SHORT = 12;

function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * Decodes the output of any number of panes to strings, carrying split characters per pane.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { PaneText } from '@millrace/tmux-proto/layers';
 *
 * const text = new PaneText();
 * const bytes = new TextEncoder().encode('é');
 * assert.equal(text.decode(1, bytes, 0, 1), '');
 * assert.equal(text.decode(1, bytes, 1, 2), 'é');
 * ```
 */
export class PaneText {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #carried = new Map<number, Uint8Array>();

  /**
   * Decodes the next bytes of a pane, with U+FFFD for what is no UTF-8.
   * @param pane - number of the pane
   * @param bytes - borrowed until the call returns
   * @param start - first byte (included)
   * @param end - end (excluded)
   * @returns what is complete; may be empty
   */
  decode(pane: number, bytes: Uint8Array, start: number = 0, end: number = bytes.length): string {
    const carried = this.#carried.size === 0 ? undefined : this.#carried.get(pane);
    if (carried === undefined && end - start <= SHORT) {
      const short = asciiText(bytes, start, end);
      if (short !== undefined) return short;
    }
    let from = bytes;
    let first = start;
    let last = end;
    if (carried !== undefined) {
      from = new Uint8Array(carried.length + end - start);
      from.set(carried);
      from.set(bytes.subarray(start, end), carried.length);
      first = 0;
      last = from.length;
    }
    const rest = unfinished(from, first, last);
    if (rest > 0) this.#carried.set(pane, from.slice(last - rest, last));
    else if (carried !== undefined) this.#carried.delete(pane);
    return last - rest === first ? '' : this.#decoder.decode(from.subarray(first, last - rest));
  }

  /**
   * Ends a pane: it was closed, or its output will go on elsewhere.
   * @param pane - number of the pane
   * @returns U+FFFD if a character was unfinished, else the empty string
   */
  flush(pane: number): string {
    return this.#carried.delete(pane) ? '\ufffd' : '';
  }
}
