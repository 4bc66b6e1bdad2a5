/**
 * What a policy would cost that knows more than any policy can: the marks for every policy that must learn.
 *
 * Source: optimal stopping, and value iteration over the state of the one timer. Given what is known at an arrival,
 * the next gap has a known distribution: the best hold for it is the best that can be done. The distributions are
 * taken from the run itself, so chance works for the informed policy.
 *
 * - `informedCost` knows the generator's state at each arrival (`Workload.states`), which nobody else does.
 * - `hindsightCost` sees what everybody sees, the position in the burst or the last gap, but needn't learn anything.
 *
 * With an ideal clock each state is solved alone. With timers of whole ms a hold ends at an arrival or when the one
 * timer fires, `resolution` (and the usual lateness) after it was armed. It is armed only while something waits, at an
 * arrival or when it fires; a flush may leave it running:
 *
 *     arrival, timer fires in r :  flush, the timer runs on
 *                                | hold until the timer fires, m times | the same, armed anew
 *                                | either, the timer firing on while nothing waits: only if such wakes are paid for
 *     value[state][r] = min over these of their cost + E[ value[next state][what the gap leaves of the timer] ]
 *
 * Invariants
 * - N1: caps and the budget are left out, and the result is at least the clairvoyant optimum, which keeps them.
 * - N2: a finer timer never costs more; below 1 ms the clock counts as ideal.
 *
 * Cost: O(states * AGES * BINS * SWEEPS).
 */
import { clairvoyantOptimum } from './optimum.ts';
import type { CostConfiguration, Workload } from './workload.ts';

/** Gaps are sorted into this many bins up to GAP_MAX tau; longer ones never pay. */
const BINS = 200;
const GAP_MAX = 6;
/** Steps of what is left until the timer fires; the last one stands for a timer that doesn't run. */
const AGES = 25;
const NONE = AGES - 1;
/** Any step but NONE, each as likely. */
const ANY = AGES;
const SWEEPS = 80;
/** Weight of the future in a sweep: long enough for a batch, and it converges for every chain of states. */
const DISCOUNT = 0.98;
/** Times that a hold may wait for the timer. */
const FIRES = 3;
/** Lateness of a timer of whole ms, as a part of it. */
const LATE = 0.09;
/** Positions in a burst, and half octaves of the last gap, that `hindsightCost` tells apart. */
const POSITIONS = 33;
const GAPS = 25;

/** The gaps that followed the arrivals of one state; gaps in units of tau. */
interface GapLaw {
  /** Gaps by bin, and their sum. */
  readonly count: Float64Array;
  readonly sum: Float64Array;
  /** For each bin, how often which state followed. */
  readonly next: Map<number, number>[];
  total: number;
}

/** The ticks of a workload: times in units of tau, and the state of the last arrival of each, from 0 up. */
interface Ticks {
  readonly times: readonly number[];
  readonly states: readonly number[];
}

function ticksOf(workload: Workload, known: ArrayLike<number>, tau: number): Ticks {
  const times: number[] = [];
  const states: number[] = [];
  const indices = new Map<number, number>();
  workload.times.forEach((time, i) => {
    const state = known[i]!;
    if (!indices.has(state)) indices.set(state, indices.size);
    if (time / tau === times[times.length - 1]) states[states.length - 1] = indices.get(state)!;
    else {
      times.push(time / tau);
      states.push(indices.get(state)!);
    }
  });
  return { times, states };
}

function gapLaws({ times, states }: Ticks): GapLaw[] {
  const length = states.reduce((a, b) => Math.max(a, b + 1), 1);
  const laws: GapLaw[] = Array.from({ length }, () => ({
    count: new Float64Array(BINS + 1),
    sum: new Float64Array(BINS + 1),
    next: Array.from({ length: BINS + 1 }, () => new Map<number, number>()),
    total: 0,
  }));
  for (let i = 0; i + 1 < times.length; i++) {
    const law = laws[states[i]!]!;
    const gap = times[i + 1]! - times[i]!;
    const bin = Math.min(BINS, Math.floor((gap / GAP_MAX) * BINS));
    const state = states[i + 1]!;
    law.count[bin]!++;
    law.sum[bin]! += gap;
    law.next[bin]!.set(state, (law.next[bin]!.get(state) ?? 0) + 1);
    law.total++;
  }
  return laws;
}

/** Returns the best hold for a distribution with an ideal clock (units of tau; 0 flushes at once). */
function idealHold(law: GapLaw): number {
  let best = law.total;
  let hold = 0;
  let waited = 0;
  let merged = 0;
  for (let k = 0; k < BINS; k++) {
    merged += law.count[k]!;
    waited += law.sum[k]!;
    const x = ((k + 1) * GAP_MAX) / BINS;
    const cost = waited + (law.total - merged) * (x + 1);
    if (cost < best) {
      best = cost;
      hold = x;
    }
  }
  return hold;
}

function idealCost({ times, states }: Ticks): number {
  const holds = gapLaws({ times, states }).map(idealHold);
  let total = 1;
  for (let i = 0; i + 1 < times.length; i++) {
    const hold = holds[states[i]!]!;
    const gap = times[i + 1]! - times[i]!;
    total += gap <= hold ? gap : hold + 1;
  }
  return total;
}

/** The one timer: when it fires at the earliest after it was armed, and at which steps later (units of tau). */
interface Timer {
  readonly first: number;
  readonly step: number;
  /** What it costs to be woken while nothing waits (flushes); undefined if the timer isn't armed then. */
  readonly wake: number | undefined;
}

/**
 * An action at an arrival: flush, or wait for `fires` firings; `rearms` gives up the timer that runs for a new one.
 * `idles` tells how often the timer may then fire while nothing waits.
 */
interface Action {
  readonly fires: number;
  readonly rearms: boolean;
  readonly idles: number;
}

const armedActions: readonly Action[] = [
  { fires: 0, rearms: false, idles: 0 },
  ...Array.from({ length: FIRES }, (_, i) => [
    { fires: i + 1, rearms: false, idles: 0 },
    { fires: i + 1, rearms: true, idles: 0 },
  ]).flat(),
];

/** More actions, of a timer that also runs while nothing waits. */
const idleActions: readonly Action[] = [1, 2, 4, Number.POSITIVE_INFINITY].flatMap((idles) => [
  { fires: 0, rearms: true, idles },
  ...armedActions.map((action) => ({ ...action, idles })),
]);

/** Plays an action against a gap: what it costs, and what is left until the timer fires (0: it doesn't run). */
function play(
  action: Action,
  left: number,
  gap: number,
  timer: Timer,
): [cost: number, left: number] {
  if (action.idles > 0) return playIdle(action, left, gap, timer);
  if (action.fires === 0) return [1, Math.max(0, left - gap)];
  const runs = action.rearms || left === 0 ? timer.first : left;
  const end = runs + (action.fires - 1) * timer.step;
  if (gap > end) return [end + 1, 0];
  const later = Math.max(0, Math.ceil((gap - runs) / timer.step)) * timer.step;
  return [gap, runs + later - gap];
}

/** Plays an action after which the timer goes on to fire while nothing waits, up to `idles` times. */
function playIdle(
  { fires, rearms, idles }: Action,
  left: number,
  gap: number,
  timer: Timer,
): [cost: number, left: number] {
  const runs = rearms || left === 0 ? timer.first : left;
  const end = fires === 0 ? 0 : runs + (fires - 1) * timer.step;
  if (gap <= end) return play({ fires, rearms, idles: 0 }, left, gap, timer);
  // Nothing waits from `end` on: that is at once, or when the timer has ended the hold.
  const next = fires === 0 ? runs : end + timer.step;
  const wakes = gap <= next ? 0 : Math.min(idles, 1 + Math.floor((gap - next) / timer.step));
  const rest = wakes === idles ? 0 : Math.max(0, next + wakes * timer.step - gap);
  return [end + 1 + wakes * timer.wake!, rest];
}

/** Step of the timer's state. */
const stepOf = (left: number, timer: Timer): number =>
  left <= 0 ? NONE : Math.min(NONE, Math.round((left / timer.first) * NONE));

/** Returns the best action by state and step of the timer. */
function solve(laws: readonly GapLaw[], timer: Timer, actions: readonly Action[]): Uint8Array[] {
  let value = laws.map(() => new Float64Array(AGES));
  const best = laws.map(() => new Uint8Array(AGES));
  // What an action makes of a bin doesn't change from sweep to sweep.
  const plans = laws.map((law) => {
    const bins = [...law.count.keys()].filter((k) => law.count[k]! > 0);
    return Array.from({ length: AGES }, (_, age) =>
      actions.map((action) => {
        let cost = 0;
        const steps = bins.map((k) => {
          const gap = law.sum[k]! / law.count[k]!;
          const [paid, left] = play(
            action,
            age === NONE ? 0 : (age * timer.first) / NONE,
            gap,
            timer,
          );
          cost += paid * law.count[k]!;
          // Where a timer that runs on and on stands after a long gap is anybody's guess.
          return k === BINS && action.idles === Number.POSITIVE_INFINITY
            ? ANY
            : stepOf(left, timer);
        });
        return { cost, bins, steps };
      }),
    );
  });
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    value = laws.map((law, state) => {
      const result = new Float64Array(AGES);
      if (law.total === 0) return result;
      // The future after each bin, by what is left of the timer.
      const future = law.next.map((next) => {
        const sums = new Float64Array(AGES + 1);
        for (const [to, count] of next) {
          for (let age = 0; age < AGES; age++) sums[age]! += DISCOUNT * count * value[to]![age]!;
        }
        for (let age = 0; age < NONE; age++) sums[ANY]! += sums[age]! / NONE;
        return sums;
      });
      for (let age = 0; age < AGES; age++) {
        let least = Number.POSITIVE_INFINITY;
        plans[state]![age]!.forEach(({ cost, bins, steps }, index) => {
          let sum = cost;
          for (let j = 0; j < bins.length; j++) sum += future[bins[j]!]![steps[j]!]!;
          if (sum >= least) return;
          least = sum;
          best[state]![age] = index;
        });
        result[age] = least / law.total;
      }
      return result;
    });
  }
  return best;
}

function timedCost({ times, states }: Ticks, timer: Timer): number {
  const actions = timer.wake === undefined ? armedActions : [...armedActions, ...idleActions];
  const best = solve(gapLaws({ times, states }), timer, actions);
  let total = 1;
  let left = 0;
  for (let i = 0; i + 1 < times.length; i++) {
    const action = actions[best[states[i]!]![stepOf(left, timer)]!]!;
    const [cost, rest] = play(action, left, times[i + 1]! - times[i]!, timer);
    total += cost;
    left = rest;
  }
  return total;
}

/** Cost of the best policy that knows `known` at each arrival, and the distributions that follow from it. */
function costKnowing(
  workload: Workload,
  known: ArrayLike<number>,
  cost: CostConfiguration,
  resolution: number,
  wake?: number,
): number {
  const tau = cost.fixed / cost.overhead;
  const ticks = ticksOf(workload, known, tau);
  const step = resolution / tau;
  const total =
    resolution < 1000
      ? idealCost(ticks)
      : timedCost(ticks, {
          first: (1 + LATE) * step,
          step,
          wake: wake === undefined ? undefined : wake / cost.fixed,
        }); // N2
  return total * cost.fixed;
}

const isOpenLoop = (workload: Workload): boolean =>
  workload.loop === undefined && workload.stalls === undefined;

/**
 * Returns the cost of the best policy that knows the generator's state at each arrival, but not what comes: at least
 * the clairvoyant optimum, and the optimum itself for workloads without `states`, with stalls or a closed loop.
 *
 * @param resolution - time before which no timer fires (us); below 1000 the clock counts as ideal
 * @param wake - CPU of a wake of an idle process (us): the policy's timer may then also run while nothing waits, and it
 * pays for each wake; else it is armed only while something waits
 */
export function informedCost(
  workload: Workload,
  cost: CostConfiguration,
  resolution = 0,
  wake?: number,
): number {
  const optimum = clairvoyantOptimum(workload, cost).cost;
  if (workload.states === undefined || !isOpenLoop(workload)) return optimum;
  return Math.max(optimum, costKnowing(workload, workload.states, cost, resolution, wake)); // N1
}

/**
 * Returns the cost of the best policy that sees what the law sees of the past, the position in the burst or the length
 * of the last gap, whichever serves better, and knows from the first arrival on what follows it how often: what is
 * left to gain by learning faster. The clairvoyant optimum for workloads with stalls or a closed loop.
 *
 * @param resolution - time before which no timer fires (us); below 1000 the clock counts as ideal
 */
export function hindsightCost(workload: Workload, cost: CostConfiguration, resolution = 0): number {
  const optimum = clairvoyantOptimum(workload, cost).cost;
  if (!isOpenLoop(workload)) return optimum;
  const { times } = workload;
  const tau = cost.fixed / cost.overhead;
  const positions = new Int32Array(times.length);
  const gaps = new Int32Array(times.length);
  for (let i = 1; i < times.length; i++) {
    const gap = (times[i]! - times[i - 1]!) / tau;
    positions[i] = gap < 1 ? Math.min(POSITIONS - 1, positions[i - 1]! + 1) : 0;
    gaps[i] = Math.max(0, Math.min(GAPS - 1, Math.round(2 * Math.log2(gap)) + 16));
  }
  const costs = [positions, gaps].map((known) => costKnowing(workload, known, cost, resolution));
  return Math.max(optimum, Math.min(...costs)); // N1
}
