/**
 * Goal: the scenarios of the rings can fail: whatever change of their sources they don't notice is explained in the
 * source. Method: the mutation gates; VERIFY_DEEP=1 tries what is explained, too.
 *
 * Without a gate: `producer.ts`, `consumer.ts` and those of the slots, which have no atomic access. They place and copy
 * records in bytes that only their thread may touch, which properties test against an array (`ring.prop.test.ts`,
 * `slots.test.ts`); that they do so before the index is stored, and after it was loaded, is checked by the same
 * scenarios, and by two bugs in `seeded.internal.test.ts`.
 */
import { runGate } from '@millrace/interleave/mutate';
import { expect, test } from 'vitest';

const deep = process.env['VERIFY_DEEP'] !== undefined;

test.each(['wait', 'sides', 'ends', 'counts', 'lanes', 'broadcast', 'queue'])(
  'every mutant of the %s gate is killed or explained',
  { timeout: 600_000 },
  async (name) => {
    const result = await runGate(new URL(`./${name}.gate.ts`, import.meta.url), { deep });
    expect(result.passed, String(result)).toBe(true);
  },
);
