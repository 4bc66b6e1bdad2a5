/**
 * Latency and CPU. Round trips: one 64 B message in flight between two workers, the clock's reading included.
 * Paced: 200,000 messages of 64 B a second in bursts of a millisecond, one way, each message with the time at
 * which it was pushed; CPU is user and system time of the whole process.
 */
import { Worker } from 'node:worker_threads';
import { createRing } from '@millrace/ringbuffer';
import type { AbsoluteRow } from '../harness/row.ts';
import { anchors } from './native.ts';
import { builtArgv } from './pair.ts';

export interface LatencyData {
  readonly mode: 'trip' | 'paced';
  readonly role: 'caller' | 'answerer';
  readonly spin: 'only' | 'then wait' | 'async';
  readonly there: unknown;
  readonly back: unknown;
  readonly count: number;
}

export interface LatencyResult {
  readonly p50: number;
  readonly p99: number;
  /** Share of a core (%), over the whole run. */
  readonly cpu: number;
}

const COUNT = { trip: 200_000, paced: 400_000 } as const;

async function measure(
  mode: LatencyData['mode'],
  spin: LatencyData['spin'],
): Promise<LatencyResult> {
  const there = createRing({ capacity: 1 << 18 }).handle;
  const back = createRing({ capacity: 1 << 18 }).handle;
  let result: LatencyResult | undefined;
  const spawn = (role: LatencyData['role']): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./latency-worker.ts', import.meta.url), {
        execArgv: builtArgv,
        workerData: { mode, role, spin, there, back, count: COUNT[mode] } satisfies LatencyData,
      });
      worker.on('message', (message: LatencyResult) => {
        result = message;
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  await Promise.all([spawn('answerer'), spawn('caller')]);
  if (result === undefined) throw new Error('no result');
  return result;
}

const row = (
  name: string,
  unit: string,
  bar: number,
  ours: () => Promise<number>,
  stretch?: number,
  beside: AbsoluteRow['beside'] = {},
): AbsoluteRow => ({
  kind: 'absolute',
  name,
  unit,
  better: 'lower',
  rounds: 3,
  bar,
  ours,
  beside,
  ...(stretch === undefined ? {} : { stretch }),
});

export const latencyRows: readonly AbsoluteRow[] = [
  row(
    'round trip, spinning, p50',
    'us',
    0.3,
    async () => (await measure('trip', 'only')).p50,
    0.17,
    anchors('trip', 64),
  ),
  row(
    'round trip, spin then wait, p50',
    'us',
    0.5,
    async () => (await measure('trip', 'then wait')).p50,
    undefined,
    anchors('trip', 64),
  ),
  row(
    'round trip, spin then wait, p99',
    'us',
    5,
    async () => (await measure('trip', 'then wait')).p99,
    undefined,
    anchors('trip99', 64),
  ),
  row(
    '200,000 messages/s of 64 B, paced, p99',
    'us',
    100,
    async () => (await measure('paced', 'then wait')).p99,
    undefined,
    anchors('paced', 64),
  ),
  row(
    '200,000 messages/s of 64 B, paced, CPU',
    '% of a core',
    10,
    async () => (await measure('paced', 'then wait')).cpu,
    undefined,
    anchors('pacedcpu', 64),
  ),
];
