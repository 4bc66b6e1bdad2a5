/** The session's end of the ring under mutation: which scenarios must notice. */
import { fileURLToPath } from 'node:url';
import { defineGate } from '@millrace/interleave/mutate';
import { RingWriter } from '../../src/ring/ring-writer.ts';
import { operators } from './operators.ts';
import { proofsOf } from './scenarios.ts';

export const gate = defineGate<typeof import('../../src/ring/ring-reader.ts')>({
  name: "the session's end of the bridge's ring",
  directory: new URL('../../src/', import.meta.url),
  files: ['ring/ring-reader.ts'],
  operators,
  entry: 'ring/ring-reader.ts',
  workFolder: fileURLToPath(new URL('../../reports/mutation/', import.meta.url)), // packages are found from here
  scenarios: ({ RingReader }) => proofsOf({ RingReader, RingWriter }),
});
