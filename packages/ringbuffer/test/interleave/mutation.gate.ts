/**
 * The files in which threads of this package meet, and the scenarios that must notice each change to them.
 *
 * Not here: `producer.ts`, `consumer.ts` and those of the slots, which have no atomic access. They place and copy records in
 * bytes that only their thread may touch, which properties test against an array (`ring.prop.test.ts`,
 * `slots.test.ts`); that they do so before the index is stored, and after it was loaded, is checked by the same
 * scenarios, and by two bugs in `seeded.internal.test.ts`. `wait.ts`, the two ends, `ends.ts`, `counts.ts` and
 * `queue.ts` have gates of their own.
 */
import { defineGate } from '@millrace/interleave/mutate';
import { operators } from './operators.ts';
import { proofsOf } from './scenarios.ts';

export const gate = defineGate<typeof import('../../src/index.ts')>({
  name: 'ringbuffer',
  directory: new URL('../../src/', import.meta.url),
  files: [
    'lane-producer.ts',
    'lanes-consumer.ts',
    'broadcast-producer.ts',
    'broadcast-consumer.ts',
  ],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => {
    const { proofs, racyProofs } = proofsOf(ring);
    return [...proofs, ...racyProofs];
  },
});
