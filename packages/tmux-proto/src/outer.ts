/**
 * What is round control mode: finds the start of it in a terminal's stream, and passes all else through.
 *
 * `tmux -CC` writes `ESC P 1000 p` once, then lines, then `ESC \`. Before, between and after is a shell's
 * text. With the framing `auto` a first line that starts with a word of the protocol counts too.
 *
 * O1: bytes that may become the introducer, or a first word, are held back, at most 34 of them; every other
 *     byte is passed on in the push that brought it.
 */
import { isKnownWord } from './notifications.ts';

const INTRODUCER = [0x1b, 0x50, 0x31, 0x30, 0x30, 0x30, 0x70]; // ESC P 1 0 0 0 p
const WORD_MAX = 32;

/** What the scan met. */
export type Found = 'nothing' | 'dcs' | 'lines';

/** Incremental search for the start of control mode. */
export class OuterScan {
  /** Whether a first word may start control mode without a DCS. */
  readonly #held = new Uint8Array(WORD_MAX + 2);
  #heldLength = 0;
  #lineStart = true;
  #words: boolean;
  readonly #pass: (bytes: Uint8Array, start: number, end: number) => void;

  /**
   * @param words - whether a line that starts with a protocol word starts control mode
   * @param pass - receives what is passed through
   */
  constructor(words: boolean, pass: (bytes: Uint8Array, start: number, end: number) => void) {
    this.#words = words;
    this.#pass = pass;
  }

  /** How many bytes are held back (O1). */
  get heldBytes(): number {
    return this.#heldLength;
  }

  /** Bytes held back (O1); after `lines` was found they are the start of the first line. */
  get held(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  /** Forgets everything: text begins anew, from now on only a DCS starts control mode. */
  restart(): void {
    this.#heldLength = 0;
    this.#lineStart = true;
    this.#words = false;
  }

  /** Passes on what is held back: the stream has ended. */
  flush(): void {
    if (this.#heldLength > 0) this.#pass(this.#held, 0, this.#heldLength);
    this.#heldLength = 0;
  }

  /** Where the last scan stopped: the first byte of control mode. */
  stopped = 0;

  /** Scans `bytes[start, end)`; `stopped` says how far. After `lines`, `held` comes before that. */
  scan(bytes: Uint8Array, start: number, end: number): Found {
    let from = start; // first byte not yet passed on or held
    for (let index = start; index < end; ) {
      const byte = bytes[index]!;
      if (this.#heldLength === 0) {
        if (byte === 0x1b || (byte === 0x25 && this.#words && this.#lineStart)) {
          if (index > from) this.#pass(bytes, from, index);
          this.#held[0] = byte;
          this.#heldLength = 1;
          from = index + 1;
        }
        this.#lineStart = byte === 10;
        index++;
        continue;
      }
      const found = this.#held[0] === 0x1b ? this.#introducer(byte) : this.#word(byte);
      if (found === 'no') {
        // The held bytes are text after all; look at this byte again.
        this.#pass(this.#held, 0, this.#heldLength);
        this.#heldLength = 0;
        from = index;
        continue;
      }
      if (found !== 'more') {
        this.stopped = found === 'lines' ? index : index + 1;
        if (found === 'dcs') this.#heldLength = 0;
        return found;
      }
      this.#held[this.#heldLength++] = byte;
      from = ++index;
    }
    if (end > from) this.#pass(bytes, from, end);
    this.stopped = end;
    return 'nothing';
  }

  #introducer(byte: number): 'no' | 'more' | 'dcs' {
    if (byte !== INTRODUCER[this.#heldLength]) return 'no';
    return this.#heldLength === INTRODUCER.length - 1 ? 'dcs' : 'more';
  }

  #word(byte: number): 'no' | 'more' | 'lines' {
    if ((byte >= 0x61 && byte <= 0x7a) || byte === 0x2d) {
      return this.#heldLength < WORD_MAX ? 'more' : 'no';
    }
    if (byte !== 0x20 && byte !== 10 && byte !== 13) return 'no';
    let word = '';
    for (let index = 1; index < this.#heldLength; index++) {
      word += String.fromCharCode(this.#held[index]!);
    }
    return isKnownWord(word) ? 'lines' : 'no';
  }
}
