/**
 * The resyncs of a session's panes: made when a pipe may need a snapshot, shown all output from then on.
 *
 * What reads screens and follows terminals is the largest part of the package, and a session without loss never needs
 * it: it is loaded when a pipe first does. Until it is there, `Awaited` stands for a pane's resync.
 *
 * L1: what is wanted of a pane meanwhile is asked for when the code is there, in that order: the pipe gets nothing
 *     until its snapshot, so it misses nothing. A pipe, a pane or a connection that ends takes its wishes along.
 */

import type { Replied } from '../control/commands.ts';
import { BridgeError } from '../errors.ts';
import type { Pane } from '../pane.ts';
import type { PaneResync, ResyncPipe, ResyncReport } from './resync.ts';
import type { Cause } from './wishes.ts';

type Code = typeof import('./resync.ts');

let code: Code | undefined;

/** Loads the code; call it early to have it in time. */
export async function loadResync(): Promise<Code> {
  code ??= await import('./resync.ts');
  return code;
}

/** Keeps what is wanted of a pane until its resync can be made (L1). */
class Awaited {
  readonly #wishes = new Map<ResyncPipe, Cause>();
  #isPaused = false;
  /** Nothing is known of the pane yet. */
  readonly exact = false;

  /** Who waits. */
  get pipes(): Iterable<ResyncPipe> {
    return this.#wishes.keys();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  want(pipe: ResyncPipe, cause: Cause): void {
    if (cause === 'resize' && this.#wishes.has(pipe)) return; // it gets what it waits for in the new size
    this.#wishes.set(pipe, cause);
  }

  forget(pipe: ResyncPipe): void {
    this.#wishes.delete(pipe);
  }

  paused(pipes: Iterable<ResyncPipe>): boolean {
    this.#isPaused = true;
    for (const pipe of pipes) this.#wishes.set(pipe, 'gap');
    return false;
  }

  output(): boolean {
    return true;
  }

  otherOutput(): void {}

  layoutChanged(): void {}

  close(): void {}

  /** Hands everything to the resync. */
  handTo(resync: PaneResync): void {
    if (this.#isPaused) resync.paused(this.#wishes.keys());
    else for (const [pipe, cause] of this.#wishes) resync.want(pipe, cause);
  }
}

/** A pane's resync as its session sees it. */
export type Resync = Pick<PaneResync, keyof Awaited & keyof PaneResync>;

/** What the resyncs need of their session. */
export interface ResyncsHost {
  /** Sends a line of `count` commands, if there is anybody to send it to. */
  ask(line: string, count: number, replied: Replied): void;
  /** Learns that tmux has paused a pane because it was asked to. */
  paused(pane: Pane): void;
  /** Learns of a snapshot that was handed over. */
  restored(pane: Pane, report: ResyncReport): void;
  /** Learns that pipes will get no snapshot, and whether tmux has paused the pane. */
  failed(pane: Pane, pipes: readonly ResyncPipe[], isPaused: boolean, error: BridgeError): void;
  now(): number;
  /** Returns tmux's version. */
  version(): string;
  /** Returns the number of a pane's window, if known. */
  windowOf(pane: number): number | undefined;
}

/** One resync a pane that needs one. */
export class Resyncs {
  readonly #host: ResyncsHost;
  /** Panes that have, or had, a pipe that may need a snapshot. */
  readonly #resyncs = new Map<number, Resync>();
  /** Those that wait for an answer: they must see the output of other panes too. */
  readonly #watching = new Map<number, PaneResync>();
  /** Those whose code isn't there yet. */
  readonly #awaited = new Map<number, { readonly pane: Pane; readonly resync: Awaited }>();

  constructor(host: ResyncsHost) {
    this.#host = host;
  }

  /** Returns a pane's resync, if it has one. */
  get(pane: number): Resync | undefined {
    return this.#resyncs.get(pane);
  }

  /** Returns a pane's resync; makes it if there is none. */
  of(pane: Pane): Resync {
    const known = this.#resyncs.get(pane.id);
    if (known !== undefined) return known;
    if (code !== undefined) return this.#make(pane, code);
    const resync = new Awaited();
    this.#resyncs.set(pane.id, resync);
    this.#awaited.set(pane.id, { pane, resync });
    if (this.#awaited.size === 1) this.#load();
    return resync;
  }

  #load(): void {
    loadResync().then(
      (loaded) => {
        for (const { pane, resync } of this.#takeAwaited()) {
          resync.handTo(this.#make(pane, loaded)); // L1
        }
      },
      (cause: Error) => {
        const text = `a part of @millrace/bridge can't be loaded: ${cause.message}`;
        const error = new BridgeError('ERR_BRIDGE_LOAD', text, cause);
        for (const { pane, resync } of this.#takeAwaited()) {
          this.#resyncs.delete(pane.id);
          this.#host.failed(pane, [...resync.pipes], resync.isPaused, error);
        }
      },
    );
  }

  #takeAwaited(): { readonly pane: Pane; readonly resync: Awaited }[] {
    const all = [...this.#awaited.values()];
    this.#awaited.clear();
    return all;
  }

  #make(pane: Pane, { PaneResync, dialectOf }: Code): PaneResync {
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

  /** Learns that panes of a window changed their size or place. */
  layoutChanged(window: number): void {
    for (const [id, resync] of this.#resyncs) {
      if ((this.#host.windowOf(id) ?? window) === window) resync.layoutChanged();
    }
  }

  /** Ends the resync of a pane that is gone. */
  remove(pane: number): void {
    this.#resyncs.get(pane)?.close();
    this.#resyncs.delete(pane);
    this.#awaited.delete(pane);
  }

  /** Ends all of them: the connection is over. What is needed on another one is made anew. */
  close(): void {
    for (const resync of this.#resyncs.values()) resync.close();
    this.#resyncs.clear();
    this.#watching.clear();
    this.#awaited.clear();
  }
}
