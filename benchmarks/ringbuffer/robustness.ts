/** Garbage, leaks and kills: figures whose bar is nought, or nearly. */
import { PerformanceObserver } from 'node:perf_hooks';
import { attachConsumer, attachProducer, createRing } from '@millrace/ringbuffer';
import { killRounds } from '../../packages/ringbuffer/stress/kill.ts';
import type { AbsoluteRow } from '../harness/row.ts';

/** Garbage collections during two million pushes and pops of mixed sizes. */
async function collections(): Promise<number> {
  const { handle } = createRing();
  const producer = attachProducer(handle, { publish: 4096 });
  const consumer = attachConsumer(handle, { releaseBytes: 4096 });
  const bytes = new Uint8Array(1024);
  const out = new Uint8Array(1024);
  const turn = (count: number): void => {
    for (let i = 0; i < count; i++) {
      producer.tryPush(bytes, 0, (i * 37) & 1023);
      if ((i & 7) === 7) {
        producer.flush();
        while (consumer.tryPopInto(out) >= 0);
      }
    }
  };
  turn(200_000);
  globalThis.gc?.();
  let seen = 0;
  const observer = new PerformanceObserver((list) => {
    seen += list.getEntries().length;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.observe({ entryTypes: ['gc'] });
  turn(2_000_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.disconnect();
  return seen;
}

/** Growth of the process (MB) over asynchronous waits with a timeout, each ended by data. */
async function growth(): Promise<number> {
  const { handle } = createRing();
  const producer = attachProducer(handle);
  const consumer = attachConsumer(handle);
  const bytes = new Uint8Array(8);
  const turn = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const wait = consumer.ready({ timeoutMs: 60_000 });
      producer.tryPush(bytes);
      await wait;
      consumer.tryPopInto(bytes);
    }
  };
  const memory = (): number => {
    globalThis.gc?.();
    globalThis.gc?.();
    return process.memoryUsage().rss / 1e6;
  };
  await turn(100_000);
  const before = memory();
  await turn(1_000_000);
  return memory() - before;
}

const row = (
  name: string,
  unit: string,
  bar: number,
  rounds: number,
  ours: () => Promise<number>,
): AbsoluteRow => ({ kind: 'absolute', name, unit, better: 'lower', bar, rounds, ours });

let seed = 1;

export const robustnessRows: readonly AbsoluteRow[] = [
  row('garbage collections in 2,000,000 push and pop', 'collections', 0, 3, collections),
  row('growth in 1,000,000 asynchronous waits with timeout', 'MB', 5, 3, growth),
  row('rounds failed of 3 x 352 threads killed at random', 'rounds', 0, 3, async () => {
    try {
      await killRounds(88, seed++);
      return 0;
    } catch (error) {
      console.error(error);
      return 1;
    }
  }),
];
