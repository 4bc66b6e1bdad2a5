/**
 * The files in which threads of this package meet, and the scenarios that must notice each change to them.
 *
 * Not here: `producer.ts`, `consumer.ts` and `slots.ts`, which have no atomic access. They place and copy records in
 * bytes that only their thread may touch, which properties test against an array (`ring.prop.test.ts`,
 * `slots.test.ts`); that they do so before the index is stored, and after it was loaded, is checked by the same
 * scenarios, and by two bugs in `seeded.internal.test.ts`. Nor is the operator that makes a plain access atomic: that
 * orders more, never less.
 */
import { defineGate, type MutationOperator } from '@millrace/interleave/mutate';
import { proofsOf } from './scenarios.ts';

const operators: readonly MutationOperator[] = [
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

export const gate = defineGate<typeof import('../../src/index.ts')>({
  name: 'ringbuffer',
  directory: new URL('../../src/', import.meta.url),
  files: [
    'wait.ts',
    'queue.ts',
    'producer-end.ts',
    'consumer-end.ts',
    'lane-producer.ts',
    'lanes-consumer.ts',
    'broadcast.ts',
    'ends.ts',
    'counts.ts',
  ],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => {
    const { proofs, racyProofs } = proofsOf(ring);
    return [...proofs, ...racyProofs];
  },
});
