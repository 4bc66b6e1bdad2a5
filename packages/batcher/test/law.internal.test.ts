// Goal: the parts of the law keep their invariants. Method: fast-check on each part alone, in us of virtual time.
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { CostModel } from '../src/law/cost-model.ts';
import { Expert } from '../src/law/expert.ts';
import { bucketOf, GapModel } from '../src/law/gap-model.ts';
import { Guard } from '../src/law/guard.ts';
import { Law } from '../src/law/law.ts';
import { Trust } from '../src/law/trust.ts';
import { gapContext, VIEW_CONTEXTS } from '../src/law/views.ts';

const runs = Number(process.env['FC_RUNS'] ?? 200);

it('L5: a free sink is delivered to at once, and a dearer one by what was learned before', () => {
  const cost = new CostModel(20);
  const law = new Law({ delayMax: 5000, overhead: 0.1, cost });
  const arrive = (from: number, ticks: number): number => {
    let held = 0;
    for (let i = 0; i < ticks; i++) {
      const now = from + i * 10;
      law.arrive(now, 1);
      if (law.due(now, now) > now) held++;
      else law.flushed(now, 0);
    }
    return held;
  };
  const settle = (us: number): void => {
    for (let i = 0; i < 300; i++) cost.observe(1, us);
  };
  settle(20);
  expect(arrive(0, 500)).toBeGreaterThan(400);
  settle(0.1);
  expect(arrive(1e6, 500)).toBe(0);
  expect(law.hold).toBe(0);
  settle(20);
  expect(arrive(2e6, 500)).toBeGreaterThan(400);
});

describe('cost model', () => {
  it('finds the fixed cost and the cost of a byte', () => {
    const model = new CostModel(20);
    for (let i = 0; i < 300; i++)
      model.observe((i * 7919) % 10_000, 50 + 0.02 * ((i * 7919) % 10_000));
    expect(model.fixed).toBeGreaterThan(45);
    expect(model.fixed).toBeLessThan(60);
    expect(model.perByte).toBeCloseTo(0.02, 3);
  });

  test.prop([fc.array(fc.tuple(fc.nat(100_000), fc.double({ min: 0, max: 1e6, noNaN: true })))], {
    numRuns: runs,
  })('C1: both parts stay positive and finite, whatever is observed', (observations) => {
    const model = new CostModel(20);
    for (const [bytes, duration] of observations) {
      model.observe(bytes, duration);
      expect(model.fixed).toBeGreaterThan(0);
      expect(model.fixed).toBeLessThan(1e7);
      expect(model.perByte).toBeGreaterThanOrEqual(0);
    }
  });

  it('C2: one outlier moves it little', () => {
    const model = new CostModel(20);
    for (let i = 0; i < 100; i++) model.observe(100, 50);
    model.observe(100, 1e9);
    expect(model.predict(100)).toBeLessThan(60);
  });
});

describe('gap model', () => {
  test.prop(
    [fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 2, maxLength: 300 })],
    {
      numRuns: runs,
    },
  )('G2: a hold is 0 or at most holdMax tau, and its chance is at least chanceMin', (gaps) => {
    const model = new GapModel(1);
    for (const gap of gaps) model.observe(0, bucketOf(gap));
    for (const tau of [5, 500, 20_000]) {
      model.solve(0, tau, 1, 1.5, 0.3, 0);
      const hold = model.hold(0);
      expect(hold).toBeGreaterThanOrEqual(0);
      expect(hold).toBeLessThanOrEqual(1.5 * 1.02 * tau);
      if (hold > 0) expect(model.chance(0)).toBeGreaterThanOrEqual(0.3);
    }
  });

  test.prop(
    [
      fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 2, maxLength: 100 }),
      fc.constantFrom(50, 500, 4000),
      fc.constantFrom(100, 1000),
    ],
    { numRuns: runs },
  )(
    'G3: a reach is at least the hold and stays within what the timer may make of it',
    (gaps, tau, lateness) => {
      const model = new GapModel(2);
      for (const gap of gaps) {
        model.observe(0, bucketOf(gap));
        model.observe(1, bucketOf(gap));
      }
      model.solve(0, tau, 1, 1.5, 0, lateness);
      model.solve(1, tau, 1, 1.5, 0, 0);
      expect(model.hold(0)).toBe(model.hold(1)); // lateness changes what is allowed, not what is best
      expect(model.reach(0)).toBeGreaterThanOrEqual(model.hold(0) / 1.02 - 1e-9);
      expect(model.reach(0)).toBeLessThanOrEqual(1.5 * tau + lateness + 1e-9);
    },
  );

  it('G1: forgetting by growing weights never overflows', () => {
    const model = new GapModel(8);
    for (let i = 0; i < 100_000; i++) model.observe(i % 8, bucketOf(100));
    model.solve(0, 500, 1, 1.5, 0.3, 0);
    expect(model.hold(0)).toBeGreaterThanOrEqual(100);
    expect(model.hold(0)).toBeLessThan(200);
    for (let i = 0; i < 1200; i++) model.observe(0, bucketOf(1e6));
    model.solve(0, 500, 1, 1.5, 0.3, 0);
    expect(model.hold(0)).toBe(0); // what was long ago is forgotten
  });

  it('sorts gaps into half octaves', () => {
    expect([0, 1, 1.4, 1.5, 2, 4, 1e9].map(bucketOf)).toEqual([0, 0, 1, 2, 2, 4, 39]);
    expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(39);
  });

  test.prop(
    [fc.double({ min: 1e-3, max: 1e7, noNaN: true }), fc.double({ min: 1, max: 1e5, noNaN: true })],
    {
      numRuns: runs,
    },
  )('takes logarithms from the bits as the definition does', (gap, tau) => {
    const near = (value: number): number => Math.abs(value - Math.round(value));
    const octaves = 2 * Math.log2(gap);
    fc.pre(near(octaves) > 1e-9);
    expect(bucketOf(gap)).toBe(Math.max(0, Math.min(39, Math.ceil(octaves))));
    const ratio = 2 * Math.log2(gap / tau);
    fc.pre(near(ratio + 0.5) > 1e-9);
    expect(gapContext(gap, tau)).toBe(
      Math.max(0, Math.min(VIEW_CONTEXTS[2]! - 1, Math.round(ratio) + 16)),
    );
  });
});

describe('trust', () => {
  test.prop([fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()))], {
    numRuns: runs,
  })('V1: stays a factor in (0, 1], and comes back within a few merges', (holds) => {
    const trust = new Trust(2, false);
    for (const [chance, merged] of holds) {
      trust.relax(1);
      trust.observe(1, chance, merged);
      expect(trust.of(1)).toBeGreaterThan(0.01);
      expect(trust.of(1)).toBeLessThanOrEqual(1);
    }
    for (let i = 0; i < 4; i++) trust.observe(1, 0.9, true);
    expect(trust.of(1)).toBe(1);
    expect(trust.of(0)).toBe(1); // its own context only
  });

  it('V2, V3: misses in a row make it doubt, one does not; trials get rarer until one succeeds', () => {
    const trust = new Trust(1, false);
    for (let i = 0; i < 20; i++) trust.observe(0, 0.9, true);
    trust.observe(0, 0.97, false);
    expect(trust.of(0)).toBe(1);
    while (trust.of(0) === 1) trust.observe(0, 0.97, false);
    const wait = (): number => {
      let arrivals = 0;
      for (; trust.of(0) < 1; arrivals++) trust.relax(0);
      return arrivals;
    };
    const waits = Array.from({ length: 10 }, () => {
      const waited = wait();
      trust.observe(0, 0.97, false);
      return waited;
    });
    expect(waits[2]).toBeGreaterThan(1.5 * waits[1]!);
    expect(waits[5]).toBeGreaterThan(8 * waits[1]!);
    expect(waits[9]).toBeLessThan(1000);
    wait();
    trust.observe(0, 0.97, true);
    while (trust.of(0) === 1) trust.observe(0, 0.97, false);
    expect(wait()).toBeLessThan(50);
  });
});

describe('expert', () => {
  const limits = { holdMax: 1.5, chanceMin: 0.3, calibrates: true };

  test.prop(
    [
      fc.array(fc.double({ min: 0.1, max: 3000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0, 100, 1000),
    ],
    { numRuns: runs },
  )(
    'E1, E2: charges what its holds would have cost, with the timer that it would have had',
    (gaps, resolution) => {
      const tau = 500;
      const expert = new Expert(1, limits, resolution);
      let now = 0;
      let expected = 0;
      let wake = Number.POSITIVE_INFINITY;
      expert.step(0, 0, now, tau, 0);
      for (const gap of gaps) {
        // A model in words: an open batch leaves at the first firing of its timer at or after its due time.
        let loss = expert.hold > 0 ? 0 : 1;
        if (expert.hold > 0) {
          const due = now + expert.hold;
          let fires = due;
          if (resolution > 0) {
            if (wake === Number.POSITIVE_INFINITY) {
              wake = now + resolution * (Math.max(1, Math.ceil(expert.hold / resolution)) + 0.09);
            }
            while (wake <= now) wake += 1.09 * resolution;
            fires = wake;
            while (fires < due) fires += 1.09 * resolution;
          }
          const isLate = fires < now + gap;
          loss = isLate ? (fires - now) / tau + 1 : gap / tau;
          if (isLate) wake = Number.POSITIVE_INFINITY;
        } else wake = Number.POSITIVE_INFINITY;
        // What a flush at once costs is charged when it is proposed, before the decay of the next arrival.
        const atOnce = expert.hold > 0 ? 0 : 1;
        expected = (expected + atOnce) * 0.98 + Math.min(3, loss - atOnce);
        expert.step(bucketOf(gap), now, now + gap, tau, 0);
        now += gap;
        expect(expert.loss - (expert.hold > 0 ? 0 : 1)).toBeCloseTo(expected, 6);
      }
    },
  );

  it('E3: holds with an exact timer what a coarse one would hold for too long', () => {
    const gaps = [300, 300, 5000]; // two in three come within 0.6 tau, else it is a miss
    const holdOf = (resolution: number): number => {
      const expert = new Expert(1, limits, resolution);
      let now = 0;
      for (let i = 0; i < 90; i++) {
        const gap = gaps[i % 3]!;
        expert.step(bucketOf(gap), now, now + gap, 500, 0);
        now += gap;
      }
      return expert.hold;
    };
    expect(holdOf(0)).toBeGreaterThan(250);
    expect(holdOf(1000)).toBe(0);
  });

  it('never holds without a view', () => {
    const none = new Expert(0, limits, 0);
    none.step(0, 0, 0, 500, 7);
    none.learn(true);
    none.step(3, 0, 10, 500, 7);
    expect(none.hold).toBe(0);
    expect(none.loss).toBeCloseTo(1.98);
  });

  it('sorts the last gap by half octaves of tau', () => {
    expect(gapContext(500, 500)).toBe(16);
    expect(gapContext(250, 500)).toBe(14);
    expect(gapContext(0, 500)).toBe(0);
    expect(gapContext(Number.POSITIVE_INFINITY, 500)).toBe(VIEW_CONTEXTS[2]! - 1);
  });
});

describe('guard', () => {
  test.prop(
    [fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 300 }), fc.boolean()],
    {
      numRuns: runs,
    },
  )('T1: flushes stay at most a few ahead of one per interval', (gaps, isCoarse) => {
    const guard = new Guard(2, 1, isCoarse ? 1000 : 0);
    let now = 0;
    let flushes = 0;
    for (const gap of gaps) {
      now += gap;
      if (guard.next(now, 100, now, flushes) > now) continue;
      guard.flushed(now, 100, flushes);
      flushes++;
    }
    expect(flushes).toBeLessThanOrEqual(now / 100 + 2 + 8 + 1e-9);
  });

  /** Flushes whenever it may; returns the last wait for a token. */
  const wait = (guard: Guard, rounds: number, arrivalsDuringWait: number): number => {
    let now = 0;
    let arrivals = 0;
    let last = 0;
    for (let i = 0; i < rounds; i++) {
      arrivals++;
      const next = guard.next(now, 100, now, arrivals);
      last = next - now;
      arrivals += last > 0 ? arrivalsDuringWait : 0;
      now = next;
      guard.flushed(now, 100, arrivals);
    }
    return last;
  };

  it('T2: waits in vain shorten the interval, and one merge restores it', () => {
    const guard = new Guard(2, 0.25, 0);
    expect(wait(guard, 200, 0)).toBeCloseTo(25, 0);
    expect(wait(new Guard(2, 0.25, 0), 200, 1)).toBeCloseTo(100, 0);
    const restored = new Guard(2, 0.25, 0);
    let now = 0;
    let arrivals = 0;
    const step = (during: number): number => {
      const next = restored.next(now, 100, now, ++arrivals);
      const waited = next - now;
      arrivals += during;
      now = next;
      restored.flushed(now, 100, arrivals);
      return waited;
    };
    for (let i = 0; i < 200; i++) step(0);
    expect(step(1)).toBeLessThan(30);
    step(0);
    expect(step(0)).toBeGreaterThan(45);
  });

  it('T3: a wait that a coarse timer would stretch goes on credit', () => {
    const fine = new Guard(1, 1, 0);
    const coarse = new Guard(1, 1, 1000);
    for (const guard of [fine, coarse]) guard.flushed(0, 100, 1);
    expect(fine.next(10, 100, 10, 2)).toBeCloseTo(100);
    expect(coarse.next(10, 100, 10, 2)).toBe(10);
  });
});

describe('law', () => {
  test.prop(
    [
      fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { maxLength: 200 }),
      fc.constantFrom('oldest' as const, 'each' as const),
    ],
    {
      numRuns: runs,
    },
  )('L1: nothing is due later than its budget', (gaps, waiting) => {
    const law = new Law({ delayMax: 3000, overhead: 0.1, waiting });
    let now = 0;
    let oldest = 0;
    let count = 0;
    for (const gap of gaps) {
      now += gap;
      if (count === 0) oldest = now;
      count++;
      law.arrive(now, count);
      const due = law.due(now, oldest);
      expect(due).toBeLessThanOrEqual(oldest + 3000 + 1e-9);
      if (due <= now) {
        law.flushed(now, 0);
        law.cost.observe(count, 400);
        count = 0;
      }
    }
  });

  it('L3: makes a third flush in a row wait for its token', () => {
    const law = new Law({ delayMax: 5000, overhead: 0.1, cost: new CostModel(50) });
    const waits = [0, 1, 2].map((now) => {
      law.arrive(now, 1);
      const wait = law.due(now, now) - now;
      law.flushed(now, 0);
      return wait;
    });
    expect(waits[0]).toBeLessThanOrEqual(0);
    expect(waits[1]).toBeLessThanOrEqual(0);
    expect(waits[2]).toBeGreaterThan(50); // 0.2 tau is 100 us
  });

  it('L4: loses its trust in holds that bring nothing', () => {
    const law = new Law({ delayMax: 5000, overhead: 0.1 });
    let now = 0;
    let held = 0;
    for (let i = 0; i < 400; i++) {
      law.arrive(now, 1);
      const due = Math.max(now, law.due(now, now));
      held = law.hold;
      law.flushed(due, 0);
      law.cost.observe(8, 50);
      now = due + 200; // the producer answers 200 us after each delivery
    }
    expect(held).toBe(0);
    expect(law.trust).toBeLessThan(0.7);
  });
});
