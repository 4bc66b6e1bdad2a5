/** The one timer of a batcher: a wake that is only ever moved forward. */
import type { Scheduler, WakeHandle } from './scheduler.ts';

/** Wakes at or before a time; what is due then is for the caller to find out. */
export class Alarm {
  readonly #scheduler: Scheduler;
  readonly #onWake: () => void;
  #handle: WakeHandle | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(scheduler: Scheduler, onWake: () => void) {
    this.#scheduler = scheduler;
    this.#onWake = () => {
      this.#handle = undefined;
      this.#at = Number.POSITIVE_INFINITY;
      onWake();
    };
  }

  /** Makes sure of a wake at `due` (ms); an earlier one that is armed already does as well. */
  arm(due: number, now: number): void {
    if (this.#handle !== undefined) {
      if (this.#at <= due) return;
      this.#scheduler.cancel(this.#handle);
    }
    const delay = due - now;
    // Timers of whole ms: rounded down, since being a little early only means another look.
    const isWhole = this.#scheduler.resolutionMs >= 1 && delay > 1;
    this.#at = due;
    this.#handle = this.#scheduler.wake(this.#onWake, isWhole ? Math.floor(delay) : delay);
  }

  /** Forgets the wake. */
  disarm(): void {
    if (this.#handle === undefined) return;
    this.#scheduler.cancel(this.#handle);
    this.#handle = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
