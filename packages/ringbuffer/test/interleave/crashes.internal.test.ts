/**
 * Goal: a worker killed at any point damages nothing and blocks no one, in every topology. Method: the scenarios of
 * crashes.ts under the model checker, every interleaving with a death anywhere.
 */
import { assertVerified } from '@millrace/interleave';
import { test } from 'vitest';
import { proofs } from './crashes.ts';

test.each(proofs)('$name', { timeout: 300_000 }, ({ run }) => {
  assertVerified(run());
});
