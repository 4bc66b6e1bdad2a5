/** Where a pane's bytes go: the one contract that every terminal, socket and file adapter fulfils. */

/**
 * Takes the bytes of one pane, in order, exactly as the program in the pane wrote them.
 *
 * A `write` that returns nothing has accepted the bytes. One that returns a promise holds the pane's later
 * bytes back until it settles: that is the backpressure. At most one write is under way per pipe.
 */
export interface Sink {
  /**
   * Accepts bytes.
   *
   * @param bytes - borrowed: valid until the call returns, or until the returned promise settles. A sink that
   *   keeps them longer copies them. Characters and escape sequences may be cut anywhere.
   */
  write(bytes: Uint8Array): undefined | PromiseLike<unknown>;
  /** Learns that no more bytes will come. Called once; `error` is set if the session failed. */
  close?(error?: Error): void | PromiseLike<void>;
}
