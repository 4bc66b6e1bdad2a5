/** Breaks the shared histogram's sources one change at a time: the scenarios must notice every one that matters. */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { proofsOf } from './scenarios.ts';
import { sequentialChecks } from './sequential.ts';

type Module = typeof import('../../src/index.ts');

export const gate: MutationGate<Module> = defineGate<Module>({
  name: 'shared histogram',
  directory: new URL('../../src/', import.meta.url),
  files: [
    'shared-layout.ts',
    'shared-recorder.ts',
    'shared-histogram.ts',
    'shard-sums.ts',
    'interval-reader.ts',
  ],
  entry: 'index.ts',
  scenarios: (histogram) => [...sequentialChecks(histogram), ...proofsOf(histogram)],
});
