/** Runs many policies on many workloads, and forms the ratios to the clairvoyant optimum. */
import { clairvoyantOptimum } from './optimum.ts';
import { type NamedPolicy, peerPolicies } from './policies.ts';
import { lawPolicyWith } from './policy.ts';
import { type SimulationOptions, simulate, timerResolution } from './simulate.ts';
import type { CostConfiguration, Workload } from './workload.ts';

/** Added delays of a run (ms). */
export interface DelaySummary {
  /** Median. */
  readonly p50: number;
  /** 99th percentile. */
  readonly p99: number;
  /** Maximum. */
  readonly max: number;
}

/** One policy on one workload. */
export interface Outcome {
  /** Name of the workload. */
  readonly workload: string;
  /** Cost over that of the clairvoyant optimum. */
  readonly ratio: number;
  /** Flushes. */
  readonly flushes: number;
  /** Items in a batch, on average. */
  readonly itemsPerFlush: number;
  /** Added delay (ms). */
  readonly delayMs: DelaySummary;
  /** Share of the time that fixed flush cost took. */
  readonly overhead: number;
}

/** One policy on all workloads. */
export interface ComparisonRow {
  /** Name of the policy. */
  readonly policy: string;
  /** What the policy models. */
  readonly description: string;
  /** Whether it may hold longer than the budget, so that its ratio says less. */
  readonly ignoresBudget: boolean;
  /** Outcomes in the order of the workloads. */
  readonly outcomes: readonly Outcome[];
  /** Geometric mean of the ratios. */
  readonly geomean: number;
  /** Largest ratio. */
  readonly worst: number;
}

/** What to compare. */
export interface ComparisonOptions extends SimulationOptions {
  /** Policies beside the law. @defaultValue `peerPolicies()` */
  readonly policies?: readonly NamedPolicy[];
}

/** Returns the value below which `share` of the sorted values lie; 0 if there are none. */
export function percentile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Returns the geometric mean. */
export function geometricMean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += Math.log(value);
  return Math.exp(sum / values.length);
}

const lawRow = (options: SimulationOptions): NamedPolicy => ({
  name: 'millrace',
  description: 'the law of this package',
  ignoresBudget: false,
  make: lawPolicyWith({}, 'oldest', timerResolution[options.timer ?? 'ideal']),
});

/**
 * Compares the law with other policies on workloads, one row a policy, the law last.
 *
 * Cost: one simulation for each pair, and one optimum for each workload.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { compare, comparisonTable, configurations, parseTrace } from '@millrace/batcher/sim';
 *
 * const trace = parseTrace('mine', '0 12\n0.3 40\n20 12\n20.2 40\n40 12\n40.4 40\n');
 * const rows = compare([trace], configurations.ipc);
 * const law = rows.at(-1);
 * assert.equal(law?.policy, 'millrace');
 * assert.ok(law.worst < 2);
 * assert.match(comparisonTable(rows), /\| millrace \|/);
 * ```
 */
export function compare(
  workloads: readonly Workload[],
  cost: CostConfiguration,
  options: ComparisonOptions = {},
): ComparisonRow[] {
  const optima = workloads.map((workload) => clairvoyantOptimum(workload, cost).cost);
  const policies = [...(options.policies ?? peerPolicies()), lawRow(options)];
  return policies.map(({ name, description, ignoresBudget, make }) => {
    const outcomes = workloads.map((workload, i): Outcome => {
      const result = simulate(workload, make, cost, options);
      const sorted = result.delays.sort();
      return {
        workload: workload.name,
        ratio: optima[i]! > 0 ? result.cost / optima[i]! : 1,
        flushes: result.flushes,
        itemsPerFlush: result.items / Math.max(1, result.flushes),
        delayMs: {
          p50: percentile(sorted, 0.5) / 1000,
          p99: percentile(sorted, 0.99) / 1000,
          max: (sorted[sorted.length - 1] ?? 0) / 1000,
        },
        overhead: result.overhead,
      };
    });
    const ratios = outcomes.map((outcome) => outcome.ratio);
    return {
      policy: name,
      description,
      ignoresBudget,
      outcomes,
      geomean: geometricMean(ratios),
      worst: Math.max(...ratios),
    };
  });
}
