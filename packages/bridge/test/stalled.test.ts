/**
 * Goal: a sink that stalls for ever costs its own pipe and nothing else: commands are answered, memory stays bounded here
 * and in tmux, the others go on, and whoever may lose nothing loses nothing.
 * Method: a real tmux with a pane that floods and one that ticks, sinks that accept when they are told to.
 */
import { readFileSync } from 'node:fs';
import {
  type ConnectOptions,
  connect,
  memorySink,
  nullSink,
  type Pane,
  type PipeOptions,
  type Session,
  type Sink,
} from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf } from './support/error-code.ts';
import { canResync, hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

/** A sink that accepts nothing until it is let go. */
function stalledSink(): Sink & { letGo(): void; bytes: number; closedWith: Error | undefined } {
  let letGo!: () => void;
  const gone = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return {
    bytes: 0,
    closedWith: undefined,
    letGo,
    write(bytes) {
      this.bytes += bytes.length;
      return gone;
    },
    close(error) {
      this.closedWith = error;
    },
  };
}

const textOf = (sink: { contents(): Uint8Array }): string =>
  Buffer.from(sink.contents()).toString();

const flood = 'exec seq 1 1000000000';
const ticks = 'while :; do echo tick; sleep 0.01; done';

describe.skipIf(!hasTmux).each([{ worker: false }, { worker: true }])(
  'a sink that stalls, worker: $worker',
  ({ worker }) => {
    async function open(
      commands: readonly string[],
      limits: Pick<
        ConnectOptions,
        'pendingBytesMax' | 'aheadBytesMax' | 'commandsMax' | 'commandTimeoutMs'
      > = {},
    ): Promise<{ session: Session; panes: Pane[] }> {
      const [first, ...others] = commands;
      const session = await connect({
        socketPath: server.socketPath,
        configFile: '/dev/null',
        session: 'main',
        create: { command: first!, columns: 80, rows: 40 },
        worker,
        closeTimeoutMs: 300,
        ...limits,
      });
      const panes = [...session.panes.values()];
      for (const command of others) {
        const { lines } = await session.command('split-window', '-P', '-F', '#{pane_id}', command);
        const id = Number(lines[0]!.slice(1));
        await until(() => session.panes.has(id));
        panes.push(session.panes.get(id)!);
      }
      return { session, panes };
    }

    const expectUsable = (): void => {
      expect(server.run('new-session', '-d', '-P', '-F', 'made', 'sleep 60').trim()).toBe('made');
    };

    test('lossless: a typed error after stalledMs, and the others go on', async () => {
      const { session, panes } = await open([flood, ticks]);
      const sink = stalledSink();
      const failed: unknown[] = [];
      session.on('sink-failed', (pane, error) => failed.push(pane, error.code));
      const pipe = panes[0]!.pipe(sink, { stalledMs: 1500 });
      const other = nullSink();
      panes[1]!.pipe(other);
      await until(() => pipe.stats.pendingBytes > 262_144);
      const error = await pipe.closed;
      expect(error?.code).toBe('ERR_SINK_STALLED');
      expect(error?.message).toContain('stalledMs=1500');
      expect(sink.closedWith).toBe(error);
      await until(() => failed.length > 0);
      expect(failed).toEqual([panes[0]!.id, 'ERR_SINK_STALLED']);
      const { bytes } = other;
      await until(() => other.bytes > bytes + 100);
      expect(session.stats().gaps).toBe(0);
      expectUsable();
      expect((await session.close()).reason).toBe('closed');
    });

    test('lossless: commands are answered meanwhile, within a bound', async () => {
      const aheadBytesMax = 1 << 24;
      const { session, panes } = await open([flood], { aheadBytesMax });
      const pipe = panes[0]!.pipe(stalledSink(), { stalledMs: 0 });
      await until(() => pipe.stats.pendingBytes > 262_144);
      for (let turn = 0; turn < 3; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect((await session.command('display-message', '-p', `turn ${turn}`)).lines).toEqual([
          `turn ${turn}`,
        ]);
      }
      // Far more than it would read in the time, and it stops there: the last of them have to wait.
      let answered = 0;
      const asking = (async () => {
        for (; answered < 200; answered++) await session.command('display-message', '-p', 'again');
      })();
      asking.catch(() => {});
      await until(() => answered > 3);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(pipe.stats.pendingBytes).toBeLessThan(262_144 + aheadBytesMax + (1 << 20));
      expectUsable();
      await session.close();
    });

    test('lossless: nothing of it is lost', async () => {
      const last = 150_000;
      const { session, panes } = await open([`read go; seq 1 ${last}; exec sleep 600`]);
      const sink = memorySink();
      const stall = stalledSink();
      let held: Promise<void> | undefined = stall.write(new Uint8Array(0)) as Promise<void>;
      const pipe = panes[0]!.pipe({
        write(bytes) {
          sink.write(bytes);
          return held;
        },
      });
      await panes[0]!.type('\r');
      await until(() => pipe.stats.pendingBytes > 262_144);
      for (let turn = 0; turn < 4; turn++) {
        await session.command('list-panes');
        await new Promise((resolve) => setTimeout(resolve, 120));
      }
      held = undefined;
      stall.letGo();
      await until(() => textOf(sink).includes(`\n${last}\r\n`), 20_000);
      const lines = textOf(sink).split('\r\n');
      const first = lines.indexOf('1');
      for (let line = 1; line <= last; line++) {
        if (lines[first + line - 1] !== String(line)) expect.fail(`line ${line} is missing`);
      }
      expect(session.stats().gaps).toBe(0);
      await session.close();
    });

    // Before 3.2 tmux never does.
    test.skipIf(process.platform !== 'linux' || !canResync)(
      'lossless: tmux stops the program',
      async () => {
        const { session, panes } = await open([flood]);
        const { lines } = await session.command('display-message', '-p', '#{pane_pid}');
        const printed = (): number =>
          Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${lines[0]}/io`, 'utf8'))![1]);
        panes[0]!.pipe(stalledSink(), { stalledMs: 0 });
        // Without reading ahead now and then, tmux would read on in more than half of all runs.
        let before = -1;
        for (let turn = 0; before !== printed(); turn++) {
          if (turn > 30) expect.fail('the program printed on for 15 s');
          before = printed();
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
        await session.close();
      },
    );

    // Before 3.2 such a sink is given up at once.
    test.skipIf(!canResync)(
      'lossless, and nothing may be read ahead: a command waits until the sink is given up',
      async () => {
        const { session, panes } = await open([flood], { aheadBytesMax: 0 });
        const pipe = panes[0]!.pipe(stalledSink(), { stalledMs: 1000 });
        await until(() => pipe.stats.pendingBytes > 262_144);
        const order: string[] = [];
        const asked = session.command('list-panes').then(() => order.push('answered'));
        await pipe.closed.then(() => order.push('closed'));
        await asked;
        expect(order).toEqual(['closed', 'answered']);
        await session.close();
      },
    );

    test.skipIf(!canResync)(
      'lossless, and nothing may be read ahead: a command whose time is over says why',
      async () => {
        const { session, panes } = await open([flood], { aheadBytesMax: 0, commandTimeoutMs: 500 });
        const pipe = panes[0]!.pipe(stalledSink(), { stalledMs: 0 });
        await until(() => pipe.stats.pendingBytes > 262_144);
        const error = await session.command('list-panes').catch((cause: unknown) => cause);
        expect(error).toMatchObject({
          code: 'ERR_SESSION_HELD',
          message: expect.stringContaining('aheadBytesMax=0 '),
        });
        await session.close();
      },
    );

    test.skipIf(!canResync)(
      'more commands than may wait are refused, and the others are answered',
      async () => {
        const { session, panes } = await open([flood], { aheadBytesMax: 0, commandsMax: 100 });
        const pipe = panes[0]!.pipe(stalledSink(), { stalledMs: 1000 });
        await until(() => pipe.stats.pendingBytes > 262_144);
        const codes = await Promise.all(
          Array.from({ length: 150 }, () => codeOf(session.command('list-panes'))),
        );
        expect(codes.filter((code) => code === 'resolved').length).toBeGreaterThan(90);
        expect(new Set(codes)).toEqual(new Set(['resolved', 'ERR_TMUX_QUEUE']));
        await session.close();
      },
    );

    test.skipIf(!hasTmux || canResync)('before 3.2: given up at aheadBytesMax', async () => {
      const aheadBytesMax = 1 << 21;
      const { session, panes } = await open([flood, ticks], { aheadBytesMax });
      const other = nullSink();
      panes[1]!.pipe(other);
      const pipe = panes[0]!.pipe(stalledSink(), { policy: 'auto', stalledMs: 0 });
      const error = await pipe.closed;
      expect(error?.code).toBe('ERR_SINK_STALLED');
      expect(error?.message).toContain(`aheadBytesMax=${aheadBytesMax}`);
      const { bytes } = other;
      await until(() => other.bytes > bytes + 100);
      expectUsable();
      await session.close();
    });

    // Nothing is skipped before 3.2: there are no snapshots.
    test.skipIf(!canResync).each([
      ['auto', { policy: 'auto', behindMs: 50 }],
      ['latest', { policy: 'latest' }],
    ] as const)('%s: it skips, and disturbs nobody', async (_policy, options: PipeOptions) => {
      const { session, panes } = await open([flood, ticks]);
      const pipe = panes[0]!.pipe(stalledSink(), {
        ...options,
        inexactAfterMs: 0, // or the wait for an exact snapshot could outlast `stalledMs`
        stalledMs: 300,
        bytesHigh: 65_536,
      });
      const same = nullSink();
      panes[0]!.pipe(same);
      const other = nullSink();
      panes[1]!.pipe(other);
      await until(() => pipe.stats.skipping && pipe.stats.skips > 0);
      const before = [same.bytes, other.bytes];
      await until(
        () => same.bytes > before[0]! + 1_000_000 && other.bytes > before[1]! + 100,
        20_000,
      );
      expect(pipe.stats.pendingBytes).toBeLessThan(1 << 20);
      expect((await session.command('display-message', '-p', 'here')).lines).toEqual(['here']);
      // It holds nobody up, so it is left alone.
      expect(await Promise.race([pipe.closed, Promise.resolve('open')])).toBe('open');
      expectUsable();
      expect((await session.close()).reason).toBe('closed');
    });

    test.skipIf(!canResync)(
      'the session’s byte limit: who holds most skips, or is given up',
      async () => {
        const pendingBytesMax = 1 << 18;
        const { session, panes } = await open([flood, flood, ticks], {
          pendingBytesMax,
          aheadBytesMax: 0,
        });
        const other = nullSink();
        panes[2]!.pipe(other);
        const latest = panes[0]!.pipe(stalledSink(), {
          policy: 'latest',
          bytesHigh: 1 << 24,
          inexactAfterMs: 0,
        });
        await until(() => latest.stats.skips > 0);
        const lossless = panes[1]!.pipe(stalledSink(), { bytesHigh: 1 << 24, stalledMs: 1000 });
        await until(() => lossless.stats.pendingBytes > pendingBytesMax / 2);
        const most = 2 * pendingBytesMax;
        expect(latest.stats.pendingBytes + lossless.stats.pendingBytes).toBeLessThan(most);
        expect((await lossless.closed)?.code).toBe('ERR_SINK_STALLED');
        const { bytes } = other;
        await until(() => other.bytes > bytes + 100);
        expectUsable();
        await session.close();
      },
    );
  },
);
