/**
 * Rows as `capture-pane -e -N` tells them, brought into one form whatever the version of tmux: no tabs, nothing right
 * of the last cell that isn't blank.
 *
 * R1: a blank cell is a space with the default pen. Terminals begin with those, so leaving them out changes nothing.
 * R2: a tab reaches as far as is known, else to the next stop, as they are now. Where an earlier character's width is
 *     disputed, it stays a tab.
 * R3: each character stands in the column that tmux has it in. tmux tells nothing of the right half of a character
 *     whose left one is gone, and tells a left half as the whole (halves.ts): both are blank, as terminals show them.
 */
import type { Dialect } from './dialect.ts';
import { type Halves, isRight, left, narrow, right, unknown, type WideRow } from './halves.ts';
import { Pen } from './pen.ts';
import { widthOf } from './width.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const sgr = /\x1b\[[\d;:]*m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const sequenceHere = /\x1b(?:\[[\d;:]*m|\]8;[^\x1b]*\x1b\\)/y;
const plain = new Pen(true).sgr();

/** tmux 3.3a writes the overline attribute as `5:3`, which terminals take for blinking or for nothing. */
const repaired = (row: string): string =>
  row.includes('5:3')
    ? row.replace(sgr, (found) => found.replace(/(?<![\d:])5:3(?![\d:])/, '53'))
    : row;

/** Where a row's characters are printed. */
interface Stops {
  readonly columns: number;
  /** Columns with a tab stop, ascending. */
  readonly tabs: readonly number[];
}

/** A row whose characters stand where tmux has their cells. */
interface PlacedRow {
  readonly text: string;
  /** What each column holds, as far as it is told. */
  readonly kinds: Uint8Array;
  /** It has half of a character. */
  readonly cut: boolean;
  /** It may have one where that isn't known. */
  readonly doubtful: boolean;
  /** A tab's width is a guess (R2). */
  readonly guessed: boolean;
}

/** Walks along a told row, column by column, beside what is known of them (R3). */
class Placing {
  readonly #known: WideRow | undefined;
  readonly #stops: Stops;
  readonly #kinds: Uint8Array;
  #x = 0;
  #text = '';
  #cut = false;
  #disagrees = false;
  #guessed = false;
  /** A wide character stands where nothing was known: it may be half of one. */
  #widened = false;

  constructor(known: WideRow | undefined, stops: Stops) {
    this.#known = known;
    this.#stops = stops;
    this.#kinds = known?.kinds.slice() ?? new Uint8Array(stops.columns).fill(unknown);
  }

  /** @param tellsErased - the capture has all cells that tmux has made for the row */
  row(told: string, tellsErased: boolean): PlacedRow {
    const { columns } = this.#stops;
    const isWalked = this.#walk(told);
    const untold = this.#x;
    const text = this.#text;
    this.#passHalves();
    // tmux makes a quarter of a row's cells at once, then half of them, then all: if so many are told, none is missing,
    // unless a left half counts twice.
    const isProved =
      isWalked &&
      tellsErased &&
      !this.#widened &&
      [columns >> 2, columns >> 1, columns].includes(this.#x);
    if (isWalked) this.#learnBlank(untold);
    const isAllKnown = this.#known?.kinds.every((kind) => kind <= right) ?? false;
    const isDoubted = this.#known?.doubtful === true && !isAllKnown && !isProved;
    return {
      text,
      kinds: this.#kinds,
      cut: this.#cut,
      doubtful: isDoubted || this.#disagrees,
      guessed: this.#guessed,
    };
  }

  /** Places all characters, up to one of disputed width; returns whether there was none. */
  #walk(told: string): boolean {
    for (let at = 0; at < told.length; ) {
      const code = told.codePointAt(at)!;
      const from = at;
      at += code > 0xffff ? 2 : 1;
      if (code === 0x09) this.#tab();
      else if (code === 0x1b) {
        sequenceHere.lastIndex = from;
        at = from + (sequenceHere.exec(told)?.[0].length ?? 1);
        this.#text += told.slice(from, at);
      } else {
        const width = code < 0x20 ? 0 : widthOf(code);
        if (width < 0) {
          this.#text += told.slice(from);
          this.#kinds.fill(unknown, this.#x);
          return false;
        }
        if (width > 0) this.#place(told.slice(from, at), width);
        else this.#text += told.slice(from, at);
      }
    }
    return true;
  }

  #kind(ahead = 0): number {
    return this.#kinds[this.#x + ahead] ?? narrow;
  }

  #put(text: string, width: number, first: number, others: number): void {
    this.#text += text;
    this.#kinds.fill(others, this.#x, this.#x + width);
    this.#kinds[this.#x] = first;
    this.#x += width;
  }

  /** Halves that aren't told take a column each. */
  #passHalves(): void {
    while (this.#kind() === right && this.#x < this.#stops.columns) {
      this.#cut = true;
      this.#put(' ', 1, right, right);
    }
  }

  #place(character: string, width: number): void {
    this.#passHalves();
    const kind = this.#kind();
    if (width === 1) {
      this.#disagrees ||= kind === left || this.#x >= this.#stops.columns;
      this.#put(character, 1, narrow, narrow);
    } else {
      this.#disagrees ||= kind !== left && kind !== unknown;
      const next = this.#kind(1);
      const isCut = kind === left ? next !== right : kind === unknown && next !== unknown;
      this.#cut ||= isCut;
      if (isCut) this.#put(' ', 1, left, left);
      else {
        this.#widened ||= kind === unknown;
        this.#put(character, 2, left, right);
      }
    }
  }

  #tab(): void {
    this.#passHalves();
    const { columns, tabs } = this.#stops;
    const kind = this.#kind();
    this.#disagrees ||= kind === narrow;
    this.#widened ||= kind === unknown;
    const next = tabs.find((tab) => tab > this.#x) ?? columns - 1;
    const stop = Math.max(this.#x + 1, Math.min(next, columns - 1));
    let end = this.#x + 1;
    for (; end < columns; end++) {
      const passed = this.#kinds[end];
      if (kind === narrow ? end >= stop : passed === unknown ? end >= stop : !isRight(passed))
        break;
      this.#guessed ||= passed === unknown;
    }
    this.#put(' '.repeat(end - this.#x), end - this.#x, left, right);
  }

  /** What isn't told is blank. */
  #learnBlank(from: number): void {
    for (let x = from; x < this.#kinds.length; x++) {
      if (this.#kinds[x] !== left && this.#kinds[x] !== right) this.#kinds[x] = narrow;
    }
  }
}

/** Rows of a capture in the form above, and whether tabs in them are as wide as it is guessed. */
export interface CapturedRows {
  readonly rows: string[];
  readonly guessed: boolean;
}

/** What is known of captured rows. */
interface Known {
  /** So many rows of them are above the screen. @defaultValue 0 */
  readonly above?: number;
  /** A row that is left as long as it is: the cursor's, where a space may be what was printed last. */
  readonly whole?: number;
  /** Halves on the screen at the moment of the capture; they learn what it tells. */
  readonly halves?: Halves;
  /** Tab stops are not what they were when tabs were printed. */
  readonly moved?: boolean;
}

/** Returns rows that follow each other in one capture, in the form above. */
export function capturedRows(
  rows: readonly string[],
  dialect: Dialect,
  stops: Stops,
  { above = 0, whole = -1, halves, moved = false }: Known = {},
): CapturedRows {
  const pen = new Pen(true);
  let guessed = false;
  const placed = rows.map((told, index) => {
    let row = repaired(told);
    const known = index < above ? undefined : halves?.row(index - above);
    if (known !== undefined || row.includes('\t')) {
      const found = new Placing(known, stops).row(row, dialect.tellsErased);
      row = found.text;
      guessed ||= found.guessed;
      if (known !== undefined && !(found.guessed && moved)) halves?.learn(index - above, found);
    }
    if (!dialect.tellsErased) return row;
    pen.follow(row);
    return row.endsWith(' ') && index !== whole && pen.sgr() === plain
      ? row.replace(/ +$/, '')
      : row;
  });
  return { rows: placed, guessed };
}

/** Whether stops are as a terminal has them at first: every eighth column. */
export const areDefault = (tabs: readonly number[], columns: number): boolean =>
  tabs.length === Math.max(0, Math.ceil(columns / 8) - 1) &&
  tabs.every((tab, index) => tab === 8 * (index + 1));
