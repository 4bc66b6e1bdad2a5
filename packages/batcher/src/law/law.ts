/**
 * Decides when a batch leaves: calibrated ski rental with a flush budget.
 *
 * Source: ski rental with a learned gap distribution (gap-model.ts), a token bucket against wrong predictions
 * (guard.ts), and a check of realised against predicted merges, which is new here.
 *
 * Objective, in us: `flushes * fixed + overhead * waiting`. `fixed` is the learned fixed cost of a flush,
 * `overhead` the CPU share one is ready to spend, and `waiting` either the time during which anything waits
 * ('oldest') or the sum of all items' delays ('each'). `tau = fixed / overhead` is the break-even hold.
 *
 *     arrival ─▶ gap since the last one ─▶ count it in its context ─▶ hold of the next context
 *     due = min( max(hold's end, next token), oldest + min(delayMax, 8 tau) )
 *     flush  ─▶ cost model, token spent, "did the hold merge anything?" at the next arrival
 *
 * Under 'oldest' each gap is a ski rental of its own: rent while waiting, buy a flush. Under 'each' the rent grows
 * with the items that wait, and a batch also leaves once the delays that it has run up would exceed `tau`: at the
 * optimum of the economic lot size the two costs are equal.
 *
 * Invariants
 * - L1: `due <= oldest + delayMax`.
 * - L2: after idling, an arrival is due at once unless a merge within its hold has chance `chanceMin`.
 * - L3: flushes that holds and caps don't merge come at most at the guard's rate.
 * - L4: holds that aren't followed by merges lower `trust`, so holding stops in a closed loop.
 *
 * One thread, no clock of its own: every time is an argument, in us. Cost: O(1) per arrival tick, no allocation.
 */
import { CostModel } from './cost-model.ts';
import { CONTEXTS, GapModel } from './gap-model.ts';
import { Guard } from './guard.ts';
import { defaultTuning, type LawTuning } from './tuning.ts';

/** Decay of the calibration pairs per observation. */
const CALIBRATION_KEEP = 0.97;
/** Observations of a context up to which it is solved each time; later every fourth time. */
const SOLVED_ALWAYS = 16;

/** Limits of the law. */
export interface LawOptions {
  /** Oldest age allowed (us). */
  readonly delayMax: number;
  /** CPU share that may go into fixed flush cost; also the exchange rate between CPU and waiting. */
  readonly overhead: number;
  /** Whose waiting counts. @defaultValue 'oldest' */
  readonly waiting?: 'oldest' | 'each';
  /** Shortest time that a timer keeps (us). @defaultValue 0 */
  readonly resolution?: number;
  /** Fixed flush cost assumed before the first flush (us). @defaultValue 20 */
  readonly fixedInitial?: number;
  /** Constants to vary in a simulation. */
  readonly tuning?: Partial<LawTuning>;
}

/** The decision core: no I/O, no timers, no queue. */
export class Law {
  /** What a flush costs. */
  readonly cost: CostModel;
  readonly #gaps = new GapModel();
  readonly #guard: Guard;
  readonly #tuning: LawTuning;
  readonly #delayMax: number;
  readonly #overhead: number;
  readonly #each: boolean;
  readonly #merges: Float64Array = new Float64Array(CONTEXTS).fill(1);
  readonly #predicted: Float64Array = new Float64Array(CONTEXTS).fill(1);
  #arrivals = 0;
  #context = -1;
  #position = -1;
  #last = Number.NEGATIVE_INFINITY;
  #hold = 0;
  #holdChance = 0;
  #holdUntil = Number.NEGATIVE_INFINITY;
  #flushedSinceArrival = true;
  /** Items that wait, and the sum of their arrival times since `#origin`. */
  #waiting = 0;
  #origin = 0;
  #arrivalSum = 0;

  constructor(options: LawOptions) {
    this.#tuning = { ...defaultTuning, ...options.tuning };
    const { tokens, guardTrustMin } = this.#tuning;
    this.#guard = new Guard(tokens, guardTrustMin, options.resolution ?? 0);
    this.#delayMax = options.delayMax;
    this.#overhead = options.overhead;
    this.#each = options.waiting === 'each';
    this.cost = new CostModel(options.fixedInitial ?? 20);
  }

  /** Break-even hold (us): waiting this long costs as much as one flush. */
  get tau(): number {
    return this.cost.fixed / this.#overhead;
  }

  /** Hold that the last arrival was given (us). */
  get hold(): number {
    return this.#hold;
  }

  /** Realised over predicted merges of the current context: 1 when holds pay as predicted, less in a closed loop. */
  get trust(): number {
    return this.#context < 0 ? 1 : this.#trust(this.#context);
  }

  #trust(context: number): number {
    if (!this.#tuning.calibrates) return 1;
    return Math.min(1, this.#merges[context]! / this.#predicted[context]!); // L4
  }

  get #interval(): number {
    const { guard, guardEach } = this.#tuning;
    return Math.min(this.#delayMax, (this.#each ? guardEach : guard) * this.tau);
  }

  /**
   * Takes in one tick with arrivals at `now`; items of one tick merge for free and count as one arrival.
   *
   * @param waiting - items that wait, those of this tick included
   */
  arrive(now: number, waiting: number): void {
    const gap = now - this.#last;
    const tau = this.tau;
    this.#arrivals++;
    if (this.#context >= 0) this.#learn(this.#context, gap, tau);
    this.#position = gap < tau ? this.#position + 1 : 0;
    const context = Math.min(this.#position, CONTEXTS - 1);
    this.#context = context;
    this.#last = now;
    this.#flushedSinceArrival = false;
    if (this.#each) this.#holdForEach(context, now, waiting, tau);
    else {
      this.#hold = this.#gaps.hold[context]!;
      this.#holdChance = this.#gaps.chance[context]!;
    }
    this.#holdUntil = now + this.#hold;
  }

  #learn(context: number, gap: number, tau: number): void {
    this.#gaps.observe(context, gap);
    let merges = 1 + (this.#merges[context]! - 1) * CALIBRATION_KEEP;
    let predicted = 1 + (this.#predicted[context]! - 1) * CALIBRATION_KEEP;
    if (this.#hold > 0) {
      predicted += this.#holdChance;
      if (!this.#flushedSinceArrival) merges += 1;
    }
    this.#merges[context] = merges;
    this.#predicted[context] = predicted;
    const count = this.#gaps.count[context]!;
    if (!this.#each && (count < SOLVED_ALWAYS || (count & 3) === 0)) this.#solve(context, tau);
  }

  #solve(context: number, tau: number): void {
    const { holdMax, chanceMin } = this.#tuning;
    this.#gaps.solve(context, tau, this.#trust(context), holdMax, chanceMin);
  }

  /** The hold when every item's waiting counts: the rent is that of all waiting items. */
  #holdForEach(context: number, now: number, waiting: number, tau: number): void {
    if (this.#waiting === 0) {
      this.#origin = now;
      this.#arrivalSum = 0;
    }
    this.#arrivalSum += Math.max(0, waiting - this.#waiting) * (now - this.#origin);
    this.#waiting = waiting;
    this.#solve(context, tau / waiting);
    const delays = waiting * (now - this.#origin) - this.#arrivalSum;
    const isWorthIt = delays + waiting * this.#gaps.gapWithin[context]! <= tau || waiting === 1;
    this.#hold = isWorthIt ? this.#gaps.hold[context]! : 0;
    this.#holdChance = isWorthIt ? this.#gaps.chance[context]! : 0;
  }

  /**
   * Returns the time at which the batch should leave (us; at or before `now` means at once).
   *
   * @param now - current time (us)
   * @param oldest - arrival of the oldest undelivered item (us)
   */
  due(now: number, oldest: number): number {
    const held = this.#holdUntil;
    const token = this.#guard.next(now, this.#interval, held, this.#arrivals); // L3
    const capped = oldest + Math.min(this.#delayMax, this.#tuning.ageMax * this.tau);
    return Math.min(token > held ? token : held, capped); // L1
  }

  /**
   * Notes that a batch left at `now`.
   *
   * @param waiting - items that are still waiting
   */
  flushed(now: number, waiting: number): void {
    this.#guard.flushed(now, this.#interval, this.#arrivals);
    this.#flushedSinceArrival = true;
    // What is left of a backlog counts as just arrived: its batch is due by size, not by delay.
    this.#waiting = waiting;
    this.#arrivalSum = waiting * (now - this.#origin);
  }
}
