/**
 * Brings pipes of one pane up to the present: asks tmux for the screen, finds the place of the answer in the stream,
 * and hands each pipe the bytes that replace what it hasn't got.
 *
 * ```text
 * stream  …output│output│reply reply reply reply│output…
 *                └── the seam: what is before is in the screen, what is after is live (seam.ts)
 * ```
 *
 * The pane isn't paused for it, so nothing is lost, the tracker sees every byte, and other viewers notice nothing.
 *
 * S1: a snapshot is followed by the bytes from the seam on, each once.
 * S2: where tmux's cursor isn't where the tracker's is, the tracker has been wrong: it forgets all it knew.
 * S3: a pane that tmux has paused sends nothing until the line's own `continue`; what comes before the replies is
 *     after the seam and is held back.
 * S4: what isn't exact is named in the report, and is made good as soon as the stream tells what was missing.
 */
import { channel } from 'node:diagnostics_channel';
import { encodeCommand } from '@millrace/tmux-proto/commands';
import type { Replied } from '../control/commands.ts';
import { Chunks } from './chunks.ts';
import type { Dialect } from './dialect.ts';
import { type InexactReason, lastingOf, unknownOf, unknownTo } from './inexact.ts';
import { cellBefore, paint } from './paint.ts';
import { placed, readScreen, type Screen, screenCommands } from './screen.ts';
import { type Seam, SeamRequest } from './seam.ts';
import { StreamTracker } from './tracker.ts';
import { type Cause, Wishes, withHistory } from './wishes.ts';

export { dialectOf } from './dialect.ts';

/** What a resync restored. */
export interface ResyncReport {
  /**
   * Why: a viewer was attached, a viewer lagged, tmux dropped output, the pane has another size and tmux wrapped its
   * rows anew, or what was missing is known now.
   */
  readonly cause: 'attach' | 'skip' | 'gap' | 'resize' | 'repair';
  /** What isn't restored exactly, by name; empty if all of it is. */
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
  readonly dialect: Dialect;
  /** Watches other panes' output from now on, or no longer. */
  watch(watched: boolean): void;
  /** Tells of a snapshot that was handed over. */
  restored(report: ResyncReport): void;
  now(): number;
}

/** Tells a subscriber what a snapshot was made of: the oracle, when something is wrong. */
const handed = channel('@millrace/bridge:handed');

/** Attempts that a seam may fail before the pane is paused for it, or before it is taken as it is. */
const attemptsMax = 8;
const delayMsMax = 160;
const skipIntervalMs = 100;
const repairMs = 40;
const repairMsMax = 1000;
/** tmux gives a string up that isn't ended within 5 s, with pen and sets: past this it may have (ns). */
const stringNsMax = 4.5e9;
/** Bytes that may wait for the replies of a paused pane. */
const heldBytesMax = 1 << 20;

/** Keeps the pipes of one pane restorable. */
export class PaneResync {
  #tracker: StreamTracker;
  readonly #pane: number;
  readonly #host: ResyncHost;
  readonly #wishes = new Wishes<ResyncPipe>();
  #asked = false;
  /** The request on its way, unless the pane is paused. */
  #request: SeamRequest | undefined;
  #paused = false;
  #pausing = false;
  #attempts = 0;
  #repairMs = repairMs;
  #timer: NodeJS.Timeout | undefined;
  readonly #held = new Chunks(heldBytesMax);
  /** The next byte is the first that is seen: it may be inside a character. */
  #checkCut = true;
  /** Something was lost that no cause of a resync says (S2). */
  #estranged = false;
  #pid: number | undefined;
  #rewraps = 0;
  /** When the string under way began (ns), -1 if none is. */
  #stringSince = -1;
  #closed = false;
  /** When snapshots were handed over last (ns). */
  #handedAt = Number.NEGATIVE_INFINITY;

  constructor(pane: number, host: ResyncHost) {
    this.#pane = pane;
    this.#host = host;
    this.#tracker = new StreamTracker(host.dialect);
  }

  /** Whether a pipe may skip now: what tmux and the tracker know would restore it exactly. */
  get exact(): boolean {
    return (
      !this.#paused && this.#tracker.cursor.columns > 0 && unknownTo(this.#tracker).length === 0
    );
  }

  /** Asks for a snapshot for a pipe. */
  want(pipe: ResyncPipe, cause: Cause): void {
    this.#wishes.want(pipe, cause);
    if (this.#asked || this.#timer !== undefined) return;
    // A viewer that lags all the time costs tmux at most ten snapshots a second, however many lag; so does a border
    // that somebody drags.
    const waitMs =
      cause === 'skip' || cause === 'resize'
        ? skipIntervalMs - (this.#host.now() - this.#handedAt) / 1e6
        : 0;
    if (waitMs > 0) this.#later(waitMs);
    else this.#ask();
  }

  /** Forgets a pipe that has ended. */
  forget(pipe: ResyncPipe): void {
    this.#wishes.forget(pipe);
  }

  /**
   * Follows output of the pane, before its pipes get it.
   *
   * @returns false if the bytes are held back: the pipes get them later
   */
  output(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#paused && this.#asked) {
      this.#held.push(bytes, start, end); // S3
      return false;
    }
    if (this.#checkCut && start < end) this.#afterGap(bytes[start]!);
    if (this.#stringSince >= 0 && this.#host.now() - this.#stringSince > stringNsMax) {
      this.#estrange();
    }
    const { grammar } = this.#tracker;
    this.#tracker.push(bytes, start, end);
    if (!grammar.inString) this.#stringSince = -1;
    else if (this.#stringSince < 0 || grammar.sequenceBytes <= end - start) {
      this.#stringSince = this.#host.now();
    }
    this.#request?.output(bytes, start, end);
    if (this.#tracker.rewraps !== this.#rewraps) this.#rewrapped();
    if (!this.#tracker.pen.known) this.#wishes.penLost();
    if (this.#wishes.anyInexact && !this.#asked && this.#timer === undefined)
      this.#later(this.#repairMs);
    return true;
  }

  /** Learns that another pane had output. */
  otherOutput(): void {
    this.#request?.otherOutput();
  }

  /** Rows that a terminal has as they were have been wrapped anew. */
  #rewrapped(): void {
    this.#rewraps = this.#tracker.rewraps;
    for (const pipe of this.#wishes.served) this.want(pipe, 'resize');
  }

  /** Learns that the pane has another size, or may have. */
  layoutChanged(): void {
    this.#tracker.misplaced();
    if (this.#request === undefined) return;
    this.#request.invalid = true;
    this.#attempts = 0; // the next one is the first that may fit
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
    this.#tracker.lose();
    this.#paused = true;
    if (wanted) this.#asked = false;
    else this.#attempts = 0;
    for (const pipe of pipes) {
      if (!wanted || !this.#wishes.has(pipe)) this.#wishes.want(pipe, 'gap');
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#request = undefined; // what is on its way can't count
    if (!this.#asked) this.#ask();
    return wanted;
  }

  /** Ends it: the session is over, or the pane is gone. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#asked) this.#host.watch(false);
    this.#wishes.clear();
    this.#held.clear();
    this.#request = undefined;
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
    if (!this.#wishes.any) {
      if (!this.#wishes.anyInexact || !this.#repairable) return;
      this.#wishes.wantInexact('repair');
      this.#repairMs = Math.min(repairMsMax, this.#repairMs * 2);
      this.#attempts = 0;
    }
    this.#asked = true;
    this.#attempts++;
    const resume = this.#paused;
    this.#held.clear();
    const request = new SeamRequest(this.#tracker);
    this.#request = resume ? undefined : request;
    this.#host.watch(true);
    const commands = screenCommands(this.#pane, this.#wishes.historyLines, resume);
    this.#send(commands, (replies) => {
      if (this.#closed) return;
      this.#asked = false;
      this.#request = undefined;
      this.#host.watch(false);
      if (replies === undefined) this.#later(delayMsMax);
      else this.#replied(replies, resume, request);
    });
  }

  /** Sends commands in one line. */
  #send(commands: readonly [string, ...string[]][], replied: Replied): void {
    const line = commands.map((words) => encodeCommand(...words).trimEnd()).join(' ; ');
    this.#host.ask(`${line}\n`, commands.length, replied);
  }

  /** Whether a request might find what was missing. */
  get #repairable(): boolean {
    const tracker = this.#tracker;
    // What was saved or erased with an unknown pen may be known once the pen is.
    if (!tracker.pen.known) return tracker.lastCell !== undefined;
    return unknownTo(tracker).length === 0;
  }

  #replied(replies: readonly (readonly string[])[], resumed: boolean, request: SeamRequest): void {
    const screen = readScreen(replies, this.#host.dialect);
    if (screen === undefined || (this.#paused && !resumed)) {
      this.#retry();
      return;
    }
    if (this.#pid !== undefined && this.#pid !== screen.pid) this.#estrange();
    this.#pid = screen.pid;
    if (resumed) {
      this.#resumed(screen);
      return;
    }
    let seam = request.seam(screen, this.#tracker);
    if (seam === 'disagrees') {
      this.#estrange();
      const { pending } = screen;
      this.#tracker.push(pending, 0, pending.length);
      seam = request.seam(screen, this.#tracker);
    }
    if (typeof seam === 'string') this.#retry();
    else this.#seam(screen, seam, request.after(seam));
  }

  /** The tracker wasn't where it thought it was (S2): tmux's state was reset, or it reads something else. */
  #estrange(): void {
    this.#tracker.lose();
    this.#estranged = true;
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

  /** The pane was paused: the stream goes on from the screen (S3). */
  #resumed(screen: Screen): void {
    const { pending } = screen;
    this.#paused = false;
    this.#tracker.lose();
    this.#tracker.push(pending, 0, pending.length);
    this.#checkCut = true;
    const { lost } = this.#held;
    const held = this.#held.joined();
    this.#held.clear();
    this.#tracker.anchor(screen);
    const pipes = this.#hand(placed(screen, this.#tracker), 0);
    this.#follow(pipes, held);
    if (lost) for (const pipe of pipes) this.want(pipe, 'gap');
  }

  /** Gives the bytes after a seam to those who got the snapshot (S1). */
  #follow(pipes: readonly ResyncPipe[], rest: Uint8Array): void {
    if (rest.length > 0) {
      if (this.#checkCut) this.#afterGap(rest[0]!);
      this.#tracker.push(rest, 0, rest.length);
      const now = this.#host.now();
      for (const pipe of pipes) pipe.push(rest, 0, rest.length, now, now);
    }
    for (const pipe of pipes) pipe.flush();
  }

  /** A place in the stream that the screen belongs to, and the bytes since. */
  #seam(told: Screen, seam: Seam, rest: Uint8Array): void {
    const { tracker } = seam;
    this.#tracker = tracker;
    tracker.anchor(told);
    const screen = placed(told, tracker);
    if (!tracker.pen.known) {
      const cell = tracker.lastCell;
      const pen = cell === undefined ? undefined : cellBefore(screen, cell.x, cell.y)?.pen;
      if (pen !== undefined) tracker.learn(pen);
    }
    this.#follow(this.#ready(screen) ? this.#hand(screen, rest.length) : [], rest);
  }

  /** Whether the screen may be handed over, or a moment that can be restored is waited for. */
  #ready(screen: Screen): boolean {
    if (unknownOf(screen, this.#tracker).length === 0) return true;
    const { causes } = this.#wishes;
    if (causes.every((cause) => cause === 'repair')) {
      this.#wishes.take();
      return false;
    }
    // A pipe that has lost nothing yet, or that lags, can wait.
    if (causes.includes('attach') || this.#attempts >= attemptsMax) return true;
    this.#later(Math.min(delayMsMax, 2 ** this.#attempts));
    return false;
  }

  /** Gives every pipe that waits its snapshot; returns them. */
  #hand(screen: Screen, restBytes: number): ResyncPipe[] {
    this.#handedAt = this.#host.now();
    const tracker = this.#tracker;
    const blocking = unknownOf(screen, this.#tracker);
    const wanting = this.#wishes.take();
    const attempts = this.#attempts;
    const estranged = this.#estranged;
    this.#attempts = 0;
    this.#estranged = false;
    if (handed.hasSubscribers) {
      handed.publish({ pane: this.#pane, screen, tracker, restBytes, attempts });
    }
    for (const [pipe, cause] of wanting) {
      const history = withHistory(cause) && pipe.historyLines > 0;
      const snapshot = paint(screen, tracker, history);
      const named = lastingOf(screen, tracker, history);
      const joined = tracker.earlier && (cause === 'attach' || cause === 'gap' || estranged);
      const isEarlier = joined || !tracker.savedPensKnown;
      const inexact = [...blocking, ...(isEarlier ? (['earlier-state'] as const) : []), ...named];
      if (blocking.length === 0) this.#repairMs = repairMs;
      this.#wishes.handed(pipe, blocking.length === 0, tracker.savedPensKnown);
      pipe.restore(snapshot);
      this.#host.restored({ cause, inexact, attempts, bytes: snapshot.length });
    }
    return wanting.map(([pipe]) => pipe);
  }

  /** The first byte that was seen: inside a character that tmux has begun and doesn't report. */
  #afterGap(byte: number): void {
    this.#checkCut = false;
    if (byte < 0x80 || byte >= 0xc0) return;
    this.#tracker.misplaced();
    this.#wishes.wantInexact('gap');
    if (!this.#asked && this.#timer === undefined) this.#later(1);
  }
}
