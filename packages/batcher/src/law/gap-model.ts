/**
 * Learns how long the next arrival takes in each of several contexts, and derives the hold that pays.
 *
 * Source: ski rental with a known distribution (Karlin, Kenyon, Randall), the distribution learned by counting.
 *
 * Layout: one record of 48 doubles per context, so that an arrival touches few cache lines: 40 half-octave buckets of
 * gap length, then the context's own sums and its solved hold:
 *
 *     bucket   0      1         2       ...   38            39
 *     gap    <= 1   <= 1.41   <= 2      ...  <= 2^19 us    never (about 0.5 s and more)
 *
 *     40 total   41 weight   42 count   43 hold   44 chance   45 gap within the hold   46 reach
 *
 * Forgetting is a growing weight instead of a decay loop: the newest observation counts 1/keep times the one
 * before, and all is scaled down once the weight gets large.
 *
 * Invariants
 * - G1: the total of a context equals the sum of its buckets.
 * - G2: a hold is 0 or at most `holdMax * tau`; it is 0 unless the expected cost of holding is below flushing now.
 * * - G3: waiting until `reach` and no longer costs less than `REACH_COST` flushes: so late may a coarse timer end a hold.
 *
 * Called from the thread that pushes. Cost: O(1) per tick; a solve walks at most 40 buckets. No allocation.
 */

const BUCKETS = 40;
const NEVER = BUCKETS - 1;
const TOTAL = BUCKETS;
const WEIGHT = BUCKETS + 1;
const COUNT = BUCKETS + 2;
const HOLD = BUCKETS + 3;
const CHANCE = BUCKETS + 4;
const WITHIN = BUCKETS + 5;
const REACH = BUCKETS + 6;
/** Doubles of a record. */
const STRIDE = 48;
const KEEP = 0.995;
const GROWTH = 1 / KEEP;
const WEIGHT_MAX = 1e12;
/** Cost of waiting up to which a late timer is better than none, in flushes: an arrival may still end the wait. */
const REACH_COST = 1.1;
/** Share of an observation that each bucket (and "never") gets in advance: unseen gaps stay possible. */
const SMOOTHING = 0.02;
const SMOOTHING_NEVER = 0.1;
const SMOOTHING_TOTAL = SMOOTHING * NEVER + SMOOTHING_NEVER;

const upper = Float64Array.from({ length: BUCKETS }, (_, i) =>
  i === NEVER ? Number.POSITIVE_INFINITY : 2 ** (i / 2),
);

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0]!;
const BELOW_ONE = 1 - 2 ** -53;

/** Returns `floor(log2(x))` of a positive number from its bits: the logarithm itself costs a call. */
export function floorLog2(x: number): number {
  float[0] = x;
  return (words[HIGH]! >>> 20) - 1023;
}

/** Returns the bucket of a gap in us: half octaves of it, rounded up. */
export function bucketOf(gap: number): number {
  return gap > 1 ? Math.min(NEVER, floorLog2(gap * gap * BELOW_ONE) + 1) : 0;
}

/** The learned gaps and the solved holds of all contexts. */
export class GapModel {
  readonly #records: Float64Array;

  constructor(contexts: number) {
    this.#records = new Float64Array(contexts * STRIDE);
    for (let c = 0; c < contexts; c++) this.#records[c * STRIDE + WEIGHT] = 1;
  }

  /** Returns the solved hold of a context (us). */
  hold(context: number): number {
    return this.#records[context * STRIDE + HOLD]!;
  }

  /** Returns the probability, by the counts alone, that an arrival comes within that hold. */
  chance(context: number): number {
    return this.#records[context * STRIDE + CHANCE]!;
  }

  /** Returns how long a hold may last at most when no arrival ends it (us). */
  reach(context: number): number {
    return this.#records[context * STRIDE + REACH]!;
  }

  /** Returns the mean of the gaps within that hold (us). */
  gapWithin(context: number): number {
    return this.#records[context * STRIDE + WITHIN]!;
  }

  /** Counts one gap of `bucket` (see `bucketOf`) that followed an arrival of `context`; returns how many it has seen. */
  observe(context: number, bucket: number): number {
    const records = this.#records;
    const base = context * STRIDE;
    const weight = records[base + WEIGHT]! * GROWTH;
    records[base + WEIGHT] = weight;
    records[base + bucket]! += weight; // G1
    records[base + TOTAL]! += weight; // G1
    const count = records[base + COUNT]! + 1;
    records[base + COUNT] = count;
    if (weight > WEIGHT_MAX) this.#rescale(base);
    return count;
  }

  #rescale(base: number): void {
    const records = this.#records;
    const scale = 1 / records[base + WEIGHT]!;
    for (let i = 0; i <= TOTAL; i++) records[base + i]! *= scale;
    records[base + WEIGHT] = 1;
  }

  /**
   * Solves the hold of a context: the x that minimises `rho * E[min(gap, x)] + fixed * P(gap > x)`.
   *
   * @param tau - break-even hold, `fixed / rho` (us); the cost is measured in units of `rho`, so `fixed` is `tau`
   * @param trust - factor in (0, 1] on the counted probabilities, from holds that were taken and didn't pay
   * @param holdMax - longest hold, in units of tau
   * @param chanceMin - below this chance of a merge nothing waits
   * @param lateness - how much later than asked a timer may fire (us), 0 if timers are exact
   */
  solve(
    context: number,
    tau: number,
    trust: number,
    holdMax: number,
    chanceMin: number,
    lateness: number,
  ): void {
    const records = this.#records;
    const base = context * STRIDE;
    if (records[base + COUNT]! < 2) return;
    const unit = records[base + WEIGHT]!;
    const factor = trust / (records[base + TOTAL]! + unit * SMOOTHING_TOTAL);
    const smoothing = unit * SMOOTHING;
    const longest = holdMax * tau;
    const end = longest + lateness;
    const bearable = REACH_COST * tau;
    let waited = 0;
    let merged = 0;
    let best = 0.999 * tau;
    let hold = 0;
    let chance = 0;
    let within = 0;
    let reach = 0;
    let low = 0;
    let i = 0;
    // What merges cost by waiting only grows: once that alone is dearer, no longer wait is better.
    const stop = lateness > 0 ? bearable : 0;
    while (i < NEVER && low < end && (waited < best || waited < stop)) {
      const to = upper[i]!;
      const from = i === 0 ? 0 : upper[i - 1]!;
      const x = Math.min(to, low < longest ? longest : end);
      let part = factor * (records[base + i]! + smoothing);
      if (x < to || low > from) part *= (x - low) / (to - from);
      waited += part * (low + x) * 0.5;
      merged += part;
      const cost = waited + (x + tau) * (1 - merged);
      if (cost < bearable) reach = x;
      if (cost < best && x <= longest) {
        best = 0.999 * cost;
        hold = x;
        chance = merged;
        within = waited;
      }
      if (x === to) i++;
      low = x;
    }
    records[base + REACH] = reach; // G3
    records[base + WITHIN] = chance > 0 ? within / chance : 0;
    chance /= trust;
    records[base + HOLD] = chance < chanceMin ? 0 : hold * 1.02; // G2
    records[base + CHANCE] = chance;
  }
}
