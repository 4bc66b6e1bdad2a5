/**
 * The client's size: asked for as fast as tmux answers, the last wish only, and what tmux made of it.
 *
 * ```text
 * resize a ─▶ sent ───────────▶ answered, listed ─▶ a's promise
 * resize b, c, d while it is ──▶ only d is sent ──▶ promises of b, c and d
 * ```
 *
 * Other clients and the option `window-size` have a say too, so the windows may get another size.
 */

/** A size in cells. */
export interface Size {
  /** Width (columns). */
  readonly columns: number;
  /** Height (rows). */
  readonly rows: number;
}

/** What sets the size. */
export interface SizeHost {
  /** Tells tmux; rejects as `session.command` does. */
  send(size: Size): Promise<void>;
  /** Returns the size of the session's current window, as tmux has it now. */
  current(): Promise<Size>;
}

/** The wishes for a size. */
export class ClientSize {
  readonly #host: SizeHost;
  #wish: Size | undefined;
  #next: { readonly size: Size; readonly done: Promise<Size> } | undefined;
  #underWay: Promise<unknown> | undefined;

  constructor(host: SizeHost) {
    this.#host = host;
  }

  /** The last size that tmux has accepted, if any: to be asked for again on another connection. */
  get accepted(): Size | undefined {
    return this.#wish;
  }

  /** Asks for a size; resolves with what the current window has then. */
  set(size: Size): Promise<Size> {
    if (this.#next !== undefined) {
      this.#next = { size, done: this.#next.done };
      return this.#next.done;
    }
    if (this.#underWay === undefined) return this.#send(size);
    const done = this.#underWay.then(() => {
      const { size: last } = this.#next!;
      this.#next = undefined;
      return this.#send(last);
    });
    this.#next = { size, done };
    return done;
  }

  #send(size: Size): Promise<Size> {
    const sent = this.#host.send(size).then(() => {
      this.#wish = size;
      return this.#host.current();
    });
    const settled: Promise<unknown> = sent.then(
      () => {},
      () => {},
    );
    this.#underWay = settled;
    settled.then(() => {
      if (this.#underWay === settled) this.#underWay = undefined;
    });
    return sent;
  }
}
