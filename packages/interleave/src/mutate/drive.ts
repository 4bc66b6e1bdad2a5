/**
 * The run of a gate: scenarios on the unchanged program first, then every mutant until a scenario notices.
 *
 * G1: a mutant meets only scenarios that reach its statement, in the order of their time per mutant that they may be
 *     expected to notice: most mutants cost one small scenario.
 * G2: a mutant that makes a scenario far larger is undecided, never killed, unless another scenario notices: a hit
 *     limit is no verdict. The limit is a number of states, so no clock decides.
 * G3: mutants explained as equivalent are taken at their word in a quick run; a deep run tries them too, and
 *     reports those that a scenario finds wrong after all as stale. One that only doesn't end isn't: no clock decides.
 * G4: deep scenarios are for the mutants that are left to them, which no other scenario notices: a deep run costs
 *     little more than a quick one.
 */
import { ScenarioError } from '../errors.ts';
import type { Baseline, GateDescription, Judge, Judgement } from './gate.ts';
import type { PlacedMutant } from './mutants.ts';
import { statementKey } from './project.ts';
import { GateResult, type MutantResult, type MutantStatus } from './report.ts';

/** Options of a run. */
export interface GateOptions {
  /** Whether to run the deep scenarios, and to doubt the comments. @defaultValue false */
  readonly deep?: boolean;
  /** Only mutants of this file, or line (`producer.ts`, `producer.ts:120`), for work on one of them. @defaultValue all */
  readonly only?: string;
  /**
   * Time within which a mutant must be judged (ms), beyond ten times that of the unchanged program: one that
   * takes longer loops without reaching memory. @defaultValue 30_000
   */
  readonly patienceMs?: number;
  /** Told about each result as it comes. */
  onResult?(result: MutantResult): void;
}

/** States that a mutant may have, as a multiple of the unchanged program's (G2). */
const inflation = 10;
const statesLeast = 20_000;

class Run {
  readonly #description: GateDescription;
  readonly #options: GateOptions;
  readonly #chosen: readonly number[];
  readonly #baselines: Baseline[] = [];
  /** Mutants that each scenario met (count), and how many of them it noticed. */
  readonly #met: number[] = [];
  readonly #noticed: number[] = [];
  readonly results: (MutantResult | undefined)[];
  readonly #mutants: readonly number[];

  constructor(description: GateDescription, options: GateOptions) {
    this.#description = description;
    this.#options = options;
    const usesDeep =
      options.deep === true && description.mutants.some(({ mutant }) => mutant.deep !== undefined);
    const indices = description.scenarios.map((_, index) => index);
    this.#chosen = indices.filter((index) => usesDeep || !description.scenarios[index]!.deep); // G4
    this.results = new Array(description.mutants.length).fill(undefined);
    this.#mutants = description.mutants.flatMap(({ file, mutant }, index) => {
      const wanted =
        options.only === undefined || [file, `${file}:${mutant.line}`].includes(options.only);
      return wanted ? [index] : [];
    });
  }

  async baselines(judges: readonly Judge[]): Promise<void> {
    await shareOut(judges, this.#chosen, async (judge, scenario) => {
      const baseline = await judge.baseline(scenario);
      this.#baselines[scenario] = baseline;
      if (baseline.failure !== null) {
        const { name } = this.#description.scenarios[scenario]!;
        throw new ScenarioError(
          `the scenarios fail without a change: ${name}: ${baseline.failure}`,
        );
      }
    });
  }

  async mutants(judges: readonly Judge[]): Promise<void> {
    await shareOut(judges, this.#mutants, async (judge, index) => {
      const { file, mutant } = this.#description.mutants[index]!;
      const [status, reason] = await this.#status(judge, index, file, mutant);
      const { statement: _, ...plain } = mutant;
      const result: MutantResult = { file, mutant: plain, status, reason };
      this.results[index] = result;
      this.#options.onResult?.(result);
    });
  }

  async #status(
    judge: Judge,
    index: number,
    file: string,
    mutant: PlacedMutant,
  ): Promise<[MutantStatus, string]> {
    const isDeep = this.#options.deep === true;
    if (mutant.equivalent !== undefined && !isDeep) return ['equivalent', mutant.equivalent];
    if (mutant.deep !== undefined && !isDeep) return ['deferred', mutant.deep];
    const order = this.#order(file, mutant);
    if (order.length === 0) {
      return mutant.equivalent === undefined
        ? ['unreached', 'no scenario reaches this statement']
        : ['equivalent', mutant.equivalent];
    }
    const limits = order.map((scenario) =>
      Math.max(statesLeast, inflation * this.#baselines[scenario]!.states),
    );
    const spentMs = order.reduce((sum, at) => sum + this.#baselines[at]!.durationMs, 0);
    const patienceMs = (this.#options.patienceMs ?? 30_000) + inflation * spentMs;
    const judgement = await judge.judge(index, order, limits, patienceMs);
    const isNoticed = judgement.by === 'violation' || judgement.by === 'hang';
    const met = isNoticed ? order.slice(0, order.indexOf(judgement.scenario) + 1) : order;
    for (const scenario of met) this.#met[scenario] = (this.#met[scenario] ?? 0) + 1;
    if (isNoticed) {
      this.#noticed[judgement.scenario] = (this.#noticed[judgement.scenario] ?? 0) + 1;
    }
    return this.#judged(mutant, judgement);
  }

  #judged(mutant: PlacedMutant, { scenario, by, reason }: Judgement): [MutantStatus, string] {
    const name = scenario < 0 ? '' : this.#description.scenarios[scenario]!.name;
    const isNoticed = by === 'violation' || by === 'hang';
    if (mutant.equivalent !== undefined) {
      return by === 'violation'
        ? ['stale', `explained as "${mutant.equivalent}", but noticed by ${name}: ${reason}`]
        : ['equivalent', mutant.equivalent];
    }
    if (isNoticed) return ['killed', `${name}: ${reason}`];
    return by === 'limit' ? ['undecided', `${name}: ${reason}`] : ['survived', ''];
  }

  /** Scenarios that reach a statement, those first that cost the least per notice (G1). */
  #order(file: string, mutant: PlacedMutant): number[] {
    const key = statementKey(file, mutant.statement);
    const always = mutant.statement < 0;
    const cost = (scenario: number): number =>
      (this.#baselines[scenario]!.durationMs * ((this.#met[scenario] ?? 0) + 2)) /
      ((this.#noticed[scenario] ?? 0) + 1);
    return this.#chosen
      .filter((scenario) => always || this.#baselines[scenario]!.reached.has(key))
      .filter((at) => mutant.deep !== undefined || !this.#description.scenarios[at]!.deep) // G4
      .sort((x, y) => cost(x) - cost(y));
  }
}

/** Gives items to judges as they become free; the first failure ends it. */
async function shareOut<Item>(
  judges: readonly Judge[],
  items: readonly Item[],
  work: (judge: Judge, item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    judges.map(async (judge) => {
      while (next < items.length) await work(judge, items[next++]!);
    }),
  );
}

/** Runs a gate with some judges. */
export async function drive(judges: readonly Judge[], options: GateOptions): Promise<GateResult> {
  const startedMs = performance.now();
  const [{ description }] = judges as [Judge];
  const run = new Run(description, options);
  await run.baselines(judges);
  await run.mutants(judges);
  const unused = description.annotations.filter(
    ({ file, line, operator }) =>
      !description.mutants.some(
        (entry) =>
          entry.file === file && entry.mutant.line === line && entry.mutant.operator === operator,
      ),
  );
  return new GateResult(
    description.name,
    run.results.filter((result) => result !== undefined),
    unused,
    description.unreached,
    performance.now() - startedMs,
  );
}
