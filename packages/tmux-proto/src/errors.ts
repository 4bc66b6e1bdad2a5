/** Typed errors: every one has a stable `code` and says the argument, its value and the limit. */

/** Codes of {@link ParserError}. */
export type ParserErrorCode =
  | 'ERR_TMUX_LINE_LIMIT'
  | 'ERR_TMUX_BLOCK_LIMIT'
  | 'ERR_TMUX_ENDED'
  | 'ERR_TMUX_REENTRANT'
  | 'ERR_TMUX_TARGET'
  | 'ERR_TMUX_ENGINE'
  | 'ERR_TMUX_BORROW';

/** Reports a misuse of the parser or a limit with the policy `error`. The parser stays usable. */
export class ParserError extends Error {
  /** Stable code, the part of the error to branch on. */
  readonly code: ParserErrorCode;

  /**
   * Creates the error.
   * @param code - stable code
   * @param message - what happened, with the offending value
   */
  constructor(code: ParserErrorCode, message: string) {
    super(message);
    this.name = 'ParserError';
    this.code = code;
  }
}

/** Reports an argument outside its range; `code` is `ERR_TMUX_RANGE`. */
export class ArgumentRangeError extends RangeError {
  /** Stable code, the part of the error to branch on. */
  readonly code = 'ERR_TMUX_RANGE';

  /**
   * Creates the error.
   * @param message - argument, value and limit
   */
  constructor(message: string) {
    super(message);
    this.name = 'ArgumentRangeError';
  }
}

/** Returns `value`, checked to be an integer of `minimum` to `maximum`, both included. */
export function checkInteger(
  name: string,
  value: number,
  minimum: number,
  maximum: number = Number.MAX_SAFE_INTEGER,
): number {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new ArgumentRangeError(
      `${name} must be an integer from ${minimum} to ${maximum}: ${name}=${value}`,
    );
  }
  return value;
}
