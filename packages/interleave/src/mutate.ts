/**
 * Mutation testing for concurrency: breaks shared-memory code in the ways in which people break it, one change at a time,
 * and asks whether the scenarios notice. A gate declares sources and scenarios; `runGate` runs it on all cores.
 *
 * The sources are parsed with the TypeScript compiler (a peer); each mutant is loaded from a copy of the source
 * folder, nothing of the original is touched. Node only.
 *
 * @packageDocumentation
 */
import { availableParallelism } from 'node:os';
import { drive, type GateOptions } from './mutate/drive.ts';
import { LocalJudge, type MutationGate } from './mutate/gate.ts';
import { WorkerJudge } from './mutate/judge-pool.ts';
import type { GateResult } from './mutate/report.ts';

export type { GateOptions } from './mutate/drive.ts';
export type { GateScenario, MutationGate } from './mutate/gate.ts';
export { type Annotation, type Mutant, mutantsOf } from './mutate/mutants.ts';
export type { MutationOperator } from './mutate/operator-names.ts';
export {
  GateResult,
  type MutantResult,
  type MutantStatus,
  type UnusedAnnotation,
} from './mutate/report.ts';

/**
 * Declares a gate; gives its parts their types and returns it as it is.
 *
 * @param gate - sources, scenarios
 */
export function defineGate<Module>(gate: MutationGate<Module>): MutationGate<Module> {
  return gate;
}

/**
 * Runs a gate in this thread.
 *
 * @param gate - sources, scenarios
 * @returns a result per mutant; `passed` says whether all are killed or explained
 * @throws {ScenarioError} If the scenarios don't hold for the sources as they are, or a file doesn't exist.
 *
 * Concurrency: one gate at a time in a thread. A mutant that loops for ever without reaching memory is never
 * left; `runGate` ends it. Cost: the scenarios once, then per mutant those that reach it until one notices.
 */
export async function mutationTest<Module>(
  gate: MutationGate<Module>,
  options: GateOptions = {},
): Promise<GateResult> {
  const judge = await LocalJudge.open(gate as MutationGate<unknown>);
  try {
    return await drive([judge], options);
  } finally {
    await judge.close();
  }
}

/** Options of {@link runGate}. */
export interface GateRunOptions extends GateOptions {
  /** Workers (count). @defaultValue the number of cores, at most 8 */
  readonly jobs?: number;
}

/**
 * Runs a gate on workers.
 *
 * @param module - URL of a module that exports the gate under the name `gate`; Node loads it by itself, so a
 *   TypeScript module needs a Node that strips types (22.18 and later)
 * @returns a result per mutant; `passed` says whether all are killed or explained
 * @throws {ScenarioError} If the module can't be loaded, or the scenarios don't hold for the sources as they are.
 *
 * Concurrency: any number of gates at once, each with its own workers.
 */
export async function runGate(
  module: string | URL,
  { jobs = Math.min(8, availableParallelism()), ...options }: GateRunOptions = {},
): Promise<GateResult> {
  const judges: WorkerJudge[] = [];
  try {
    await Promise.all(
      Array.from({ length: Math.max(1, jobs) }, async () => {
        judges.push(await WorkerJudge.open(String(module)));
      }),
    );
    return await drive(judges, options);
  } finally {
    await Promise.all(judges.map((judge) => judge.close()));
  }
}
