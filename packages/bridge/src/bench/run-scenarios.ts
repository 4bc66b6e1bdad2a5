/** Runs scenarios: contenders in turn, round by round, and judges the figures. */
import { BridgeError } from '../errors.ts';
import type { BenchContext, Figure, Measurement, Scenario } from './scenario.ts';

/** What a contender's rounds gave. */
export interface ContenderResult {
  readonly name: string;
  readonly measurements: readonly Measurement[];
  /** Why it wasn't run. */
  readonly reason?: string;
}

/** A figure with its verdict. */
export interface FigureResult {
  readonly figure: Figure;
  readonly ours?: number;
  /** Median of each peer. */
  readonly peers: Readonly<Record<string, number>>;
  /** Ours to the best peer, so that more is better; absent without peers. */
  readonly ratio?: number;
  readonly verdict: 'holds' | 'falls short' | 'not run';
}

/** A scenario that has been run. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly contenders: readonly ContenderResult[];
  readonly figures: readonly FigureResult[];
  /** Why it wasn't run. */
  readonly reason?: string;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Median of a value over a contender's rounds; undefined if none has it. */
export function medianOf(result: ContenderResult, value: Figure['value']): number | undefined {
  const all = result.measurements.flatMap(({ values }) => values[value] ?? []);
  return all.length === 0 ? undefined : median(all);
}

function judge(figure: Figure, ours: string, results: readonly ContenderResult[]): FigureResult {
  const of = (name: string): number | undefined => {
    const result = results.find((contender) => contender.name === name);
    return result && medianOf(result, figure.value);
  };
  const own = of(ours);
  const peers: Record<string, number> = {};
  for (const name of figure.peers ?? []) {
    const value = of(name);
    if (value !== undefined) peers[name] = value;
  }
  const lower = figure.better === 'lower';
  const others = Object.values(peers);
  if (own === undefined || (figure.peers !== undefined && others.length === 0)) {
    return { figure, peers, verdict: 'not run', ...(own === undefined ? {} : { ours: own }) };
  }
  if (figure.peers === undefined) {
    const holds = lower ? own <= figure.bar : own >= figure.bar;
    return { figure, ours: own, peers, verdict: holds ? 'holds' : 'falls short' };
  }
  const ratio = lower ? Math.min(...others) / own : own / Math.max(...others);
  const verdict = ratio >= figure.bar ? 'holds' : 'falls short';
  return { figure, ours: own, peers, ratio, verdict };
}

/** Told before each measurement. */
export type Announce = (scenario: Scenario, contender: string, round: number) => void;

/** Runs one scenario. */
export async function runScenario(
  scenario: Scenario,
  rounds: number,
  context: BenchContext,
  announce: Announce,
): Promise<ScenarioResult> {
  const reason = scenario.unavailable?.();
  if (reason !== undefined) {
    return { scenario, contenders: [], figures: judgeAll(scenario, []), reason };
  }
  const names = Object.keys(scenario.contenders);
  const measured = new Map(names.map((name) => [name, [] as Measurement[]]));
  const reasons = new Map<string, string>();
  for (const name of names) {
    const missing = scenario.unavailable?.(name);
    if (missing !== undefined) reasons.set(name, missing);
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      if (reasons.has(name)) continue;
      announce(scenario, name, round);
      try {
        measured.get(name)!.push(await scenario.contenders[name]!(context));
      } catch (error) {
        if (context.signal.aborted || name === scenario.ours || !(error instanceof BridgeError)) {
          throw error;
        }
        // A peer that can't be run here is no reason to lose the rest.
        reasons.set(name, error.message);
      }
    }
  }
  const contenders = names.map((name): ContenderResult => {
    const missing = reasons.get(name);
    return {
      name,
      measurements: measured.get(name)!,
      ...(missing === undefined ? {} : { reason: missing }),
    };
  });
  return { scenario, contenders, figures: judgeAll(scenario, contenders) };
}

const judgeAll = (scenario: Scenario, results: readonly ContenderResult[]): FigureResult[] =>
  scenario.figures.map((figure) => judge(figure, scenario.ours, results));
