/**
 * Clocks: what a reading costs, how fine it is, and lap timing, which needs one reading per operation.
 *
 * `performance.now` is looked up once: through the global's getter it costs half as much again.
 */

/** Returns the current time in nanoseconds, from any fixed origin; never goes back. */
export type Clock = () => number;

const { performance } = globalThis;

/**
 * Returns the time since the process or page began.
 *
 * @returns nanoseconds; steps of 5 to 100 us in browsers, see {@link measureClock}
 *
 * Concurrency: any thread; each worker has its own origin. Cost: one `performance.now`.
 */
export const nowNanoseconds = (): number => performance.now() * 1e6;

/** What {@link measureClock} found. */
export interface ClockProperties {
  /** Time that one reading takes (ns). */
  readonly costNanoseconds: number;
  /** Least difference between two different readings (ns): nothing shorter can be measured singly. */
  readonly resolutionNanoseconds: number;
}

/**
 * Measures a clock's cost and resolution, for a report to state beside its figures.
 *
 * @param clock - to be measured
 * @param readings - number of readings for the cost; more is steadier
 *
 * Cost: some milliseconds; where the resolution is 100 us, twenty of its steps.
 */
export function measureClock(
  clock: Clock = nowNanoseconds,
  readings: number = 10_000,
): ClockProperties {
  let cost = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const start = clock();
    for (let i = 1; i < readings; i++) clock();
    cost = Math.min(cost, (clock() - start) / readings);
  }
  let resolution = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 20; step++) {
    const start = clock();
    let end = clock();
    // Bounded, for a clock that stands still.
    for (let i = 0; end === start && i < 1_000_000; i++) end = clock();
    if (end > start) resolution = Math.min(resolution, end - start);
  }
  return { costNanoseconds: cost, resolutionNanoseconds: resolution };
}

/** Anything that counts values: a Histogram, or a recorder of a SharedHistogram. */
export interface ValueRecorder {
  /** Counts one value. */
  record(value: number): void;
}

/** How to create a {@link LapTimer}. */
export interface LapTimerOptions {
  /** Time source in nanoseconds. @defaultValue nowNanoseconds */
  readonly clock?: Clock;
  /**
   * Nanoseconds in one unit of the recorder: 1e6 to record milliseconds.
   * @defaultValue 1
   */
  readonly unitNanoseconds?: number;
}

/**
 * Times operations that follow one another: the end of one is the start of the next, so each costs one
 * reading of the clock instead of two.
 *
 * Concurrency: one thread. Cost: lap is one clock reading and one record; no allocation.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram, LapTimer } from '@millrace/histogram';
 *
 * let time = 0;
 * const latencies = new Histogram();
 * const timer = new LapTimer(latencies, { clock: () => time });
 * time = 1200;
 * assert.equal(timer.lap(), 1200); // the first operation took 1200 ns
 * time = 1500;
 * timer.skip(); // not an operation: the next one starts now
 * time = 1600;
 * assert.equal(timer.lap(), 100);
 * assert.equal(latencies.count, 2);
 * ```
 */
export class LapTimer {
  readonly #recorder: ValueRecorder;
  readonly #clock: Clock;
  readonly #scale: number;
  /** In an array, so that a new time doesn't allocate a boxed double. */
  readonly #last: Float64Array = new Float64Array(1);

  /**
   * Creates a timer; its first lap starts now.
   *
   * @param recorder - counts the laps
   * @param options - clock and unit
   */
  constructor(recorder: ValueRecorder, options: LapTimerOptions = {}) {
    this.#recorder = recorder;
    this.#clock = options.clock ?? nowNanoseconds;
    this.#scale = 1 / (options.unitNanoseconds ?? 1);
    this.#last[0] = this.#clock();
  }

  /**
   * Records the time since the last lap ended and starts the next.
   *
   * @returns the lap, in the recorder's unit
   */
  lap(): number {
    const now = this.#clock();
    const lap = (now - this.#last[0]!) * this.#scale;
    this.#last[0] = now;
    this.#recorder.record(lap);
    return lap;
  }

  /** Starts the next lap now without recording the time since the last. */
  skip(): void {
    this.#last[0] = this.#clock();
  }
}
