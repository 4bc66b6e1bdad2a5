/**
 * Goal: the checker finds what is broken and accepts what isn't. Method: correct queues, counters and wait
 * protocols, each with a list of seeded bugs; every bug must be found within a second, and no correct or
 * equivalent version may raise an alarm.
 */
import {
  assertVerified,
  type CheckResult,
  check,
  type Operation,
  type Scenario,
} from '@millrace/interleave';
import { describe, expect, test } from 'vitest';
import { histogram, histogramBugs } from './support/subjects/histogram.ts';
import { mpmc, mpmcBugs, mpmcEquivalents } from './support/subjects/mpmc.ts';
import { type RingShape, spsc, spscBugs, spscEquivalents } from './support/subjects/spsc.ts';
import { channel, waitBugs } from './support/subjects/wait.ts';

/** First violation among some scenarios. */
function hunt(scenarios: readonly Scenario<never>[]): CheckResult {
  let last: CheckResult | undefined;
  for (const scenario of scenarios) {
    last = check(scenario);
    if (last.verdict === 'violation') return last;
  }
  return last!;
}

function expectFound(result: CheckResult): void {
  expect(result.verdict, String(result)).toBe('violation');
  expect(result.trace.length).toBeGreaterThan(0);
  expect(result.token).toMatch(/^il1-/);
}

const ringShapes: readonly RingShape[] = [
  { capacity: 2, startIndex: 0, pushes: 4, pops: 5 },
  { capacity: 2, startIndex: 0x7ffffffe, pushes: 4, pops: 5 },
];
const [oneTwo, threeFour]: Operation[][] = [
  [
    ['push', 1],
    ['push', 2],
  ],
  [
    ['push', 3],
    ['push', 4],
  ],
];
const fourPops: Operation[] = [['pop'], ['pop'], ['pop'], ['pop']];
const twoPops: Operation[] = [['pop'], ['pop']];

describe('SPSC ring', () => {
  test.each(spscBugs)('finds: %s', (bug) => {
    expectFound(hunt(ringShapes.map((shape) => spsc(shape, bug) as Scenario<never>)));
  });
  test.each(['none', ...spscEquivalents])('accepts: %s', (bug) => {
    for (const shape of ringShapes) assertVerified(check(spsc(shape, bug)));
  });
});

describe('MPMC queue', () => {
  const scenarios = (bug: string) =>
    [
      mpmc(2, [[['push', 1]], [['push', 2]], [['pop'], ['pop']]], bug),
      mpmc(2, [oneTwo!, threeFour!, fourPops], bug),
      mpmc(2, [[...oneTwo!, ['push', 3]], [['pop'], ['pop']], [['pop']]], bug),
    ] as Scenario<never>[];
  test.each(mpmcBugs)('finds: %s', (bug) => {
    expectFound(hunt(scenarios(bug)));
  });
  test.each(['none', ...mpmcEquivalents])('accepts: %s', (bug) => {
    for (const scenario of scenarios(bug)) assertVerified(check(scenario));
  });
  test('accepts two consumers', () => {
    assertVerified(check(mpmc(2, [[['push', 1]], [['push', 2]], [['pop']], [['pop']]])));
  });
});

describe('shared counters', () => {
  const recorders = [
    [3, 5],
    [4, 2],
  ];
  test.each(histogramBugs)('finds: %s', (bug) => {
    expectFound(check(histogram(recorders, bug)));
  });
  test('accepts the correct one', () => {
    assertVerified(check(histogram(recorders)));
  });
});

describe('wait and notify', () => {
  const put: Operation[] = [
    ['put', 1],
    ['put', 2],
  ];
  const take: Operation[] = [['take'], ['take']];
  const scenarios = (bug: string) =>
    [
      channel([put, take], bug),
      channel([[['close']], [['take']]], bug),
      channel([[['close']], [['take']], [['take']]], bug),
    ] as Scenario<never>[];
  test.each(waitBugs)('finds: %s', (bug) => {
    const result = hunt(scenarios(bug));
    expectFound(result);
    expect(['lost-wakeup', 'deadlock', 'linearizability', 'race']).toContain(result.kind);
  });
  test.each(['none', 'notify twice'])('accepts: %s', (bug) => {
    for (const scenario of scenarios(bug)) assertVerified(check(scenario));
  });
});

test('a strict FIFO is more than a Vyukov queue promises', async () => {
  const { fifo } = await import('@millrace/interleave');
  const strict = {
    ...mpmc(2, [oneTwo!, threeFour!, fourPops]),
    spec: fifo({ capacity: 2 }),
  };
  const result = check(strict);
  expect(result.kind).toBe('linearizability');
  expect(result.message).toContain('pop() returned undefined');
});

test('one consumer more than a queue with one consumer allows', () => {
  const scenario = spsc(ringShapes[0]!);
  const result = check({
    ...scenario,
    threads: [...scenario.threads, { ...scenario.threads[1]!, ops: twoPops }],
  });
  expect(result.verdict).toBe('violation');
});
