/**
 * What this machine can do at the same pace, without a bridge: a loop that looks at the clock as each record is due,
 * and a worker that pushes stamps into a ring at their times while this thread drains them.
 *
 * No parsing, no panes, no pipes, no sinks. What is missing to the bar here, no code of the bridge can make good: time
 * in which the system runs something else. As in the row, the first second, with its cold code, doesn't count.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Histogram } from '@millrace/histogram';
import { attachConsumer, createRing, type RingHandle } from '@millrace/ringbuffer';

const firstSeconds = 1;

/** What the producer is told. */
export interface BareRingData {
  readonly ring: RingHandle;
  readonly perSecond: number;
  readonly count: number;
  /** The consumer's `performance.timeOrigin`. */
  readonly originMs: number;
}

const latencies = (): Histogram => new Histogram({ highest: 3_600_000_000_000, digits: 2 });

/** Returns the P99 from a record's time until the event loop is there (ms). */
export async function bareLoopP99Ms(perSecond: number, seconds: number): Promise<number> {
  const latency = latencies();
  const uncounted = perSecond * firstSeconds;
  const count = uncounted + perSecond * seconds;
  const startMs = performance.now();
  let next = 0;
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      for (;;) {
        if (next === count) {
          resolve();
          return;
        }
        const lateMs = performance.now() - startMs - (next * 1000) / perSecond;
        if (lateMs < 0) break;
        if (next++ >= uncounted) latency.record(lateMs * 1e6);
      }
      setImmediate(turn);
    };
    turn();
  });
  return latency.percentile(99) / 1e6;
}

/** Returns the P99 from a stamp's time until it is drained (ms). */
export async function bareRingP99Ms(perSecond: number, seconds: number): Promise<number> {
  const { handle } = createRing({ capacity: 1 << 18 });
  const consumer = attachConsumer(handle);
  const stamps = new Float64Array(consumer.bytes.buffer, consumer.bytes.byteOffset, 1 << 15);
  const latency = latencies();
  let uncounted = perSecond * firstSeconds;
  const workerData: BareRingData = {
    ring: handle,
    perSecond,
    count: uncounted + perSecond * seconds,
    originMs: performance.timeOrigin,
  };
  const worker = new Worker(new URL('./bare-ring-worker.ts', import.meta.url), { workerData });
  const ended = once(worker, 'exit');
  const take = (_: Uint8Array, start: number): undefined => {
    if (uncounted > 0) uncounted--;
    else latency.record(Math.max(0, performance.now() - stamps[start >> 3]!) * 1e6);
  };
  while (await consumer.ready()) {
    while (consumer.drain(take, 4096) > 0);
  }
  await worker.terminate();
  await ended;
  return latency.percentile(99) / 1e6;
}
