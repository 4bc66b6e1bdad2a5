/**
 * A pane's lane in a viewer: takes the writes of its pipe, and hands them to its sink piece by piece when the viewer
 * says so.
 *
 * ```text
 *  pipe ──write(bytes)──▶ ├── handed on ──┼──── rest ────┤ ──piece──▶ sink
 *                         0            offset        bytes.length
 *  sent     bytes ever handed to the sink
 *  drained  of those, what the sink has accepted, or what its viewer has drawn if the sink tells (`onDrawn`)
 * ```
 *
 * L1: at most one write of the sink is under way; the pipe's write settles when all of it was accepted,
 *     or as L4 says.
 * L2: `drained <= sent`; an acknowledgement outside of `drained < offset <= sent` changes nothing.
 * L3: what the pipe gives up (`abandon`) is not sent; its write settles all the same, but only when the window has
 *     room for the lane, because the pipe takes that as "ready for more".
 * L4: a sink that accepts its writes later carries one piece per answer. So the write settles with the piece, and the
 *     pipe puts what is left before what has come since.
 *
 * One thread. Cost: a piece costs a view, and a promise if the sink returned one.
 */
import type { PieceSink } from '../deliver/outbox.ts';
import type { Pipe } from '../deliver/pipe.ts';
import type { Sink } from '../sinks/sink.ts';
import type { DrainWindow, Piece } from './drain-window.ts';

/** What a lane needs of its viewer. */
export interface LaneHost {
  readonly window: DrainWindow;
  /** Whether nobody looks: what was sent isn't waited for. */
  readonly hidden: boolean;
  now(): number;
  /** The lane has something to send, or room was made. */
  serve(lane?: Lane): void;
  ended(lane: Lane): void;
}

const nothing = new Uint8Array(0);

/** The sink that a viewer gives to a pipe. */
export class Lane implements Sink, PieceSink {
  /** Number of the pane. */
  readonly pane: number;
  /** Set right after creation. */
  pipe!: Pipe;
  /** Bytes that it may send before it is another lane's turn; 0 with nothing to send. */
  deficit = 0;
  /** Recent bytes, leaking away with time: tells a burst from a flood. */
  level = 0;
  levelAt = 0;
  /** Whether it is in the viewer's list of lanes with something to send. */
  listed = false;
  sent = 0;
  drained = 0;
  readonly #sink: Sink;
  readonly #host: LaneHost;
  readonly #pieces: Piece[] = [];
  readonly #spare: Piece[] = [];
  #bytes: Uint8Array | undefined;
  #offset = 0;
  #left = 0;
  #isSome = false;
  #accepting = false;
  #tells = false;
  #ended = false;
  #failure: { cause: unknown } | undefined;
  #settle: { resolve(): void; reject(cause: unknown): void } | undefined;

  constructor(pane: number, sink: Sink, host: LaneHost) {
    this.pane = pane;
    this.#sink = sink;
    this.#host = host;
    if (sink.onDrawn !== undefined) {
      this.#tells = true;
      sink.onDrawn((offset) => this.#drawn(offset));
    }
  }

  /** Bytes of the pipe's write that the sink hasn't been given; when it has settled, those that the pipe keeps (L4). */
  get rest(): number {
    return this.#bytes === undefined ? this.#left : this.#bytes.length - this.#offset;
  }

  /** Whether it could be served now. */
  get ready(): boolean {
    return this.#bytes !== undefined && !this.#accepting;
  }

  /** Whether its pipe's write is under way. */
  get active(): boolean {
    return this.#bytes !== undefined;
  }

  /** Whether its bytes are waited for until they are drawn. */
  get tells(): boolean {
    return this.#tells;
  }

  write(bytes: Uint8Array): undefined | PromiseLike<unknown> {
    return this.#write(bytes, false);
  }

  /** Writes, and settles when the sink has accepted some of it: `rest` is to be written again (L4). */
  writeSome(bytes: Uint8Array): undefined | PromiseLike<unknown> {
    return this.#write(bytes, true);
  }

  #write(bytes: Uint8Array, isSome: boolean): undefined | PromiseLike<unknown> {
    if (bytes.length === 0) return undefined;
    this.#bytes = bytes;
    this.#isSome = isSome;
    this.#offset = this.#left = 0;
    this.#host.serve(this);
    if (this.#failure !== undefined) throw this.#failure.cause;
    if (this.#bytes === undefined) return undefined;
    return new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  resize(columns: number, rows: number): void {
    this.#sink.resize?.(columns, rows);
  }

  reset(): void {
    this.#sink.reset?.();
  }

  /** Gives up what the sink hasn't been given of the write under way (L3). */
  abandon(): void {
    if (this.#bytes === undefined) return;
    // A view of nothing: the pipe's buffer is free for others.
    this.#bytes = nothing;
    this.#offset = 0;
    this.#host.serve();
  }

  /** Gives up what the sink hasn't been given of the write under way, but for its first `bytes`. */
  trim(bytes: number): void {
    if (this.#bytes !== undefined) this.#bytes = this.#bytes.subarray(0, this.#offset + bytes);
  }

  close(error?: Error): void | PromiseLike<void> {
    this.#ended = true;
    this.forget();
    this.#finish();
    this.#host.ended(this);
    return this.#sink.close?.(error);
  }

  /** Hands the next `length` bytes to the sink; with nothing left, the pipe's write settles. */
  send(length: number): void {
    const bytes = this.#bytes!;
    const from = this.#offset;
    this.#offset = from + length;
    if (length === 0) {
      this.#finish();
      return;
    }
    this.sent += length;
    const piece = this.#piece(length);
    let writing: undefined | PromiseLike<unknown>;
    try {
      writing = this.#sink.write(
        length === bytes.length ? bytes : bytes.subarray(from, from + length),
      );
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (typeof writing?.then !== 'function') {
      this.#accepted(piece, true);
      return;
    }
    this.#accepting = true; // L1
    writing.then(
      () => {
        this.#accepting = false;
        if (this.#ended) return;
        this.#accepted(piece, false);
        this.#host.serve(this.ready ? this : undefined);
      },
      (error) => {
        this.#accepting = false;
        if (this.#ended) return;
        this.#fail(error);
        this.#host.serve();
      },
    );
  }

  /** Stops waiting for what is on its way. */
  forget(): void {
    const { window } = this.#host;
    for (const piece of this.#pieces.splice(0)) window.forgotten(piece);
    this.drained = this.sent;
  }

  #piece(bytes: number): Piece {
    const piece = this.#spare.pop() ?? {
      end: 0,
      bytes: 0,
      sentAt: 0,
      load: 0,
      busy: false,
      follows: false,
    };
    piece.end = this.sent;
    piece.bytes = bytes;
    this.#host.window.sent(this.#host.now(), piece);
    this.#pieces.push(piece);
    return piece;
  }

  #accepted(piece: Piece, atOnce: boolean): void {
    if (atOnce && !this.#tells)
      this.forget(); // says nothing about a link
    else if (!this.#tells || this.#host.hidden) this.#drainedTo(piece.end);
    // L4: what has come meanwhile makes the next piece larger than the rest of this write.
    const isSettled = this.rest === 0 || (this.#isSome && !atOnce && !this.#tells);
    if (this.#bytes !== undefined && isSettled) this.#finish();
  }

  #finish(): void {
    this.#left = this.rest;
    this.#bytes = undefined;
    this.deficit = 0;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve();
  }

  #fail(cause: unknown): void {
    this.#bytes = undefined;
    this.#left = 0;
    this.forget();
    const settle = this.#settle;
    this.#settle = undefined;
    if (settle === undefined) this.#failure = { cause };
    else settle.reject(cause);
  }

  /** The viewer has drawn everything up to `offset`: cumulative, so lost, doubled and late ones do no harm (L2). */
  #drawn(offset: number): void {
    if (this.#ended || !(offset > this.drained && offset <= this.sent)) return;
    this.#drainedTo(offset);
    this.#host.serve();
  }

  #drainedTo(offset: number): void {
    const { window } = this.#host;
    const now = this.#host.now();
    while (this.#pieces.length > 0 && this.#pieces[0]!.end <= offset) {
      const piece = this.#pieces.shift()!;
      window.drained(now, piece);
      this.#spare.push(piece);
    }
    const cut = this.#pieces[0];
    if (cut !== undefined) {
      const part = cut.bytes - (cut.end - offset);
      if (part > 0) {
        window.drainedPart(now, part);
        cut.bytes -= part;
      }
    }
    if (offset > this.drained) this.drained = offset;
  }
}
