/** One end of `pair.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PairData } from './pair.ts';
import { transports } from './transports.ts';

const { name, role, link, size, total, first, windowCount, gate } = workerData as PairData;
const transport = transports[name]!;

// Both are loaded before either begins.
const barrier = new Int32Array(gate);
Atomics.add(barrier, 0, 1);
Atomics.notify(barrier, 0);
while (Atomics.load(barrier, 0) < 2) Atomics.wait(barrier, 0, 1, 1);

if (role === 'producer') {
  await transport.produce(link as never, size, total);
} else {
  const at: number[] = [];
  const times: bigint[] = [];
  const sum = await transport.consume(link as never, size, total, first, (i) => {
    at.push(i);
    times.push(process.hrtime.bigint());
    return i + windowCount;
  });
  if (sum !== Number(BigInt.asIntN(32, (BigInt(total) * BigInt(total - 1)) / 2n)))
    throw new Error(`${name}: wrong sum ${sum}`);
  const figures = times
    .slice(1)
    .map((time, k) => Number(time - times[k]!) / (at[k + 1]! - at[k]!))
    .sort((a, b) => a - b);
  parentPort!.postMessage(figures[Math.floor(figures.length / 10)]);
}
