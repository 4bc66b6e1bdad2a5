// Goal: the yardstick itself is right: the optimum is optimal, simulations add up, and the batcher does in virtual time
// what the simulator says its law does. Method: brute force over all partitions on small inputs; fast-check.
import { fc, test } from '@fast-check/vitest';
import { createBatcher, list } from '@millrace/batcher';
import {
  type CostConfiguration,
  clairvoyantOptimum,
  clairvoyantOptimumOfSum,
  compare,
  comparisonSvg,
  comparisonTable,
  configurations,
  greedy,
  heldOutWorkloads,
  hindsightCost,
  informedCost,
  lawPolicy,
  lawPolicyWith,
  linger,
  outcomeTable,
  parseTrace,
  peerPolicies,
  poisson,
  publicWorkloads,
  searchAdversary,
  simulate,
  skiRental,
  TraceRecorder,
  traceWorkload,
  variedWorkloads,
  virtualScheduler,
  type Workload,
} from '@millrace/batcher/sim';
import { describe, expect, it } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 200);

const smallWorkload: fc.Arbitrary<Workload> = fc
  .record({
    gaps: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2000 })), {
      minLength: 1,
      maxLength: 9,
    }),
    bytes: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 9, maxLength: 9 }),
    stall: fc.option(fc.tuple(fc.nat(3000), fc.nat(3000))),
  })
  .map(({ gaps, bytes, stall }) => {
    let t = 0;
    const times = Float64Array.from(gaps, (gap) => {
      t += gap;
      return t;
    });
    return {
      name: 'small',
      times,
      bytes: Float64Array.from(bytes.slice(0, times.length)),
      horizon: t,
      ...(stall === null ? {} : { stalls: [[stall[0], stall[0] + stall[1]] as const] }),
    };
  });

const smallCost: fc.Arbitrary<CostConfiguration> = fc.record({
  fixed: fc.constantFrom(10, 50, 200),
  perByte: fc.constant(0),
  overhead: fc.constantFrom(0.05, 0.1, 0.5),
  delayMax: fc.constantFrom(100, 1000, 5000),
  countMax: fc.constantFrom(1, 3, 100),
  bytesMax: fc.constantFrom(20, 40, 1000),
});

/** All ways to cut n arrivals into contiguous batches, as bit masks of the cuts. */
function bruteForce(
  workload: Workload,
  cost: CostConfiguration,
  delayOf: (times: number[], end: number) => number,
): number {
  const { times, bytes, stalls } = workload;
  const n = times.length;
  const free = (t: number): number => {
    const stall = stalls?.find(([start, end]) => start <= t && t < end);
    return stall === undefined ? t : stall[1];
  };
  let best = Number.POSITIVE_INFINITY;
  for (let cuts = 0; cuts < 1 << (n - 1); cuts++) {
    let total = 0;
    let start = 0;
    for (let i = 0; i < n; i++) {
      if (i < n - 1 && (cuts & (1 << i)) === 0) continue;
      const batch = [...times.slice(start, i + 1)];
      const size = bytes!.slice(start, i + 1).reduce((a, b) => a + b, 0);
      const end = free(batch[batch.length - 1]!);
      const isAllowed =
        batch.length === 1 ||
        (batch.length <= cost.countMax &&
          size <= cost.bytesMax &&
          end <= Math.max(batch[0]! + cost.delayMax, free(batch[0]!)));
      total += isAllowed
        ? cost.fixed + cost.overhead * delayOf(batch, end)
        : Number.POSITIVE_INFINITY;
      start = i + 1;
    }
    best = Math.min(best, total);
  }
  return best;
}

test.prop([smallWorkload, smallCost], { numRuns: runs })(
  'O1: the optimum equals the best of all partitions',
  (workload, cost) => {
    const expected = bruteForce(workload, cost, (times, end) => end - times[0]!);
    expect(clairvoyantOptimum(workload, cost).cost).toBeCloseTo(expected, 6);
  },
);

test.prop([smallWorkload, smallCost], { numRuns: runs })(
  'the optimum of the sum equals the best of all partitions between ticks',
  (drawn, cost) => {
    const { stalls: _, ...workload } = drawn;
    const distinct = {
      ...workload,
      times: workload.times.map((t, i) => t + i),
    };
    const expected = bruteForce(
      distinct,
      { ...cost, bytesMax: Number.POSITIVE_INFINITY },
      (times, end) => times.reduce((sum, t) => sum + end - t, 0),
    );
    const found = clairvoyantOptimumOfSum(distinct, {
      ...cost,
      bytesMax: Number.POSITIVE_INFINITY,
    });
    expect(found).toBeCloseTo(expected, 6);
  },
);

test.prop([smallWorkload, smallCost, fc.nat(18)], { numRuns: runs })(
  'S1, S2: every policy delivers everything in order, and none that keeps the budget beats the optimum',
  (workload, cost, index) => {
    const policies = [
      ...peerPolicies(),
      { name: 'millrace', make: lawPolicy, ignoresBudget: false },
    ];
    const policy = policies[index]!;
    const result = simulate(workload, policy.make, cost, { noise: 0 });
    expect(result.items).toBe(workload.times.length);
    expect(result.delays.every((delay) => delay >= 0)).toBe(true);
    const kept = { ...cost, delayMax: Math.max(cost.delayMax, result.ageMax) };
    const optimum = clairvoyantOptimum(workload, kept).cost;
    expect(result.cost).toBeGreaterThanOrEqual(optimum - 1e-6);
  },
);

describe('the informed policy', () => {
  const cost = { ...configurations.ipc, delayMax: 1e9 };
  const drawn = (gaps: number[], states: number[]): Workload => {
    let t = 0;
    const times = Float64Array.from(gaps, (gap) => {
      t += gap;
      return t;
    });
    return { name: 'drawn', times, states: Int32Array.from(states), horizon: t };
  };

  test.prop([fc.array(fc.tuple(fc.integer({ min: 1, max: 2500 }), fc.nat(2)), { minLength: 2 })], {
    numRuns: runs,
  })('N1: lies between the optimum and the best constant hold', (arrivals) => {
    const workload = drawn(
      arrivals.map(([gap]) => gap),
      arrivals.map(([, state]) => state),
    );
    const gaps = arrivals.slice(1).map(([gap]) => gap);
    const constant = (hold: number): number =>
      gaps.reduce((sum, gap) => sum + (gap <= hold ? gap / 10 : hold / 10 + 50), 50);
    const best = Math.min(...[0, 60, 300, 750, 3000].map(constant));
    const informed = informedCost(workload, cost);
    expect(informed).toBeGreaterThanOrEqual(clairvoyantOptimum(workload, cost).cost - 1e-6);
    expect(informed).toBeLessThanOrEqual(best + gaps.length * 1.5 + 1e-6); // bins of 15 us
  });

  it('pays e / (e - 1) for Poisson arrivals at the break-even rate, like everybody', () => {
    const workload = poisson('Poisson 2k', 2000, 20, 5);
    const ratio = informedCost(workload, cost) / clairvoyantOptimum(workload, cost).cost;
    expect(ratio).toBeGreaterThan(1.54);
    expect(ratio).toBeLessThan(1.6);
  });

  it('pays more when no timer fires before 1 ms, and no more than it must', () => {
    const short = poisson('Poisson 4k', 4000, 1, 5);
    expect(informedCost(short, cost, 1000)).toBeGreaterThanOrEqual(informedCost(short, cost));
    // Pairs 100 us apart, pairs 50 ms apart: the second state says that nothing follows soon.
    const gaps = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 50_000 : 100));
    const pairs = drawn(
      gaps,
      gaps.map((_, i) => i % 2),
    );
    expect(informedCost(pairs, cost, 1000)).toBeCloseTo(200 * (50 + 10), 0);
    expect(hindsightCost(pairs, cost, 1000)).toBeCloseTo(200 * (50 + 10), 0);
  });

  it('N2: is beaten by no policy that has the same timer and arrivals without memory', () => {
    const draws = [4, 8].map((seed) => poisson('Poisson 1500', 1500, 8, seed));
    for (const workload of draws) {
      for (const [resolution, timer] of [
        [0, 'ideal'],
        [1000, 'node'],
      ] as const) {
        const informed = informedCost(workload, cost, resolution);
        const policies = [greedy, linger(1000), skiRental, lawPolicyWith({}, 'oldest', resolution)];
        for (const policy of policies) {
          const other = simulate(workload, policy, cost, { timer, noise: 0 }).cost;
          expect(informed).toBeLessThan(1.01 * other); // the DP's steps
        }
      }
    }
  });

  it('gains by a timer that runs while nothing waits only as long as wakes are cheap', () => {
    const cost = configurations.ipc;
    const workload = variedWorkloads().find(({ name }) => name === 'Weibull gaps')!;
    const costs = [0, 2, 8, 1000].map((wake) => informedCost(workload, cost, 1000, wake));
    for (let i = 1; i < costs.length; i++) expect(costs[i]).toBeGreaterThanOrEqual(costs[i - 1]!);
    const armed = informedCost(workload, cost, 1000);
    expect(costs[0]).toBeLessThan(0.95 * armed);
    expect(costs[3]).toBeCloseTo(armed, 0);
  });

  it('knows a burst by its length where that tells, and pays for the timer where nothing does', () => {
    const bursts = (length: (i: number) => number): Workload => {
      const gaps: number[] = [];
      for (let i = 0; i < 300; i++) {
        gaps.push(50_000);
        for (let k = 1; k < length(i); k++) gaps.push(80);
      }
      const workload = drawn(gaps, []);
      return { ...workload, states: new Int32Array(gaps.length) };
    };
    const ratio = (workload: Workload): number =>
      hindsightCost(workload, cost, 1000) / clairvoyantOptimum(workload, cost).cost;
    expect(ratio(bursts(() => 20))).toBeLessThan(1.01);
    // From 10 to 40: after each arrival another is likely, and at the end the timer is on average half a ms away.
    expect(ratio(bursts((i) => 10 + ((i * 17) % 31)))).toBeGreaterThan(1.15);
  });
});

/** Plays a workload on a real batcher in virtual time; returns when it flushed and how much. */
function playBatcher(workload: Workload, cost: CostConfiguration): [number, number][] {
  const scheduler = virtualScheduler();
  const flushes: [number, number][] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    scheduler,
    delayMsMax: cost.delayMax / 1000,
    overhead: cost.overhead,
    flush: (batch) => {
      flushes.push([scheduler.now() * 1000, batch.count]);
      return { costMs: cost.fixed / 1000 };
    },
  });
  let i = 0;
  while (i < workload.times.length) {
    const now = workload.times[i]!;
    scheduler.advance(now / 1000 - scheduler.now());
    while (workload.times[i] === now) {
      batcher.push(i, 'k');
      i++;
    }
    scheduler.endTick();
  }
  scheduler.advance(1000);
  return flushes;
}

describe('the batcher', () => {
  for (const workload of [
    poisson('Poisson 3k', 3000, 0.5, 7),
    poisson('Poisson 20k', 20_000, 0.2, 8),
    { ...publicWorkloads()[1]!, name: 'typing' },
  ]) {
    it(`flushes ${workload.name} when the simulator says so`, () => {
      const cost = { ...configurations.ipc, perByte: 0, countMax: 65536 };
      const short = { ...workload, times: workload.times.slice(0, 4000) };
      const simulated: [number, number][] = [];
      simulate(
        short,
        (configuration) => {
          const law = lawPolicy(configuration);
          return {
            ...law,
            flushed: (now, count, bytes, _duration, age, left) => {
              simulated.push([now, count]);
              // A real sink is synchronous here: it costs nothing in virtual time, and reports its cost.
              law.flushed?.(now, count, bytes, cost.fixed, age, left);
            },
          };
        },
        { ...cost, fixed: 1e-9 },
        { noise: 0 },
      );
      const played = playBatcher(short, cost);
      const items = (flushes: [number, number][]): number =>
        flushes.reduce((sum, [, count]) => sum + count, 0);
      expect(items(played)).toBe(short.times.length);
      // The last batch apart: the simulator drains it, the batcher waits for its hold.
      for (let i = 0; i < simulated.length - 1; i++) {
        expect(played[i]![0]).toBeCloseTo(simulated[i]![0], 2);
        expect(played[i]![1]).toBe(simulated[i]![1]);
      }
    });
  }
});

/** The first arrivals of a workload: enough to learn from, and quick. */
const short = (workload: Workload): Workload => ({
  ...workload,
  times: workload.times.slice(0, 20_000),
});

describe('the law', () => {
  const publics = publicWorkloads();
  const drawn = publicWorkloads(3).map(short);
  const bars = { ipc: [1.2, 1.65], render: [1.2, 1.65], strict: [1.2, 1.65] } as const;
  for (const name of ['ipc', 'render', 'strict'] as const) {
    it(`stays within the bars on the public workloads, ${name}`, () => {
      const [row] = compare(drawn, configurations[name], { policies: [] });
      expect(row!.geomean).toBeLessThanOrEqual(bars[name][0]);
      expect(row!.worst).toBeLessThanOrEqual(bars[name][1]);
    });
  }

  it('L2: adds nothing to a lone keystroke after idling', () => {
    const echo = publics[0]!;
    const { delays } = simulate(echo, lawPolicy, configurations.ipc);
    expect(Math.max(...delays)).toBe(0);
  });

  it('L1: never holds past the budget while the sink is free, on any workload', () => {
    for (const workload of [...publics, ...variedWorkloads(), ...heldOutWorkloads()].map(short)) {
      if (workload.stalls !== undefined) continue;
      for (const cost of Object.values(configurations)) {
        // A sink without cost is always free, but the law still learns what flushes cost.
        const free = { ...cost, fixed: 0, perByte: 0 };
        const { ageMax } = simulate(
          workload,
          () => {
            const law = lawPolicy(cost);
            return {
              ...law,
              flushed: (now, count, bytes, _duration, age, left) =>
                law.flushed?.(now, count, bytes, cost.fixed, age, left),
            };
          },
          free,
        );
        expect(ageMax).toBeLessThanOrEqual(cost.delayMax + 1e-6);
      }
    }
  });

  it('L3: withstands the adversary', () => {
    const { ratio } = searchAdversary(lawPolicy, { starts: 1, steps: 300 });
    expect(ratio).toBeGreaterThan(1.5); // the search works
    expect(ratio).toBeLessThan(4.5);
    expect(searchAdversary(greedy, { starts: 1, steps: 300 }).ratio).toBeGreaterThan(6);
  });

  it('L4: batches again when a closed loop turns into a flood', () => {
    for (const resolution of [0, 1000]) {
      const policy = lawPolicyWith({}, 'oldest', resolution)(configurations.ipc);
      let now = 0;
      const queue = { count: 1, bytes: 8, oldest: 0, newest: 0 };
      for (let i = 0; i < 20_000; i++) {
        Object.assign(queue, { count: 1, oldest: now, newest: now });
        policy.arrive?.(now, 1, 8, queue);
        const due = Math.max(now, policy.due(now, queue));
        policy.flushed?.(due, 1, 8, 50, due - now, 0);
        now = due + 100; // answers 100 us after each delivery
      }
      const flood = Array.from({ length: 4000 }, (_, i) => now + 100 * i);
      let flushes = 0;
      let oldest = -1;
      for (const at of flood) {
        if (oldest < 0) oldest = at;
        Object.assign(queue, { oldest, newest: at });
        policy.arrive?.(at, 1, 8, queue);
        if (policy.due(at, queue) > at) continue;
        policy.flushed?.(at, 1, 8, 50, at - oldest, 0);
        oldest = -1;
        flushes++;
      }
      expect(flushes).toBeLessThan(400); // 100 if it knew at once, 4000 if it never learned
    }
  });

  it('L4: does not slow a closed loop down, and would without calibration', () => {
    const loop = publics.find((workload) => workload.name === 'ping-pong')!;
    const time = (policy: typeof lawPolicy): number =>
      simulate(loop, policy, configurations.ipc).end;
    expect(time(lawPolicy) / time(greedy)).toBeLessThan(1.15);
    expect(time(skiRental) / time(greedy)).toBeGreaterThan(2);
    expect(time(lawPolicyWith({ calibrates: false })) / time(greedy)).toBeGreaterThan(
      time(lawPolicy) / time(greedy),
    );
  });

  it('serves the other objective when told that each item counts', () => {
    const workload = poisson('Poisson 10k', 10_000, 2, 3);
    const optimum = clairvoyantOptimumOfSum(workload, configurations.ipc);
    const ratio = (waiting: 'oldest' | 'each'): number =>
      simulate(workload, lawPolicyWith({}, waiting), configurations.ipc).costOfSum / optimum;
    expect(ratio('each')).toBeLessThan(1.5);
    expect(ratio('oldest')).toBeGreaterThan(3);
  });
});

describe('traces', () => {
  it('come back from text and from a recorder as they went', () => {
    const recorder = new TraceRecorder(3);
    expect(recorder.arrived(10, 5, 1)).toBe(true);
    expect(recorder.arrived(12.5, 7)).toBe(true);
    expect(recorder.arrived(13, 1, 2)).toBe(true);
    expect(recorder.arrived(14)).toBe(false);
    expect(parseTrace('mine', recorder.toString())).toEqual(recorder.workload('mine'));
    expect([...recorder.workload('mine').times]).toEqual([0, 2500, 3000]);
    expect(() => parseTrace('bad', '1 2\nx')).toThrow(/line 2/);
    expect(() => traceWorkload('bad', [{ atMs: Number.NaN }])).toThrow(/atMs/);
  });

  it('are compared as a table and as an SVG, hostile names escaped', () => {
    const workload = parseTrace('<mine> & yours', '0\n0.1\n50\n50.2\n90 100 3\n');
    const rows = compare([workload], configurations.ipc);
    expect(rows.at(-1)).toMatchObject({ policy: 'millrace', ignoresBudget: false });
    expect(comparisonTable(rows).split('\n')).toHaveLength(rows.length + 3);
    expect(outcomeTable(rows[0]!)).toContain('<mine> & yours');
    const svg = comparisonSvg(rows, 'a < b');
    expect(svg).toContain('&lt;mine&gt; &amp; yours');
    expect(svg).not.toMatch(/<mine>/);
    expect(svg.endsWith('</svg>\n')).toBe(true);
  });
});
