/** The ways to break the two ends: they have no atomic access of their own, the ring's are broken in its own gate. */
import type { MutationOperator } from '@millrace/interleave/mutate';

export const operators: readonly MutationOperator[] = [
  'drop-store',
  'swap-statements',
  'index-off-by-one',
  'drop-recheck',
  'skip-condition',
];
