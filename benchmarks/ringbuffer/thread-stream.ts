/**
 * thread-stream, pino's way to a worker: from the main thread to a worker that the stream starts itself, unframed.
 *
 * In its favour: every message is the same buffer, never written again, and the worker counts characters only.
 */
import { once } from 'node:events';
import ThreadStream from 'thread-stream';

/** Returns ns per message of `size` bytes, from the first write to the last character's arrival. */
export async function threadStream(size: number): Promise<number> {
  const total = size >= 1024 ? 60_000 : 200_000;
  const counter = new SharedArrayBuffer(4);
  const stream = new ThreadStream({
    filename: new URL('./thread-stream-worker.mjs', import.meta.url).href,
    workerData: { counter },
    workerOpts: { execArgv: [] },
    bufferSize: 1 << 20,
  });
  await once(stream, 'ready');
  // It takes buffers too, whatever its types say; a string would have to be encoded first.
  const bytes = Buffer.alloc(size, 'x') as unknown as string;
  const arrived = new Int32Array(counter);
  const send = async (count: number, target: number): Promise<void> => {
    for (let i = 0; i < count; i++) if (!stream.write(bytes)) await once(stream, 'drain');
    while (Atomics.load(arrived, 0) < target) await new Promise(setImmediate);
  };
  await send(total >> 2, (total >> 2) * size);
  const begun = process.hrtime.bigint();
  await send(total, (total + (total >> 2)) * size);
  const figure = Number(process.hrtime.bigint() - begun) / total;
  const closed = once(stream, 'close');
  stream.end();
  await closed;
  return figure;
}
