/**
 * Goal: the measuring parts of the scenarios measure right. Method: a link against its own arithmetic, in real
 * time but judged by order and sums only; the typist with a clock of the test's; the verdicts on made-up figures.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Link } from '../src/bench/link.ts';
import { keyDueMs, outsideTyping, typeOutside } from '../src/bench/outside-typist.ts';
import { figureRows } from '../src/bench/report.ts';
import { runScenario } from '../src/bench/run-scenarios.ts';
import type { Measure, Scenario } from '../src/bench/scenario.ts';
import { Typist } from '../src/bench/typist.ts';
import { BridgeError } from '../src/errors.ts';
import { createClock } from '../src/measure/clock.ts';

describe('Link', () => {
  test('passes everything, in order, no faster than its rate', async () => {
    const link = new Link(2_000_000);
    const passed: number[] = [];
    const startMs = performance.now();
    await new Promise<void>((resolve) => {
      for (let index = 0; index < 40; index++) {
        link.write(5000, () => {
          passed.push(index);
          // 50 ms of credit is what a late turn may catch up.
          expect((performance.now() - startMs + 50) * 2000).toBeGreaterThan(passed.length * 5000);
          if (passed.length === 40) resolve();
        });
      }
      expect(link.queuedBytes).toBe(200_000);
    });
    expect(passed).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(link.queuedBytes).toBe(0);
    link.stop();
  });

  test('without a rate accepts at once', () => {
    const link = new Link(undefined);
    let passed = false;
    link.write(1e9, () => {
      passed = true;
    });
    expect([passed, link.immediate, link.queuedBytes]).toEqual([true, true, 0]);
  });
});

describe('Typist', () => {
  propertyTest.prop([
    fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 30 }),
    fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 50 }),
    fc.nat({ max: 3 }),
  ])(
    'sees each key once, however the echo is cut, and none that it did not type',
    async (delays, cuts, unmeasured) => {
      let now = 0;
      const typist = new Typist(unmeasured, () => now);
      const typed: string[] = [];
      typist.start((text) => typed.push(text), 0, delays.length);
      while (typist.sent < delays.length) await new Promise((resolve) => setTimeout(resolve, 1));
      expect(typed).toHaveLength(delays.length + unmeasured);
      now = 1e6;
      // The echo with a picture of the screen in its middle: keys seen before and keys of somebody else.
      const text = Buffer.from(`${typed.join('')}K999999#${typed.join('')}`);
      let at = 0;
      for (let index = 0; at < text.length; index++) {
        const length = cuts[index % cuts.length]!;
        typist.see(text.subarray(at, at + length));
        at += length;
      }
      expect(typist.seen).toBe(delays.length);
      expect(typist.missing).toBe(0);
      expect(typist.latency.count).toBe(delays.length);
      expect(typist.latency.min).toBe(1e6);
    },
  );

  test('counts a key that never comes back with its age', async () => {
    let now = 0;
    const typist = new Typist(0, () => now);
    typist.start(() => {}, 0, 3);
    while (typist.sent < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    typist.see(Buffer.from('K000001#'));
    now = 5e9;
    expect(typist.oldestNs).toBe(5e9);
    typist.giveUp();
    expect([typist.seen, typist.missing, typist.latency.count]).toEqual([1, 0, 3]);
    expect(typist.latency.max).toBe(5e9);
  });
});

test('a thread types at its own times, and whoever sees a key finds when that was', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'));
  const terminal = join(directory, 'terminal');
  try {
    writeFileSync(terminal, '');
    const clock = createClock();
    const typist = new Typist(2, () => clock.now());
    const typing = outsideTyping(terminal, 1, 12, clock.epoch);
    typist.follow(typing);
    expect([typist.sent, typist.missing]).toEqual([0, 0]);
    await typeOutside(typing);
    expect([typist.sent, typist.missing]).toEqual([10, 12]);
    expect(typist.oldestNs).toBeGreaterThanOrEqual(10e6);
    typist.see(readFileSync(terminal));
    expect([typist.seen, typist.missing, typist.latency.count]).toEqual([10, 0, 10]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

propertyTest.prop([
  fc.constantFrom(25, 40, 50, 60, 100),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0.2, max: 0.8, noNaN: true }),
])(
  'its keys find a loop at every phase alike, also one that keeps step with them',
  (period, from, part) => {
    const keys = 200;
    let hits = 0;
    for (let key = 0; key < keys; key++) {
      const phase = (keyDueMs(key, 20) / period + from) % 1;
      if (phase < part) hits++;
      expect(keyDueMs(key + 1, 20)).toBeGreaterThan(keyDueMs(key, 20));
    }
    expect(Math.abs(hits / keys - part)).toBeLessThan(0.06);
  },
);

describe('the verdicts', () => {
  const figure = { name: 'echo', value: 'echoP99Ms', unit: 'ms', better: 'lower' } as const;
  const context = { tmux: 'tmux', signal: new AbortController().signal, scale: 1 };
  const gives =
    (...values: number[]): Measure =>
    () =>
      Promise.resolve({ values: { echoP99Ms: values.shift()! } });
  const scenario = (
    contenders: Scenario['contenders'],
    figures: Scenario['figures'],
  ): Scenario => ({
    name: 'test',
    title: 'a test',
    ours: 'ours',
    rounds: 3,
    contenders,
    figures,
  });

  test('are made of medians, against the best peer, contenders in turn', async () => {
    const turns: string[] = [];
    const { figures } = await runScenario(
      scenario({ ours: gives(10, 90, 20), slow: gives(900, 1, 2000), fast: gives(100, 100, 100) }, [
        { ...figure, bar: 5, peers: ['slow', 'fast'] },
        { ...figure, bar: 6, peers: ['slow', 'fast'] },
        { ...figure, bar: 20 },
        { ...figure, bar: 19 },
      ]),
      3,
      context,
      (_, name, round) => turns.push(`${name}${round}`),
    );
    expect(figures.map(({ verdict }) => verdict)).toEqual([
      'holds',
      'falls short',
      'holds',
      'falls short',
    ]);
    expect(figures[0]).toMatchObject({ ours: 20, ratio: 5, peers: { slow: 900, fast: 100 } });
    expect(turns.slice(0, 4)).toEqual(['ours0', 'slow0', 'fast0', 'ours1']);
  });

  test('name their bar as what it asks for', async () => {
    const { figures } = await runScenario(
      scenario({ ours: gives(1), peer: gives(1) }, [
        { ...figure, bar: 2, peers: ['peer'] },
        { ...figure, bar: 0.8, peers: ['peer'] },
        { ...figure, bar: 0.75, peers: ['peer'], better: 'higher' },
        { ...figure, bar: 5 },
      ]),
      1,
      context,
      () => {},
    );
    const [, ...rows] = figureRows([{ scenario: scenario({}, []), contenders: [], figures }]);
    expect(rows.map((row) => row[4])).toEqual([
      '2x',
      'at most 1.25x of it',
      'at least 0.750x of it',
      '<= 5 ms',
    ]);
  });

  test('say that a peer is missing, and go on without it; ours must run', async () => {
    const fails: Measure = () => Promise.reject(new BridgeError('ERR_TMUX_EXITED', 'it broke'));
    const peers = { ...figure, bar: 1, peers: ['peer'] };
    const ran = await runScenario(
      scenario({ ours: gives(1), peer: fails }, [peers, { ...figure, bar: 1 }]),
      1,
      context,
      () => {},
    );
    expect(ran.figures.map(({ verdict }) => verdict)).toEqual(['not run', 'holds']);
    expect(ran.contenders[1]).toMatchObject({ name: 'peer', reason: 'it broke' });
    const broken = scenario({ ours: fails, peer: gives(1) }, [peers]);
    await expect(runScenario(broken, 1, context, () => {})).rejects.toThrow('it broke');
    const here = { ...broken, unavailable: () => 'not on this system' };
    const skipped = await runScenario(here, 1, context, () => {});
    expect(skipped).toMatchObject({ reason: 'not on this system', contenders: [] });
    expect(skipped.figures[0]!.verdict).toBe('not run');
  });
});
