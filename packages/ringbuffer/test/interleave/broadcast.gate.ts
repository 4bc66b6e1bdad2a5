/** Breaks the ends of broadcast rings, one change at a time. */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { broadcastAloneOf } from './broadcast-alone.ts';
import { racyDefinitions } from './broadcast-scenarios.ts';
import { operators } from './operators.ts';
import type { Package } from './parts.ts';

export const gate: MutationGate<Package> = defineGate<Package>({
  name: 'broadcast',
  directory: new URL('../../src/', import.meta.url),
  files: ['broadcast-producer.ts', 'broadcast-consumer.ts'],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => [
    ...broadcastAloneOf(ring),
    ...racyDefinitions.map((definition) => ({ ...definition, run: () => definition.run(ring) })),
  ],
});
