/**
 * A viewer's link: one FIFO of a fixed rate for everything that goes to the viewer.
 *
 * Every 5 ms it passes on what the rate allows for the time since the last turn; a write is acknowledged when its
 * last byte has passed. A turn that comes late passes more, up to 50 ms' worth, so that the rate holds on a busy
 * machine; what a turn's credit has left over is lost.
 *
 * Without a rate it accepts everything at once.
 */
const turnMs = 5;
const catchUpMs = 50;

interface Waiting {
  bytes: number;
  readonly passed: () => void;
}

/** A FIFO of a fixed rate. */
export class Link {
  readonly #bytesPerMs: number;
  #waiting: Waiting[] = [];
  #head = 0;
  #timer: NodeJS.Timeout | undefined;
  #turnAt = 0;
  #queuedBytes = 0;

  /** @param bytesPerSecond - its rate, or undefined for a link that accepts at once */
  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerMs = (bytesPerSecond ?? Number.POSITIVE_INFINITY) / 1000;
  }

  /** Bytes that were written and haven't passed. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether everything passes at once. */
  get immediate(): boolean {
    return this.#bytesPerMs === Number.POSITIVE_INFINITY;
  }

  /** Writes; calls back when the last byte has passed. */
  write(bytes: number, passed: () => void): void {
    if (this.immediate) {
      passed();
      return;
    }
    this.#queuedBytes += bytes;
    this.#waiting.push({ bytes, passed });
    if (this.#timer === undefined) {
      this.#turnAt = performance.now();
      this.#timer = setInterval(() => this.#turn(), turnMs);
    }
  }

  #turn(): void {
    const now = performance.now();
    let credit = Math.min(now - this.#turnAt, catchUpMs) * this.#bytesPerMs;
    this.#turnAt = now;
    while (this.#head < this.#waiting.length) {
      const first = this.#waiting[this.#head]!;
      const passing = Math.min(credit, first.bytes);
      first.bytes -= passing;
      credit -= passing;
      this.#queuedBytes -= passing;
      if (first.bytes > 1e-6) break;
      this.#head++;
      first.passed();
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#head = 0;
      this.#queuedBytes = 0;
    } else if (this.#head >= 1024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Passes nothing more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
