/**
 * What stands on the user's screen, as cells, and the shortest honest way from one frame to the next.
 *
 * ```text
 * row 0      | pane %0      │ pane %1     |   borders stand in the cells that no pane covers
 * row 1      |              ├─────────────|
 * row 2      |              │ pane %2     |
 * last row   | status line                |
 * ```
 *
 * A cell is its text (empty for the right half of a wide character) and its style (an SGR sequence). Rows that
 * didn't change are skipped, others are written from the first to the last cell that did.
 */

/** A screen of cells. */
export class Frame {
  readonly columns: number;
  readonly rows: number;
  readonly #texts: string[];
  readonly #styles: string[];

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#texts = new Array<string>(columns * rows).fill(' ');
    this.#styles = new Array<string>(columns * rows).fill('');
  }

  /** Sets a cell; outside of the frame, nothing happens. */
  set(column: number, row: number, text: string, style: string): void {
    if (column < 0 || column >= this.columns || row < 0 || row >= this.rows) return;
    const at = row * this.columns + column;
    this.#texts[at] = text;
    this.#styles[at] = style;
  }

  /** Writes plain text from a cell on; what doesn't fit is cut. */
  write(column: number, row: number, text: string, style: string): void {
    let at = column;
    for (const character of text) this.set(at++, row, character, style);
  }

  /**
   * Returns the bytes that turn a screen that shows `before` into this one; everything is written if there is none
   * or if it has another size.
   */
  difference(before: Frame | undefined): string {
    const whole =
      before === undefined || before.columns !== this.columns || before.rows !== this.rows;
    let output = whole ? '\x1b[0m\x1b[2J' : '';
    for (let row = 0; row < this.rows; row++) {
      const start = row * this.columns;
      let first = start;
      let last = start + this.columns - 1;
      if (!whole) {
        while (first <= last && this.#equal(before, first)) first++;
        while (last > first && this.#equal(before, last)) last--;
        if (first > last) continue;
      }
      // Half a wide character can't be written: begin at its left half.
      while (first > start && this.#texts[first] === '') first--;
      output += `\x1b[${row + 1};${first - start + 1}H${this.#cells(first, last)}`;
    }
    return output;
  }

  #equal(other: Frame, at: number): boolean {
    return this.#texts[at] === other.#texts[at] && this.#styles[at] === other.#styles[at];
  }

  #cells(first: number, last: number): string {
    let output = '';
    let style: string | undefined;
    for (let at = first; at <= last; at++) {
      if (this.#styles[at] !== style) {
        style = this.#styles[at];
        output += `\x1b[0m${style}`;
      }
      output += this.#texts[at];
    }
    return output;
  }
}

/** Glyphs by which of the neighbours are borders too: 1 above, 2 right, 4 below, 8 left. Ends are drawn through. */
const borders = '·│─└││┌├─┘─┴┐┤┬┼';

/** A rectangle of cells. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly rows: number;
}

/** Draws the lines between panes: every cell of the window that none of them covers. */
export function drawBorders(
  frame: Frame,
  window: Pick<Area, 'columns' | 'rows'>,
  panes: readonly Area[],
  style: string,
): void {
  const { columns, rows } = window;
  const covered = new Uint8Array(columns * rows);
  for (const { x, y, columns: width, rows: height } of panes) {
    for (let row = Math.max(0, y); row < Math.min(rows, y + height); row++) {
      covered.fill(1, row * columns + Math.max(0, x), row * columns + Math.min(columns, x + width));
    }
  }
  const isBorder = (column: number, row: number): boolean =>
    column >= 0 &&
    column < columns &&
    row >= 0 &&
    row < rows &&
    covered[row * columns + column] === 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!isBorder(column, row)) continue;
      const neighbours =
        (isBorder(column, row - 1) ? 1 : 0) |
        (isBorder(column + 1, row) ? 2 : 0) |
        (isBorder(column, row + 1) ? 4 : 0) |
        (isBorder(column - 1, row) ? 8 : 0);
      frame.set(column, row, borders[neighbours]!, style);
    }
  }
}
