/** Every file in which threads of this package meet, and the scenarios that must notice each change to it. */
import { defineGate } from '@millrace/interleave/mutate';
import { proofsOf } from './scenarios.ts';

export const gate = defineGate<typeof import('../../src/index.ts')>({
  name: 'ringbuffer',
  directory: new URL('../../src/', import.meta.url),
  files: [
    'producer-end.ts',
    'producer.ts',
    'consumer-end.ts',
    'consumer.ts',
    'slots.ts',
    'lane-producer.ts',
    'lanes-consumer.ts',
    'broadcast.ts',
    'queue.ts',
    'wait.ts',
    'ends.ts',
    'counts.ts',
  ],
  entry: 'index.ts',
  scenarios: (ring) => {
    const { proofs, racyProofs } = proofsOf(ring);
    return [...proofs, ...racyProofs];
  },
});
