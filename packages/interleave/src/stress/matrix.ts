/**
 * One stress run per way in which V8 may run the code: interpreted, baseline, optimised. Flags are a matter of a
 * whole process, so each run has one of its own (child.ts); before each, store buffering shows how sensitive that
 * process is.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ScenarioError } from '../errors.ts';
import type { StressOptions, StressResult } from '../stress.ts';

/**
 * V8 flags by the name of what they try. A set whose flags this Node doesn't have is left out, and `jitless` where
 * a module is TypeScript.
 */
export const engineFlags: Readonly<Record<string, readonly string[]>> = {
  default: [],
  interpreted: ['--no-turbofan', '--no-maglev', '--no-sparkplug'],
  jitless: ['--jitless'],
  baseline: ['--no-turbofan', '--no-maglev', '--always-sparkplug'],
  'without the middle tier': ['--no-maglev'],
  'middle tier only': ['--maglev', '--no-turbofan'],
  'optimised at once': ['--always-turbofan'],
  'optimised in loops': ['--always-osr'],
  'optimised on this thread': ['--no-concurrent-recompilation'],
};

/** A stress run under some flags. */
export interface EngineRun extends StressResult {
  /** Name of the set of flags. */
  readonly engine: string;
  /** The flags. */
  readonly flags: readonly string[];
  /** Share of plain store buffering that no interleaving explains, in the same process just before; 0 says nothing. */
  readonly sensitivity: number;
}

/** @internal What a child is told, as JSON. */
export interface ChildTask {
  readonly module: string;
  readonly allowed: readonly string[] | null;
  readonly options: Omit<StressOptions, 'allowed'>;
}

/** @internal What it answers, as JSON. */
export interface ChildAnswer {
  readonly sensitivity: number;
  readonly result: Omit<StressResult, 'seen'> & { readonly seen: readonly [string, number][] };
}

/** @internal Stands before the answer: flags make Node print warnings. */
export const answerMark = 'interleave-stress:';

const isSource: boolean = import.meta.url.endsWith('.ts');
const childPath: string = fileURLToPath(
  new URL(isSource ? './child.ts' : './stress-child.js', import.meta.url),
);

const run = (args: readonly string[], timeoutMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: 1 << 26 };
    execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new ScenarioError(`a stress process failed: ${error.message} ${stderr}`));
    });
  });

/** Conditions by which this process resolves packages; a child must resolve them alike. */
const conditions = (): string[] =>
  process.execArgv.flatMap((argument, index, all) => {
    if (/^(--conditions=|-C=)/.test(argument)) return [argument];
    const isSplit = argument === '--conditions' || argument === '-C';
    return isSplit ? [`--conditions=${all[index + 1]}`] : [];
  });

const supported = async (): Promise<(flag: string) => boolean> => {
  const listing = await run(['--v8-options'], 60_000);
  return (flag) => {
    const name = flag.replace(/^--(no-)?/, '').replace(/=.*/, '');
    return new RegExp(`(^|\\s)--${name}\\s`, 'm').test(listing);
  };
};

/** Options of {@link stressMatrix}. */
export interface MatrixOptions extends StressOptions {
  /** Sets of flags by name. @defaultValue `engineFlags` */
  readonly engines?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Runs a stress module once per set of V8 flags, each in a process of its own.
 *
 * @param module - URL of a module that exports `program` or `script`
 * @returns one run per set of flags that this Node has, in their order
 * @throws {ScenarioError} If a process fails, an option is out of its range, or the module exports no program.
 *
 * Concurrency: one process after another, each with a worker per thread. All have the same seed; give the seed of
 * a result again to delay alike.
 *
 * @example
 * ```ts no-run
 * import { outcomes } from '@millrace/interleave';
 * import { stressMatrix, stressScenario } from '@millrace/interleave/stress';
 * import { program } from './store-buffering.mjs';
 *
 * const { outcomes: allowed } = outcomes(stressScenario(program));
 * const runs = await stressMatrix(new URL('./store-buffering.mjs', import.meta.url), { allowed, durationMs: 5000 });
 * for (const { engine, sensitivity, forbidden, seed } of runs) console.log(engine, sensitivity, forbidden, seed);
 * ```
 */
export async function stressMatrix(
  module: URL | string,
  { engines = engineFlags, allowed, ...rest }: MatrixOptions = {},
): Promise<EngineRun[]> {
  const seed = rest.seed ?? Math.trunc(Math.random() * 0x7fffffff);
  const isSupported = await supported();
  // Node strips types by WebAssembly, which jitless V8 doesn't have.
  const isTypeScript = isSource || /\.m?ts$/.test(new URL(module).pathname);
  const task: ChildTask = {
    module: String(module),
    allowed: allowed === undefined ? null : [...allowed],
    options: { ...rest, seed },
  };
  const runs: EngineRun[] = [];
  for (const [engine, flags] of Object.entries(engines)) {
    if (!flags.every(isSupported)) continue;
    if (isTypeScript && flags.includes('--jitless')) continue;
    const args = [...flags, ...conditions(), childPath, JSON.stringify(task)];
    const stdout = await run(args, 10 * (rest.durationMs ?? 1000) + 300_000);
    const answer = JSON.parse(stdout.slice(stdout.indexOf(answerMark) + answerMark.length));
    const { sensitivity, result } = answer as ChildAnswer;
    runs.push({ ...result, seen: new Map(result.seen), engine, flags, sensitivity });
  }
  return runs;
}
