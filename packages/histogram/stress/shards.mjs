// Stress: many workers record 10^8 values into one shared histogram while readers take intervals at random
// times and workers are terminated in mid-run. node --conditions=@millrace/source stress/shards.mjs [records]
//
// Allowed outcomes, all of them checked:
//  - the total of every bucket equals the sum of what the workers say they recorded; of terminated workers, at
//    least what they last published and at most a record more than they began;
//  - the intervals of every reader sum to the total, and none has a negative count.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Histogram, SharedHistogram } from '@millrace/histogram';

const OPTIONS = { highest: 3.6e12, digits: 3 };
const BATCH = 4096;

/** Values of one worker; the sequence repeats, so that its histogram is a multiple of one batch's. */
const valuesOf = (seed) => {
  let state = seed >>> 0;
  return Array.from({ length: BATCH }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(2 ** ((state / 2 ** 32) * 34));
  });
};

if (!isMainThread) {
  const { buffer, progress, slot, seed, batches } = workerData;
  const recorder = SharedHistogram.attach(buffer).claim(slot + 1);
  const done = new Int32Array(progress);
  const values = valuesOf(seed);
  for (let batch = 1; batch <= batches; batch++) {
    recorder.recordMany(values);
    Atomics.store(done, slot, batch);
  }
  recorder.release();
  parentPort.postMessage(recorder.exclusive);
} else {
  const records = Number(process.argv[2] ?? 1e8);
  const shared = SharedHistogram.create({ ...OPTIONS, shards: 4 });
  const workers = 16;
  const killed = 6;
  // Those that are terminated hardly begin.
  const batches = Math.ceil(records / BATCH / (workers - killed));
  const progress = new SharedArrayBuffer(4 * workers);
  const done = new Int32Array(progress);
  const readers = [1, 7, 40].map((pauseMs) => ({
    pauseMs,
    reader: shared.intervals(),
    sum: new Histogram(OPTIONS),
    looks: 0,
  }));
  let running = true;
  const reading = readers.map(async (one) => {
    const interval = new Histogram(OPTIONS);
    while (running) {
      one.reader.next(interval);
      one.sum.add(interval);
      one.looks++;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * one.pauseMs));
    }
    one.sum.add(one.reader.next());
  });

  const start = performance.now();
  const seeds = Array.from({ length: workers }, (_, slot) => 1000 + slot);
  // Four at a time on shards of their own, then a few at once so that some share the common one.
  const runOne = async (slot) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { buffer: shared.buffer, progress, slot, seed: seeds[slot], batches },
    });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.once('error', (error) => {
      throw error;
    });
    if (slot < killed) {
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200));
      await worker.terminate();
    }
    await ended;
    shared.releaseOwner(slot + 1);
  };
  const queue = seeds.map((_, slot) => slot);
  const lane = async () => {
    for (let slot = queue.shift(); slot !== undefined; slot = queue.shift()) await runOne(slot);
  };
  await Promise.all(Array.from({ length: 6 }, lane));
  running = false;
  await Promise.all(reading);

  const total = shared.total();
  const least = new Histogram(OPTIONS);
  const most = new Histogram(OPTIONS);
  for (let slot = 0; slot < workers; slot++) {
    for (const value of valuesOf(seeds[slot])) {
      if (done[slot] > 0) least.recordCount(value, done[slot]);
      // A terminated worker was in its next batch.
      most.recordCount(value, done[slot] + (done[slot] < batches ? 1 : 0));
    }
  }
  const failures = [];
  for (let index = 0; index < total.length; index++) {
    const value = total.layout.lowestOf(index);
    const count = total.countAt(value);
    if (count < least.countAt(value) || count > most.countAt(value)) {
      failures.push(
        `bucket ${index}: ${count}, not ${least.countAt(value)} to ${most.countAt(value)}`,
      );
    }
  }
  for (const { sum, pauseMs } of readers) {
    if (!sum.equals(total))
      failures.push(`intervals of the ${pauseMs} ms reader don't sum to the total`);
  }
  const seconds = (performance.now() - start) / 1000;
  const looks = readers.map((one) => one.looks).join(' + ');
  console.log(
    `${total.count} records by ${workers} workers (${killed} terminated), ${looks} intervals, ${seconds.toFixed(1)} s`,
  );
  for (const failure of failures.slice(0, 10)) console.error(failure);
  console.log(
    failures.length === 0 ? 'nothing lost, doubled or negative' : `${failures.length} failures`,
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}
