/** Constants of the law. Not user knobs: simulations vary them to show what each one is for. */

/** Constants of the law. */
export interface LawTuning {
  /** Longest hold in units of tau. */
  readonly holdMax: number;
  /** Past this many tau of age the fixed cost is a small part of `overhead`; holding on buys next to nothing. */
  readonly ageMax: number;
  /** Below this chance of a merge nothing waits: a lone item never pays for a long shot. */
  readonly chanceMin: number;
  /** Flushes that may follow each other without a pause. */
  readonly tokens: number;
  /** Guard interval in units of tau, when the oldest item's waiting counts. */
  readonly guard: number;
  /** Guard interval in units of tau, when every item's waiting counts. */
  readonly guardEach: number;
  /** Least part of the guard interval that a proven closed loop leaves. */
  readonly guardTrustMin: number;
  /** Whether holds are checked against the merges that they brought. */
  readonly calibrates: boolean;
}

/** The tuning that the batcher uses. */
export const defaultTuning: LawTuning = {
  holdMax: 1.5,
  ageMax: 10,
  chanceMin: 0.3,
  tokens: 2,
  guard: 0.2,
  guardEach: 0.2,
  guardTrustMin: 0.25,
  calibrates: true,
};
