/**
 * Learns what one flush costs: `cost(bytes) = fixed + perByte * bytes`, in microseconds.
 *
 * Source: exponentially forgetting least squares with a ridge towards `perByte = 0`.
 *
 * State: five decayed sums (weight, x, y, x*x, x*y) and the two coefficients made of them.
 *
 * Invariants
 * - C1: `perByte >= 0` and `fixed >= 0.05 * mean cost`: the fixed part is never lost, because the law is cheap
 *   when it is too high and dear when it is too low.
 * - C2: one outlier moves the model by no more than four times its prediction would.
 *
 * Called from the thread that flushes. Cost: O(1), no allocation.
 */

/** A recursive estimate of the fixed and the proportional part of a flush's cost. */
export class CostModel {
  /** Fixed cost of a flush (us). */
  fixed: number;
  /** Cost of one more byte (us). */
  perByte = 0;
  /** Observations so far. */
  count = 0;
  #weight = 1;
  #x = 0;
  #y: number;
  #xx = 0;
  #xy = 0;

  /** @param initial - fixed cost assumed before the first flush (us, above 0) */
  constructor(initial: number) {
    this.fixed = initial;
    this.#y = initial;
  }

  /** Mean size of the flushes observed lately (bytes). */
  get meanBytes(): number {
    return this.#x / this.#weight;
  }

  /** Takes in one flush of `bytes` that took `duration` (us). */
  observe(bytes: number, duration: number): void {
    let y = duration > 0 ? duration : 0;
    if (this.count > 8) y = Math.min(y, 4 * this.predict(bytes)); // C2
    const keep = this.count < 8 ? 0.7 : 0.97;
    this.count++;
    this.#weight = this.#weight * keep + 1;
    this.#x = this.#x * keep + bytes;
    this.#y = this.#y * keep + y;
    this.#xx = this.#xx * keep + bytes * bytes;
    this.#xy = this.#xy * keep + bytes * y;
    const meanX = this.#x / this.#weight;
    const meanY = this.#y / this.#weight;
    const variance = this.#xx / this.#weight - meanX * meanX;
    const covariance = this.#xy / this.#weight - meanX * meanY;
    // Sizes that hardly vary say nothing about the slope: the ridge then counts all cost as fixed.
    const slope = covariance / (variance + 1e-3 * meanX * meanX + 1e-9);
    const steepest = meanX > 0 ? (0.95 * meanY) / meanX : 0;
    this.perByte = Math.max(0, Math.min(slope, steepest)); // C1
    this.fixed = Math.max(meanY - this.perByte * meanX, 0.05 * meanY, 1e-3); // C1
  }

  /** Returns the expected cost of a flush of `bytes` (us). */
  predict(bytes: number): number {
    return this.fixed + this.perByte * bytes;
  }
}
