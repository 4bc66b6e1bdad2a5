/** What an xterm.js terminal shows, cell by cell, and what it keeps to itself. */
import xterm from '@xterm/headless';

export const { Terminal } = xterm;
export type Terminal = InstanceType<typeof Terminal>;

export const newTerminal = (columns: number, rows: number, scrollback = 0): Terminal =>
  new Terminal({ cols: columns, rows, allowProposedApi: true, scrollback, logLevel: 'off' });

/** Writes and waits until it is in the terminal's buffer. */
export const written = (terminal: Terminal, bytes: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => terminal.write(bytes, resolve));

/** Every cell of a row as text: what it shows, its colours and attributes. */
function rowOf(terminal: Terminal, index: number, printedOnly: boolean): (string | undefined)[] {
  const line = terminal.buffer.active.getLine(index)!;
  return Array.from({ length: terminal.cols }, (_, x) => {
    const cell = line.getCell(x)!;
    if (printedOnly && cell.getWidth() > 0 && cell.getChars() === '') return undefined;
    const colours = `${cell.getFgColorMode()}/${cell.getFgColor()} ${cell.getBgColorMode()}/${cell.getBgColor()}`;
    const flags = [
      cell.isBold(),
      cell.isItalic(),
      cell.isDim(),
      cell.isUnderline(),
      cell.isBlink(),
      cell.isInverse(),
      cell.isInvisible(),
      cell.isStrikethrough(),
      cell.isOverline(),
    ].map((flag) => (flag ? 1 : 0));
    const shown = cell.getWidth() === 0 ? '' : cell.getChars() || ' ';
    return `${JSON.stringify(shown)} ${colours} ${flags.join('')}`;
  });
}

/** Every visible cell, row by row; with `printedOnly`, cells that were never printed are `undefined`. */
export function cellsOf(terminal: Terminal): string[][];
export function cellsOf(terminal: Terminal, printedOnly: true): (string | undefined)[][];
export function cellsOf(terminal: Terminal, printedOnly = false): (string | undefined)[][] {
  const { baseY } = terminal.buffer.active;
  return Array.from({ length: terminal.rows }, (_, y) => rowOf(terminal, baseY + y, printedOnly));
}

/** The rows above the visible ones, as text, oldest first; with a mark where a row goes on in the next. */
export function historyOf(terminal: Terminal): string[] {
  const buffer = terminal.buffer.active;
  return Array.from({ length: buffer.baseY }, (_, y) => buffer.getLine(y)!.translateToString(true));
}

/** Where two screens differ; what isn't known of the wanted one may be anything. */
export function firstDifference(
  got: string[][],
  wanted: (string | undefined)[][],
): string | undefined {
  for (let y = 0; y < wanted.length; y++) {
    for (let x = 0; x < wanted[y]!.length; x++) {
      const cell = wanted[y]![x];
      if (cell !== undefined && got[y]?.[x] !== cell)
        return `row ${y} column ${x}: ${got[y]?.[x]} instead of ${cell}`;
    }
  }
  return undefined;
}

/**
 * State that shows only later: pen, sets, region, modes. With `saved` also the saved cursor and the tab stops, of which
 * xterm.js has one set a screen, tmux one for both.
 */
export function hiddenOf(terminal: Terminal, saved: boolean): string {
  // biome-ignore lint/suspicious/noExplicitAny: xterm.js keeps this state to itself
  const core = (terminal as any)._core;
  const { buffer } = core;
  // A palette colour leaves bits of an earlier RGB colour behind.
  const part = (bits: number): string => {
    const mode = bits & 0x3000000;
    const colour = mode === 0 ? 0 : mode === 0x3000000 ? bits & 0xffffff : bits & 0xff;
    return ((bits & 0xfc000000) | mode | colour).toString(16);
  };
  const pen = (attributes: { fg: number; bg: number }): string =>
    `${part(attributes.fg)}/${part(attributes.bg)}`;
  const { glevel } = core._charsetService;
  return JSON.stringify({
    x: buffer.x,
    y: buffer.y,
    pen: pen(core._inputHandler._curAttrData),
    sets: [0, 1].map((level) => core._charsetService._charsets[level] !== undefined),
    glevel,
    region: [buffer.scrollTop, buffer.scrollBottom],
    saved: saved && [buffer.savedX, buffer.savedY, pen(buffer.savedCurAttrData)],
    // A stop in the first column, which no tabulator reaches, is set in the one and not in the other.
    tabs: saved && Object.keys(buffer.tabs).filter((x) => x !== '0' && Number(x) < terminal.cols),
    alternate: terminal.buffer.active.type,
    // An update that was under way is ended by a snapshot.
    modes: { ...terminal.modes, synchronizedOutputMode: undefined },
    style: core.coreService.decPrivateModes.cursorStyle,
    hidden: core.coreService.isCursorHidden,
  });
}

export const cursorOf = (terminal: Terminal): string => {
  const { cursorX, cursorY } = terminal.buffer.active;
  return `${cursorX},${cursorY}`;
};

/** The bytes that paint what `capture-pane -e -N` printed. */
export const paintedRows = (rows: readonly string[]): string =>
  `\x1b)0${rows
    .map((row, y) => `\x1b[${y + 1};1H${row}`)
    .join('')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: how tmux 3.3a misspells the overline
    .replace(/(\x1b\[(?:[\d;:]*;)?)5:3(?=[;m])/g, '$153')}`;
