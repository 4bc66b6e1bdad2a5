/**
 * Goal: a sink knows its pane's size, and a terminal shows what tmux shows, whatever size it had, the pane has or gets.
 * Method: real tmux; headless terminals that begin with another size, a pane of wrapped lines that is split, zoomed and
 * resized; what a terminal shows must become what tmux shows. Sinks that write late see sizes between their writes only.
 */
import { PassThrough } from 'node:stream';
import { connect, createViewer, type Pane, type Session, type Sink } from '@millrace/bridge';
import { asciicastSink } from '@millrace/bridge/sinks/asciicast';
import { ghosttySink, loadGhostty } from '@millrace/bridge/sinks/ghostty';
import { webSocketViewer } from '@millrace/bridge/sinks/websocket';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import { createWebViewer } from '@millrace/bridge/web';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cursorOf, newTerminal, type Terminal } from './support/cells.ts';
import { modes } from './support/modes.ts';
import { socketPair } from './support/socket-pair.ts';
import { canResync, hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

/** Lines that are wrapped in a pane of half the width, more than the screen holds, and a prompt. */
const lines = `for i in $(seq 10 60); do printf 'line %d %080d end\\n' $i $i; done; printf '> '; cat`;

const open = (options: Parameters<typeof connect>[0] = {}): Promise<Session> =>
  connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: 'resize',
    create: { command: lines, columns: 100, rows: 30 },
    closeTimeoutMs: 200,
    ...options,
  });

const paneOf = (session: Session): Pane => [...session.panes.values()][0]!;

/** A pane that says nothing of its own. */
const quiet = { create: { command: 'cat', columns: 100, rows: 30 } };

/** What a terminal shows, and where its cursor is. */
const shownBy = (terminal: Terminal): string => {
  const { active } = terminal.buffer;
  const rows = Array.from({ length: terminal.rows }, (_, row) =>
    active.getLine(active.baseY + row)!.translateToString(true),
  );
  return `${terminal.cols}x${terminal.rows} ${cursorOf(terminal)}\n${rows.join('\n').trimEnd()}`;
};

/** The same of tmux. */
const toldByTmux = (pane: Pane): string => {
  const target = `%${pane.id}`;
  const place = server.run(
    'display-message',
    '-p',
    '-t',
    target,
    '#{pane_width}x#{pane_height} #{cursor_x},#{cursor_y}',
  );
  const rows = server.run('capture-pane', '-p', '-t', target).split('\n');
  const shown = rows.map((row) => row.trimEnd()).join('\n');
  return `${place.trim()}\n${shown.trimEnd()}`;
};

const changes: readonly (readonly string[])[] = [
  ['split-window', '-d', '-h', 'cat'],
  ['resize-pane', '-x', '30'],
  ['resize-pane', '-Z'],
  ['resize-pane', '-Z'],
  ['split-window', '-d', '-v', '-l', '20', 'cat'],
  ['kill-pane', '-a'],
];

describe.skipIf(!hasTmux)('sizes', () => {
  // Before 3.2 there is no screen to be had from tmux.
  test.skipIf(!canResync).each(modes)('a terminal follows its pane (%o)', async (mode) => {
    await using session = await open(mode);
    const pane = paneOf(session);
    const terminal = newTerminal(80, 24);
    const behindViewer = newTerminal(7, 5);
    const page = newTerminal(80, 24);
    const causes: string[] = [];
    session.on('resync', (_, { cause }) => causes.push(cause));
    pane.pipe(xtermSink(terminal), { policy: 'latest' });
    createViewer().pipe(pane, xtermSink(behindViewer));
    const [near, far] = socketPair();
    createWebViewer(far, { open: () => xtermSink(page) });
    webSocketViewer(near).pipe(pane);
    const same = (): boolean => {
      const told = toldByTmux(pane);
      return [terminal, behindViewer, page].every((one) => shownBy(one) === told);
    };
    await until(same);
    expect(shownBy(terminal)).toContain('100x30 2,29\nline 32');
    for (const [name, ...args] of changes) {
      await session.command(name!, ...args);
      await until(same);
    }
    expect(causes).toContain('resize');
  });

  test.skipIf(!canResync)('one that keeps its size is left alone', async () => {
    await using session = await open();
    const terminal = newTerminal(80, 24);
    const fixed = { write: (data: Uint8Array, done?: () => void) => terminal.write(data, done) };
    const pipe = paneOf(session).pipe(xtermSink(fixed), { policy: 'latest' });
    await until(() => pipe.stats.resyncs === 1 && pipe.stats.pendingBytes === 0);
    expect([terminal.cols, terminal.rows]).toEqual([80, 24]);
  });

  test('Ghostty follows too', async () => {
    await using session = await open();
    const pane = paneOf(session);
    const ghostty = await loadGhostty();
    const terminal = ghostty.createTerminal(80, 24);
    pane.pipe(ghosttySink(terminal), { policy: 'latest' });
    await until(() => terminal.cols === 100 && terminal.rows === 30);
    for (const [name, ...args] of changes) {
      await session.command(name!, ...args);
      await until(() => terminal.cols === pane.info.columns && terminal.rows === pane.info.rows);
    }
    terminal.free();
  });

  test('without loss: told between writes, after what came before', async () => {
    await using session = await open(quiet);
    const pane = paneOf(session);
    const log: string[] = [];
    let release = (): void => {};
    let writing = false;
    const sink: Sink = {
      write: (bytes) => {
        log.push(Buffer.from(bytes).toString());
        writing = true;
        return new Promise<void>((resolve) => {
          release = () => {
            writing = false;
            resolve();
          };
        });
      },
      resize: (columns, rows) => {
        log.push(`${writing ? 'amid a write ' : ''}${columns}x${rows}`);
      },
    };
    pane.pipe(sink);
    await pane.type('one\r');
    await until(() => writing);
    await session.command('split-window', '-d', '-h', 'cat');
    await until(() => pane.info.columns === 50);
    expect(log).toEqual(['100x30', expect.stringContaining('one')]);
    release();
    await until(() => log.includes('50x30'));
    for (const entry of log) expect(entry).not.toContain('amid');
  });

  test('a sink that fails to resize ends its own pipe', async () => {
    await using session = await open();
    const pane = paneOf(session);
    const resize = (): void => {
      throw new Error('no such size');
    };
    const failed = pane.pipe({ write: () => undefined, resize });
    const other = pane.pipe({ write: () => undefined });
    expect(await failed.closed).toMatchObject({ code: 'ERR_SINK_FAILED' });
    expect(pane.pipes).toEqual([other]);
  });

  test('a recording of a pane has its sizes', async () => {
    await using session = await open(quiet);
    const pane = paneOf(session);
    const stream = new PassThrough();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    pane.pipe(asciicastSink(stream, { columns: 100, rows: 30 }));
    await session.command('split-window', '-d', '-h', 'cat');
    await until(() => pane.info.columns === 50);
    await pane.type('two\r');
    const cast = (): string => Buffer.concat(chunks).toString();
    await until(() => cast().includes('two'));
    const codes = cast().trim().split('\n').slice(1);
    expect((JSON.parse(codes[0]!) as unknown[]).slice(1)).toEqual(['r', '50x30']);
  });
});
