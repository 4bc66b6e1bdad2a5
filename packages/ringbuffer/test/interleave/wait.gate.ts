/** Breaks what sleeps and wakes, one change at a time: scenarios without a ring around it must notice. */
import { defineGate, type MutationGate } from '@millrace/interleave/mutate';
import { operators } from './operators.ts';
import { waitingOf } from './waiting.ts';
import { aloneOf, timersOf } from './waiting-alone.ts';

type Module = typeof import('../../src/wait.ts');

export const gate: MutationGate<Module> = defineGate<Module>({
  name: "the rings' waits",
  directory: new URL('../../src/', import.meta.url),
  files: ['wait.ts', 'timers.ts'],
  operators,
  entry: 'wait.ts',
  scenarios: (module) => [...waitingOf(module), ...aloneOf(module), ...timersOf(module)],
});
