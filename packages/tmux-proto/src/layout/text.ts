/**
 * Layout strings: reading, writing, checksum.
 *
 * ```text
 * layout   = "" | checksum "," cell [ "<" pane *( "," pane ) ">" ]     since 3.7: floating panes, topmost first
 * cell     = size [ "," id ] | size "{" cell *( "," cell ) "}" | size "[" cell *( "," cell ) "]"
 * size     = width "x" height "," x "," y                              x and y may be negative since 3.7
 * checksum = 4 hexadecimal digits
 * ```
 * T1: `,12` behind a cell is its pane's number, unless an `x` follows: then it is the width of the sibling.
 * T2: the checksum is a 16-bit sum, rotated right by one before each byte is added.
 * T3: the empty string is a layout without cells: tmux sends it for more panes than its buffer holds.
 */
import {
  type CellBuffer,
  CellBuffer as Cells,
  END,
  FLOATING,
  HEIGHT,
  KIND,
  PANE,
  PARENT,
  WIDTH,
  X,
  Y,
} from './cells.ts';
import { LayoutError } from './errors.ts';

const INT_MAX = 0x7fffffff;

/**
 * Returns the checksum of a layout's text (T2).
 *
 * @param body - the text behind the checksum and its comma
 * @returns 0 to 65535
 */
export function layoutChecksum(body: string): number {
  let sum = 0;
  for (let index = 0; index < body.length; index++) {
    sum = (sum >> 1) + ((sum & 1) << 15);
    sum = (sum + body.charCodeAt(index)) & 0xffff;
  }
  return sum;
}

/** Reads a layout's text into cells. */
export class LayoutReader {
  readonly cells: CellBuffer = new Cells();
  /** Index of the first floating cell, behind the tree. */
  floats = 0;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads the whole text, with its checksum verified if asked. */
  read(verify: boolean): void {
    const text = this.#text;
    if (text === '') return; // T3
    if (!/^[0-9a-f]{4},/.test(text)) throw new LayoutError('expected a checksum and ","', 0);
    if (verify) {
      const found = Number.parseInt(text.slice(0, 4), 16);
      const wanted = layoutChecksum(text.slice(5));
      if (found !== wanted) {
        throw new LayoutError(
          `checksum is ${found.toString(16)}, expected ${wanted.toString(16)}`,
          0,
        );
      }
    }
    this.#at = 5;
    this.#tree();
    this.floats = this.cells.count;
    if (text[this.#at] === '<') this.#floating();
    if (this.#at !== text.length) throw this.#unexpected();
  }

  #unexpected(): LayoutError {
    const char = this.#text[this.#at];
    return new LayoutError(
      char === undefined ? 'unexpected end' : `unexpected "${char}"`,
      this.#at,
    );
  }

  #number(signed: boolean): number {
    const from = this.#at;
    const text = this.#text;
    const negative = signed && text[from] === '-';
    if (negative) this.#at++;
    const first = this.#at;
    let value = 0;
    for (; this.#at < text.length; this.#at++) {
      const digit = text.charCodeAt(this.#at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      if (value > INT_MAX) throw new LayoutError(`a number is larger than ${INT_MAX}`, from);
    }
    if (this.#at === first) throw this.#unexpected();
    return negative ? -value : value;
  }

  #expect(char: string): void {
    if (this.#text[this.#at] !== char) throw this.#unexpected();
    this.#at++;
  }

  /** Reads size, place and number of a cell; returns its index. */
  #cell(parent: number): number {
    const width = this.#number(false);
    this.#expect('x');
    const height = this.#number(false);
    this.#expect(',');
    const x = this.#number(true);
    this.#expect(',');
    const y = this.#number(true);
    let pane = -1;
    if (this.#text[this.#at] === ',') {
      const back = this.#at++;
      const digit = this.#text.charCodeAt(this.#at) - 48;
      if (digit >= 0 && digit <= 9) pane = this.#number(false);
      if (pane < 0 || this.#text[this.#at] === 'x') {
        this.#at = back; // T1
        pane = -1;
      }
    }
    return this.cells.add(0, width, height, x, y, pane, parent);
  }

  #tree(): void {
    const { cells } = this;
    const text = this.#text;
    let parent = -1;
    for (;;) {
      const index = this.#cell(parent);
      const open = text[this.#at];
      if (open === '{' || open === '[') {
        if (cells.get(index, PANE) >= 0) throw this.#unexpected();
        cells.set(index, KIND, open === '{' ? 1 : 2);
        parent = index;
        this.#at++;
        continue;
      }
      while (parent >= 0 && text[this.#at] === (cells.get(parent, KIND) === 1 ? '}' : ']')) {
        this.#at++;
        cells.set(parent, END, cells.count); // C2
        parent = cells.get(parent, PARENT);
      }
      if (parent < 0) return;
      this.#expect(',');
    }
  }

  #floating(): void {
    const { cells } = this;
    const numbers = new Set<number>();
    do {
      this.#at++;
      const index = this.#cell(-1);
      cells.set(index, FLOATING, 1);
      numbers.add(cells.get(index, PANE));
    } while (this.#text[this.#at] === ',');
    this.#expect('>');
    for (let index = 0; index < this.floats; index++) {
      const pane = cells.get(index, PANE);
      if (pane >= 0 && numbers.has(pane)) cells.set(index, FLOATING, 1); // C3
    }
  }
}

/** Writes cells as a layout string: what {@link LayoutReader} reads. */
export function writeLayout(cells: CellBuffer, floats: number): string {
  if (cells.count === 0) return ''; // T3
  let body = '';
  const open: number[] = [];
  let first = true; // of its list
  for (let index = 0; index < cells.count; index++) {
    while (open.length > 0 && cells.get(open.at(-1)!, END) <= index) {
      body += cells.get(open.pop()!, KIND) === 1 ? '}' : ']';
    }
    if (index === floats) body += '<';
    else if (!first) body += ',';
    body += `${cells.get(index, WIDTH)}x${cells.get(index, HEIGHT)}`;
    body += `,${cells.get(index, X)},${cells.get(index, Y)}`;
    const kind = cells.get(index, KIND);
    first = kind !== 0;
    const pane = cells.get(index, PANE);
    if (kind !== 0) {
      body += kind === 1 ? '{' : '[';
      open.push(index);
    } else if (pane >= 0) body += `,${pane}`;
  }
  while (open.length > 0) body += cells.get(open.pop()!, KIND) === 1 ? '}' : ']';
  if (floats < cells.count) body += '>';
  return `${layoutChecksum(body).toString(16).padStart(4, '0')},${body}`;
}
