/** A pane of a session: who watches it, and what has come out of it. */
import type { Pipe, PipeOptions } from './deliver/pipe.ts';
import type { Sink } from './sinks/sink.ts';

/** What a session knows of a pane. */
export interface PaneInfo {
  /** Number of its window (the `1` of `@1`), if known. */
  readonly window?: number;
  /** Its width, if known. */
  readonly columns?: number;
  /** Its height, if known. */
  readonly rows?: number;
}

/** What a pane needs of its session. */
export interface PaneHost {
  pipe(pane: Pane, sink: Sink, options: PipeOptions): Pipe;
}

/** A pane of the attached session. */
export class Pane {
  /** Number of the pane (the `1` of `%1`). */
  readonly id: number;
  /** What is known of it; replaced when tmux tells more. */
  info: PaneInfo = {};
  readonly #host: PaneHost;
  #pipes: readonly Pipe[] = [];
  /** Bytes that its program wrote while nobody watched; they went to no sink. */
  unwatchedBytes = 0;
  /** Bytes that its program has written. */
  bytes = 0;
  /** Records of tmux that they came in. */
  records = 0;

  /** @internal */
  constructor(id: number, host: PaneHost) {
    this.id = id;
    this.#host = host;
  }

  /** The pipes that carry it now. */
  get pipes(): readonly Pipe[] {
    return this.#pipes;
  }

  /**
   * Sends the pane's bytes, from the next one on, to a sink: in order, and by default without loss.
   *
   * A sink that lags holds up its session once its pipe is full; with `policy: 'latest'` it skips instead, begins
   * with the screen as it is, and gets the screen again when it has caught up. Any number of sinks may watch a pane.
   *
   * @param sink - where to; it belongs to the pipe from now on
   * @param options - policy and limits of the pipe
   * @throws {BridgeError} `ERR_SESSION_CLOSED`, or `ERR_BRIDGE_ARGUMENT` for limits out of range
   */
  pipe(sink: Sink, options: PipeOptions = {}): Pipe {
    return this.#host.pipe(this, sink, options);
  }

  /** @internal */
  add(pipe: Pipe): void {
    this.#pipes = [...this.#pipes, pipe];
  }

  /** @internal */
  remove(pipe: Pipe): void {
    this.#pipes = this.#pipes.filter((other) => other !== pipe);
  }
}
