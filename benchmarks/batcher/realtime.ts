/**
 * CPU and latency in real time, on this machine's timers: an echo every 20 ms, and 20,000 items a second into a sink
 * that spends 50 us on each flush.
 *
 * Latency is from push to the start of the delivery; every contender first has a second's worth of pushes, since code
 * that runs for the first time takes longer than any batcher. CPU is that of the whole process, the load generator
 * included, which costs the same for every contender: it sleeps between ticks there, and its own line is "none". A shared machine adds its noise to the tail: medians of rounds count.
 */
import type { Row } from '../harness/row.ts';
import {
  atomic,
  dataloader,
  microtask,
  millrace,
  openTelemetry,
  pacer,
  type Sink,
  type Start,
  timer5,
} from './contenders.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const spin = (us: number): void => {
  const until = performance.now() + us / 1000;
  while (performance.now() < until) {}
};

/** Turns before the measurement, so that every contender's code is compiled. */
const WARM_TURNS = 2000;

interface Measured {
  readonly latencies: Float64Array;
  readonly cpuMs: number;
  readonly flushes: number;
}

async function run(
  start: Start,
  durationMs: number,
  flushUs: number,
  gapUs: number,
  sleeps: boolean = gapUs >= 2000,
): Promise<Measured> {
  const pushedAt: number[] = [];
  const latencies: number[] = [];
  let flushes = 0;
  const sink: Sink = (items) => {
    flushes++;
    const now = performance.now();
    for (const item of items) latencies.push(now - pushedAt[item]!);
    if (flushUs > 0) spin(flushUs);
  };
  const { push, stop } = start(sink);
  for (let i = 0; i < WARM_TURNS; i++) {
    push(pushedAt.push(performance.now()) - 1);
    await turn();
  }
  await sleep(50);
  latencies.length = 0;
  flushes = 0;
  const began = performance.now();
  const cpu = process.cpuUsage();
  let next = began;
  while (performance.now() - began < durationMs) {
    const now = performance.now();
    while (next <= now) {
      push(pushedAt.push(performance.now()) - 1);
      next += gapUs / 1000;
    }
    // Sleeping is what an idle event loop does; a dense stream comes by turns.
    if (sleeps) await sleep(Math.max(1, next - performance.now()));
    else await turn();
  }
  const used = process.cpuUsage(cpu);
  await sleep(12);
  await stop();
  return {
    latencies: Float64Array.from(latencies).sort(),
    cpuMs: (used.user + used.system) / 1000,
    flushes,
  };
}

const contenders: Readonly<Record<string, Start>> = {
  microtask,
  'atomic-batcher': atomic,
  'timer 5 ms': timer5,
  dataloader,
  '@tanstack/pacer': pacer,
  OpenTelemetry: openTelemetry,
};

const peersOf = (measure: (start: Start) => Promise<number>) =>
  Object.fromEntries(
    Object.entries(contenders).map(([name, start]) => [name, () => measure(start)]),
  );

const at = (sorted: Float64Array, share: number): number =>
  sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

const echo = async (start: Start): Promise<number> =>
  at((await run(start, 400, 0, 20_000)).latencies, 0.5);

const floodP99 = async (start: Start): Promise<number> =>
  at((await run(start, 400, 50, 50)).latencies, 0.99);

/** Share of a core that flushes take: their number times 50 us. */
const floodFlushShare = async (start: Start): Promise<number> =>
  ((await run(start, 400, 50, 50)).flushes * 0.05 * 100) / 400;

/** CPU of the whole process, as a share of a core: ticks of 1 ms with 20 items each, or an echo now and then. */
const processCpu =
  (flushUs: number, gapUs: number) =>
  async (start: Start): Promise<number> =>
    ((await run(start, 1000, flushUs, gapUs, true)).cpuMs * 100) / 1000;

const floodCpu = processCpu(50, 50);
const echoCpu = processCpu(0, 20_000);

/** What the load generator itself costs. */
const none: Start = () => ({ push: () => {}, stop: () => {} });

export const realtimeRows: readonly Row[] = [
  {
    kind: 'absolute',
    name: 'real time, an echo every 20 ms: added latency p50',
    unit: 'ms',
    better: 'lower',
    rounds: 3,
    bar: 0.1,
    stretch: 0.05,
    ours: () => echo(millrace),
    peers: peersOf(echo),
  },
  {
    kind: 'absolute',
    name: 'real time, 20,000 items/s, flush 50 us: CPU of the flushes',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    bar: 4,
    ours: () => floodFlushShare(millrace),
    peers: peersOf(floodFlushShare),
  },
  {
    kind: 'absolute',
    name: 'real time, 20,000 items/s in ticks of 1 ms, flush 50 us: CPU of the process',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    bar: 10,
    ours: () => floodCpu(millrace),
    peers: { none: () => floodCpu(none), ...peersOf(floodCpu) },
  },
  {
    kind: 'absolute',
    name: 'real time, an echo every 20 ms: CPU of the process',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    bar: 3,
    ours: () => echoCpu(millrace),
    peers: { none: () => echoCpu(none), ...peersOf(echoCpu) },
  },
  {
    kind: 'absolute',
    name: 'real time, 20,000 items/s, flush 50 us: latency p99 (budget 5 ms)',
    unit: 'ms',
    better: 'lower',
    rounds: 3,
    bar: 6,
    ours: () => floodP99(millrace),
    peers: peersOf(floodP99),
  },
];
