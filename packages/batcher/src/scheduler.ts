/**
 * Where a batcher gets its time from: one interface for the clock, the end of the tick and the one timer.
 *
 * A scheduler is injectable: `virtualScheduler()` of `./sim` makes every test deterministic, a worker or a
 * browser page brings its own.
 */

/** An opaque handle of `Scheduler.wake`. */
export type WakeHandle = unknown;

/** Clock, end of tick and timer of a batcher. */
export interface Scheduler {
  /** Returns the time in ms: monotonic, with fractions, any origin. */
  now(): number;
  /** Runs `task` once when the running task has pushed all it will (a microtask, for instance). */
  tickEnd(task: () => void): void;
  /** Runs `task` once, `delayMs` or more from now; `delayMs` is at least 0. */
  wake(task: () => void, delayMs: number): WakeHandle;
  /** Cancels a wake; does nothing if it has run. */
  cancel(handle: WakeHandle): void;
  /** Shortest delay that `wake` keeps (ms); shorter holds end at the tick instead. */
  readonly resolutionMs: number;
}

/** Returns the scheduler of this process: `performance.now`, `queueMicrotask` and `setTimeout`. */
export function defaultScheduler(): Scheduler {
  return {
    resolutionMs: 1,
    now: () => performance.now(),
    tickEnd: (task) => queueMicrotask(task),
    wake: (task, delayMs) => setTimeout(task, delayMs),
    cancel: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
  };
}
