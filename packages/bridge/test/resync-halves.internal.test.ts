/**
 * Goal: each character of a snapshot stands in tmux's own column, also where half of a wide one was erased; what isn't
 * certain is said.
 * Method: random streams that print wide characters and tabs and cut them go to a tmux pane and to a tracker. Then the
 * cursor is led over all columns, and tmux says of each what is in it (`cursor_character`, empty for what isn't a cell
 * of its own). `FC_RUNS` is the number of streams (default 60).
 */
import { fc } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Dialect, dialectOf } from '../src/resync/dialect.ts';
import { isCut } from '../src/resync/inexact.ts';
import { placed, type Screen } from '../src/resync/screen.ts';
import { StreamTracker } from '../src/resync/tracker.ts';
import { widthOf } from '../src/resync/width.ts';
import { askedScreen } from './support/asked-screen.ts';
import { type TtyPane, ttyPane } from './support/pane-tty.ts';
import { canResync, type TestServer, testServer } from './support/tmux.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 60);
const seed = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };
const columns = 14;
const rows = 3;

const number = (max: number) => fc.integer({ min: 0, max });
const place = fc.tuple(number(rows), number(columns)).map(([y, x]) => `\x1b[${y + 1};${x + 1}H`);
const words = fc.constantFrom(
  '日本語',
  '漢',
  'a',
  'xyz',
  'é',
  '日x本y',
  '0123456789',
  'かe\u0301な',
  ' ',
);
const cut = fc
  .tuple(fc.constantFrom('J', 'K', 'X', 'P', '@', 'b'), number(5))
  .map(([final, count]) => `\x1b[${count}${final}`);
const other = fc.constantFrom(
  '\r\n',
  '\n',
  '\b',
  '\t',
  '\t\t',
  '\x1b[4h',
  '\x1b[4l',
  '\x1b[4l',
  '\x1b[?7l',
  '\x1b[?7h',
  '\x1b[?7h',
  '\x1b(0',
  '\x1b(B',
  '\x1b(B',
  '\x1bM',
  '\x1b[L',
  '\x1b[M',
  '\x1b[2;3r',
  '\x1b[r',
  '\x1b[S',
  '\x1b[T',
  '\x1b7',
  '\x1b8',
  '\x1b[?1049h',
  '\x1b[?1049l',
  '\x1b#8',
  '\x1b[44m',
  '\x1b[m',
  '\x1b[12P',
  '\x1b[9@',
  '\x1bH',
  '\x1b[3g',
);
const streams = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: place },
      { weight: 5, arbitrary: words },
      { weight: 5, arbitrary: cut },
      { weight: 3, arbitrary: other },
    ),
    { minLength: 3, maxLength: 30 },
  )
  .map((units) => units.join(''));

let server: TestServer;
let tty: TtyPane;
beforeAll(async () => {
  if (!canResync) return;
  server = testServer();
  tty = await ttyPane(server, { name: 'halves', columns, rows });
});
afterAll(async () => {
  await tty?.[Symbol.asyncDispose]();
  server?.close();
});

const dialect = (): Dialect => dialectOf(tty.session.version);

const ask = (): Promise<Screen> => askedScreen(tty, dialect());

/** What tmux has in each column: a character, ' ' for a tab, '' for what isn't a cell of its own. */
async function columnsOf(y: number): Promise<string[]> {
  const cells: string[] = [];
  for (let x = 0; x < columns; x++) {
    tty.feed(`\x1b[${y + 1};${x + 1}H`);
    await tty.settled();
    const { lines } = await tty.session.command(
      'display-message',
      '-p',
      '-t',
      `%${tty.pane.id}`,
      '[#{cursor_character}]',
    );
    const told = lines[0]!.slice(1, -1);
    cells.push(/^[\t ]+$/.test(told) ? ' ' : told);
  }
  return cells;
}

/** The same, with a blank in place of each half, and of what a tab covers. */
function whole(cells: readonly string[]): string[] {
  const shown = cells.slice();
  const width = (x: number): number => (shown[x] ? widthOf(shown[x]!.codePointAt(0)!) : 0);
  for (let x = 0; x < shown.length; x++) {
    if (width(x) === 2) {
      if (cells[x + 1] === '' && x + 1 < columns) x++;
      else shown[x] = ' ';
    } else if (shown[x] === '') shown[x] = ' ';
  }
  return shown;
}

/** What a row of a snapshot puts into each column. */
function columnsIn(row: string): string[] {
  const cells: string[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours and character sets
  for (const character of row.replace(/\x1b\[[\d;:]*m|[\x0e\x0f]/g, '')) {
    const width = widthOf(character.codePointAt(0)!);
    if (width === 0) cells[cells.findLastIndex((cell) => cell !== '')] += character;
    else cells.push(character, ...(width === 2 ? [''] : []));
  }
  while (cells.length < columns) cells.push(' ');
  return cells;
}

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

async function compare(tracker: StreamTracker, context: string): Promise<void> {
  const told = await ask();
  tracker.anchor(told);
  const { rows: found, guessedTabs } = placed(told, tracker);
  if (guessedTabs) return; // named: 'tabs'
  tty.feed('\x1b\\\x1b[?6l\x1b[?7h\x1b[4l');
  for (let y = 0; y < rows; y++) {
    if (tracker.shown.halves.row(y)?.doubtful) continue;
    const wanted = await columnsOf(y);
    expect(
      columnsIn(found[y] ?? ''),
      `row ${y}, told ${JSON.stringify(told.captured[y])} ${context}`,
    ).toEqual(whole(wanted));
  }
}

describe.skipIf(!canResync)('a cut wide character', { timeout: 600_000 }, () => {
  const row = 'ab日本cd語';
  test.each([
    ['CSI K', `${row}\x1b[4G\x1b[K`, 'ab'],
    ['CSI 1 K', `${row}\x1b[3G\x1b[1K`, '    本cd語'],
    ['CSI 1 J', `${row}\x1b[5G\x1b[1J`, '      cd語'],
    ['CSI X on the left half', `${row}\x1b[3G\x1b[X`, 'ab  本cd語'],
    ['CSI X on the right half', `${row}\x1b[4G\x1b[X`, 'ab  本cd語'],
    ['CSI P', `${row}\x1b[3G\x1b[P`, 'ab 本cd語'],
    ['CSI 2 P, from half to half', `${row}\x1b[4G\x1b[2P`, 'ab日cd語'],
    ['CSI @', `${row}\x1b[4G\x1b[@`, 'ab   本cd語'],
    ['CSI 2 @, over the edge', `${row}x漢\x1b[1G\x1b[2@`, '  ab日本cd語x'],
    ['CSI 8 @, which leaves what lies between', `${row}\x1b[4G\x1b[8@`, 'ab    cd語  本'],
    ['CSI 6 @, half of a character stays', 'ab日本c語\x1b[5G\x1b[6@', 'ab日      本c'],
    ['CSI 6 @, a right half comes beside a left one', `${row}\x1b[4G\x1b[6@`, 'ab      語本cd'],
    ['insert mode', `${row}\x1b[4h\x1b[4Gx\x1b[4l`, 'ab x 本cd語'],
    ['a character over a half', `${row}\x1b[4Gé`, 'ab é本cd語'],
    ['a character over a left half', `${row}\x1b[3Gé`, 'abé 本cd語'],
    ['a wide character over two halves', `${row}\x1b[4G漢`, 'ab 漢 cd語'],
    ['line drawing over a half in the first columns', '日本\x1b[2G\x1b(0q\x1b(B', ' q本'],
    ['ASCII over a half in the first columns', '日本\x1b[2Gx', ' x本'],
    ['ASCII before a half', `${row}\x1b[3G\x1b[1K\x1b[3Gx`, '  x 本cd語'],
  ])('%s', async (_, text, wanted) => {
    const tracker = await fresh();
    const bytes = Buffer.from(text);
    tty.feed(bytes);
    tracker.push(bytes, 0, bytes.length);
    const told = await ask();
    tracker.anchor(told);
    expect(columnsIn(placed(told, tracker).rows[0]!)).toEqual(columnsIn(wanted));
    expect(isCut(tracker, false)).toBe(false);
  });

  test('leaves all others in their columns', async () => {
    let doubtful = 0;
    await fc.assert(
      fc.asyncProperty(streams, async (text) => {
        const tracker = await fresh();
        tty.feed(text);
        const bytes = Buffer.from(text);
        tracker.push(bytes, 0, bytes.length);
        await compare(tracker, JSON.stringify(text));
        if (isCut(tracker, false)) doubtful++;
      }),
      { numRuns, ...seed },
    );
    expect(doubtful).toBeLessThan(numRuns / 4);
  });

  test('and so it does where the screen was learnt from a capture', async () => {
    let doubtful = 0;
    await fc.assert(
      fc.asyncProperty(streams, streams, fc.boolean(), async (before, text, isLearnt) => {
        const told = await fresh();
        const first = Buffer.from(before);
        tty.feed(first);
        told.push(first, 0, first.length);
        const screen = await ask();
        told.anchor(screen);
        placed(screen, told);
        for (let y = 0; y < rows; y++) if (told.shown.halves.row(y)?.cut) return;
        const tracker = new StreamTracker(dialect());
        tracker.push(screen.pending, 0, screen.pending.length);
        tracker.anchor(screen);
        if (isLearnt) placed(screen, tracker);
        tracker.sets = told.sets;
        tracker.saved = told.saved;
        const bytes = Buffer.from(text);
        tty.feed(bytes);
        tracker.push(bytes, 0, bytes.length);
        await compare(tracker, JSON.stringify([before, text]));
        if (isCut(tracker, false)) doubtful++;
      }),
      { numRuns, ...seed },
    );
    expect(doubtful).toBeLessThan(numRuns / 2);
  });
});
