/**
 * ns per item of one batcher, in a process of its own: `node benchmarks/batcher/alone.ts CONTENDER PER_TICK ITEMS`
 * prints it. What others left behind in a process, code that was optimised for them and thrown away, types that they
 * showed to shared functions, would else decide more than the batcher: an application has one of them.
 *
 * Each window pushes `perTick` items in a task, lets the event loop turn, and repeats; the best of several windows
 * counts, since a shared machine only ever adds.
 */
import * as contenders from './contenders.ts';

/** A contender of contenders.ts, by its name there. */
export type ContenderName = keyof typeof contenders;

const byName: Readonly<Record<ContenderName, contenders.Start>> = { ...contenders };

/** Many short windows: on a shared machine one of them is quiet. */
const WINDOWS = 25;
/** Time to compile and settle, also on a busy machine (ms). */
const WARM_MS = 300;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let delivered = 0;
const count = (items: readonly number[]): void => {
  delivered += items.length;
};

/** Returns ns per item, the best of a few windows. */
async function nsPerItem(start: contenders.Start, perTick: number, items: number): Promise<number> {
  const { push, stop } = start(count);
  const window = async (total: number): Promise<number> => {
    const began = process.hrtime.bigint();
    for (let i = 0; i < total; i += perTick) {
      for (let j = 0; j < perTick; j++) push(i + j);
      await turn();
    }
    return Number(process.hrtime.bigint() - began) / total;
  };
  const warm = performance.now() + WARM_MS;
  while (performance.now() < warm) await window(items);
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < WINDOWS; k++) best = Math.min(best, await window(items));
  await stop();
  await turn();
  if (delivered < 0) throw new Error('unreachable: keeps the sink alive for the optimiser');
  return best;
}

if (import.meta.main) {
  const [name, perTick, items] = process.argv.slice(2);
  console.log(await nsPerItem(byName[name as ContenderName], Number(perTick), Number(items)));
  process.exit(0); // whatever timer a contender has left
}
