/**
 * What must never happen, counted on the real batcher in virtual time: items over the budget while the sink is free,
 * items lost, doubled or out of order under faults, and a quiet key that waits for a flooding one.
 */

import { concat, createBatcher, list } from '@millrace/batcher';
import {
  configurations,
  heldOutWorkloads,
  percentile,
  publicWorkloads,
  seededRandom,
  type VirtualScheduler,
  variedWorkloads,
  virtualScheduler,
} from '@millrace/batcher/sim';
import type { Row } from '../harness/row.ts';

/** Plays open-loop workloads on a batcher whose sink is always free; returns the items older than the budget. */
function itemsOverBudget(): number {
  let over = 0;
  for (const workload of [...publicWorkloads(5), ...variedWorkloads(5), ...heldOutWorkloads(5)]) {
    if (workload.loop !== undefined) continue;
    for (const { fixed, overhead, delayMax } of Object.values(configurations)) {
      const scheduler = virtualScheduler();
      const batcher = createBatcher({
        merge: list<number, string>(),
        delayMsMax: delayMax / 1000,
        overhead,
        scheduler,
        flush: (batch) => {
          if (batch.ageMs * 1000 > delayMax + 1e-3) over += batch.count;
          return { costMs: fixed / 1000 };
        },
      });
      const times = workload.times.subarray(0, 40_000);
      for (let i = 0; i < times.length; ) {
        const now = times[i]!;
        scheduler.advance(now / 1000 - scheduler.now());
        while (times[i] === now) batcher.push(i++, 'k');
        scheduler.endTick();
      }
      scheduler.advance(1000);
    }
  }
  return over;
}

const ITEMS = 1_000_000;

/** Pushes a million items through a sink of which 5 % of the flushes fail, with aborts and closes; returns the faults. */
async function faults(): Promise<number> {
  const random = seededRandom(4);
  let wrong = 0;
  let pushed = 0;
  while (pushed < ITEMS) {
    const scheduler = virtualScheduler(random.uniform() < 0.5 ? 0 : 1);
    const expected = [0, 0, 0, 0];
    const got = [0, 0, 0, 0];
    const take = (key: number, items: readonly number[]): void => {
      for (const item of items) if (item !== got[key]!++) wrong++;
    };
    const batcher = createBatcher({
      merge: list<number, number>(),
      bytesMax: random.integer(1, 5000),
      pendingBytesMax: Number.POSITIVE_INFINITY,
      retry: { attemptsMax: Number.POSITIVE_INFINITY },
      random: random.uniform,
      scheduler,
      flush: (batch) => {
        const fails = random.uniform() < 0.05;
        const settle = (): void => {
          if (fails) throw new Error('injected');
          for (const entry of batch.entries) take(entry.key, entry.value);
        };
        if (random.uniform() < 0.7) return settle();
        return new Promise<void>((resolve, reject) => {
          scheduler.wake(
            () => {
              try {
                settle();
                resolve();
              } catch (error) {
                reject(error);
              }
            },
            random.between(0, 2),
          );
        });
      },
    });
    for (let round = 0; round < 60; round++) {
      const key = random.integer(0, 3);
      const count = random.integer(1, 2000);
      for (let i = 0; i < count; i++) batcher.push(expected[key]!++, key);
      pushed += count;
      await scheduler.advanceAsync(random.between(0, 3));
    }
    await finish(batcher, scheduler, random.uniform() < 0.5, take);
    for (let key = 0; key < 4; key++) wrong += Math.abs(expected[key]! - got[key]!);
  }
  return wrong;
}

async function finish(
  batcher: ReturnType<typeof createBatcher<number, number, number[]>>,
  scheduler: VirtualScheduler,
  aborts: boolean,
  take: (key: number, items: readonly number[]) => void,
): Promise<void> {
  if (aborts) {
    const { undelivered, unsettled } = batcher.abort();
    for (const entry of unsettled) take(entry.key, entry.value);
    for (const entry of undelivered) take(entry.key, entry.value);
    return;
  }
  const closing = batcher.close();
  await scheduler.advanceAsync(120_000);
  await closing;
}

interface Fairness {
  readonly p99Ms: number;
  readonly peakKiB: number;
  readonly megabytesPerSecond: number;
}

let fairnessResult: Promise<Fairness> | undefined;

/**
 * One key offers 40 MB/s unless told to pause, to a sink that takes 50 us and 0.05 us a byte (20 MB/s); 63 quiet keys
 * send 64 bytes every 200 ms. Five seconds.
 */
async function measureFairness(): Promise<Fairness> {
  const horizonMs = 5000;
  const random = seededRandom(7);
  const scheduler = virtualScheduler();
  const delays: number[] = [];
  const arrivals = new Map<number, number[]>();
  let flooded = 0;
  let peak = 0;
  let isPaused = false;
  const batcher = createBatcher({
    merge: concat<number>(),
    bytesMax: 65_536,
    sojournMs: 10,
    scheduler,
    onPressure: (key, pressed) => {
      if (key !== 0) return;
      isPaused = pressed;
      if (!pressed) scheduler.wake(flood, 0);
    },
    flush: (batch) => {
      for (const { key, count, bytes } of batch.entries) {
        if (key === 0) flooded += bytes;
        else
          for (const at of arrivals.get(key)!.splice(0, count)) delays.push(scheduler.now() - at);
      }
      return new Promise<void>((resolve) => {
        scheduler.wake(resolve, 0.05 + 0.00005 * batch.bytes);
      });
    },
  });
  const chunk = new Uint8Array(4096);
  const flood = (): void => {
    if (isPaused || scheduler.now() >= horizonMs) return;
    const mayGoOn = batcher.push(chunk, 0);
    peak = Math.max(peak, batcher.bytes);
    if (mayGoOn) scheduler.wake(flood, 4096 / 40_000);
  };
  const quiet = (key: number): void => {
    if (scheduler.now() >= horizonMs) return;
    if (scheduler.now() > 0) {
      arrivals.get(key)!.push(scheduler.now());
      batcher.push(chunk.subarray(0, 64), key);
    }
    scheduler.wake(() => quiet(key), random.exponential(200));
  };
  for (let key = 1; key < 64; key++) {
    arrivals.set(key, []);
    quiet(key);
  }
  flood();
  await scheduler.advanceAsync(horizonMs);
  batcher.abort();
  const sorted = Float64Array.from(delays).sort();
  return {
    p99Ms: percentile(sorted, 0.99),
    peakKiB: peak / 1024,
    megabytesPerSecond: flooded / 1000 / horizonMs,
  };
}

const fairness = (): Promise<Fairness> => {
  fairnessResult ??= measureFairness();
  return fairnessResult;
};

export const guaranteeRows: readonly Row[] = [
  {
    kind: 'absolute',
    name: 'items older than the budget while the sink is free, 39 workloads, three sinks',
    unit: 'items',
    better: 'lower',
    rounds: 1,
    bar: 0,
    ours: itemsOverBudget,
  },
  {
    kind: 'absolute',
    name: 'lost, doubled or reordered of 10^6 items, 5 % failing flushes, aborts, closes',
    unit: 'items',
    better: 'lower',
    rounds: 1,
    bar: 0,
    ours: faults,
  },
  {
    kind: 'absolute',
    name: 'quiet key beside a flooding one: p99',
    unit: 'ms',
    better: 'lower',
    rounds: 1,
    bar: 5,
    stretch: 3.3,
    ours: async () => (await fairness()).p99Ms,
  },
  {
    kind: 'absolute',
    name: 'the same: peak of the pending bytes (2 x 20 MB/s x 10 ms)',
    unit: 'KiB',
    better: 'lower',
    rounds: 1,
    bar: 400,
    stretch: 192,
    ours: async () => (await fairness()).peakKiB,
  },
  {
    kind: 'absolute',
    name: 'the same: throughput of the flood through a sink of 20 MB/s',
    unit: 'MB/s',
    better: 'higher',
    rounds: 1,
    bar: 19,
    ours: async () => (await fairness()).megabytesPerSecond,
  },
];
