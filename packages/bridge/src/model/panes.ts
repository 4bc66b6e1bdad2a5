/** The panes of the attached session: made when tmux lists them or their output comes, dropped when they are gone. */
import { Pane, type PaneHost } from '../pane.ts';
import type { Model } from './model.ts';

/** What the panes need of their session. */
export interface PanesHost extends PaneHost {
  added(pane: Pane): void;
  removed(pane: Pane): void;
}

/** The panes seen so far that aren't gone, by number. */
export class Panes {
  readonly #host: PanesHost;
  readonly #panes = new Map<number, Pane>();

  constructor(host: PanesHost) {
    this.#host = host;
  }

  /** All of them. */
  get all(): ReadonlyMap<number, Pane> {
    return this.#panes;
  }

  /** Makes a pane. */
  add(id: number): Pane {
    const pane = new Pane(id, this.#host);
    this.#panes.set(id, pane);
    this.#host.added(pane);
    return pane;
  }

  /**
   * Follows the model.
   *
   * @param complete - whether panes that it doesn't have are gone; else they may only not be listed yet
   */
  follow(model: Model, complete: boolean): void {
    const listed = new Set<number>();
    for (const { links, panes } of model.windows.values()) {
      if (!links.some((link) => link.session === model.attached)) continue;
      for (const id of panes) listed.add(id);
    }
    for (const id of listed) if (!this.#panes.has(id)) this.add(id);
    if (!complete) return;
    for (const pane of this.#panes.values()) {
      if (listed.has(pane.id)) continue;
      this.#panes.delete(pane.id);
      this.#host.removed(pane);
    }
  }
}
