/**
 * The scenarios that prove the shared histogram: recorders and readers of the production code, every
 * interleaving. Shards are read while they are written, on purpose: those ranges are declared racy, and a
 * read may return any value that ECMA-262 allows.
 */

import { SharedHistogram } from '@millrace/histogram';
import { type CheckResult, outcomes, type RacyRange, type Scenario } from '@millrace/interleave';

/** A scenario that a test or the table of scenarios runs. */
export interface Proof {
  readonly name: string;
  readonly deep?: boolean;
  readonly run: () => CheckResult;
}

interface Shared {
  readonly buffer: SharedArrayBuffer;
}

/** Offsets of shared-layout.ts. */
const headerBytes = 128;
const [cellsWord, strideWord] = [4, 5];
const [rangeByte, countsByte] = [8, 128];

/** What one writer stores plainly and readers load plainly: flag and range, counts, carries. */
function racy(shards: number, { buffer }: Shared): RacyRange[] {
  const header = new Int32Array(buffer, 0, headerBytes / 4);
  return Array.from({ length: shards }, (_, shard) => {
    const start = headerBytes + shard * header[strideWord!]!;
    return [
      { view: new Int32Array(buffer, start + rangeByte!, 6), name: `range ${shard}` },
      {
        view: new Int32Array(buffer, start + countsByte!, 2 * header[cellsWord!]!),
        name: `counts ${shard}`,
      },
    ];
  }).flat();
}

const writer = (values: readonly number[], crash = false) => ({
  crash,
  run({ buffer }: Shared) {
    const recorder = SharedHistogram.attach(buffer).claim();
    for (const value of values) recorder.record(value);
    recorder.release();
  },
});

const reader = (intervals: number) => ({
  run({ buffer }: Shared) {
    const interval = SharedHistogram.attach(buffer).intervals({ from: 'start' });
    return Array.from({ length: intervals }, () => {
      const seen = interval.next();
      return [seen.count, seen.countAt(3)];
    });
  },
});

interface Shape {
  readonly writers: readonly (readonly number[])[];
  readonly shards: number;
  readonly intervals: number;
  readonly crash?: boolean;
  readonly deep?: boolean;
}

const proof = ({ writers, shards, intervals, crash = false, deep = false }: Shape): Proof => {
  const name = `histogram, writers of ${writers.map((values) => values.join(' ')).join(' and ')}, ${shards} shards, ${intervals} intervals${crash ? ', writers killed' : ''}`;
  const recorded = writers.flat().length;
  const scenario: Scenario<Shared> = {
    name,
    setup: () => SharedHistogram.create({ highest: 64, digits: 1, shards }),
    threads: [
      ...writers.map((values) => writer(values, crash)),
      ...(intervals > 0 ? [reader(intervals)] : []),
    ],
    ...(intervals > 0 ? { racy: (shared: Shared) => racy(shards, shared) } : {}),
    ...(crash ? { cover: ['crashed'] as const } : {}),
    bounds: { opSteps: 4000, states: 20_000_000 },
    final({ buffer }, results) {
      const seen = intervals > 0 ? (results.at(-1)![0] as number[][]) : [];
      const sum = seen.reduce((total, [count]) => total + count!, 0);
      if (seen.some(([count]) => count! < 0)) return `an interval is negative: ${seen}`;
      if (sum > recorded) return `counted twice: ${seen}`;
      const total = SharedHistogram.attach(buffer).total().count;
      if (crash ? total > recorded : total !== recorded) return `total is ${total} of ${recorded}`;
      return true;
    },
  };
  return { name, deep, run: () => outcomes(scenario) };
};

export const proofs: readonly Proof[] = [
  proof({ writers: [[3, 3]], shards: 1, intervals: 1 }),
  proof({ writers: [[3, 5]], shards: 1, intervals: 1 }),
  proof({ writers: [[3, 3]], shards: 1, intervals: 2 }),
  proof({
    writers: [
      [3, 5],
      [3, 7],
    ],
    shards: 2,
    intervals: 0,
  }),
  proof({
    writers: [
      [3, 5],
      [3, 7],
    ],
    shards: 1,
    intervals: 0,
  }),
  proof({ writers: [[3, 3]], shards: 1, intervals: 1, crash: true }),
  proof({ writers: [[3, 5, 3]], shards: 1, intervals: 1, deep: true }),
];
