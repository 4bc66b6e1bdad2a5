/**
 * The producer of `bare-pace.ts`: pushes stamps open-loop, each due at its time, and nothing else. Like a replay in a
 * thread of its own it sleeps while nothing is due: turning its loop instead would make garbage and take a core.
 */
import { workerData } from 'node:worker_threads';
import { attachProducer, type RingHandle } from '@millrace/ringbuffer';
import type { BareRingData } from './bare-pace.ts';

const { ring, perSecond, count, originMs } = workerData as BareRingData;
const producer = attachProducer(ring as RingHandle, { publish: 16_384, alignBytes: 8 });
const stamp = new Float64Array(1);
const bytes = new Uint8Array(stamp.buffer);
const here = performance.timeOrigin - originMs;
const startMs = performance.now() + here;
const nap = new Int32Array(new SharedArrayBuffer(4));
const napMs = 0.1;
let next = 0;

/** One turn of the event loop: everything that is due by now. */
function turn(): void {
  for (;;) {
    if (next === count) {
      producer.close();
      return;
    }
    const dueMs = startMs + (next * 1000) / perSecond;
    if (dueMs > performance.now() + here) break;
    stamp[0] = dueMs;
    if (!producer.tryPush(bytes)) break;
    next++;
  }
  producer.flush();
  Atomics.wait(nap, 0, 0, napMs);
  setImmediate(turn);
}
turn();
