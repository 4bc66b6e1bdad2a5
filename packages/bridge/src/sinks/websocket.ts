/**
 * A viewer at the other end of a WebSocket: any number of panes over one connection, in the frames of `web/frames.ts`.
 *
 * ```text
 *  pane ─▶ viewer ─▶ sink of the pane ─▶ output frame (pane, offset, bytes) ─▶ socket ─▶ createWebViewer
 *            ▲                                                                   │
 *            └───── drawn(pane, offset) · visible · focus ◀── decoded, checked ◀─┘
 * ```
 *
 * K1: offsets of a pane's frames follow each other without a gap; what the other end says to have drawn is absolute.
 * K2: what the socket holds is bounded twice: by the viewer's window (not acknowledged), and by `bufferedBytesMax` (not
 *     even sent), whatever the other end does.
 * K3: a message that isn't a frame, is too large, or asks for what isn't allowed, ends this connection and nothing else.
 * K4: a connection that ends, in whatever way, ends its pipes without a failure: a viewer that leaves is no error.
 *
 * One thread. Cost: one copy of the bytes, one message a piece.
 */
import type { Pipe } from '../deliver/pipe.ts';
import type { PipeOptions } from '../deliver/pipe-options.ts';
import { BridgeError, checkInteger, checkMethods, checkObject } from '../errors.ts';
import { createViewer, type Viewer, type ViewerOptions } from '../flow/viewer.ts';
import type { Pane } from '../pane.ts';
import { decodeViewerFrame, encodeFrame, type ViewerFrame } from '../web/frames.ts';
import { messageBytes, type SocketLike, socketOpen } from '../web/socket.ts';
import type { Sink } from './sink.ts';

export type { SocketLike } from '../web/socket.ts';

/** How a viewer over a WebSocket is set up. */
export interface WebSocketViewerOptions extends ViewerOptions {
  /**
   * Takes what the viewer types, for instance `(pane, bytes) => pane.type(bytes)`; the bytes are a view of the message.
   * @defaultValue nobody: a viewer that types is cut off
   */
  readonly onInput?: (pane: Pane, bytes: Uint8Array) => void;
  /** Takes the viewer's size, for instance `session.resize`. @defaultValue nobody: a viewer that sends it is cut off */
  readonly onResize?: (columns: number, rows: number) => void;
  /** Takes text messages, which the frame format leaves to the application. @defaultValue a viewer that sends one is cut off */
  readonly onText?: (text: string) => void;
  /** Largest message that is taken (bytes, 64 to 2^24). @defaultValue 65536 */
  readonly messageBytesMax?: number;
  /** Bytes that the socket may hold before a pane waits (bytes, 4096 to 2^30). @defaultValue 65536 */
  readonly bufferedBytesMax?: number;
}

/** What a server of `ws` should be created with: no compression, small messages only. */
export const webSocketServerOptions: {
  /** Nothing is compressed: terminals' bytes are small, and waiting for zlib isn't. */
  readonly perMessageDeflate: false;
  /** Largest message from the other end (bytes). */
  readonly maxPayload: number;
} = { perMessageDeflate: false, maxPayload: 65_536 };

/** How often a socket that holds too much is looked at (ms). */
const pollMs = 5;
/** Close code of a connection that broke the protocol. */
const protocolClosed = 3002;

interface Compressing {
  send(data: Uint8Array, options: { readonly compress: boolean }): void;
}

/** A pane's way into the socket. */
class SocketSink implements Sink {
  readonly pane: Pane;
  readonly #viewer: WebSocketViewer;
  #offset = 0;
  #reset = false;
  #drawn: ((bytes: number) => void) | undefined;

  constructor(pane: Pane, viewer: WebSocketViewer) {
    this.pane = pane;
    this.#viewer = viewer;
  }

  onDrawn(listener: (bytes: number) => void): void {
    this.#drawn = listener;
  }

  drawn(offset: number): void {
    this.#drawn?.(offset);
  }

  reset(): void {
    this.#reset = true;
  }

  write(bytes: Uint8Array): undefined | PromiseLike<void> {
    if (bytes.length === 0) return undefined;
    const pane = this.pane.id;
    const frame = {
      kind: 'output',
      pane,
      offset: this.#offset,
      reset: this.#reset,
      bytes,
    } as const;
    this.#reset = false;
    this.#offset += bytes.length; // K1
    return this.#viewer.send(encodeFrame(frame));
  }

  resize(columns: number, rows: number): void {
    this.#viewer.send(encodeFrame({ kind: 'size', pane: this.pane.id, columns, rows }));
  }

  close(): void {
    this.#viewer.forget(this);
  }
}

/** Panes shown over a WebSocket; made by `webSocketViewer`. */
export class WebSocketViewer {
  /** Its window, its limits and its figures; `hide`, `show` and `focus` follow the other end. */
  readonly viewer: Viewer;
  /** Resolves when the connection and its pipes have ended; with the error if the other end broke the protocol. */
  readonly closed: Promise<BridgeError | undefined>;
  readonly #socket: SocketLike;
  readonly #options: WebSocketViewerOptions;
  readonly #sinks = new Map<number, SocketSink>();
  readonly #messageBytesMax: number;
  readonly #bufferedBytesMax: number;
  #failure: BridgeError | undefined;
  #ended = false;
  /** Writes that wait until the socket holds less. */
  #full: { promise: Promise<void>; resolve(): void } | undefined;
  #pollTimer: ReturnType<typeof setInterval> | undefined;
  #resolveClosed!: (error: BridgeError | undefined) => void;

  /** @internal */
  constructor(socket: SocketLike, options: WebSocketViewerOptions) {
    checkMethods('socket', socket, 'send', 'close', 'addEventListener');
    checkObject('options', options);
    const { messageBytesMax = 65_536, bufferedBytesMax = 65_536 } = options;
    checkInteger('messageBytesMax', messageBytesMax, 64, 2 ** 24);
    checkInteger('bufferedBytesMax', bufferedBytesMax, 4096, 2 ** 30);
    this.viewer = createViewer(options);
    this.#socket = socket;
    this.#options = options;
    this.#messageBytesMax = messageBytesMax;
    this.#bufferedBytesMax = bufferedBytesMax;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => this.#received(event.data));
    socket.addEventListener('close', () => this.#end());
    socket.addEventListener('error', () => {}); // `close` follows
    if (socket.readyState > socketOpen) this.#end();
  }

  /** The panes that it shows. */
  get panes(): readonly Pane[] {
    return [...this.#sinks.values()].map((sink) => sink.pane);
  }

  /**
   * Shows a pane to the other end.
   *
   * @param pane - the pane; one of each number, if they are of several sessions
   * @param options - as for `Viewer.pipe`
   * @throws {BridgeError} `ERR_BRIDGE_ARGUMENT` if a pane of this number is shown already, `ERR_SESSION_CLOSED` if the
   *   connection has ended
   */
  pipe(pane: Pane, options: Omit<PipeOptions, 'bytesHigh' | 'bytesLow'> = {}): Pipe {
    if (this.#ended) throw new BridgeError('ERR_SESSION_CLOSED', 'the connection has ended');
    if (this.#sinks.has(pane.id)) {
      throw new BridgeError('ERR_BRIDGE_ARGUMENT', `the pane is shown already: pane=${pane.id}`);
    }
    const sink = new SocketSink(pane, this);
    const pipe = this.viewer.pipe(pane, sink, options);
    this.#sinks.set(pane.id, sink);
    return pipe;
  }

  /**
   * Ends the connection and its pipes.
   *
   * @param code - close code (1000, or 3000 to 4999)
   * @returns as `closed`
   */
  close(code = 1000): Promise<BridgeError | undefined> {
    this.#socket.close(code);
    this.#end();
    return this.closed;
  }

  /**
   * Sends a frame; the promise resolves when the socket holds little again.
   * @internal
   */
  send(frame: Uint8Array): undefined | Promise<void> {
    if (this.#ended || this.#socket.readyState !== socketOpen) return undefined; // K4
    // For `ws`, should its server have been created with compression; others take no second argument.
    (this.#socket as Compressing).send(frame, { compress: false });
    if (this.#socket.bufferedAmount <= this.#bufferedBytesMax) return undefined;
    this.#full ??= this.#waitForRoom(); // K2
    return this.#full.promise;
  }

  /**
   * Learns that a pane's pipe has ended.
   * @internal
   */
  forget(sink: SocketSink): void {
    if (this.#sinks.get(sink.pane.id) !== sink) return;
    this.#sinks.delete(sink.pane.id);
    this.send(encodeFrame({ kind: 'closed', pane: sink.pane.id }));
  }

  /** A socket doesn't say when it has room: it is asked while it has none. */
  #waitForRoom(): { promise: Promise<void>; resolve(): void } {
    let resolve = (): void => {};
    const promise = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.#pollTimer = setInterval(() => {
      if (this.#socket.bufferedAmount > this.#bufferedBytesMax >> 1) return;
      this.#room();
    }, pollMs);
    return { promise, resolve };
  }

  #room(): void {
    clearInterval(this.#pollTimer);
    const full = this.#full;
    this.#full = undefined;
    full?.resolve();
  }

  #received(data: unknown): void {
    if (this.#ended) return;
    try {
      if (typeof data === 'string') this.#text(data);
      else this.#take(this.#frame(data));
    } catch (error) {
      const failure = error instanceof BridgeError ? error : undefined;
      this.#failure =
        failure ?? new BridgeError('ERR_VIEWER_PROTOCOL', `what came was refused: ${error}`, error);
      this.#socket.close(protocolClosed, this.#failure.code); // K3
      this.#end();
    }
  }

  #checkSize(length: number): void {
    if (length > this.#messageBytesMax) {
      throw new BridgeError(
        'ERR_VIEWER_PROTOCOL',
        `a message is too large: messageBytesMax=${this.#messageBytesMax} length=${length}`,
      );
    }
  }

  #text(text: string): void {
    this.#checkSize(text.length);
    const { onText } = this.#options;
    if (onText === undefined) throw new BridgeError('ERR_VIEWER_PROTOCOL', 'text is not a frame');
    onText(text);
  }

  #frame(data: unknown): ViewerFrame {
    const bytes = messageBytes(data);
    if (bytes === undefined) {
      throw new BridgeError('ERR_VIEWER_PROTOCOL', `not a binary message: ${typeof data}`);
    }
    this.#checkSize(bytes.length);
    return decodeViewerFrame(bytes);
  }

  #take(frame: ViewerFrame): void {
    switch (frame.kind) {
      case 'drawn':
        // A pane that was closed meanwhile, or never shown, is nobody's.
        for (const { pane, offset } of frame.panes) this.#sinks.get(pane)?.drawn(offset);
        break;
      case 'visible':
        if (frame.hidden) this.viewer.hide();
        else this.viewer.show();
        break;
      case 'focus':
        this.viewer.focus(frame.pane);
        break;
      case 'input': {
        const { onInput } = this.#options;
        const sink = this.#sinks.get(frame.pane);
        if (onInput === undefined) {
          throw new BridgeError('ERR_VIEWER_PROTOCOL', 'input is not allowed on this connection');
        }
        if (sink !== undefined) onInput(sink.pane, frame.bytes);
        break;
      }
      case 'resize': {
        const { onResize } = this.#options;
        if (onResize === undefined) {
          throw new BridgeError('ERR_VIEWER_PROTOCOL', 'a size is not allowed on this connection');
        }
        onResize(frame.columns, frame.rows);
        break;
      }
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#room();
    this.viewer.close({ timeoutMs: 1 }).then(() => this.#resolveClosed(this.#failure));
  }
}

/**
 * Shows panes over a WebSocket; the other end uses `createWebViewer` of `@millrace/bridge/web`.
 *
 * Only what the other end can draw is sent ahead, keys come back first, and what it can't follow is skipped and
 * restored exactly. It can look and nothing else, unless you pass `onInput` or `onResize`. Whom you let in is yours to
 * decide before: check `Origin`, `Host` and a token when the connection is made.
 *
 * @param socket - an open WebSocket of `ws` (create the server with `webSocketServerOptions`) or of any other kind; it
 *   belongs to the viewer from now on
 * @param options - latency and limits, and what the other end may do
 *
 * @example
 * ```ts no-run
 * import { connect } from '@millrace/bridge';
 * import { webSocketServerOptions, webSocketViewer } from '@millrace/bridge/sinks/websocket';
 * import { WebSocketServer } from 'ws';
 *
 * const session = await connect({ session: 'work' });
 * const server = new WebSocketServer({ host: '127.0.0.1', port: 8080, ...webSocketServerOptions });
 * server.on('connection', (socket) => {
 *   const viewer = webSocketViewer(socket);
 *   for (const pane of session.panes.values()) viewer.pipe(pane);
 * });
 * ```
 */
export function webSocketViewer(
  socket: SocketLike,
  options: WebSocketViewerOptions = {},
): WebSocketViewer {
  return new WebSocketViewer(socket, options);
}
