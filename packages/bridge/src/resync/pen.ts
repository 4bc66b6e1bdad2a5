/**
 * The pen: the colours and attributes that the next printed character gets.
 *
 * Each of its twelve parts is known or not. A byte stream that was joined in the middle teaches them one by one
 * (`CSI 31 m` tells the foreground), a reset teaches all.
 *
 * A1: a part is the parameters that set it, so `sgr()` gives back what was parsed, in any colour form.
 */

/** Indices of the parts, in the order in which they are written. */
const partCount = 12;
const [fg, bg, us, bold, dim, italic, underline, blink, inverse, hidden, strike, overline] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
] as const;

/** Parameters that set a part to its default. */
const defaults = ['39', '49', '59', '22', '22', '23', '24', '25', '27', '28', '29', '55'];

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

  /** Whether the background is known to be the terminal's own. */
  get plainBackground(): boolean {
    return this.#parts[bg] === '';
  }

  /** Whether the background is known. */
  get backgroundKnown(): boolean {
    return this.#parts[bg] !== undefined;
  }

  /** Takes another pen's parts where this one's are unknown. */
  fill(other: Pen): void {
    for (let part = 0; part < this.#parts.length; part++) this.#parts[part] ??= other.#parts[part];
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
    const kind = parameter.slice(0, parameter.indexOf(':'));
    if (kind === '38') this.#parts[fg] = parameter;
    else if (kind === '48') this.#parts[bg] = parameter;
    else if (kind === '58') this.#parts[us] = parameter;
    else if (kind === '4') this.#parts[underline] = parameter === '4:0' ? '' : parameter;
  }

  /** Applies one parameter; returns how many more it took. */
  #applyOne(code: number, list: readonly string[], index: number): number {
    const set = this.#parts;
    if (code === 38 || code === 48 || code === 58) {
      const more = list[index + 1] === '2' ? 4 : list[index + 1] === '5' ? 2 : list.length;
      // An incomplete colour is ignored by every terminal, and so is the rest of the sequence.
      if (index + more < list.length) {
        set[code === 38 ? fg : code === 48 ? bg : us] = list
          .slice(index, index + more + 1)
          .join(';');
      }
      return more;
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
