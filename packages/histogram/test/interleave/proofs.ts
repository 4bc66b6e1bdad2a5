/** The scenarios, of the package as it is. */
import * as histogram from '@millrace/histogram';
import { type Proof, proofsOf } from './scenarios.ts';

export const proofs: readonly Proof[] = proofsOf(histogram);
