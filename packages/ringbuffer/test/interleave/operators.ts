/** The ways to break the rings: all but making a plain access atomic, which orders more, never less. */
import type { MutationOperator } from '@millrace/interleave/mutate';

export const operators: readonly MutationOperator[] = [
  'plain-access',
  'drop-store',
  'drop-notify',
  'repeat-notify',
  'notify-one',
  'notify-elsewhere',
  'late-load',
  'drop-wait',
  'compare-exchange-to-store',
  'ignore-compare-exchange',
  'split-read-modify-write',
  'swap-statements',
  'index-off-by-one',
  'mask-off-by-one',
  'wrong-word',
  'other-word',
  'drop-recheck',
  'skip-condition',
];
