/**
 * Whether a session reads. A sink that may lose nothing and lags holds it up; yet replies come behind the output that
 * tmux queued before them, and a tmux that isn't read at all may go on reading the program itself.
 *
 * ```text
 * reading ──a pipe presses──▶ held ──a command waits──▶ reading ahead ──answered, or `aheadBytesMax` read──▶ held
 *    ▲                         │ └──after 50 ms, then ever later──▶ reading 384 KiB ahead ──────────────────────▶ held
 *    ├───no pipe presses───────┘
 *    └───`aheadBytesMax` read, and a tmux that never waits: a pipe that presses is given up
 * ```
 *
 * O1: what is read ahead waits in the pipes: none of it is lost, and it is at most `aheadBytesMax` and a read until no
 *     pipe presses any more.
 * O2: a command that waits is answered as soon as what tmux had queued before it has been read, if that is less.
 * O3: half of `aheadBytesMax` is for commands alone.
 * O4: a command whose time is over while nothing more may be read ahead ends with an error that says so: tmux may well
 *     have answered.
 * O5: a tmux that never waits for a client (before 3.2) is never held: what isn't read would pile up in its client without
 *     a bound. Past `aheadBytesMax` a pipe that presses is given up.
 *
 * Nothing in tmux (3.5a, control.c, server-client.c) lets commands go on for ever in bounded memory: replies come behind output,
 * and output that is held back is dropped. `pause` discards what is queued and all that comes; `off` skips what wasn't
 * sent, and ends servers before 3.7; another client, even one without output, makes tmux read the program on. So each
 * command costs what the socket holds, at least, and what tmux has queued unseen.
 *
 * Why it reads ahead where nobody waits (3.3a, control.c and server-client.c): tmux stops reading a pane while the
 * buffer of its only client holds 512 bytes. It fills that buffer only when the socket takes bytes; if the socket
 * became full just when nothing was queued, the buffer stays empty, and tmux queues without end, at the speed of the
 * program. Reading on while it has a backlog fills the buffer and ends that; but reading on where it has none may begin
 * it, and what was a backlog may have been read whole. So it is done again after twice as long each time: what tmux has
 * queued unseen, and a command must read first, is at most what the program writes in that time. Where there was no
 * backlog `restMs` is the longest; where there was one (the last record was old when tmux sent it) tmux is left alone
 * for longer and longer.
 *
 * Cost: a comparison a read.
 */

import { BridgeError } from '../errors.ts';

/** What the hold needs of its session. */
export interface HoldHost {
  /** Stops the source, or starts it again. */
  read(reading: boolean): void;
  /** Bytes read from tmux so far. */
  bytesRead(): number;
  /** How old the last record was when tmux sent it (ms); undefined if tmux doesn't tell ages. */
  ageMs(): number | undefined;
  /** Whether what feeds the source waits for it to be read: a tmux before 3.2 doesn't. */
  waits(): boolean;
  /** Ends a pipe that presses: `bytes` were read since, and nothing would stop more. */
  giveUp(bytes: number): void;
}

/** How long after the source was stopped it is nudged first; then after twice as long each time. */
const nudgeMs = 50;
/** Longest time between two looks as long as there is no backlog. */
const restMs = 1600;
/** More than a socket holds, so that what comes last was in tmux itself. */
const nudgeBytes = 3 << 17;

/** Holds a session's source up, and lets it go. */
export class Hold {
  readonly #host: HoldHost;
  readonly #aheadBytesMax: number;
  #pressed = false;
  #reading = true;
  #waiting = 0;
  /** Where reading stood when the first pipe pressed, and when the last nudge began. */
  #heldAt = 0;
  #nudgedAt = 0;
  #nudging = false;
  #nudgeMs = nudgeMs;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: HoldHost, aheadBytesMax: number) {
    this.#host = host;
    this.#aheadBytesMax = aheadBytesMax;
  }

  /** Pipes press, or none does any more. */
  press(pressed: boolean): void {
    this.#pressed = pressed;
    this.#nudging = false;
    clearTimeout(this.#timer);
    if (pressed) {
      this.#heldAt = this.#host.bytesRead();
      this.#watch(nudgeMs);
    }
    this.#apply();
  }

  /** A command waits for its reply until `reply` settles. */
  async wait<Reply>(reply: Promise<Reply>): Promise<Reply> {
    this.#waiting++;
    if (this.#pressed) this.#apply();
    try {
      return await reply;
    } catch (error) {
      throw this.#pressed && this.#aheadBytes() >= this.#aheadBytesMax ? this.#held(error) : error; // O4
    } finally {
      this.#waiting--;
      if (this.#pressed) {
        this.#watch(nudgeMs); // what was read ahead may have taken the backlog away
        this.#apply();
      }
    }
  }

  /** A read was handed over. */
  readEnd(): void {
    if (!this.#pressed || !this.#reading) return;
    if (!this.#host.waits() && this.#aheadBytes() >= this.#aheadBytesMax) {
      this.#host.giveUp(this.#aheadBytes()); // O5
      return;
    }
    if (this.#nudging && this.#host.bytesRead() - this.#nudgedAt >= nudgeBytes) {
      this.#nudging = false;
      const hadBacklog = (this.#host.ageMs() ?? 0) > this.#nudgeMs / 2;
      const later = this.#nudgeMs * 2;
      this.#watch(hadBacklog ? later : Math.min(restMs, later));
    }
    this.#apply();
  }

  /** There is another connection: it reads from the beginning. */
  reconnected(): void {
    this.#reading = true;
    if (this.#pressed) this.press(true);
  }

  /** The session has ended. */
  close(): void {
    clearTimeout(this.#timer);
    this.#pressed = false;
  }

  /** Nudges after a while. */
  #watch(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#nudgeMs = delayMs;
    this.#nudging = false;
    if (this.#host.ageMs() === undefined) return;
    this.#timer = setTimeout(() => {
      this.#nudging = true;
      this.#nudgedAt = this.#host.bytesRead();
      this.#apply();
    }, delayMs);
    this.#timer.unref();
  }

  /** The error for a command that had to wait for its reply to be read. */
  #held(error: unknown): unknown {
    if (!(error instanceof BridgeError) || error.code !== 'ERR_TMUX_TIMEOUT') return error;
    const why = `a lossless sink accepts nothing and aheadBytesMax=${this.#aheadBytesMax} bytes were read ahead of it`;
    return new BridgeError(
      'ERR_SESSION_HELD',
      `no reply can be read: ${why} (${error.message})`,
      error,
    );
  }

  /** Bytes read since the first pipe pressed. */
  #aheadBytes(): number {
    return this.#host.bytesRead() - this.#heldAt;
  }

  #apply(): void {
    const reading = this.#wanted();
    if (reading === this.#reading) return;
    this.#reading = reading;
    this.#host.read(reading);
  }

  #wanted(): boolean {
    if (!this.#pressed || !this.#host.waits()) return true; // O5
    const aheadBytes = this.#aheadBytes();
    if (this.#waiting > 0) return aheadBytes < this.#aheadBytesMax; // O1, O2
    return this.#nudging && aheadBytes < this.#aheadBytesMax / 2; // O3
  }
}
