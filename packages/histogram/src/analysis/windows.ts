/**
 * Recent latencies only: a sliding window, an exponentially weighted average, and an error budget's burn.
 *
 * Clocks are injectable: pass the time with each call, or a clock to ask.
 */
import { HistogramRangeError } from '../errors.ts';
import { Histogram, type HistogramOptions } from '../histogram.ts';
import { checkShare, shareAbove } from './distribution.ts';

/** Returns the current time in milliseconds, from any fixed origin. */
export type MillisecondClock = () => number;

const { performance } = globalThis;
const nowMs: MillisecondClock = () => performance.now();

const positive = (name: string, value: number): number => {
  if (!(value > 0) || value === Number.POSITIVE_INFINITY) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `${name} must be a finite number above 0: ${name}=${String(value)}`,
    );
  }
  return value;
};

/** How to create a {@link SlidingWindowHistogram}. */
export interface SlidingWindowOptions extends HistogramOptions {
  /** Length of the window (ms, above 0). */
  readonly windowMs: number;
  /** Number of parts in which the window moves on (1 to 1000). @defaultValue 10 */
  readonly parts?: number;
  /** Time source for calls without a time. @defaultValue performance.now */
  readonly clock?: MillisecondClock;
}

/**
 * Counts the values of the last so many milliseconds.
 *
 * The window moves in steps of windowMs / parts: `current` covers between windowMs - step and windowMs.
 *
 * Concurrency: one thread. Cost: a histogram per part; record as `Histogram.record` and one comparison (and
 * the clock's reading unless the time is passed); current O(parts * span).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { SlidingWindowHistogram } from '@millrace/histogram';
 *
 * const recent = new SlidingWindowHistogram({ windowMs: 10_000, parts: 10 });
 * recent.record(500, 0);
 * recent.record(700, 9000);
 * assert.equal(recent.current(9500).count, 2);
 * assert.equal(recent.current(10_500).count, 1); // the first one has left the window
 * ```
 */
export class SlidingWindowHistogram {
  readonly #parts: readonly Histogram[];
  readonly #clock: MillisecondClock;
  readonly #stepMs: number;
  readonly #options: HistogramOptions;
  /** Number of the part that is being recorded into, counted from the clock's origin. */
  #step: number;
  #current: Histogram;
  #currentEndMs: number;

  /**
   * Creates an empty window.
   *
   * @param options - window, parts, range
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if an option is out of its range
   */
  constructor(options: SlidingWindowOptions) {
    const parts = options.parts ?? 10;
    if (!Number.isInteger(parts) || parts < 1 || parts > 1000) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `parts must be a whole number from 1 to 1000: parts=${String(parts)}`,
      );
    }
    this.#options = options;
    this.#stepMs = positive('windowMs', options.windowMs) / parts;
    this.#clock = options.clock ?? nowMs;
    this.#parts = Array.from({ length: parts }, () => new Histogram(options));
    this.#step = Number.NEGATIVE_INFINITY;
    this.#current = this.#parts[0]!;
    this.#currentEndMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Counts one value.
   *
   * @param value - 0 and above, in the caller's unit
   * @param timeMs - current time; never before the last one
   */
  record(value: number, timeMs: number = this.#clock()): void {
    if (timeMs >= this.#currentEndMs) this.#advance(timeMs);
    this.#current.record(value);
  }

  /**
   * Returns the values that are in the window.
   *
   * @param timeMs - current time; never before the last one
   * @returns a histogram owned by the caller
   */
  current(timeMs: number = this.#clock()): Histogram {
    if (timeMs >= this.#currentEndMs) this.#advance(timeMs);
    const sum = new Histogram(this.#options);
    for (const part of this.#parts) sum.add(part);
    return sum;
  }

  #advance(timeMs: number): void {
    const step = Math.floor(timeMs / this.#stepMs);
    const { length } = this.#parts;
    // Every part that the window has left is emptied, all of them after a long silence.
    for (let left = Math.max(this.#step + 1, step - length + 1); left <= step; left++) {
      this.#parts[((left % length) + length) % length]!.reset();
    }
    this.#step = step;
    this.#current = this.#parts[((step % length) + length) % length]!;
    this.#currentEndMs = (step + 1) * this.#stepMs;
  }
}

/** How to create an {@link ExponentialAverage}. */
export interface ExponentialAverageOptions {
  /** Time after which a value counts half (ms, above 0). */
  readonly halfLifeMs: number;
  /** Values above this one are errors (caller's unit). @defaultValue Infinity */
  readonly threshold?: number;
  /** Time source for calls without a time. @defaultValue performance.now */
  readonly clock?: MillisecondClock;
}

/**
 * Keeps the mean, deviation and error rate of values whose weight halves every half life.
 *
 * Right from the first value on: weights are divided by their own sum, nothing starts at zero.
 *
 * Concurrency: one thread. Cost: O(1) per value, one Math.exp; 40 bytes; no allocation.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { ExponentialAverage } from '@millrace/histogram';
 *
 * const average = new ExponentialAverage({ halfLifeMs: 1000, threshold: 100 });
 * average.record(300, 0);
 * average.record(0, 1000); // the first value now has half the weight
 * assert.equal(average.mean, 100);
 * assert.ok(Math.abs(average.errorRate - 1 / 3) < 1e-12);
 * assert.ok(Math.abs(average.burnRate(0.99) - 100 / 3) < 1e-9);
 * ```
 */
export class ExponentialAverage {
  readonly #rate: number;
  readonly #threshold: number;
  readonly #clock: MillisecondClock;
  /** Time of the last value, weight, mean, sum of squared deviations, weight of errors. */
  readonly #state: Float64Array = new Float64Array(5);

  /**
   * Creates an average of nothing.
   *
   * @param options - half life and threshold
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if the half life isn't above 0
   */
  constructor(options: ExponentialAverageOptions) {
    this.#rate = Math.LN2 / positive('halfLifeMs', options.halfLifeMs);
    this.#threshold = options.threshold ?? Number.POSITIVE_INFINITY;
    this.#clock = options.clock ?? nowMs;
  }

  /**
   * Takes one value in. NaN is ignored.
   *
   * @param value - in the caller's unit
   * @param timeMs - current time; one before the last counts as the last
   */
  record(value: number, timeMs: number = this.#clock()): void {
    if (Number.isNaN(value)) return;
    const state = this.#state;
    const decay = state[1] === 0 ? 0 : Math.exp(-this.#rate * Math.max(0, timeMs - state[0]!));
    const weight = state[1]! * decay + 1;
    const deviation = value - state[2]!;
    state[0] = state[1] === 0 ? timeMs : Math.max(timeMs, state[0]!);
    state[1] = weight;
    state[2]! += deviation / weight;
    // West's update of a weighted variance.
    state[3] = state[3]! * decay + deviation * (value - state[2]!);
    state[4] = state[4]! * decay + (value > this.#threshold ? 1 : 0);
  }

  /** Weighted mean; NaN before the first value. */
  get mean(): number {
    return this.#state[1] === 0 ? Number.NaN : this.#state[2]!;
  }

  /** Weighted standard deviation; NaN before the first value. */
  get standardDeviation(): number {
    return Math.sqrt(this.#state[3]! / this.#state[1]!);
  }

  /** Weighted share of values above the threshold; NaN before the first value. */
  get errorRate(): number {
    return this.#state[4]! / this.#state[1]!;
  }

  /**
   * Returns how fast the error budget is used up: 1 is exactly the pace that the objective allows.
   *
   * @param objective - share of values that must be at or below the threshold, 0 to 1, both excluded
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if `objective` is out of its range
   */
  burnRate(objective: number): number {
    checkShare('objective', objective);
    return this.errorRate / (1 - objective);
  }
}

/**
 * Returns how fast a histogram's values use up an error budget: 1 is the pace that the objective allows, 10
 * uses a month's budget in three days.
 *
 * @param histogram - the values of the window to judge; left unchanged
 * @param threshold - values above it (above its bucket) are errors, in the caller's unit
 * @param objective - share of values that must not be errors, 0 to 1, both excluded
 * @returns NaN when empty
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if `objective` is out of its range
 *
 * Cost: O(span).
 */
export function burnRate(histogram: Histogram, threshold: number, objective: number): number {
  checkShare('objective', objective);
  return shareAbove(histogram, threshold) / (1 - objective);
}
