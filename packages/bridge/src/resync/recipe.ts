/**
 * The parts of the exact resync, each of which the oracle can leave out to measure what it is worth. Nothing but the
 * oracle's script changes them.
 */
export const recipe: {
  /** Ask for the screen in one line of commands, not in one after the other. */
  oneLine: boolean;
  /** Restore the sequence that the stream is inside of. */
  pending: boolean;
  /** Restore the character that the stream is inside of. */
  cut: boolean;
  /** Restore the colours of the next character. */
  pen: boolean;
  /** Restore the backgrounds of cells that capture-pane leaves out. */
  backgrounds: boolean;
  /** Search the seam where output of other panes may have let output of this one overtake the reply. */
  search: boolean;
  /** Let a viewer that lags all the time cost at most ten snapshots a second. */
  paced: boolean;
} = {
  oneLine: true,
  pending: true,
  cut: true,
  pen: true,
  backgrounds: true,
  search: true,
  paced: true,
};
