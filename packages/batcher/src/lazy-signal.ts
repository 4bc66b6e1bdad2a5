/** An abort signal that is made when somebody first asks for it: making one takes longer than a batch. */

/** Aborts what works under its signal. */
export class LazySignal {
  #controller: AbortController | undefined;

  /** The signal; the same one at each reading, aborted already if `abort` came first. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Aborts the signal with `reason`. */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}
