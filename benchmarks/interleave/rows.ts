/**
 * interleave: how far an exhaustive search gets in what time, and what its verdicts are worth.
 *
 * Measured: whole checks, real code replayed included, race detection and linearizability on. There is no peer
 * for JavaScript; every row is absolute. The programs are those of the package's own tests
 * (packages/interleave/test/support), so a figure here is about code that is known to be judged right.
 */
import { type CheckResult, check, outcomes, type Scenario } from '@millrace/interleave';
import * as fc from 'fast-check';
import { enumerate } from '../../packages/interleave/test/support/brute-force.ts';
import {
  memoryBytes,
  type Program,
  program,
  runProgram,
} from '../../packages/interleave/test/support/programs.ts';
import {
  published,
  run as runPublished,
} from '../../packages/interleave/test/support/published.ts';
import {
  histogram,
  histogramBugs,
} from '../../packages/interleave/test/support/subjects/histogram.ts';
import {
  mpmc,
  mpmcBugs,
  mpmcEquivalents,
} from '../../packages/interleave/test/support/subjects/mpmc.ts';
import {
  spsc,
  spscBugs,
  spscEquivalents,
} from '../../packages/interleave/test/support/subjects/spsc.ts';
import { channel, waitBugs } from '../../packages/interleave/test/support/subjects/wait.ts';
import type { Row } from '../harness/row.ts';

const canonical = () =>
  mpmc(2, [
    [
      ['push', 1],
      ['push', 2],
    ],
    [
      ['push', 3],
      ['push', 4],
    ],
    [['pop'], ['pop'], ['pop'], ['pop']],
  ]);

const verified = (result: CheckResult): CheckResult => {
  if (result.verdict !== 'verified') throw new Error(String(result));
  return result;
};

const large = () =>
  mpmc(2, [
    [
      ['push', 1],
      ['push', 2],
      ['push', 3],
    ],
    [
      ['push', 4],
      ['push', 5],
      ['push', 6],
    ],
    [['pop'], ['pop'], ['pop'], ['pop']],
  ]);

const ring = { capacity: 2, startIndex: 0, pushes: 4, pops: 5 };
const edge = { ...ring, startIndex: 0x7ffffffe };
type Any = Scenario<never>;
const subjects: readonly (readonly [bugs: readonly string[], scenarios: (bug: string) => Any[]])[] =
  [
    [spscBugs, (bug) => [spsc(ring, bug), spsc(edge, bug)] as Any[]],
    [
      mpmcBugs,
      (bug) =>
        [
          mpmc(2, [[['push', 1]], [['push', 2]], [['pop'], ['pop']]], bug),
          mpmc(
            2,
            canonical().threads.map((thread) => ('ops' in thread ? thread.ops : [])),
            bug,
          ),
          mpmc(
            2,
            [
              [
                ['push', 1],
                ['push', 2],
                ['push', 3],
              ],
              [['pop'], ['pop']],
              [['pop']],
            ],
            bug,
          ),
        ] as Any[],
    ],
    [
      histogramBugs,
      (bug) =>
        [
          histogram(
            [
              [3, 5],
              [4, 2],
            ],
            bug,
          ),
        ] as Any[],
    ],
    [
      waitBugs,
      (bug) =>
        [
          channel(
            [
              [
                ['put', 1],
                ['put', 2],
              ],
              [['take'], ['take']],
            ],
            bug,
          ),
          channel([[['close']], [['take']]], bug),
          channel([[['close']], [['take']], [['take']]], bug),
        ] as Any[],
    ],
  ];

/** Milliseconds until the slowest of the seeded bugs was found; throws if one was missed. */
function slowestBug(): number {
  let slowest = 0;
  for (const [bugs, scenarios] of subjects) {
    for (const bug of bugs) {
      let spentMs = 0;
      const found = scenarios(bug).some((scenario) => {
        const result = check(scenario);
        spentMs += result.durationMs;
        return result.verdict === 'violation';
      });
      if (!found) throw new Error(`missed: ${bug}`);
      slowest = Math.max(slowest, spentMs);
    }
  }
  return slowest;
}

/** Alarms on correct code and on changes that are equivalent. */
function falseAlarms(): number {
  const correct = [
    ...['none', ...spscEquivalents].flatMap((bug) => subjects[0]![1](bug)),
    ...['none', ...mpmcEquivalents].flatMap((bug) => subjects[1]![1](bug)),
    ...subjects[2]![1]('none'),
    ...['none', 'notify twice'].flatMap((bug) => subjects[3]![1](bug)),
  ];
  return correct.filter((scenario) => check(scenario).verdict !== 'verified').length;
}

const scenarioOf = (code: Program): Scenario<SharedArrayBuffer> => ({
  setup: () => new SharedArrayBuffer(memoryBytes),
  threads: code.map((instructions) => ({
    run: (buffer: SharedArrayBuffer) => runProgram(instructions, buffer),
    mayBlock: true,
  })),
});

/** Programs on which brute force and the checker differ, of so many. */
function mismatches(count: number): number {
  let wrong = 0;
  for (const mixed of [false, true]) {
    for (const code of fc.sample(program(mixed), count / 2)) {
      const oracle = enumerate(code);
      if (oracle === null) continue;
      const result = outcomes(scenarioOf(code));
      const results = new Set([...oracle.outcomes].map((text) => text.split(' / ')[0]));
      const same = oracle.race
        ? result.kind === 'race'
        : result.verdict === 'verified' && result.outcomes.size === results.size;
      if (!same) wrong++;
    }
  }
  return wrong;
}

/** Published litmus programs whose results are not exactly the published ones. */
const disagreements = (): number =>
  published.filter((program) => {
    const { result, printed } = runPublished(program);
    const expected = [...program.allowed].sort().join();
    return result.verdict !== 'verified' || printed.join() !== expected;
  }).length;

const base = { kind: 'absolute', rounds: 3 } as const;

export const rows: readonly Row[] = [
  {
    ...base,
    name: 'MPMC capacity 2, 2 producers x 2 + 1 consumer x 4: all interleavings, race and linearizability',
    unit: 's',
    better: 'lower',
    ours: () => verified(check(canonical())).durationMs / 1000,
    bar: 1,
    stretch: 0.3,
  },
  {
    ...base,
    name: 'rate, MPMC capacity 2, 2 producers x 3 + 1 consumer x 4',
    unit: 'transitions/s',
    better: 'higher',
    ours: () => {
      const { transitions, durationMs } = verified(check(large()));
      return transitions / (durationMs / 1000);
    },
    bar: 250_000,
    stretch: 1_000_000,
  },
  {
    ...base,
    name: 'seeded bugs in rings, queues, counters and wait protocols, all found: the slowest',
    unit: 's',
    better: 'lower',
    ours: () => slowestBug() / 1000,
    bar: 1,
  },
  {
    ...base,
    name: 'alarms on correct and equivalent code',
    unit: 'alarms',
    better: 'lower',
    ours: falseAlarms,
    bar: 0,
  },
  {
    ...base,
    name: 'verdicts against brute force on 10,000 random programs (50,000: npm run test:deep): mismatches',
    unit: 'programs',
    better: 'lower',
    rounds: 1,
    ours: () => mismatches(10_000),
    bar: 0,
  },
  {
    ...base,
    name: `published litmus programs (EMME: ${published.length} that fit the model): other results than published`,
    unit: 'programs',
    better: 'lower',
    rounds: 1,
    ours: disagreements,
    bar: 0,
  },
];
