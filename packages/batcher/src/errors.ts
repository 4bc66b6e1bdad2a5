/** Errors of this package: each carries a stable `code`, and a message that names argument, value and limit. */

/** Codes of the errors that a batcher throws or rejects with. */
export type BatcherErrorCode =
  | 'ERR_BATCHER_ARGUMENT'
  | 'ERR_BATCHER_FULL'
  | 'ERR_BATCHER_CLOSED'
  | 'ERR_BATCHER_FLUSH'
  | 'ERR_BATCHER_TIMEOUT';

/** Reports an option or argument outside its range. */
export class BatcherArgumentError extends RangeError {
  /** Stable code, for `switch` and logs. */
  readonly code: Extract<BatcherErrorCode, 'ERR_BATCHER_ARGUMENT'> = 'ERR_BATCHER_ARGUMENT';
  /** Name of the class. */
  override readonly name: string = 'BatcherArgumentError';
}

/** Reports a push that would exceed `pendingBytesMax`; the item was not accepted and nothing changed. */
export class BatcherFullError extends Error {
  /** Stable code, for `switch` and logs. */
  readonly code: Extract<BatcherErrorCode, 'ERR_BATCHER_FULL'> = 'ERR_BATCHER_FULL';
  /** Name of the class. */
  override readonly name: string = 'BatcherFullError';
}

/** Reports a push or a wait on a batcher that was closed, aborted or has failed; `cause` says why. */
export class BatcherClosedError extends Error {
  /** Stable code, for `switch` and logs. */
  readonly code: Extract<BatcherErrorCode, 'ERR_BATCHER_CLOSED'> = 'ERR_BATCHER_CLOSED';
  /** Name of the class. */
  override readonly name: string = 'BatcherClosedError';
}

/** Reports a batch whose flush failed for good; `cause` is the last error that the sink gave. */
export class BatcherFlushError extends Error {
  /** Stable code, for `switch` and logs. */
  readonly code: Extract<BatcherErrorCode, 'ERR_BATCHER_FLUSH'> = 'ERR_BATCHER_FLUSH';
  /** Name of the class. */
  override readonly name: string = 'BatcherFlushError';
  /** How often the sink was tried. */
  readonly attempts: number;

  /** Makes the error of a batch that was tried `attempts` times. */
  constructor(message: string, attempts: number, cause: unknown) {
    super(message, { cause });
    this.attempts = attempts;
  }
}

/** Reports a wait that ended at its `timeoutMs`. */
export class BatcherTimeoutError extends Error {
  /** Stable code, for `switch` and logs. */
  readonly code: Extract<BatcherErrorCode, 'ERR_BATCHER_TIMEOUT'> = 'ERR_BATCHER_TIMEOUT';
  /** Name of the class. */
  override readonly name: string = 'BatcherTimeoutError';
}

/** Returns `value` if it is a number within the limits (both included), else throws. */
export function checkRange(name: string, value: number, minimum: number, maximum: number): number {
  if (typeof value !== 'number' || !(value >= minimum && value <= maximum)) {
    throw new BatcherArgumentError(
      `${name} must be between ${minimum} and ${maximum}: ${name}=${String(value)}`,
    );
  }
  return value;
}

/** Throws what a hook threw as an error that nobody caught, later: what called the hook must go on. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
