/**
 * Runs a thread's real code against a log, until its frontier: at once, or with an event loop of its own.
 *
 * Globals are the model's while the code may run, and only then. An async thread is idle when the microtask
 * queue has run dry without its end; then the log says which wake-up or timer comes next.
 */
import { Kind } from './access.ts';
import { ScenarioError } from './errors.ts';
import { installGlobals, restoreGlobals } from './model/globals.ts';
import { drainMicrotasks } from './native.ts';
import {
  type EventLoop,
  enterSession,
  frontierReached,
  type Run,
  type Session,
} from './session.ts';

/** Events of an idle thread, as raw values: wake-up or timeout of wait k, or timer k. */
export const loopEvent = {
  wake: (wait: number): number => wait * 4,
  timeout: (wait: number): number => wait * 4 + 1,
  timer: (timer: number): number => timer * 4 + 2,
} as const;

type Steps = Generator<unknown, void, unknown>;

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { then?: unknown }).then === 'function';

/** Runs a thread without an event loop. @returns the exception that ended it, or null */
export function runSync(session: Session, run: Run, steps: Steps): unknown {
  const outer = enterSession(session);
  session.run = run;
  try {
    let step = steps.next();
    while (step.done !== true) {
      if (isThenable(step.value)) {
        void step.value.then(undefined, () => undefined);
        throw new ScenarioError('a thread returned a promise: use checkAsync or outcomesAsync');
      }
      step = steps.next(step.value);
    }
    return null;
  } catch (error) {
    return error ?? new Error(String(error));
  } finally {
    session.run = null;
    enterSession(outer);
  }
}

async function drive(steps: Steps): Promise<void> {
  let step = steps.next();
  while (step.done !== true) {
    step = steps.next(isThenable(step.value) ? await step.value : step.value);
  }
}

/** Index of the timer that is due first; -1 when none is set. */
function firstTimer(loop: EventLoop): number {
  let first = -1;
  loop.timers.forEach((timer, index) => {
    if (timer.active && (first < 0 || timer.dueMs < loop.timers[first]!.dueMs)) first = index;
  });
  return first;
}

function deliver(run: Run, loop: EventLoop, event: number): void {
  const index = event >> 2;
  if ((event & 3) === 2) {
    const timer = loop.timers[index]!;
    timer.active = false;
    run.clockMs = Math.max(run.clockMs, timer.dueMs);
    timer.fire();
    return;
  }
  if ((event & 3) === 1) run.clockMs += loop.timeoutsMs[index]!;
  loop.wakes[index]!((event & 3) === 1 ? 'timed-out' : 'ok');
}

/** Runs a thread with an event loop. @returns the exception that ended it, or null */
export async function runAsync(session: Session, run: Run, steps: Steps): Promise<unknown> {
  const loop = run.loop!;
  const outer = enterSession(session);
  session.run = run;
  installGlobals();
  let ended = false;
  let failure: unknown = null;
  try {
    drive(steps).then(
      () => {
        ended = true;
      },
      (error) => {
        ended = true;
        failure = error ?? new Error(String(error));
      },
    );
    for (;;) {
      await drainMicrotasks();
      if (ended || run.frontier !== null) return failure;
      if (run.position === run.log.length) {
        run.frontier = {
          kind: Kind.idle,
          at: 0,
          bytes: 0,
          a: 0,
          b: firstTimer(loop),
          timeoutMs: Number.POSITIVE_INFINITY,
        };
        return null;
      }
      const event = run.log[run.position++] as number;
      try {
        deliver(run, loop, event);
      } catch (error) {
        if (error !== frontierReached) return error;
      }
    }
  } finally {
    restoreGlobals();
    session.run = null;
    enterSession(outer);
  }
}

interface ProcessLike {
  listeners(event: string): ((...parameters: unknown[]) => void)[];
  removeAllListeners(event: string): unknown;
  on(event: string, listener: (reason: unknown, promise: unknown) => void): unknown;
}

/** Runs `body` while promises that a paused replay rejects go unreported; all others are reported as usual. */
export async function withQuietReplays<Result>(body: () => Promise<Result>): Promise<Result> {
  const host = (globalThis as { process?: Partial<ProcessLike> }).process;
  if (host?.listeners === undefined || host.on === undefined) return body();
  const event = 'unhandledRejection';
  const { on, listeners, removeAllListeners } = host as ProcessLike;
  const before = listeners.call(host, event);
  removeAllListeners.call(host, event);
  on.call(host, event, (reason, promise) => {
    if (reason === frontierReached) return;
    if (before.length === 0) throw reason;
    for (const listener of before) listener.call(host, reason, promise);
  });
  try {
    return await body();
  } finally {
    await drainMicrotasks();
    removeAllListeners.call(host, event);
    for (const listener of before) on.call(host, event, listener);
  }
}
