/** The workloads that the law was developed on; `variedWorkloads` helped to choose, `heldOutWorkloads` judge. */
import { type Random, seededRandom } from './random.ts';
import type { ClosedLoop, Workload } from './workload.ts';

const SECOND = 1e6;
const MILLISECOND = 1e3;

/** An arrival: time in us, bytes, the key if it has one, and the state of the generator if that is known. */
export type Arrival = readonly [
  time: number,
  bytes: number,
  key?: number | undefined,
  state?: number | undefined,
];

/** Makes a workload of arrivals in any order. */
export function workloadOf(
  name: string,
  arrivals: Arrival[],
  horizon: number,
  more: Partial<Workload> = {},
): Workload {
  arrivals.sort((a, b) => a[0] - b[0]);
  const keyed = arrivals.some((arrival) => arrival[2] !== undefined);
  const hasStates = arrivals.some((arrival) => arrival[3] !== undefined);
  return {
    name,
    times: Float64Array.from(arrivals, (arrival) => arrival[0]),
    bytes: Float64Array.from(arrivals, (arrival) => arrival[1]),
    ...(keyed ? { keys: Int32Array.from(arrivals, (arrival) => arrival[2] ?? 0) } : {}),
    ...(hasStates ? { states: Int32Array.from(arrivals, (arrival) => arrival[3] ?? 0) } : {}),
    horizon,
    ...more,
  };
}

/** Poisson arrivals at `rate` a second. */
export function poisson(
  name: string,
  rate: number,
  seconds: number,
  seed: number,
  size: (random: Random) => number = () => 12,
): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = random.exponential(SECOND / rate); t <= seconds * SECOND; ) {
    arrivals.push([t, size(random), undefined, 0]);
    t += random.exponential(SECOND / rate);
  }
  return workloadOf(name, arrivals, seconds * SECOND);
}

/** Someone types: an echo now and then, each one tick. */
function echo(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 50 * MILLISECOND + random.exponential(150 * MILLISECOND);
  while (t <= 60 * SECOND) {
    arrivals.push([t, 8, undefined, 0]);
    t += 50 * MILLISECOND + random.exponential(150 * MILLISECOND);
  }
  return workloadOf('echo', arrivals, 60 * SECOND);
}

/** Fast typing into a program whose echoes come in one to three pieces. */
function typing(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 30 * MILLISECOND + random.exponential(50 * MILLISECOND);
  while (t <= 60 * SECOND) {
    let at = t;
    const pieces = random.integer(1, 3);
    for (let j = 0; j < pieces; j++) {
      arrivals.push([at, 20, undefined, j]);
      at += random.between(100, 600);
    }
    t += 30 * MILLISECOND + random.exponential(50 * MILLISECOND);
  }
  return workloadOf('typing', arrivals, 60 * SECOND);
}

/** A million items a second, each a tick of its own. */
function flood(): Workload {
  const arrivals: Arrival[] = Array.from({ length: 400_000 }, (_, i) => [
    1000 + i,
    12,
    undefined,
    0,
  ]);
  return workloadOf('flood', arrivals, 0.4 * SECOND);
}

/** A flood as an event loop sees it: many items in each tick. */
function floodInChunks(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = 1000; t < 0.4 * SECOND; t += random.between(40, 160)) {
    const count = random.integer(40, 160);
    for (let j = 0; j < count; j++) arrivals.push([t, 12, undefined, 0]);
  }
  return workloadOf('flood chunks', arrivals, 0.4 * SECOND);
}

/** Bursts of 2 ms and more at 50,000 a second, with pauses. */
function onOff(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  while (t < 5 * SECOND) {
    const on = 2 * MILLISECOND + random.exponential(8 * MILLISECOND);
    for (let at = t + random.exponential(20); at <= t + on; at += random.exponential(20)) {
      arrivals.push([at, 40, undefined, 0]);
    }
    t += on + 20 * MILLISECOND + random.exponential(60 * MILLISECOND);
  }
  return workloadOf('on/off', arrivals, 5 * SECOND);
}

/** A sink that is stuck for 100 ms every half second. */
function stall(seed: number): Workload {
  const stalls: [number, number][] = [];
  for (let s = 0.3; s < 10; s += 0.5) {
    stalls.push([s * SECOND, s * SECOND + 100 * MILLISECOND]);
  }
  return { ...poisson('stall', 5000, 10, seed), stalls };
}

/** One flooding pane and 63 quiet ones. */
function panes(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = random.exponential(5); t <= SECOND; t += random.exponential(5)) {
    arrivals.push([t, 40, 0, 0]);
  }
  for (let key = 1; key < 64; key++) {
    for (let t = 0; ; ) {
      t += random.exponential(0.5 * SECOND);
      if (t > SECOND) break;
      arrivals.push([t, 16, key, 0]);
    }
  }
  return workloadOf('64 panes', arrivals, SECOND);
}

/** A full-screen program that redraws 60 times a second in 3 to 8 pieces. */
function fullScreen(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let frame = 0; frame < 600; frame++) {
    let at = frame * 16667 + random.between(0, 500);
    const pieces = random.integer(3, 8);
    for (let j = 0; j < pieces; j++) {
      arrivals.push([at, 600, undefined, j]);
      at += random.between(50, 300);
    }
  }
  return workloadOf('TUI 60', arrivals, 10 * SECOND);
}

/** A rate that swings between 10 and 100,000 a second. */
function ramp(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  while (t < 20 * SECOND) {
    const swing = 0.5 - 0.5 * Math.cos((2 * Math.PI * t) / (10 * SECOND));
    t += random.exponential(SECOND / (10 * 1e4 ** swing));
    arrivals.push([t, 12, undefined, Math.round(20 * swing)]);
  }
  return workloadOf('ramp', arrivals, 20 * SECOND);
}

/** Makes a closed loop a workload. */
export function closedLoop(name: string, loop: ClosedLoop): Workload {
  return { name, times: new Float64Array(0), horizon: 0, loop };
}

/** Returns the workloads that the law was developed on. */
export function publicWorkloads(seed = 1): Workload[] {
  const think = (random: Random): number => random.between(150, 450);
  return [
    echo(seed + 1),
    typing(seed + 2),
    flood(),
    floodInChunks(seed + 4),
    onOff(seed + 5),
    poisson('Poisson 100', 100, 60, seed + 6),
    poisson('Poisson 1k', 1000, 20, seed + 7),
    poisson('Poisson 2k', 2000, 20, seed + 8),
    poisson('Poisson 10k', 10_000, 5, seed + 9),
    poisson('Poisson 100k', 100_000, 1, seed + 10),
    poisson('heavy tail', 5000, 10, seed + 11, (random) =>
      Math.min(60_000, Math.floor(random.pareto(40, 1.2))),
    ),
    stall(seed + 12),
    panes(seed + 13),
    fullScreen(seed + 14),
    ramp(seed + 15),
    closedLoop('ping-pong', { rounds: 5000, roundHold: 0, offsets: [0], think }),
    closedLoop('ping-pong 2', { rounds: 5000, roundHold: 80, offsets: [0, 80], think }),
  ];
}
