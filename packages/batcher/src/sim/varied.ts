/** Workloads that chose between variants of the law: other processes, other time scales than the public ones. */
import { type Random, seededRandom } from './random.ts';
import type { Workload } from './workload.ts';
import { type Arrival, closedLoop, workloadOf } from './workloads.ts';

const SECOND = 1e6;
const MILLISECOND = 1e3;

/** Arrivals whose gaps a function draws. */
export function renewal(
  name: string,
  seconds: number,
  seed: number,
  gap: (random: Random) => number,
): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = gap(random); t <= seconds * SECOND; t += gap(random))
    arrivals.push([t, 24, undefined, 0]);
  return workloadOf(name, arrivals, seconds * SECOND);
}

/** A Poisson process whose rate jumps between states, each held for an exponential time. */
function modulated(
  name: string,
  seconds: number,
  seed: number,
  rates: number[],
  holdMs: number,
): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  while (t < seconds * SECOND) {
    const state = random.integer(0, rates.length - 1);
    const rate = rates[state]!;
    const until = t + random.exponential(holdMs * MILLISECOND);
    for (let at = t + random.exponential(SECOND / rate); at < until; ) {
      arrivals.push([at, 30, undefined, state]);
      at += random.exponential(SECOND / rate);
    }
    t = until;
  }
  return workloadOf(name, arrivals, seconds * SECOND);
}

/** A self-exciting process: each arrival may cause others soon after it. */
function selfExciting(seed: number): Workload {
  const random = seededRandom(seed);
  const times: number[] = [];
  const causes: number[] = [];
  const spread = (at: number, cause: number, depth: number): void => {
    times.push(at);
    causes.push(cause);
    if (depth > 20) return;
    while (random.uniform() < 0.45) spread(at + random.exponential(400), at, depth + 1);
  };
  for (let t = 0; t < 20 * SECOND; t += random.exponential(15 * MILLISECOND)) spread(t, t, 0);
  times.sort((a, b) => a - b);
  causes.sort((a, b) => a - b);
  // What the generator knows, and nobody else: how many are caused already and still to come.
  let begun = 0;
  const arrivals = times.map((t, i): Arrival => {
    while (causes[begun]! <= t) begun++;
    return [t, 50, undefined, Math.min(20, begun - (i + 1))];
  });
  return workloadOf('self-exciting', arrivals, 20 * SECOND);
}

/** Pipe reads: 64 KiB in pieces of 4 KiB that arrive in quick succession, the writer then computes. */
function pipe(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  while (t < 3 * SECOND) {
    for (let i = 0; i < 16; i++) {
      t += random.between(8, 30);
      arrivals.push([t, 4096, undefined, i]);
    }
    t += random.between(300, 3000);
  }
  return workloadOf('pipe', arrivals, 3 * SECOND);
}

/** A build log: lines in clusters of log-normal size, with steps that take long. */
function buildLog(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  while (t < 30 * SECOND) {
    const lines = Math.max(1, Math.round(Math.exp(1.2 + 0.9 * random.normal())));
    for (let i = 0; i < lines; i++) {
      arrivals.push([t, 80, undefined, Math.min(i, 15)]);
      t += Math.exp(5 + 1.2 * random.normal());
    }
    t += Math.exp(9 + 1.3 * random.normal());
  }
  return workloadOf('build log', arrivals, t);
}

/** An animation of 24 frames a second whose frames come in two pieces, beside someone who types. */
function animationAndTyping(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let frame = 0; frame < 24 * 20; frame++) {
    const at = (frame * SECOND) / 24 + random.between(0, 200);
    arrivals.push([at, 3000, 1, 0], [at + random.between(200, 900), 800, 1, 1]);
  }
  for (let t = 0; t < 20 * SECOND; t += random.between(80, 400) * MILLISECOND) {
    arrivals.push([t, 5, 0, 2], [t + random.between(20, 60), 9, 0, 3]);
  }
  return workloadOf('animation and typing', arrivals, 20 * SECOND);
}

/** Quiet for minutes, then a flood, then quiet again: what was learned must not hurt. */
function shifts(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  for (let phase = 0; phase < 24; phase++) {
    const gap = [50_000, 300, 6, 1500][phase % 4]!;
    const until = t + 500 * MILLISECOND;
    while (t < until) {
      arrivals.push([t, 20, undefined, phase % 4]);
      t += phase % 2 === 0 ? gap * random.between(0.8, 1.2) : random.exponential(gap);
    }
  }
  return workloadOf('shifts', arrivals, t);
}

/** Returns the workloads that chose between variants of the law. */
export function variedWorkloads(seed = 1): Workload[] {
  const logNormal = (mu: number, sigma: number) => (random: Random) =>
    Math.exp(mu + sigma * random.normal());
  return [
    renewal('log-normal gaps', 10, seed + 101, logNormal(6, 2)),
    renewal('Weibull gaps', 10, seed + 102, (random) => 200 * random.exponential(1) ** 2.5),
    renewal('jittered 2 ms', 10, seed + 103, (random) => 2000 * random.between(0.9, 1.1)),
    renewal('jittered 0.4 ms', 10, seed + 104, (random) => 400 * random.between(0.7, 1.3)),
    renewal('Pareto gaps', 20, seed + 105, (random) => Math.min(2e6, random.pareto(60, 0.9))),
    modulated('modulated slow', 20, seed + 106, [30, 400, 3000, 40_000], 200),
    modulated('modulated fast', 10, seed + 107, [50, 20_000], 10),
    selfExciting(seed + 108),
    pipe(seed + 109),
    buildLog(seed + 110),
    animationAndTyping(seed + 111),
    shifts(seed + 112),
    closedLoop('request and reply', {
      rounds: 3000,
      roundHold: 0,
      offsets: [0],
      think: (random) => random.exponential(100) + 30,
    }),
    closedLoop('slow loop of three', {
      rounds: 2000,
      roundHold: 150,
      offsets: [0, 60, 150],
      think: (random) => random.between(1000, 3000),
    }),
    closedLoop('tight loop of two', {
      rounds: 5000,
      roundHold: 20,
      offsets: [0, 20],
      think: (random) => random.between(20, 60),
    }),
  ];
}
