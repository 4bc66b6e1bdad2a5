/**
 * Writes pieces to a pane's terminal device while it is told to run, from a thread of its own: tmux, the bridge and the
 * program all go on at the same time, and yet it is known to the byte what the program has written.
 *
 * control: [0] 0 stop, 1 run, 2 end, 3 stop after [3] pieces; [1] 1 while it stands still; [2] bytes written
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { pieces } from './units.mjs';

const { path, control, ...options } = workerData;
const words = new Int32Array(control);
const next = pieces(options);
const bursts = [1, 16, 2, 64, 1, 4];
const device = openSync(path, 'a');
for (let count = 0; ; count++) {
  const wanted = Atomics.load(words, 0);
  if (wanted === 2) break;
  if (wanted === 0) {
    Atomics.store(words, 1, 1);
    Atomics.wait(words, 0, 0);
    Atomics.store(words, 1, 0);
    continue;
  }
  if (wanted === 3 && Atomics.sub(words, 3, 1) <= 0) {
    Atomics.compareExchange(words, 0, 3, 0);
    continue;
  }
  const piece = next();
  for (let at = 0; at < piece.length; ) at += writeSync(device, piece, at);
  Atomics.add(words, 2, piece.length);
  // In trickles and in floods.
  if (count % bursts[(count >> 5) % bursts.length] === 0) Atomics.wait(words, 0, wanted, 1);
}
closeSync(device);
