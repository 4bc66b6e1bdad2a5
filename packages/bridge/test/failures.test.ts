/**
 * Goal: whatever goes wrong gives one typed error and a clean end, and nothing hangs.
 * Method: a real tmux that is killed, scripts that pretend to be tmux, sinks that throw.
 */
import { join } from 'node:path';
import { duplexPair, PassThrough } from 'node:stream';
import { type BridgeError, connect, memorySink, nullSink, type Session } from '@millrace/bridge';
import { supports } from '@millrace/tmux-proto/commands';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf } from './support/error-code.ts';
import { modes } from './support/modes.ts';
import {
  canResync,
  fakeTmux,
  hasTmux,
  type TestServer,
  testServer,
  until,
} from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

describe.each(modes)('no proper tmux, worker: $worker', ({ worker }) => {
  test('a missing program', async () => {
    expect(await codeOf(connect({ tmux: '/nowhere/tmux', worker }))).toBe('ERR_TMUX_NOT_FOUND');
  });

  test('a program that is something else', async () => {
    expect(await codeOf(connect({ tmux: '/bin/echo', worker }))).toBe('ERR_TMUX_NOT_FOUND');
  });

  test('a version that is too old', async () => {
    const tmux = fakeTmux(server, 'echo tmux 2.1');
    expect(await codeOf(connect({ tmux, worker }))).toBe('ERR_TMUX_VERSION');
  });

  test('a program that vanishes between the version and the start', async () => {
    const tmux = fakeTmux(server, `if [ "$1" = -V ]; then echo tmux 3.3a; rm "$0"; fi`);
    expect(await codeOf(connect({ tmux, worker }))).toBe('ERR_TMUX_NOT_FOUND');
  });

  test('a tmux that ends at once and says why', async () => {
    const tmux = fakeTmux(
      server,
      'if [ "$1" = -V ]; then echo tmux 3.3a; else echo no server running >&2; exit 1; fi',
    );
    const error: BridgeError = await connect({ tmux, worker }).then(
      () => expect.fail('connected'),
      (reason) => reason,
    );
    expect(error.code).toBe('ERR_TMUX_CONNECT');
    expect(error.message).toContain('no server running');
  });

  test('garbage on the pipe and silence', async () => {
    const tmux = fakeTmux(
      server,
      'if [ "$1" = -V ]; then echo tmux 3.3a; else head -c 100000 /dev/urandom; echo; exec sleep 60; fi',
    );
    expect(await codeOf(connect({ tmux, worker, connectTimeoutMs: 5000 }))).toBe(
      'ERR_TMUX_PROTOCOL',
    );
  });

  test('a tmux that never answers', async () => {
    const tmux = fakeTmux(server, 'if [ "$1" = -V ]; then echo tmux 3.3a; else exec sleep 60; fi');
    expect(await codeOf(connect({ tmux, worker, connectTimeoutMs: 500 }))).toBe('ERR_TMUX_CONNECT');
  });

  test('abort while connecting', async () => {
    const tmux = fakeTmux(server, 'if [ "$1" = -V ]; then echo tmux 3.3a; else exec sleep 60; fi');
    const signal = AbortSignal.timeout(300);
    expect(await codeOf(connect({ tmux, worker, signal, closeTimeoutMs: 200 }))).toBe(
      'ERR_SESSION_CLOSED',
    );
  });
});

describe.skipIf(!hasTmux).each(modes)('a real tmux, worker: $worker', ({ worker }) => {
  const open = (command: string, sink = nullSink): Promise<Session> =>
    connect({
      socketPath: server.socketPath,
      configFile: '/dev/null',
      session: 'main',
      create: { command },
      worker,
      sink: () => sink(),
      closeTimeoutMs: 1000,
    });

  test('no server, no session', async () => {
    const { socketPath, directory } = server;
    // A socket of its own: attach-session starts a server, which would still be ending when the next one starts.
    const nobody = join(directory, 'nobody');
    expect(await codeOf(connect({ socketPath: nobody, worker }))).toBe('ERR_TMUX_CONNECT');
    await using session = await open('sleep 60');
    expect(session.panes.size).toBe(1);
    expect(await codeOf(connect({ socketPath, worker, session: 'other' }))).toBe(
      'ERR_TMUX_CONNECT',
    );
  });

  test('an abort at any moment of connecting leaves no client behind', async () => {
    server.run('new-session', '-d', '-s', 'main', 'sleep 60');
    for (let delayMs = 0; delayMs <= 40; delayMs += worker === false ? 4 : 20) {
      const signal = AbortSignal.timeout(delayMs);
      const { socketPath } = server;
      const connecting = connect({ socketPath, worker, signal, closeTimeoutMs: 1000 });
      const session = await connecting.catch((error) => codeOf(Promise.reject(error)));
      if (typeof session === 'string') expect(session).toBe('ERR_SESSION_CLOSED');
      else await session.close();
    }
    await until(() => server.run('list-clients') === '');
  });

  test('without a folder for temporary files', async () => {
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = join(server.directory, 'nowhere');
    try {
      const sink = memorySink();
      const session = await open('printf hello; sleep 0.2', () => sink as never);
      expect(await session.closed).toMatchObject({ reason: 'exited' });
      expect(Buffer.from(sink.contents()).toString()).toContain('hello');
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  });

  test('the server is killed in the middle of a flood', async () => {
    const session = await open('exec seq 1 1000000000');
    const pid = Number((await session.command('display-message', '-p', '#{pid}')).lines[0]);
    await until(() => session.stats().records > 100);
    const pending = codeOf(session.command('display-message', '-p', 'late'));
    process.kill(pid, 'SIGKILL');
    const end = await session.closed;
    expect(end.reason).toBe('failed');
    expect(end.error?.code).toBe('ERR_TMUX_EXITED');
    expect(['ERR_SESSION_CLOSED', 'resolved']).toContain(await pending);
    expect(await codeOf(session.command('list-panes'))).toBe('ERR_SESSION_CLOSED');
  });

  test('the session ends in the ordinary way', async () => {
    const sink = memorySink();
    const session = await open('printf hello; sleep 0.2', () => sink as never);
    const end = await session.closed;
    expect(end).toMatchObject({ reason: 'exited' });
    expect(Buffer.from(sink.contents()).toString()).toContain('hello');
  });

  // tmux's client then ends with status 1, which says nothing about the session's end: `%exit` does, from 3.2 on.
  test('the session ends in the ordinary way after a command that failed', async ({ skip }) => {
    const session = await open('read line');
    skip(!supports(session.version, 'flow-control'), 'a client of this tmux is given no %exit');
    const [pane] = session.panes.keys();
    expect(await codeOf(session.command('kill-window', '-t', '@99'))).toBe('ERR_TMUX_COMMAND');
    await session.command('send-keys', '-t', `%${pane}`, 'Enter');
    expect(await session.closed).toMatchObject({ reason: 'exited' });
  });

  // A server each: one that is about to end refuses the next client without a word. Without `%exit` the status of the
  // client stands for the end, and it is 1 if a command failed because the session was over already.
  test.skipIf(!canResync).each(['printf hello', 'sleep 0.01', 'sleep 0.05'])(
    'a program that is over before connect is: %s',
    async (command) => {
      const session = await open(command);
      expect(await session.closed).toMatchObject({ reason: 'exited' });
      expect(await codeOf(session.command('list-panes'))).toBe('ERR_SESSION_CLOSED');
    },
  );

  test('close detaches, leaves the server and its programs alone, and can be repeated', async () => {
    const session = await open('sleep 60');
    const [first, second] = await Promise.all([session.close(), session.close()]);
    expect(first.reason).toBe('closed');
    expect(second).toBe(first);
    expect(server.run('list-sessions', '-F', '#{session_name} #{session_attached}').trim()).toBe(
      'main 0',
    );
  });

  test('close while a flood runs and a sink never accepts', async () => {
    const session = await open(
      'exec seq 1 1000000000',
      () => ({ write: () => new Promise(() => {}) }) as never,
    );
    await until(() => session.stats().records > 20);
    expect((await session.close()).reason).toBe('closed');
    // The server is free: an undrained client would block this.
    expect(server.run('display-message', '-p', 'alive').trim()).toBe('alive');
  });

  test('a refused command rejects with what tmux says, and the session goes on', async () => {
    await using session = await open('sleep 60');
    const error: BridgeError = await session.command('no-such-command').then(
      () => expect.fail('accepted'),
      (reason) => reason,
    );
    expect(error.code).toBe('ERR_TMUX_COMMAND');
    expect(error.message).toContain('unknown command');
    const hostile = `a;b\n"$HOME" #{pane_id} ' \\ {}%end 1 1 1`;
    await session.command('set-option', '-g', '@hostile', hostile);
    expect((await session.command('show-options', '-gv', '@hostile')).lines.join('\n')).toBe(
      hostile,
    );
    expect(await codeOf(session.command('display-message', 'nul\0byte'))).toBe(
      'ERR_BRIDGE_ARGUMENT',
    );
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken sink');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken sink'))],
  ])('a sink that %s ends its own pipe and no other', async (_how, write) => {
    await using session = await open('while :; do echo tick; sleep 0.01; done');
    const pane = [...session.panes.values()][0]!;
    const good = nullSink();
    pane.pipe(good);
    let closedWith: Error | undefined;
    const bad = pane.pipe({
      write,
      close: (error) => {
        closedWith = error;
      },
    });
    const error = await bad.closed;
    expect(error?.code).toBe('ERR_SINK_FAILED');
    expect(error?.cause).toMatchObject({ message: 'broken sink' });
    expect(closedWith).toBe(error);
    const before = good.bytes;
    await until(() => good.bytes > before + 20);
    expect(pane.pipes).toHaveLength(2);
  });

  test('panes come and go', async () => {
    await using session = await open('sleep 60');
    const seen: number[] = [];
    const gone: number[] = [];
    session.on('pane', (pane) => seen.push(pane.id));
    session.on('pane-closed', (pane) => gone.push(pane.id));
    const { lines } = await session.command('split-window', '-P', '-F', '#{pane_id}', 'sleep 60');
    const id = Number(lines[0]!.slice(1));
    await until(() => seen.includes(id));
    const pipe = session.panes.get(id)!.pipe(memorySink());
    await session.command('kill-pane', '-t', lines[0]!);
    await until(() => gone.includes(id));
    expect(await pipe.closed).toBeUndefined();
    expect(session.panes.has(id)).toBe(false);
  });
});

describe('a stream of the caller', () => {
  test('garbage and an end give an error, not a hang', async () => {
    const [near, far] = duplexPair();
    far.write('what is this\n');
    const connecting = codeOf(connect({ stream: near, connectTimeoutMs: 2000 }));
    setTimeout(() => far.end(), 50);
    expect(await connecting).toBe('ERR_TMUX_CONNECT');
  });

  test('a stream that breaks', async () => {
    const stream = new PassThrough();
    const connecting = codeOf(connect({ stream, connectTimeoutMs: 2000 }));
    setTimeout(() => stream.destroy(new Error('line cut')), 50);
    expect(await connecting).toBe('ERR_TMUX_CONNECT');
  });
});

describe('arguments', () => {
  test.each([
    [{ socketName: 'a', socketPath: 'b' }, 'socketName'],
    [{ session: '-bad' }, 'session'],
    [{ worker: 'shared' as 'message' }, 'worker="shared"'],
    [{ ringBytes: 100_000 }, 'ringBytes=100000'],
    [{ pauseAfterSeconds: 0 }, 'pauseAfterSeconds=0'],
    [{ commandsMax: 99 }, 'commandsMax=99'],
    [{ aheadBytesMax: -1 }, 'aheadBytesMax=-1'],
    [{ create: { columns: 0 } }, 'create.columns=0'],
    [{ recording: { source: 'x', loops: 0 } }, 'recording.loops=0'],
    [{ recording: { source: 'x', pace: { kind: 'recorded', speed: 0 } } }, 'speed=0'],
  ] as const)('%j', async (options, named) => {
    const error: BridgeError = await connect(options).then(
      () => expect.fail('connected'),
      (reason) => reason,
    );
    expect(error.code).toBe('ERR_BRIDGE_ARGUMENT');
    expect(error.message).toContain(named);
  });
});
