/** What tmux tells of an empty screen. */
import type { Told } from '../../src/resync/tracker.ts';

/** Returns it; `changes` replace parts. */
export const told = (columns: number, rows: number, changes: Partial<Told> = {}): Told => ({
  x: 0,
  y: 0,
  columns,
  height: rows,
  top: 0,
  bottom: rows - 1,
  origin: false,
  wrap: true,
  insert: false,
  tabs: Array.from({ length: Math.ceil(columns / 8) - 1 }, (_, index) => 8 * index + 8),
  alternate: false,
  hiddenX: 0xffffffff,
  hiddenY: 0xffffffff,
  historySize: 0,
  historyLimit: 2000,
  ...changes,
});
