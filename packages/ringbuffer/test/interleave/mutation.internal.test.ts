/**
 * Goal: the scenarios of the rings can fail: whatever change of their sources they don't notice is explained in the
 * source. Method: the mutation gates; VERIFY_DEEP=1 tries what is explained, too.
 */
import { runGate } from '@millrace/interleave/mutate';
import { expect, test } from 'vitest';

const deep = process.env['VERIFY_DEEP'] !== undefined;

test.each(['wait', 'sides', 'ends', 'counts'])(
  'every mutant of the %s gate is killed or explained',
  { timeout: 600_000 },
  async (name) => {
    const result = await runGate(new URL(`./${name}.gate.ts`, import.meta.url), { deep });
    expect(result.passed, String(result)).toBe(true);
  },
);
