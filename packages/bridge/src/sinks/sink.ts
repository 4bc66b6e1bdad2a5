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
  /**
   * Learns the pane's size (columns and rows, 1 or more): as soon as it is known, and when it changes. Never while a
   * write is under way; what a sink that lags without loss hasn't got by then may have been written for the size before.
   * A terminal must have its pane's size: lines wrap, and cursors stop, at its edges.
   */
  resize?(columns: number, rows: number): void;
  /**
   * Learns that the next write begins with a snapshot: it doesn't continue what was written before, and depends on none
   * of it.
   */
  reset?(): void;
  /**
   * Learns that the rest of the write under way isn't wanted any more, because a snapshot will replace it: a sink that
   * hands bytes on in pieces may leave out those that it hasn't, and settle the write as soon as it is ready for more.
   */
  abandon?(): void;
  /**
   * Asks to be told how far the viewer has drawn: the absolute number of bytes, of all that were ever written to the
   * sink. Only sinks that know have it. It is called once, before the first write. What is told is cumulative: a number
   * may be told twice, late or not at all, and one that is no progress or more than was written changes nothing. A sink
   * that has this counts, in a viewer's window, with what was drawn instead of what was accepted.
   */
  onDrawn?(listener: (bytes: number) => void): void;
  /** Learns that no more bytes will come. Called once; `error` is set if the session failed. */
  close?(error?: Error): void | PromiseLike<void>;
}
