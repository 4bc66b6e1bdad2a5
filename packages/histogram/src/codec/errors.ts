/** The one error of the codec. */

/** What was wrong with the input. */
export type HistogramFormatErrorCode =
  | 'ERR_HISTOGRAM_FORMAT'
  | 'ERR_HISTOGRAM_TRUNCATED'
  | 'ERR_HISTOGRAM_CHECKSUM'
  | 'ERR_HISTOGRAM_LIMIT';

/**
 * Says that input isn't a histogram that this package can read: malformed (`ERR_HISTOGRAM_FORMAT`), cut off
 * (`ERR_HISTOGRAM_TRUNCATED`), damaged (`ERR_HISTOGRAM_CHECKSUM`) or larger than allowed
 * (`ERR_HISTOGRAM_LIMIT`).
 *
 * Concurrency: plain object. Cost: cold paths only.
 */
export class HistogramFormatError extends Error {
  /** Stable identifier of the kind of error. */
  readonly code: HistogramFormatErrorCode;

  /**
   * Creates the error.
   *
   * @param message - what was found, and what was expected
   * @param code - stable identifier
   */
  constructor(message: string, code: HistogramFormatErrorCode = 'ERR_HISTOGRAM_FORMAT') {
    super(message);
    this.name = 'HistogramFormatError';
    this.code = code;
  }
}
