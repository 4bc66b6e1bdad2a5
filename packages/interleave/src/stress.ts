/**
 * Stress on real workers: tries the engine and the CPU, which the model assumes to be right, and compares what was
 * seen with the outcomes that the search computes. Node only.
 *
 * After OpenJDK's jcstress: many independent instances per round, a spinning barrier between rounds, random
 * delays. The table of allowed outcomes isn't written by hand: pass `outcomes(...).outcomes`.
 *
 * Run `sensitivity` first: a machine and a load on which plain store buffering isn't seen can't show anything.
 * `stressMatrix` does, for each way in which V8 may run the code. What fails goes to `explain`: the search finds the
 * bug and makes the script small.
 *
 * @packageDocumentation
 */
import { Worker } from 'node:worker_threads';
import { ScenarioError } from './errors.ts';
import { programOf, type StressScript } from './stress/script.ts';

export {
  type EngineRun,
  engineFlags,
  type MatrixOptions,
  stressMatrix,
} from './stress/matrix.ts';
export {
  type Explanation,
  explain,
  programOf,
  type StressScript,
  stressScenario,
} from './stress/script.ts';

/** What a stress module exports under the name `program`. */
export interface StressProgram {
  /** Words of shared memory of one instance, all 0 at the start (count). */
  readonly words: number;
  /**
   * One function per worker; each is called once per instance with that instance's memory, and returns nothing,
   * an integer, or up to four.
   */
  readonly threads: readonly ((memory: Int32Array) => number | readonly number[] | undefined)[];
}

/** Options of a stress run. */
export interface StressOptions {
  /** Outcomes that may be seen, as `outcomes` writes them. @defaultValue everything may */
  readonly allowed?: ReadonlySet<string>;
  /** How long to run (ms). @defaultValue 1000 */
  readonly durationMs?: number;
  /** Seed of the delays; a run with the same seed delays alike. @defaultValue random */
  readonly seed?: number;
  /** Instances per round (count, 1 to 65536). @defaultValue 512 */
  readonly instances?: number;
  /** Longest delay before a call (turns of a short loop, 0 for none). @defaultValue 8 */
  readonly skew?: number;
}

/** What was seen. */
export interface StressResult {
  /** Instances run (count). */
  readonly samples: number;
  /** How often each outcome was seen: results of threads separated by ` | `. */
  readonly seen: ReadonlyMap<string, number>;
  /** Outcomes seen that aren't allowed. */
  readonly forbidden: readonly string[];
  /** Allowed outcomes that weren't seen: how sensitive the run was. */
  readonly unseen: readonly string[];
  /** Seed of the run. */
  readonly seed: number;
}

/** @internal What a worker is told. */
export interface StressTask {
  readonly program: string;
  readonly actor: number;
  readonly actors: number;
  readonly instances: number;
  readonly milliseconds: number;
  readonly seed: number;
  readonly skew: number;
  readonly control: Int32Array;
  readonly cells: Int32Array;
  readonly results: Int32Array;
}

const resultsWidth = 4;

/** @internal The program that a module exports, as itself or as a script. */
export async function loadProgram(url: string): Promise<StressProgram> {
  const { program, script } = (await import(url)) as {
    program?: StressProgram;
    script?: StressScript;
  };
  if (program !== undefined && Array.isArray(program.threads)) return program;
  if (script !== undefined && Array.isArray(script.threads)) return programOf(script);
  throw new ScenarioError(`the module exports no program: module=${url}`);
}
const workerUrl = new URL(
  import.meta.url.endsWith('.ts') ? './stress-worker.ts' : './stress-worker.js',
  import.meta.url,
);

const whole = (name: string, value: number, least: number, most: number): number => {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ScenarioError(`${name} must be an integer from ${least} to ${most}: ${name}=${value}`);
};

async function run(
  url: string,
  words: number,
  actors: number,
  options: StressOptions,
): Promise<StressResult> {
  const { allowed, durationMs = 1000, skew = 8 } = options;
  const instances = whole('instances', options.instances ?? 512, 1, 65_536);
  const seed = options.seed ?? Math.trunc(Math.random() * 0x7fffffff);
  const shared = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * length));
  const base = {
    program: url,
    actors: whole('threads', actors, 1, 16),
    instances,
    milliseconds: whole('durationMs', durationMs, 1, 86_400_000),
    seed,
    skew: whole('skew', skew, 0, 1_000_000),
    control: shared(3),
    cells: shared(instances * whole('words', words, 1, 4096)),
    results: shared(instances * actors * resultsWidth),
  };
  const workers = Array.from(
    { length: actors },
    (_, actor) => new Worker(workerUrl, { workerData: { ...base, actor } satisfies StressTask }),
  );
  try {
    const failed = Promise.race(
      workers.map((worker) => new Promise<never>((_, reject) => void worker.once('error', reject))),
    );
    const tally = new Promise<[string, number][]>(
      (resolve) => void workers[0]!.once('message', resolve),
    );
    const seen = new Map((await Promise.race([tally, failed])).sort((x, y) => y[1] - x[1]));
    const samples = [...seen.values()].reduce((sum, count) => sum + count, 0);
    return {
      samples,
      seen,
      forbidden:
        allowed === undefined ? [] : [...seen.keys()].filter((outcome) => !allowed.has(outcome)),
      unseen: [...(allowed ?? [])].filter((outcome) => !seen.has(outcome)),
      seed,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/**
 * Runs a program on real workers.
 *
 * @param module - URL of a module that exports `program`, or `script`; workers and this thread import it
 * @returns what was seen, and what of it is forbidden
 * @throws {ScenarioError} If an option is out of its range, or the module exports no program.
 *
 * Concurrency: one worker per thread of the program, spinning; needs a core for each to show anything.
 *
 * @example
 * ```ts no-run
 * import { outcomes } from '@millrace/interleave';
 * import { stress, stressScenario } from '@millrace/interleave/stress';
 * import { program } from './store-buffering.mjs';
 *
 * const { outcomes: allowed } = outcomes(stressScenario(program));
 * const result = await stress(new URL('./store-buffering.mjs', import.meta.url), { allowed });
 * console.log(result.forbidden, result.samples);
 * ```
 */
export async function stress(
  module: URL | string,
  options: StressOptions = {},
): Promise<StressResult> {
  const url = String(module);
  const program = await loadProgram(url);
  return run(url, program.words, program.threads.length, options);
}

/**
 * Measures how well this machine, under this load, shows reordering: the share of runs of plain store buffering
 * that end as no interleaving can.
 *
 * @param options - duration, seed
 * @returns share of the samples (0 to 1); 0 means that a stress run here says nothing
 */
export async function sensitivity(options: Omit<StressOptions, 'allowed'> = {}): Promise<number> {
  const { seen, samples } = await run('', 32, 2, options);
  return (seen.get('0 | 0') ?? 0) / samples;
}
