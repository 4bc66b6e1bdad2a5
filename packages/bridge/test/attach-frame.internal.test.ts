/**
 * Goal: writing the difference between frames, one after the other, leaves the terminal with the last frame.
 * Method: random frames with styles and wide characters into a headless terminal, whose cells are compared.
 */
import { createRequire } from 'node:module';
import { fc, test } from '@fast-check/vitest';
import type { Terminal } from '@xterm/headless';
import { describe, test as example, expect } from 'vitest';
import { drawBorders, Frame } from '../src/cli/attach/frame.ts';
import { styleOf } from '../src/cli/attach/pane-screen.ts';

const { Terminal: HeadlessTerminal } = createRequire(import.meta.url)(
  '@xterm/headless',
) as typeof import('@xterm/headless');

const columns = 12;
const rows = 4;
const styles = ['', '\x1b[1;31m', '\x1b[4;38;5;200m', '\x1b[7;48;2;1;2;3m', '\x1b[92;103m'];

const text = fc.record({
  column: fc.integer({ min: 0, max: columns - 2 }),
  row: fc.integer({ min: 0, max: rows - 1 }),
  character: fc.constantFrom('a', 'é', '日', ' '),
  style: fc.constantFrom(...styles),
});
const texts = fc.array(text, { maxLength: 12 });

/** The frame, and the same as a table. */
function frameOf(list: readonly (typeof text extends fc.Arbitrary<infer Value> ? Value : never)[]) {
  const frame = new Frame(columns, rows);
  const table = new Map<number, [string, string]>();
  for (const { column, row, character, style } of list) {
    // Whoever fills a frame leaves no half of a wide character behind.
    const width = character === '日' ? 2 : 1;
    const at = row * columns + column;
    if (table.get(at)?.[0] === '' || table.get(at + width)?.[0] === '') continue;
    frame.set(column, row, character, style);
    table.set(at, [character, style]);
    if (width === 2) {
      frame.set(column + 1, row, '', style);
      table.set(at + 1, ['', style]);
    }
  }
  return { frame, table };
}

const write = (terminal: Terminal, bytes: string): Promise<void> =>
  new Promise((resolve) => terminal.write(bytes, resolve));

describe('the frame of millrace attach', () => {
  test.prop([fc.array(texts, { minLength: 1, maxLength: 5 })])(
    'is what the terminal shows after any way to it',
    async (lists) => {
      const terminal = new HeadlessTerminal({ cols: columns, rows, allowProposedApi: true });
      let before: Frame | undefined;
      for (const list of lists) {
        const { frame, table } = frameOf(list);
        await write(terminal, frame.difference(before));
        before = frame;
        for (let at = 0; at < columns * rows; at++) {
          const cell = terminal.buffer.active
            .getLine(Math.floor(at / columns))!
            .getCell(at % columns)!;
          const [character, style] = table.get(at) ?? [' ', ''];
          const shown = cell.getWidth() === 0 ? '' : cell.getChars() || ' ';
          expect([shown, styleOf(cell)]).toEqual([character, style]);
        }
      }
      terminal.dispose();
    },
  );

  example('writes nothing when nothing has changed', () => {
    expect(new Frame(columns, rows).difference(new Frame(columns, rows))).toBe('');
  });

  example('joins the lines between panes', async () => {
    const frame = new Frame(columns, rows);
    const panes = [
      { x: 0, y: 0, columns: 2, rows: 3 },
      { x: 3, y: 0, columns: 2, rows: 1 },
      { x: 3, y: 2, columns: 2, rows: 1 },
    ];
    drawBorders(frame, { columns: 5, rows: 3 }, panes, '');
    const terminal = new HeadlessTerminal({ cols: columns, rows, allowProposedApi: true });
    await write(terminal, frame.difference(undefined));
    const lines = [0, 1, 2].map((row) =>
      terminal.buffer.active.getLine(row)!.translateToString(true).trimEnd(),
    );
    expect(lines).toEqual(['  │', '  ├──', '  │']);
    terminal.dispose();
  });
});
