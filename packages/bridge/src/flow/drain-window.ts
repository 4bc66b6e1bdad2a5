/**
 * How many bytes may be on their way to a viewer: what its link drains in the time that a byte may wait there.
 *
 * After BBR (Cardwell et al., ACM Queue 14(5), 2016): the product of the rate that was measured and of the delay that
 * the link has anyway, plus the delay that is allowed for waiting in it. Unlike a window of fixed size it neither
 * starves a fast link nor lets seconds pile up in front of a slow one.
 *
 * ```text
 *   sent ──▶ ┌──────── on their way: at most `bytes` ────────┐ ──▶ drained (accepted, or drawn if the sink says so)
 *            │ base delay x rate    │  delayMs x rate        │
 *            └──────────────────────┴────────────────────────┘
 * ```
 *
 * W1: bytesMin <= bytes <= bytesMax.
 * W2: a sample of the rate is what was drained between the last draining before a piece was sent and its own, over
 *     that time. Pieces that were sent while the link had little to do can raise the estimate, never lower it.
 * W3: the rate is the largest sample of the last half to whole second in which the link was busy: one bad moment
 *     doesn't shrink the window, a slower link does within a second.
 * W4: the base delay is the smallest of the last 5 to 10 s. So that a standing queue isn't taken for the link's own
 *     delay, the window is cut to half the product for one delay at the end of each 5 s (BBR's ProbeRTT).
 *
 * One thread; the caller brings the time. Cost: a few operations a piece, no allocation.
 */

const rateBucketMs = 500;
const baseBucketMs = 5000;
/** A draining faster than this can't be measured with the clock of a page (ms). */
const intervalMsMin = 0.02;

/** What is remembered of a piece on its way; reused by the viewer. */
export interface Piece {
  /** Offset of its end in all that was sent to its sink. */
  end: number;
  bytes: number;
  sentAt: number;
  /** Bytes drained, and when the last of them was, when it was sent. */
  drainedBefore: number;
  drainedAt: number;
  /** Whether the window was more than half full with it. */
  busy: boolean;
}

/** Limits of a window. */
export interface DrainWindowOptions {
  /** How long a byte may wait in the link (ms). */
  readonly delayMs: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
}

/** A viewer's window. */
export class DrainWindow {
  /** Bytes that may be on their way (W1). */
  bytes: number;
  /** Bytes on their way. */
  inFlight = 0;
  /** Rate at which the link drains (bytes per ms), 0 as long as it isn't known. */
  rate = 0;
  /** Delay of the link itself (ms), 0 as long as it isn't known. */
  baseMs = 0;
  /** When something was drained last (ms). */
  drainedAt = 0;
  #drained = 0;
  readonly #options: DrainWindowOptions;
  #rateNow = 0;
  #rateBefore = 0;
  #rateBusy = false;
  #rateSince = 0;
  #baseNow = Number.POSITIVE_INFINITY;
  #baseBefore = Number.POSITIVE_INFINITY;
  #baseSince = Number.NaN;
  #probeUntil = Number.NEGATIVE_INFINITY;

  constructor(options: DrainWindowOptions) {
    this.#options = options;
    this.bytes = Math.min(options.bytesMax, options.bytesMin * 2);
  }

  /** Books a piece out and stamps it. */
  sent(now: number, piece: Piece): void {
    if (this.inFlight === 0) this.drainedAt = now; // what was idle before isn't the link's doing
    piece.sentAt = now;
    piece.drainedBefore = this.#drained;
    piece.drainedAt = this.drainedAt;
    this.inFlight += piece.bytes;
    piece.busy = this.inFlight * 2 >= this.bytes;
  }

  /** Books bytes of a piece as drained before its end was: a cumulative acknowledgement may fall inside a piece. */
  drainedPart(now: number, bytes: number): void {
    this.inFlight -= bytes;
    this.#drained += bytes;
    this.drainedAt = now;
  }

  /** Books the rest of a piece as drained and learns from it. */
  drained(now: number, piece: Piece): void {
    this.inFlight -= piece.bytes;
    this.#drained += piece.bytes;
    this.drainedAt = now;
    const intervalMs = Math.max(intervalMsMin, now - piece.drainedAt);
    this.#observeRate(now, (this.#drained - piece.drainedBefore) / intervalMs, piece.busy); // W2
    this.#observeDelay(now, now - piece.sentAt);
    this.#resize(now);
  }

  /** Forgets a piece that nobody will say anything of any more. */
  forgotten(bytes: number): void {
    this.inFlight -= bytes;
  }

  #observeRate(now: number, rate: number, busy: boolean): void {
    if (now - this.#rateSince >= rateBucketMs && this.#rateBusy) {
      this.#rateBefore = this.#rateNow;
      this.#rateNow = 0;
      this.#rateBusy = false;
      this.#rateSince = now;
    }
    if (rate > this.#rateNow) this.#rateNow = rate;
    this.#rateBusy ||= busy;
    this.rate = Math.max(this.#rateNow, this.#rateBefore); // W3
  }

  #observeDelay(now: number, delayMs: number): void {
    if (Number.isNaN(this.#baseSince)) this.#baseSince = now;
    if (now - this.#baseSince >= baseBucketMs) {
      this.#baseBefore = this.#baseNow;
      this.#baseNow = Number.POSITIVE_INFINITY;
      this.#baseSince = now;
      this.#probeUntil = now + this.baseMs + 2 * this.#options.delayMs; // W4
    }
    if (delayMs < this.#baseNow) this.#baseNow = delayMs;
    this.baseMs = Math.min(this.#baseNow, this.#baseBefore);
  }

  #resize(now: number): void {
    const { delayMs, bytesMin, bytesMax } = this.#options;
    const allowedMs = now < this.#probeUntil ? this.baseMs / 2 : this.baseMs + delayMs;
    this.bytes = Math.floor(Math.max(bytesMin, Math.min(bytesMax, this.rate * allowedMs))); // W1
  }
}
