/**
 * The pen: the colours and attributes that the next printed character gets.
 *
 * Each of its twelve parts is known or not. A byte stream that was joined in the middle teaches them one by one
 * (`CSI 31 m` tells the foreground), a reset teaches all.
 *
 * A1: a part is the parameters that set it, in one form for each meaning, so `sgr()` gives back what was parsed.
 * A2: parameters mean what they mean to tmux (input.c): an incomplete palette colour is the default one.
 */

/** Indices of the parts, in the order in which they are written. */
const partCount = 12;
const [fg, bg, us, bold, dim, italic, underline, blink, inverse, hidden, strike, overline] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
] as const;

const subparameterCountMax = 8;

/** Parameters that set a part to its default. */
const defaults = ['39', '49', '59', '22', '22', '23', '24', '25', '27', '28', '29', '55'];

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const sgrAnywhere = /\x1b\[([\d;:]*)m/g;

/** What the pen is, as far as known. */
export class Pen {
  /** Per part: '' for its default, the parameters that set it, or undefined if unknown. */
  readonly #parts: (string | undefined)[];

  /** Makes a pen of which nothing is known, unless `known`: then it is the default one. */
  constructor(known: boolean) {
    this.#parts = new Array<string | undefined>(partCount).fill(known ? '' : undefined);
  }

  /** Whether every part is known. */
  get known(): boolean {
    return !this.#parts.includes(undefined);
  }

  /** The parameters that set the background, '' if it is the terminal's own, undefined if unknown. */
  get background(): string | undefined {
    return this.#parts[bg];
  }

  /** Takes another pen's known parts where this one's are unknown. */
  fill(other: Pen): void {
    for (let part = 0; part < this.#parts.length; part++) this.#parts[part] ??= other.#parts[part];
  }

  /** Returns what `cell` tells of the parts that are unknown here; the rest is unknown. */
  learnt(cell: Pen): Pen {
    const told = new Pen(false);
    for (let part = 0; part < this.#parts.length; part++) {
      if (this.#parts[part] === undefined) told.#parts[part] = cell.#parts[part];
    }
    return told;
  }

  /** Follows the colours of a captured row. */
  follow(row: string): void {
    for (const match of row.matchAll(sgrAnywhere)) this.apply(match[1]!);
  }

  /** Takes another pen's state. */
  assign(other: Pen): void {
    for (let part = 0; part < this.#parts.length; part++) this.#parts[part] = other.#parts[part];
  }

  /** Returns a pen of the same state. */
  clone(): Pen {
    const pen = new Pen(false);
    pen.assign(this);
    return pen;
  }

  /** Back to the default: everything is known. */
  reset(): void {
    this.#parts.fill('');
  }

  /** Forgets everything. */
  forget(): void {
    this.#parts.fill(undefined);
  }

  /** Applies the parameters of an SGR sequence: `1;31`, `38:2::1:2:3`. */
  apply(parameters: string): void {
    const list = parameters.split(';');
    for (let index = 0; index < list.length; index++) {
      const parameter = list[index]!;
      if (parameter.includes(':')) this.#applyColons(parameter);
      else index += this.#applyOne(Number(parameter || '0'), list, index);
    }
  }

  /** A parameter with subparameters sets one part as a whole. */
  #applyColons(parameter: string): void {
    const words = parameter.split(':');
    if (words.length >= subparameterCountMax) return;
    const [kind, form] = words;
    if (kind === '4') {
      if (words.length !== 2 || !/^[0-5]$/.test(form!)) return;
      this.#parts[underline] = form === '0' ? '' : form === '1' ? '4' : parameter;
    } else if (parameter === '5:3') {
      this.#parts[overline] = '53'; // how capture-pane (3.3a) misspells it
    } else if (kind === '38' || kind === '48' || kind === '58') {
      // The colour space is left out, empty, or something that nobody reads.
      if (form === '2') this.#colour(kind, words.slice(words.length === 5 ? 2 : 3));
      else if (form === '5' && words.length >= 3) this.#colour(kind, [words[2]!]);
    }
  }

  /** Sets a colour from one palette index or from red, green and blue; returns whether it is one. */
  #colour(kind: string, values: readonly (string | undefined)[]): boolean {
    const part = kind === '38' ? fg : kind === '48' ? bg : us;
    const fits = (word: string | undefined): boolean =>
      word !== undefined && /^\d+$/.test(word) && Number(word) <= 255;
    if (values.length === 1) {
      if (fits(values[0])) this.#parts[part] = `${kind};5;${Number(values[0])}`;
      else if (part !== us) this.#parts[part] = '';
      return true;
    }
    if (values.length < 3 || !values.slice(0, 3).every(fits)) return false;
    this.#parts[part] = `${kind};2;${values.slice(0, 3).map(Number).join(';')}`;
    return true;
  }

  /** Applies one parameter; returns how many more it took. */
  #applyOne(code: number, list: readonly string[], index: number): number {
    const set = this.#parts;
    if (code === 38 || code === 48 || code === 58) {
      const kind = String(code);
      const form = Number(list[index + 1] || '-1');
      // The numbers of a triple that is none are read as parameters of their own.
      if (form === 2) return this.#colour(kind, list.slice(index + 2, index + 5)) ? 4 : 1;
      if (form === 5) this.#colour(kind, [list[index + 2]]);
      return form === 5 ? 2 : 1;
    }
    if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) set[fg] = String(code);
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) set[bg] = String(code);
    else this.#applyAttribute(code);
    return 0;
  }

  #applyAttribute(code: number): void {
    const set = this.#parts;
    if (code === 0) this.reset();
    else if (code === 1) set[bold] = '1';
    else if (code === 2) set[dim] = '2';
    else if (code === 3) set[italic] = '3';
    else if (code === 4) set[underline] = '4';
    else if (code === 5 || code === 6) set[blink] = '5';
    else if (code === 7) set[inverse] = '7';
    else if (code === 8) set[hidden] = '8';
    else if (code === 9) set[strike] = '9';
    else if (code === 21) set[underline] = '4:2';
    else if (code === 22) set[bold] = set[dim] = '';
    else if (code === 53) set[overline] = '53';
    else {
      const part = defaults.indexOf(String(code));
      if (part >= 0) set[part] = '';
    }
  }

  /** Returns the sequence that makes a terminal's pen this one; unknown parts become the default. */
  sgr(): string {
    let text = '\x1b[0';
    for (const part of this.#parts) if (part) text += `;${part}`;
    return `${text}m`;
  }
}
