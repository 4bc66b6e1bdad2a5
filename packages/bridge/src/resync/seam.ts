/**
 * Finds the place of the stream that a screen belongs to.
 *
 * tmux writes a reply behind all output that was queued before it. Only while output of *other* panes queued earlier
 * is still to be written may later output of this pane overtake it; then it is followed by that other output, and
 * only then by the reply.
 *
 * ```text
 * sent ─┬─ own bytes ─┬─ other panes ─┬─ own bytes ─┬─ other panes ─┬─ reply
 *       └─ the seam is anywhere in the own bytes ───┘
 * ```
 *
 * F1: if no output of another pane came after output of this one, nothing has overtaken: the seam is at the end.
 * F2: else it is at one of the places where the tracker is in the state that tmux tells: cursor, history, region,
 *     modes, the sequence under way byte by byte. The true place is always among them. If between the first and the
 *     last of them nothing was done that can't be done twice, the first one serves for all (T4); if not, none is taken.
 *
 * Cost: a comparison of a few numbers for each byte since the request.
 */
import { Chunks } from './chunks.ts';
import type { Screen } from './screen.ts';
import type { StreamTracker } from './tracker.ts';

/** Whether the tracker could be in the state that tmux tells; what it doesn't know agrees with everything. */
export function agrees(tracker: StreamTracker, screen: Screen): boolean {
  const { cursor, history, grammar } = tracker;
  const { alternate } = tracker.screens;
  return (
    grammar.sequenceBytes === screen.pending.length &&
    (cursor.x < 0 || cursor.x === screen.x) &&
    (cursor.y < 0 || cursor.y === screen.y) &&
    (cursor.columns < 0 || (cursor.columns === screen.columns && cursor.rows === screen.height)) &&
    (cursor.top < 0 || (cursor.top === screen.top && cursor.bottom === screen.bottom)) &&
    (cursor.columns < 0 || (cursor.origin === screen.origin && cursor.wrap === screen.wrap)) &&
    (history.size < 0 || history.size === screen.historySize) &&
    (alternate === undefined || alternate === screen.alternate)
  );
}

/** Whether `agrees` says anything about this place. */
const placed = (tracker: StreamTracker): boolean => tracker.cursor.x >= 0 && tracker.cursor.y >= 0;

/** A place of the stream. */
export interface Seam {
  /** Bytes of the pane between the request and it. */
  readonly offset: number;
  /** The tracker as it is there. */
  readonly tracker: StreamTracker;
}

/**
 * Searches the bytes since a request for the place that `screen` shows (F2).
 *
 * @param from - the tracker when the request was sent; it is changed
 * @returns the place, or undefined if it can't be told
 */
export function findSeam(from: StreamTracker, bytes: Uint8Array, screen: Screen): Seam | undefined {
  const { pending } = screen;
  // The sequence under way; what of it came before the request isn't known.
  const sequence = new Array<number>(from.grammar.sequenceBytes).fill(-1);
  let found: Seam | undefined;
  let certain = true;
  for (let offset = 0; ; offset++) {
    if (agrees(from, screen) && sequence.every((byte, at) => byte < 0 || byte === pending[at])) {
      // Where the cursor isn't known, every place may be the true one.
      if (!placed(from)) return undefined;
      if (found === undefined) {
        found = { offset, tracker: from.clone() };
        certain = sequence[0] !== -1;
      } else if (!certain || found.tracker.changes !== from.changes) return undefined;
    }
    if (offset === bytes.length) return found;
    from.push(bytes, offset, offset + 1);
    if (from.grammar.atGround) sequence.length = 0;
    else sequence.push(bytes[offset]!);
  }
}

/** Bytes of the pane in which a seam is searched, at most; beyond, only F1 can find it. */
const searchedBytesMax = 1 << 18;

/** A request on its way: what comes until its reply. */
export class SeamRequest {
  readonly #from: StreamTracker;
  readonly #since = new Chunks(searchedBytesMax);
  #overtaken = false;
  /** The pane changed its size: whatever the reply says, it fits nowhere. */
  invalid = false;

  /** @param tracker - as it is now */
  constructor(tracker: StreamTracker) {
    this.#from = tracker.clone();
  }

  /** Output of the pane. */
  output(bytes: Uint8Array, start: number, end: number): void {
    this.#since.push(bytes, start, end);
  }

  /** Output of another pane. */
  otherOutput(): void {
    if (this.#since.bytes > 0) this.#overtaken = true;
  }

  /** Returns the bytes of the pane after a place. */
  after(seam: Seam): Uint8Array {
    return seam.offset === this.#since.bytes
      ? new Uint8Array(0)
      : this.#since.joined().subarray(seam.offset);
  }

  /**
   * Finds the place of the stream that the reply shows.
   *
   * @param tracker - as it is now
   * @returns the place; or why there is none: other panes hide it, or the tracker isn't where it thinks it is
   */
  seam(screen: Screen, tracker: StreamTracker): Seam | 'hidden' | 'disagrees' {
    if (this.invalid) return 'hidden';
    const inOrder = !this.#overtaken;
    if (inOrder && agrees(tracker, screen)) return { offset: this.#since.bytes, tracker }; // F1
    if (inOrder) return 'disagrees';
    if (this.#since.lost) return 'hidden';
    return findSeam(this.#from, this.#since.joined(), screen) ?? 'hidden'; // F2
  }
}
