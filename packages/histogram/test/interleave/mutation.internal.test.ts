/**
 * Goal: the proofs of the shared histogram can fail. Method: its sources are broken one change at a time; every
 * change is noticed by a scenario or explained in the source. VERIFY_DEEP=1 also tries what is explained.
 */
import { runGate } from '@millrace/interleave/mutate';
import { expect, test } from 'vitest';

const isDeep = process.env['VERIFY_DEEP'] !== undefined;
// The gate's module is loaded by Node itself, which strips types from 22.18 on.
const stripsTypes = 'typescript' in process.features && process.features.typescript !== false;

test.runIf(stripsTypes)('every mutant is killed or explained', { timeout: 900_000 }, async () => {
  const gate = new URL('./mutation.gate.ts', import.meta.url);
  const result = await runGate(gate, { deep: isDeep });
  expect(result.passed, String(result)).toBe(true);
});
