/**
 * A scheduler for budgets under 1 ms: a worker sleeps in `Atomics.wait`, which keeps fractions of a ms and uses no
 * CPU, and posts a message when it is time. `setTimeout` never fires before 1 ms.
 *
 *     main thread                                  alarm worker
 *       wake(0.2 ms) ─▶ deadline, sequence + 1 ─▶ Atomics.wait(sequence, remaining)
 *       run what is due ◀──────── message ──────── timed out
 *
 *     byte  0               8
 *           +---------------+-----------------------------+
 *           | sequence i32  | deadline f64 (ms, absolute) |
 *           +---------------+-----------------------------+
 *
 * Invariants
 * - A1: the worker sleeps for the deadline of the newest sequence: the main thread stores the deadline, then adds 1
 *   to the sequence and notifies; a worker that read an older deadline sees the sequence change and reads again.
 * - A2: a message is only a hint to look at the clock: early or extra messages run nothing that isn't due.
 * - A3: delays of `TIMER_MS` and more never reach the worker.
 *
 * Atomics: the sequence's `add` publishes the deadline (release), the worker's `load` of the sequence before it
 * reads the deadline acquires it; `wait` compares the same word, so no wake-up is lost.
 */
import { defaultScheduler, nextTurn, type Scheduler } from './scheduler.ts';

/** Delays from here on are left to `setTimeout` (ms). */
const TIMER_MS = 2;
/** A wake may run this much before its time (ms): asking for the rest would take longer. */
const EARLY_MS = 0.02;

const alarmSource = `(${function alarm(
  receive: (start: (buffer: SharedArrayBuffer) => void) => void,
  post: () => void,
): void {
  receive((buffer) => {
    const sequence = new Int32Array(buffer, 0, 1);
    const deadline = new Float64Array(buffer, 8, 1);
    post(); // ready
    for (;;) {
      const seen = Atomics.load(sequence, 0);
      const remaining = deadline[0]! - (performance.timeOrigin + performance.now());
      if (seen !== 0 && remaining <= 0) {
        post();
        Atomics.wait(sequence, 0, seen);
      } else if (seen === 0) Atomics.wait(sequence, 0, 0);
      else if (Atomics.wait(sequence, 0, seen, remaining) === 'timed-out') {
        post();
        Atomics.wait(sequence, 0, seen);
      }
    }
  });
}.toString()})`;

interface AlarmWorker {
  post(buffer: SharedArrayBuffer): void;
  onMessage(task: () => void): void;
  ref(isNeeded: boolean): void;
  terminate(): void;
}

interface NodeWorker {
  postMessage(value: unknown): void;
  on(event: 'message', task: () => void): void;
  removeAllListeners(event: 'message'): void;
  ref(): void;
  unref(): void;
  terminate(): unknown;
}

interface WorkerThreads {
  readonly Worker: new (source: string, options: { eval: true }) => NodeWorker;
}

function nodeWorker(): AlarmWorker | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  const threads = process?.getBuiltinModule?.('node:worker_threads') as WorkerThreads | undefined;
  if (threads === undefined) return undefined;
  const source = `const { parentPort } = require('node:worker_threads');
${alarmSource}((start) => parentPort.once('message', start), () => parentPort.postMessage(0));`;
  const worker = new threads.Worker(source, { eval: true });
  worker.unref();
  return {
    post: (buffer) => worker.postMessage(buffer),
    onMessage: (task) => {
      worker.removeAllListeners('message');
      worker.on('message', task);
    },
    ref: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

function webWorker(): AlarmWorker {
  const source = `${alarmSource}((start) => { onmessage = (event) => start(event.data); }, () => postMessage(0));`;
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return {
    post: (buffer) => worker.postMessage(buffer),
    onMessage: (task) => {
      worker.onmessage = task;
    },
    ref: () => {},
    terminate: () => worker.terminate(),
  };
}

interface Wake {
  readonly at: number;
  task: (() => void) | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** A scheduler with a worker behind it. */
export interface WorkerScheduler extends Scheduler {
  /** Resolves when the worker runs; until then timers of 1 ms stand in. */
  readonly ready: Promise<void>;
  /** Ends the worker; wakes that wait are left to timers. */
  close(): void;
}

/**
 * Creates a scheduler that keeps delays from 0.1 ms on, by a worker of its own.
 *
 * Give it to several batchers: one worker serves them all. It doesn't keep the process alive, except while a wake
 * waits. In browsers it needs cross-origin isolation and a policy that allows workers from `blob:`.
 *
 * @throws {TypeError} If there is no SharedArrayBuffer.
 */
export function workerScheduler(): WorkerScheduler {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new TypeError(
      'workerScheduler needs SharedArrayBuffer: is the page cross-origin isolated?',
    );
  }
  const buffer = new SharedArrayBuffer(16);
  const sequence = new Int32Array(buffer, 0, 1);
  const deadline = new Float64Array(buffer, 8, 1);
  const base = defaultScheduler();
  const wakes = new Set<Wake>();
  let programmed = Number.POSITIVE_INFINITY;
  /** Until the worker runs, and after its end, timers stand in. */
  let isReady = false;
  const worker = nodeWorker() ?? webWorker();
  worker.post(buffer);

  const program = (): void => {
    let earliest = Number.POSITIVE_INFINITY;
    for (const wake of wakes) if (wake.at < earliest) earliest = wake.at;
    worker.ref(wakes.size > 0);
    if (earliest === programmed) return;
    programmed = earliest;
    if (earliest === Number.POSITIVE_INFINITY) return;
    deadline[0] = performance.timeOrigin + earliest;
    Atomics.add(sequence, 0, 1); // A1
    Atomics.notify(sequence, 0);
  };
  let onReady!: () => void;
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  worker.onMessage(() => {
    isReady = true;
    onReady();
    programmed = Number.POSITIVE_INFINITY;
    const now = base.now();
    const due = [...wakes].filter((wake) => wake.at <= now + EARLY_MS); // A2
    for (const wake of due.sort((a, b) => a.at - b.at)) {
      if (wakes.delete(wake)) wake.task?.();
    }
    program();
  });
  return {
    ...base,
    ready,
    resolutionMs: 0.1,
    wake: (task, delayMs) => {
      const wake: Wake = { at: base.now() + delayMs, task, timer: undefined };
      if (delayMs <= 0) nextTurn(() => wake.task?.());
      else if (delayMs >= TIMER_MS || !isReady)
        wake.timer = setTimeout(task, delayMs); // A3
      else {
        wakes.add(wake);
        program();
      }
      return wake;
    },
    cancel: (handle) => {
      const wake = handle as Wake;
      wake.task = undefined;
      if (wake.timer !== undefined) clearTimeout(wake.timer);
      if (wakes.delete(wake)) program();
    },
    close: () => {
      isReady = false;
      worker.onMessage(() => {});
      for (const wake of wakes) {
        wakes.delete(wake);
        wake.timer = setTimeout(() => wake.task?.(), 1);
      }
      worker.terminate();
    },
  };
}
