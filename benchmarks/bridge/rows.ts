/** The bridge's table, topic by topic. */
import type { Row } from '../harness/row.ts';
import { floorRows } from './floors.ts';
import { resyncRows } from './resync.ts';
import { viewerRows } from './viewers.ts';

export const rows: readonly Row[] = [...floorRows, ...viewerRows, ...resyncRows];
