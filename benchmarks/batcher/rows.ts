/** Rows of the batcher table; one file per subject. */
import type { Row } from '../harness/row.ts';
import { guaranteeRows } from './guarantees.ts';
import { lawRows } from './law.ts';
import { realtimeRows } from './realtime.ts';
import { throughputRows } from './throughput.ts';

export const rows: readonly Row[] = [
  ...lawRows,
  ...guaranteeRows,
  ...throughputRows,
  ...realtimeRows,
];
