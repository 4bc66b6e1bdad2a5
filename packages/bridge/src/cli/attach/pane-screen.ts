/** One pane of the mirrored window: a headless terminal that a pipe keeps current, and its cells as text and style. */
import { createRequire } from 'node:module';
import type { IBufferCell, Terminal } from '@xterm/headless';
import type { Pipe } from '../../deliver/pipe.ts';
import type { Pane } from '../../pane.ts';
import { xtermSink } from '../../sinks/xterm.ts';
import type { Frame } from './frame.ts';

// A CommonJS module whose names Node can't see: `require` gives them all.
const { Terminal: HeadlessTerminal } = createRequire(import.meta.url)(
  '@xterm/headless',
) as typeof import('@xterm/headless');

/** Bytes that wait for the terminal before the pane skips: some tens of milliseconds of drawing. */
const bytesHigh = 65_536;

/** Returns a colour as parameters of SGR: 38 or 48 leads, 39 or 49 is the default. */
function colour(lead: 38 | 48, isDefault: boolean, isRgb: boolean, value: number): string {
  if (isDefault) return '';
  if (isRgb) return `;${lead};2;${value >> 16};${(value >> 8) & 255};${value & 255}`;
  if (value < 8) return `;${lead - 8 + value}`;
  return value < 16 ? `;${lead + 44 + value}` : `;${lead};5;${value}`;
}

const attributes = (cell: IBufferCell): string =>
  (cell.isBold() ? ';1' : '') +
  (cell.isDim() ? ';2' : '') +
  (cell.isItalic() ? ';3' : '') +
  (cell.isUnderline() ? ';4' : '') +
  (cell.isBlink() ? ';5' : '') +
  (cell.isInverse() ? ';7' : '') +
  (cell.isInvisible() ? ';8' : '') +
  (cell.isStrikethrough() ? ';9' : '') +
  (cell.isOverline() ? ';53' : '');

/** Returns the SGR sequence of a cell, empty for the default. */
export function styleOf(cell: IBufferCell): string {
  if (cell.isAttributeDefault()) return '';
  const parameters =
    attributes(cell) +
    colour(38, cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor()) +
    colour(48, cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor());
  return parameters === '' ? '' : `\x1b[${parameters.slice(1)}m`;
}

/** A pane's screen. */
export class PaneScreen {
  readonly pane: Pane;
  /** The pane's size, as the terminal has it: tmux's, from when the bytes that were written for it are drawn. */
  columns: number;
  rows: number;
  readonly pipe: Pipe;
  readonly #terminal: Terminal;
  /** Whether the program shows the cursor. */
  cursorVisible = true;

  /**
   * @param changed - called when the screen may look different
   */
  constructor(pane: Pane, columns: number, rows: number, changed: () => void) {
    this.pane = pane;
    this.columns = columns;
    this.rows = rows;
    // xterm.js refuses a single column; the cells beyond the pane are never looked at.
    const size = { cols: Math.max(2, columns), rows: Math.max(1, rows) };
    const terminal = new HeadlessTerminal({ ...size, scrollback: 0, allowProposedApi: true });
    this.#terminal = terminal;
    const follow = (visible: boolean) => (parameters: (number | number[])[]) => {
      if (parameters.includes(25)) this.cursorVisible = visible;
      return false; // xterm.js handles it as well
    };
    terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, follow(true));
    terminal.parser.registerCsiHandler({ prefix: '?', final: 'l' }, follow(false));
    terminal.onWriteParsed(changed);
    const sink = xtermSink(terminal);
    const resize = (width: number, height: number): void => {
      this.columns = width;
      this.rows = height;
      sink.resize!(Math.max(2, width), height);
      changed();
    };
    this.pipe = pane.pipe({ ...sink, resize }, { policy: 'latest', bytesHigh });
  }

  /** Column of the cursor in the pane. */
  get cursorColumn(): number {
    return Math.min(this.#terminal.buffer.active.cursorX, this.columns - 1);
  }

  /** Row of the cursor in the pane. */
  get cursorRow(): number {
    return this.#terminal.buffer.active.cursorY;
  }

  /** The modes that the user's own terminal must have for keys to arrive as the program wants them, as bytes. */
  get inputModes(): string {
    const { applicationCursorKeysMode, applicationKeypadMode, bracketedPasteMode } =
      this.#terminal.modes;
    return (
      (applicationCursorKeysMode ? '\x1b[?1h' : '\x1b[?1l') +
      (applicationKeypadMode ? '\x1b=' : '\x1b>') +
      (bracketedPasteMode ? '\x1b[?2004h' : '\x1b[?2004l')
    );
  }

  /** Copies the cells into a frame. Cost: one pass; cells that aren't plain cost a string each. */
  draw(frame: Frame, x: number, y: number): void {
    const buffer = this.#terminal.buffer.active;
    let cell: IBufferCell | undefined;
    for (let row = 0; row < this.rows && y + row < frame.rows; row++) {
      const line = buffer.getLine(buffer.baseY + row);
      for (let column = 0; column < this.columns; column++) {
        cell = line?.getCell(column, cell);
        if (cell === undefined) {
          frame.set(x + column, y + row, ' ', '');
          continue;
        }
        // A wide character that the edge cuts would push the border away.
        const isCut = cell.getWidth() === 2 && column === this.columns - 1;
        const text = cell.getWidth() === 0 ? '' : cell.getChars() || ' ';
        frame.set(x + column, y + row, isCut ? ' ' : text, styleOf(cell));
      }
    }
  }

  /** Ends the pipe and forgets the terminal. */
  async close(): Promise<void> {
    await this.pipe.close({ timeoutMs: 100 });
    this.#terminal.dispose();
  }
}
