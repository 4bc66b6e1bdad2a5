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
 * - V2: one missed merge costs at most MISS_MAX (more under a coarse timer): counted chances near 1 are estimates too.
 * - V3: odds go back to ODDS_START with every arrival, so a context that stopped holding tries again; each trial
 *   that fails doubles the time to the next one, up to that of RETURN_MIN, and a merge ends the patience.
 *
 * One thread. Cost: O(1), no allocation.
 */

const ODDS_START = 1.5;
const ODDS_MAX = 4;
const MISS_MAX = 1;
/** Part of the way back to the start that an arrival brings; every failed trial halves it, down to the least. */
const RETURN = 0.06;
const RETURN_MIN = RETURN / 64;
/** The same under a coarse timer, which makes a miss dearer than the hold that was meant. */
const MISS_MAX_COARSE = 2;
const RETURN_COARSE = 0.02;
/** Chance of an arrival within a hold in a closed loop. */
const CHANCE_CLOSED = 0.05;
const CHANCE_MAX = 0.97;

/** The log odds of each context. */
export class Trust {
  readonly #odds: Float64Array;
  /** Part of the way back to the start that an arrival brings (V3). */
  readonly #part: Float64Array;
  readonly #missMax: number;
  readonly #return: number;

  /** @param isCoarse - whether timers are late by a time that matters */
  constructor(contexts: number, isCoarse: boolean) {
    this.#missMax = isCoarse ? MISS_MAX_COARSE : MISS_MAX;
    this.#return = isCoarse ? RETURN_COARSE : RETURN;
    this.#odds = new Float64Array(contexts).fill(ODDS_START);
    this.#part = new Float64Array(contexts).fill(this.#return);
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
      : Math.max(-this.#missMax, Math.log((1 - expected) / (1 - CHANCE_CLOSED))); // V2
    const odds = this.#odds[context]! + evidence;
    this.#odds[context] = Math.max(-ODDS_MAX, Math.min(ODDS_MAX, odds)); // V1
    if (merged) this.#part[context] = this.#return;
    else if (odds <= 0) this.#part[context] = Math.max(RETURN_MIN, 0.5 * this.#part[context]!);
  }
}
