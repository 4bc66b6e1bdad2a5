/**
 * Goal: the waits between the worker's end of the ring and the session's hold in every interleaving: nothing is lost
 * or reordered, nobody sleeps for ever, a worker that dies is noticed after its last record.
 * Method: the scenarios of scenarios.ts under the model checker. VERIFY_DEEP=1 runs the large ones too.
 */
import { assertVerified } from '@millrace/interleave';
import { test } from 'vitest';
import { RingReader } from '../../src/ring/ring-reader.ts';
import { RingWriter } from '../../src/ring/ring-writer.ts';
import { proofsOf } from './scenarios.ts';

const isDeep = process.env['VERIFY_DEEP'] !== undefined;
const proofs = proofsOf({ RingReader, RingWriter }).filter(({ deep }) => isDeep || !deep);

test.each(proofs)('$name', { timeout: 600_000 }, async ({ run }) => {
  assertVerified(await run());
});
