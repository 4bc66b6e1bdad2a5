/**
 * Learns how long the next arrival takes in each of several contexts, and derives the hold that pays.
 *
 * Source: ski rental with a known distribution (Karlin, Kenyon, Randall), the distribution learned by counting.
 *
 * Layout: each context has 40 half-octave buckets of gap length and its own weight, total and solved hold:
 *
 *     bucket   0      1         2       ...   38            39
 *     gap    <= 1   <= 1.41   <= 2      ...  <= 2^19 us    never (about 0.5 s and more)
 *
 * Forgetting is a growing weight instead of a decay loop: the newest observation counts 1/keep times the one
 * before, and all is scaled down once the weight gets large.
 *
 * Invariants
 * - G1: the total of a context equals the sum of its buckets.
 * - G2: a hold is 0 or at most `holdMax * tau`; it is 0 unless the expected cost of holding is below flushing now.
 *
 * Called from the thread that pushes. Cost: O(1) per tick; a solve walks at most 40 buckets. No allocation.
 */

const BUCKETS = 40;
const NEVER = BUCKETS - 1;
const KEEP = 0.995;
const GROWTH = 1 / KEEP;
const WEIGHT_MAX = 1e12;
/** Share of an observation that each bucket (and "never") gets in advance: unseen gaps stay possible. */
const SMOOTHING = 0.02;
const SMOOTHING_NEVER = 0.1;

const upper = Float64Array.from({ length: BUCKETS }, (_, i) =>
  i === NEVER ? Number.POSITIVE_INFINITY : 2 ** (i / 2),
);

/** Returns the bucket of a gap in us. */
export function bucketOf(gap: number): number {
  if (!(gap > 1)) return 0;
  return Math.min(NEVER, Math.ceil(2 * Math.log2(gap)));
}

/** The learned gaps and the solved holds of all contexts. */
export class GapModel {
  /** Solved hold of each context (us). */
  readonly hold: Float64Array;
  /** Probability, by the counts alone, that an arrival comes within that hold. */
  readonly chance: Float64Array;
  /** Mean of the gaps within that hold (us). */
  readonly gapWithin: Float64Array;
  /** Observations of each context. */
  readonly count: Uint32Array;
  readonly #buckets: Float64Array;
  readonly #total: Float64Array;
  readonly #weight: Float64Array;

  constructor(contexts: number) {
    this.hold = new Float64Array(contexts);
    this.chance = new Float64Array(contexts);
    this.gapWithin = new Float64Array(contexts);
    this.count = new Uint32Array(contexts);
    this.#buckets = new Float64Array(contexts * BUCKETS);
    this.#total = new Float64Array(contexts);
    this.#weight = new Float64Array(contexts).fill(1);
  }

  /** Counts one gap of `bucket` (see `bucketOf`) that followed an arrival of `context`. */
  observe(context: number, bucket: number): void {
    const weight = this.#weight[context]! * GROWTH;
    this.#weight[context] = weight;
    this.#buckets[context * BUCKETS + bucket]! += weight; // G1
    this.#total[context]! += weight; // G1
    this.count[context]!++;
    if (weight > WEIGHT_MAX) this.#rescale(context);
  }

  #rescale(context: number): void {
    const scale = 1 / this.#weight[context]!;
    const base = context * BUCKETS;
    for (let i = 0; i < BUCKETS; i++) this.#buckets[base + i]! *= scale;
    this.#total[context]! *= scale;
    this.#weight[context] = 1;
  }

  /**
   * Solves the hold of a context: the x that minimises `rho * E[min(gap, x)] + fixed * P(gap > x)`.
   *
   * @param tau - break-even hold, `fixed / rho` (us); the cost is measured in units of `rho`, so `fixed` is `tau`
   * @param trust - factor in (0, 1] on the counted probabilities, from holds that were taken and didn't pay
   * @param holdMax - longest hold, in units of tau
   * @param chanceMin - below this chance of a merge nothing waits
   */
  solve(context: number, tau: number, trust: number, holdMax: number, chanceMin: number): void {
    if (this.count[context]! < 2) return;
    const unit = this.#weight[context]!;
    const total = this.#total[context]! + unit * (SMOOTHING * NEVER + SMOOTHING_NEVER);
    const longest = holdMax * tau;
    const base = context * BUCKETS;
    let waited = 0;
    let merged = 0;
    let best = tau;
    let hold = 0;
    let chance = 0;
    let within = 0;
    for (let i = 0; i < NEVER; i++) {
      const low = i === 0 ? 0 : upper[i - 1]!;
      if (low >= longest) break;
      const high = upper[i]!;
      const x = high < longest ? high : longest;
      const mass = (this.#buckets[base + i]! + unit * SMOOTHING) / total;
      const part = (trust * mass * (x - low)) / (high - low);
      waited += part * (low + x) * 0.5;
      merged += part;
      const cost = waited + (x + tau) * (1 - merged);
      if (cost < best * 0.999) {
        best = cost;
        hold = x;
        chance = merged;
        within = waited / merged;
      }
    }
    chance /= trust;
    this.hold[context] = chance < chanceMin ? 0 : hold * 1.02; // G2
    this.chance[context] = chance;
    this.gapWithin[context] = within;
  }
}
