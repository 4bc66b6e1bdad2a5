/**
 * Goal: what the tracker says is what tmux has, and a snapshot brings a terminal into tmux's state, for any stream.
 * Method: random streams, far wilder than programs, go to a tmux pane through its terminal device and to the tracker,
 * with no race between them: tmux is asked when it has read everything. Then a snapshot is painted into xterm.js, both
 * get the same probe, and all cells must be equal; what the snapshot names as inexact is exempt.
 * `FC_RUNS` is the number of streams (default 150).
 */
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dialect, dialectOf } from '../src/resync/dialect.ts';
import { isCut, unknownTo } from '../src/resync/inexact.ts';
import { cellBefore, paint } from '../src/resync/paint.ts';
import { Pen } from '../src/resync/pen.ts';
import { placed, type Screen } from '../src/resync/screen.ts';
import { agrees } from '../src/resync/seam.ts';
import { StreamTracker } from '../src/resync/tracker.ts';
import { askedScreen } from './support/asked-screen.ts';
import {
  cellsOf,
  cursorOf,
  firstDifference,
  newTerminal,
  paintedRows,
  type Terminal,
  written,
} from './support/cells.ts';
import { type TtyPane, ttyPane } from './support/pane-tty.ts';
import { canResync, type TestServer, testServer } from './support/tmux.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 150);
const seed = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };
const columns = 20;
const rows = 6;

const number = (max: number) => fc.integer({ min: 0, max });
const sequence = (final: string, max: number) => number(max).map((n) => `\x1b[${n}${final}`);
const colour = fc.oneof(
  number(107).map(String),
  number(300).map((n) => `38;5;${n}`),
  number(300).map((n) => `48;5;${n}`),
  fc.tuple(number(260), number(255), number(255)).map((c) => `38;2;${c.join(';')}`),
  fc.tuple(number(255), number(255), number(255)).map((c) => `48:2::${c.join(':')}`),
  fc.constantFrom(
    '',
    '0',
    '4:3',
    '4:0',
    '38:5:9',
    '48;5',
    '38',
    '58;5;7',
    '58:2::1:2:3',
    '59',
    '38;2;1;2',
  ),
);
const sgr = fc
  .array(colour, { minLength: 1, maxLength: 4 })
  .map((list) => `\x1b[${list.join(';')}m`);
const words = fc.constantFrom(
  'plain',
  'x',
  '日本',
  'é',
  '0123456789',
  'e\u0301',
  '─│',
  ' ',
  '  tail',
);

/** Everything that a program may send. */
const unit = fc.oneof(
  { weight: 6, arbitrary: words },
  { weight: 5, arbitrary: sgr },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '\r\n',
      '\n',
      '\r',
      '\b',
      '\t',
      '\x0e',
      '\x0f',
      '\x1bD',
      '\x1bM',
      '\x1bE',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(number(rows + 1), number(columns + 1)).map((at) => `\x1b[${at.join(';')}H`),
  },
  { weight: 3, arbitrary: fc.oneof(...[...'ABCDEFGdZ`'].map((final) => sequence(final, 9))) },
  { weight: 3, arbitrary: fc.oneof(...[...'JKX'].map((final) => sequence(final, 3))) },
  { weight: 2, arbitrary: fc.oneof(...[...'LMP@STb'].map((final) => sequence(final, 3))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(number(rows), number(rows + 1))
      .map((region) => `\x1b[${region.join(';')}r`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\x1b7', '\x1b8', '\x1b[s', '\x1b[u', '\x1bH', '\x1b[g', '\x1b[3g'),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          1,
          3,
          6,
          7,
          12,
          25,
          47,
          1000,
          1002,
          1003,
          1004,
          1005,
          1006,
          1047,
          1049,
          1049,
          2004,
          2026,
        ),
        fc.constantFrom('h', 'l'),
      )
      .map(([mode, on]) => `\x1b[?${mode}${on}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\x1b[4h',
      '\x1b[4l',
      '\x1b=',
      '\x1b>',
      '\x1b(0',
      '\x1b(B',
      '\x1b)0',
      '\x1b)B',
      '\x1b[3 q',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\x1bc',
      '\x1b#8',
      '\x1b[!p',
      '\x1b[20h',
      '\x1b[?1;2c',
      '\x1b[>4;1m',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\x1b]0;t\x07',
      '\x1b]2;ti\x1b\\',
      '\x1bPx\x1b[31my\x1b\\',
      '\x1bPq~-~-~-~-~\x1b\\',
      '\x1b_a\x07b\x1b\\',
      '\x1b^p\x18',
      '\x1bkn\x1b\\',
      '\x1b]8;;u\x07',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\x1b[3\n1m',
      '\x1b[3\x1b[32m',
      '\x1b[31?m',
      '\x1b[1 m',
      '\x1b[3:4H',
      `\x1b[${'1;'.repeat(24)}m`,
      '\x1b[31;99999999999m',
      '\x1b[?7;99999999999l',
      '\x1b[?6:1l',
      '\x1b[2;1:1J',
      '\x1b[3;1J',
      '\x1b[2:1J',
      '\x1b[3;4:1H',
      '\x1b[2;4:1r',
      '\x1b[1:1s',
      '\x1b[1:1u',
      '\x1b[4:1h',
      '\x1b[2:1b',
      '\x1b[=1;1u',
    ),
  },
);
/** Bytes that no program should send. */
const junk = fc.constantFrom(
  [0xe3, 0x81],
  [0x82],
  [0xff],
  [0xc3],
  [0x9b, 0x33],
  [0x00],
  [0x7f],
  [0xf0, 0x9f],
);
const streamsOf = (disputed: boolean) =>
  fc
    .array(
      fc.oneof(
        { weight: 40, arbitrary: unit.map((text) => [...Buffer.from(text)]) },
        { weight: disputed ? 1 : 0, arbitrary: junk },
      ),
      {
        minLength: 1,
        maxLength: 40,
      },
    )
    .chain((units) => {
      const bytes = Uint8Array.from(units.flat());
      return number(bytes.length).map((end) => bytes.subarray(0, end));
    })
    // To xterm.js the name of a window is text, and a picture nothing; tmux 3.3a knows no hyperlinks.
    .filter((bytes) => {
      const text = Buffer.from(bytes);
      return disputed || !['\x1bk', '\x1bPq', '\x1b]8'].some((name) => text.includes(name));
    });
const streams = streamsOf(true);

/** What loses half of a wide character differs between terminals: a row is erased before it is printed in. */
const clear = '\x1b[2K';
/** What comes next in the row, or in the next one; told only where no wide character is in the way. */
const wrap = '\x1b[49mPQ';
/** Shows state that is hidden: pen, sets, saved cursor, what the alternate screen hides, region, tabs, wrap. */
const probe = fc.constantFrom(
  wrap,
  `\r${clear}P`,
  `\x1b[1;1H${clear}P`,
  `\r${clear}P\x1b8${clear}Q`,
  `\x1b8${clear}P\x1b[?6l\x1b[2;2H${clear}Q`,
  `\r${clear}\x0eq\x0fq\x1b[C\tP`,
  `\x1b[3;3H\x1b[10B${clear}P`,
  `\r\n${clear}P`,
  `\x1b[?1049l${clear}P\x1b[3GQ`,
  `\x1b[99;1H\n${clear}P\x1b[1;1H\x1bM${clear}Q`,
  `\r${clear}P\x1b[49m\x1b[J${clear}abcdefghijklmnopqrstuvwxyz`,
);
/** Prints in the last column of each row: then capture-pane shows all cells of it. The last two aren't compared. */
const reveal = `\x1b[r\x1b[?6l\x1b[?7l\x1b[4l\x1b[0m\x1b(B\x0f${Array.from({ length: rows }, (_, y) => `\x1b[${y + 1};${columns}H.`).join('')}\x1b[H`;

const most = (terminal: Terminal): string[][] => cellsOf(terminal).map((row) => row.slice(0, -2));

let server: TestServer;
let tty: TtyPane;
beforeAll(async () => {
  if (!canResync) return;
  server = testServer();
  tty = await ttyPane(server, { name: 'differential', columns, rows });
});
afterAll(async () => {
  await tty?.[Symbol.asyncDispose]();
  server?.close();
});

const ask = (): Promise<Screen> => askedScreen(tty, dialect());

const dialect = (): Dialect => dialectOf(tty.session.version);

/** Puts tmux and a new tracker into the same, known state. */
async function fresh(): Promise<StreamTracker> {
  tty.feed('\x18\x1b\\\x1b[?1049l\x1bc\x1b[?1049h\x1b[?1049l\x1bc\x1b[3J');
  const tracker = new StreamTracker(dialect());
  tracker.screens.alternate = false;
  const bytes = Buffer.from('\x1bc');
  tracker.push(bytes, 0, bytes.length);
  const screen = await ask();
  tracker.anchor(screen);
  placed(screen, tracker);
  return tracker;
}

describe.skipIf(!canResync)('a stream of anything', { timeout: 600_000 }, () => {
  test('leaves the tracker in the state that tmux tells', async () => {
    await fc.assert(
      fc.asyncProperty(streams, async (bytes) => {
        const tracker = await fresh();
        tty.feed(bytes);
        tracker.push(bytes, 0, bytes.length);
        const screen = await ask();
        const { cursor, history, grammar } = tracker;
        const state = {
          x: cursor.x < 0 ? screen.x : cursor.x,
          y: cursor.y < 0 ? screen.y : cursor.y,
          region: [cursor.top, cursor.bottom],
          origin: cursor.origin,
          wrap: cursor.wrap,
          alternate: tracker.screens.alternate,
          history: history.size < 0 ? screen.historySize : history.size,
          pending: grammar.sequenceBytes,
          tabs: [...(cursor.tabs ?? screen.tabs)].sort((a, b) => a - b),
        };
        expect(state).toEqual({
          x: screen.x,
          y: screen.y,
          region: [screen.top, screen.bottom],
          origin: screen.origin,
          wrap: screen.wrap,
          alternate: screen.alternate,
          history: screen.historySize,
          pending: screen.pending.length,
          tabs: [...screen.tabs],
        });
        expect(agrees(tracker, screen)).toBe(true);
        // The next character shows the pen.
        const mark = Buffer.from('\x1b\\\x1b\\\r\x1b[4lP');
        tty.feed(mark);
        tracker.push(mark, 0, mark.length);
        const printed = await ask();
        const cell = cellBefore(printed, 1, printed.y);
        if (printed.x === 1 && cell?.text === 'P' && tracker.pen.known) {
          expect(cell.pen.sgr()).toBe(tracker.pen.sgr());
        }
      }),
      { numRuns, ...seed },
    );
  });

  test.each([
    ['ASCII', 'ab'],
    ['line drawing', '─│'],
    ['wide characters', '日本'],
    ['a mark', 'e\u0301'],
    ['a colour', 'ab\x1b[m'],
    ['a link', '日本\x1b]8;;u\x07'],
    ['a picture', 'ab\x1bPq~\x1b\\'],
    ['a string', 'ab\x1b_x\x1b\\'],
    ['a sequence without a meaning', 'ab\x1b[1?m'],
  ])('repeats as tmux does after %s', async (_, text) => {
    const tracker = await fresh();
    const bytes = Buffer.from(`${text}\x1b[3b`);
    tty.feed(bytes);
    tracker.push(bytes, 0, bytes.length);
    const screen = await ask();
    expect(agrees(tracker, screen)).toBe(true);
    if (!text.includes('\x1bPq')) expect(tracker.cursor.x).toBe(screen.x);
  });

  test('repeats as tmux does after any sequence', async () => {
    const codes = (first: number, last: number): string[] =>
      Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index));
    const marked = (list: string, finals: readonly string[], text: (mark: string) => string) =>
      list.split(',').flatMap((mark) => finals.map((final) => text(mark) + final));
    const sequences = [
      ...marked(',?,>,=,<', codes(0x40, 0x7e), (mark) => `\x1b[${mark}1`),
      ...marked('!, ,$,",*', codes(0x40, 0x7e), (mark) => `\x1b[1${mark}`),
      ...marked('$,+', codes(0x40, 0x7e), (mark) => `\x1b[?1${mark}`),
      ...marked(',(,),*,#,%, ,$', codes(0x30, 0x7e), (mark) => `\x1b${mark}`),
      ...[
        '\xff',
        '\xe6',
        '\xe6\x97',
        '\xe6\x97\xff',
        '\xe6A',
        '\xe6\x97\x1b[1?m\xa5',
        '\x7f',
        '\0',
      ],
      ...['\x1b[1;99999999999m', '\x1b[?7;99999999999l', `\x1b[${'1;'.repeat(24)}m`, '\x1b[3:4m'],
    ];
    const known = await fresh();
    for (const text of sequences) {
      const tracker = known.clone();
      const bytes = Buffer.from(`\x18\x1b\\\x1b[?1049l\x1bc\x1b[10Cab${text}\x1b[3b`, 'latin1');
      tty.feed(bytes);
      tracker.push(bytes, 0, bytes.length);
      await tty.settled();
      const { lines } = await tty.session.command('display-message', '-p', '#{cursor_x}');
      if (tracker.cursor.x < 0) continue;
      expect(tracker.cursor.x, JSON.stringify(text)).toBe(Number(lines[0]));
    }
  });

  test('is restored by a snapshot, as every probe shows', async () => {
    let exact = 0;
    const terminal = newTerminal(columns, rows);
    await fc.assert(
      fc.asyncProperty(streams, streamsOf(false), probe, async (before, bytes, after) => {
        const tracker = await fresh();
        tty.feed(bytes);
        tracker.push(bytes, 0, bytes.length);
        const told = await ask();
        if (unknownTo(tracker).length > 0 || !agrees(tracker, told)) return;
        tracker.anchor(told);
        const screen = placed(told, tracker);
        if (isCut(tracker, false)) return; // named: 'half-character'
        if (screen.origin && (screen.y < screen.top || screen.y > screen.bottom)) return;
        // xterm.js keeps origin mode in `DECRC`, and goes to the region; tmux ends it and goes where it was.
        const { y } = tracker.saved;
        const isOutside = y < screen.top || y > screen.bottom;
        if (screen.origin && isOutside && after.includes('\x1b8')) return;
        // Leaving an alternate screen that isn't shown: each terminal has its own idea.
        if (!screen.alternate && after.includes('1049l')) return;
        // tmux from 3.6 on prints something for bytes that are no character, terminals print what they like.
        if (dialect().replacesInvalid && tracker.grammar.cut.length > 0) return;
        if (screen.guessedTabs) return; // named: 'tabs'
        if (after === wrap && /[\u3000-\uffff]/.test(screen.rows.join(''))) return;
        // Whatever the terminal was in the middle of.
        await written(terminal, before);
        await written(terminal, paint(screen, tracker, false));
        const probing = Buffer.from(`\x1b\\\x1b\\${after}${reveal}`);
        tty.feed(probing);
        await written(terminal, probing.toString());
        tracker.push(probing, 0, probing.length);
        // What is beside half of a character, or of a tab, is told a column or more too far.
        const shown = placed(await ask(), tracker);
        if (isCut(tracker, false) || shown.guessedTabs) return;
        const truth = newTerminal(columns, rows);
        await written(truth, paintedRows(shown.rows));
        const difference = firstDifference(most(terminal), most(truth));
        truth.dispose();
        expect(
          difference,
          `${JSON.stringify(Buffer.from(paint(screen, tracker, false)).toString())} of ${JSON.stringify(screen.rows)}, probed ${JSON.stringify(after)}`,
        ).toBeUndefined();
        expect(cursorOf(terminal)).toBe('0,0');
        exact++;
      }),
      { numRuns, ...seed },
    );
    expect(exact).toBeGreaterThan(numRuns / 4);
  });

  test('joined in the middle, teaches the pen by what it prints', async () => {
    await fc.assert(
      fc.asyncProperty(
        sgr,
        fc.array(fc.oneof(sgr, words, fc.constantFrom('\x1b7', '\x1b8', '\r\n')), {
          maxLength: 12,
        }),
        async (earlier, units) => {
          const told = await fresh();
          tty.feed(earlier);
          told.push(Buffer.from(earlier), 0, earlier.length);
          const tracker = new StreamTracker(dialect());
          tracker.anchor(await ask());
          for (const text of units) {
            const bytes = Buffer.from(text);
            tty.feed(bytes);
            for (const one of [told, tracker]) one.push(bytes, 0, bytes.length);
            const screen = await ask();
            if (tracker.pen.known) expect(tracker.pen.sgr()).toBe(told.pen.sgr());
            const cell = tracker.lastCell;
            const pen = cell && cellBefore(screen, cell.x, cell.y)?.pen;
            if (pen !== undefined) tracker.learn(pen);
            if (tracker.pen.known) expect(tracker.pen.sgr()).toBe(told.pen.sgr());
          }
        },
      ),
      { numRuns, ...seed },
    );
  });
});

test('a pen that knows nothing is restored as the default', () => {
  expect(new Pen(false).sgr()).toBe('\x1b[0m');
});
