/** What a mutation gate is, and how one thread judges its mutants. */

import { ScenarioError } from '../errors.ts';
import { outerLimits } from '../limits.ts';
import type { CheckResult } from '../scenario.ts';
import type { Annotation, PlacedMutant } from './mutants.ts';
import type { MutationOperator } from './operator-names.ts';
import { Project, reachedKey } from './project.ts';

/** A scenario that is to notice mutants. */
export interface GateScenario {
  /** Shown in reports. */
  readonly name: string;
  /** Whether it only runs in deep runs, and for mutants that a `mutant-deep` comment leaves to it. @defaultValue false */
  readonly deep?: boolean;
  /** Checks the module's code; noticing is any verdict but `verified`, or an exception. */
  run(): CheckResult | Promise<CheckResult>;
}

/** Sources, and the scenarios that must notice every change that matters. */
export interface MutationGate<Module> {
  /** Shown in reports. */
  readonly name: string;
  /** Folder of the sources (path or file URL); all its `.ts` files are compiled together. */
  readonly directory: string | URL;
  /** Files to mutate, relative to the folder. */
  readonly files: readonly string[];
  /** Module that the scenarios use, relative to the folder. */
  readonly entry: string;
  /** Makes the scenarios from the loaded module. */
  scenarios(module: Module): readonly GateScenario[];
  /** Which kinds of change. @defaultValue all */
  readonly operators?: readonly MutationOperator[];
  /** Mutants that no scenario may reach (count): code that is tested elsewhere. @defaultValue 0 */
  readonly unreached?: number;
  /**
   * Folder for the changed programs; must be inside of the package if the sources import other packages.
   * @defaultValue the system's temporary folder
   */
  readonly workFolder?: string;
}

/** What a thread tells of its gate. */
export interface GateDescription {
  readonly name: string;
  readonly unreached: number;
  readonly scenarios: readonly { readonly name: string; readonly deep: boolean }[];
  readonly mutants: readonly { readonly file: string; readonly mutant: PlacedMutant }[];
  readonly annotations: readonly (Annotation & { readonly file: string })[];
}

/** A scenario's run on the unchanged program. */
export interface Baseline {
  readonly states: number;
  readonly durationMs: number;
  /** Statements that it reached. */
  readonly reached: ReadonlySet<string>;
  /** Why it failed; null if it is verified. */
  readonly failure: string | null;
}

/** How a mutant fared with some scenarios. */
export interface Judgement {
  /** Scenario that noticed, or gave up; -1 for none. */
  readonly scenario: number;
  readonly by: 'nobody' | 'violation' | 'limit' | 'hang';
  readonly reason: string;
}

/** One thread that runs scenarios: this one, or a worker. */
export interface Judge {
  readonly description: GateDescription;
  baseline(scenario: number): Promise<Baseline>;
  judge(
    mutant: number,
    order: readonly number[],
    limits: readonly number[],
    patienceMs: number,
  ): Promise<Judgement>;
  close(): Promise<void>;
}

const nobody: Judgement = { scenario: -1, by: 'nobody', reason: '' };

/** Judges in this thread. */
export class LocalJudge implements Judge {
  readonly description: GateDescription;
  readonly #gate: MutationGate<unknown>;
  readonly #project: Project;
  readonly #counted: readonly GateScenario[];

  private constructor(
    gate: MutationGate<unknown>,
    project: Project,
    counted: readonly GateScenario[],
  ) {
    this.#gate = gate;
    this.#project = project;
    this.#counted = counted;
    this.description = {
      name: gate.name,
      unreached: gate.unreached ?? 0,
      scenarios: counted.map(({ name, deep = false }) => ({ name, deep })),
      mutants: project.mutants,
      annotations: project.annotations,
    };
  }

  static async open(gate: MutationGate<unknown>): Promise<LocalJudge> {
    if (typeof gate?.scenarios !== 'function') {
      throw new ScenarioError('a gate needs directory, files, entry and scenarios');
    }
    const project = new Project(gate);
    try {
      const counted = gate.scenarios(await project.loadCounted());
      return new LocalJudge(gate, project, counted);
    } catch (error) {
      project.clear();
      throw error;
    }
  }

  async baseline(scenario: number): Promise<Baseline> {
    const reached = new Set<string>();
    const globals = globalThis as Record<string, unknown>;
    globals[reachedKey] = reached;
    try {
      const result = await this.#counted[scenario]!.run();
      const { states, durationMs, verdict, message } = result;
      const failure = verdict === 'verified' ? null : message;
      return { states, durationMs, reached, failure };
    } catch (error) {
      return { states: 0, durationMs: 0, reached, failure: String(error) };
    } finally {
      delete globals[reachedKey];
    }
  }

  async judge(
    mutant: number,
    order: readonly number[],
    limits: readonly number[],
  ): Promise<Judgement> {
    let current = order[0]!;
    let undecided = nobody;
    try {
      const scenarios = this.#gate.scenarios(await this.#project.load(mutant));
      for (const [at, scenario] of order.entries()) {
        current = scenario;
        outerLimits.states = limits[at]!;
        const { verdict, kind, message } = await scenarios[scenario]!.run();
        if (verdict === 'verified') continue;
        if (kind !== 'bound') return { scenario, by: 'violation', reason: message };
        // A smaller scenario may still notice.
        if (undecided === nobody) undecided = { scenario, by: 'limit', reason: message };
      }
      return undecided;
    } catch (error) {
      return { scenario: current, by: 'violation', reason: String(error) };
    } finally {
      outerLimits.states = Number.POSITIVE_INFINITY;
    }
  }

  async close(): Promise<void> {
    this.#project.clear();
  }
}
