/**
 * Goal: how far tmux has fallen behind with a pane is known, and told while output is read.
 * Method: random ages against a plain account; a real tmux whose only reader is slow.
 */
import { fc, test } from '@fast-check/vitest';
import { connect } from '@millrace/bridge';
import { describe, expect } from 'vitest';
import { AgeWatch, growsOld } from '../src/flow/ages.ts';
import { canResync, testServer, until } from './support/tmux.ts';

describe('ages', () => {
  test.prop([fc.array(fc.tuple(fc.nat(3), fc.nat(3000)), { maxLength: 100 })])(
    'are told in steps, once each, and the last step is that of the last record',
    (records) => {
      const told = new Map<number, number>();
      const watch = new AgeWatch((pane, ageMs) => {
        expect(told.get(pane) ?? 0).not.toBe(ageMs);
        told.set(pane, ageMs);
      });
      const last = new Map<number, number>();
      for (const [pane, ageMs] of records) {
        watch.see(pane, ageMs);
        last.set(pane, ageMs - (ageMs % 250));
      }
      for (const [pane, ageMs] of last) expect(told.get(pane) ?? 0).toBe(ageMs); // A1
    },
  );

  test('warn once from half of the limit, and again after a quarter', () => {
    const pane = { ageMs: 0, lagging: false };
    const warned = [0, 400, 500, 900, 600, 300, 500, 250, 500].map((age) =>
      growsOld(pane, age, 1000),
    );
    expect(warned).toEqual([false, false, true, false, false, false, false, false, true]);
    expect(pane.ageMs).toBe(500);
  });

  describe.skipIf(!canResync)('of a real pane', () =>
    test.each([false, true])(
      'whose reader is slow are told (worker: %s)',
      async (worker) => {
        const server = testServer();
        const session = await connect({
          socketPath: server.socketPath,
          configFile: '/dev/null',
          session: 'age',
          create: { command: 'while :; do seq 1 1000000; done', columns: 80, rows: 24 },
          // Wide enough from half of it that a read falls in between.
          pauseAfterSeconds: 8,
          closeTimeoutMs: 200,
          ringBytes: 65_536,
          worker,
        });
        try {
          const order: string[] = [];
          session.on('lag', (lagging, ageMs, limitMs) => {
            order.push(`lag ${ageMs} of ${limitMs}`);
            expect(lagging.ageMs).toBe(ageMs); // a gap later it is another one
          });
          session.on('gap', () => order.push('gap'));
          const pane = [...session.panes.values()][0]!;
          // Slower than tmux by far, and a little at a time.
          const slow = { write: () => new Promise<void>((resolve) => setTimeout(resolve, 250)) };
          pane.pipe(slow, { bytesHigh: 16_384 });
          // Between two reads nothing is seen: a gap may come first.
          await until(() => order.some((what) => /^lag \d{4,5} of 8000$/.test(what)), 45_000);
        } finally {
          await session.close();
          server.close();
        }
      },
      60_000,
    ),
  );
});
