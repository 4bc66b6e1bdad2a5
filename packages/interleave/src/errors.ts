/** Errors of the checker. A broken *program under test* is never an error: it is a verdict. */

/** Codes of the errors that this package throws. */
export type InterleaveErrorCode =
  | 'ERR_INTERLEAVE_SCENARIO'
  | 'ERR_INTERLEAVE_UNMODELLED'
  | 'ERR_INTERLEAVE_TOKEN'
  | 'ERR_INTERLEAVE_NOT_VERIFIED';

/** Thrown when a scenario itself is wrong: an unknown operation, a bound out of range, nested checks. */
export class ScenarioError extends TypeError {
  /** Stable code, the part of the error to branch on. */
  readonly code: Extract<InterleaveErrorCode, 'ERR_INTERLEAVE_SCENARIO'> =
    'ERR_INTERLEAVE_SCENARIO';
  /** Always `ScenarioError`. */
  override readonly name = 'ScenarioError';
}

/** Thrown when the program under test uses something that the model does not cover; never skipped in silence. */
export class UnmodelledError extends TypeError {
  /** Stable code, the part of the error to branch on. */
  readonly code: Extract<InterleaveErrorCode, 'ERR_INTERLEAVE_UNMODELLED'> =
    'ERR_INTERLEAVE_UNMODELLED';
  /** Always `UnmodelledError`. */
  override readonly name = 'UnmodelledError';
}

/** Thrown when a replay token does not fit the scenario that it is replayed on. */
export class TokenError extends RangeError {
  /** Stable code, the part of the error to branch on. */
  readonly code: Extract<InterleaveErrorCode, 'ERR_INTERLEAVE_TOKEN'> = 'ERR_INTERLEAVE_TOKEN';
  /** Always `TokenError`. */
  override readonly name = 'TokenError';
}

/** Thrown by `assertVerified` when the verdict is anything but `verified`; the message is the whole report. */
export class NotVerifiedError extends Error {
  /** Stable code, the part of the error to branch on. */
  readonly code: Extract<InterleaveErrorCode, 'ERR_INTERLEAVE_NOT_VERIFIED'> =
    'ERR_INTERLEAVE_NOT_VERIFIED';
  /** Always `NotVerifiedError`. */
  override readonly name = 'NotVerifiedError';
}
