/** Reports a layout string that can't be read; `code` is `ERR_TMUX_LAYOUT`. */
export class LayoutError extends Error {
  /** Stable code, the part of the error to branch on. */
  readonly code = 'ERR_TMUX_LAYOUT';
  /** Where in the text reading failed (UTF-16 units). */
  readonly offset: number;

  /**
   * Creates the error.
   * @param message - what was wrong
   * @param offset - where
   */
  constructor(message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.name = 'LayoutError';
    this.offset = offset;
  }
}
