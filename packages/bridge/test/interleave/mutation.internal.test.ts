/**
 * Goal: the scenarios of the ring between worker and session can fail: whatever change of the two ends they don't
 * notice is explained in the source. Method: the mutation gates; VERIFY_DEEP=1 tries what is explained, too.
 */
import { runGate } from '@millrace/interleave/mutate';
import { expect, test } from 'vitest';

const deep = process.env['VERIFY_DEEP'] !== undefined;

test.each(['writer', 'reader'])(
  'every mutant of the %s is killed or explained',
  { timeout: 600_000 },
  async (end) => {
    const result = await runGate(new URL(`./${end}.gate.ts`, import.meta.url), { deep });
    expect(result.passed, String(result)).toBe(true);
  },
);
