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
 * W5: a link that drains in gulps (turns of a timer, frames of a screen) carries a window a gulp, and so looks as slow
 *     as the window is small. Therefore trials: the window is made larger for a sample. If the link carries more by
 *     more than half of that, what was added cost no time: from then on the window is worth the time that it took
 *     (`gulpMs`), if that is longer than base and allowed delay. It is made smaller in the same way: if the link
 *     carries as much, the time was too long. What fails is tried again after twice as long.
 * W6: it begins with such trials, each larger than the one before, until one fails; and until three samples running
 *     have found the link no faster by a quarter, the window is twice as large as W1 says (BBR's startup).
 *
 * One thread; the caller brings the time. Cost: a few operations a piece; an object every four of them or more.
 */

const rateBucketMs = 500;
const baseBucketMs = 5000;
const sampleMsMin = 20;
/** Longest time that a gulp is taken for one (ms): a few frames of a screen. */
const gulpMsMax = 64;
/** A trial's window, of the one before. */
const trialMore = 1.75;
const trialLess = 0.75;
/** A trial must have had so much more on its way, and have carried so much of what that was more. */
const trialLoad = 1.3;
const trialGain = 0.6;
/** Pieces that a trial must have seen: one alone may have come just before or just after a gulp. */
const trialPieces = 4;
/** Samples that find nothing new, until it has begun. */
const plateauSamples = 3;
/** A trial in which a piece takes so much longer than the longest before has failed. */
const trialLonger = 1.5;
/** From a trial that failed to the next (ms): at first, and at most. */
const trialMsMin = 250;
const trialMsMax = 8000;
/** A trial that has seen too little by then ends. */
const trialPatienceMs = 1000;

/** What is remembered of a piece on its way; reused by the viewer. */
export interface Piece {
  /** Offset of its end in all that was sent to its sink. */
  end: number;
  bytes: number;
  sentAt: number;
  /** Bytes on their way when it was sent, its own included. */
  load: number;
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

/** What is seen of a window over some pieces, those that were sent while it was the limit. */
interface Seen {
  /** Bytes per ms. */
  readonly rate: number;
  /** Bytes on their way, on the mean. */
  readonly load: number;
  /** How long a piece took, on the mean, and at most (ms). */
  readonly tookMs: number;
  readonly longestMs: number;
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
  /** Of the samples since the window was changed: as before, and how many pieces ended and how long they took. */
  #trialBusyMs = 0;
  #trialBusyBytes = 0;
  #trialPieces = 0;
  #trialTookMs = 0;
  #trialLoad = 0;
  #trialLongestMs = 0;
  /** Time that the window has been found to be worth (ms), 0 if none was (W5). */
  #gulpMs = 0;
  /** Window of the trial under way, as a factor on the one before it; 1 if there is none. */
  #trial = 1;
  #trialBytes = 0;
  #trialAt = 0;
  #trialMs = trialMsMin;
  /** What was seen of the window before. */
  #before: Seen = { rate: 0, load: 0, tookMs: 0, longestMs: 0 };
  #starting = true;
  /** Samples running that found the link no faster, until it has begun (W6). */
  #plateau = 0;
  #plateauRate = 0;
  /** Whether the sample that is being taken began before the window was changed. */
  #mixed = false;
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

  /** Whether it tries how fast the link is, and so needs something to send (W5, W6). */
  get trying(): boolean {
    return this.#plateau < plateauSamples || this.#trial > 1;
  }

  /** Books a piece out and stamps it. */
  sent(now: number, piece: Piece): void {
    piece.sentAt = now;
    this.inFlight += piece.bytes;
    piece.load = this.inFlight;
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
      this.#took(now - piece.sentAt, piece.load, now);
      if (this.#busyMs >= Math.max(sampleMsMin, this.baseMs)) this.#observeRate(now);
    }
    this.#resize(now);
  }

  /** Forgets a piece that nobody will say anything of any more. */
  forgotten(piece: Piece): void {
    this.inFlight -= piece.bytes;
    if (piece.busy) this.#busyPieces--;
  }

  /** Notes how long a piece took; ends a trial that makes them wait. */
  #took(tookMs: number, load: number, now: number): void {
    this.#trialPieces++;
    this.#trialLoad += load;
    this.#trialTookMs += tookMs;
    if (tookMs > this.#trialLongestMs) this.#trialLongestMs = tookMs;
    if (this.#trial > 1 && tookMs > trialLonger * this.#before.longestMs + 1) this.#fail(now);
  }

  #observeRate(now: number): void {
    if (now - this.#rateSince >= rateBucketMs) {
      this.#rateBefore = this.#rateNow;
      this.#rateNow = 0;
      this.#rateSince = now;
    }
    this.#rateNow = Math.max(this.#rateNow, this.#busyBytes / this.#busyMs); // W2
    this.rate = Math.max(this.#rateNow, this.#rateBefore); // W3
    if (this.rate > 1.25 * this.#plateauRate) {
      this.#plateauRate = this.rate;
      if (this.#plateau < plateauSamples) this.#plateau = 0;
    } else this.#plateau++;
    this.#trialBusyMs += this.#busyMs;
    this.#trialBusyBytes += this.#busyBytes;
    this.#busyBytes = this.#busyMs = 0;
    if (this.#trialPieces < trialPieces) return;
    const rate = this.#trialBusyBytes / this.#trialBusyMs;
    const load = this.#trialLoad / this.#trialPieces;
    const tookMs = this.#trialTookMs / this.#trialPieces;
    const longestMs = this.#trialLongestMs;
    const isMixed = this.#mixed;
    this.#forgetTrial();
    this.#mixed = false;
    if (!isMixed) this.#judge({ rate, load, tookMs, longestMs }, now);
  }

  #forgetTrial(): void {
    this.#trialBusyBytes = this.#trialBusyMs = this.#trialPieces = 0;
    this.#trialLoad = this.#trialTookMs = this.#trialLongestMs = 0;
  }

  /** W5: ends a trial, or begins one. */
  #judge(seen: Seen, now: number): void {
    const before = this.#before;
    if (this.#trial > 1) {
      const more = seen.load / before.load;
      if (more < trialLoad) return; // there wasn't enough to send
      if (seen.rate <= before.rate * (1 + (more - 1) * trialGain)) {
        this.#fail(now);
        return;
      }
      this.#gulpMs = Math.min(gulpMsMax, seen.tookMs);
      this.#trialMs = trialMsMin;
    } else if (this.#trial < 1) {
      if (seen.rate > before.rate * 0.9) {
        this.#gulpMs *= trialLess;
        this.#trialMs = trialMsMin;
      }
      this.#rest(now);
      return;
    }
    this.#before = seen;
    // A window that is worth a long delay of the link is worth any gulp.
    const isDue = now >= this.#trialAt && this.baseMs * 4 < gulpMsMax;
    if (this.#starting || this.#trial > 1 || isDue) this.#try(trialMore, now);
  }

  /** A larger window was of no use: would a smaller one do? */
  #fail(now: number): void {
    this.#starting = false;
    if (this.#gulpMs <= this.baseMs + this.#options.delayMs) this.#rest(now);
    else this.#try(trialLess / this.#trial, now);
  }

  #try(factor: number, now: number): void {
    this.#trialBytes = this.bytes * factor;
    this.#trial = factor;
    this.#trialAt = now + trialPatienceMs;
    this.#forgetTrial();
    this.#mixed = this.inFlight > 0;
  }

  #rest(now: number): void {
    this.#starting = false;
    this.#trial = 1;
    this.#trialAt = now + this.#trialMs;
    this.#trialMs = Math.min(trialMsMax, this.#trialMs * 2);
    this.#forgetTrial();
    this.#mixed = this.inFlight > 0;
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
    if (this.#trial !== 1 && now >= this.#trialAt) this.#rest(now); // there isn't as much to send
    if (this.rate === 0) return;
    const allowedMs =
      now < this.#probeUntil
        ? this.baseMs / 2 // W4
        : Math.max(this.baseMs + delayMs, this.#gulpMs); // W5
    let bytes = this.#trial === 1 ? this.rate * allowedMs : this.#trialBytes;
    if (this.#plateau < plateauSamples)
      bytes = Math.max(bytes, this.rate * (this.baseMs + delayMs) * 2); // W6
    this.bytes = Math.floor(Math.max(bytesMin, Math.min(bytesMax, bytes))); // W1
  }
}
