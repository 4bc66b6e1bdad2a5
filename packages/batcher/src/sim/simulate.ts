/**
 * Runs a policy on a workload in virtual time, and charges it.
 *
 * Cost of a run: `fixed * flushes + overhead * staleness`, where the staleness of a batch is the age of its oldest
 * item when its flush starts. The part of the flush cost that grows with the bytes is the same for every policy and
 * left out of the cost, but not out of the time that the sink is busy.
 *
 * Invariants
 * - S1: time never goes back, and everything that arrives at one time is one tick.
 * - S2: items leave in the order in which they came; one flush at a time.
 *
 * Deterministic: the seed fixes every random number. Cost: O(arrivals + flushes).
 */
import { sinkFree } from './optimum.ts';
import type { PolicyFactory } from './policy.ts';
import { seededRandom } from './random.ts';
import type { CostConfiguration, Workload } from './workload.ts';

/**
 * How late a timer fires: `ideal` on time, `node` like setTimeout (whole ms, at least 1, 90 us late), `worker` like
 * `workerScheduler` (at least 0.1 ms, 75 us late), `spin` polls.
 */
export type TimerModel = 'ideal' | 'node' | 'worker' | 'spin';

/** Shortest delay that the law is told of under a timer model (us). */
export const timerResolution: Readonly<Record<TimerModel, number>> = {
  ideal: 0,
  node: 1000,
  worker: 100,
  spin: 0,
};

const timers: Readonly<Record<TimerModel, (now: number, at: number) => number>> = {
  ideal: (_now, at) => at,
  node: (now, at) => now + Math.max(1, Math.ceil((at - now) / 1000)) * 1000 + 90,
  worker: (now, at) => Math.max(at, now + 100) + 75,
  spin: (now, at) => now + Math.ceil((at - now) / 20) * 20,
};

/** Options of a simulation. */
export interface SimulationOptions {
  /** How late timers fire. @defaultValue 'ideal' */
  readonly timer?: TimerModel;
  /** Seed of the flush durations. @defaultValue 12345 */
  readonly seed?: number;
  /** Relative standard deviation of a flush's duration; also rare outliers unless 0. @defaultValue 0.15 */
  readonly noise?: number;
}

/** What a run cost and how long items waited; times in us. */
export interface SimulationResult {
  /** Items delivered. */
  readonly items: number;
  /** Flushes. */
  readonly flushes: number;
  /** `fixed * flushes + overhead * staleness`. */
  readonly cost: number;
  /** The same with the sum of all delays in place of the staleness. */
  readonly costOfSum: number;
  /** Delay of each item, in order of delivery. */
  readonly delays: Float64Array;
  /** Key of each item in the same order, if the workload has keys. */
  readonly keys: Int32Array | undefined;
  /** Oldest age at the start of any flush. */
  readonly ageMax: number;
  /** Share of the time that fixed flush cost took. */
  readonly overhead: number;
  /** Most items that waited at once. */
  readonly queueMax: number;
  /** Time at which the run ended. */
  readonly end: number;
}

/** The arrivals of a run: the workload's, and those of a closed loop, which deliveries cause. */
class Arrivals {
  #next = 0;
  readonly #dynamic: number[] = [];
  readonly #workload: Workload;
  #round = 0;
  #owed = 0;

  constructor(workload: Workload) {
    this.#workload = workload;
    if (workload.loop !== undefined) this.#start(1000);
  }

  get next(): number {
    const fixed = this.#workload.times[this.#next] ?? Number.POSITIVE_INFINITY;
    return Math.min(fixed, this.#dynamic[0] ?? Number.POSITIVE_INFINITY);
  }

  #start(at: number): void {
    const { offsets } = this.#workload.loop!;
    for (const offset of offsets) this.#dynamic.push(at + offset);
    this.#owed = offsets.length;
    this.#round++;
  }

  /** Moves the arrivals at `now` to `take`. */
  pop(now: number, take: (time: number, bytes: number, key: number) => void): void {
    const { times, bytes, keys } = this.#workload;
    while (this.#next < times.length && times[this.#next]! <= now) {
      const i = this.#next++;
      take(times[i]!, bytes === undefined ? 8 : bytes[i]!, keys === undefined ? 0 : keys[i]!);
    }
    while (this.#dynamic.length > 0 && this.#dynamic[0]! <= now) {
      take(this.#dynamic.shift()!, 8, 0);
    }
  }

  /** A delivery of `count` items at `now`: a closed loop may go on. */
  delivered(now: number, count: number, random: ReturnType<typeof seededRandom>): void {
    const { loop } = this.#workload;
    if (loop === undefined) return;
    this.#owed -= count;
    if (this.#owed <= 0 && this.#round < loop.rounds) this.#start(now + loop.think(random));
  }
}

/** Runs the policy on the workload. */
export function simulate(
  workload: Workload,
  makePolicy: PolicyFactory,
  cost: CostConfiguration,
  options: SimulationOptions = {},
): SimulationResult {
  const policy = makePolicy(cost);
  const timer = timers[options.timer ?? 'ideal'];
  const random = seededRandom(options.seed ?? 12345);
  const noise = options.noise ?? 0.15;
  const nextFree = sinkFree(workload.stalls);
  const arrivals = new Arrivals(workload);
  const times: number[] = [];
  const bytes: number[] = [];
  const keys: number[] = [];
  const delays: number[] = [];
  const queue = { count: 0, bytes: 0, oldest: 0, newest: 0 };
  let head = 0;
  let busyUntil = 0;
  let wakeAt = Number.POSITIVE_INFINITY;
  let now = 0;
  let flushes = 0;
  let staleness = 0;
  let sum = 0;
  let ageMax = 0;
  let queueMax = 0;
  const view = (): void => {
    queue.count = times.length - head;
    queue.oldest = times[head] ?? 0;
    queue.newest = times[times.length - 1] ?? 0;
  };
  for (;;) {
    const waits = times.length > head;
    const arrival = arrivals.next;
    let event = Math.min(arrival, wakeAt);
    if (waits && busyUntil > now) event = Math.min(event, busyUntil);
    const drains = waits && event === Number.POSITIVE_INFINITY;
    if (drains) event = Math.max(now, busyUntil);
    if (event === Number.POSITIVE_INFINITY) break;
    now = Math.max(now, event); // S1
    const before = times.length;
    const bytesBefore = queue.bytes;
    if (arrival <= now) {
      arrivals.pop(arrival, (time, size, key) => {
        times.push(time);
        bytes.push(size);
        keys.push(key);
        queue.bytes += size;
      });
    }
    if (wakeAt <= now) wakeAt = Number.POSITIVE_INFINITY;
    view();
    queueMax = Math.max(queueMax, queue.count);
    if (times.length > before) {
      policy.arrive?.(now, times.length - before, queue.bytes - bytesBefore, queue);
    }
    while (queue.count > 0) {
      const due = drains ? now : policy.due(now, queue);
      const free = Math.max(busyUntil, nextFree(now));
      if (due > now || free > now) {
        const target = due <= now ? free : Math.max(due, free);
        const fires = free > now && due <= free ? free : timer(now, target);
        if (fires < wakeAt) wakeAt = fires;
        break;
      }
      const limit = policy.take?.(queue) ?? cost.countMax;
      const oldest = times[head]!;
      let taken = 0;
      let size = 0;
      while (taken < queue.count && taken < limit) {
        const more = bytes[head + taken]!;
        if (taken > 0 && size + more > cost.bytesMax) break;
        size += more;
        delays.push(now - times[head + taken]!); // S2
        sum += now - times[head + taken]!;
        taken++;
      }
      head += taken;
      queue.bytes -= size;
      flushes++;
      staleness += now - oldest;
      ageMax = Math.max(ageMax, now - oldest);
      let duration =
        (cost.fixed + cost.perByte * size) * Math.max(0.3, 1 + noise * random.normal());
      if (noise > 0 && random.uniform() < 0.002) duration += 10 * cost.fixed;
      policy.flushed?.(now, taken, size, duration, now - oldest, queue.count - taken);
      busyUntil = now + duration;
      arrivals.delivered(now, taken, random);
      view();
    }
  }
  return {
    items: delays.length,
    flushes,
    cost: cost.fixed * flushes + cost.overhead * staleness,
    costOfSum: cost.fixed * flushes + cost.overhead * sum,
    delays: Float64Array.from(delays),
    keys: workload.keys === undefined ? undefined : Int32Array.from(keys),
    ageMax,
    overhead: (cost.fixed * flushes) / Math.max(1, workload.horizon || now),
    queueMax,
    end: now,
  };
}
