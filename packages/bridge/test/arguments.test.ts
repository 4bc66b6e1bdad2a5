/**
 * Goal: a wrong call is refused at once, with a typed error that names the argument and what was given; and a caller's
 * function that throws disturbs nothing but its own program.
 * Method: values of every kind at every public entry; listeners, sinks and streams that throw or vanish on real tmux.
 */
import { PassThrough, Writable } from 'node:stream';
import {
  BridgeError,
  type ConnectOptions,
  connect,
  createViewer,
  memorySink,
  nullSink,
  parseRecording,
  type Session,
  streamSink,
} from '@millrace/bridge';
import { asciicastSink } from '@millrace/bridge/sinks/asciicast';
import { assertSink } from '@millrace/bridge/sinks/conformance';
import { ghosttySink } from '@millrace/bridge/sinks/ghostty';
import { webSocketViewer } from '@millrace/bridge/sinks/websocket';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import { createWebViewer } from '@millrace/bridge/web';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordingFile } from './support/recording.ts';
import { hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

const everything: readonly unknown[] = [
  null,
  0,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1.5,
  2 ** 53,
  '',
  'text',
  '-x',
  'a\0b',
  true,
  [],
  {},
  () => 1,
  Symbol('s'),
  10n,
];
const others = (...fine: readonly unknown[]): readonly unknown[] =>
  everything.filter((value) => !fine.includes(value) && !fine.includes(typeof value));

/** Calls with each value; every call must be refused, and the message must name the argument. */
async function refuses(
  name: string,
  values: readonly unknown[],
  call: (value: never) => unknown,
): Promise<void> {
  for (const value of values) {
    let error: unknown;
    try {
      await call(value as never);
    } catch (thrown) {
      error = thrown;
    }
    const what = `${name} = ${typeof value} ${typeof value === 'symbol' ? '' : String(value)}`;
    expect(error, what).toBeInstanceOf(BridgeError);
    expect((error as BridgeError).code, what).toBe('ERR_BRIDGE_ARGUMENT');
    expect((error as BridgeError).message, what).toContain(name);
  }
}

describe('wrong arguments of', () => {
  const recording = { source: recordingFile, pace: { kind: 'max' } } as const;
  const refusedOption = (name: keyof ConnectOptions, ...fine: unknown[]): Promise<void> =>
    refuses(name, others(...fine), (value) => connect({ [name]: value }));

  test('connect', async () => {
    await refuses('options', others('object', undefined), (value) => connect(value));
    for (const name of ['tmux', 'socketName', 'socketPath', 'configFile', 'session'] as const) {
      await refusedOption(name, 'text');
    }
    for (const name of ['create', 'reconnect'] as const)
      await refusedOption(name, 'boolean', 'object');
    await refuses('create', [null], (create) => connect({ create }));
    await refuses('reconnect', [null], (value) => connect({ reconnect: value }));
    await refuses('env', others('object'), (env) => connect({ env }));
    await refuses('env', [null, { A: 1 }, { A: 'a\0b' }], (env) => connect({ env }));
    await refusedOption('worker', 'boolean');
    await refusedOption('recordTo', 'string');
    await refuses('recordTo', [''], (recordTo) => connect({ recordTo }));
    await refusedOption('sink', 'function');
    await refusedOption('signal');
    await refusedOption('stream', 'function');
    await refuses('stream', others(), (made) => connect({ stream: () => made }));
    await refusedOption('recording');
    await refuses('options', others('object'), (pipe) => connect({ pipe }));
    await refuses('policy', others(), (policy) => connect({ pipe: { policy } }));
  });

  test('connect, numbers', async () => {
    const names = [
      'ringBytes',
      'pauseAfterSeconds',
      'mixedPauseAfterSeconds',
      'connectTimeoutMs',
      'commandTimeoutMs',
      'commandsMax',
      'closeTimeoutMs',
      'pendingBytesMax',
      'aheadBytesMax',
      'watchdogMs',
      'replyBytesMax',
    ] as const;
    for (const name of names) await refusedOption(name, null, 0);
    await refuses('create.columns', others(), (columns) => connect({ create: { columns } }));
    await refuses('create.rows', others(), (rows) => connect({ create: { rows } }));
    await refuses('create.command', others('text'), (command) => connect({ create: { command } }));
    for (const name of ['attemptsMax', 'delayMs', 'delayMsMax']) {
      await refuses(name, others(), (value) => connect({ reconnect: { [name]: value } }));
    }
  });

  test('connect, a recording', async () => {
    const played = (changes: object) => connect({ recording: { ...recording, ...changes } });
    await refuses('source', others('string'), (source) => played({ source }));
    await refuses('loops', others(), (loops) => played({ loops }));
    await refuses('pace', others(), (pace) => played({ pace }));
    const rates = others(1.5, 2 ** 53);
    await refuses('speed', rates, (speed) => played({ pace: { kind: 'recorded', speed } }));
    await refuses('perSecond', rates, (rate) =>
      played({ pace: { kind: 'records', perSecond: rate } }),
    );
    await refuses('pace', others(), (kind) => played({ pace: { kind } }));
  });

  test('sinks, viewers and files', async () => {
    const stream = new PassThrough();
    const size = { columns: 80, rows: 24 };
    await refuses('bytesMax', others(), (value) => memorySink(value));
    await refuses('stream', others(), (value) => streamSink(value));
    await refuses('terminal', others(), (value) => xtermSink(value));
    await refuses('terminal', others(), (value) => ghosttySink(value));
    await refuses('stream', others(), (value) => asciicastSink(value, size));
    await refuses('options', others('object'), (value) => asciicastSink(stream, value));
    await refuses('columns', others(), (columns) => asciicastSink(stream, { ...size, columns }));
    await refuses('rows', others(), (rows) => asciicastSink(stream, { ...size, rows }));
    await refuses('socket', others(), (value) => webSocketViewer(value));
    await refuses('socket', others(), (value) => createWebViewer(value, { open: () => undefined }));
    await refuses('options', others(), (value) => assertSink(value));
    await refuses('file', others(), (value) => parseRecording(value));
    await refuses('options', others('object'), (value) => createViewer(value));
    await refuses('now', others('function'), (now) => createViewer({ now }));
    for (const name of ['bytesMax', 'paneBytesMax', 'windowBytesMin']) {
      await refuses(name, others(), (value) => createViewer({ [name]: value }));
    }
    for (const name of ['latencyMs', 'backlogMs', 'probeMs']) {
      await refuses(name, others(1.5), (value) => createViewer({ [name]: value }));
    }
  });
});

describe.skipIf(!hasTmux)('on a live session', () => {
  let server: TestServer;
  let session: Session;
  beforeEach(async () => {
    server = testServer();
    session = await open();
  });
  afterEach(async () => {
    await session.close();
    server.close();
  });
  const open = (options: ConnectOptions = {}): Promise<Session> =>
    connect({
      socketPath: server.socketPath,
      configFile: '/dev/null',
      create: { command: 'cat' },
      ...options,
    });
  const paneOf = (of: Session) => [...of.panes.values()][0]!;

  test('wrong arguments are refused, and nothing was typed', async () => {
    const pane = paneOf(session);
    const viewer = createViewer();
    const echoed = nullSink();
    pane.pipe(echoed);
    await refuses('sink', others(), (sink) => pane.pipe(sink));
    await refuses('options', others('object'), (options) => pane.pipe(nullSink(), options));
    await refuses('pane', others(), (value) => viewer.pipe(value, nullSink()));
    await refuses('sink', others(), (sink) => viewer.pipe(pane, sink));
    await refuses('options', others('object'), (value) => viewer.pipe(pane, nullSink(), value));
    await refuses('pane', others(0, -1, 2 ** 53), (value) => viewer.focus(value));
    await refuses('input', others('string'), (input) => pane.type(input));
    await refuses('input', others('string'), (input) => pane.paste(input));
    await refuses('options', others('object'), (options) => pane.paste('x', options));
    await refuses('names', others('string'), (name) => pane.press(name));
    await refuses('input', others('object'), (input) => pane.mouse(input));
    await refuses('column', others(0), (column) =>
      pane.mouse({ type: 'press', button: 'left', row: 0, column }),
    );
    await refuses('name', others('string'), (name) => session.command(name));
    await refuses('args', others('string'), (arg) => session.command('display-message', '-p', arg));
    await refuses('columns', others(), (columns) => session.resize(columns, 24));
    await refuses('format', others('string'), (format) => session.subscribe(format, () => {}));
    await refuses('listener', others('function'), (listener) => session.subscribe('x', listener));
    await refuses('target', others('string'), (target) => session.subscribe('x', () => {}, target));
    await refuses('name', others('text'), (name) => session.options.watch(name));
    await refuses('name', others(), (name) => session.interval(name));
    await refuses('pane', others(), (value) => session.focus(value));
    expect(echoed.bytes).toBe(0);
  });

  /** Runs something, and returns the errors that nobody caught meanwhile. */
  async function uncaughtIn(run: () => Promise<void>): Promise<string[]> {
    const before = process.listeners('uncaughtException');
    const caught: string[] = [];
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => caught.push(error.message));
    try {
      await run();
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    }
    return caught;
  }

  test('a listener that throws ends nothing, and is not hidden', async () => {
    const uncaught = await uncaughtIn(async () => {
      let told = 0;
      session.on('change', () => {
        told++;
        throw new Error('in a listener');
      });
      await session.command('rename-window', 'other');
      await until(() => told > 0);
      expect((await session.command('display-message', '-p', '#W')).lines).toEqual(['other']);
    });
    expect(uncaught).toContain('in a listener');
    expect(session.stats().reconnects).toBe(0);
  });

  test('nor does a subscription', async () => {
    const uncaught = await uncaughtIn(async () => {
      let told = false;
      await session.subscribe('#{session_id}', () => {
        told = true;
        throw new Error('in a subscription');
      });
      await until(() => told || session.version < '3.2');
      await session.command('list-panes');
    });
    if (session.version >= '3.2') expect(uncaught).toEqual(['in a subscription']);
  });

  test('a sink that cannot be made is told, and the session goes on', async () => {
    const failing = await open({
      sink: () => {
        throw new Error('no terminal left');
      },
    });
    const told = new Promise((resolve) => {
      failing.on('sink-failed', (pane, error) => resolve([pane, error.code, error.message]));
    });
    const { id } = paneOf(failing);
    const message = `there is no sink for pane ${id}: no terminal left`;
    expect(await told).toEqual([id, 'ERR_SINK_FAILED', message]);
    await failing.command('list-panes');
    await failing.close();
  });

  test('a stream that vanishes amid a write ends its pipe', async () => {
    const stream = new Writable({ highWaterMark: 1, write: () => {} });
    const pipe = paneOf(session).pipe(streamSink(stream));
    await paneOf(session).type('x');
    await until(() => pipe.stats.writes > 0);
    stream.destroy();
    expect(await pipe.closed).toMatchObject({ code: 'ERR_SINK_FAILED' });
  });

  test('a stream that was over before is refused without waiting', async () => {
    const stream = new PassThrough();
    stream.destroy();
    const before = performance.now();
    const refused = connect({ stream, connectTimeoutMs: 60_000 });
    await expect(refused).rejects.toMatchObject({ code: 'ERR_TMUX_CONNECT' });
    expect(performance.now() - before).toBeLessThan(30_000);
  });
});
