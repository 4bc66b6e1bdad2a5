/**
 * Turns a screen and what the tracker knows into the bytes that bring any terminal into that state.
 *
 * ```text
 * end of sequences · begin of a synchronised update · reset what is set below
 *   · hidden screen, its cursor and pen, 1049 · history, backgrounds of erased cells, rows · tabs · region · saved cursor · origin · cursor (its row again, if it waits to wrap) · modes · pen, sets
 *   · end of the update · the character before the cursor again, if it was the last thing printed
 *   · the sequence and the character that the stream is inside of
 * ```
 *
 * V1: the bytes don't depend on the terminal's state before, except for modes that neither tmux nor the stream
 *     has told: those stay as they are.
 * V2: a terminal that knows synchronised updates (mode 2026) shows the old screen or the new one, nothing between. A
 *     program's own update that is under way is ended: what tmux has of it is shown.
 * V3: rows are painted by absolute position with default margins and without wrapping, so no row disturbs another.
 */
import type { Backgrounds } from './backgrounds.ts';
import { replayable } from './grammar.ts';
import { Pen } from './pen.ts';
import type { Screen } from './screen.ts';
import type { StreamTracker } from './tracker.ts';
import { widthOf } from './width.ts';

const mode = (number: number, on: boolean): string => `\x1b[?${number}${on ? 'h' : 'l'}`;
const place = (x: number, y: number): string => `\x1b[${y + 1};${x + 1}H`;

// What a program may have left: a string or sequence, a hyperlink, an update, the alternate screen, region, origin,
// insert, modes, sets.
const prelude =
  '\x18\x1b\\\x1b]8;;\x1b\\\x1b[?2026l\x1b[?2026h\x1b[?1049l\x1b[?69l\x1b[r\x1b[?6l\x1b[4l\x1b[?7h\x1b[0m\x1b(B\x1b)0\x0f' +
  '\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[H\x1b[2J';

/** The sets that captured rows are painted with. */
const plainSets = '\x1b(B\x1b)0\x0f';
const setsOf = ({ sets, shift }: { readonly sets: readonly [string, string]; shift: number }) =>
  `\x1b(${sets[0]}\x1b)${sets[1]}${shift === 1 ? '\x0e' : '\x0f'}`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const sgrHere = /\x1b\[([\d;:]*)m/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const linkHere = /\x1b\]8;[^\x1b]*\x1b\\/y;

/** A character of a captured row, with what joins it. */
interface CapturedCell {
  readonly x: number;
  readonly width: number;
  readonly pen: Pen;
  /** It is line drawing: its letter stands for something else. */
  readonly drawn: boolean;
  text: string;
}

/** What stands where in a captured row, as far as the widths of its characters are certain; whether that is all of it. */
function cellsOf(
  row: string,
  from: Pen,
  shift: string,
): { cells: CapturedCell[]; isWhole: boolean } {
  const pen = from.clone();
  const cells: CapturedCell[] = [];
  let drawn = shift === '\x0e';
  let x = 0;
  let at = 0;
  while (at < row.length) {
    const code = row.codePointAt(at)!;
    if (code === 0x1b) {
      sgrHere.lastIndex = linkHere.lastIndex = at;
      const match = sgrHere.exec(row);
      const passed = match ?? linkHere.exec(row);
      if (passed === null) return { cells, isWhole: false };
      if (match !== null) pen.apply(match[1]!);
      at += passed[0].length;
      continue;
    }
    at += code > 0xffff ? 2 : 1;
    if (code === 0x0e || code === 0x0f) {
      drawn = code === 0x0e;
      continue;
    }
    const width = widthOf(code);
    if (width < 0) return { cells, isWhole: false };
    const text = String.fromCodePoint(code);
    if (width > 0) cells.push({ x, width, pen: pen.clone(), drawn, text });
    else if (cells.length > 0) cells.at(-1)!.text += text;
    x += width;
  }
  return { cells, isWhole: true };
}

/** The pen at the beginning of each of `rows`, which follow `before`. */
function* penAtRows(screen: Screen): Generator<{ row: string; pen: Pen; shift: string }> {
  const pen = new Pen(true);
  let shift = '\x0f';
  const pass = (row: string): void => {
    pen.follow(row);
    const last = Math.max(row.lastIndexOf('\x0e'), row.lastIndexOf('\x0f'));
    if (last >= 0) shift = row[last]!;
  };
  for (const row of screen.history) pass(row);
  for (const row of screen.rows) {
    yield { row, pen: pen.clone(), shift };
    pass(row);
  }
}

/** Returns the character that ends before column `x` of row `y`, or undefined if that can't be told. */
export function cellBefore(screen: Screen, x: number, y: number): CapturedCell | undefined {
  let index = 0;
  for (const { row, pen, shift } of penAtRows(screen)) {
    if (index++ === y)
      return cellsOf(row, pen, shift).cells.find((cell) => cell.x + cell.width === x);
  }
  return undefined;
}

/** Paints rows from the top, one screen high: under them what was erased right of their text (B1), if tmux doesn't tell. */
function paintRows(rows: readonly string[], backgrounds: Backgrounds | undefined): string {
  let text = '\x1b[0m\x0f';
  for (let y = 0; y < rows.length; y++) {
    for (const { x, background } of backgrounds?.rows[y] ?? []) {
      text += `${place(x, y)}\x1b[0;${background}m\x1b[K`;
    }
  }
  text += '\x1b[0m';
  for (let y = 0; y < rows.length; y++) if (rows[y] !== '') text += place(0, y) + rows[y];
  return `${text}\x1b[0m\x0f`;
}

/** History is printed as lines that scroll away; the screen is cleared after it. */
function paintHistory(screen: Screen, wanted: boolean): string {
  if (!wanted || screen.history.length === 0) return '';
  // Printed from the bottom row, each line pushes one up; then the last of them are pushed off the screen.
  const lines = screen.history.map((row) => `${row}\r\n`).join('');
  const off = '\r\n'.repeat(Math.max(0, screen.height - 1));
  return `\x1b[3J\x1b[0m\x0f${lines}\x1b[0m${off}\x1b[H`;
}

function paintTabs(screen: Screen): string {
  let text = '\x1b[3g';
  for (const x of screen.tabs) if (x < screen.columns) text += `${place(x, 0)}\x1bH`;
  return text;
}

/** The cursor; in the state before a wrap, its row is printed again up to the last column. */
function paintCursor(screen: Screen): string {
  const { x, y, columns, origin, top } = screen;
  const row = origin ? y - top : y;
  if (x < columns) return place(x, row);
  let index = 0;
  for (const { row: cells, pen, shift } of penAtRows(screen)) {
    if (index++ !== y) continue;
    const known = cellsOf(cells, pen, shift);
    const last = known.cells.at(-1);
    const end = last === undefined ? 0 : last.x + last.width;
    // Where widths are disputed nothing is known to be missing: the last column was printed.
    const padding = known.isWhole && end < columns ? `\x1b[0m${' '.repeat(columns - end)}` : '';
    return `${place(0, row)}${pen.sgr()}${shift}${cells}${padding}`;
  }
  return place(columns - 1, row);
}

/**
 * Returns the bytes that bring a terminal of the pane's size into the state of `screen` and `tracker`.
 *
 * @param history - whether the terminal's scrollback is replaced by the screen's history
 */
export function paint(screen: Screen, tracker: StreamTracker, history: boolean): Uint8Array {
  const { saved, sets } = tracker;
  const { tellsErased } = tracker.dialect;
  let text = prelude;
  if (screen.alternate) {
    text +=
      paintHistory(screen, history) +
      paintRows(screen.hidden, tellsErased ? undefined : tracker.screens.hidden.backgrounds);
    const x = Math.min(screen.hiddenX, screen.columns - 1);
    const y = Math.min(screen.hiddenY, screen.height - 1);
    // Terminals save the sets too, and tmux leaves them as they are: the same, unless they change meanwhile.
    const kept = tracker.screens.pen.sgr() + setsOf(tracker);
    text += `${place(x, y)}${kept}${mode(1049, true)}${plainSets}\x1b[0m\x1b[H\x1b[2J`;
  } else text += paintHistory(screen, history);
  // The colours of the capture go on from its history.
  const [first] = penAtRows(screen);
  const before = first === undefined ? '' : first.pen.sgr() + first.shift;
  text += paintRows(
    [before + (screen.rows[0] ?? ''), ...screen.rows.slice(1)],
    tellsErased ? undefined : tracker.shown.backgrounds,
  );
  text += paintTabs(screen);
  text += `${place(Math.max(0, saved.x), Math.max(0, saved.y))}${saved.pen.sgr()}${setsOf(saved)}\x1b7`;
  text += `\x1b[0m${plainSets}`;
  if (screen.top !== 0 || screen.bottom !== screen.height - 1) {
    text += `\x1b[${screen.top + 1};${screen.bottom + 1}r`;
  }
  if (screen.origin) text += mode(6, true);
  text += paintCursor(screen);
  text += mode(25, screen.cursorVisible) + mode(1, screen.cursorKeys);
  text += screen.keypad ? '\x1b=' : '\x1b>';
  for (const number of screen.mouse) text += mode(number, true);
  for (const [number, on] of tracker.modes) text += mode(number, on);
  if (tracker.cursorStyle !== undefined) text += `\x1b[${tracker.cursorStyle} q`;
  text += tracker.palette.sequences();
  if (screen.insert) text += '\x1b[4h';
  if (!screen.wrap) text += mode(7, false);
  text += mode(2026, false);
  text += `\x1b]2;${screen.title}\x1b\\`;
  const colours = tracker.pen.sgr();
  const link = tracker.link === '' ? '' : `\x1b]8;${tracker.link}\x1b\\`;
  const pen = `${colours}${setsOf(tracker)}${link}`;
  const again = tracker.justPrinted ? cellBefore(screen, screen.x, screen.y) : undefined;
  // After dropped output the sets are a guess: what they would show otherwise stays as it was painted.
  if (again === undefined || again.drawn !== (sets[tracker.shift] === '0')) text += pen;
  else {
    // Printed once more as the very last thing, so that a combining mark finds it; in insert mode over its own gap.
    const row = screen.origin ? screen.y - screen.top : screen.y;
    const gap = screen.insert ? `\x1b[${again.width}P` : '';
    text += `${place(again.x, row)}${gap}${pen}${again.text}`;
  }
  const painted = Buffer.from(text, 'utf8');
  return Buffer.concat([painted, replayable(screen.pending), tracker.cut]);
}
