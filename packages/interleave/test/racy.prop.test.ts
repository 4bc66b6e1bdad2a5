/**
 * Goal: declared racy reads return exactly what ECMA-262 allows. Method: random programs whose first thread
 * writes two plain words that the others read, with atomics between, against an oracle that guesses the value
 * of every racy read and keeps the executions in which some write explains it (the axioms, not an algorithm).
 */
import { outcomes, type Scenario } from '@millrace/interleave';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { enumerate } from './support/brute-force.ts';
import { type Instruction, memoryBytes, type Program, runProgram } from './support/programs.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 400);
const racyBytes = 8;

const atomic = fc.record({
  kind: fc.constantFrom<Instruction['kind']>('load', 'store', 'add', 'cas', 'exchange'),
  at: fc.constant(8),
  size: fc.constant(4 as const),
  a: fc.nat({ max: 2 }),
  b: fc.nat({ max: 2 }),
});
const plain = (kind: 'read' | 'write') =>
  fc.record({
    kind: fc.constant(kind),
    at: fc.constantFrom(0, 4),
    size: fc.constant(4 as const),
    a: fc.integer({ min: 0, max: 2 }),
    b: fc.constant(0),
  });
const skip = atomic.map((code): Instruction => ({ ...code, kind: 'skip' }));
const own = fc.oneof(
  { weight: 3, arbitrary: plain('write') },
  { weight: 3, arbitrary: atomic },
  plain('read'),
  skip,
);
const other = fc.oneof(
  { weight: 3, arbitrary: plain('read') },
  { weight: 3, arbitrary: atomic },
  skip,
);
const programs: fc.Arbitrary<Program> = fc.oneof(
  fc.tuple(
    fc.array(own, { minLength: 1, maxLength: 4 }),
    fc.array(other, { minLength: 1, maxLength: 4 }),
  ),
  fc.tuple(
    fc.array(own, { minLength: 1, maxLength: 3 }),
    fc.array(other, { minLength: 1, maxLength: 2 }),
    fc.array(other, { minLength: 1, maxLength: 2 }),
  ),
);

const scenarioOf = (code: Program): Scenario<{ buffer: SharedArrayBuffer; data: Int32Array }> => ({
  setup: () => {
    const buffer = new SharedArrayBuffer(memoryBytes);
    return { buffer, data: new Int32Array(buffer, 0, 2) };
  },
  threads: code.map((instructions) => ({ run: ({ buffer }) => runProgram(instructions, buffer) })),
  racy: ({ data }) => [{ view: data }],
});

const oracleOf = (code: Program): string[] | null => {
  const oracle = enumerate(code, 20_000, racyBytes);
  if (oracle === null) return null;
  const texts = [...oracle.outcomes].map((outcome) =>
    outcome
      .split(' / ')[0]!
      .split(' | ')
      .map((list) => `[${list.replaceAll(',', ', ')}]`)
      .join(' | '),
  );
  return [...new Set(texts)].sort();
};

test('random programs have exactly the outcomes that the axioms allow', () => {
  let compared = 0;
  fc.assert(
    fc.property(programs, (code) => {
      const oracle = oracleOf(code);
      if (oracle === null) return;
      compared++;
      const result = outcomes(scenarioOf(code));
      expect(result.verdict).toBe('verified');
      expect([...result.outcomes].sort()).toEqual(oracle);
    }),
    { numRuns },
  );
  expect(compared).toBeGreaterThan(numRuns * 0.6);
});

const cells = () => new Int32Array(new SharedArrayBuffer(16));

test('plain message passing may show the flag before the message', () => {
  const result = outcomes({
    setup: cells,
    threads: [
      {
        run(array: Int32Array) {
          array[0] = 1;
          array[1] = 1;
        },
      },
      { run: (array: Int32Array) => [array[1], array[0]] },
    ],
    racy: (array) => [{ view: array.subarray(0, 2) }],
  });
  expect(result.message).toBe('verified: all interleavings (racy reads modelled)');
  expect([...result.outcomes].sort()).toEqual(
    ['undefined | [0, 0]', 'undefined | [0, 1]', 'undefined | [1, 0]', 'undefined | [1, 1]'].sort(),
  );
});

/** A slot that its writer overwrites: intent, data, done. The reader copies, then validates. */
const broadcast = (validate: 'load' | 'rmw') => ({
  setup: cells,
  threads: [
    {
      run(array: Int32Array) {
        for (const value of [1, 2]) {
          Atomics.add(array, 2, 1);
          array[0] = value;
          array[1] = value;
          Atomics.add(array, 3, 1);
        }
      },
    },
    {
      run(array: Int32Array) {
        const done = Atomics.load(array, 3);
        const [x, y] = [array[0], array[1]];
        const intent = validate === 'rmw' ? Atomics.add(array, 2, 0) : Atomics.load(array, 2);
        return intent === done ? x === done && y === done : true;
      },
    },
  ],
  racy: (array: Int32Array) => [{ view: array.subarray(0, 2), name: 'slot' }],
  final: (_: Int32Array, results: readonly (readonly unknown[])[]) => results[1]![0] === true,
});

test('copy, then validate: a read-modify-write validates, a load does not', () => {
  expect(outcomes(broadcast('rmw')).verdict).toBe('verified');
  const broken = outcomes(broadcast('load'));
  expect(broken).toMatchObject({ verdict: 'violation', kind: 'final' });
});

/** Each thread owns the counter for a while and counts in it plainly; ownership passes by compareExchange. */
const handedOver = (threads: number) => ({
  setup: cells,
  threads: Array.from({ length: threads }, (_, index) => ({
    run(array: Int32Array) {
      if (index === threads - 1) return array[0];
      if (Atomics.compareExchange(array, 1, 0, 1) !== 0) return undefined;
      array[0] = array[0]! + 1;
      Atomics.store(array, 1, 0);
      return undefined;
    },
  })),
  racy: (array: Int32Array) => [{ view: array.subarray(0, 1), name: 'counter' }],
});

test('a value that only justifies itself does not exist, so learning values ends', () => {
  const result = outcomes(handedOver(3));
  expect(result.verdict).toBe('verified');
  const seen = new Set([...result.outcomes].map((text) => text.split(' | ')[2]));
  expect([...seen].sort()).toEqual(['0', '1', '2']);
});

test('the bound on states also ends a search that keeps starting over', () => {
  const result = outcomes({ ...handedOver(3), bounds: { states: 60 } });
  expect(result).toMatchObject({ verdict: 'inconclusive', kind: 'bound' });
});
