// One recording thread of threads.ts: records for a fixed count, then says how long a record took.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedHistogram } from '@millrace/histogram';

const { mode, buffer, histogram, values, windows, rounds, gate, slot } = workerData;

/** What people write without shards: one array, every count by Atomics.add. */
class AtomicRecorder {
  constructor(shared) {
    this.counts = new Int32Array(shared);
    this.leadingZeros = 21;
  }
  record(value) {
    const whole = value | 0;
    const octave = this.leadingZeros - Math.clz32(whole | 2047);
    Atomics.add(this.counts, (octave << 10) + (whole >> octave), 1);
  }
}

const open = (source) =>
  mode === 'shards'
    ? SharedHistogram.attach(source).claim(slot + 1)
    : mode === 'atomic'
      ? new AtomicRecorder(source)
      : source;
const recorder = open(mode === 'node' ? histogram : buffer);
const loop = (target, list) => {
  for (let i = 0; i < list.length; i++) target.record(list[i]);
};
// Warm-up goes elsewhere, so that the counts can be checked. Node's must be its own for that.
const elsewhere =
  mode === 'shards'
    ? SharedHistogram.create().claim()
    : mode === 'atomic'
      ? new AtomicRecorder(new SharedArrayBuffer(4 * 33_792))
      : workerData.spare;
for (let i = 0; i < 30; i++) loop(elsewhere, values);

const words = new Int32Array(gate);
Atomics.add(words, 0, 1);
Atomics.notify(words, 0);
Atomics.wait(words, 1, 0);
// Whole windows of about 5 ms, so that a program that takes a core meanwhile costs a window, not the measurement.
const nanoseconds = [];
for (let window = 0; window < windows; window++) {
  const start = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) loop(recorder, values);
  nanoseconds.push(Number(process.hrtime.bigint() - start) / (rounds * values.length));
}
parentPort.postMessage(nanoseconds.sort((a, b) => a - b)[windows >> 1]);
