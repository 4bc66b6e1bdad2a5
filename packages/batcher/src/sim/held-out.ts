/** Workloads that judge the law: written after it was settled, none of them used to choose anything. */
import { type Random, seededRandom } from './random.ts';
import { renewal } from './varied.ts';
import type { Workload } from './workload.ts';
import { type Arrival, closedLoop, workloadOf } from './workloads.ts';

const SECOND = 1e6;
const MILLISECOND = 1e3;

/** Eight panes, each with bursts and pauses of its own, on one stream. */
function eightPanes(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let key = 0; key < 8; key++) {
    for (let t = random.exponential(100 * MILLISECOND); t < 10 * SECOND; ) {
      const until = t + random.exponential(15 * MILLISECOND);
      for (; t < until; t += random.between(100, 900)) arrivals.push([t, 200, key]);
      t += random.exponential(150 * MILLISECOND);
    }
  }
  return workloadOf('eight panes', arrivals, 10 * SECOND);
}

/** A download whose window grows from 10 to 40 packets a round trip of 20 ms, and halves again. */
function download(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let window = 10;
  for (let t = 0; t < 8 * SECOND; t += 20 * MILLISECOND) {
    let at = t;
    for (let i = 0; i < window; i++) {
      arrivals.push([at, 1448, undefined, i === window - 1 ? 1 : 0]);
      at += random.between(40, 120);
    }
    window = window >= 40 || random.uniform() < 0.02 ? Math.max(10, window >> 1) : window + 1;
  }
  return workloadOf('download', arrivals, 8 * SECOND);
}

/** Dots of a test run, and now and then the report of a failure. */
function testRun(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = 0; t < 30 * SECOND; t += random.between(5, 60) * MILLISECOND) {
    arrivals.push([t, 1, undefined, 0]);
    if (random.uniform() > 0.05) continue;
    const lines = random.integer(20, 60);
    for (let i = 0; i < lines; i++) {
      t += random.between(10, 40);
      arrivals.push([t, 90, undefined, i < 19 ? 1 : 2]);
    }
  }
  return workloadOf('test run', arrivals, 30 * SECOND);
}

/** A pager that scrolls by key repeat: each key brings three pieces. */
function pager(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = 0; t < 30 * SECOND; t += 33 * MILLISECOND) {
    const second = t + random.between(150, 250);
    arrivals.push([t, 30, undefined, 0], [second, 400, undefined, 1]);
    arrivals.push([second + random.between(250, 450), 60, undefined, 2]);
  }
  return workloadOf('pager', arrivals, 30 * SECOND);
}

/** Quotes that cause quotes: Poisson numbers of children, each soon after its parent. */
function quotes(seed: number): Workload {
  const random = seededRandom(seed);
  const times: number[] = [];
  const spread = (at: number, depth: number): void => {
    times.push(at);
    if (depth === 0) return;
    for (let rest = random.exponential(1); rest < 0.7; rest += random.exponential(1)) {
      spread(at + random.exponential(150), depth - 1);
    }
  };
  for (let t = 0; t < 10 * SECOND; t += random.exponential(5 * MILLISECOND)) spread(t, 20);
  times.sort((a, b) => a - b);
  // A Hawkes process: its intensity is all that the past tells about the future.
  let excited = 0;
  const arrivals = times.map((t, i): Arrival => {
    excited = excited * Math.exp((times[i - 1]! - t) / 150 || 0) + 0.7 / 150;
    const intensity = 1 + excited * 5 * MILLISECOND;
    return [t, 40, undefined, Math.round(4 * Math.log2(intensity))];
  });
  return workloadOf('quotes', arrivals, 10 * SECOND);
}

/** A Poisson process whose rate swings twice a second. */
function swinging(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = 0; t < 10 * SECOND; ) {
    const swing = 0.5 - 0.5 * Math.cos((4 * Math.PI * t) / SECOND);
    arrivals.push([t, 25, undefined, Math.round(20 * swing)]);
    t += random.exponential(SECOND / (200 * 40 ** swing));
  }
  return workloadOf('swinging', arrivals, 10 * SECOND);
}

/** Every two seconds a dump of thousands of lines; in between a line now and then. */
function dumps(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let t = 0; t < 20 * SECOND; t += random.exponential(100 * MILLISECOND)) {
    arrivals.push([t, 60, undefined, 0]);
  }
  for (let t = SECOND; t < 20 * SECOND; t += 2 * SECOND) {
    let at = t;
    for (let i = 0; i < 4000; i++) {
      arrivals.push([at, 60, undefined, 1]);
      at += random.exponential(4);
    }
  }
  return workloadOf('dumps', arrivals, 20 * SECOND);
}

/** A sender that changes between two steady paces every hundred items. */
function twoPaces(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  let t = 0;
  for (let i = 0; i < 20_000; i++) {
    const isSlow = Math.floor(i / 100) % 2 === 0;
    arrivals.push([t, 100, undefined, isSlow ? 0 : 1]);
    t += (isSlow ? 900 : 70) * random.between(0.8, 1.2);
  }
  return workloadOf('two paces', arrivals, t);
}

/** A display of 120 frames a second that skips some, and sends one or two pieces of the others. */
function display(seed: number): Workload {
  const random = seededRandom(seed);
  const arrivals: Arrival[] = [];
  for (let frame = 0; frame < 120 * 15; frame++) {
    if (random.uniform() < 0.2) continue;
    const at = (frame * SECOND) / 120 + random.exponential(100);
    arrivals.push([at, 1500, undefined, 0]);
    if (random.uniform() < 0.5) arrivals.push([at + random.between(60, 160), 500, undefined, 1]);
  }
  return workloadOf('display', arrivals, 15 * SECOND);
}

/** Returns the workloads that judge the law. */
export function heldOutWorkloads(seed = 1): Workload[] {
  const gamma = (random: Random): number => 600 * random.normal() ** 2;
  const twoHumps = (random: Random): number =>
    random.uniform() < 0.7 ? random.between(50, 110) : random.exponential(5000);
  return [
    renewal('gamma gaps', 10, seed + 201, gamma),
    renewal('gaps of two kinds', 10, seed + 202, twoHumps),
    renewal('uniform gaps', 10, seed + 203, (random) => random.between(0, 1500)),
    eightPanes(seed + 204),
    download(seed + 205),
    testRun(seed + 206),
    pager(seed + 207),
    quotes(seed + 208),
    swinging(seed + 209),
    dumps(seed + 210),
    twoPaces(seed + 211),
    display(seed + 212),
    closedLoop('reply in two pieces', {
      rounds: 2000,
      roundHold: 300,
      offsets: [0, 300],
      think: (random) => random.exponential(2000) + 100,
    }),
    closedLoop('uneven loop', {
      rounds: 3000,
      roundHold: 0,
      offsets: [0],
      think: (random) => random.between(20, 4000),
    }),
  ];
}
