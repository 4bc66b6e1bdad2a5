/**
 * Rows as `capture-pane -e -N` tells them, brought into one form whatever the version of tmux: no tabs, nothing right
 * of the last cell that isn't blank.
 *
 * R1: a blank cell is a space with the default pen. Terminals begin with those, so leaving them out changes nothing.
 * R2: a tab reaches to the next stop, as they are now. Where an earlier character's width is disputed, it stays a tab.
 */
import type { Dialect } from './dialect.ts';
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

/** Puts spaces in place of tabs (R2). */
function expanded(row: string, { columns, tabs }: Stops): string {
  let text = '';
  let x = 0;
  for (let at = 0; at < row.length; ) {
    const code = row.codePointAt(at)!;
    const from = at;
    at += code > 0xffff ? 2 : 1;
    if (code === 0x09) {
      const stop = Math.min(tabs.find((tab) => tab > x) ?? columns - 1, columns - 1);
      text += ' '.repeat(Math.max(1, stop - x));
      x = Math.max(x + 1, stop);
      continue;
    }
    if (code === 0x1b) {
      sequenceHere.lastIndex = from;
      at = from + (sequenceHere.exec(row)?.[0].length ?? 1);
    } else if (code >= 0x20) {
      const width = widthOf(code);
      if (width < 0) return text + row.slice(from);
      x += width;
    }
    text += row.slice(from, at);
  }
  return text;
}

/**
 * Returns rows that follow each other in one capture, in the form above.
 *
 * @param whole - a row that is left as long as it is: the cursor's, where a space may be what was printed last
 */
export function capturedRows(
  rows: readonly string[],
  dialect: Dialect,
  stops: Stops,
  whole = -1,
): string[] {
  if (!dialect.tellsErased) return rows.map(repaired);
  const pen = new Pen(true);
  return rows.map((told, index) => {
    const row = told.includes('\t') ? expanded(repaired(told), stops) : repaired(told);
    pen.follow(row);
    return row.endsWith(' ') && index !== whole && pen.sgr() === plain
      ? row.replace(/ +$/, '')
      : row;
  });
}

/** Whether stops are as a terminal has them at first: every eighth column. */
export const areDefault = (tabs: readonly number[], columns: number): boolean =>
  tabs.length === Math.max(0, Math.ceil(columns / 8) - 1) &&
  tabs.every((tab, index) => tab === 8 * (index + 1));
