/**
 * The viewer's side of a WebSocket: reads frames, feeds each pane's sink, says how far each has drawn, and whether
 * anybody looks.
 *
 * ```text
 *  socket ──frame──▶ decode ──▶ pane: queue ──write──▶ sink (a terminal)
 *         ◀──drawn(pane, offset)──────────────────────── accepted
 * ```
 *
 * C1: a pane's bytes and sizes reach its sink in order and without a gap, one write at a time; a gap ends the connection.
 * C2: what was drawn is told once per turn of the event loop at most, all panes in one frame.
 * C3: what waits for the sinks is bounded by the bridge's window, because nothing is told before it is drawn; a bridge
 *     that sends more than `bytesMax` ahead is refused.
 *
 * Runs in pages and in Node: no dependency. One thread.
 */
import { BridgeError, checkInteger, checkMethods } from '../errors.ts';
import type { Sink } from '../sinks/sink.ts';
import { type BridgeFrame, decodeBridgeFrame, encodeFrame, type ViewerFrame } from './frames.ts';
import { messageBytes, type SocketLike, socketOpen } from './socket.ts';

/** How a viewer is set up. */
export interface WebViewerOptions {
  /**
   * Called for each pane before its first bytes; what it returns is fed, and taken as having drawn what it has accepted:
   * `xtermSink(terminal)`, `ghosttySink(terminal)`, or any other. A pane without a sink is acknowledged and dropped.
   */
  readonly open: (pane: number) => Sink | undefined;
  /**
   * Called when a pane's size is known or changes, before the bytes that need it, and before the pane's sink is told
   * (`xtermSink` and `ghosttySink` resize their terminals themselves).
   */
  readonly onSize?: (pane: number, columns: number, rows: number) => void;
  /** Called when a pane is gone. */
  readonly onClosed?: (pane: number) => void;
  /**
   * The page's `document`: hidden and shown are told to the bridge as its visibility changes. Without it, call `hide`
   * and `show`.
   */
  readonly document?: VisibilitySource;
  /** Most bytes that may wait for sinks (1024 to 2^30). @defaultValue 16 MiB */
  readonly bytesMax?: number;
}

/** The part of a `document` that tells whether anybody looks. */
export interface VisibilitySource {
  /** `visible`, or anything else. */
  readonly visibilityState: string;
  /** Has a listener called when that changes. */
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  /** Has it called no more. */
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

interface ShownPane {
  readonly id: number;
  readonly sink: Sink | undefined;
  /** Bytes received, and drawn, of this connection. */
  received: number;
  drawn: number;
  waiting: (BridgeFrame & { kind: 'output' | 'size' })[];
  writing: boolean;
  closed: boolean;
}

/** A connection to a bridge that shows panes; made by `createWebViewer`. */
export class WebViewer {
  /** Resolves when the connection has ended; with the error if what came wasn't the protocol, or a sink failed. */
  readonly closed: Promise<BridgeError | undefined>;
  readonly #socket: SocketLike;
  readonly #options: WebViewerOptions;
  readonly #panes = new Map<number, ShownPane>();
  readonly #bytesMax: number;
  #waitingBytes = 0;
  #toTell = new Map<number, number>();
  #ended = false;
  #failure: BridgeError | undefined;
  #resolveClosed!: (error: BridgeError | undefined) => void;
  readonly #onVisibility = (): void => {
    this.#send({ kind: 'visible', hidden: this.#options.document?.visibilityState === 'hidden' });
  };

  /** @internal */
  constructor(socket: SocketLike, options: WebViewerOptions) {
    checkMethods('socket', socket, 'send', 'close', 'addEventListener');
    checkMethods('options', options, 'open');
    this.#socket = socket;
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? 1 << 24;
    checkInteger('bytesMax', this.#bytesMax, 1024, 2 ** 30);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => this.#received(event.data));
    socket.addEventListener('close', () => this.#end());
    socket.addEventListener('error', () => {}); // `close` follows
    const { document } = options;
    if (document !== undefined) {
      document.addEventListener('visibilitychange', this.#onVisibility);
      if (document.visibilityState === 'hidden') {
        if (socket.readyState === socketOpen) this.#onVisibility();
        else socket.addEventListener('open', this.#onVisibility);
      }
    }
  }

  /** Says which pane has the keyboard: what it prints comes first. */
  focus(pane?: number): void {
    this.#send({ kind: 'focus', pane });
  }

  /** Says that nobody looks: the bridge sends nothing. */
  hide(): void {
    this.#send({ kind: 'visible', hidden: true });
  }

  /** Says that somebody looks again: the bridge sends the screens as they are. */
  show(): void {
    this.#send({ kind: 'visible', hidden: false });
  }

  /** Types into a pane; a bridge that isn't told to take input ends the connection. */
  type(pane: number, input: string | Uint8Array): void {
    const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
    this.#send({ kind: 'input', pane, bytes });
  }

  /** Says how large the viewer is (1 to 65535); a bridge that isn't told to take sizes ends the connection. */
  resize(columns: number, rows: number): void {
    this.#send({ kind: 'resize', columns, rows });
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.close(1000);
  }

  #send(frame: ViewerFrame): void {
    if (this.#socket.readyState === socketOpen) this.#socket.send(encodeFrame(frame));
  }

  #received(data: unknown): void {
    if (this.#ended || this.#failure !== undefined) return;
    const bytes = messageBytes(data);
    if (bytes === undefined) return; // text is the application's
    try {
      this.#take(decodeBridgeFrame(bytes));
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(frame: BridgeFrame): void {
    switch (frame.kind) {
      case 'output':
        this.#output(frame);
        break;
      case 'size': {
        const pane = this.#pane(frame.pane);
        pane.waiting.push(frame);
        this.#feed(pane);
        break;
      }
      case 'closed': {
        const pane = this.#panes.get(frame.pane);
        if (pane === undefined) break;
        pane.closed = true;
        this.#panes.delete(frame.pane);
        this.#options.onClosed?.(frame.pane);
        this.#feed(pane);
        break;
      }
    }
  }

  #pane(id: number): ShownPane {
    const known = this.#panes.get(id);
    if (known !== undefined) return known;
    const sink = this.#options.open(id);
    const pane: ShownPane = {
      id,
      sink,
      received: 0,
      drawn: 0,
      waiting: [],
      writing: false,
      closed: false,
    };
    this.#panes.set(id, pane);
    return pane;
  }

  #output(frame: BridgeFrame & { kind: 'output' }): void {
    const pane = this.#pane(frame.pane);
    const { length } = frame.bytes;
    if (frame.offset !== pane.received) {
      throw new BridgeError(
        'ERR_VIEWER_PROTOCOL',
        `bytes are missing: pane=${frame.pane} offset=${frame.offset} expected=${pane.received}`,
      );
    }
    this.#waitingBytes += length;
    if (this.#waitingBytes > this.#bytesMax) {
      throw new BridgeError(
        'ERR_VIEWER_PROTOCOL',
        `the bridge sends too far ahead: bytesMax=${this.#bytesMax}`,
      );
    }
    pane.received += length;
    pane.waiting.push(frame);
    this.#feed(pane);
  }

  /** Writes what waits, one write at a time (C1). */
  #feed(pane: ShownPane): void {
    while (!pane.writing && pane.waiting.length > 0) {
      const frame = pane.waiting.shift()!;
      if (frame.kind === 'size') {
        this.#options.onSize?.(pane.id, frame.columns, frame.rows);
        pane.sink?.resize?.(frame.columns, frame.rows);
        continue;
      }
      const { bytes, reset } = frame;
      if (reset) pane.sink?.reset?.();
      const writing = pane.sink?.write(bytes);
      if (typeof writing?.then !== 'function') {
        this.#drawn(pane, bytes.length);
        continue;
      }
      pane.writing = true;
      writing.then(
        () => {
          pane.writing = false;
          this.#drawn(pane, bytes.length);
          this.#try(() => this.#feed(pane));
        },
        (error) => this.#fail(error),
      );
    }
    if (pane.closed && !pane.writing) pane.sink?.close?.();
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #drawn(pane: ShownPane, bytes: number): void {
    pane.drawn += bytes;
    this.#waitingBytes -= bytes;
    if (pane.closed) return;
    if (this.#toTell.size === 0) queueMicrotask(() => this.#tell()); // C2
    this.#toTell.set(pane.id, pane.drawn);
  }

  #tell(): void {
    const panes = [...this.#toTell].map(([pane, offset]) => ({ pane, offset }));
    this.#toTell = new Map();
    for (let from = 0; from < panes.length; from += 4096) {
      this.#send({ kind: 'drawn', panes: panes.slice(from, from + 4096) });
    }
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure =
      cause instanceof BridgeError
        ? cause
        : new BridgeError('ERR_SINK_FAILED', `the viewer's sink failed: ${cause}`, cause);
    const isProtocol = this.#failure.code === 'ERR_VIEWER_PROTOCOL';
    this.#socket.close(isProtocol ? 3002 : 3011, this.#failure.code);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.document?.removeEventListener('visibilitychange', this.#onVisibility);
    for (const pane of this.#panes.values()) {
      pane.waiting = [];
      this.#try(() => pane.sink?.close?.(this.#failure));
    }
    this.#panes.clear();
    this.#resolveClosed(this.#failure);
  }
}

/**
 * Shows the panes that a bridge sends over a WebSocket.
 *
 * @param socket - a WebSocket to a server that uses `webSocketViewer`; it belongs to the viewer from now on
 * @param options - where each pane is drawn
 *
 * @example
 * ```ts no-run
 * import { createWebViewer } from '@millrace/bridge/web';
 * import { xtermSink } from '@millrace/bridge/sinks/xterm';
 * import { Terminal } from '@xterm/xterm';
 *
 * createWebViewer(new WebSocket('ws://127.0.0.1:8080'), {
 *   document,
 *   open: () => {
 *     const terminal = new Terminal();
 *     terminal.open(document.body.appendChild(document.createElement('div')));
 *     return xtermSink(terminal);
 *   },
 * });
 * ```
 */
export function createWebViewer(socket: SocketLike, options: WebViewerOptions): WebViewer {
  return new WebViewer(socket, options);
}
