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
 *     as the window is small. Therefore trials: the window is made larger, W6 says how much. If a piece sent with that
 *     much on its way takes hardly longer, what was added cost no time: from then on the window is worth that time
 *     (`gulpMs`), if it is longer than base and allowed delay, and the next trial follows at once. It is made smaller
 *     in the same way: if the link carries as much, the time was too long. What fails is tried again after twice as
 *     long.
 * W6: it begins with such trials, each twice as large, until one fails (then 1.5 times). Without a trial, and until three
 *     samples running have found the link no faster by a quarter, the window is twice as large as W1 says (BBR's startup).
 *     Not both: the first delays seen are those that the window itself has made, and it would become a queue.
 * W7: what a trial goes by is a round: a piece that was sent after the window was changed, while the window was the
 *     limit, and just when something had been drained. One that finds the link idle may come just before a gulp or just
 *     after; one that comes in between finds less ahead of it than is on its way. The first rounds of a process are
 *     late: where they take more than twice the allowed delay, a trial waits for the mean of a few.
 *
 * One thread; the caller brings the time. Cost: a few operations a piece; an object every four of them or more.
 */

const rateBucketMs = 500;
const baseBucketMs = 5000;
const sampleMsMin = 20;
/** Longest time that a gulp is taken for one (ms): a few frames of a screen. */
const gulpMsMax = 64;
/** A trial's window, of the one before: until the first has failed, from then on, and a smaller one. */
const trialDouble = 2;
const trialMore = 1.5;
const trialLess = 0.75;
/** A trial must have had so much more on its way, and have carried so much of what that was more. */
const trialLoad = 1.3;
const trialGain = 0.7;
/** One that takes longer by so much of what was more has failed at once. */
const trialLoss = 0.8;
/** Rounds without a gain after which a larger window has failed. */
const strikesMax = 3;
/** Rounds with a gain that it takes: one may be luck. */
const gainsMin = 2;
/** Rounds before a trial if they take long, whose mean it must beat: the first of a process are often late. */
const roundsBefore = 3;
/** Rounds that a smaller window is given. */
const lessRounds = 2;
/** What is sent so shortly after something was drained was sent for that (ms). */
const followsMs = 1;
/** No piece takes less time than this (ms): clocks are no finer. */
const tookMsMin = 0.05;
/** Samples that find nothing new, until it has begun. */
const plateauSamples = 3;
/** From a trial that failed to the next (ms): at first, and at most. */
const trialMsMin = 1000;
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
  /** Whether it was sent when something had just been drained: all that was on its way then was still ahead of it. */
  follows: boolean;
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
  /** Time that the window has been found to be worth (ms), 0 if none was (W5). */
  #gulpMs = 0;
  /** Window of the trial under way, as a factor on the one before it; 1 if there is none. */
  #trial = 1;
  #trialBytes = 0;
  #trialAt = 0;
  #trialMs = trialMsMin;
  /** Bytes on their way and the time that a piece took, in the rounds before a trial; 0 if there were none. */
  #load = 0;
  #tookMs = 0;
  /** When the round under way began: only a piece that was sent since counts. */
  #roundAt = 0;
  /** Of the trial: rounds without a gain, and with one. */
  #strikes = 0;
  #gains = 0;
  /** Rounds before a trial, and those of one with a smaller window; of the latter, what they carried in which time. */
  #rounds = 0;
  #lessBytes = 0;
  #lessMs = 0;
  /** Whether it is still among its first trials, or the last one was a gain. */
  #climbing = true;
  /** Whether none has failed yet. */
  #starting = true;
  /** Samples running that found the link no faster, until it has begun (W6). */
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

  /** Whether it looks how fast the link is, or is about to, and so needs something to send (W5, W6). */
  isLooking(now: number): boolean {
    return this.#plateau < plateauSamples || this.#trial !== 1 || this.#isDue(now);
  }

  /** Books a piece out and stamps it. */
  sent(now: number, piece: Piece): void {
    piece.sentAt = now;
    this.inFlight += piece.bytes;
    piece.load = this.inFlight;
    piece.busy = this.inFlight * 2 >= this.bytes;
    piece.follows = now - this.drainedAt < followsMs; // W7
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
      if (piece.follows && piece.sentAt >= this.#roundAt) this.#round(piece, now);
    }
    this.#resize(now);
  }

  /** Forgets a piece that nobody will say anything of any more. */
  forgotten(piece: Piece): void {
    this.inFlight -= piece.bytes;
    if (piece.busy) this.#busyPieces--;
  }

  #observeRate(now: number): void {
    this.#sampled(this.#busyBytes / this.#busyMs, now); // W2
    this.#busyBytes = this.#busyMs = 0;
    if (this.rate > 1.25 * this.#plateauRate) {
      this.#plateauRate = this.rate;
      if (this.#plateau < plateauSamples) this.#plateau = 0;
    } else this.#plateau++;
  }

  #sampled(rate: number, now: number): void {
    if (now - this.#rateSince >= rateBucketMs) {
      this.#rateBefore = this.#rateNow;
      this.#rateNow = 0;
      this.#rateSince = now;
    }
    this.#rateNow = Math.max(this.#rateNow, rate);
    this.rate = Math.max(this.#rateNow, this.#rateBefore); // W3
  }

  /** W5, W7: learns how long a piece took with so much on its way; ends a trial, or begins one. */
  #round({ load, sentAt }: Piece, now: number): void {
    const tookMs = Math.max(tookMsMin, now - sentAt);
    this.#roundAt = now;
    if (this.#trial > 1) this.#larger(load, tookMs, now);
    else if (this.#trial < 1) this.#smaller(load, tookMs, now);
    else {
      const isFirst = this.#rounds++ === 0;
      this.#load = isFirst ? load : (this.#load + load) / 2;
      this.#tookMs = isFirst ? tookMs : (this.#tookMs + tookMs) / 2;
      const isSure = this.#rounds >= roundsBefore || this.#tookMs <= 2 * this.#options.delayMs;
      if (isSure && this.#isDue(now)) this.#tryMore(now);
    }
  }

  /**
   * Whether trials can show anything. A window that is worth a long delay of the link is worth any gulp, and with one that
   * takes long already no gulp can be told from a slow link in time.
   */
  #canTry(): boolean {
    return this.baseMs * 4 < gulpMsMax && this.#tookMs * 2 < gulpMsMax;
  }

  /** Whether a larger window is to be tried. */
  #isDue(now: number): boolean {
    return this.#canTry() && (this.#climbing || now >= this.#trialAt);
  }

  #larger(load: number, tookMs: number, now: number): void {
    const more = load / this.#load;
    if (more < trialLoad) return; // there wasn't enough to send
    if (tookMs * (1 + (more - 1) * trialGain) >= this.#tookMs * more) {
      const isLoss = tookMs > this.#tookMs * (1 + (more - 1) * trialLoss);
      if (++this.#strikes >= strikesMax || (isLoss && !this.#starting)) this.#fail(now);
      return;
    }
    if (++this.#gains < gainsMin) return;
    this.#sampled(load / tookMs, now);
    this.#gulpMs = Math.min(gulpMsMax, tookMs);
    this.#trialMs = trialMsMin;
    this.#climbing = true;
    this.#load = load;
    this.#tookMs = tookMs;
    this.#tryMore(now);
  }

  #smaller(load: number, tookMs: number, now: number): void {
    this.#lessBytes += load;
    this.#lessMs += tookMs;
    if (++this.#rounds < lessRounds) return;
    if (this.#lessBytes / this.#lessMs > (this.#load / this.#tookMs) * 0.9) {
      this.#gulpMs *= trialLess;
      this.#trialMs = trialMsMin;
    }
    this.#rest(now);
  }

  /** A larger window was of no use: would a smaller one do? */
  #fail(now: number): void {
    this.#climbing = this.#starting = false;
    if (this.#gulpMs <= this.baseMs + this.#options.delayMs) this.#rest(now);
    else this.#try(trialLess / this.#trial, now);
  }

  #tryMore(now: number): void {
    this.#try(this.#starting ? trialDouble : trialMore, now);
  }

  #try(factor: number, now: number): void {
    this.#trialBytes = this.bytes * factor;
    this.#trial = factor;
    this.#trialAt = now + trialPatienceMs;
    this.#strikes = this.#gains = this.#rounds = this.#lessBytes = this.#lessMs = 0;
    this.#roundAt = now;
  }

  #rest(now: number): void {
    this.#climbing = false;
    this.#trial = 1;
    this.#trialAt = now + this.#trialMs;
    this.#trialMs = Math.min(trialMsMax, this.#trialMs * 2);
    this.#load = this.#tookMs = this.#rounds = 0;
    this.#roundAt = now;
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
    if (this.rate === 0 && this.#trial === 1) return;
    const allowedMs =
      now < this.#probeUntil
        ? this.baseMs / 2 // W4
        : Math.max(this.baseMs + delayMs, this.#gulpMs); // W5
    let bytes = this.#trial === 1 ? this.rate * allowedMs : this.#trialBytes;
    const isTrying = this.#trial !== 1 || (this.#climbing && this.#canTry());
    if (this.#plateau < plateauSamples && !isTrying)
      bytes = Math.max(bytes, this.rate * (this.baseMs + delayMs) * 2); // W6
    this.bytes = Math.floor(Math.max(bytesMin, Math.min(bytesMax, bytes))); // W1
  }
}
