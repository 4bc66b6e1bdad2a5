/**
 * Goal: each version of tmux is asked only what it understands and survives, and its clients are told apart.
 * Method: scripts that speak control mode as a given version, and write down what they are sent; a real tmux with an
 * ordinary client beside the session.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, memorySink, nullSink, type Session } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  canResync,
  fakeTmux,
  type TestServer,
  testServer,
  tmuxProgram,
  until,
} from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

/** A tmux of that version with one pane; after what it was sent to set up, it says `then`. */
function fake(version: string, log: string, then = ''): string {
  const layout = 'b25d,80x24,0,0,0';
  const replies: readonly (readonly [string, string])[] = [
    ['display-message -p "#{pid}', `4711 ${version}`],
    ['display-message -p "#{session_id}"', '$0'],
    ['list-sessions', '$0 1 main'],
    ['list-windows', `$0 0 1 @0 80 24 0 * off ${layout} ${layout} name`],
    ['list-panes', '%0 @0 0 1 0 0 80 24 0  title'],
    ['list-clients', '99 1 $0 80 24 client-99'],
  ];
  // One block for each command of the line.
  const cases = replies.map(([word, text]) => `*'${word}'*) echo '${text}';;`).join('\n');
  return fakeTmux(
    server,
    `
if [ "$1" = -V ]; then echo tmux ${version}; exit; fi
n=1
echo "%begin 1 $n 0"; echo "%end 1 $n 0"; echo '%session-changed $0 main'
while IFS= read -r line; do
  [ -z "$line" ] && break
  printf '%s\\n' "$line" >>'${log}'
  case $line in display-message*' ; '*)
    set -- 'display-message -p "#{session_id}"' list-sessions list-windows list-panes list-clients;;
  *) set -- "$line";; esac
  for command; do
    n=$((n+1)); echo "%begin 1 $n 1"
    case $command in
${cases}
    esac
    echo "%end 1 $n 1"
  done
  case $line in *list-clients*) ${then === '' ? ':' : `printf '${then}'`};; esac
done
echo %exit
`,
  );
}

async function conversation(
  version: string,
  then = '',
): Promise<{ log: string; session: Session }> {
  const log = join(server.directory, `log-${version}`);
  const session = await connect({ tmux: fake(version, log, then) });
  return { log, session };
}

describe('what a version is asked', () => {
  test.each(['2.9', '2.9a', '3.0', '3.0a', '3.1c'])('%s: lossless only', async (version) => {
    const { log, session } = await conversation(version, '%%output %%0 hello\\n');
    expect(session.version).toBe(version);
    const pane = session.panes.get(0)!;
    expect(pane.info).toMatchObject({ columns: 80, rows: 24, title: 'title' });
    const sink = memorySink();
    const pipe = pane.pipe(sink, { policy: 'latest' });
    await session.resize(100, 30);
    await session.options.watch('mouse');
    expect(await session.subscribe('#{x}', () => {})).toBeTypeOf('function');
    expect(pipe.stats.skipping).toBe(false);
    expect((await session.close()).reason).toBe('closed');
    const sent = readFileSync(log, 'utf8');
    expect(sent).toContain('refresh-client -C 100x30');
    expect(sent).not.toMatch(/refresh-client -[ABf]/);
    expect(sent).not.toContain('capture-pane');
  });

  test('3.1c: it would not wait for a sink that lags, which is given up at the limit', async () => {
    const flood = `%%output %%0 ${'x'.repeat(1000)}\\n`.repeat(300);
    const log = join(server.directory, 'log');
    const failed: unknown[] = [];
    await using session = await connect({
      tmux: fake('3.1c', log, flood),
      aheadBytesMax: 65_536,
      pipe: { bytesHigh: 1000, stalledMs: 0 },
      sink: () => ({ write: () => new Promise(() => {}) }),
    });
    session.on('sink-failed', (pane, error) => failed.push(pane, error.code, error.message));
    await until(() => failed.length > 0);
    expect(failed).toEqual([
      0,
      'ERR_SINK_STALLED',
      expect.stringMatching(/pane 0 .* tmux 3\.1c doesn't wait .* aheadBytesMax=65536$/),
    ]);
    expect((await session.command('list-panes')).lines).toHaveLength(1);
  });

  test.each(['3.2', '3.2a', '3.3a', '3.4', '3.5a', '3.6', '3.7', 'next-3.8', 'master'])(
    '%s: with pause and subscriptions',
    async (version) => {
      const { log, session } = await conversation(version, '%%pause %%0\\n');
      const pane = session.panes.get(0)!;
      pane.pipe(nullSink(), { policy: 'latest' });
      await session.options.watch('mouse');
      await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('%0:continue'));
      await session.close();
      const sent = readFileSync(log, 'utf8');
      expect(sent).toMatch(/refresh-client -f "?pause-after/);
      expect(sent).toContain('refresh-client -B');
      // Before 3.7 that hangs the server, on 3.3a it kills it.
      expect(sent).not.toMatch(/:(on|off)\b/);
    },
  );

  test.each(['1.8', '2.1', '2.8'])('%s is refused', async (version) => {
    await expect(conversation(version)).rejects.toMatchObject({ code: 'ERR_TMUX_VERSION' });
  });
});

const hasScript = existsSync('/usr/bin/script');

// Before 3.2 there is no `pause-after` to shorten, and clients that go are seen at the next listing.
describe.skipIf(!canResync || !hasScript)('an ordinary client beside the session', () => {
  test('is noticed, and tmux may fall behind less far while it is there', async () => {
    await using session = await connect({
      socketPath: server.socketPath,
      configFile: '/dev/null',
      session: 'main',
      create: { command: 'sleep 600' },
    });
    const told: number[] = [];
    session.on('mixed', (count) => told.push(count));
    const flags = (): string => server.run('list-clients', '-F', '#{client_flags}');
    expect(flags()).toContain('pause-after=60');
    const { TMUX: _, ...env } = process.env;
    const attach = `'${tmuxProgram}' -S ${server.socketPath} attach -t main`;
    const ordinary = spawn('script', ['-qfec', attach, '/dev/null'], {
      env: { ...env, TERM: 'xterm' },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    try {
      await until(() => told.length === 1);
      expect(session.stats().ordinaryClients).toBe(1);
      await until(() => /pause-after=1(,|$)/m.test(flags()));
      // One that comes later knows at once.
      const other = await connect({ socketPath: server.socketPath, session: 'main' });
      expect(other.stats().ordinaryClients).toBe(1);
      await until(() => !flags().includes('pause-after=60'));
      await other.close();
    } finally {
      ordinary.kill('SIGKILL');
    }
    server.run('detach-client', '-t', server.run('list-clients', '-F', '#{client_tty}').trim());
    await until(() => told.at(-1) === 0);
    await until(() => flags().includes('pause-after=60'));
  });
});

test.skipIf(!canResync)(
  'another client of control mode is noticed too, without a limit of its own',
  async () => {
    const options = { socketPath: server.socketPath, configFile: '/dev/null', session: 'main' };
    await using session = await connect({ ...options, create: { command: 'sleep 600' } });
    expect(session.stats()).toMatchObject({ ordinaryClients: 0, otherControlClients: 0 });
    const told: [number, number][] = [];
    session.on('mixed', (...counts) => told.push(counts));
    const other = await connect(options);
    const early: [number, number][] = [];
    other.on('mixed', (...counts) => early.push(counts));
    await until(() => told.length === 1);
    // What happened before `connect` resolved is told to whoever listens right after.
    await until(() => early.length === 1);
    expect([told, early]).toEqual([[[0, 1]], [[0, 1]]]);
    expect(server.run('list-clients', '-F', '#{client_flags}')).not.toMatch(/pause-after=1(,|$)/m);
    await other.close();
    await until(() => session.stats().otherControlClients === 0);
    expect(told).toEqual([
      [0, 1],
      [0, 0],
    ]);
  },
);
