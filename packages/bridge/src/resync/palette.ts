/**
 * The colours that a program gives its terminal: palette entries (`OSC 4`), foreground, background, cursor, selection
 * (`OSC 10` to `19`). tmux tells none of them, so the last of each is kept and said again.
 *
 * P1: what is kept for a colour is the last that the stream said of it: a value, or that it is the terminal's own again.
 *     A colour that the stream never set is left alone.
 * P2: at most 300 colours of at most 64 characters are kept; what doesn't fit makes `complete` false.
 */

const entriesMax = 300;
const valueLengthMax = 64;
const indexMax = 1024;
/** `OSC 10` is the first of the dynamic colours, `OSC 19` the last. */
const dynamicFirst = 10;
const dynamicLast = 19;
/** The sequence that takes one back has this added to its number. */
const takeBack = 100;

/** Whether `OSC number` is about colours. */
export const isColourCommand = (number: number): boolean => {
  const sets = number % takeBack;
  return (
    number < 2 * takeBack &&
    (sets === 4 || sets === 5 || (sets >= dynamicFirst && sets <= dynamicLast))
  );
};

/** Colours set by one pane's program. */
export class Palette {
  /** By the beginning of the sequence that sets it, `4;1` or `11`: its value, or '' for the terminal's own. */
  #colours: ReadonlyMap<string, string> = new Map();
  #complete = true;

  /** Whether all that was set is kept. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Takes another one's state. */
  assign(other: Palette): void {
    this.#colours = other.#colours; // never changed in place
    this.#complete = other.#complete;
  }

  /** `RIS`: all are the terminal's own. */
  reset(): void {
    this.#complete = true;
    if (this.#colours.size === 0) return;
    this.#colours = new Map([...this.#colours.keys()].map((key) => [key, '']));
  }

  /** `OSC number ; text`, about colours or not. */
  command(number: number, text: string): void {
    if (number === 4) this.#indexed(text.split(';'));
    else if (number === 104) this.#takeBackIndexed(text);
    else if (number >= dynamicFirst && number <= dynamicLast) this.#dynamic(number, text);
    else if (number >= dynamicFirst + takeBack && number <= dynamicLast + takeBack) {
      this.#set(String(number - takeBack), '');
    } else if (number === 5 || number === 21) this.#complete = false; // special colours, kitty's form
  }

  /** A command about colours was too long to be followed. */
  lose(): void {
    this.#complete = false;
  }

  /** Returns the sequences that set a terminal's colours so. */
  sequences(): string {
    let text = '';
    for (const [key, value] of this.#colours) {
      text += value === '' ? `\x1b]${this.#backOf(key)}\x1b\\` : `\x1b]${key};${value}\x1b\\`;
    }
    return text;
  }

  #backOf(key: string): string {
    return key.startsWith('4;') ? `104${key.slice(1)}` : String(Number(key) + takeBack);
  }

  #indexed(words: readonly string[]): void {
    for (let at = 0; at + 1 < words.length; at += 2) {
      const index = words[at]!;
      if (/^\d+$/.test(index) && Number(index) < indexMax) {
        this.#set(`4;${Number(index)}`, words[at + 1]!);
      }
    }
  }

  #takeBackIndexed(text: string): void {
    const all = [...this.#colours.keys()].filter((key) => key.startsWith('4;'));
    const keys = text === '' ? all : text.split(';').map((index) => `4;${Number(index)}`);
    for (const key of keys) if (/^4;\d+$/.test(key)) this.#set(key, '');
  }

  /** Further values are those of the colours that follow. */
  #dynamic(number: number, text: string): void {
    const values = text.split(';');
    for (let at = 0; at < values.length && number + at <= dynamicLast; at++) {
      this.#set(String(number + at), values[at]!, true);
    }
  }

  /** An empty value takes the colour back; where `skipsEmpty`, it means nothing. A question changes nothing. */
  #set(key: string, value: string, skipsEmpty = false): void {
    if (value === '?' || (value === '' && skipsEmpty)) return;
    if (value.length > valueLengthMax || (!this.#colours.has(key) && this.#full)) {
      this.#complete = false;
      return;
    }
    this.#colours = new Map(this.#colours).set(key, value);
  }

  get #full(): boolean {
    return this.#colours.size >= entriesMax;
  }
}
