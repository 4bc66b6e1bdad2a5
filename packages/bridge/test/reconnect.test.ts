/**
 * Goal: a connection that breaks costs the session a gap and nothing else; a server that is gone ends it.
 * Method: a real tmux over each transport, whose client, stream or worker is killed; streams that fail on purpose.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import {
  type BridgeError,
  type ConnectOptions,
  connect,
  type MemorySink,
  memorySink,
  parseRecording,
  type Session,
  type StreamPair,
} from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf } from './support/error-code.ts';
import {
  canResync,
  hasTmux,
  type TestServer,
  testServer,
  tmuxProgram,
  tmuxVersion,
  until,
} from './support/tmux.ts';
import { watchWorkers } from './support/workers.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

const { TMUX: _, ...env } = process.env;

/** A stream that speaks control mode, as ssh would hand one over. */
function stream(socketPath = server.socketPath): StreamPair {
  const args = ['-S', socketPath, '-f', '/dev/null', '-u', '-C', 'attach-session'];
  const child = spawn(tmuxProgram, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  return { readable: child.stdout, writable: child.stdin };
}

type Transport = 'inline' | 'worker' | 'message' | 'stream';
/** Before tmux 3.2 a client says nothing when it ends: over a stream, that it was killed can't be told. */
const transports: readonly Transport[] = canResync
  ? ['inline', 'worker', 'message', 'stream']
  : ['inline', 'worker', 'message'];
const worker = { inline: false, worker: true, message: 'message' } as const;
const quick = { delayMs: 10, delayMsMax: 50 };

async function open(
  transport: Transport,
  command: string,
  options: Partial<ConnectOptions> = {},
): Promise<Session> {
  if (transport === 'stream') {
    server.run('new-session', '-d', '-s', 'main', '-x', '120', '-y', '40', command);
    return connect({ stream: () => stream(), reconnect: quick, ...options });
  }
  return connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: 'main',
    create: { command },
    worker: worker[transport],
    reconnect: quick,
    ...options,
  });
}

const clientPid = async (session: Session): Promise<number> =>
  Number((await session.command('display-message', '-p', '#{client_pid}')).lines[0]);

const once = (session: Session, name: 'reconnected' | 'disconnected'): Promise<void> =>
  new Promise((resolve) => session.once(name, () => resolve()));

describe.skipIf(!hasTmux).each(transports)('the client is killed, %s', (transport) => {
  test('session, panes, pipes, subscriptions, size and flags live on', async () => {
    await using session = await open(transport, 'while :; do echo tick; sleep 0.02; done');
    const told: string[] = [];
    session.on('disconnected', (error) => told.push(error.code));
    session.on('gap', (pane) => told.push(`gap ${pane.id}`));
    session.on('reconnected', ({ attempts }) => told.push(`after ${attempts}`));
    session.on('option', (name, value) => told.push(`${name}=${value}`));
    session.on('pane-closed', () => told.push('a pane was closed'));
    await session.options.watch('@word');
    await session.resize(97, 33);
    const pane = [...session.panes.values()][0]!;
    const sinks = { latest: memorySink(), lossless: memorySink(), late: memorySink() };
    pane.pipe(sinks.latest, { policy: 'latest' });
    pane.pipe(sinks.lossless);
    await until(() => sinks.lossless.contents().length > 20 && sinks.latest.contents().length > 20);

    const pid = await clientPid(session);
    const back = once(session, 'reconnected');
    const lost = once(session, 'disconnected');
    const underWay = codeOf(session.command('display-message', '-p', 'never'));
    process.kill(pid, 'SIGKILL');
    await lost;
    expect(['ERR_TMUX_DISCONNECTED', 'resolved']).toContain(await underWay);
    expect(await codeOf(session.command('list-panes'))).toBe('ERR_TMUX_DISCONNECTED');
    pane.pipe(sinks.late, { policy: 'latest' });
    await back;

    expect(session.panes.get(pane.id)).toBe(pane);
    expect(told.slice(0, 2)).toEqual(['ERR_TMUX_EXITED', `gap ${pane.id}`]);
    expect(told[2]).toMatch(/^after \d+$/);
    expect(session.stats()).toMatchObject({ reconnects: 1, gaps: 1 });
    expect(session.version).toBe(tmuxVersion);
    const now = await clientPid(session);
    expect(now).not.toBe(pid);
    const client = server.run(
      'list-clients',
      '-F',
      '#{client_pid} #{client_flags} #{client_width}',
    );
    expect(client.trim()).toMatch(
      new RegExp(`^${now} .*${canResync ? 'pause-after=60.* ' : ''}97$`),
    );
    server.run('set-option', '-g', '@word', 'new');
    // Before 3.2 there are no subscriptions and no snapshots.
    if (canResync) await until(() => told.includes('@word=new'));
    for (const sink of Object.values(sinks)) {
      const before = sink.contents().length;
      await until(() => sink.contents().length > before + 20);
      // Both got the screen in place of what is missing.
      if (canResync) expect(Buffer.from(sink.contents()).toString()).toContain('\x1b[');
    }
    expect(told).not.toContain('a pane was closed');
  });

  test('panes that went meanwhile are closed, and a held session goes on', async () => {
    let holds = true;
    let waiting: (() => void) | undefined;
    const hold = (): void => {
      holds = true;
      waiting = undefined;
    };
    const letGo = (): void => {
      holds = false;
      waiting?.();
    };
    await using session = await open(transport, 'exec seq 1 1000000000', {
      pipe: { bytesHigh: 1000 },
      sink: () => ({
        write: () =>
          holds
            ? new Promise<void>((resolve) => {
                waiting = resolve;
              })
            : undefined,
      }),
    });
    const split = ['split-window', '-d', '-t', 'main', '-P', '-F', '#{pane_id}', 'sleep 600'];
    const other = server.run(...split).trim();
    await until(() => waiting !== undefined);
    letGo();
    await until(() => session.panes.size === 2);
    hold();
    await until(() => waiting !== undefined);
    const closed: number[] = [];
    session.on('pane-closed', (pane) => closed.push(pane.id));
    const pid = Number(server.run('list-clients', '-F', '#{client_pid}'));
    const back = once(session, 'reconnected');
    server.run('kill-pane', '-t', other);
    process.kill(pid, 'SIGKILL');
    // A held source is not read: its end is seen when the sink has accepted all that came before it. A sink that
    // accepts a write a timer needs a thousand timers for that, half a minute where they come late.
    letGo();
    await back;
    await until(() => closed.length === 1);
    expect(closed).toEqual([Number(other.slice(1))]);
  });

  test('again and again', async () => {
    await using session = await open(transport, 'sleep 600');
    for (let round = 1; round <= 2; round++) {
      const back = once(session, 'reconnected');
      process.kill(await clientPid(session), 'SIGKILL');
      await back;
      expect(session.stats().reconnects).toBe(round);
    }
    expect(server.run('list-clients').trim().split('\n')).toHaveLength(1);
  });
});

describe.skipIf(!hasTmux)('the end', () => {
  test.each(transports)('a server that is gone is not started again, %s', async (transport) => {
    const session = await open(transport, 'sleep 600');
    const { lines } = await session.command('display-message', '-p', '#{pid}');
    process.kill(Number(lines[0]), 'SIGKILL');
    const end = await session.closed;
    expect(end.reason).toBe('failed');
    expect(session.stats().reconnects).toBe(0);
    expect(server.run('list-sessions')).toBe('');
  });

  test.each(transports)('a goodbye is no reason to come back, %s', async (transport) => {
    const session = await open(transport, 'sleep 600');
    server.run('detach-client', '-s', 'main');
    expect((await session.closed).reason).toBe('exited');
  });

  test.skipIf(!canResync)('another server at the same place is not ours', async () => {
    const other = testServer();
    other.run('new-session', '-d', 'sleep 600');
    try {
      let count = 0;
      server.run('new-session', '-d', '-s', 'main', 'sleep 600');
      const session = await connect({
        stream: () => stream(count++ === 0 ? server.socketPath : other.socketPath),
        reconnect: quick,
      });
      process.kill(await clientPid(session), 'SIGKILL');
      const end = await session.closed;
      expect(end.error?.message).toContain('another one is at its place');
      expect(count).toBe(2);
    } finally {
      other.close();
    }
  });

  test.skipIf(!canResync)('it gives up after the limit, and says why', async () => {
    let count = 0;
    server.run('new-session', '-d', '-s', 'main', 'sleep 600');
    const session = await connect({
      stream: () => {
        if (count++ > 0) throw new Error('no route to host');
        return stream();
      },
      reconnect: { attemptsMax: 3, delayMs: 1 },
    });
    process.kill(await clientPid(session), 'SIGKILL');
    const { reason, error } = await session.closed;
    expect(reason).toBe('failed');
    expect(error?.code).toBe('ERR_TMUX_DISCONNECTED');
    expect(error?.message).toMatch(/3 attempts.*no route to host/);
    expect(count).toBe(4);
  });

  test.skipIf(!canResync).each([
    ['between two attempts', 60_000, () => stream()],
    ['while a stream is awaited for ever', 1, () => new Promise<Duplex>(() => {})],
    ['while tmux is silent', 1, () => new Duplex({ read() {}, write: (_c, _e, done) => done() })],
  ] as const)('close %s', async (_when, delayMs, next) => {
    let count = 0;
    server.run('new-session', '-d', '-s', 'main', 'sleep 600');
    const session = await connect({
      stream: () => (count++ === 0 ? stream() : next()),
      reconnect: { delayMs, delayMsMax: delayMs },
      closeTimeoutMs: 200,
    });
    const lost = once(session, 'disconnected');
    process.kill(await clientPid(session), 'SIGKILL');
    await lost;
    if (delayMs === 1) await until(() => count > 1);
    expect(await session.close()).toEqual({ reason: 'closed', message: 'closed' });
    expect(await codeOf(session.command('list-panes'))).toBe('ERR_SESSION_CLOSED');
  });

  test.skipIf(!canResync).each([
    ['the session was closed meanwhile', 10_000],
    ['its time is over', 200],
  ])('a stream that comes when %s is ended', async (_when, connectTimeoutMs) => {
    server.run('new-session', '-d', '-s', 'main', 'sleep 600');
    const late = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    let arrive!: (stream: Duplex) => void;
    let count = 0;
    const session = await connect({
      stream: () => {
        if (count++ === 0) return stream();
        return new Promise<Duplex>((resolve) => {
          arrive = resolve;
        });
      },
      reconnect: { attemptsMax: 1, delayMs: 1 },
      connectTimeoutMs,
    });
    process.kill(await clientPid(session), 'SIGKILL');
    await until(() => count === 2);
    if (connectTimeoutMs > 1000) await session.close();
    else expect((await session.closed).error?.message).toContain('no stream within 200 ms');
    arrive(late);
    await until(() => late.destroyed);
  });

  test('a stream that cannot be made again is refused', async () => {
    const refused = connect({ stream: new Duplex(), reconnect: true });
    expect(await codeOf(refused)).toBe('ERR_BRIDGE_ARGUMENT');
  });
});

/** Opens a session, and says which workers were started for it. */
async function workersOf<T>(run: () => Promise<T>): Promise<{ result: T; workers: Set<Worker> }> {
  const { workers, stop } = watchWorkers();
  try {
    return { result: await run(), workers: new Set(workers) };
  } finally {
    stop();
  }
}

describe.skipIf(!hasTmux).each(['worker', 'message'] as const)('the %s is killed', (transport) => {
  test('a session that may reconnect does, and leaves no client behind', async () => {
    const sinks: MemorySink[] = [];
    const { result: session, workers } = await workersOf(() =>
      open(transport, 'while :; do echo tick; sleep 0.02; done', {
        sink: () => {
          const sink = memorySink();
          sinks.push(sink);
          return sink;
        },
      }),
    );
    expect(workers.size).toBe(1);
    const back = once(session, 'reconnected');
    const lost = new Promise<BridgeError>((resolve) => session.once('disconnected', resolve));
    await [...workers][0]!.terminate();
    expect((await lost).code).toBe('ERR_WORKER_FAILED');
    await back;
    const before = sinks[0]!.contents().length;
    await until(() => sinks[0]!.contents().length > before + 20);
    await until(() => server.run('list-clients').trim().split('\n').length === 1);
    await session.close();
  });

  test('one that may not ends with a typed error', async () => {
    const { result: session, workers } = await workersOf(() =>
      open(transport, 'sleep 600', { reconnect: false }),
    );
    await [...workers][0]!.terminate();
    const end = await session.closed;
    expect(end.error?.code).toBe('ERR_WORKER_FAILED');
    await until(() => server.run('list-clients') === '');
    expect(server.run('display-message', '-p', 'alive').trim()).toBe('alive');
  });
});

test.skipIf(!hasTmux)('a recording goes on over a second connection', async () => {
  const path = join(server.directory, 'recording');
  const session = await open('inline', 'sleep 600', { recordTo: path });
  await session.command('display-message', '-p', 'first-life');
  const back = once(session, 'reconnected');
  process.kill(await clientPid(session), 'SIGKILL');
  await back;
  await session.command('display-message', '-p', 'second-life');
  await session.close();
  const { frames } = parseRecording(readFileSync(path));
  const sent = Buffer.concat(frames.filter((frame) => frame.toTmux).map((frame) => frame.bytes));
  expect(sent.indexOf('first-life')).toBeGreaterThan(0);
  expect(sent.indexOf('second-life')).toBeGreaterThan(sent.indexOf('first-life'));
});
