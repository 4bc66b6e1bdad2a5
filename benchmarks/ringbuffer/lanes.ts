/** Lanes against a ring that many producers claim by compare-and-swap; one of four producers is active. */
import type { ComparisonRow } from '../harness/row.ts';
import { anchors } from './native.ts';
import { pair } from './pair.ts';

export const laneRow: ComparisonRow = {
  kind: 'comparison',
  name: 'MPSC lanes vs a CAS-claim ring, 8 B, 1 of 4 producers active',
  unit: 'ns/message',
  better: 'lower',
  rounds: 5,
  bar: 4,
  ours: () => pair('lanes', 8),
  peers: { 'CAS claim': () => pair('CAS claim', 8) },
  beside: anchors('copy', 8),
};
