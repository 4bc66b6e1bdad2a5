/** Which pane the user looks at: the one that the caller has named, else tmux's active pane of the current window. */
import type { Pane } from '../pane.ts';
import type { Model } from './model.ts';

/** What the focus needs of its session. */
export interface FocusHost {
  readonly model: Model;
  readonly panes: ReadonlyMap<number, Pane>;
  /** Learns that it is another pane, or none. */
  changed(pane: Pane | undefined): void;
}

/** A session's focus. */
export class Focus {
  readonly #host: FocusHost;
  #named: Pane | undefined;
  #told: Pane | undefined;

  constructor(host: FocusHost) {
    this.#host = host;
  }

  /** The pane, if it is known. */
  get pane(): Pane | undefined {
    if (this.#named !== undefined) return this.#named;
    const active = this.#host.model.activePane;
    return active === undefined ? undefined : this.#host.panes.get(active);
  }

  /** Names a pane; undefined, or a pane that isn't there, to follow tmux. */
  set(pane: Pane | undefined): void {
    const isHere = pane !== undefined && this.#host.panes.get(pane.id) === pane;
    this.#named = isHere ? pane : undefined;
    this.tell();
  }

  /** Forgets a pane that is gone. */
  removed(pane: Pane): void {
    if (this.#named === pane) this.#named = undefined;
  }

  /** Tells, if it has changed. */
  tell(): void {
    const { pane } = this;
    if (pane === this.#told) return;
    this.#told = pane;
    this.#host.changed(pane);
  }
}
