/**
 * Goal: the waits between the worker's end of the ring and the session's hold in every interleaving: nothing is lost
 * or reordered, nobody sleeps for ever, a worker that dies is noticed after its last record.
 * Method: the scenarios of scenarios.ts under the model checker. VERIFY_DEEP=1 runs the large ones too.
 */
import { assertVerified } from '@millrace/interleave';
import { test } from 'vitest';
import { proofs } from './proofs.ts';

const isDeep = process.env['VERIFY_DEEP'] !== undefined;
const chosen = proofs.filter(({ deep }) => isDeep || !deep);

test.each(chosen)('$name', { timeout: 600_000 }, async ({ run }) => {
  assertVerified(await run());
});
