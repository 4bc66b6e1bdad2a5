/**
 * Goal: agreement with litmus programs that others have published. Method: those that fit the model must come to
 * exactly the published results, by the search for race-free ones, by the model of declared races for the others;
 * those that don't fit must be rejected as races, and the published set must hold every interleaving's result.
 */
import { outcomes } from '@millrace/interleave';
import { describe, expect, test } from 'vitest';
import { enumerate } from './support/brute-force.ts';
import { memoryBytes, runProgram } from './support/programs.ts';
import { published, type Rejected, rejected, run, scenarioOf } from './support/published.ts';

describe.each(published)('$name', (program) => {
  test('comes to the published results', () => {
    const { result, printed } = run(program);
    expect(result.verdict).toBe('verified');
    expect(result.racyReadsModelled).toBe(program.fits === 'racy');
    expect(printed).toEqual([...program.allowed].sort());
  });
});

test.each(published.filter(({ fits }) => fits === 'racy'))(
  '$name: a race unless it is declared',
  (program) => {
    expect(outcomes(scenarioOf(program, false)).kind).toBe('race');
  },
);

test.each(rejected)('$name: a race', ({ threads, allowed }: Rejected) => {
  const result = outcomes({
    setup: () => new SharedArrayBuffer(memoryBytes),
    threads: threads.map((code) => ({
      run: (buffer: SharedArrayBuffer) => runProgram(code, buffer),
    })),
  });
  expect(result.kind).toBe('race');
  if (allowed === undefined) return;
  const results = [...enumerate(threads)!.outcomes].map((text) =>
    text
      .split(' / ')[0]!
      .split(' | ')
      .filter((list) => list !== '')
      .join(';')
      .replaceAll(',', ';'),
  );
  expect(results.filter((text) => !allowed.includes(text))).toEqual([]);
});
