/** The scenarios over the sources as they are, for the tests and for the table of scenarios. */
import { RingReader } from '../../src/ring/ring-reader.ts';
import { RingWriter } from '../../src/ring/ring-writer.ts';
import { proofsOf } from './scenarios.ts';

export const proofs = proofsOf({ RingReader, RingWriter });
