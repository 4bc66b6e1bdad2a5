/**
 * Goal: a string that isn't ended for five seconds, at which tmux gives it up and resets the pen, is not taken for one
 * that was under way all the time.
 * Method: a resync on a virtual clock, with replies as tmux tells them (seen on 3.3a and 3.8: what comes later is text
 * in the default colours).
 */
import { expect, test } from 'vitest';
import { dialectOf } from '../src/resync/dialect.ts';
import { PaneResync } from '../src/resync/resync.ts';

const told =
  '80;24;0;0;0;23;0;4294967295;4294967295;1;0;0;1;0;0;0;0;0;0;0;0;2000;1;8,16,24,32,40,48,56,64,72;title';

function make(): { output(text: string): void; at(ms: number): void; resync: PaneResync } {
  let now = 0;
  const resync = new PaneResync(0, {
    ask: (_line, _count, replied) => replied([[told], new Array(24).fill(''), [], ['']]),
    mayPause: () => false,
    paused() {},
    dialect: dialectOf('3.3a'),
    watch() {},
    restored() {},
    now: () => now,
  });
  resync.want({ historyLines: 0, restore() {}, push() {}, flush() {} }, 'attach');
  const output = (text: string): void => {
    const bytes = Buffer.from(text);
    resync.output(bytes, 0, bytes.length);
  };
  return { output, at: (ms) => (now = ms * 1e6), resync };
}

test.each([
  ['is ended in time', 4_000, true],
  ['is ended too late', 4_800, false],
  ['is given up', 60_000, false],
])('the pen after a string that %s', (_, ms, known) => {
  const { output, at, resync } = make();
  output('\x1b[0;31mred \x1b]0;title');
  expect(resync.exact).toBe(true);
  at(ms);
  output(' of it\x07');
  expect(resync.exact).toBe(known);
  resync.close();
});

test('each string has its own time', () => {
  const { output, at, resync } = make();
  output('\x1b[0;31mred \x1b]0;title');
  for (let ms = 4000; ms < 40_000; ms += 4000) {
    at(ms);
    output('\x07\x1b]0;another');
  }
  expect(resync.exact).toBe(true);
  resync.close();
});
