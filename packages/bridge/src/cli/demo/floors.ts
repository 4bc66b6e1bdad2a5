/** The brief's floors, and whether this run held them. */
import { formatTable } from '../format.ts';

/** One line of the summary. */
export interface Floor {
  readonly figure: string;
  /** The floor, as text. */
  readonly floor: string;
  /** What was measured, as text; undefined if it couldn't be. */
  readonly measured?: string;
  /** Undefined for a line that has no floor of its own. */
  readonly holds?: boolean;
  /** Why it wasn't measured. */
  readonly reason?: string;
}

/** Returns the summary's lines. */
export function floorLines(floors: readonly Floor[]): string[] {
  return formatTable([
    ["the brief's floors", 'floor', 'measured', 'verdict'],
    ...floors.map(({ figure, floor, measured, holds, reason }) => [
      figure,
      floor,
      measured ?? '-',
      measured === undefined
        ? `not run (${reason ?? 'no tmux'})`
        : holds === undefined
          ? 'for comparison'
          : holds
            ? 'holds'
            : 'falls short',
    ]),
  ]);
}
