/**
 * CPU and latency in real time, on this machine's timers: an echo every 20 ms, and 20,000 items a second into a sink
 * that spends 50 us on each flush.
 *
 * Every sample of every contender is made in a process of its own (realtime-alone.ts), as throughput.ts does it. CPU
 * is that of the whole process, the load generator included, which costs the same for every contender: it sleeps
 * between ticks there, and its own line is "none". A shared machine adds its noise to the tail: medians of rounds
 * count.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Contender, Row } from '../harness/row.ts';
import type { ContenderName } from './alone.ts';
import type { Load, Measured } from './realtime-alone.ts';

const alone = fileURLToPath(new URL('./realtime-alone.ts', import.meta.url));
const execute = promisify(execFile);

const contenders: Readonly<Record<string, ContenderName>> = {
  microtask: 'microtask',
  'atomic-batcher': 'atomic',
  'timer 5 ms': 'timer5',
  dataloader: 'dataloader',
  '@tanstack/pacer': 'pacer',
  OpenTelemetry: 'openTelemetry',
};

/** Every contender under one load, and the figure that is read from it. */
function under(load: Load, figure: (measured: Measured) => number) {
  const measure =
    (name: ContenderName): Contender =>
    async () => {
      const { stdout } = await execute(process.execPath, [
        '--conditions=@millrace/source',
        alone,
        name,
        JSON.stringify(load),
      ]);
      return figure(JSON.parse(stdout) as Measured);
    };
  return {
    ours: measure('millrace'),
    none: measure('none'),
    peers: Object.fromEntries(
      Object.entries(contenders).map(([label, name]) => [label, measure(name)]),
    ),
  };
}

const echo: Load = { durationMs: 1000, flushUs: 0, gapUs: 20_000, sleeps: true };
const flood: Load = { durationMs: 400, flushUs: 50, gapUs: 50, sleeps: false };
const ticks: Load = { durationMs: 1000, flushUs: 50, gapUs: 50, sleeps: true };

const echoLatency = under(echo, (measured) => measured.p50);
const echoCpu = under(echo, (measured) => measured.cpuPercent);
/** Share of a core that flushes take: their number times 50 us. */
const floodFlushes = under(flood, (measured) => (measured.flushes * 0.05 * 100) / flood.durationMs);
const floodLatency = under(flood, (measured) => measured.p99);
const ticksCpu = under(ticks, (measured) => measured.cpuPercent);

export const realtimeRows: readonly Row[] = [
  {
    kind: 'absolute',
    name: 'real time, an echo every 20 ms: added latency p50',
    unit: 'ms',
    better: 'lower',
    rounds: 3,
    bar: 0.1,
    stretch: 0.05,
    ours: echoLatency.ours,
    peers: echoLatency.peers,
  },
  {
    kind: 'absolute',
    name: 'real time, 20,000 items/s, flush 50 us: CPU of the flushes',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    bar: 4,
    ours: floodFlushes.ours,
    peers: floodFlushes.peers,
  },
  {
    kind: 'absolute',
    name: 'real time, 20,000 items/s in ticks of 1 ms, flush 50 us: CPU of the process',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    bar: 10,
    ours: ticksCpu.ours,
    peers: { none: ticksCpu.none, ...ticksCpu.peers },
  },
  {
    kind: 'absolute',
    name: 'real time, an echo every 20 ms: CPU of the process',
    unit: '% of a core',
    better: 'lower',
    rounds: 3,
    bar: 3,
    ours: echoCpu.ours,
    peers: { none: echoCpu.none, ...echoCpu.peers },
  },
  {
    kind: 'absolute',
    name: 'real time, 20,000 items/s, flush 50 us: latency p99 (budget 5 ms)',
    unit: 'ms',
    better: 'lower',
    rounds: 3,
    bar: 6,
    ours: floodLatency.ours,
    peers: floodLatency.peers,
  },
];
