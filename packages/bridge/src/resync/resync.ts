/**
 * Brings pipes of one pane up to the present: asks tmux for the screen, finds the place of the answer in the stream,
 * and hands each pipe the bytes that replace what it hasn't got.
 *
 * ```text
 * stream  …output│output│reply reply reply reply│output…
 *                       └── the seam: what is before is in the screen, what is after is live
 * ```
 *
 * The pane isn't paused for it, so nothing is lost, the tracker sees every byte, and other viewers notice nothing.
 * tmux writes a reply behind the output that was queued before it; but while it still waits for output of *other*
 * panes queued earlier, later output of this pane may overtake it. Then output of this pane is followed by output of
 * another, then by the reply. Hence:
 *
 * S1: a seam counts only if, since the request was sent, no output of another pane came after output of this one.
 * S2: a seam counts only if the tracker agrees with tmux on the cursor, where it knows it, and on whether a sequence
 *     is under way.
 * S3: a pane that tmux has paused sends nothing until the line's own `continue`; what comes before the replies is
 *     after the seam and is held back.
 * S4: what isn't exact is named in the report, and is made good as soon as the stream tells what was missing.
 */
import { encodeCommand } from '@millrace/tmux-proto/commands';
import { cellBefore, paint } from './paint.ts';
import { readScreen, type Screen, screenCommand, screenReplies } from './screen.ts';
import type { Replied } from './screen-requests.ts';
import { type InexactReason, StreamTracker } from './tracker.ts';

/** What a resync restored. */
export interface ResyncReport {
  /** Why: a viewer was attached, a viewer lagged, tmux dropped output, or what was missing is known now. */
  readonly cause: 'attach' | 'skip' | 'gap' | 'repair';
  /** What isn't restored exactly; empty if all of it is. */
  readonly inexact: readonly InexactReason[];
  /** Requests that it took. */
  readonly attempts: number;
  /** Size of the snapshot (bytes). */
  readonly bytes: number;
}

/** A pipe, as seen from here. */
export interface ResyncPipe {
  readonly historyLines: number;
  /** Takes a snapshot in place of what it hasn't got. */
  restore(snapshot: Uint8Array): void;
  /** Takes live bytes. */
  push(bytes: Uint8Array, start: number, end: number, readAt: number, queuedAt: number): void;
  flush(): void;
}

/** What a resync needs of its session. */
export interface ResyncHost {
  /** Sends a line of `count` commands; `replied` is called in stream order. */
  ask(line: string, count: number, replied: Replied): void;
  /** Whether tmux may be asked to pause the pane: nobody wants its bytes without loss. */
  mayPause(): boolean;
  /** Tells that tmux has paused the pane because it was asked to. */
  paused(): void;
  /** Watches other panes' output from now on, or no longer. */
  watch(watched: boolean): void;
  /** Tells of a snapshot that was handed over. */
  restored(report: ResyncReport): void;
  now(): number;
}

type Cause = ResyncReport['cause'];

/** Attempts that a seam may fail before the pane is paused for it, or before it is taken as it is. */
const attemptsMax = 8;
const delayMsMax = 160;
const skipIntervalMs = 100;
const repairMs = 40;
const repairMsMax = 1000;
/** Bytes that may wait for the replies of a paused pane. */
const heldBytesMax = 1 << 20;

/** After a skip the terminal's own scrollback stays, with its hole. */
const withHistory = (cause: Cause): boolean => cause === 'attach' || cause === 'gap';

/** Keeps the pipes of one pane restorable. */
export class PaneResync {
  readonly tracker: StreamTracker = new StreamTracker();
  readonly #pane: number;
  readonly #host: ResyncHost;
  readonly #wanting = new Map<ResyncPipe, Cause>();
  /** Pipes whose terminal may differ until the stream tells more (S4). */
  readonly #inexact = new Set<ResyncPipe>();
  #asked = false;
  #paused = false;
  #pausing = false;
  #own = false;
  #overtaken = false;
  #attempts = 0;
  #repairMs = repairMs;
  #timer: NodeJS.Timeout | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #checkCut = false;
  #closed = false;
  /** When snapshots were handed over last (ns). */
  #handedAt = Number.NEGATIVE_INFINITY;
  /** Seams that didn't count, by S1 and by S2. */
  overtaken = 0;
  disagreed = 0;

  constructor(pane: number, host: ResyncHost) {
    this.#pane = pane;
    this.#host = host;
  }

  /** Whether a pipe may skip now: what tmux and the tracker know would restore it exactly. */
  get exact(): boolean {
    return !this.#paused && this.tracker.cursor.columns > 0 && this.tracker.unknown().length === 0;
  }

  /** Asks for a snapshot for a pipe. */
  want(pipe: ResyncPipe, cause: Cause): void {
    this.#wanting.set(pipe, cause);
    if (this.#asked || this.#timer !== undefined) return;
    // A viewer that lags all the time costs tmux at most ten snapshots a second, however many lag.
    const waitMs =
      cause === 'skip' ? skipIntervalMs - (this.#host.now() - this.#handedAt) / 1e6 : 0;
    if (waitMs > 0) this.#later(waitMs);
    else this.#ask();
  }

  /** Forgets a pipe that has ended. */
  forget(pipe: ResyncPipe): void {
    this.#wanting.delete(pipe);
    this.#inexact.delete(pipe);
  }

  /**
   * Follows output of the pane, before its pipes get it.
   *
   * @returns false if the bytes are held back: the pipes get them later
   */
  output(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#paused && this.#asked) {
      this.#heldBytes += end - start;
      if (this.#heldBytes <= heldBytesMax) this.#held.push(bytes.slice(start, end)); // S3
      return false;
    }
    if (this.#checkCut && start < end) this.#afterGap(bytes[start]!);
    this.tracker.push(bytes, start, end);
    this.#own = true;
    if (this.#inexact.size > 0 && !this.#asked && this.#timer === undefined)
      this.#later(this.#repairMs);
    return true;
  }

  /** Learns that another pane had output. */
  otherOutput(): void {
    if (this.#own) this.#overtaken = true;
  }

  /** Learns that a pane changed its size or place. */
  layoutChanged(): void {
    this.tracker.misplaced();
    this.#overtaken = true;
  }

  /**
   * Learns that tmux has paused the pane and dropped what was queued.
   *
   * @returns whether that was asked for here
   */
  paused(pipes: Iterable<ResyncPipe>): boolean {
    if (this.#paused) return true;
    const wanted = this.#pausing;
    this.#pausing = false;
    this.tracker.lose();
    this.#paused = true;
    if (wanted) this.#asked = false;
    else this.#attempts = 0;
    for (const pipe of pipes) {
      if (!wanted || !this.#wanting.has(pipe)) this.#wanting.set(pipe, 'gap');
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#overtaken = true; // a request on its way can't count
    if (!this.#asked) this.#ask();
    return wanted;
  }

  /** Ends it: the session is over, or the pane is gone. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#asked) this.#host.watch(false);
    this.#wanting.clear();
    this.#inexact.clear();
    this.#held = [];
  }

  #later(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#asked) this.#ask();
    }, delayMs);
    this.#timer.unref();
  }

  #ask(): void {
    if (this.#closed) return;
    if (this.#wanting.size === 0) {
      if (this.#inexact.size === 0 || !this.#repairable) return;
      for (const pipe of this.#inexact) this.#wanting.set(pipe, 'repair');
      this.#repairMs = Math.min(repairMsMax, this.#repairMs * 2);
      this.#attempts = 0;
    }
    this.#asked = true;
    this.#own = this.#overtaken = false;
    this.#attempts++;
    const resume = this.#paused;
    this.#held = [];
    this.#heldBytes = 0;
    this.#host.watch(true);
    let historyLines = 0;
    for (const [pipe, cause] of this.#wanting) {
      if (withHistory(cause)) historyLines = Math.max(historyLines, pipe.historyLines);
    }
    this.#host.ask(
      screenCommand(this.#pane, historyLines, resume),
      screenReplies(resume),
      (replies) => {
        if (replies === undefined) this.#failed();
        else this.#replied(replies, resume);
      },
    );
  }

  /** Whether a request might find what was missing. */
  get #repairable(): boolean {
    const { tracker } = this;
    // What was erased with an unknown background is known to be plain once the pen is.
    const curable: InexactReason[] = tracker.pen.backgroundKnown
      ? ['pen']
      : ['pen', 'erased-background'];
    if (tracker.unknown().some((reason) => !curable.includes(reason))) return false;
    return tracker.pen.known || tracker.lastCell !== undefined;
  }

  #failed(): void {
    if (this.#closed) return;
    this.#asked = false;
    this.#host.watch(false);
    this.#later(delayMsMax);
  }

  #replied(replies: readonly (readonly string[])[], resumed: boolean): void {
    if (this.#closed) return;
    this.#asked = false;
    this.#host.watch(false);
    const screen = readScreen(replies);
    if (screen === undefined || (this.#paused && !resumed)) this.#retry();
    else if (resumed) this.#resumed(screen);
    else if (this.#overtaken) {
      this.overtaken++;
      this.#retry(); // S1
    } else if (!this.#agrees(screen)) {
      this.disagreed++;
      this.#retry(); // S2
    } else this.#seam(screen);
  }

  #retry(): void {
    if (this.#paused) this.#ask();
    else if (this.#attempts >= attemptsMax && this.#host.mayPause()) this.#pause();
    else this.#later(Math.min(delayMsMax, 2 ** Math.min(this.#attempts, 10)));
  }

  /** Other panes are too busy for a seam: has tmux pause this one, which loses the pen but finds the place. */
  #pause(): void {
    this.#pausing = true;
    this.#asked = true;
    this.#host.watch(true);
    // %pause itself may come inside the reply (before 3.8), or after it.
    this.#host.ask(encodeCommand('refresh-client', '-A', `%${this.#pane}:pause`), 1, () => {
      if (this.#pausing) this.#host.paused();
    });
  }

  /** S2. */
  #agrees(screen: Screen): boolean {
    const { tracker } = this;
    const { cursor } = tracker;
    if (tracker.atGround !== (screen.pending === '')) return false;
    const same =
      (cursor.x < 0 || cursor.x === screen.x) &&
      (cursor.y < 0 || cursor.y === screen.y) &&
      (cursor.columns < 0 || (cursor.columns === screen.columns && cursor.rows === screen.height));
    if (!same) tracker.misplaced();
    return same;
  }

  /** The pane was paused: the stream goes on from the screen (S3). */
  #resumed(screen: Screen): void {
    const { tracker } = this;
    this.#paused = false;
    tracker.lose();
    const pending = Buffer.from(screen.pending, 'latin1');
    tracker.push(pending, 0, pending.length);
    this.#checkCut = true;
    const lost = this.#heldBytes > heldBytesMax;
    const held = this.#held;
    this.#held = [];
    const pipes = [...this.#wanting.keys()];
    this.#anchor(screen);
    this.#hand(screen);
    for (const bytes of held) {
      this.output(bytes, 0, bytes.length);
      const now = this.#host.now();
      for (const pipe of pipes) pipe.push(bytes, 0, bytes.length, now, now);
    }
    for (const pipe of pipes) {
      pipe.flush();
      if (lost) this.want(pipe, 'gap');
    }
  }

  #anchor(screen: Screen): void {
    const { x, y, columns, height: rows, top, bottom, origin, wrap } = screen;
    this.tracker.anchor({ x, y, columns, rows, top, bottom, origin, wrap });
  }

  /** A place in the stream that the screen belongs to. */
  #seam(screen: Screen): void {
    const { tracker } = this;
    this.#anchor(screen);
    if (!tracker.pen.known) {
      const cell = tracker.lastCell;
      const pen = cell === undefined ? undefined : cellBefore(screen, cell.x, cell.y)?.pen;
      if (pen !== undefined) tracker.learn(pen);
    }
    // A pipe that has lost nothing yet, or that lags, waits for a moment that can be restored.
    const patient = [...this.#wanting.values()].every((cause) => cause !== 'attach');
    if (patient && this.#inexactNow(screen).length > 0 && this.#attempts < attemptsMax) {
      this.#later(Math.min(delayMsMax, 2 ** this.#attempts));
      return;
    }
    if ([...this.#wanting.values()].every((cause) => cause === 'repair')) {
      if (this.#inexactNow(screen).length > 0) {
        this.#wanting.clear();
        return;
      }
    }
    this.#hand(screen);
  }

  #inexactNow(screen: Screen): InexactReason[] {
    const reasons = this.tracker.unknown();
    if (screen.origin && (screen.y < screen.top || screen.y > screen.bottom))
      reasons.push('cursor');
    return reasons;
  }

  /** Gives every pipe that waits its snapshot. */
  #hand(screen: Screen): void {
    this.#handedAt = this.#host.now();
    const { tracker } = this;
    const blocking = this.#inexactNow(screen);
    const wanting = [...this.#wanting];
    const attempts = this.#attempts;
    this.#wanting.clear();
    this.#attempts = 0;
    for (const [pipe, cause] of wanting) {
      const history = withHistory(cause) && pipe.historyLines > 0;
      const snapshot = paint(screen, tracker, history);
      const named = tracker.earlier && (cause === 'attach' || cause === 'gap');
      const inexact: InexactReason[] = named ? [...blocking, 'earlier-state'] : blocking;
      if (blocking.length > 0) this.#inexact.add(pipe);
      else if (this.#inexact.delete(pipe)) this.#repairMs = repairMs;
      pipe.restore(snapshot);
      this.#host.restored({ cause, inexact, attempts, bytes: snapshot.length });
    }
  }

  /** The first byte after a gap: inside a character that tmux has begun and doesn't report. */
  #afterGap(byte: number): void {
    this.#checkCut = false;
    if (byte < 0x80 || byte >= 0xc0) return;
    this.tracker.misplaced();
    for (const pipe of this.#inexact) this.#wanting.set(pipe, 'gap');
    if (!this.#asked && this.#timer === undefined) this.#later(1);
  }
}
