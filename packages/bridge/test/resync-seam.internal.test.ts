/**
 * Goal: where output of other panes hides the seam, the place that is found is the true one, or as good.
 * Method: random streams whose true seam is known; what tmux would tell there is what an anchored tracker says. The
 * snapshot of the true place followed by the bytes from the found place on must give the same terminal as the stream.
 */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { dialectOf } from '../src/resync/dialect.ts';
import type { Screen } from '../src/resync/screen.ts';
import { findSeam, SeamRequest } from '../src/resync/seam.ts';
import { StreamTracker } from '../src/resync/tracker.ts';
import { cellsOf, cursorOf, firstDifference, newTerminal, written } from './support/cells.ts';
import { told } from './support/told.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 300);
const columns = 12;
const rows = 4;

const unit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'bc', '日', 'é', 'x'.repeat(columns)) },
  { weight: 3, arbitrary: fc.constantFrom('\r\n', '\n', '\r', '\b', '\t') },
  { weight: 3, arbitrary: fc.integer({ min: 30, max: 37 }).map((code) => `\x1b[${code}m`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\x1b[H', '\x1b[2;3H', '\x1b[A', '\x1b[3C', '\x1b7', '\x1b8'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\x1b[K',
      '\r\x1b[L', // xterm.js goes to the first column, tmux stays
      '\r\x1b[M',
      '\x1b[2;3r',
      '\x1b[r',
      '\x1b[P',
      '\x1b]2;title\x07',
    ),
  },
);
const stream = fc
  .array(unit, { minLength: 1, maxLength: 40 })
  .map((units) => Buffer.from(units.join('')));

function anchored(): StreamTracker {
  const tracker = new StreamTracker(dialectOf('3.3a'));
  tracker.anchor(told(columns, rows));
  tracker.pen.reset();
  return tracker;
}

/** What tmux would tell at a place, after `stream`, where the tracker knows everything. */
function screenAt(tracker: StreamTracker, stream: Uint8Array = new Uint8Array(0)): Screen {
  const { cursor, history, grammar } = tracker;
  const { x, y, top, bottom, origin, wrap } = cursor;
  return {
    ...told(columns, rows, { x, y, top, bottom, origin, wrap, historySize: history.size }),
    pending: stream.subarray(stream.length - grammar.sequenceBytes),
  } as Screen;
}

describe('a seam among output of other panes', () => {
  test.prop([stream, fc.nat(), fc.nat()], { numRuns })(
    'is found where replaying from it gives the same screen',
    async (all, asked, where) => {
      const cut = asked % (all.length + 1);
      const before = all.subarray(0, cut);
      const after = all.subarray(cut);
      const tracker = anchored();
      tracker.push(before, 0, before.length);
      if (tracker.cursor.x < 0 || tracker.cursor.y < 0) return;
      const from = tracker.clone();
      const offset = where % (after.length + 1);
      tracker.push(after, 0, offset);
      if (tracker.cursor.x < 0 || tracker.cursor.y < 0 || tracker.history.size < 0) return;
      const untilTrue = Buffer.concat([before, after.subarray(0, offset)]);
      const seam = findSeam(from, after, screenAt(tracker, untilTrue));
      if (seam === undefined) return;
      expect(seam.offset).toBeLessThanOrEqual(offset);
      // The terminal at the true place gets the bytes from the found place on, and must end as the stream does.
      const whole = newTerminal(columns, rows);
      const again = newTerminal(columns, rows);
      await written(whole, Buffer.concat([before, after]));
      await written(again, untilTrue);
      if (tracker.cut.length === 0) {
        await written(again, after.subarray(seam.offset));
        expect(firstDifference(cellsOf(again), cellsOf(whole))).toBeUndefined();
        expect(cursorOf(again)).toBe(cursorOf(whole));
      }
      whole.dispose();
      again.dispose();
    },
  );

  test('is the end of the stream, if no other pane came after this one', () => {
    const tracker = anchored();
    const request = new SeamRequest(tracker);
    request.otherOutput();
    const bytes = Buffer.from('abc');
    tracker.push(bytes, 0, 3);
    request.output(bytes, 0, 3);
    const seam = request.seam(screenAt(tracker), tracker);
    expect(seam).toEqual({ offset: 3, tracker });
  });

  test('is told from the same place a screenful later by the history', () => {
    const tracker = anchored();
    tracker.push(Buffer.from('\n'.repeat(rows)), 0, rows);
    const request = new SeamRequest(tracker);
    const bytes = Buffer.from('\rsame line\n'.repeat(50));
    const at = 20 * 11 + 3;
    tracker.push(bytes, 0, at);
    const screen = screenAt(tracker);
    tracker.push(bytes, at, bytes.length);
    request.output(bytes, 0, bytes.length);
    request.otherOutput();
    const seam = request.seam(screen, tracker);
    expect(typeof seam === 'object' && seam.offset).toBe(at);
  });

  test('is not taken where the beginning of a sequence was not seen and another is as long', () => {
    const tracker = anchored();
    tracker.push(Buffer.from('\x1b[3'), 0, 3);
    const request = new SeamRequest(tracker);
    const bytes = Buffer.from('1m\x1b[2;');
    tracker.push(bytes, 0, 5);
    const screen = screenAt(tracker, bytes.subarray(0, 5));
    tracker.push(bytes, 5, 6);
    request.output(bytes, 0, 6);
    request.otherOutput();
    expect(request.seam(screen, tracker)).toBe('hidden');
  });

  test('is not taken where two places can not be told apart', () => {
    const tracker = anchored();
    const request = new SeamRequest(tracker);
    const bytes = Buffer.from('\x1b[Hone\x1b[H\x1b[2;1Htwo\x1b[H');
    tracker.push(bytes, 0, bytes.length);
    request.output(bytes, 0, bytes.length);
    request.otherOutput();
    expect(request.seam(screenAt(tracker), tracker)).toBe('hidden');
    expect(request.seam({ ...screenAt(tracker), x: 9 }, tracker)).toBe('hidden');
  });
});
