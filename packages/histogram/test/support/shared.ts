/** Workers that record into a shared histogram, and the sequence that they record. */
import { Worker } from 'node:worker_threads';
import { Histogram, type LayoutOptions, type SharedHistogram } from '@millrace/histogram';

export interface WriterOptions {
  readonly owner: number;
  readonly count: number;
  readonly seed: number;
  readonly end: 'release' | 'exit' | 'hang';
}

/** Starts a writer; resolves `recorded` once it has recorded everything. */
export const startWriter = (
  shared: SharedHistogram,
  options: WriterOptions,
): {
  worker: Worker;
  recorded: Promise<{ shard: number; exclusive: boolean }>;
  ended: Promise<void>;
} => {
  const worker = new Worker(new URL('../fixtures/shard-writer.mjs', import.meta.url), {
    workerData: { buffer: shared.buffer, ...options },
  });
  const recorded = new Promise<{ shard: number; exclusive: boolean }>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return { worker, recorded, ended };
};

/** What the writers record, in a histogram of one thread. */
export const expected = (layout: LayoutOptions, writers: readonly WriterOptions[]): Histogram => {
  const histogram = new Histogram(layout);
  for (const { count, seed } of writers) {
    let state = seed;
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      histogram.record(state % 1_000_000);
    }
  }
  return histogram;
};
