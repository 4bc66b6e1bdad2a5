/**
 * How old a pane's output is when tmux sends it (`%extended-output`), told when it changes by a quarter of a second.
 *
 * tmux pauses a pane, and drops what it has queued, when this age reaches `pause-after`; the age is all the warning that
 * there is. Telling every record's age would be noise, and a burden for
 * the ring: steps are enough.
 *
 * A1: the pane's last told step is that of its last record; 0 is told once when it has caught up.
 *
 * Cost: a comparison a record while no pane is behind, else a map lookup; an event a step.
 */

const stepMs = 250;

/** Follows the ages of all panes. */
export class AgeWatch {
  /** Step that was told of each pane that is behind. */
  readonly #steps: Map<number, number> = new Map();
  readonly #tell: (pane: number, ageMs: number) => void;

  /** @param tell - takes a pane's age (ms, a multiple of 250) when it has changed */
  constructor(tell: (pane: number, ageMs: number) => void) {
    this.#tell = tell;
  }

  /** Sees the age of a record (ms). */
  see(pane: number, ageMs: number): void {
    if (ageMs < stepMs && this.#steps.size === 0) return;
    const step = Math.floor(ageMs / stepMs);
    const told = this.#steps.get(pane) ?? 0;
    if (step === told) return;
    if (step === 0) this.#steps.delete(pane);
    else this.#steps.set(pane, step);
    this.#tell(pane, step * stepMs);
  }
}

/** What is known of a pane's age. */
export interface AgingPane {
  ageMs: number;
  lagging: boolean;
}

/** Notes a pane's age; returns whether somebody should be warned: once from half of the limit on, until a quarter. */
export function growsOld(pane: AgingPane, ageMs: number, pauseAfterMs: number): boolean {
  pane.ageMs = ageMs;
  const warned = pane.lagging;
  if (ageMs * 2 >= pauseAfterMs) pane.lagging = true;
  else if (ageMs * 4 <= pauseAfterMs) pane.lagging = false;
  return pane.lagging && !warned;
}
