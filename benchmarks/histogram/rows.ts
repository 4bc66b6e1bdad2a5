/** Rows of the histogram table; one file per subject. */
import type { Row } from '../harness/row.ts';
import { recordRows } from './record.ts';

export const rows: readonly Row[] = [...recordRows];
