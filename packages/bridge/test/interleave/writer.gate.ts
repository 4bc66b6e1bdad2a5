/** The worker's end of the ring under mutation: which scenarios must notice. */
import { fileURLToPath } from 'node:url';
import { defineGate } from '@millrace/interleave/mutate';
import { RingReader } from '../../src/ring/ring-reader.ts';
import { operators } from './operators.ts';
import { proofsOf } from './scenarios.ts';

export const gate = defineGate<typeof import('../../src/ring/ring-writer.ts')>({
  name: "the worker's end of the bridge's ring",
  directory: new URL('../../src/', import.meta.url),
  files: ['ring/ring-writer.ts'],
  operators,
  entry: 'ring/ring-writer.ts',
  workFolder: fileURLToPath(new URL('../../reports/mutation/', import.meta.url)), // packages are found from here
  scenarios: ({ RingWriter }) => proofsOf({ RingReader, RingWriter }),
});
