/** The resyncs of a session's panes: made when a pipe may need a snapshot, shown all output from then on. */

import type { Replied } from '../control/commands.ts';
import type { Pane } from '../pane.ts';
import { dialectOf } from './dialect.ts';
import { PaneResync, type ResyncReport } from './resync.ts';

/** What the resyncs need of their session. */
export interface ResyncsHost {
  /** Sends a line of `count` commands, if there is anybody to send it to. */
  ask(line: string, count: number, replied: Replied): void;
  /** Learns that tmux has paused a pane because it was asked to. */
  paused(pane: Pane): void;
  /** Learns of a snapshot that was handed over. */
  restored(pane: Pane, report: ResyncReport): void;
  now(): number;
  /** Returns tmux's version. */
  version(): string;
}

/** One resync a pane that needs one. */
export class Resyncs {
  readonly #host: ResyncsHost;
  /** Panes that have, or had, a pipe that may need a snapshot. */
  readonly #resyncs = new Map<number, PaneResync>();
  /** Those that wait for an answer: they must see the output of other panes too. */
  readonly #watching = new Map<number, PaneResync>();

  constructor(host: ResyncsHost) {
    this.#host = host;
  }

  /** Returns a pane's resync, if it has one. */
  get(pane: number): PaneResync | undefined {
    return this.#resyncs.get(pane);
  }

  /** Returns a pane's resync; makes it if there is none. */
  of(pane: Pane): PaneResync {
    const known = this.#resyncs.get(pane.id);
    if (known !== undefined) return known;
    const resync = new PaneResync(pane.id, {
      ask: (line, count, replied) => this.#host.ask(line, count, replied),
      dialect: dialectOf(this.#host.version()),
      mayPause: () => pane.pipes.every((pipe) => pipe.lossy),
      paused: () => this.#host.paused(pane),
      watch: (watched) => {
        if (watched) this.#watching.set(pane.id, resync);
        else this.#watching.delete(pane.id);
      },
      restored: (report) => this.#host.restored(pane, report),
      now: () => this.#host.now(),
    });
    this.#resyncs.set(pane.id, resync);
    return resync;
  }

  /** Shows output of a pane to the resyncs; false if it is held back. */
  follow(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#resyncs.size === 0) return true;
    for (const [pane, resync] of this.#watching) if (pane !== id) resync.otherOutput();
    return this.#resyncs.get(id)?.output(bytes, start, end) ?? true;
  }

  /** Learns that panes changed their size or place. */
  layoutChanged(): void {
    for (const resync of this.#resyncs.values()) resync.layoutChanged();
  }

  /** Ends the resync of a pane that is gone. */
  remove(pane: number): void {
    this.#resyncs.get(pane)?.close();
    this.#resyncs.delete(pane);
  }

  /** Ends all of them: the connection is over. What is needed on another one is made anew. */
  close(): void {
    for (const resync of this.#resyncs.values()) resync.close();
    this.#resyncs.clear();
    this.#watching.clear();
  }
}
