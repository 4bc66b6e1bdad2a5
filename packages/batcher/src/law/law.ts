/**
 * Decides when a batch leaves: calibrated ski rental with a flush budget.
 *
 * Source: ski rental with a learned gap distribution (see gap-model.ts), a token bucket against wrong predictions
 * (learning-augmented algorithms: Bamas et al. 2020, Im et al. 2023), and a check of realised against predicted
 * merges, which is new here.
 *
 * Objective: `flushes * fixed + rho * (time during which undelivered data exists)`, both in us. `fixed` is the
 * learned fixed cost of a flush, `rho` the CPU share one is ready to spend; `tau = fixed / rho` is the break-even hold.
 *
 *     arrival ─▶ gap since the last one ─▶ count it in its context ─▶ hold of the next context
 *     due = min( max(holdUntil, time of the next token), oldest + min(delayMax, 4 tau) )
 *     flush  ─▶ cost model, token spent, "did the hold merge anything?" at the next arrival
 *
 * Invariants
 * - L1: `due <= oldest + delayMax`.
 * - L2: after idling, the first arrival is due at once unless a merge within its hold has chance `CHANCE_MIN`.
 * - L3: flushes that holds and caps don't merge come at most `TOKENS` at once and then one per guard interval.
 * - L4: holds that aren't followed by merges lower `trust`, so holding stops in a closed loop.
 *
 * One thread, no clock of its own: every time is an argument, in us. Cost: O(1) per arrival tick, no allocation.
 */
import { CostModel } from './cost-model.ts';
import { CONTEXTS, GapModel } from './gap-model.ts';

/** Longest hold in units of tau. */
const HOLD_MAX = 1.5;
/** Past this many tau of age the fixed cost is below `rho / 4` of the time; holding on buys next to nothing. */
const AGE_MAX = 4;
/** Below this chance of a merge nothing waits: a lone item never pays for a long shot. */
const CHANCE_MIN = 0.3;
/** Flushes that may follow each other without a pause. */
const TOKENS = 2;
/** Guard interval in units of tau, and the least part of it that a proven closed loop leaves. */
const GUARD = 0.5;
const GUARD_TRUST_MIN = 0.25;
/** Decay of the calibration pairs per observation. */
const CALIBRATION_KEEP = 0.97;

/** Limits of the law. */
export interface LawOptions {
  /** Oldest age allowed (us). */
  readonly delayMax: number;
  /** CPU share that may go into fixed flush cost; also the exchange rate between CPU and waiting. */
  readonly overhead: number;
  /** Fixed flush cost assumed before the first flush (us). */
  readonly fixedInitial?: number;
}

/** The decision core: no I/O, no timers, no queue. */
export class Law {
  /** What a flush costs. */
  readonly cost: CostModel;
  readonly #gaps = new GapModel();
  readonly #delayMax: number;
  readonly #overhead: number;
  #position = -1;
  #last = Number.NEGATIVE_INFINITY;
  #holdUntil = Number.NEGATIVE_INFINITY;
  #held = 0;
  #heldChance = 0;
  #flushedSinceArrival = true;
  readonly #merges = new Float64Array(CONTEXTS).fill(1);
  readonly #predicted = new Float64Array(CONTEXTS).fill(1);
  #tokens = TOKENS;
  #tokensAt = 0;
  #arrivals = 0;
  #guarding = false;
  #guardingSince = 0;
  #guardMerges = 1;
  #guardWaits = 1;

  constructor(options: LawOptions) {
    this.#delayMax = options.delayMax;
    this.#overhead = options.overhead;
    this.cost = new CostModel(options.fixedInitial ?? 20);
  }

  /** Break-even hold (us): waiting this long costs as much as one flush. */
  get tau(): number {
    return this.cost.fixed / this.#overhead;
  }

  /** Hold that the last arrival was given (us). */
  get hold(): number {
    return this.#held;
  }

  /** Realised over predicted merges of the current context: 1 when holds pay as predicted, less in a closed loop. */
  get trust(): number {
    return this.#position < 0 ? 1 : this.#trust(Math.min(this.#position, CONTEXTS - 1));
  }

  #trust(context: number): number {
    return Math.min(1, this.#merges[context]! / this.#predicted[context]!);
  }

  get #guard(): number {
    const trust = Math.max(GUARD_TRUST_MIN, Math.min(1, this.#guardMerges / this.#guardWaits));
    return Math.max(1e-3, Math.min(this.#delayMax, GUARD * this.tau) * trust);
  }

  /** Takes in one tick with arrivals at `now`; items of one tick merge for free and count as one. */
  arrive(now: number): void {
    const gap = now - this.#last;
    const tau = this.tau;
    this.#arrivals++;
    if (this.#position >= 0) {
      const context = Math.min(this.#position, CONTEXTS - 1);
      this.#gaps.observe(context, gap);
      this.#calibrate(context);
      const count = this.#gaps.count[context]!;
      if (count < 16 || (count & 3) === 0) {
        this.#gaps.solve(context, tau, this.#trust(context), HOLD_MAX, CHANCE_MIN);
      }
    }
    this.#position = gap < tau ? this.#position + 1 : 0;
    this.#last = now;
    this.#flushedSinceArrival = false;
    const context = Math.min(this.#position, CONTEXTS - 1);
    this.#held = this.#gaps.hold[context]!;
    this.#heldChance = this.#gaps.chance[context]!;
    this.#holdUntil = now + this.#held;
  }

  /** L4: compares the holds that were taken with the merges that they brought. */
  #calibrate(context: number): void {
    let merges = 1 + (this.#merges[context]! - 1) * CALIBRATION_KEEP;
    let predicted = 1 + (this.#predicted[context]! - 1) * CALIBRATION_KEEP;
    if (this.#held > 0) {
      predicted += this.#heldChance;
      if (!this.#flushedSinceArrival) merges += 1;
    }
    this.#merges[context] = merges;
    this.#predicted[context] = predicted;
  }

  /**
   * Returns the time at which the batch should leave (us; at or before `now` means at once).
   *
   * @param now - current time (us)
   * @param oldest - arrival of the oldest undelivered item (us)
   */
  due(now: number, oldest: number): number {
    let due = this.#holdUntil;
    const guard = this.#guard;
    const tokens = Math.min(TOKENS, this.#tokens + (now - this.#tokensAt) / guard);
    if (tokens < 1) {
      const next = now + (1 - tokens) * guard; // L3
      if (next > due) {
        due = next;
        if (!this.#guarding) {
          this.#guarding = true;
          this.#guardingSince = this.#arrivals;
        }
      }
    }
    return Math.min(due, oldest + Math.min(this.#delayMax, AGE_MAX * this.tau)); // L1
  }

  /** Notes that a batch left at `now`. */
  flushed(now: number): void {
    const guard = this.#guard;
    this.#guardMerges = 1 + (this.#guardMerges - 1) * CALIBRATION_KEEP;
    this.#guardWaits = 1 + (this.#guardWaits - 1) * CALIBRATION_KEEP;
    if (this.#guarding) {
      this.#guardWaits++;
      // One merge during a guard wait shows that waiting isn't what keeps the producer from going on.
      if (this.#arrivals > this.#guardingSince) this.#guardMerges = this.#guardWaits = 1;
      this.#guarding = false;
    }
    const refilled = Math.min(TOKENS, this.#tokens + (now - this.#tokensAt) / guard);
    this.#tokens = Math.max(0, refilled - 1);
    this.#tokensAt = now;
    this.#flushedSinceArrival = true;
  }
}
