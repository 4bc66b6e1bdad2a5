/**
 * Goal: real full-screen programs are restored exactly, history and screen, on attach and after skips.
 * Method: a viewer watches `less`, `vi` and `top` of a private tmux, as far as they are installed, through stalls; when
 * the program stands still, its terminal must show what tmux shows. A viewer that attaches late must have tmux's history.
 */
import { spawnSync } from 'node:child_process';
import { connect, type Session, type Sink } from '@millrace/bridge';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  cellsOf,
  cursorOf,
  firstDifference,
  historyOf,
  newTerminal,
  paintedRows,
  type Terminal,
  written,
} from './support/cells.ts';
import { canResync, type TestServer, testServer, until } from './support/tmux.ts';

const columns = 60;
const rows = 14;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const installed = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

const open = (command: string): Promise<Session> =>
  connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: 'programs',
    create: { command, columns, rows },
  });

/** What the pane shows, once it shows the same twice. */
async function settled(session: Session): Promise<{ screen: string[]; cursor: string }> {
  for (let last = ''; ; ) {
    const [screen, cursor] = await Promise.all([
      session.command('capture-pane', '-p', '-e', '-N'),
      session.command('display-message', '-p', '#{cursor_x},#{cursor_y}'),
    ]);
    const now = [...screen.lines, cursor.lines[0]].join('\n');
    if (now === last) return { screen: [...screen.lines], cursor: cursor.lines[0]! };
    last = now;
    await sleep(60);
  }
}

/** Waits until the pane shows a text. */
async function shown(session: Session, text: string): Promise<void> {
  for (;;) {
    const { lines } = await session.command('capture-pane', '-p');
    if (lines.join('\n').includes(text)) return;
    await sleep(10);
  }
}

/** Compares what the terminal shows with the pane, when the pane's program has come to rest. */
async function expectSame(session: Session, terminal: Terminal, from = 0): Promise<void> {
  const pane = [...session.panes.values()][0]!;
  for (;;) {
    const { bytes } = pane;
    const { screen, cursor } = await settled(session);
    await until(() => pane.pipes.every(({ stats }) => !stats.skipping && stats.pendingBytes === 0));
    await written(terminal, '');
    if (pane.bytes !== bytes) continue; // it has gone on meanwhile
    const truth = newTerminal(columns, rows);
    await written(truth, paintedRows(screen));
    const wanted = cellsOf(truth, true);
    truth.dispose();
    expect(firstDifference(cellsOf(terminal).slice(from), wanted.slice(from))).toBeUndefined();
    if (from === 0) expect(cursorOf(terminal)).toBe(cursor);
    return;
  }
}

const programs = [
  {
    name: 'less',
    command: 'seq -f "line %g of the text" 1 5000 | less',
    hint: 'line 1 of the text',
    keys: ['Space', 'd', 'y', 'G', 'g', '/', '4', '7', '7', 'Enter', 'n', 'b'],
  },
  {
    name: 'vi',
    command: 'seq 1 500 > "$0.txt"; vi -u NONE "$0.txt" 2>/dev/null || vi "$0.txt"',
    hint: '2\n3\n',
    keys: ['C-f', 'd', 'd', 'p', 'o', 'x', 'y', 'Escape', 'G', 'O', 'z', 'Escape', 'u', 'C-b'],
  },
  {
    name: 'top',
    command: 'top -d 0.2',
    hint: 'PID',
    keys: ['z', '1', 'x', 'c', 'm', 't', 'i', 'b'],
  },
].filter(({ name }) => installed(name));

describe.skipIf(!canResync)('a full-screen program', () => {
  test.each(programs)('$name is restored after every skip', { timeout: 60_000 }, async (how) => {
    const { name, command, hint, keys } = how;
    await using session = await open(`sh -c '${command}' ${server.directory}/text`);
    const pane = [...session.panes.values()][0]!;
    const terminal = newTerminal(columns, rows);
    const inner = xtermSink(terminal);
    let gate: Promise<void> | undefined;
    let release = (): void => {};
    const sink: Sink = {
      async write(bytes) {
        await gate;
        await inner.write(bytes);
      },
    };
    const pipe = pane.pipe(sink, { policy: 'latest', bytesHigh: 200 });
    await shown(session, hint);
    for (let round = 0; round < 3; round++) {
      gate = new Promise((resolve) => {
        release = resolve;
      });
      // Once, and then until the program has written more than fits.
      do {
        for (const key of keys) {
          await pane.press(key);
          await sleep(5);
        }
      } while (!pipe.stats.skipping);
      release();
      gate = undefined;
      await until(() => !pipe.stats.skipping && pipe.stats.pendingBytes === 0);
    }
    if (name === 'top') await pane.press('s'); // it waits for an answer, and shows the same until then
    await expectSame(session, terminal);
    expect(pipe.stats.resyncs).toBeGreaterThan(1);
  });

  test('leaves its alternate screen to the one that was there before', {
    timeout: 30_000,
  }, async () => {
    await using session = await open(
      'printf "\\033[31mred\\033[m before\\n"; sleep 0.4; printf "\\033[?1049h\\033[2J\\033[Hfull \\033[44m\\033[K"; read x; printf "\\033[?1049l after"; exec sleep 1000',
    );
    const pane = [...session.panes.values()][0]!;
    await shown(session, 'full');
    // Attached while the alternate screen is on: the one behind it comes along.
    const terminal = newTerminal(columns, rows);
    pane.pipe(xtermSink(terminal), { policy: 'latest' });
    await expectSame(session, terminal);
    expect(terminal.buffer.active.type).toBe('alternate');
    await pane.press('Enter');
    await until(() => terminal.buffer.active.type === 'normal');
    await expectSame(session, terminal);
  });
});

describe.skipIf(!canResync)('the history', () => {
  test('is restored on attach, as far as it was asked for', { timeout: 30_000 }, async () => {
    await using session = await open(
      'for i in $(seq 1 80); do printf "\\033[3%dmrow %d 日本\\033[m of some\\n" $((i % 8)) $i; done; printf "%0100d\\n" 7; exec sleep 1000',
    );
    const pane = [...session.panes.values()][0]!;
    await shown(session, '00007');
    const terminal = newTerminal(columns, rows, 1000);
    pane.pipe(xtermSink(terminal), { policy: 'latest', historyLines: 50 });
    await expectSame(session, terminal);
    const { lines } = await session.command('capture-pane', '-p', '-N', '-S', '-50', '-E', '-1');
    expect(historyOf(terminal)).toEqual(lines.map((line) => line.trimEnd()));
  });
});
