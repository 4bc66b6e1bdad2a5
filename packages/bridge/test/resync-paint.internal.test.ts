/** Goal: a snapshot shows what tmux shows, also where the tracker had to guess. Method: a screen told by hand. */
import { expect, test } from 'vitest';
import { dialectOf } from '../src/resync/dialect.ts';
import { paint } from '../src/resync/paint.ts';
import { readScreen } from '../src/resync/screen.ts';
import { StreamTracker } from '../src/resync/tracker.ts';
import { cellsOf, newTerminal, written } from './support/cells.ts';

const dialect = dialectOf('3.3a');
// 40 x 3, the cursor behind the first character.
const told = '40;3;1;0;0;2;0;0;0;1;0;0;1;0;0;0;0;0;0;0;0;2000;1;8,16,24,32;title';

test.each([
  ['a', 0, 'a'],
  ['a', 1, 'a'],
  ['\x0ea\x0f', 0, '▒'],
  ['\x0ea\x0f', 1, '▒'],
])('the character before the cursor, told as %j, stays with set G%i', async (row, shift, shown) => {
  const screen = readScreen([[told], [row, '', ''], [], []], dialect)!;
  const tracker = new StreamTracker(dialect);
  const bytes = Buffer.from('\x1bc\x1b)0a');
  tracker.push(bytes, 0, bytes.length);
  tracker.anchor(screen);
  tracker.shift = shift; // a guess, if output was dropped
  expect(tracker.justPrinted).toBe(true);
  const terminal = newTerminal(40, 3);
  await written(terminal, paint(screen, tracker, false));
  expect(cellsOf(terminal)[0]![0]).toContain(shown);
  terminal.dispose();
});
