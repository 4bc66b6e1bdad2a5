/**
 * What a push costs: ns per item, its share of the flush and of the event loop's turn included.
 *
 * Every sample of every contender is made in a process of its own (alone.ts). In one process for all, what ran before
 * decided much: V8 left a push in its middle compiler after many batchers had been made and dropped (`--trace-opt`
 * shows it), and Pacer, which copies its items for each one, goes by the size that V8's young generation has grown to.
 *
 * "Over the bare loop" subtracts the same loop with a push that stores into an array, measured beside it. Not measured
 * here: what a sink does with a batch.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Row } from '../harness/row.ts';
import type { ContenderName } from './alone.ts';
import { millraceInPlace } from './contenders.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const alone = fileURLToPath(new URL('./alone.ts', import.meta.url));
const execute = promisify(execFile);

/** Returns ns per item of a contender in a new process. */
async function nsPerItem(name: ContenderName, perTick: number, items: number): Promise<number> {
  const { stdout } = await execute(process.execPath, [
    '--conditions=@millrace/source',
    alone,
    name,
    String(perTick),
    String(items),
  ]);
  return Number(stdout);
}

const itemsPerWindow = (perTick: number): number =>
  perTick === 1 ? 4000 : Math.min(100_000, perTick * 1000);

const contender =
  (start: ContenderName, perTick: number, items = itemsPerWindow(perTick)) =>
  (): Promise<number> =>
    nsPerItem(start, perTick, items);

const overBare = (start: ContenderName, perTick: number) => async (): Promise<number> => {
  const items = itemsPerWindow(perTick);
  const bare = await nsPerItem('bareLoop', perTick, items);
  return Math.max(0, (await nsPerItem(start, perTick, items)) - bare);
};

/** Pacer copies its items at every push: fewer of them keep its sample short. */
const pacerItems = (perTick: number): number => Math.min(20_000, itemsPerWindow(perTick));

const perSecond =
  (start: ContenderName, perTick: number, items?: number) => async (): Promise<number> =>
    1e9 / (await nsPerItem(start, perTick, items ?? itemsPerWindow(perTick)));

const table = (perTick: number, bar: number): Row => ({
  kind: 'absolute',
  name: `ns per item at ${perTick} per tick, flush and turn included`,
  unit: 'ns',
  better: 'lower',
  rounds: 3,
  bar,
  ours: contender('millrace', perTick),
  peers: {
    'bare loop': contender('bareLoop', perTick),
    'our load()': contender('millraceLoader', perTick),
    microtask: contender('microtask', perTick),
    'atomic-batcher': contender('atomic', perTick),
    'timer 5 ms': contender('timer5', perTick),
    dataloader: contender('dataloader', perTick),
    '@tanstack/pacer': contender('pacer', perTick, pacerItems(perTick)),
    OpenTelemetry: contender('openTelemetry', perTick),
  },
});

/** Growth of the heap over a task, the least of several: whatever interrupts only adds. */
async function growth(task: () => void): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 20; k++) {
    await turn();
    const before = process.memoryUsage().heapUsed;
    task();
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown);
  }
  return least;
}

/** Bytes allocated per push in one tick: what twice as many pushes allocate more, so that a tick's own cost cancels. */
async function bytesPerPush(): Promise<number> {
  const { push, stop } = millraceInPlace(() => {});
  const pushes = (total: number) => (): void => {
    for (let i = 0; i < total; i++) push(i);
  };
  // Long enough to compile also what only one push in 512 runs.
  for (let k = 0; k < 1000; k++) {
    pushes(10_000)();
    await turn();
  }
  const some = await growth(pushes(10_000));
  const more = await growth(pushes(20_000));
  await stop();
  const bytes = (more - some) / 10_000;
  // The clock is read once in 512 pushes, and a reading makes a few boxed numbers (about 90 B).
  return bytes < 0.2 ? 0 : bytes;
}

export const throughputRows: readonly Row[] = [
  {
    kind: 'absolute',
    name: 'push over the bare loop, in place, 100 per tick',
    unit: 'ns',
    better: 'lower',
    bar: 15,
    stretch: 5,
    ours: overBare('millraceInPlace', 100),
    peers: { 'atomic-batcher': overBare('atomic', 100), 'timer 5 ms': overBare('timer5', 100) },
  },
  {
    kind: 'absolute',
    name: 'allocated per push, in place',
    unit: 'B',
    better: 'lower',
    rounds: 3,
    bar: 0,
    ours: bytesPerPush,
  },
  {
    kind: 'absolute',
    name: 'lone push and its flush over the turn of the loop',
    unit: 'ns',
    better: 'lower',
    bar: 600,
    stretch: 300,
    ours: overBare('millraceInPlace', 1),
    peers: { microtask: overBare('microtask', 1), dataloader: overBare('dataloader', 1) },
  },
  {
    kind: 'comparison',
    name: 'items per second at 100 per tick, vs @tanstack/pacer',
    unit: 'items/s',
    better: 'higher',
    bar: 50,
    ours: perSecond('millrace', 100),
    peers: { '@tanstack/pacer': perSecond('pacer', 100, pacerItems(100)) },
    beside: {
      'bare loop': perSecond('bareLoop', 100),
      'bare array': perSecond('bareArray', 100),
      microtask: perSecond('microtask', 100),
      'bare contract': perSecond('bareContract', 100),
    },
    note: 'Pacer copies its items, 500 on average, for each one: memory sets its speed (0.6 to 0.9 us an item from one process and hour to the next), and with it the ratio. The bare contract is an array with a cap, an age and an end of its tick, without keys, limits, law and statistics',
  },
  {
    kind: 'comparison',
    name: 'items per second at 100 per tick, vs dataloader',
    unit: 'items/s',
    better: 'higher',
    bar: 2,
    ours: perSecond('millrace', 100),
    peers: { dataloader: perSecond('dataloader', 100) },
  },
  {
    kind: 'comparison',
    name: 'loads per second at 100 per tick, load() vs dataloader',
    unit: 'loads/s',
    better: 'higher',
    bar: 1,
    ours: perSecond('millraceLoader', 100),
    peers: { dataloader: perSecond('dataloader', 100) },
    beside: { 'bare promises': perSecond('barePromises', 100) },
    note: 'bare promises only make, store and settle one for each key: about as fast as dataloader, and no lower bound',
  },
  {
    kind: 'comparison',
    name: 'loads per second at 100 per tick, a new loader for every 100, load() vs dataloader',
    unit: 'loads/s',
    better: 'higher',
    bar: 1,
    ours: perSecond('millraceLoaderPerRequest', 100),
    peers: { dataloader: perSecond('dataloaderPerRequest', 100) },
  },
  {
    kind: 'comparison',
    name: 'loads per second at 100 per tick, each key twice, cached, load() vs dataloader',
    unit: 'loads/s',
    better: 'higher',
    bar: 1,
    ours: perSecond('millraceCached', 100),
    peers: { dataloader: perSecond('dataloaderCached', 100) },
  },
  table(1, 2000),
  table(10, 300),
  table(100, 60),
  table(1000, 40),
];
