/**
 * Goal: the classic litmus programs behave as ECMA-262 says. Method: with Atomics the outcomes are exactly
 * those of sequential consistency, written down here by hand; with one plain access in place of an atomic one
 * the program has a data race and is rejected.
 */
import { outcomes, type Scenario } from '@millrace/interleave';
import { describe, expect, test } from 'vitest';

type Step = readonly ['R' | 'W' | 'r' | 'w', location: number, value?: number];

interface Litmus {
  readonly name: string;
  /** R and W are atomic. */
  readonly threads: readonly (readonly Step[])[];
  /** Values read, threads separated by `|`. */
  readonly allowed: readonly string[];
}

const R = (location: number): Step => ['R', location];
const W = (location: number, value: number): Step => ['W', location, value];
const [x, y] = [0, 1];

const tests: readonly Litmus[] = [
  {
    name: 'SB: store buffering',
    threads: [
      [W(x, 1), R(y)],
      [W(y, 1), R(x)],
    ],
    allowed: ['0|1', '1|0', '1|1'],
  },
  {
    name: 'MP: message passing',
    threads: [
      [W(x, 1), W(y, 1)],
      [R(y), R(x)],
    ],
    allowed: ['|0,0', '|0,1', '|1,1'],
  },
  {
    name: 'LB: load buffering',
    threads: [
      [R(x), W(y, 1)],
      [R(y), W(x, 1)],
    ],
    allowed: ['0|0', '0|1', '1|0'],
  },
  {
    name: 'CoRR: coherence of two reads',
    threads: [[W(x, 1)], [R(x), R(x)]],
    allowed: ['|0,0', '|0,1', '|1,1'],
  },
  {
    name: 'CoRW: coherence of read and write',
    threads: [[R(x), W(x, 1)], [W(x, 2)], [R(x), R(x)]],
    allowed: [
      '0||0,0',
      '0||0,1',
      '0||0,2',
      '0||1,1',
      '0||1,2',
      '0||2,1',
      '0||2,2',
      '2||0,0',
      '2||0,1',
      '2||0,2',
      '2||1,1',
      '2||2,1',
      '2||2,2',
    ],
  },
  {
    name: 'IRIW: independent reads of independent writes',
    threads: [[W(x, 1)], [W(y, 1)], [R(x), R(y)], [R(y), R(x)]],
    allowed: [
      '||0,0|0,0',
      '||0,0|0,1',
      '||0,0|1,0',
      '||0,0|1,1',
      '||0,1|0,0',
      '||0,1|0,1',
      '||0,1|1,0',
      '||0,1|1,1',
      '||1,0|0,0',
      '||1,0|0,1',
      '||1,0|1,1',
      '||1,1|0,0',
      '||1,1|0,1',
      '||1,1|1,0',
      '||1,1|1,1',
    ],
  },
  {
    name: 'WRC: write to read causality',
    threads: [[W(x, 1)], [R(x), W(y, 1)], [R(y), R(x)]],
    allowed: ['|0|0,0', '|0|0,1', '|0|1,0', '|0|1,1', '|1|0,0', '|1|0,1', '|1|1,1'],
  },
  {
    name: 'S',
    threads: [
      [W(x, 2), W(y, 1)],
      [R(y), W(x, 1)],
    ],
    allowed: ['|0', '|1'],
  },
  {
    name: 'R',
    threads: [
      [W(x, 1), W(y, 1)],
      [W(y, 2), R(x)],
    ],
    allowed: ['|0', '|1'],
  },
];

const scenario = (threads: Litmus['threads']): Scenario<Int32Array> => ({
  setup: () => new Int32Array(new SharedArrayBuffer(8)),
  threads: threads.map((steps) => ({
    run: (cells: Int32Array) =>
      steps.flatMap(([kind, location, value]) => {
        if (kind === 'R') return [Atomics.load(cells, location)];
        if (kind === 'r') return [cells[location]!];
        if (kind === 'W') Atomics.store(cells, location, value!);
        else cells[location] = value!;
        return [];
      }),
  })),
});

const texts = (set: ReadonlySet<string>): string[] =>
  [...set].map((text) => text.replaceAll(/[[\]]| (?=\|)|(?<=\|) |(?<=,) /g, '')).sort();

describe.each(tests)('$name', ({ threads, allowed }) => {
  test('atomic: exactly the sequentially consistent outcomes', () => {
    const result = outcomes(scenario(threads));
    expect(result.verdict).toBe('verified');
    expect(texts(result.outcomes)).toEqual([...allowed].sort());
  });

  test('one plain access: a data race', () => {
    const racy = threads.map((steps, thread) =>
      steps.map(([kind, location, value], index): Step => {
        const plain = thread === 0 && index === 0;
        return [plain ? (kind.toLowerCase() as 'r' | 'w') : kind, location, value ?? 0];
      }),
    );
    expect(outcomes(scenario(racy)).kind).toBe('race');
  });
});

test('2+2W: both locations cannot end with the earlier value of each thread', () => {
  const ends = new Set<string>();
  const result = outcomes({
    ...scenario([
      [W(x, 1), W(y, 2)],
      [W(y, 1), W(x, 2)],
    ]),
    final: (cells) => void ends.add(`${cells[x]}${cells[y]}`),
  });
  expect(result.verdict).toBe('verified');
  expect([...ends].sort()).toEqual(['12', '21', '22']);
});

test('a plain read after an atomic read of the flag is ordered, before it is not', () => {
  const message = (first: 'flag' | 'data') => ({
    setup: () => new Int32Array(new SharedArrayBuffer(8)),
    threads: [
      {
        run(cells: Int32Array) {
          cells[0] = 7;
          Atomics.store(cells, 1, 1);
        },
      },
      {
        run(cells: Int32Array) {
          if (first === 'data') return cells[0];
          return Atomics.load(cells, 1) === 1 ? cells[0] : undefined;
        },
      },
    ],
  });
  expect([...outcomes(message('flag')).outcomes].sort()).toEqual([
    'undefined | 7',
    'undefined | undefined',
  ]);
  expect(outcomes(message('data')).kind).toBe('race');
});

test('an atomic store by a third thread breaks the release sequence', () => {
  // T1 overwrites the flag without having seen it; whoever reads T1's value knows nothing of T0.
  const result = outcomes({
    setup: () => new Int32Array(new SharedArrayBuffer(8)),
    threads: [
      {
        run(cells: Int32Array) {
          cells[0] = 7;
          Atomics.store(cells, 1, 1);
        },
      },
      { run: (cells: Int32Array) => void Atomics.store(cells, 1, 2) },
      { run: (cells: Int32Array) => (Atomics.load(cells, 1) === 2 ? cells[0] : 0) },
    ],
  });
  expect(result.kind).toBe('race');
});

test('a read-modify-write by a third thread keeps it', () => {
  const result = outcomes({
    setup: () => new Int32Array(new SharedArrayBuffer(8)),
    threads: [
      {
        run(cells: Int32Array) {
          cells[0] = 7;
          Atomics.store(cells, 1, 1);
        },
      },
      { run: (cells: Int32Array) => void Atomics.add(cells, 1, 2) },
      { run: (cells: Int32Array) => (Atomics.load(cells, 1) === 3 ? cells[0] : 0) },
    ],
  });
  expect(result.verdict).toBe('verified');
});
