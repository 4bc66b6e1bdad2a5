/**
 * What tmux shows: rows and cursor as `capture-pane` and `display-message` tell them, and, where these can't be the
 * whole truth, cell by cell.
 *
 * `capture-pane` tells nothing of half a character whose other half was erased, so what is right of it is told in the
 * wrong column. tmux does tell what is under the cursor (`cursor_character`, empty for what isn't a cell of its own);
 * so the cursor is led over a row, by the one who owns the pane.
 */
import type { Pane, Session } from '@millrace/bridge';
import { capturedRows } from '../../src/resync/captured-rows.ts';
import { dialectOf } from '../../src/resync/dialect.ts';
import { widthOf } from '../../src/resync/width.ts';
import { cellsOf, newTerminal, paintedRows, written } from '../support/cells.ts';

/** What tmux shows; cells that it doesn't report are `undefined`. */
export interface Truth {
  readonly cells: (string | undefined)[][];
  readonly cursor: string;
  /** The rows as they were told. */
  readonly told: readonly string[];
  readonly columns: number;
}

interface Captured {
  readonly told: readonly string[];
  readonly rows: readonly string[];
  readonly cursor: string;
}

/** Returns the pane's rows, told and without tabs, and its cursor. */
export async function capture(session: Session, pane: Pane): Promise<Captured> {
  const target = `%${pane.id}`;
  const [screen, told] = await Promise.all([
    session.command('capture-pane', '-p', '-e', '-N', '-t', target),
    session.command(
      'display-message',
      '-p',
      '-t',
      target,
      '#{cursor_x},#{cursor_y};#{pane_width};#{pane_tabs}',
    ),
  ]);
  const [cursor, columns, stops] = told.lines[0]!.split(';');
  const tabs = stops!.split(',').filter(Boolean).map(Number);
  const at = { columns: Number(columns), tabs };
  const { rows } = capturedRows(screen.lines, dialectOf(session.version), at);
  return { told: screen.lines, rows, cursor: cursor! };
}

/** Cells that rows of bytes paint. */
async function painted(rows: readonly string[], columns: number): Promise<Truth['cells']> {
  const terminal = newTerminal(columns, rows.length);
  await written(terminal, paintedRows(rows));
  const cells = cellsOf(terminal, true);
  terminal.dispose();
  return cells;
}

/** Returns what tmux tells of a pane. */
export async function truthOf(session: Session, pane: Pane, columns: number): Promise<Truth> {
  const { told, rows, cursor } = await capture(session, pane);
  return { cells: await painted(rows, columns), cursor, told, columns };
}

/** Moves the pane's cursor as its program would, and waits until tmux has done it. */
export type Move = (bytes: string) => Promise<void>;

/** What tmux has in each column of a row; '' for what isn't a cell of its own. */
async function columnsOf(
  session: Session,
  pane: Pane,
  move: Move,
  y: number,
  columns: number,
): Promise<string[]> {
  const cells: string[] = [];
  for (let x = 0; x < columns; x++) {
    await move(`\x1b[${y + 1};${x + 1}H`);
    const { lines } = await session.command(
      'display-message',
      '-p',
      '-t',
      `%${pane.id}`,
      '[#{cursor_character}]',
    );
    cells.push(lines[0]!.slice(1, -1));
  }
  return cells;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what stands between characters
const partOf = /\x1b\[[\d;:]*m|\x1b\]8;[^\x1b]*\x1b\\|./gsu;

/**
 * Returns the same truth with every character of some rows in the column where tmux has it, and the columns of halves
 * as `undefined`: a terminal has something of its own there.
 */
export async function inColumns(
  truth: Truth,
  rows: readonly number[],
  session: Session,
  pane: Pane,
  move: Move,
): Promise<Truth> {
  const { told, columns } = truth;
  const placed = told.slice();
  const halves: [y: number, x: number][] = [];
  // What is cut off here may have been the end of line drawing, which the two restore differently.
  await move('\x1b\\\x1b\\\x1b[?6l\x1b(B\x0f');
  for (const y of rows) {
    const found = await columnsOf(session, pane, move, y, columns);
    let text = '';
    let x = 0;
    const pass = (): void => {
      while (x < columns && found[x] === '') halves.push([y, x++]);
    };
    for (const [part] of told[y]!.matchAll(partOf)) {
      const code = part.codePointAt(0)!;
      const width = part === '\t' ? 1 : code < 0x20 ? 0 : widthOf(code);
      if (width <= 0) {
        text += part;
        continue;
      }
      pass();
      text += `\x1b[${y + 1};${x + 1}H`;
      if (part === '\t') {
        do text += ' ';
        while (++x < columns && found[x] === '');
      } else if (width === 1) {
        text += part;
        x++;
      } else if (found[x + 1] === '') {
        text += part;
        x += 2;
      } else {
        halves.push([y, x++]);
      }
    }
    pass();
    placed[y] = text;
  }
  const { rows: others } = capturedRows(placed, dialectOf('3.3a'), { columns, tabs: [] });
  const cells = await painted(others, columns);
  for (const [y, x] of halves) cells[y]![x] = undefined;
  return { ...truth, cells };
}
