/** The scenarios of `scenarios.ts` on the package. */
import * as ring from '@millrace/ringbuffer';
import { type Proof, proofsOf } from './scenarios.ts';

export type { Proof } from './scenarios.ts';

const { proofs: sequential, racyProofs: racy } = proofsOf(ring);

/** Without data races. */
export const proofs: readonly Proof[] = sequential;

/** With data races on purpose, all of whose outcomes are modelled. */
export const racyProofs: readonly Proof[] = racy;
