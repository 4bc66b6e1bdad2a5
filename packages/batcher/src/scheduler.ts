/**
 * Where a batcher gets its time from: one interface for the clock, the end of the tick and the one timer.
 *
 * A scheduler is injectable: `virtualScheduler()` of `./sim` makes every test deterministic, `workerScheduler()` keeps
 * budgets below 1 ms, `browserScheduler()` follows a page's frames.
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

const settled = Promise.resolve();

/**
 * Returns the scheduler of any runtime: `performance.now`, a promise reaction (cheaper than
 * `queueMicrotask` in Node; what a batcher runs in it throws nothing) and `setTimeout`.
 */
export function defaultScheduler(): Scheduler {
  const clock = performance; // a lazy global in Node: looking it up costs a fifth of reading it
  return {
    resolutionMs: 1,
    now: () => clock.now(),
    tickEnd: (task) => void settled.then(task),
    wake: (task, delayMs) => setTimeout(task, delayMs),
    cancel: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
  };
}

interface NodeLike {
  readonly process?: { readonly nextTick?: (task: () => void) => void };
}

// Looked up once: `process` is an accessor of the global object.
const nextTick = (globalThis as NodeLike).process?.nextTick;

/** Runs `task` after this task and all promise reactions that it causes; a `tickEnd` for request-shaped code. */
export function tickEndAfterJobs(task: () => void): void {
  // Node runs ticks that a promise job queues only when no promise job is left.
  if (typeof nextTick === 'function') void settled.then(() => nextTick(task));
  else nextTurn(task);
}

let channel: MessageChannel | undefined;
const turns: (() => void)[] = [];

/** Runs `task` in a task of its own, as soon as the event loop gets to it, without the clamp of `setTimeout`. */
export function nextTurn(task: () => void): void {
  const immediate = (globalThis as { setImmediate?: (task: () => void) => unknown }).setImmediate;
  if (typeof immediate === 'function') {
    immediate(task);
    return;
  }
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => turns.shift()?.();
  }
  turns.push(task);
  channel.port2.postMessage(0);
}
