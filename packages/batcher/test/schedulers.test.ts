// Goal: the schedulers wake, in order, and let go. Method: real time, for liveness only: no delay decides a test.

import {
  createBatcher,
  defaultScheduler,
  list,
  tickEndAfterJobs,
  workerScheduler,
} from '@millrace/batcher';
import { expect, it } from 'vitest';

it('tickEndAfterJobs runs after promise reactions', async () => {
  const order: string[] = [];
  const done = new Promise<void>((resolve) => {
    tickEndAfterJobs(() => {
      order.push('tick end');
      resolve();
    });
  });
  void Promise.resolve()
    .then(() => order.push('first'))
    .then(() => order.push('second'));
  await done;
  expect(order).toEqual(['first', 'second', 'tick end']);
});

it('the worker scheduler wakes in order of time, cancels, and leaves long delays to timers', async () => {
  const scheduler = workerScheduler();
  const order: number[] = [];
  const wake = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      scheduler.wake(() => {
        order.push(delayMs);
        resolve();
      }, delayMs);
    });
  const cancelled = scheduler.wake(() => order.push(-1), 0.3);
  scheduler.cancel(cancelled);
  await Promise.all([wake(1.5), wake(0.2), wake(5), wake(0)]);
  expect([...order].sort((a, b) => a - b)).toEqual([0, 0.2, 1.5, 5]);
  const stillRuns = setTimeout(() => {}, 20_000); // a worker that boots doesn't keep the process alive
  await scheduler.ready;
  clearTimeout(stillRuns);
  for (let i = 0; i < 50; i++) await wake(0.1);
  scheduler.close();
  await wake(0.2);
  expect(order).toHaveLength(55);
});

it('delivers with every scheduler, in real time', async () => {
  const worker = workerScheduler();
  for (const scheduler of [defaultScheduler(), worker]) {
    const seen: number[] = [];
    const batcher = createBatcher({
      merge: list<number, string>(),
      delayMsMax: 0.5,
      scheduler,
      flush: async (batch) => {
        await new Promise((resolve) => setTimeout(resolve, 0));
        for (const entry of batch.entries) seen.push(...entry.value);
      },
    });
    for (let i = 0; i < 500; i++) {
      batcher.push(i, 'k');
      if (i % 25 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await batcher.close();
    expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
  }
  worker.close();
});
