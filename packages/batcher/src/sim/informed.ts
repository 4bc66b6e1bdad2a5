/**
 * What a policy would cost that knows the generator of a workload, though not the future: the mark for every policy
 * that must learn.
 *
 * Source: optimal stopping, and value iteration over the age of the batch. Given the generator's state at an arrival
 * (`Workload.states`), the next gap has a known distribution: the best hold for it is the best that can be done.
 * The distributions are taken from the run itself, so chance works for the informed policy.
 *
 * With an ideal clock each state is solved alone. With a timer that never fires before `resolution`, a hold may end
 * at an arrival, or at any moment once the batch is `resolution` old: more freedom than one real timer gives.
 *
 *     value[state][age] = min( flush: 1 + next[after] , over holds x: E[ gap <= x: gap + next[age + gap] ; else x + 1 + ... ] )
 *
 * Invariants
 * - N1: caps and the budget are left out, and the result is at least the clairvoyant optimum, which keeps them.
 *
 * Cost: O(states * ages * bins * sweeps).
 */
import { clairvoyantOptimum } from './optimum.ts';
import type { CostConfiguration, Workload } from './workload.ts';

/** Gaps are sorted into this many bins up to GAP_MAX tau; longer ones never pay. */
const BINS = 200;
const GAP_MAX = 6;
const AGES = 36;
const SWEEPS = 120;
/** Weight of the future in a sweep: long enough for a batch, and it converges for every chain of states. */
const DISCOUNT = 0.98;

/** The gaps that followed the arrivals of one state; gaps in units of tau. */
interface GapLaw {
  readonly count: Float64Array;
  readonly sum: Float64Array;
  /** Arrivals of each following state, by bin. */
  readonly next: Float64Array[];
  total: number;
}

/** The ticks of a workload: times in units of tau, and the state of the last arrival of each. */
function ticksOf(workload: Workload, tau: number): { times: number[]; states: number[] } {
  const times: number[] = [];
  const states: number[] = [];
  const indices = new Map<number, number>();
  workload.times.forEach((time, i) => {
    const state = workload.states![i]!;
    if (!indices.has(state)) indices.set(state, indices.size);
    if (time / tau === times[times.length - 1]) states[states.length - 1] = indices.get(state)!;
    else {
      times.push(time / tau);
      states.push(indices.get(state)!);
    }
  });
  return { times, states };
}

function gapLaws(times: readonly number[], states: readonly number[]): GapLaw[] {
  const laws: GapLaw[] = Array.from(
    { length: states.reduce((a, b) => Math.max(a, b + 1), 1) },
    () => ({
      count: new Float64Array(BINS + 1),
      sum: new Float64Array(BINS + 1),
      next: [],
      total: 0,
    }),
  );
  for (const law of laws) {
    for (let k = 0; k <= BINS; k++) law.next.push(new Float64Array(laws.length));
  }
  for (let i = 0; i + 1 < times.length; i++) {
    const law = laws[states[i]!]!;
    const gap = times[i + 1]! - times[i]!;
    const bin = Math.min(BINS, Math.floor((gap / GAP_MAX) * BINS));
    law.count[bin]!++;
    law.sum[bin]! += gap;
    law.next[bin]![states[i + 1]!]!++;
    law.total++;
  }
  return laws;
}

/** Best hold by state and age of the batch (units of tau; 0 flushes at once). */
function solve(laws: readonly GapLaw[], earliest: number): Float64Array[] {
  const ages = earliest > 0 ? AGES : 1;
  const step = earliest > 0 ? earliest / (AGES - 1) : 1;
  let value = laws.map(() => new Float64Array(ages));
  const holds = laws.map(() => new Float64Array(ages));
  const expected = (law: GapLaw, bin: number, age: number): number => {
    let sum = 0;
    law.next[bin]!.forEach((count, state) => {
      if (count > 0) sum += count * value[state]![age]!;
    });
    return DISCOUNT * sum;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    value = laws.map((law, state) => {
      const result = new Float64Array(ages);
      const after = new Float64Array(BINS + 2);
      for (let k = BINS; k >= 0; k--) after[k] = after[k + 1]! + expected(law, k, 0);
      for (let age = 0; age < ages; age++) {
        const first = Math.max(0, earliest - age * step);
        let best = 1 + (law.total > 0 ? after[0]! / law.total : 0);
        let hold = 0;
        let merged = 0;
        let sum = 0;
        for (let k = 0; k < BINS; k++) {
          const x = ((k + 1) * GAP_MAX) / BINS;
          if (law.count[k]! > 0) {
            const older = Math.min(ages - 1, Math.floor(age + (x - 0.5 * (GAP_MAX / BINS)) / step));
            merged += law.count[k]!;
            sum += law.sum[k]! + expected(law, k, older);
          }
          if (x < first) continue;
          const cost = (sum + (law.total - merged) * (x + 1) + after[k + 1]!) / law.total;
          if (cost < best) {
            best = cost;
            hold = x;
          }
        }
        result[age] = best;
        holds[state]![age] = hold;
      }
      return result;
    });
    if (earliest === 0) break; // gaps are independent given the state: the future is the same for every hold
  }
  return holds;
}

/**
 * Returns the cost of the best policy that knows the generator's state at each arrival, but not what comes: at least
 * the clairvoyant optimum, and the optimum itself for workloads without `states`, with stalls or a closed loop.
 *
 * @param resolution - time before which no timer fires (us); 0 is an ideal clock
 */
export function informedCost(workload: Workload, cost: CostConfiguration, resolution = 0): number {
  const optimum = clairvoyantOptimum(workload, cost).cost;
  if (workload.states === undefined || workload.stalls !== undefined) return optimum;
  const tau = cost.fixed / cost.overhead;
  const { times, states } = ticksOf(workload, tau);
  const earliest = (1.09 * resolution) / tau;
  const holds = solve(gapLaws(times, states), earliest);
  let total = 1;
  let age = 0;
  for (let i = 0; i + 1 < times.length; i++) {
    const row = holds[states[i]!]!;
    const index = earliest > 0 ? Math.min(AGES - 1, Math.floor((age / earliest) * (AGES - 1))) : 0;
    const hold = row[index]!;
    const gap = times[i + 1]! - times[i]!;
    if (gap <= hold) {
      total += gap;
      age += gap;
    } else {
      total += hold + 1;
      age = 0;
    }
  }
  return Math.max(optimum, total * cost.fixed); // N1
}
