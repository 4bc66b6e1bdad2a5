/**
 * Breaks the two ends of rings with one producer, one change at a time: their scenarios must notice, or one thread
 * that has both.
 */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { operators } from './operators.ts';
import { proofsOf } from './scenarios.ts';
import { sidesAloneOf } from './sides-alone.ts';

type Module = typeof import('../../src/index.ts');

export const gate: MutationGate<Module> = defineGate<Module>({
  name: "the rings' two sides",
  directory: new URL('../../src/', import.meta.url),
  files: ['producer-end.ts', 'writer.ts', 'consumer-end.ts', 'reader.ts'],
  operators,
  entry: 'index.ts',
  scenarios: (ring) => [
    ...sidesAloneOf(ring),
    // The deep ones have tens of millions of states each: no change needed them.
    ...proofsOf(ring).proofs.filter(({ name, deep }) => name.startsWith('SPSC') && !deep),
  ],
});
