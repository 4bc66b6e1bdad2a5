/** A scheduler for pages: turns by MessageChannel instead of clamped timers, and wakes that follow the frames. */
import { defaultScheduler, nextTurn, type Scheduler, type WakeHandle } from './scheduler.ts';

/** Options of `browserScheduler`. */
export interface BrowserSchedulerOptions {
  /** Whether wakes wait for the frame that follows them: a flush between frames shows nothing. @defaultValue false */
  readonly frames?: boolean;
}

interface Wake {
  task: (() => void) | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  frame: number | undefined;
}

/** Longest time that a wake waits for its frame (ms): a hidden tab has none. */
const FRAME_MS_MAX = 100;

/**
 * Returns a scheduler for browsers. A wake of 0 ms is a turn of the event loop (MessageChannel, not the 4 ms that a
 * nested `setTimeout` is clamped to); others are timers, or with `frames` the frame after the timer.
 */
export function browserScheduler(options: BrowserSchedulerOptions = {}): Scheduler {
  const run = (wake: Wake): void => {
    const task = wake.task;
    cancel(wake);
    task?.();
  };
  const cancel = (handle: WakeHandle): void => {
    const wake = handle as Wake;
    wake.task = undefined;
    if (wake.timer !== undefined) clearTimeout(wake.timer);
    if (wake.frame !== undefined) cancelAnimationFrame(wake.frame);
    wake.timer = wake.frame = undefined;
  };
  const atFrame = (wake: Wake): void => {
    wake.timer = setTimeout(() => run(wake), FRAME_MS_MAX);
    wake.frame = requestAnimationFrame(() => run(wake));
  };
  return {
    ...defaultScheduler(),
    wake: (task, delayMs) => {
      const wake: Wake = { task, timer: undefined, frame: undefined };
      if (delayMs <= 0) nextTurn(() => run(wake));
      else if (options.frames && typeof requestAnimationFrame === 'function') {
        wake.timer = setTimeout(() => atFrame(wake), delayMs);
      } else wake.timer = setTimeout(() => run(wake), delayMs);
      return wake;
    },
    cancel,
  };
}
