/**
 * The clairvoyant optimum: the least cost that any policy could have had, knowing all arrivals in advance.
 *
 * Source: dynamic programming over contiguous batches; a monotone queue makes it linear, since the cost of a batch
 * that starts at arrival j and ends at i is `fixed + rho * (free(i) - times[j])`, a sum of one term of i and one of j.
 *
 *     best[i] = fixed + rho * free(i-1) + min over allowed j of (best[j] - rho * times[j])
 *
 * where free(i) is the first moment at or after arrival i at which the sink isn't stalled.
 *
 * Invariants
 * - O1: a batch is allowed if it keeps countMax and bytesMax and its oldest item's age stays within delayMax
 *   (or within what the stall makes of it).
 * - O2: the time that the sink itself needs for a flush is left out: the result is a lower bound of the true
 *   optimum, so ratios to it are upper bounds.
 *
 * Cost: O(arrivals) time and memory.
 */
import type { CostConfiguration, Workload } from './workload.ts';

/** Returns the function that gives the first moment at or after `t` outside the stalls; `t` must not go back. */
export function sinkFree(stalls: Workload['stalls']): (t: number) => number {
  if (stalls === undefined || stalls.length === 0) return (t) => t;
  let k = 0;
  return (t) => {
    if (k > 0 && t < stalls[k - 1]![1]) k = 0;
    while (k < stalls.length && stalls[k]![1] <= t) k++;
    const stall = stalls[k];
    return stall !== undefined && stall[0] <= t ? stall[1] : t;
  };
}

/** Cost and number of flushes of an optimal schedule. */
export interface Optimum {
  /** Least cost (us): `fixed * flushes + overhead * staleness`. */
  readonly cost: number;
  /** Flushes of one optimal schedule. */
  readonly flushes: number;
}

/** Returns the clairvoyant optimum under the staleness objective. */
export function clairvoyantOptimum(workload: Workload, cost: CostConfiguration): Optimum {
  if (workload.loop !== undefined) {
    const { rounds, roundHold, offsets } = workload.loop;
    const merged = cost.fixed + cost.overhead * roundHold;
    return { cost: rounds * Math.min(merged, offsets.length * cost.fixed), flushes: rounds };
  }
  const { times, bytes } = workload;
  const { fixed, overhead, delayMax, countMax, bytesMax } = cost;
  const n = times.length;
  const nextFree = sinkFree(workload.stalls);
  const free = Float64Array.from(times, (t) => nextFree(t));
  const before = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) before[i + 1] = before[i]! + (bytes === undefined ? 8 : bytes[i]!);
  const best = new Float64Array(n + 1);
  const start = new Int32Array(n + 1);
  const queue = new Int32Array(n + 1);
  let head = 0;
  let tail = 0;
  const value = (j: number): number => best[j]! - overhead * times[j]!;
  for (let i = 1; i <= n; i++) {
    const newest = i - 1;
    while (tail > head && value(queue[tail - 1]!) >= value(newest)) tail--;
    queue[tail++] = newest;
    const end = free[newest]!;
    while (queue[head]! < newest) {
      const j = queue[head]!; // O1
      const isAllowed =
        i - j <= countMax &&
        before[i]! - before[j]! <= bytesMax &&
        end <= Math.max(times[j]! + delayMax, free[j]!) + 1e-9;
      if (isAllowed) break;
      head++;
    }
    const j = queue[head]!;
    best[i] = fixed + overhead * end + value(j);
    start[i] = j;
  }
  let flushes = 0;
  for (let i = n; i > 0; i = start[i]!) flushes++;
  return { cost: best[n]!, flushes };
}

/** Returns the clairvoyant optimum of `fixed * flushes + overhead * (sum of all delays)`. Cost: O(ticks * window). */
export function clairvoyantOptimumOfSum(workload: Workload, cost: CostConfiguration): number {
  const ticks: number[] = [];
  const weights: number[] = [];
  for (const t of workload.times) {
    if (ticks.length > 0 && ticks[ticks.length - 1] === t) weights[weights.length - 1]!++;
    else {
      ticks.push(t);
      weights.push(1);
    }
  }
  const n = ticks.length;
  const weight = new Float64Array(n + 1);
  const weighted = new Float64Array(n + 1);
  for (let i = 0; i < n; i++) {
    weight[i + 1] = weight[i]! + weights[i]!;
    weighted[i + 1] = weighted[i]! + weights[i]! * ticks[i]!;
  }
  const best = new Float64Array(n + 1);
  for (let i = 1; i <= n; i++) {
    const end = ticks[i - 1]!;
    let least = Number.POSITIVE_INFINITY;
    for (let j = i - 1; j >= 0 && end - ticks[j]! <= cost.delayMax; j--) {
      const items = weight[i]! - weight[j]!;
      if (j < i - 1 && items > cost.countMax) break;
      const delays = items * end - (weighted[i]! - weighted[j]!);
      least = Math.min(least, best[j]! + cost.fixed + cost.overhead * delays);
    }
    best[i] = least;
  }
  return best[n]!;
}
