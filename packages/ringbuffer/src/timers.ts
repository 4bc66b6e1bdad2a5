/**
 * The timers of this thread that asynchronous waits share: one for all their deadlines, and one that keeps the event
 * loop alive while a handle that wants it waits.
 *
 * T1: the timer of the deadlines fires no later than the earliest of them: it is armed again for an earlier one, and
 *     when it fires, for the earliest that is left.
 *
 * Cost: a set entry per wait that can end early; no timer is stopped or armed by a wait that ends in time.
 */

/** One timer for all deadlines of this thread: it ends the waits whose time is over. */
class DeadlineTimer {
  readonly #waits = new Set<PendingWait>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;

  add(wait: PendingWait): void {
    this.#waits.add(wait);
    // mutant-ok index-off-by-one: armed anew for the same time
    if (wait.deadline < this.#firesAt) this.#arm(wait.deadline); // T1
  }

  remove(wait: PendingWait): void {
    // The timer stays: it fires once more at most, and re-arming per wait would cost more than that.
    this.#waits.delete(wait);
  }

  #arm(at: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = at;
    const delayMs = Math.min(Math.max(0, Math.ceil(at - performance.now())), 0x7fffffff);
    this.#timer = setTimeout(() => this.#fire(), delayMs);
    // The waits themselves hold the event loop, if their handle wants that.
    (this.#timer as { unref?: () => void }).unref?.();
  }

  #fire(): void {
    this.#firesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const wait of this.#waits) {
      if (wait.deadline <= now) wait.expire();
      // mutant-ok index-off-by-one: the same time
      else if (wait.deadline < next) next = wait.deadline;
    }
    // mutant-ok skip-condition: a timer that nobody waits for, and that holds nothing
    if (next !== Infinity) this.#arm(next); // T1
  }
}

/** Keeps the event loop of this thread alive while a handle that wants it waits; inert in browsers. */
class KeepAlive {
  #count = 0;
  #timer: { ref?: () => void; unref?: () => void } | undefined;

  hold(): void {
    if (this.#count++ !== 0) return;
    if (this.#timer === undefined) {
      const timer: unknown = setInterval(() => {}, 0x7fffffff);
      // mutant-ok skip-condition: a browser's number has no ref
      if (typeof timer === 'object') this.#timer = timer as { ref?: () => void };
      else clearInterval(timer as number);
    }
    this.#timer?.ref?.();
  }

  drop(): void {
    if (--this.#count === 0) this.#timer?.unref?.();
  }
}

/** The deadlines of this thread. */
export const deadlines: DeadlineTimer = /* @__PURE__ */ new DeadlineTimer();
/** What keeps this thread's event loop alive. */
export const keepAlive: KeepAlive = /* @__PURE__ */ new KeepAlive();

/** One asynchronous wait that can expire or be aborted. */
export class PendingWait {
  /** When its time is over (ms, as `performance.now()`); Infinity for never. */
  declare readonly deadline: number;
  /** Whether it has expired or was aborted. */
  over = false;
  readonly #waiter: { kick(): void };

  constructor(waiter: { kick(): void }, deadline: number) {
    this.#waiter = waiter;
    this.deadline = deadline;
  }

  expire(): void {
    this.over = true;
    this.#waiter.kick(); // makes it look
  }
}
