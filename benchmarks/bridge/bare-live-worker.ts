/** The reading thread of `bare-live.ts`: stamps each read of `tmux -C` and hands it on. */
import { spawn } from 'node:child_process';
import { parentPort, workerData } from 'node:worker_threads';
import { attachProducer } from '@millrace/ringbuffer';
import type { BareLiveData, BareRead } from './bare-live.ts';

const { tmux, socketPath, ring, originMs } = workerData as BareLiveData;
const here = performance.timeOrigin - originMs;
const producer = ring && attachProducer(ring, { alignBytes: 8 });
const stamps =
  producer && new Float64Array(producer.bytes.buffer, producer.bytes.byteOffset, 1 << 17);
const { TMUX: _, ...env } = process.env;
const child = spawn(tmux, ['-S', socketPath, '-u', '-C', 'attach-session'], { env });
child.stdin.on('error', () => {});
child.stdout.on('data', (bytes: Uint8Array) => {
  const at = performance.now() + here;
  if (producer === undefined) {
    const read: BareRead = { at, bytes };
    parentPort!.postMessage(read);
    return;
  }
  const start = producer.claim(8 + bytes.length);
  if (start < 0) return; // one that doesn't fit isn't counted
  stamps![start >> 3] = at;
  producer.bytes.set(bytes, start + 8);
  producer.commit();
  producer.flush();
});
