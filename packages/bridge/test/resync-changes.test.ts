/**
 * Goal: whatever is done to a pane from outside (resized, split, zoomed, moved, in copy mode, its history cleared), its
 * viewers end with what tmux shows, those that lag meanwhile too, although somebody watches the pane without loss.
 * Method: a real tmux, a pane in the test's hands, a terminal that takes the pane's size as soon as it is told; then all
 * cells and the cursor as `capture-pane` tells them, which must come to be equal without anybody asking.
 */
import { nullSink, type Pipe, type ResyncReport } from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cellsOf, cursorOf, firstDifference, newTerminal, written } from './support/cells.ts';
import { type TtyPane, ttyPane } from './support/pane-tty.ts';
import { canResync, type TestServer, testServer, until } from './support/tmux.ts';

const columns = 40;
const rows = 12;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Rows in colours, with wide characters, and some that wrap once the pane is narrower. */
const text = (count: number): string =>
  Array.from(
    { length: count },
    (_, row) =>
      `\x1b[3${row % 8}mrow ${row} 日本 of some text, ${'long '.repeat(row % 4)}\x1b[m\r\n`,
  ).join('');

let server: TestServer;
let tty: TtyPane;
beforeEach(async () => {
  if (!canResync) return;
  server = testServer();
  tty = await ttyPane(server, { name: 'changes', columns, rows });
});
afterEach(async () => {
  await tty?.[Symbol.asyncDispose]();
  server?.close();
});

/** A terminal of the pane's size behind a gate. */
class Viewer {
  readonly terminal = newTerminal(columns, rows, 200);
  readonly reports: ResyncReport[] = [];
  readonly pipe: Pipe;
  #open = (): void => {};
  #gate: Promise<void> | undefined;

  constructor() {
    const { pane, session } = tty;
    const sink = xtermSink(this.terminal);
    session.on('resync', (_, report) => this.reports.push(report));
    session.on('change', () => {
      const { columns: width = columns, rows: height = rows } = pane.info;
      if (width !== this.terminal.cols || height !== this.terminal.rows) {
        this.terminal.resize(width, height);
      }
    });
    this.pipe = pane.pipe(
      {
        write: async (bytes) => {
          await this.#gate;
          await sink.write(bytes);
        },
      },
      { policy: 'latest', bytesHigh: 300 },
    );
  }

  /** Takes nothing any more; resolves when it has so much of a text waiting that it skips. */
  async lag(more: string): Promise<void> {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
    while (!this.pipe.stats.skipping) {
      tty.feed(more);
      await tty.settled();
    }
  }

  goOn(): void {
    this.#open();
    this.#gate = undefined;
  }

  /** What differs from tmux now, if anything does. */
  async difference(): Promise<string | undefined> {
    const { pane, session } = tty;
    const target = `%${pane.id}`;
    const [screen, told] = await Promise.all([
      session.command('capture-pane', '-p', '-e', '-N', '-t', target),
      session.command(
        ...(['display-message', '-p', '-t', target] as const),
        '#{cursor_x},#{cursor_y} #{pane_width}x#{pane_height}',
      ),
    ]);
    await written(this.terminal, '');
    const [cursor, size] = told.lines[0]!.split(' ');
    const [width, height] = size!.split('x').map(Number);
    if (size !== `${this.terminal.cols}x${this.terminal.rows}`) return `size, not ${size}`;
    const truth = newTerminal(width!, height!);
    const painted = screen.lines.map((line, y) => `\x1b[${y + 1};1H${line}`).join('');
    await written(truth, `\x1b)0${painted}`);
    const difference = firstDifference(cellsOf(this.terminal), cellsOf(truth, true));
    truth.dispose();
    if (difference !== undefined) return difference;
    const at = cursorOf(this.terminal);
    return at === cursor ? undefined : `cursor ${at}, not ${cursor}`;
  }

  /** Resolves when it shows what tmux shows, and says where it stays different. */
  async same(): Promise<void> {
    await tty.settled();
    let difference: string | undefined;
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(10)) {
      difference = await this.difference();
      if (difference === undefined) return;
    }
    const how = `${JSON.stringify(this.pipe.stats)}, ${JSON.stringify(this.reports)}`;
    expect.fail(`${difference}; ${how}`);
  }
}

const run = async (...words: [string, ...string[]]): Promise<string> =>
  (await tty.session.command(...words)).lines[0] ?? '';
const target = (): string => `%${tty.pane.id}`;
const beside = (...options: string[]): Promise<string> =>
  run('split-window', '-d', ...options, '-P', '-F', '#{pane_id}', '-t', target(), 'sleep 1000');
const elsewhere = (): Promise<string> =>
  run('new-window', '-d', '-P', '-F', '#{pane_id}', 'sleep 1000');

const changes: readonly { name: string; before?: string; change(): Promise<unknown> }[] = [
  { name: 'a smaller session', change: () => tty.session.resize(30, 9) },
  { name: 'a larger session', change: () => tty.session.resize(66, 17) },
  {
    name: 'there and back',
    change: () => tty.session.resize(30, 10).then(() => tty.session.resize(columns, rows)),
  },
  { name: 'a split beside', change: () => beside('-h') },
  { name: 'a split below', change: () => beside('-v') },
  {
    name: 'zoomed',
    change: () => beside('-h').then(() => run('resize-pane', '-Z', '-t', target())),
  },
  {
    name: 'swapped',
    change: async () => run('swap-pane', '-d', '-s', target(), '-t', await beside('-v', '-l', '3')),
  },
  {
    name: 'broken out',
    change: () => beside('-h').then(() => run('break-pane', '-d', '-s', target())),
  },
  {
    name: 'joined to another window',
    change: async () => {
      await elsewhere();
      await run('join-pane', '-d', '-s', target(), '-t', await elsewhere());
    },
  },
  {
    name: 'a window of two sessions, the smaller one decides',
    change: async () => {
      const window = await run('display-message', '-p', '-t', target(), '#{window_id}');
      await run('new-session', '-d', '-s', 'other', '-x', '30', '-y', '9', 'sleep 1000');
      await run('link-window', '-d', '-s', window, '-t', 'other:');
      await run('set-option', '-g', 'aggressive-resize', 'on');
      await tty.session.resize(34, 11);
    },
  },
  {
    name: 'synchronized panes',
    change: async () => {
      await beside('-h');
      await run('set-option', '-w', '-t', target(), 'synchronize-panes', 'on');
    },
  },
  {
    name: 'copy mode, scrolled',
    change: async () => {
      await run('copy-mode', '-t', target());
      await run('send-keys', '-t', target(), '-X', 'page-up');
    },
  },
  { name: 'a cleared history', change: () => run('clear-history', '-t', target()) },
  {
    name: 'the alternate screen, smaller',
    before: '\x1b[?1049h\x1b[2J\x1b[Hfull',
    change: () => tty.session.resize(30, 9),
  },
];

describe.skipIf(!canResync).each([
  { how: 'keeps up', lags: false },
  { how: 'lags', lags: true },
])('a viewer that $how', ({ lags }) => {
  test.each(changes)('shows what tmux shows after $name', async ({ before = '', change }) => {
    tty.pane.pipe(nullSink()); // so that the pane can't be paused
    const viewer = new Viewer();
    tty.feed(`${text(20)}${before}`);
    await viewer.same();
    if (lags) await viewer.lag(text(4));
    await change();
    tty.feed(text(3));
    if (lags) viewer.goOn();
    await viewer.same();
    tty.feed('\x1b[2;2H\x1b[36mmore');
    await viewer.same();
    expect(viewer.pipe.stats.skipping).toBe(false);
  });

  test('has the screen that an alternate one hid, wrapped anew', async () => {
    tty.pane.pipe(nullSink());
    const viewer = new Viewer();
    tty.feed(`${text(20)}\x1b[?1049h\x1b[2J\x1b[Hfull`);
    await viewer.same();
    await tty.session.resize(30, 9);
    await until(() => viewer.reports.at(-1)?.inexact.includes('hidden-screen') === true);
    if (lags) await viewer.lag(text(4));
    tty.feed('\x1b[?1049lback ');
    if (lags) viewer.goOn();
    await viewer.same();
    tty.feed(text(1));
    await viewer.same();
    expect(viewer.reports.at(-1)!.inexact).not.toContain('hidden-screen');
  });

  test('has the character sets that the program had when it went to the alternate screen', async () => {
    const viewer = new Viewer();
    await viewer.same();
    if (lags) await viewer.lag(text(4));
    tty.feed('\x1b(0qqx\x1b[?1049h\x1b[2J\x1b[Hqqx\x0e\x1b)0xxq');
    if (lags) viewer.goOn();
    await viewer.same();
    tty.feed('\x1b[?1049lqx');
    await viewer.same();
  });
});
