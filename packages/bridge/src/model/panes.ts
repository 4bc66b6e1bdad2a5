/** The panes of a session: which there are, by what tmux lists and by whose output comes. */
import { Pane, type PaneHost, type PaneInfo } from '../pane.ts';

/** What the panes need of their session. */
export interface PanesHost extends PaneHost {
  added(pane: Pane): void;
  removed(pane: Pane): void;
}

/** The command that lists them. */
export const listPanes: readonly [string, ...string[]] = [
  'list-panes',
  '-s',
  '-F',
  '#{pane_id} #{window_id} #{pane_width} #{pane_height}',
];

const linePattern = /^%(\d{1,10}) @(\d{1,10}) (\d{1,5}) (\d{1,5})$/;

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

  /** Takes what tmux lists: makes panes that are new, drops those that are gone. */
  update(lines: readonly string[]): void {
    const seen = new Set<number>();
    for (const line of lines) {
      const match = linePattern.exec(line);
      if (match === null) continue;
      const id = Number(match[1]);
      const info: PaneInfo = {
        window: Number(match[2]),
        columns: Number(match[3]),
        rows: Number(match[4]),
      };
      seen.add(id);
      (this.#panes.get(id) ?? this.add(id)).info = info;
    }
    for (const pane of this.#panes.values()) {
      if (seen.has(pane.id)) continue;
      this.#panes.delete(pane.id);
      this.#host.removed(pane);
    }
  }
}
