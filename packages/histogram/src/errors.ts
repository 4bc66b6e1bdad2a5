/**
 * Every error that this package throws: a subclass of the built-in one, with a stable `code`.
 *
 * Messages name the argument, its value and the limit. Match on `code`, never on the message.
 */

/** Codes of errors about an argument's value or a histogram's limits. */
export type HistogramRangeErrorCode =
  | 'ERR_HISTOGRAM_OPTION'
  | 'ERR_HISTOGRAM_VALUE'
  | 'ERR_HISTOGRAM_COUNT'
  | 'ERR_HISTOGRAM_SUBTRACT'
  | 'ERR_HISTOGRAM_EMPTY';

/** Codes of errors about a shared histogram's memory and shards. */
export type HistogramSharedErrorCode =
  | 'ERR_HISTOGRAM_NOT_SHARED'
  | 'ERR_HISTOGRAM_SHARED_FORMAT'
  | 'ERR_HISTOGRAM_RELEASED';

/**
 * Says that a value, a count or an option is outside what the histogram can hold.
 *
 * Concurrency: plain object. Cost: cold paths only.
 */
export class HistogramRangeError extends RangeError {
  /** Stable identifier of the kind of error. */
  readonly code: HistogramRangeErrorCode;

  /**
   * Creates the error.
   *
   * @param code - stable identifier
   * @param message - names the argument, its value and the limit
   */
  constructor(code: HistogramRangeErrorCode, message: string) {
    super(message);
    this.name = 'HistogramRangeError';
    this.code = code;
  }
}

/**
 * Says that memory isn't a shared histogram, or that a recorder was used after its release.
 *
 * Concurrency: plain object. Cost: cold paths only.
 */
export class HistogramSharedError extends Error {
  /** Stable identifier of the kind of error. */
  readonly code: HistogramSharedErrorCode;

  /**
   * Creates the error.
   *
   * @param code - stable identifier
   * @param message - names the argument, its value and the limit
   */
  constructor(code: HistogramSharedErrorCode, message: string) {
    super(message);
    this.name = 'HistogramSharedError';
    this.code = code;
  }
}

/** @internal Throws unless a count is a whole number from 0 to 2^53 - 1. */
export const checkCount = (count: number): void => {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_COUNT',
      `count must be a whole number from 0 to 2^53 - 1: count=${String(count)}`,
    );
  }
};
