/**
 * Goal: a session leaves nothing behind, however often and however it ends; what fails disturbs nothing else.
 * Method: many sessions, opened and closed one after the other on a real tmux, and everything that a process holds
 * compared before and after: handles, children, clients, listeners. `npm run soak` runs a thousand of each kind (SOAK says
 * how many), and prints what it found, the slowest connect with the machine's load then; one that gets no answer says
 * where it stood.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, symlinkSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ConnectOptions, connect, nullSink, type Session } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modes } from './support/modes.ts';
import { hasTmux, type TestServer, testServer, tmuxProgram, until } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

const { TMUX: _, ...env } = process.env;
const asked = process.env['SOAK'] === undefined ? undefined : Number(process.env['SOAK']);
const recording = readFileSync(new URL('../recordings/demo.millrace.gz', import.meta.url));

const kinds: readonly { kind: string; cycles: number; options: () => ConnectOptions }[] = [
  { kind: 'inline', cycles: 25, options: () => ({}) },
  { kind: 'worker', cycles: 8, options: () => ({ worker: true }) },
  { kind: 'message', cycles: 8, options: () => ({ worker: 'message' }) },
  {
    kind: 'stream',
    cycles: 25,
    options: () => {
      const args = ['-S', server.socketPath, '-u', '-C', 'attach-session'];
      const child = spawn(tmuxProgram, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
      return { stream: { readable: child.stdout, writable: child.stdin } };
    },
  },
  {
    kind: 'recording',
    cycles: 25,
    options: () => ({ recording: { source: recording, pace: { kind: 'max' } } }),
  },
];

/** What this process holds, and what runs because of it. */
function holdings(): Record<string, number> {
  const held: Record<string, number> = {};
  const add = (name: string, count = 1): void => {
    held[name] = (held[name] ?? 0) + count;
  };
  for (const name of process.getActiveResourcesInfo()) {
    if (name !== 'Immediate' && name !== 'CloseReq') add(name);
  }
  for (const name of process.eventNames()) {
    add(`listeners of ${String(name)}`, process.listenerCount(name));
  }
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (parent === process.pid && !line.includes('ps -e')) add(`child ${pid} ${line}`);
    if (line.includes(server.socketPath)) add('processes on the socket');
  }
  return held;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What a soak prints of the process. */
const summary = (held: Record<string, number>): string => {
  const of = (isCounted: (name: string) => boolean): number =>
    Object.keys(held).reduce((sum, name) => sum + (isCounted(name) ? held[name]! : 0), 0);
  const children = of((name) => name.startsWith('child '));
  const processes = held['processes on the socket'] ?? 0;
  const handles = of((name) => !name.startsWith('child ') && !name.startsWith('processes'));
  const rssMB = Math.round(process.memoryUsage.rss() / 1e6);
  return `${handles} handles and listeners, ${children} children, ${processes} processes, ${rssMB} MB`;
};

describe.skipIf(!hasTmux).each(kinds)('$kind', ({ kind, cycles, options }) => {
  test('nothing is left of many sessions', async () => {
    server.run('new-session', '-d', '-s', 'main', '-x', '80', '-y', '24', 'cat');
    const signal = new AbortController().signal;
    const slowest = { ms: 0, index: 0, load: 0 };
    const cycle = async (index: number): Promise<void> => {
      const given = options();
      const live = given.recording === undefined;
      const startedAt = performance.now();
      const session = await connect({
        ...(live && given.stream === undefined ? { socketPath: server.socketPath } : {}),
        ...given,
        signal,
        reconnect: live && given.stream === undefined,
        sink: () => nullSink(),
      });
      const ms = Math.round(performance.now() - startedAt);
      if (ms > slowest.ms) Object.assign(slowest, { ms, index, load: loadavg()[0] });
      if (live && index % 3 === 0) await session.command('list-windows');
      if (live && index % 5 === 0) {
        const pane = [...session.panes.values()][0]!;
        pane.pipe(nullSink(), { policy: 'latest' });
        await pane.type('x');
      }
      if (index % 7 === 0) session.close();
      expect((await session.close()).reason).toMatch(/closed|exited/);
    };
    await cycle(0); // what is made once: the kernel, the loader
    const before = holdings();
    const count = asked ?? cycles;
    collect();
    const summaryBefore = summary(before);
    const heapBefore = process.memoryUsage().heapUsed;
    for (let index = 1; index <= count; index++) await cycle(index);
    await until(() => {
      const now = holdings();
      return Object.keys(now).every((name) => now[name]! <= (before[name] ?? 0));
    }).catch(() => expect(holdings()).toEqual(before));
    expect(server.run('list-clients')).toBe('');
    expect(server.run('list-sessions', '-F', '#{session_name}').trim()).toBe('main');
    collect();
    const heapBytes = (process.memoryUsage().heapUsed - heapBefore) / count;
    if (asked !== undefined) {
      process.stdout.write(
        `${kind}, ${count} cycles: ${Math.round(heapBytes)} bytes of heap a cycle\n` +
          `  before: ${summaryBefore}\n  after:  ${summary(holdings())}\n` +
          `  slowest connect: ${JSON.stringify(slowest)}\n`,
      );
      // What is allocated once, and what engines keep for later, doesn't grow with the cycles.
      expect(heapBytes * count).toBeLessThan(4_000_000 + 500 * count);
    }
  }, 1_200_000);
});

describe.skipIf(!hasTmux).each(modes)('what fails, worker: $worker', ({ worker }) => {
  const open = (options: ConnectOptions): Promise<Session> =>
    connect({
      socketPath: server.socketPath,
      configFile: '/dev/null',
      session: 'main',
      create: { command: 'while :; do echo tick; sleep 0.02; done' },
      worker,
      ...options,
    });

  test.skipIf(process.platform !== 'linux')('a full disk ends the recording only', async () => {
    await expect(open({ recordTo: '/dev/full' })).rejects.toMatchObject({
      code: 'ERR_RECORDING_WRITE',
    });
    const path = join(server.directory, 'recording');
    await using session = await open({ recordTo: path, reconnect: { delayMs: 1 } });
    const failed = new Promise<Error>((resolve) => session.once('recording-failed', resolve));
    const pid = Number((await session.command('display-message', '-p', '#{client_pid}')).lines[0]);
    rmSync(path);
    symlinkSync('/dev/full', path);
    const back = new Promise((resolve) => session.once('reconnected', resolve));
    process.kill(pid, 'SIGKILL'); // the next connection opens the file again
    expect(await failed).toMatchObject({ code: 'ERR_RECORDING_WRITE' });
    await back;
    const sink = nullSink();
    [...session.panes.values()][0]!.pipe(sink);
    await until(() => sink.bytes > 30);
  });

  test('a sink that stalls for ever ends its own pipe, and the session goes on', async () => {
    await using session = await open({ create: { command: 'exec seq 1 1000000000' } });
    const pane = [...session.panes.values()][0]!;
    const good = nullSink();
    pane.pipe(good);
    const bad = pane.pipe(
      { write: () => new Promise(() => {}) },
      { bytesHigh: 1000, stalledMs: 300 },
    );
    expect(await bad.closed).toMatchObject({ code: 'ERR_SINK_STALLED' });
    const before = good.bytes;
    await until(() => good.bytes > before + 100_000);
    expect((await session.command('list-panes')).lines).toHaveLength(1);
  });

  test('a sink may accept when its session has ended', async () => {
    const rejected: unknown[] = [];
    const note = (reason: unknown): void => void rejected.push(reason);
    process.on('unhandledRejection', note);
    try {
      const session = await open({ closeTimeoutMs: 10 });
      let accept = (): void => {};
      const write = (): Promise<void> =>
        new Promise((resolve) => {
          accept = resolve;
        });
      const pipe = [...session.panes.values()][0]!.pipe({ write });
      await until(() => pipe.stats.writes > 0);
      await session.close();
      accept();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(rejected).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
