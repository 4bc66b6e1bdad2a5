/** Rows of the histogram table; one file per subject. */
import type { Row } from '../harness/row.ts';
import { queryRows } from './query.ts';
import { recordRows } from './record.ts';
import { threadRows } from './threads.ts';
import { weightRows } from './weight.ts';

export const rows: readonly Row[] = [...recordRows, ...threadRows, ...queryRows, ...weightRows];
