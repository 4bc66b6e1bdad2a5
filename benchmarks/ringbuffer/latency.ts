/**
 * Latency and CPU. Round trips: one 64 B message in flight between two workers, the clock's reading included.
 * Paced: 200,000 messages of 64 B a second in bursts of a millisecond, one way, each message with the time at
 * which it was pushed; CPU is user and system time of the whole process.
 */
import { Worker } from 'node:worker_threads';
import { createRing } from '@millrace/ringbuffer';
import type { AbsoluteRow, Contender } from '../harness/row.ts';
import { anchors } from './native.ts';
import { builtArgv } from './pair.ts';

export interface LatencyData {
  readonly mode: 'trip' | 'paced';
  readonly role: 'caller' | 'answerer';
  readonly spin: 'only' | 'then wait' | 'bare loops' | 'bare loops, header publish';
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
  note?: string,
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
  ...(note === undefined ? {} : { note }),
});

/** An index and a record each way in plain loops of JavaScript, with the same clock: what is left without a ring. */
const bareTrip = (share: 'p50' | 'p99'): Record<string, Contender> => ({
  'bare loops': async () => (await measure('trip', 'bare loops'))[share],
});
/** The same without an index that travels: the floor of the stretch. */
const bareHeaderTrip: Record<string, Contender> = {
  'bare loops, header publish': async () =>
    (await measure('trip', 'bare loops, header publish')).p50,
};
/** C++ that sleeps as we do. */
const sleeping = (mode: 'parktrip' | 'parktrip99'): Record<string, Contender> =>
  Object.fromEntries(Object.values(anchors(mode, 64)).map((run) => ['C++, spin then futex', run]));
const ONE_CPU =
  'while the kernel keeps both threads on one processor, a spinner only delays its peer (guide, "Waiting"), and C++ ' +
  'that spins, then sleeps has been seen with 20 us at p99, too';

export const latencyRows: readonly AbsoluteRow[] = [
  row(
    'round trip, spinning, p50',
    'us',
    0.3,
    async () => (await measure('trip', 'only')).p50,
    0.17,
    { ...bareTrip('p50'), ...bareHeaderTrip, ...anchors('trip', 64) },
    'what bare loops take for the clock, two indices and two records on their way stands beside',
  ),
  row(
    'round trip, spin then wait, p50',
    'us',
    0.5,
    async () => (await measure('trip', 'then wait')).p50,
    undefined,
    { ...anchors('trip', 64), ...sleeping('parktrip') },
    ONE_CPU,
  ),
  row(
    'round trip, spin then wait, p99',
    'us',
    5,
    async () => (await measure('trip', 'then wait')).p99,
    undefined,
    { ...bareTrip('p99'), ...anchors('trip99', 64), ...sleeping('parktrip99') },
    ONE_CPU,
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
