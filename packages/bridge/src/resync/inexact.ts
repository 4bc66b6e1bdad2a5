/**
 * What of a screen can't be restored exactly, by name, and why.
 *
 * ```text
 * unknown ── now; it shows sooner or later, so a pipe that can wait does
 * lasting ── for as long as it is in use; nothing is gained by waiting
 * ```
 */
import type { Screen } from './screen.ts';
import type { StreamTracker } from './tracker.ts';
import type { UntoldReason } from './untold.ts';
import { isDisputed } from './width.ts';

/** What of a screen can't be restored exactly, and why. */
export type InexactReason =
  /** Colour or attributes of the next character: the stream was joined while a run was under way. */
  | 'pen'
  /** The cursor stands outside the scroll region in origin mode, where no motion leads. */
  | 'cursor'
  /** Where `DECRC` goes to: the cursor was saved at a place that the stream doesn't tell. */
  | 'saved-cursor'
  /** Cells were erased with a background colour at a place that the stream doesn't tell; before 3.4 `capture-pane` omits them. */
  | 'erased-background'
  /**
   * Set before the bridge watched the pane, or while tmux dropped its output: character sets, saved cursor and pens,
   * modes that tmux doesn't report, backgrounds of erased cells, whatever else is named here. Assumed to be the
   * defaults, or as before.
   */
  | 'earlier-state'
  /** A row has a character of which terminals dispute how wide it is (emoji): what is right of it may be displaced. */
  | 'character-width'
  /** A row has tabs, and the stops have been changed: from 3.6 on tmux tells a tab, but not how wide it is. */
  | 'tabs'
  /** Half of a wide character may have been erased at a place that the stream doesn't tell: tmux doesn't tell the other. */
  | 'half-character'
  /**
   * The pane was resized while the alternate screen was shown: tmux wraps the other one anew when it is left, which is
   * followed by another snapshot (`resize`).
   */
  | 'hidden-screen'
  | UntoldReason;

/** Returns what a tracker doesn't know now, apart from what was there before it began. */
export function unknownTo(tracker: StreamTracker): InexactReason[] {
  const { dialect, pen, saved } = tracker;
  const { hidden, shown } = tracker.screens;
  const reasons: InexactReason[] = [];
  if (!pen.known) reasons.push('pen');
  if (saved.x < 0 || saved.y < 0) reasons.push('saved-cursor');
  const isErasedKnown =
    dialect.tellsErased || (shown.backgrounds.known && hidden.backgrounds.known);
  if (!isErasedKnown) reasons.push('erased-background');
  return reasons;
}

/** Returns what of a screen can't be restored now: where the tracker stands at its place in the stream. */
export function unknownOf(screen: Screen, tracker: StreamTracker): InexactReason[] {
  const reasons = unknownTo(tracker);
  const { bottom, origin, top, y } = screen;
  if (origin && (y < top || y > bottom)) reasons.push('cursor');
  return reasons;
}

/**
 * Returns what of a screen can't be restored however long it is waited for.
 *
 * @param history - whether the rows above it are restored too
 */
export function lastingOf(
  screen: Screen,
  tracker: StreamTracker,
  history: boolean,
): InexactReason[] {
  const { dialect, linkKept, palette, untold } = tracker;
  const used = untold.reasons(history);
  if (!palette.complete) used.push('palette');
  const isLinkTold = dialect.tellsLinks && linkKept;
  const reasons: InexactReason[] = used.filter((name) => name !== 'hyperlink' || !isLinkTold);
  const { hidden, rows } = screen;
  if (isDisputed(rows) || isDisputed(hidden) || (history && isDisputed(screen.history))) {
    reasons.push('character-width');
  }
  if (screen.guessedTabs) reasons.push('tabs');
  if (isCut(tracker, history)) reasons.push('half-character');
  if (tracker.screens.outgrown) reasons.push('hidden-screen');
  return reasons;
}

/**
 * Whether a row may have half of a character at a place that isn't known.
 *
 * @param history - whether the rows above the screen are asked about too
 */
export function isCut({ screens }: StreamTracker, history: boolean): boolean {
  return [screens.shown.halves, screens.hidden.halves].some(
    ({ above, doubtful }) => doubtful || (history && above),
  );
}
