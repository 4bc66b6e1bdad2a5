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
 * W2: a sample of the rate is what was drained while the window was the limit (a piece that was sent with at least half
 *     of it on its way hadn't been drained), over at least 20 ms and at least one delay of the link. Shorter ones would
 *     take the gulps of a socket or a timer for speed; others would take a quiet program for a slow link.
 * W3: the rate is the largest sample of the last half to whole second that had samples: one bad moment doesn't shrink
 *     the window, a slower link does within a second.
 * W4: the base delay is the smallest of the last 5 to 10 s. So that a standing queue isn't taken for the link's own
 *     delay, the window is cut to half the product for one delay at the end of each 5 s (BBR's ProbeRTT).
 *
 * W5: until three samples running have found the link no faster by a quarter, the window is twice as large: it finds a
 *     fast link quickly (BBR's startup).
 *
 * One thread; the caller brings the time. Cost: a few operations a piece, no allocation.
 */

const rateBucketMs = 500;
const baseBucketMs = 5000;
const sampleMsMin = 20;
const plateauSamples = 3;

/** What is remembered of a piece on its way; reused by the viewer. */
export interface Piece {
  /** Offset of its end in all that was sent to its sink. */
  end: number;
  bytes: number;
  sentAt: number;
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
  readonly #options: DrainWindowOptions;
  /** Pieces on their way that were sent while the window was the limit, and since when there are any. */
  #busyPieces = 0;
  #busySince = 0;
  /** Of the sample that is being taken: time with such pieces, and bytes drained in it. */
  #busyMs = 0;
  #busyBytes = 0;
  /** Samples that found nothing new, until the window has started (W5). */
  #plateau = 0;
  #plateauRate = 0;
  #rateNow = 0;
  #rateBefore = 0;
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
    piece.sentAt = now;
    this.inFlight += piece.bytes;
    piece.busy = this.inFlight * 2 >= this.bytes;
    if (piece.busy && this.#busyPieces++ === 0) this.#busySince = now;
  }

  /** Books bytes of a piece as drained before its end was: a cumulative acknowledgement may fall inside a piece. */
  drainedPart(now: number, bytes: number): void {
    this.inFlight -= bytes;
    this.drainedAt = now;
    if (this.#busyPieces > 0) this.#busyBytes += bytes;
  }

  /** Books the rest of a piece as drained and learns from it. */
  drained(now: number, piece: Piece): void {
    this.drainedPart(now, piece.bytes);
    this.#observeDelay(now, now - piece.sentAt);
    if (piece.busy) {
      this.#busyMs += now - this.#busySince;
      this.#busySince = now;
      this.#busyPieces--;
      if (this.#busyMs >= Math.max(sampleMsMin, this.baseMs)) this.#observeRate(now);
    }
    this.#resize(now);
  }

  /** Forgets a piece that nobody will say anything of any more. */
  forgotten(piece: Piece): void {
    this.inFlight -= piece.bytes;
    if (piece.busy) this.#busyPieces--;
  }

  #observeRate(now: number): void {
    if (now - this.#rateSince >= rateBucketMs) {
      this.#rateBefore = this.#rateNow;
      this.#rateNow = 0;
      this.#rateSince = now;
    }
    this.#rateNow = Math.max(this.#rateNow, this.#busyBytes / this.#busyMs); // W2
    this.#busyBytes = this.#busyMs = 0;
    this.rate = Math.max(this.#rateNow, this.#rateBefore); // W3
    if (this.rate > 1.25 * this.#plateauRate) {
      this.#plateauRate = this.rate;
      if (this.#plateau < plateauSamples) this.#plateau = 0;
    } else this.#plateau++;
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
    let allowedMs = this.baseMs + delayMs;
    if (this.#plateau < plateauSamples)
      allowedMs *= 2; // W5
    else if (now < this.#probeUntil) allowedMs = this.baseMs / 2;
    if (this.rate === 0) return;
    this.bytes = Math.floor(Math.max(bytesMin, Math.min(bytesMax, this.rate * allowedMs))); // W1
  }
}
