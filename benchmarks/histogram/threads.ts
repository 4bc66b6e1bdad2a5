/**
 * Two threads record at once while a reader looks a thousand times a second.
 *
 * Measured: nanoseconds per record of the slower writer, the median of its windows. Checked: that every record was counted; a lost one
 * fails the row. On a machine with two cores the reader takes its time from the writers, ours included.
 */
import { createHistogram } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { SharedHistogram } from '@millrace/histogram';
import type { Row } from '../harness/row.ts';
import { HIGHEST, lognormal } from './data.ts';

type Mode = 'shards' | 'atomic' | 'node';
const WRITERS = 2;
const values = lognormal(16_384, 3);

async function measure(mode: Mode, windows: number, rounds: number): Promise<number> {
  const shared = SharedHistogram.create({ highest: HIGHEST, digits: 3, shards: WRITERS });
  const flat = new SharedArrayBuffer(4 * 33_792);
  const node = createHistogram({ lowest: 1, highest: HIGHEST, figures: 3 });
  const spare = createHistogram({ lowest: 1, highest: HIGHEST, figures: 3 });
  const gate = new SharedArrayBuffer(8);
  const words = new Int32Array(gate);
  const workers = Array.from(
    { length: WRITERS },
    (_, slot) =>
      new Worker(new URL('./threads-worker.mjs', import.meta.url), {
        workerData: {
          mode,
          buffer: mode === 'atomic' ? flat : shared.buffer,
          ...(mode === 'node' ? { histogram: node, spare } : {}),
          values,
          windows,
          rounds,
          gate,
          slot,
        },
      }),
  );
  const results = Promise.all(
    workers.map(
      (worker) =>
        new Promise<number>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  while (Atomics.load(words, 0) < WRITERS) await new Promise((resolve) => setTimeout(resolve, 2));
  const reader = shared.intervals({ from: 'start' });
  const interval = reader.next();
  if (mode === 'shards') warmUp();
  let seen = interval.count;
  let running = true;
  const reading = (async () => {
    while (running) {
      if (mode === 'shards') seen += reader.next(interval).count;
      else if (mode === 'node') node.percentile(99);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  const slowest = Math.max(...(await results));
  running = false;
  await reading;
  await Promise.all(workers.map((worker) => worker.terminate()));
  const expected = WRITERS * windows * rounds * values.length;
  const counted =
    mode === 'shards'
      ? shared.total().count
      : mode === 'node'
        ? node.count
        : new Int32Array(flat).reduce((sum, count) => sum + count, 0);
  if (mode === 'shards') seen += reader.next(interval).count;
  if (counted !== expected || (mode === 'shards' && seen !== expected)) {
    throw new Error(`${mode} lost records: counted=${counted} in intervals=${seen} of ${expected}`);
  }
  return slowest;
}

/** Lets the reader be compiled, as the writers are, on a histogram of its own. */
function warmUp(): void {
  const shared = SharedHistogram.create({ highest: HIGHEST, digits: 3, shards: WRITERS });
  const recorders = Array.from({ length: WRITERS }, () => shared.claim());
  const reader = shared.intervals();
  const interval = reader.next();
  for (let look = 0; look < 200; look++) {
    for (const recorder of recorders) recorder.recordMany(values, 0, 1000);
    void reader.next(interval).count;
  }
}

// About 10^8 records a round, with ours; the slower ones get fewer.
const ours = () => measure('shards', 31, 100);

export const threadRows: readonly Row[] = [
  {
    name: 'two workers and a 1 kHz reader, nothing lost, vs one Atomics.add array',
    kind: 'comparison',
    unit: 'ns/record',
    better: 'lower',
    ours,
    peers: { 'Atomics.add': () => measure('atomic', 15, 20) },
    bar: 4,
    stretch: 5,
  },
  {
    name: 'two workers and a 1 kHz reader, nothing lost, vs Node histogram cloned',
    kind: 'comparison',
    unit: 'ns/record',
    better: 'lower',
    ours,
    peers: { 'createHistogram clone': () => measure('node', 15, 4) },
    bar: 13,
    stretch: 25,
  },
];
