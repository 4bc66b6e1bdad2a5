/** A scheduler whose time only moves when it is told to: every test with it is deterministic. */
import type { Scheduler } from '../scheduler.ts';

interface Wake {
  readonly at: number;
  readonly order: number;
  task: (() => void) | undefined;
}

/** A `Scheduler` in virtual time. */
export interface VirtualScheduler extends Scheduler {
  /** Runs the ends of ticks that are waiting, as the end of a task would. */
  endTick(): void;
  /** Ends the tick, then moves time on and runs what comes due, each wake as a tick of its own. */
  advance(ms: number): void;
  /** Ends the tick, lets promises settle, then moves on as `advance` does, with promises settled in between. */
  advanceAsync(ms: number): Promise<void>;
  /** Moves time on without running anything: a long task, or a slow flush. */
  burn(ms: number): void;
  /** Wakes that wait. */
  readonly pending: number;
}

/** Lets promise reactions run, several deep. */
async function settlePromises(): Promise<void> {
  for (let i = 0; i < 16; i++) await Promise.resolve();
}

/**
 * Creates a virtual scheduler.
 *
 * @param resolutionMs - shortest delay that a wake keeps (ms); 0 is an ideal clock
 * @param startMs - first time
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { batch } from '@millrace/batcher';
 * import { virtualScheduler } from '@millrace/batcher/sim';
 *
 * const scheduler = virtualScheduler();
 * const batches: number[][] = [];
 * const push = batch((items: number[]) => void batches.push(items), { scheduler });
 * push(1);
 * push(2);
 * assert.deepEqual(batches, []);
 * scheduler.endTick();
 * assert.deepEqual(batches, [[1, 2]]);
 * ```
 */
export function virtualScheduler(resolutionMs = 0, startMs = 0): VirtualScheduler {
  let now = startMs;
  let order = 0;
  const ends: (() => void)[] = [];
  const wakes: Wake[] = [];
  const endTick = (): void => {
    for (let task = ends.shift(); task !== undefined; task = ends.shift()) task();
  };
  /** Runs the earliest wake at or before `until`; false if there is none. */
  const step = (until: number): boolean => {
    let first: Wake | undefined;
    for (const wake of wakes) {
      const isEarlier =
        first === undefined ||
        wake.at < first.at ||
        (wake.at === first.at && wake.order < first.order);
      if (isEarlier) first = wake;
    }
    if (first === undefined || first.at > until) return false;
    wakes.splice(wakes.indexOf(first), 1);
    now = Math.max(now, first.at);
    first.task?.();
    endTick();
    return true;
  };
  return {
    resolutionMs,
    now: () => now,
    tickEnd: (task) => {
      ends.push(task);
    },
    wake: (task, delayMs) => {
      const wake: Wake = { at: now + Math.max(delayMs, resolutionMs), order: order++, task };
      wakes.push(wake);
      return wake;
    },
    cancel: (handle) => {
      const index = wakes.indexOf(handle as Wake);
      if (index >= 0) wakes.splice(index, 1);
    },
    endTick,
    advance: (ms) => {
      const until = now + ms;
      endTick();
      while (step(until)) {}
      now = Math.max(now, until);
    },
    advanceAsync: async (ms) => {
      const until = now + ms;
      endTick();
      await settlePromises();
      endTick();
      while (step(until)) {
        await settlePromises();
        endTick();
      }
      now = Math.max(now, until);
    },
    burn: (ms) => {
      now += ms;
    },
    get pending() {
      return wakes.length;
    },
  };
}
