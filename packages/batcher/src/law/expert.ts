/**
 * One way to look at the past, the holds that it proposes, and what those would have cost.
 *
 * Source: prediction with expert advice, follow the leader (Cesa-Bianchi, Lugosi 2006). In an open loop a hold that
 * was not taken can still be charged, since the arrivals would have been the same: each expert keeps a shadow of the
 * batch it would have open, and of the timer it would have armed.
 *
 *     arrival ─▶ charge the shadow for the gap ─▶ context of this view ─▶ hold of that context ─▶ new shadow
 *
 * Invariants
 * - E1: `loss` is the decayed sum of `min(gap, wait) / tau`, and 1 for each flush of the shadow: the objective in
 *   units of one flush.
 * - E2: the shadow's wait ends where the timer would have fired, not before.
 * - E3: with a coarse timer nothing is held that the timer would hold for longer than pays.
 *
 * One thread; times in us. Cost: O(1) per arrival, no allocation.
 */
import { GapModel } from './gap-model.ts';
import { Trust } from './trust.ts';

/** Decay of the loss per arrival. */
const LOSS_KEEP = 0.98;
/** Largest loss that one gap may bring: one long pause doesn't decide. */
const LOSS_MAX = 3;
/** Observations of a context up to which it is solved each time; later every eighth time. */
const SOLVED_ALWAYS = 16;
/** How late a timer is, as a part of its resolution. */
const LATE = 0.09;

/** Limits of the holds that an expert may propose. */
export interface HoldLimits {
  /** Longest hold in units of tau. */
  readonly holdMax: number;
  /** Below this chance of a merge nothing waits. */
  readonly chanceMin: number;
  /** Whether holds are checked against the merges that they brought. */
  readonly calibrates: boolean;
}

/** A view of the past and its shadow; an expert without contexts always proposes to flush at once. */
export class Expert {
  /** The gaps by context. */
  readonly gaps: GapModel;
  /** Context of the newest arrival, -1 before the first. */
  context = -1;
  /** Hold that this expert gives the newest arrival (us). */
  hold = 0;
  /** Decayed loss (E1). */
  loss = 0;
  readonly #trust: Trust;
  readonly #limits: HoldLimits;
  readonly #holds: boolean;
  readonly #resolution: number;
  readonly #step: number;
  /** How much later than asked the timer may end a hold. */
  readonly #lateness: number;
  #isOpen = false;
  #due = 0;
  #wake = 0;

  constructor(contexts: number, limits: HoldLimits, resolution: number) {
    this.#holds = contexts > 0;
    this.gaps = new GapModel(Math.max(1, contexts));
    this.#trust = new Trust(Math.max(1, contexts), resolution > 0);
    this.#limits = limits;
    this.#resolution = resolution;
    this.#step = resolution * (1 + LATE);
    this.#lateness = this.#step;
  }

  /** Probability of a merge within the hold of the newest arrival. */
  get chance(): number {
    return this.#holds ? this.gaps.chance(this.context) : 0;
  }

  /** Factor on the counted chances of the newest context. */
  get trust(): number {
    return this.#limits.calibrates && this.context >= 0 ? this.#trust.of(this.context) : 1;
  }

  /**
   * Takes in an arrival at `now`, in `context`, after a gap of `bucket` since `last`: charges the shadow, counts the
   * gap, and proposes the arrival's hold. One method, so that it compiles to one piece of code.
   */
  step(bucket: number, last: number, now: number, tau: number, context: number): void {
    let loss = this.loss * LOSS_KEEP + this.#charge(last, now, tau); // E1
    if (!this.#holds) {
      this.loss = loss + 1;
      return;
    }
    if (this.context >= 0) this.#observe(bucket, tau);
    let hold = this.gaps.hold(context);
    if (hold > 0) {
      this.#due = now + hold;
      if (this.#resolution > 0) {
        this.#arm(now, hold);
        if (this.#fires() - now > this.gaps.reach(context)) hold = 0; // E3
      }
    }
    this.#isOpen = hold > 0;
    if (!this.#isOpen) loss += 1;
    this.context = context;
    this.hold = hold;
    this.loss = loss;
  }

  /** Returns what the gap from `last` to `now` costs the shadow. */
  #charge(last: number, now: number, tau: number): number {
    if (!this.#isOpen) return 0;
    const fires = this.#resolution === 0 ? this.#due : this.#fires();
    this.#isOpen = fires >= now;
    return Math.min(LOSS_MAX, (this.#isOpen ? now - last : fires - last + tau) / tau);
  }

  /** Counts the gap that followed the newest arrival, and solves its context anew when that is due. */
  #observe(bucket: number, tau: number): void {
    const { context } = this;
    const isTrusted = this.trust === 1;
    this.#trust.relax(context);
    const count = this.gaps.observe(context, bucket);
    if (count < SOLVED_ALWAYS || (count & 7) === 0 || !isTrusted) this.solve(tau);
  }

  /** When the timer of the shadow fires at or after its due time (E2). */
  #fires(): number {
    const late = this.#due - this.#wake;
    return late <= 0 ? this.#wake : this.#wake + this.#step * Math.ceil(late / this.#step);
  }

  /** Solves the hold of the newest context. */
  solve(tau: number): void {
    const { holdMax, chanceMin } = this.#limits;
    this.gaps.solve(this.context, tau, this.trust, holdMax, chanceMin, this.#lateness);
  }

  /** Learns from a hold that was taken on this expert's word. Before `observe`, which may change the chance. */
  learn(merged: boolean): void {
    if (this.#holds) this.#trust.observe(this.context, this.chance, merged);
  }

  #arm(now: number, hold: number): void {
    if (!this.#isOpen) {
      const ticks = Math.max(1, Math.ceil(hold / this.#resolution));
      this.#wake = now + this.#resolution * (ticks + LATE);
    } else if (this.#wake <= now) {
      this.#wake += this.#step * (Math.floor((now - this.#wake) / this.#step) + 1);
    }
  }
}
