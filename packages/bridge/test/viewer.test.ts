/**
 * Goal: on a real tmux, keys come back through a slow viewer beside a flood, what was skipped is made good, and a viewer
 * that stalls holds up neither its session nor another viewer.
 * Method: a private server with an echoing pane and a flooding one; links that drain by a timer. Times are not judged.
 */
import { connect, createViewer, type Pane, type Session, type Sink } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canResync, type TestServer, testServer, until } from './support/tmux.ts';

let server: TestServer;
const timers: NodeJS.Timeout[] = [];
beforeEach(() => {
  server = testServer();
});
afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  server.close();
});

/** A link of so many bytes a millisecond that drains every 5 ms; `write` resolves when its bytes have. */
function link(bytesPerMs: number): { write(bytes: number): Promise<void>; queuedMax: number } {
  const waiting: { bytes: number; drained: () => void }[] = [];
  let queued = 0;
  const state = {
    queuedMax: 0,
    write: (bytes: number): Promise<void> => {
      queued += bytes;
      state.queuedMax = Math.max(state.queuedMax, queued);
      return new Promise((drained) => waiting.push({ bytes, drained }));
    },
  };
  const drain = (): void => {
    let room = bytesPerMs * 5;
    while (room > 0 && waiting.length > 0) {
      const bytes = Math.min(room, waiting[0]!.bytes);
      waiting[0]!.bytes -= bytes;
      queued -= bytes;
      room -= bytes;
      if (waiting[0]!.bytes === 0) waiting.shift()!.drained();
    }
  };
  timers.push(setInterval(drain, 5));
  return state;
}

async function open(worker: boolean): Promise<{ session: Session; echo: Pane; bulk: Pane }> {
  server.run('new-session', '-d', '-s', 'v', '-x', '80', '-y', '24', 'stty raw -echo; exec cat');
  server.run('split-window', '-d', '-t', 'v', 'seq 1 1000000000');
  const session = await connect({ socketPath: server.socketPath, session: 'v', worker });
  const [echo, bulk] = [...session.panes.values()].sort((one, other) => one.id - other.id);
  return { session, echo: echo!, bulk: bulk! };
}

describe.skipIf(!canResync)('a viewer on a real tmux', () => {
  test.each([false, true])(
    'echoes beside a flood, with little queued (worker: %s)',
    {
      timeout: 30_000,
    },
    async (worker) => {
      const { session, echo, bulk } = await open(worker);
      await using _ = session;
      const viewer = createViewer();
      const slow = link(2000);
      let text = '';
      const echoSink: Sink = {
        write: (bytes) => {
          const got = Buffer.from(bytes).toString('latin1');
          return slow.write(bytes.length).then(() => {
            text += got;
          });
        },
      };
      viewer.pipe(echo, echoSink);
      const pipe = viewer.pipe(bulk, { write: (bytes) => slow.write(bytes.length) });
      viewer.focus(echo);
      for (let key = 0; key < 40; key++) {
        await echo.type(`K${key}#`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await until(() => text.includes('K39#') && pipe.stats.resyncs > 2);
      for (let key = 0; key < 40; key++) expect(text).toContain(`K${key}#`);
      expect(slow.queuedMax).toBeLessThan(65_536);
      expect(viewer.stats.waitingBytesMax).toBeLessThan(256 * 1024);
      await viewer.close({ timeoutMs: 1000 });
    },
  );

  test('that stalls holds nobody up, that hides costs nothing, and both come back', {
    timeout: 30_000,
  }, async () => {
    const { session, echo, bulk } = await open(false);
    await using _ = session;
    const viewer = createViewer();
    let bytes = 0;
    const pipe = viewer.pipe(bulk, {
      write: (piece) => {
        bytes += piece.length;
        return undefined;
      },
    });
    const stalled = createViewer();
    const stuck: (() => void)[] = [];
    let free = false;
    const stuckPipes = [echo, bulk].map((pane) =>
      stalled.pipe(pane, {
        write: () => (free ? undefined : new Promise<void>((resolve) => stuck.push(resolve))),
      }),
    );
    await until(() => stuckPipes[1]!.stats.skipping && stuckPipes[1]!.stats.bytesSkipped > 0);
    const before = bytes;
    await until(() => bytes > before + 3_000_000);
    expect(stalled.stats.waitingBytesMax).toBeLessThan(256 * 1024);

    viewer.hide();
    const hiddenAt = bytes;
    const { records } = session.stats();
    await until(() => session.stats().records > records + 500);
    expect(bytes).toBe(hiddenAt);
    const { resyncs } = pipe.stats;
    viewer.show();
    await until(() => pipe.stats.resyncs > resyncs && bytes > hiddenAt);

    free = true;
    for (const accept of stuck) accept();
    const skipped = stuckPipes[1]!.stats.resyncs;
    await until(() => stuckPipes[1]!.stats.resyncs > skipped);
  });
});
