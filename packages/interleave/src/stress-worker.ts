/**
 * One actor of a stress run: executes its function on many independent instances, in step with the others.
 *
 *   round:  barrier | run all instances, each after a random delay | barrier | actor 0 counts and resets
 *
 * The barrier spins: sleeping actors would never meet. See stress.ts for the options.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadProgram, type StressProgram, type StressTask } from './stress.ts';

const {
  program: url,
  actor,
  actors,
  instances,
  milliseconds,
  seed,
  skew,
  control,
  cells,
  results,
} = workerData as StressTask;
const arrived = 0;
const generation = 1;
const stopped = 2;
const none = -0x80000000;
/** Results of one call. */
const width = 4;

/** Store buffering with plain accesses: what every machine reorders. */
const storeBuffering: StressProgram = {
  words: 32,
  threads: [0, 16].map((own) => (memory: Int32Array) => {
    memory[own] = 1;
    return memory[16 - own]!;
  }),
};

function barrier(): void {
  const turn = Atomics.load(control, generation);
  if (Atomics.add(control, arrived, 1) === actors - 1) {
    Atomics.store(control, arrived, 0);
    Atomics.store(control, generation, turn + 1);
    return;
  }
  while (Atomics.load(control, generation) === turn) {
    // spin
  }
}

/** A small generator of delays (xorshift). */
let state = (seed + 0x9e3779b9 * (actor + 1)) | 0 || 1;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

const own = results.subarray(actor * instances * width, (actor + 1) * instances * width);

function put(at: number, value: unknown): void {
  const list = Array.isArray(value) ? (value as number[]) : [value as number | undefined];
  for (let index = 0; index < width; index++) own[at + index] = list[index] ?? none;
}

const decode = (at: number): string => {
  const values: number[] = [];
  for (let index = 0; index < width && results[at + index] !== none; index++) {
    values.push(results[at + index]!);
  }
  return values.length === 0
    ? 'undefined'
    : values.length === 1
      ? `${values[0]}`
      : `[${values.join(', ')}]`;
};

function count(tally: Map<string, number>): void {
  for (let instance = 0; instance < instances; instance++) {
    const texts: string[] = [];
    for (let thread = 0; thread < actors; thread++) {
      texts.push(decode((thread * instances + instance) * width));
    }
    const outcome = texts.join(' | ');
    tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
  }
}

async function main(): Promise<void> {
  const program = url === '' ? storeBuffering : await loadProgram(url);
  const views = Array.from({ length: instances }, (_, instance) =>
    cells.subarray(instance * program.words, (instance + 1) * program.words),
  );
  const run = program.threads[actor]!;
  const tally = new Map<string, number>();
  let endMs = Number.POSITIVE_INFINITY;
  for (let round = 0; ; round++) {
    barrier();
    if (Atomics.load(control, stopped) === 1) break;
    if (round === 0) endMs = performance.now() + milliseconds;
    // All in the same order, so that they meet; the delays decide who is first.
    for (let instance = 0; instance < instances; instance++) {
      for (let delay = skew === 0 ? 0 : random() % skew; delay > 0; delay--) random();
      put(instance * width, run(views[instance]!));
    }
    barrier();
    if (actor !== 0) continue;
    count(tally);
    cells.fill(0);
    if (performance.now() >= endMs) Atomics.store(control, stopped, 1);
  }
  if (actor === 0) parentPort!.postMessage([...tally]);
}

await main();
