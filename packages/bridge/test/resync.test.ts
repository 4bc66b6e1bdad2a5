/**
 * Goal: a viewer that lagged, or whose pane tmux paused, ends with exactly the screen that tmux shows.
 * Method: the oracle (oracle/oracle.ts) on a private tmux; every resync that claims to be exact must be.
 * `FC_RUNS` is the number of cycles a scenario (default 25); `npm run oracle` runs a thousand.
 */
import { connect, nullSink, type Sink } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runOracle } from './oracle/oracle.ts';
import { canResync, type TestServer, testServer, until } from './support/tmux.ts';

const cycles = Number(process.env['FC_RUNS'] ?? 25);

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

describe.skipIf(!canResync)('a viewer that lags', () => {
  test.each([
    { worker: false, seed: 21, kinds: 'all' },
    { worker: true, seed: 22, kinds: 'all' },
    { worker: false, seed: 23, kinds: 'run,line,place,save,saved,restore,region,whole,mode,tabs' },
    { worker: false, seed: 24, kinds: 'program' },
    { worker: false, seed: 25, kinds: 'run,line,region,whole', floods: 3 },
  ])('is restored exactly (worker: $worker, $kinds)', { timeout: 60_000 }, async (how) => {
    const deadline = Date.now() + 15_000;
    const result = await runOracle({ ...how, cycles, deadline });
    expect(result.differences).toEqual([]);
    expect(result.exact).toBeGreaterThan(0);
  });

  test('after a gap names what it does not know, and is right where it claims to be', async () => {
    const deadline = Date.now() + 10_000;
    const result = await runOracle({ seed: 26, cycles: 6, cause: 'gap', deadline });
    expect(result.differences).toEqual([]);
    expect(result.named['pen']).toBeGreaterThan(0);
  }, 60_000);

  test('delays neither its session nor another viewer, however long it stalls', async () => {
    await using session = await connect({
      socketPath: server.socketPath,
      configFile: '/dev/null',
      session: 'stall',
      create: { command: 'while :; do seq 1 1000; done', columns: 40, rows: 12 },
    });
    const pane = [...session.panes.values()][0]!;
    const other = nullSink();
    pane.pipe(other);
    let accept = (): void => {};
    const stalled: Sink = {
      write: () =>
        new Promise<void>((resolve) => {
          accept = resolve;
        }),
    };
    const pipe = pane.pipe(stalled, { policy: 'latest', bytesHigh: 20_000 });
    // The first write is the snapshot; once the pen is known, the pipe may skip.
    await until(() => {
      if (pipe.stats.skips === 0) accept();
      return pipe.stats.skips > 0;
    });
    const before = other.bytes;
    await until(() => other.bytes > before + 1_000_000);
    expect(pipe.stats.pendingBytes).toBeLessThan(200_000);
    expect(pipe.stats.bytesSkipped).toBeGreaterThan(900_000);
    const { resyncs } = pipe.stats;
    accept();
    await until(() => pipe.stats.resyncs > resyncs);
    accept();
  }, 30_000);
});
