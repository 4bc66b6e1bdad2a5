/**
 * Tells open loops from closed ones: do the holds that were taken bring the merges that were predicted?
 *
 * Source: a sequential test of two hypotheses (Wald 1945). In an open loop an arrival comes within a hold with the
 * counted chance; in a closed loop, where the producer waits for the delivery, hardly ever.
 *
 * State: the log odds of "open" for each context; above 0 the counted chances are taken as they are, below it they
 * are multiplied with the probability of "open".
 *
 * Invariants
 * - V1: odds stay within +-ODDS_MAX, so that a changed producer is believed after a few holds.
 * - V2: one missed merge costs at most MISS_MAX: counted chances near 1 are estimates too.
 * - V3: odds go back to ODDS_START with every arrival, so a context that stopped holding tries again; each trial
 *   that fails doubles the time to the next one, up to 64 times, and a merge ends the patience.
 *
 * One thread. Cost: O(1), no allocation.
 */

const ODDS_START = 1.5;
const ODDS_MAX = 4;
const MISS_MAX = 1;
/** Part of the way back to the start that an arrival brings; every failed trial halves it. */
const RETURN = 0.06;
const RETURN_MIN = RETURN / 64;
/** Chance of an arrival within a hold in a closed loop. */
const CHANCE_CLOSED = 0.05;
const CHANCE_MAX = 0.97;

/** The log odds of each context. */
export class Trust {
  readonly #odds: Float64Array;
  /** Part of the way back to the start that an arrival brings (V3). */
  readonly #part: Float64Array;

  constructor(contexts: number) {
    this.#odds = new Float64Array(contexts).fill(ODDS_START);
    this.#part = new Float64Array(contexts).fill(RETURN);
  }

  /** Returns the factor on the counted chances of a context, in (0, 1]. */
  of(context: number): number {
    const odds = this.#odds[context]!;
    return odds > 0 ? 1 : 1 / (1 + Math.exp(-odds));
  }

  /** Notes that time has passed: one arrival in this context. */
  relax(context: number): void {
    this.#odds[context]! += this.#part[context]! * (ODDS_START - this.#odds[context]!); // V3
  }

  /** Notes a hold that was waited for to its end or to an arrival, whichever came first. */
  observe(context: number, chance: number, merged: boolean): void {
    const expected = Math.min(CHANCE_MAX, Math.max(CHANCE_CLOSED, chance));
    const evidence = merged
      ? Math.log(expected / CHANCE_CLOSED)
      : Math.max(-MISS_MAX, Math.log((1 - expected) / (1 - CHANCE_CLOSED))); // V2
    const odds = this.#odds[context]! + evidence;
    this.#odds[context] = Math.max(-ODDS_MAX, Math.min(ODDS_MAX, odds)); // V1
    if (merged) this.#part[context] = RETURN;
    else if (odds <= 0) this.#part[context] = Math.max(RETURN_MIN, 0.5 * this.#part[context]!);
  }
}
