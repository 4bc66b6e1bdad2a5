/**
 * Searches for the arrivals on which a policy does worst: a hill climber over sequences of repeated gap patterns.
 *
 * The adversary is oblivious: it knows the policy, but fixes all arrivals before the run. A candidate counts only if
 * its optimum needs 40 flushes or more, so that start-up isn't what it attacks.
 *
 * Deterministic by its seed. Cost: one simulation and one optimum for each step.
 */
import { clairvoyantOptimum } from './optimum.ts';
import type { PolicyFactory } from './policy.ts';
import { type Random, seededRandom } from './random.ts';
import { simulate } from './simulate.ts';
import type { CostConfiguration, Workload } from './workload.ts';

/** Gaps that the adversary may use, in units of tau: a little below and above what policies like to compare with. */
const GAPS = [
  0.002, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99, 1.01, 1.3, 1.7, 2.05, 3, 5, 20,
];
const ARRIVALS_MAX = 3000;
const SEGMENTS = 12;
const SEGMENTS_MAX = 40;
const FLUSHES_MIN = 40;

/** A pattern of gaps, repeated. */
interface Pattern {
  gaps: number[];
  repeats: number;
}

/** What the adversary found. */
export interface AdversaryResult {
  /** Cost over the clairvoyant optimum. */
  readonly ratio: number;
  /** The arrivals. */
  readonly workload: Workload;
  /** The arrivals in words: repeats and gaps in units of tau. */
  readonly pattern: string;
}

/** Options of the search. */
export interface AdversaryOptions {
  /** Sink that the policy is told of. @defaultValue the `ipc` sink without caps or cost per byte */
  readonly cost?: CostConfiguration;
  /** First seed. @defaultValue 1 */
  readonly seed?: number;
  /** Independent climbs. @defaultValue 3 */
  readonly starts?: number;
  /** Steps of each climb. @defaultValue 1500 */
  readonly steps?: number;
}

const uncapped: CostConfiguration = {
  fixed: 50,
  perByte: 0,
  overhead: 0.1,
  delayMax: 5000,
  countMax: 1e9,
  bytesMax: 1e12,
};

const randomPattern = (random: Random): Pattern => ({
  gaps: Array.from({ length: random.integer(1, 5) }, () => random.integer(0, GAPS.length - 1)),
  repeats: 2 ** random.integer(0, 7),
});

function arrivalsOf(patterns: readonly Pattern[], tau: number): Workload {
  const times: number[] = [];
  let now = 1000;
  for (const { gaps, repeats } of patterns) {
    for (let k = 0; k < repeats && times.length < ARRIVALS_MAX; k++) {
      for (const gap of gaps) {
        times.push(now);
        now += GAPS[gap]! * tau;
      }
    }
  }
  return { name: 'adversary', times: Float64Array.from(times), horizon: now };
}

/** Changes one thing about a copy of the patterns. */
function mutate(patterns: readonly Pattern[], random: Random): Pattern[] {
  const copy = patterns.map(({ gaps, repeats }) => ({ gaps: [...gaps], repeats }));
  const i = random.integer(0, copy.length - 1);
  const pattern = copy[i]!;
  const change = random.integer(0, 4);
  if (change === 0) copy[i] = randomPattern(random);
  else if (change === 1) {
    pattern.gaps[random.integer(0, pattern.gaps.length - 1)] = random.integer(0, GAPS.length - 1);
  } else if (change === 2) {
    pattern.repeats = Math.max(
      1,
      random.uniform() < 0.5 ? 2 * pattern.repeats : pattern.repeats >> 1,
    );
  } else if (change === 3 && copy.length < SEGMENTS_MAX) copy.push(randomPattern(random));
  else if (copy.length > 1) copy.splice(i, 1);
  return copy;
}

/** Searches for arrivals that are bad for the policy. */
export function searchAdversary(
  policy: PolicyFactory,
  options: AdversaryOptions = {},
): AdversaryResult {
  const cost = options.cost ?? uncapped;
  const tau = cost.fixed / cost.overhead;
  const rate = (patterns: readonly Pattern[]): number => {
    const workload = arrivalsOf(patterns, tau);
    const optimum = clairvoyantOptimum(workload, cost).cost;
    if (optimum < FLUSHES_MIN * cost.fixed) return 0;
    return simulate(workload, policy, cost, { noise: 0 }).cost / optimum;
  };
  let best: Pattern[] = [];
  let bestRatio = -1;
  for (let start = 0; start < (options.starts ?? 3); start++) {
    const random = seededRandom((options.seed ?? 1) + start);
    let patterns = Array.from({ length: SEGMENTS }, () => randomPattern(random));
    let ratio = rate(patterns);
    for (let step = 0; step < (options.steps ?? 1500); step++) {
      const candidate = mutate(patterns, random);
      const candidateRatio = rate(candidate);
      if (candidateRatio < ratio) continue;
      patterns = candidate;
      ratio = candidateRatio;
    }
    if (ratio > bestRatio) {
      best = patterns;
      bestRatio = ratio;
    }
  }
  const words = best.map(
    ({ gaps, repeats }) => `${repeats} x [${gaps.map((i) => GAPS[i]).join(' ')}]`,
  );
  return { ratio: bestRatio, workload: arrivalsOf(best, tau), pattern: words.join(', ') };
}
