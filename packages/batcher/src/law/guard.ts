/**
 * Bounds what wrong predictions can cost: a token bucket over flushes.
 *
 * Source: the guard of learning-augmented algorithms (Bamas et al. 2020): prediction for the good case, a rule that
 * needs none for the bad one. A flush takes a token; tokens come back one per interval, a part of tau.
 *
 * Invariants
 * - T1: over any long time, flushes are at most `tokens + TOKENS_OWED` ahead of one per interval.
 * - T2: a guard wait that no arrival ends shortens the interval, down to `trustMin` of it: in a closed loop the
 *   producer waits for us, and pacing would only slow both down. One arrival during a wait restores it.
 * - T3: a wait shorter than a timer can keep is let through on credit instead of being made longer.
 *
 * One thread; times in us. Cost: O(1), no allocation.
 */

/** Flushes that a coarse timer may let through ahead of their tokens. */
const TOKENS_OWED = 8;
const KEEP = 0.97;

/** The token bucket. */
export class Guard {
  readonly #capacity: number;
  readonly #trustMin: number;
  readonly #credit: number;
  #tokens: number;
  #tokensAt = 0;
  #waits = 1;
  #merges = 1;
  /** Part of the interval that the waits so far leave (T2). */
  #part = 1;
  #waitsSince = -1;

  constructor(capacity: number, trustMin: number, resolution: number) {
    this.#capacity = capacity;
    this.#tokens = capacity;
    this.#trustMin = trustMin;
    this.#credit = resolution;
  }

  #shortened(interval: number): number {
    return Math.max(1e-3, interval * this.#part); // T2
  }

  /**
   * Returns the time from which a flush has its token.
   *
   * @param arrivals - arrivals so far, to tell later whether one came during the wait
   */
  next(now: number, interval: number, due: number, arrivals: number): number {
    const shortened = this.#shortened(interval);
    const wait = (1 - this.#tokens) * shortened - (now - this.#tokensAt);
    if (wait <= 0) return now;
    if (wait < this.#credit && wait <= TOKENS_OWED * shortened) return now; // T1, T3
    if (now + wait > due && this.#waitsSince < 0) this.#waitsSince = arrivals;
    return now + wait;
  }

  /** Takes a flush's token. */
  flushed(now: number, interval: number, arrivals: number): void {
    const shortened = this.#shortened(interval);
    const elapsed = now - this.#tokensAt;
    const isFull = elapsed >= (this.#capacity - this.#tokens) * shortened;
    const tokens = isFull ? this.#capacity : this.#tokens + elapsed / shortened;
    this.#merges = 1 + (this.#merges - 1) * KEEP;
    this.#waits = 1 + (this.#waits - 1) * KEEP;
    if (this.#waitsSince >= 0) {
      this.#waits++;
      if (arrivals > this.#waitsSince) this.#merges = this.#waits = 1; // T2
      this.#waitsSince = -1;
    }
    const isTrusted = this.#merges >= this.#waits;
    this.#part = isTrusted ? 1 : Math.max(this.#trustMin, this.#merges / this.#waits);
    this.#tokens = Math.max(-TOKENS_OWED, tokens - 1); // T1
    this.#tokensAt = now;
  }
}
