/** Breaks the ends of groups of lanes, one change at a time. */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { lanesAloneOf } from './lanes-alone.ts';
import { lanesDefinitions } from './lanes-scenarios.ts';
import { operators } from './operators.ts';
import type { Package } from './parts.ts';

export const gate: MutationGate<Package> = defineGate<Package>({
  name: 'lanes',
  directory: new URL('../../src/', import.meta.url),
  files: ['lane-producer.ts', 'lanes-consumer.ts'],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => [
    ...lanesAloneOf(ring),
    ...lanesDefinitions.map((definition) => ({ ...definition, run: () => definition.run(ring) })),
  ],
});
