/** Garbage, leaks and kills: figures whose bar is nought, or nearly. */
import { PerformanceObserver } from 'node:perf_hooks';
import { attachConsumer, attachProducer, createRing } from '@millrace/ringbuffer';
import { killRounds } from '../../packages/ringbuffer/stress/kill.ts';
import type { AbsoluteRow } from '../harness/row.ts';
import { median } from '../harness/run-row.ts';

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

const PART_COUNT = 9;
const MILLION = 1_000_000;

/**
 * Growth of the process (MB) over a million asynchronous waits with a timeout, each ended by data.
 *
 * The resident size alone, before and after, says little: collected pages go back to the system when the engine
 * pleases, tens of megabytes at a time. A leak grows with every wait, so it is looked for as a slope: the median of
 * the slopes between any two of the points that follow a warm-up (Theil and Sen), each point taken after collections
 * with turns of the event loop between.
 */
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
  const settledMb = async (): Promise<number> => {
    for (let i = 0; i < 4; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return process.memoryUsage().rss / 1e6;
  };
  await turn(MILLION / 2);
  const points: number[] = [];
  for (let part = 0; part < PART_COUNT; part++) {
    points.push(await settledMb());
    if (part < PART_COUNT - 1) await turn(MILLION / (PART_COUNT - 1));
  }
  const slopes = points.flatMap((later, j) =>
    points.slice(0, j).map((earlier, i) => (later - earlier) / (j - i)),
  );
  return median(slopes) * (PART_COUNT - 1);
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
