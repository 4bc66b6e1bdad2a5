/**
 * Goal: the guarantees of the rings hold in every interleaving. Method: the scenarios of scenarios.ts under the
 * model checker; a violation prints its trace. VERIFY_DEEP=1 runs the large ones too.
 */
import { assertVerified } from '@millrace/interleave';
import { expect, test } from 'vitest';
import { proofs, racyProofs } from './proofs.ts';

const isDeep = process.env['VERIFY_DEEP'] !== undefined;
const chosen = (list: typeof proofs) => list.filter(({ deep }) => isDeep || deep !== true);

test.each(chosen(proofs))('$name', { timeout: 300_000 }, async ({ run }) => {
  assertVerified(await run());
});

test.each(chosen(racyProofs))(
  '$name, racy reads modelled',
  { timeout: 300_000 },
  async ({ run }) => {
    const result = await run();
    assertVerified(result);
    expect(result.racyReadsModelled).toBe(true);
  },
);
