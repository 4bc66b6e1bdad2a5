/**
 * Guards: the lines `%begin`, `%end` and `%error` round the reply to a command.
 *
 * ```text
 * %begin 1700000000 42 1      TIME in seconds, NUMBER of the command, FLAGS (absent in tmux 1.8)
 * ...reply lines, not escaped, may look like anything...
 * %end 1700000000 42 1        closes only when all fields are the same text
 * ```
 * G1: a guard is two or three fields of 1 to 20 digits, one space apart, nothing else.
 * G2: fields are compared as bytes, never as numbers: no precision is lost, `01` is not `1`.
 */

/** Longest accepted text of a guard's fields: three fields of 20 digits and two spaces. */
export const GUARD_BYTES_MAX = 62;
const DIGITS_MAX = 20;

/** Digits that a JS number holds exactly. */
const DIGITS_EXACT = 15;

/** The fields of `%begin`, handed to `begin` and, the same object, to `end`, `error` or `abandon`. */
export class Guard {
  /** When tmux started the command (seconds since 1970). */
  readonly time: number;
  /** Number of the command: counted for the whole server since tmux 2.4. */
  readonly number: number;
  /** Bit 0 set: the command came from this client. `undefined`: tmux 1.8, which has no flags. */
  readonly flags: number | undefined = undefined;
  /** Whether lines of this reply were dropped because of `maxBlockBytes`. Known at the end. */
  truncated = false;
  /** The text, where the numbers don't give it back (G2). */
  readonly #text: string | undefined;

  /**
   * Reads a guard.
   * @param bytes - borrowed until the constructor returns
   * @param start - first byte of the fields (included)
   * @param end - end (excluded); the fields are valid by G1
   */
  constructor(bytes: Uint8Array, start: number, end: number) {
    let at = start;
    let exact = true;
    let value = 0;
    let time = -1;
    let number = -1;
    for (let from = start; at <= end; at++) {
      const byte = bytes[at]!;
      if (at < end && byte !== 0x20) {
        value = value * 10 + byte - 0x30;
        continue;
      }
      if (at - from > DIGITS_EXACT || (bytes[from] === 0x30 && at - from > 1)) exact = false;
      if (time < 0) time = value;
      else if (number < 0) number = value;
      else this.flags = value;
      value = 0;
      from = at + 1;
    }
    this.time = time;
    this.number = number;
    if (!exact) this.#text = String.fromCharCode(...bytes.subarray(start, end));
  }

  /** The fields as tmux wrote them, for example `1700000000 42 1`. */
  get text(): string {
    const { time, number, flags } = this;
    return this.#text ?? (flags === undefined ? `${time} ${number}` : `${time} ${number} ${flags}`);
  }

  /** Whether tmux ran the command for this client; always true for tmux 1.8, which doesn't say. */
  get fromClient(): boolean {
    return this.flags === undefined || (this.flags & 1) === 1;
  }
}

/** Returns whether `bytes[start, end)` are the fields of a guard (G1). */
export function isGuardText(bytes: Uint8Array, start: number, end: number): boolean {
  let fields = 1;
  let digits = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x30 && byte <= 0x39) {
      if (++digits > DIGITS_MAX) return false;
    } else if (byte === 0x20 && digits > 0 && fields < 3) {
      fields++;
      digits = 0;
    } else {
      return false;
    }
  }
  return digits > 0 && fields >= 2;
}
