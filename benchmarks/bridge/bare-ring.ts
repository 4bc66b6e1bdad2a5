/**
 * What two threads of this machine can do at the same pace, without a bridge: a worker pushes stamps into a ring at
 * their scheduled times, this thread drains them and looks at the clock.
 *
 * No parsing, no panes, no pipes, no sinks. What is missing to the bar here, no code of the bridge can make good.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Histogram } from '@millrace/histogram';
import { attachConsumer, createRing, type RingHandle } from '@millrace/ringbuffer';

/** What the producer is told. */
export interface BareRingData {
  readonly ring: RingHandle;
  readonly perSecond: number;
  readonly count: number;
  /** The consumer's `performance.timeOrigin`. */
  readonly originMs: number;
}

/** Returns the P99 from a stamp's time until it is drained (ms). */
export async function bareRingP99Ms(perSecond: number, seconds: number): Promise<number> {
  const { handle } = createRing({ capacity: 1 << 18 });
  const consumer = attachConsumer(handle);
  const stamps = new Float64Array(consumer.bytes.buffer, consumer.bytes.byteOffset, 1 << 15);
  const latency = new Histogram({ highest: 3_600_000_000_000, digits: 2 });
  const workerData: BareRingData = {
    ring: handle,
    perSecond,
    count: perSecond * seconds,
    originMs: performance.timeOrigin,
  };
  const worker = new Worker(new URL('./bare-ring-worker.ts', import.meta.url), { workerData });
  const ended = once(worker, 'exit');
  const take = (_: Uint8Array, start: number): undefined => {
    latency.record(Math.max(0, performance.now() - stamps[start >> 3]!) * 1e6);
  };
  while (await consumer.ready()) {
    while (consumer.drain(take, 4096) > 0);
  }
  await worker.terminate();
  await ended;
  return latency.percentile(99) / 1e6;
}
