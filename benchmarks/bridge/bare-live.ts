/**
 * What a second thread costs here while tmux floods, without a bridge: a worker reads the pipe of `tmux -C` and hands each
 * read to this thread as it came, by the bare ring or by `postMessage`.
 *
 * No parser, no panes, no pipes, no sinks. Latency is from the read in the worker to this thread, and each line of tmux
 * counts, as each record does in the row. What is missing to the bar here, no code of the bridge can make good: tmux, what
 * floods it, its client and two threads share the machine's cores, and a thread that is woken waits for one.
 */
import { Worker } from 'node:worker_threads';
import { Histogram } from '@millrace/histogram';
import { attachConsumer, createRing, type RingHandle } from '@millrace/ringbuffer';

/** What the reading thread is told. */
export interface BareLiveData {
  readonly tmux: string;
  readonly socketPath: string;
  /** Posts its reads, if undefined. */
  readonly ring: RingHandle | undefined;
  /** This thread's `performance.timeOrigin`. */
  readonly originMs: number;
}

/** A read, as it is posted. */
export interface BareRead {
  readonly at: number;
  readonly bytes: Uint8Array;
}

const linesOf = (bytes: Uint8Array, start: number, end: number): number => {
  let lines = 0;
  for (let at = bytes.indexOf(10, start); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) {
    lines++;
  }
  return lines;
};

/** Returns the P99 from a read in another thread until it is here (ms). */
export async function bareLiveP99Ms(
  how: 'ring' | 'message',
  tmux: string,
  socketPath: string,
  seconds: number,
): Promise<number> {
  const latency = new Histogram({ highest: 3_600_000_000_000, digits: 2 });
  const ring = how === 'ring' ? createRing({ capacity: 1 << 20 }).handle : undefined;
  const data: BareLiveData = { tmux, socketPath, ring, originMs: performance.timeOrigin };
  const worker = new Worker(new URL('./bare-live-worker.ts', import.meta.url), {
    workerData: data,
  });
  const take = (at: number, bytes: Uint8Array, start: number, end: number): void => {
    const delayMs = Math.max(0, performance.now() - at);
    const lines = linesOf(bytes, start, end);
    if (lines > 0) latency.recordCount(delayMs * 1e6, lines);
  };
  const gone = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => resolve());
    worker.once('error', reject);
  });
  const timer = setTimeout(() => worker.terminate(), seconds * 1000);
  if (ring === undefined) {
    worker.on('message', ({ at, bytes }: BareRead) => take(at, bytes, 0, bytes.length));
    await gone;
  } else {
    const consumer = attachConsumer(ring);
    const stamps = new Float64Array(consumer.bytes.buffer, consumer.bytes.byteOffset, 1 << 17);
    gone.finally(() => consumer.close()).catch(() => {});
    while (await consumer.ready()) {
      consumer.drain((bytes, start, end) => take(stamps[start >> 3]!, bytes, start + 8, end));
    }
    await gone;
  }
  clearTimeout(timer);
  if (latency.count === 0) throw new Error('tmux said nothing');
  return latency.percentile(99) / 1e6;
}
