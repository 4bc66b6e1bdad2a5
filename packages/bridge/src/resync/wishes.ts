/**
 * Which pipes of a pane want a snapshot, and why; and which terminals differ from tmux until there is another one.
 *
 * ```text
 * attach, skip, … ──▶ wanting ─ handed over ─┬─ exact ────────────────────────▶ done
 *                         ▲                   ├─ inexact ──▶ inexact ─ repair ─┐
 *                         │                   └─ saved pen unknown ▶ latent ───┤ when it is used
 *                         └────────────────────────────────────────────────────┘
 * ```
 */

/** Why a pipe gets a snapshot. */
export type Cause = 'attach' | 'skip' | 'gap' | 'resize' | 'repair';

/** After a skip the terminal's own scrollback stays, with its hole. */
export const withHistory = (cause: Cause): boolean => cause === 'attach' || cause === 'gap';

/** The wishes of a pane's pipes. */
export class Wishes<Pipe extends { readonly historyLines: number }> {
  readonly #wanting = new Map<Pipe, Cause>();
  readonly #inexact = new Set<Pipe>();
  readonly #latent = new Set<Pipe>();
  /** All that have had a snapshot. */
  readonly #served = new Set<Pipe>();

  /** Whether any pipe waits. */
  get any(): boolean {
    return this.#wanting.size > 0;
  }

  /** Whether any terminal is known to differ. */
  get anyInexact(): boolean {
    return this.#inexact.size > 0;
  }

  /** The causes of those that wait. */
  get causes(): Cause[] {
    return [...this.#wanting.values()];
  }

  /** Rows of history that are needed for those that wait. */
  get historyLines(): number {
    let lines = 0;
    for (const [pipe, cause] of this.#wanting) {
      if (withHistory(cause)) lines = Math.max(lines, pipe.historyLines);
    }
    return lines;
  }

  has(pipe: Pipe): boolean {
    return this.#wanting.has(pipe);
  }

  want(pipe: Pipe, cause: Cause): void {
    const before = this.#wanting.get(pipe) ?? 'repair';
    if (cause === 'resize' && before !== 'repair') return; // it gets what it waits for in the new size
    this.#wanting.set(pipe, cause);
  }

  /** All whose terminal differs want another snapshot. */
  wantInexact(cause: Cause): void {
    for (const pipe of this.#inexact) this.#wanting.set(pipe, cause);
  }

  /** The pipes that have had a snapshot and haven't ended. */
  get served(): Iterable<Pipe> {
    return this.#served;
  }

  /** A pen that isn't known is in use: terminals that were told nothing of it differ. */
  penLost(): void {
    for (const pipe of this.#latent) this.#inexact.add(pipe);
    this.#latent.clear();
  }

  /** Nobody waits any more; returns who did. */
  take(): [Pipe, Cause][] {
    const wanting = [...this.#wanting];
    this.#wanting.clear();
    return wanting;
  }

  /** A pipe got its snapshot. */
  handed(pipe: Pipe, exact: boolean, savedPensKnown: boolean): void {
    this.#served.add(pipe);
    if (exact) this.#inexact.delete(pipe);
    else this.#inexact.add(pipe);
    if (savedPensKnown) this.#latent.delete(pipe);
    else this.#latent.add(pipe);
  }

  forget(pipe: Pipe): void {
    this.#wanting.delete(pipe);
    this.#inexact.delete(pipe);
    this.#latent.delete(pipe);
    this.#served.delete(pipe);
  }

  clear(): void {
    this.#wanting.clear();
    this.#inexact.clear();
    this.#latent.clear();
    this.#served.clear();
  }
}
