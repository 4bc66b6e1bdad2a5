/**
 * Goal: the checker's verdicts are exact. Method: random programs of two or three threads with atomics of
 * all kinds, plain accesses, mixed sizes, wait and notify, against an oracle that enumerates every
 * interleaving of every access with vector clocks. Races must agree; without a race, so must all results.
 */
import { outcomes, type Scenario } from '@millrace/interleave';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { enumerate, outcomeOf } from './support/brute-force.ts';
import { memoryBytes, type Program, program, runProgram } from './support/programs.ts';

const numRuns = Number(process.env['FC_RUNS'] ?? 1500);

interface Shared {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
}

const scenarioOf = (code: Program): Scenario<Shared> => ({
  setup: () => {
    const buffer = new SharedArrayBuffer(memoryBytes);
    return { buffer, bytes: new Uint8Array(buffer) };
  },
  threads: code.map((instructions) => ({
    run: ({ buffer }: Shared) => runProgram(instructions, buffer),
    mayBlock: true,
  })),
});

/** Results and final memory, seen through `final`. */
function withMemory(code: Program) {
  const seen = new Set<string>();
  const result = outcomes({
    ...scenarioOf(code),
    final: ({ bytes }, results) => {
      const lists = results.map((list) => (list.length === 0 ? null : (list[0] as number[])));
      seen.add(outcomeOf(lists, Array.from(bytes)));
    },
  });
  return { result, seen };
}

/** The oracle's outcome without its memory, as `outcomes` writes it. */
const resultsOf = (outcome: string): string =>
  outcome
    .split(' / ')[0]!
    .split(' | ')
    .map((list) => (list === 'asleep' ? 'no result' : `[${list.replaceAll(',', ', ')}]`))
    .join(' | ');

function compare(code: Program): boolean {
  const oracle = enumerate(code);
  if (oracle === null) return false;
  const { result, seen } = withMemory(code);
  // Without predicates, memory that nobody reads or shares is left out of the search.
  const bare = outcomes(scenarioOf(code));
  expect(result.kind === 'race').toBe(oracle.race);
  expect(bare.kind === 'race').toBe(oracle.race);
  if (oracle.race) return true;
  expect(result.verdict).toBe('verified');
  expect([...seen].sort()).toEqual([...oracle.outcomes].sort());
  expect([...bare.outcomes].sort()).toEqual(
    [...new Set([...oracle.outcomes].map(resultsOf))].sort(),
  );
  return true;
}

test.each([false, true])(
  'agrees with brute force on random programs, mixed sizes %s',
  { timeout: Math.max(120_000, 30 * numRuns) },
  (mixed) => {
    let compared = 0;
    fc.assert(
      fc.property(program(mixed), (code) => {
        if (compare(code)) compared++;
      }),
      { numRuns },
    );
    expect(compared).toBeGreaterThan(numRuns * 0.9);
  },
);
