/**
 * One batcher in real time, in a process of its own: `node benchmarks/batcher/realtime-alone.ts CONTENDER LOAD`, the
 * load as JSON, prints what was measured as JSON. What others leave behind in a process, code that was optimised for
 * them and thrown away, types that they showed to shared functions, timers that still run, would else be charged to
 * whoever comes next: an application has one of them.
 *
 * Latency is from push to the start of the delivery. The contender first has two thousand turns with a push each and a
 * second of the load itself: code that runs for the first time takes longer than any batcher, and compiling it takes
 * CPU.
 */
import type { ContenderName } from './alone.ts';
import * as contenders from './contenders.ts';

/** What a contender is given. */
export interface Load {
  readonly durationMs: number;
  /** Time that the sink spends on each flush. */
  readonly flushUs: number;
  /** Time between two items. */
  readonly gapUs: number;
  /** Sleeps 1 ms or more between two looks, as an idle event loop does; a dense stream comes by turns. */
  readonly sleeps: boolean;
}

/** What came of it. */
export interface Measured {
  /** Latency of an item (ms). */
  readonly p50: number;
  readonly p99: number;
  /** CPU of the process (percent of a core). */
  readonly cpuPercent: number;
  readonly flushes: number;
}

const byName: Readonly<Record<ContenderName, contenders.Start>> = { ...contenders };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const spin = (us: number): void => {
  const until = performance.now() + us / 1000;
  while (performance.now() < until) {}
};

const WARM_TURNS = 2000;
const WARM_MS = 1000;

const at = (sorted: Float64Array, share: number): number =>
  sorted.length === 0
    ? Number.NaN
    : sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

async function run(start: contenders.Start, load: Load): Promise<Measured> {
  const pushedAt: number[] = [];
  const latencies: number[] = [];
  let flushes = 0;
  const { push, stop } = start((items) => {
    flushes++;
    const now = performance.now();
    for (const item of items) latencies.push(now - pushedAt[item]!);
    if (load.flushUs > 0) spin(load.flushUs);
  });
  const pushAll = async (durationMs: number): Promise<void> => {
    const began = performance.now();
    let next = began;
    while (performance.now() - began < durationMs) {
      const now = performance.now();
      while (next <= now) {
        push(pushedAt.push(performance.now()) - 1);
        next += load.gapUs / 1000;
      }
      if (load.sleeps) await sleep(Math.max(1, next - performance.now()));
      else await turn();
    }
  };
  for (let i = 0; i < WARM_TURNS; i++) {
    push(pushedAt.push(performance.now()) - 1);
    await turn();
  }
  await pushAll(WARM_MS);
  await sleep(50);
  latencies.length = 0;
  flushes = 0;
  const cpu = process.cpuUsage();
  await pushAll(load.durationMs);
  const used = process.cpuUsage(cpu);
  await sleep(12);
  await stop();
  const sorted = Float64Array.from(latencies).sort();
  return {
    p50: at(sorted, 0.5),
    p99: at(sorted, 0.99),
    cpuPercent: (used.user + used.system) / 10 / load.durationMs,
    flushes,
  };
}

if (import.meta.main) {
  const [name, load] = process.argv.slice(2);
  console.log(JSON.stringify(await run(byName[name as ContenderName], JSON.parse(load!) as Load)));
  process.exit(0); // whatever timer a contender has left
}
