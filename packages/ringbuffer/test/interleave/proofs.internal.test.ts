/**
 * Goal: the guarantees of the rings hold in every interleaving. Method: the scenarios of scenarios.ts under the
 * model checker; a violation prints its trace. VERIFY_DEEP=1 runs the large ones too.
 */
import { assertVerified } from '@millrace/interleave';
import { test } from 'vitest';
import { proofs } from './scenarios.ts';

const isDeep = process.env['VERIFY_DEEP'] !== undefined;
const chosen = (list: typeof proofs) => list.filter(({ deep }) => isDeep || deep !== true);

test.each(chosen(proofs))('$name', { timeout: 300_000 }, async ({ run }) => {
  assertVerified(await run());
});
