/**
 * Decides when a batch leaves: ski rental on the cheapest view of the past, with a flush budget.
 *
 * Source: ski rental with a learned gap distribution (gap-model.ts) under several views of the past (views.ts), the
 * view chosen by what its holds would have cost (expert.ts), a token bucket against wrong predictions (guard.ts), and
 * a test whether holds bring the merges that they promise (trust.ts).
 *
 * Objective, in us: `flushes * fixed + overhead * waiting`. `fixed` is the learned fixed cost of a flush,
 * `overhead` the CPU share one is ready to spend, and `waiting` either the time during which anything waits
 * ('oldest') or the sum of all items' delays ('each'). `tau = fixed / overhead` is the break-even hold.
 *
 *     arrival ─▶ gap since the last one ─▶ every view counts it and is charged ─▶ hold of the cheapest view
 *     due = min( max(hold's end, next token), oldest + min(delayMax, 10 tau) )
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
 * - L5: a sink whose fixed cost is below `FREE_US` is delivered to at once, L3 or not. Nothing is noted meanwhile, and the
 *   batch before it says nothing about the one after it; what the views have counted stays.
 *
 * One thread, no clock of its own: every time is an argument, in us. Cost: O(1) per arrival tick, no allocation.
 */
import { CostModel } from './cost-model.ts';
import { Expert } from './expert.ts';
import { bucketOf } from './gap-model.ts';
import { Guard } from './guard.ts';
import { defaultTuning, type LawTuning } from './tuning.ts';
import { gapContext, VIEW_CONTEXTS } from './views.ts';

/** Fixed cost assumed before the first flush (us). */
export const FIXED_US_INITIAL = 20;

/** Fixed cost below which a sink is free (us): a decision takes longer than the flush that it might save. */
export const FREE_US = 0.2;

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
  /** What a flush costs, learned by whoever flushes. @defaultValue a model of its own */
  readonly cost?: CostModel;
  /** Constants to vary in a simulation. */
  readonly tuning?: Partial<LawTuning>;
}

/** The decision core: no I/O, no timers, no queue. */
export class Law {
  /** What a flush costs. */
  readonly cost: CostModel;
  readonly #guard: Guard;
  readonly #tuning: LawTuning;
  readonly #delayMax: number;
  readonly #perOverhead: number;
  readonly #each: boolean;
  /** Guard interval in units of tau. */
  readonly #guardTau: number;
  readonly #burst: Expert;
  readonly #all: Expert;
  readonly #gap: Expert;
  readonly #batch: Expert;
  /** Flushes at once: what holding must beat. */
  readonly #none: Expert;
  /** The expert whose holds are taken. */
  #active: Expert;
  #arrivals = 0;
  #position = -1;
  /** Arrivals since the last flush. */
  #batched = 0;
  #last = Number.NEGATIVE_INFINITY;
  #hold = 0;
  #holdUntil = Number.NEGATIVE_INFINITY;
  #flushedSinceArrival = true;
  /** A cap or a full batch ended the hold: it says nothing about the loop. */
  #cutShort = false;
  /** The sink was free at the last arrival. */
  #wasFree = false;
  /** Items that wait, and the sum of their arrival times since `#origin`. */
  #waiting = 0;
  #origin = 0;
  #arrivalSum = 0;

  constructor(options: LawOptions) {
    this.#tuning = { ...defaultTuning, ...options.tuning };
    const { tokens, guardTrustMin } = this.#tuning;
    const resolution = options.resolution ?? 0;
    this.#guard = new Guard(tokens, guardTrustMin, resolution);
    const expert = (contexts: number): Expert => new Expert(contexts, this.#tuning, resolution);
    this.#each = options.waiting === 'each';
    const burst = expert(VIEW_CONTEXTS[0]!);
    this.#burst = this.#active = burst;
    this.#all = this.#each ? burst : expert(VIEW_CONTEXTS[1]!);
    this.#gap = this.#each ? burst : expert(VIEW_CONTEXTS[2]!);
    this.#batch = this.#each ? burst : expert(VIEW_CONTEXTS[3]!);
    this.#none = this.#each ? burst : expert(0);
    this.#delayMax = options.delayMax;
    this.#perOverhead = 1 / options.overhead;
    this.#guardTau = this.#each ? this.#tuning.guardEach : this.#tuning.guard;
    this.cost = options.cost ?? new CostModel(FIXED_US_INITIAL);
  }

  /** Break-even hold (us): waiting this long costs as much as one flush. */
  get tau(): number {
    return this.cost.fixed * this.#perOverhead;
  }

  /** Hold that the last arrival was given (us). */
  get hold(): number {
    return this.#wasFree ? 0 : this.#hold;
  }

  /** Whether the sink was free at the last arrival and is (L5): then what waits is due. */
  get isFree(): boolean {
    return this.#wasFree && this.cost.fixed < FREE_US;
  }

  /** How far the counted chances of a merge are believed: 1 in an open loop, towards 0 in a closed one. */
  get trust(): number {
    return Math.min(this.#burst.trust, this.#all.trust, this.#gap.trust, this.#batch.trust);
  }

  #interval(): number {
    return Math.min(this.#delayMax, this.#guardTau * this.tau);
  }

  /**
   * Takes in one tick with arrivals at `now`; items of one tick merge for free and count as one arrival.
   *
   * @param waiting - items that wait, those of this tick included
   */
  arrive(now: number, waiting: number): void {
    if (this.cost.fixed < FREE_US)
      this.#wasFree = true; // L5
    else this.#learn(now, waiting);
  }

  #learn(now: number, waiting: number): void {
    if (this.#wasFree) this.#forget();
    const gap = now - this.#last;
    const bucket = bucketOf(gap);
    const tau = this.tau;
    this.#arrivals++;
    const wasHeld = this.#hold > 0 && !(this.#flushedSinceArrival && this.#cutShort);
    if (wasHeld) this.#active.learn(!this.#flushedSinceArrival); // L4
    this.#position = gap < tau ? this.#position + 1 : 0;
    const position = Math.min(this.#position, VIEW_CONTEXTS[0]! - 1);
    this.#burst.step(bucket, this.#last, now, tau, position);
    if (this.#each) this.#holdForEach(now, waiting, tau);
    else this.#holdForOldest(bucket, gap, now, tau);
    this.#batched++;
    this.#last = now;
    this.#flushedSinceArrival = false;
    this.#cutShort = false;
    this.#holdUntil = now + this.#hold;
  }

  /** The sink was free and costs something again: the batch before that says nothing about the next (L5). */
  #forget(): void {
    this.#wasFree = false;
    this.#hold = this.#batched = this.#waiting = 0;
    this.#flushedSinceArrival = true;
    this.#cutShort = false;
  }

  /** The hold when only the oldest item's waiting counts: each gap is a ski rental of its own. */
  #holdForOldest(bucket: number, gap: number, now: number, tau: number): void {
    const last = this.#last;
    this.#all.step(bucket, last, now, tau, 0);
    this.#gap.step(bucket, last, now, tau, gapContext(gap, tau));
    this.#batch.step(bucket, last, now, tau, Math.min(this.#batched, VIEW_CONTEXTS[3]! - 1));
    this.#none.step(bucket, last, now, tau, 0);
    let best = this.#active;
    if (this.#burst.loss < best.loss) best = this.#burst;
    if (this.#all.loss < best.loss) best = this.#all;
    if (this.#gap.loss < best.loss) best = this.#gap;
    if (this.#batch.loss < best.loss) best = this.#batch;
    if (this.#none.loss < best.loss) best = this.#none;
    this.#active = best;
    this.#hold = best.hold;
  }

  /** The hold when every item's waiting counts: the rent is that of all waiting items. */
  #holdForEach(now: number, waiting: number, tau: number): void {
    const burst = this.#burst;
    const { context } = burst;
    if (this.#waiting === 0) {
      this.#origin = now;
      this.#arrivalSum = 0;
    }
    this.#arrivalSum += Math.max(0, waiting - this.#waiting) * (now - this.#origin);
    this.#waiting = waiting;
    burst.solve(tau / waiting);
    const delays = waiting * (now - this.#origin) - this.#arrivalSum;
    const isWorthIt = delays + waiting * burst.gaps.gapWithin(context) <= tau || waiting === 1;
    this.#hold = isWorthIt ? burst.gaps.hold(context) : 0;
  }

  /**
   * Returns the time at which the batch should leave (us; at or before `now` means at once).
   *
   * @param now - current time (us)
   * @param oldest - arrival of the oldest undelivered item (us)
   */
  due(now: number, oldest: number): number {
    return this.cost.fixed < FREE_US ? now : this.#dueByHold(now, oldest); // L5
  }

  #dueByHold(now: number, oldest: number): number {
    const held = this.#holdUntil;
    const token = this.#guard.next(now, this.#interval(), held, this.#arrivals); // L3
    const capped = oldest + Math.min(this.#delayMax, this.#tuning.ageMax * this.tau);
    return Math.min(token > held ? token : held, capped); // L1
  }

  /**
   * Notes that a batch left at `now`.
   *
   * @param waiting - items that are still waiting
   */
  flushed(now: number, waiting: number): void {
    if (this.#wasFree) return; // L5
    if (this.cost.fixed >= FREE_US) this.#guard.flushed(now, this.#interval(), this.#arrivals);
    if (now < this.#holdUntil) this.#cutShort = true;
    this.#flushedSinceArrival = true;
    this.#batched = 0;
    // What is left of a backlog counts as just arrived: its batch is due by size, not by delay.
    this.#waiting = waiting;
    this.#arrivalSum = waiting * (now - this.#origin);
  }
}
