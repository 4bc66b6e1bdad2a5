/**
 * Goal: no record is lost or counted twice and no interval is negative, in every interleaving. Method: the
 * scenarios of scenarios.ts under the model checker. VERIFY_DEEP=1 runs the large ones too.
 */
import { assertVerified } from '@millrace/interleave';
import { test } from 'vitest';
import { proofs } from './proofs.ts';

const isDeep = process.env['VERIFY_DEEP'] !== undefined;

test.each(proofs.filter(({ deep }) => isDeep || deep !== true))(
  '$name',
  { timeout: 300_000 },
  ({ run }) => {
    assertVerified(run());
  },
);
