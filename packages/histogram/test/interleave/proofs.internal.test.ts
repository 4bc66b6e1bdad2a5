/**
 * Goal: no record is lost or counted twice and no interval is negative, in every interleaving. Method: the
 * scenarios of scenarios.ts under the model checker.
 */
import { assertVerified } from '@millrace/interleave';
import { test } from 'vitest';
import { proofs } from './proofs.ts';

test.each(proofs)('$name', { timeout: 300_000 }, ({ run }) => {
  assertVerified(run());
});
