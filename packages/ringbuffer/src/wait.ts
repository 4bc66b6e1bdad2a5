/**
 * Sleeping until another thread has made progress, without losing a wake-up and without a cost for a peer
 * that never sleeps: an event count, as in Vyukov's "eventcounts" and Dekker's handshake.
 *
 * A wait line is three words, alone on 128 bytes:
 * ```text
 * word   +0      +1      +2
 *        | flag  | epoch | target |
 *        waiter    waker   waiter
 * ```
 * - `flag`: bit 0: someone may be inside `Atomics.wait` or `waitAsync`; bit 1: someone waits for a doorbell;
 *   bit 2: the peer is a mirror and wants to hear of everything; bit 3: the other side has ended.
 * - `epoch`: counts wake-ups; what a waiter sleeps on.
 * - `target`: the index that the waker should reach before it wakes (a watermark).
 *
 * Waiter: (1) e = load(epoch); (2) store(target); (3) or(flag, 1); (4) check again; (5) wait(epoch, e).
 * Waker:  (a) publish; (b) load(flag), usually 0: done; (c) and(flag, ~3); (d) add(epoch, 1); (e) notify.
 *
 * W1: no wake-up is lost. All these accesses are sequentially consistent. If (b) reads 0, it precedes (3), so
 *     (a) precedes (4), which sees it. Otherwise (d) follows (1): either (5) sees another epoch and doesn't
 *     sleep, or it slept before (d) and (e) wakes it.
 * W2: whoever clears the flag also bumps the epoch afterwards, so each waiter that set the flag before the
 *     clearing is woken and sets it again. Waiters never clear it: several may share a line.
 *     A waker that is killed between (c) and (e) leaves a sleeper with a cleared flag; whoever declares it dead
 *     wakes without looking at the flag (`wakeAnyway`).
 * W3: every return from a wait is a hint. Callers loop and look at the state itself.
 * W4: an asynchronous wait never passes a timeout to `Atomics.waitAsync` (engines keep the timer's memory
 *     until it fires); one timer per thread notifies the line instead.
 *
 * Cost: for a waker without waiters one `Atomics.load`.
 */
import { RingRangeError, RingStateError } from './errors.ts';
import { deadlines, keepAlive, PendingWait } from './timers.ts';

export const FLAG = 0;
export const EPOCH = 1;
export const TARGET = 2;

export const FLAG_WAITER = 1;
export const FLAG_BELL = 2;
export const FLAG_MIRROR = 4;
export const FLAG_ENDED = 8;
/** Someone sleeps, or is about to. */
export const FLAG_SLEEPER: number = FLAG_WAITER | FLAG_BELL;

/** Turns of about 10 ns each: several times the round trip of a peer that is awake. */
const SPIN_DEFAULT = 2000;
const POLL_MS = 1;
const DOORBELL_POLL_MS = 100;

/** Options of everything that waits. */
export interface WaitOptions {
  /** Ends the wait when it aborts: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Longest wait (ms, 0 or more). When it has passed, the call returns what it returns for "not yet".
   *
   * @defaultValue Infinity
   */
  readonly timeoutMs?: number | undefined;
}

/** How a handle waits asynchronously. */
export type WaitStrategy = 'auto' | 'waitAsync' | 'doorbell' | 'poll';

/** As {@link WaitStrategy}; `local` is for rings mirrored by messages, whose handler wakes by `kick`. */
export type AnyStrategy = WaitStrategy | 'local';

/** A port, or anything like it, that wakes a peer by a message. */
export interface Doorbell {
  /** Wakes the other side. */
  postMessage(message: unknown): void;
  /** Hears the other side; Node's and the browser's MessagePort both have it. */
  addEventListener(type: 'message', listener: () => void): void;
  /** Begins delivery, where ports need that. */
  start?(): void;
  /** Lets the process end although the port listens, where ports have that. */
  unref?(): void;
}

/** What a waiter waits for. */
export interface Waitable {
  /** Whether waiting is over: progress is possible, or never will be again. */
  isReady(): boolean;
  /** Stores the watermark in the line's target word. */
  announce(): void;
}

type WaitAsyncResult =
  | { readonly async: true; readonly value: PromiseLike<unknown> }
  | { readonly async: false; readonly value: unknown };
type WaitAsync = (words: Int32Array, index: number, value: number) => WaitAsyncResult;
interface NewerAtomics {
  waitAsync?: WaitAsync;
  pause?: () => void;
}

/** Tells the CPU that this is a spin loop, where the engine has a way to say so. */
export function pause(): void {
  const atomics = Atomics as unknown as NewerAtomics;
  // mutant-ok skip-condition: engines without it run the tests, too
  if (typeof atomics.pause === 'function') atomics.pause();
}

/**
 * Wakes whoever sleeps on the line. The caller has seen a flag other than 0.
 *
 * @param bell - rung when the flag says that someone listens to a doorbell, or that the peer is a mirror
 */
export function wake(words: Int32Array, line: number, bell: (() => void) | undefined): void {
  const flag = Atomics.and(words, line + FLAG, ~FLAG_SLEEPER); // W2
  // mutant-ok skip-condition: wakes nobody, slowly
  if ((flag & FLAG_WAITER) !== 0) {
    Atomics.add(words, line + EPOCH, 1);
    // mutant-ok repeat-notify: the first has woken all
    Atomics.notify(words, line + EPOCH);
  }
  if ((flag & (FLAG_BELL | FLAG_MIRROR)) !== 0) bell?.();
}

/**
 * Wakes whoever sleeps on the line, whatever its flag says: for a peer that may have been killed inside `wake` (W2).
 */
export function wakeAnyway(words: Int32Array, line: number): void {
  Atomics.add(words, line + EPOCH, 1);
  // mutant-ok repeat-notify: the first has woken all
  Atomics.notify(words, line + EPOCH);
}

/** Settings of a {@link Waiter}. */
export interface WaiterOptions {
  readonly spin: number | undefined;
  readonly ref: boolean;
  readonly strategy: AnyStrategy;
  readonly doorbell: Doorbell | undefined;
  /** Called before sleeping: publishes what the peer might wait for. */
  readonly before: () => void;
}

/** The waiting side of one line, for one handle. */
export class Waiter {
  /** How often this handle went to sleep. */
  parks = 0;
  /** Whether pending asynchronous waits keep the event loop alive. */
  declare ref: boolean;
  declare private readonly words: Int32Array;
  declare private readonly line: number;
  declare private readonly spinAsync: number;
  declare private readonly spinMax: number;
  declare private spinBudget: number;
  declare private readonly strategy: Exclude<AnyStrategy, 'auto'>;
  private readonly before: () => void;
  private resolvers: (() => void)[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(words: Int32Array, line: number, options: WaiterOptions) {
    this.words = words;
    this.line = line;
    const { spin } = options;
    if (spin !== undefined && !(spin >= 0)) {
      throw new RingRangeError('ERR_RING_ARGUMENT', `spin must be 0 or more: spin=${spin}`);
    }
    this.spinAsync = spin ?? 0;
    this.spinMax = spin ?? SPIN_DEFAULT;
    this.spinBudget = this.spinMax;
    this.ref = options.ref;
    this.before = options.before;
    this.strategy = this.choose(options);
    if (options.doorbell !== undefined) {
      options.doorbell.addEventListener('message', () => this.resolveAll());
      options.doorbell.start?.();
      options.doorbell.unref?.();
    }
  }

  private choose({ strategy, doorbell }: WaiterOptions): Exclude<AnyStrategy, 'auto'> {
    if (strategy !== 'auto') return strategy;
    if (doorbell !== undefined) return 'doorbell';
    return typeof (Atomics as unknown as NewerAtomics).waitAsync === 'function'
      ? 'waitAsync'
      : 'poll';
  }

  /**
   * Blocks this thread until the subject is ready.
   *
   * @returns whether it is ready; false when `timeoutMs` has passed
   */
  waitSync(subject: Waitable, timeoutMs: number): boolean {
    this.before();
    // mutant-ok drop-recheck: a short cut, (4) looks too
    if (subject.isReady() || this.spin(subject)) return true;
    const deadline = timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs;
    const { words, line } = this;
    for (;;) {
      const epoch = Atomics.load(words, line + EPOCH); // (1)
      subject.announce(); // (2)
      Atomics.or(words, line + FLAG, FLAG_WAITER); // (3)
      if (subject.isReady()) return true; // (4)
      const leftMs = leftMsOf(deadline);
      if (leftMs <= 0) return false;
      this.parks++;
      this.sleep(epoch, leftMs); // (5)
      // mutant-ok drop-recheck: (4) would look, with the flag up: this spares the peer a wake-up
      if (subject.isReady()) return true; // W3
    }
  }

  private sleep(epoch: number, timeoutMs: number): void {
    try {
      Atomics.wait(this.words, this.line + EPOCH, epoch, timeoutMs);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new RingStateError(
        'ERR_RING_BLOCKING',
        `this thread may not block (${error.message}): use the asynchronous variant`,
      );
    }
  }

  /**
   * Waits without blocking until the subject is ready. A function of its own for the loop would cost each wait two
   * promises more.
   *
   * @returns whether it is ready; false when the timeout has passed
   */
  async wait(subject: Waitable, options: WaitOptions): Promise<boolean> {
    const { signal, timeoutMs = Infinity } = options;
    signal?.throwIfAborted();
    this.before();
    if (subject.isReady() || (this.spinAsync > 0 && this.spin(subject))) return true;
    if (timeoutMs <= 0) return false;
    let pending: PendingWait | undefined;
    let abort: (() => void) | undefined;
    // mutant-ok skip-condition: what nothing can end early stays pending
    if (timeoutMs !== Infinity || signal !== undefined) {
      const wait = new PendingWait(
        this,
        timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs,
      );
      pending = wait;
      // mutant-ok skip-condition: a deadline that never comes
      if (timeoutMs !== Infinity) deadlines.add(wait);
      abort = () => wait.expire();
      signal?.addEventListener('abort', abort);
    }
    const held = this.ref;
    if (held) keepAlive.hold();
    const { words, line } = this;
    try {
      for (;;) {
        const epoch = Atomics.load(words, line + EPOCH); // (1)
        subject.announce(); // (2)
        Atomics.or(words, line + FLAG, this.strategy === 'waitAsync' ? FLAG_WAITER : FLAG_BELL); // (3)
        if (subject.isReady()) return true; // (4)
        if (pending?.over) {
          signal?.throwIfAborted();
          return false;
        }
        this.parks++;
        await this.park(epoch); // (5)
        // mutant-ok drop-recheck: as in waitSync
        if (subject.isReady()) return true; // W3
      }
    } finally {
      if (held) keepAlive.drop();
      // mutant-ok skip-condition: removes nothing
      if (pending !== undefined) deadlines.remove(pending);
      // mutant-ok skip-condition: removes nothing
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
    }
  }

  private park(epoch: number): PromiseLike<unknown> | undefined {
    const { words, line } = this;
    if (this.strategy === 'waitAsync') {
      const result = (Atomics as unknown as Required<NewerAtomics>).waitAsync(
        words,
        line + EPOCH,
        epoch,
      );
      return result.async ? result.value : undefined;
    }
    // A doorbell rung between (4) and here is delivered by the event loop, hence after this. The timer of a
    // doorbell is for peers that have none, such as a third thread that calls markDead.
    // mutant-ok skip-condition: W3, a timer more makes a mirror's waits look more often
    if (this.strategy !== 'local') {
      const pollMs = this.strategy === 'poll' ? POLL_MS : DOORBELL_POLL_MS;
      this.timer ??= setTimeout(() => this.resolveAll(), pollMs);
    }
    return new Promise<void>((resolve) => {
      this.resolvers.push(resolve);
    });
  }

  /** Makes every pending wait of this handle look again; used by deadlines, signals and mirrors. */
  kick(): void {
    // mutant-ok skip-condition: W3, whoever else sleeps on the line looks once more
    // mutant-ok repeat-notify: the first has woken all
    if (this.strategy === 'waitAsync') Atomics.notify(this.words, this.line + EPOCH);
    this.resolveAll();
  }

  private resolveAll(): void {
    const { resolvers } = this;
    this.resolvers = [];
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const resolve of resolvers) resolve();
  }

  /**
   * Spins before sleeping, as long as that has paid lately: the budget halves with each failure, is restored
   * by each success, and every eighth failure in a row tries the whole budget again.
   */
  private spin(subject: Waitable): boolean {
    const budget = this.parks % 8 === 0 ? this.spinMax : this.spinBudget;
    // mutant-ok index-off-by-one: looks once more
    for (let i = 0; i < budget; i++) {
      if (subject.isReady()) {
        this.spinBudget = this.spinMax;
        return true;
      }
      if ((i & 7) === 7) pause(); // mutant-ok skip-condition: a hint to the CPU
    }
    this.spinBudget >>= 1;
    return false;
  }
}

/** Checks `timeoutMs` of a wait. */
export function timeoutOf(options: WaitOptions | undefined): number {
  const timeoutMs = options?.timeoutMs ?? Infinity;
  if (!(timeoutMs >= 0)) {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `timeoutMs must be 0 or more: timeoutMs=${timeoutMs}`,
    );
  }
  return timeoutMs;
}

/** When a wait that starts now ends; reads the clock only if it has to. */
export function deadlineOf(options: WaitOptions | undefined): number {
  const timeoutMs = timeoutOf(options);
  return timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs;
}

/** What is left until a deadline (ms, 0 or more). */
export const leftMsOf = (deadline: number): number =>
  deadline === Infinity ? Infinity : Math.max(0, deadline - performance.now());
