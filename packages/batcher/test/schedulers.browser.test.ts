// Goal: the batcher and every scheduler work in a real page. Method: Chromium, real time, for liveness only.

import {
  browserScheduler,
  concat,
  createBatcher,
  createFrameCoalescer,
  createLoader,
  defaultScheduler,
  list,
  type Scheduler,
  workerScheduler,
} from '@millrace/batcher';
import { expect, it } from 'vitest';

async function deliversEverything(scheduler: Scheduler): Promise<void> {
  const seen: number[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    delayMsMax: 3,
    scheduler,
    flush: (batch) => {
      for (const entry of batch.entries) seen.push(...entry.value);
      return { costMs: 0.2 };
    },
  });
  for (let i = 0; i < 300; i++) {
    batcher.push(i, 'k');
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await batcher.close();
  expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i));
}

it('delivers with the default scheduler', () => deliversEverything(defaultScheduler()));
it('delivers with turns and timers', () => deliversEverything(browserScheduler()));
it('delivers with frames', () => deliversEverything(browserScheduler({ frames: true })));

it('delivers with the alarm worker', async () => {
  expect(crossOriginIsolated).toBe(true);
  const scheduler = workerScheduler();
  await deliversEverything(scheduler);
  const order: number[] = [];
  const wake = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      scheduler.wake(() => {
        order.push(ms);
        resolve();
      }, ms);
    });
  await Promise.all([wake(1.5), wake(0.2), wake(0)]);
  expect(order.sort()).toEqual([0, 0.2, 1.5]);
  scheduler.close();
});

it('writes once per frame, and the first output at once', async () => {
  const writes: string[] = [];
  const screen = createFrameCoalescer({
    merge: concat<string>(),
    write: ({ entries }) => {
      writes.push(new TextDecoder().decode(entries[0]!.value));
    },
  });
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  screen.push(text('a'), 'pane');
  await Promise.resolve();
  expect(writes).toEqual(['a']);
  screen.push(text('b'), 'pane');
  screen.push(text('c'), 'pane');
  await screen.batcher.drain();
  expect(writes).toEqual(['a', 'bc']);
});

it('loads in batches', async () => {
  const requests: (readonly number[])[] = [];
  const loader = createLoader({
    load: async (keys: readonly number[]) => {
      requests.push([...keys]);
      return keys.map((key) => key + 1);
    },
  });
  const values = await Promise.all([loader.load(1), Promise.resolve().then(() => loader.load(2))]);
  expect(values).toEqual([2, 3]);
  expect(requests).toEqual([[1, 2]]);
});
