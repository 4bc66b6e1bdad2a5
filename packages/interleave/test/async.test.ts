/**
 * Goal: real async functions over waitAsync and timers are explored like any other code. Method: small
 * protocols with and without lost wake-ups; every event-loop order counts.
 */
import { assertVerified, checkAsync, fifo, outcomesAsync, replayAsync } from '@millrace/interleave';
import { expect, test } from 'vitest';

type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
  timeoutMs?: number,
) => {
  readonly async: boolean;
  readonly value: Promise<string> | string;
};
const waitAsync: WaitAsync = (cells, index, value, timeoutMs) =>
  (Atomics as unknown as { waitAsync: WaitAsync }).waitAsync(cells, index, value, timeoutMs);

const [tail, head, epoch, slots] = [0, 1, 2, 3];

class Mailbox {
  readonly cells: Int32Array;
  readonly late: boolean;

  constructor(cells: Int32Array, late: boolean) {
    this.cells = cells;
    this.late = late;
  }

  push(value: number): boolean {
    const { cells } = this;
    const t = Atomics.load(cells, tail!);
    if (t - Atomics.load(cells, head!) === 2) return false;
    cells[slots! + (t & 1)] = value;
    Atomics.store(cells, tail!, t + 1);
    Atomics.add(cells, epoch!, 1);
    Atomics.notify(cells, epoch!);
    return true;
  }

  async take(): Promise<number> {
    const { cells, late } = this;
    for (;;) {
      const before = Atomics.load(cells, epoch!);
      const h = Atomics.load(cells, head!);
      if (Atomics.load(cells, tail!) !== h) {
        const value = cells[slots! + (h & 1)]!;
        Atomics.store(cells, head!, h + 1);
        return value;
      }
      const wait = waitAsync(cells, epoch!, late ? Atomics.load(cells, epoch!) : before);
      if (wait.async) await wait.value;
    }
  }
}

const scenario = (count: number, late: boolean) => ({
  setup: () => new Int32Array(new SharedArrayBuffer(20)),
  threads: [
    {
      attach: (cells: Int32Array) => new Mailbox(cells, late),
      ops: Array.from({ length: count }, (_, index) => ['push', index + 1] as const),
    },
    {
      attach: (cells: Int32Array) => new Mailbox(cells, late),
      ops: Array.from({ length: Math.min(count, 2) }, () => ['take'] as const),
    },
  ],
  spec: fifo({ capacity: 2 }),
  cover: ['blocked', 'woken'] as const,
});

test('an async consumer misses nothing', async () => {
  assertVerified(await checkAsync(scenario(3, false)));
});

test('an epoch read too late loses a wake-up, and the token replays it', async () => {
  const result = await checkAsync(scenario(2, true));
  expect(result.kind, String(result)).toBe('lost-wakeup');
  expect(result.trace.some(({ site }) => site.includes('async.test.ts'))).toBe(true);
  const again = await replayAsync(scenario(2, true), result.token);
  expect(again.kind).toBe('lost-wakeup');
  expect(again.trace).toEqual(result.trace);
});

test('a timer and a wake-up race for a promise', async () => {
  const { outcomes } = await outcomesAsync({
    setup: () => new Int32Array(new SharedArrayBuffer(4)),
    threads: [
      {
        async run(cells: Int32Array) {
          const wait = waitAsync(cells, 0, 0);
          if (!wait.async) return 'late';
          const timer = new Promise((resolve) => setTimeout(resolve, 10, 'timer'));
          return Promise.race([wait.value, timer]);
        },
      },
      {
        run(cells: Int32Array) {
          Atomics.store(cells, 0, 1);
          return Atomics.notify(cells, 0);
        },
      },
    ],
  });
  // After the timer the waiter is still listed: notify finds it.
  expect([...outcomes].sort()).toEqual(['"late" | 0', '"ok" | 1', '"timer" | 1']);
});

test('a finite timeout is one of the outcomes, and moves the thread clock', async () => {
  const { outcomes } = await outcomesAsync({
    setup: () => new Int32Array(new SharedArrayBuffer(4)),
    threads: [
      {
        async run(cells: Int32Array) {
          const startMs = performance.now();
          const wait = waitAsync(cells, 0, 0, 25);
          return [await wait.value, performance.now() - startMs];
        },
      },
    ],
  });
  expect([...outcomes]).toEqual(['["timed-out", 25]']);
});

test('callbacks without await are part of the thread', async () => {
  const result = await checkAsync({
    setup: () => new Int32Array(new SharedArrayBuffer(8)),
    threads: [
      {
        run: (cells: Int32Array) =>
          new Promise<void>((resolve) => {
            const wait = waitAsync(cells, 0, 0);
            const done = () => {
              Atomics.add(cells, 1, 1);
              resolve();
            };
            if (wait.async) void (wait.value as Promise<string>).then(done);
            else done();
          }),
      },
      {
        run(cells: Int32Array) {
          Atomics.store(cells, 0, 1);
          Atomics.notify(cells, 0);
        },
      },
    ],
    final: (cells) => cells[1] === 1,
  });
  assertVerified(result);
});
