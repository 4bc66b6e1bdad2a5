/**
 * Goal: panes reach a viewer over a real WebSocket, exactly; a viewer that is slow, stalls, vanishes or misbehaves
 * disturbs nobody else, and costs bounded memory.
 * Method: a server of `ws`, clients of `ws`, panes of a private tmux; refusals also over a pair without a network.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type BridgeError, connect, memorySink, type Pane, type Session } from '@millrace/bridge';
import {
  type WebSocketViewer,
  type WebSocketViewerOptions,
  webSocketServerOptions,
  webSocketViewer,
} from '@millrace/bridge/sinks/websocket';
import {
  createWebViewer,
  encodeFrame,
  type SocketLike,
  type WebViewer,
} from '@millrace/bridge/web';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type FakeSocket, socketPair } from './support/socket-pair.ts';
import { canResync, hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

const sleep = (timeMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, timeMs));

let tmux: TestServer;
let server: WebSocketServer;
let session: Session;
let echo: Pane;
let viewers: WebSocketViewer[];
const sockets: WebSocket[] = [];

/** Serves both panes to whoever connects. */
async function serve(options: WebSocketViewerOptions = {}): Promise<void> {
  tmux.run('new-session', '-d', '-s', 'w', '-x', '80', '-y', '24', 'stty raw -echo; exec cat');
  tmux.run('split-window', '-d', '-t', 'w', 'while :; do seq 1 100000; done');
  session = await connect({ socketPath: tmux.socketPath, session: 'w' });
  const panes = [...session.panes.values()].sort((one, other) => one.id - other.id);
  echo = panes[0]!;
  viewers = [];
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...webSocketServerOptions });
  server.on('connection', (socket) => {
    const viewer = webSocketViewer(socket, options);
    for (const pane of panes) viewer.pipe(pane);
    viewers.push(viewer);
  });
  await once(server, 'listening');
}

function client(): WebSocket {
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

describe.skipIf(!hasTmux)('over a real connection', () => {
  beforeEach(() => {
    tmux = testServer();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate();
    await session?.close();
    server?.close();
    tmux.close();
  });

  /** A client that draws into memory, after `drawMs`. */
  function watch(drawMs = 0): { viewer: WebViewer; text: () => string; socket: WebSocket } {
    let text = '';
    const socket = client();
    const viewer = createWebViewer(socket, {
      open: (pane) => ({
        write(bytes) {
          if (pane === echo.id) text += Buffer.from(bytes).toString('latin1');
          return drawMs === 0 ? undefined : sleep(drawMs);
        },
      }),
    });
    return { viewer, text: () => text, socket };
  }

  async function typed(text: () => string, mark: string): Promise<void> {
    await echo.type(mark);
    await until(() => text().includes(mark));
  }

  // Before tmux 3.2 nothing can be skipped: a hidden viewer gets it all, and a slow one holds the others up.
  test.skipIf(!canResync)(
    'keys come back beside a flood; hidden costs nothing; writing is as allowed',
    {
      timeout: 30_000,
    },
    async () => {
      const typedBytes: string[] = [];
      const sizes: number[][] = [];
      await serve({
        onInput: (pane, bytes) => {
          typedBytes.push(Buffer.from(bytes).toString());
          pane.type(bytes).catch(() => {});
        },
        onResize: (columns, rows) => void sizes.push([columns, rows]),
      });
      const { viewer, text, socket } = watch();
      await once(socket, 'open');
      viewer.focus(echo.id);
      for (let key = 0; key < 20; key++) await typed(text, `<${key}>`);
      viewer.type(echo.id, 'from the viewer');
      viewer.resize(100, 30);
      await until(() => text().includes('from the viewer') && sizes.length === 1);
      expect(sizes).toEqual([[100, 30]]);
      expect(typedBytes.join('')).toBe('from the viewer');

      viewer.hide();
      const { viewer: near } = viewers[0]!;
      await until(() => near.hidden);
      const { bytes } = near.stats;
      const { records } = session.stats();
      await until(() => session.stats().records > records + 500);
      expect(near.stats).toMatchObject({ bytes, hidden: true });
      viewer.show();
      await until(() => near.stats.bytes > bytes);
      await typed(text, '<shown>');
      viewer.close();
      expect(await viewers[0]!.closed).toBeUndefined();
      expect(await viewer.closed).toBeUndefined();
    },
  );

  test.skipIf(!canResync)(
    'a slow client, one that stalls, one that never acknowledges and one that vanishes disturb nobody',
    {
      timeout: 60_000,
    },
    async () => {
      await serve();
      const good = watch();
      await once(good.socket, 'open');
      const slow = watch(20);
      const stalled = watch();
      const silent = client(); // takes everything and says nothing
      const vanishing = watch();
      for (const { socket } of [slow, stalled, vanishing]) await once(socket, 'open');
      await until(() => viewers.length === 5);
      stalled.socket.pause();
      await until(() => slow.text().length > 0 || slow.socket.readyState !== 1);
      vanishing.socket.terminate();
      for (let key = 0; key < 30; key++) await typed(good.text, `<${key}>`);
      const { bytes } = viewers[0]!.viewer.stats;
      await until(() => viewers[0]!.viewer.stats.bytes > bytes + 100_000);
      for (const { viewer } of viewers) {
        expect(viewer.stats.waitingBytesMax).toBeLessThan(512 * 1024);
        expect(viewer.stats.inFlightBytes).toBeLessThan(2 * 1024 * 1024);
      }
      const kinds = await Promise.race([
        Promise.all(viewers.slice(-1).map((one) => one.closed)),
        sleep(1).then(() => 'open'),
      ]);
      expect(kinds === 'open' || kinds.length === 1).toBe(true);
      await until(() => viewers.filter((one) => one.panes.length === 0).length === 1); // the one that vanished
      expect(silent.readyState).toBe(1);
      stalled.socket.resume();
      await typed(stalled.text, '<awake>');
      await typed(slow.text, '<slow>');
      expect(good.text()).toContain('<slow>');
    },
  );
});

describe('a connection that breaks the protocol', () => {
  const panes = (): Pane =>
    ({ id: 1, info: {}, pipe: () => ({ close: async () => {} }) }) as unknown as Pane;

  function open(options: WebSocketViewerOptions = {}): {
    viewer: WebSocketViewer;
    near: FakeSocket;
    far: FakeSocket;
  } {
    const [near, far] = socketPair();
    return { viewer: webSocketViewer(near, options), near, far };
  }

  test.each<[string, () => Uint8Array | string]>([
    ['text', () => 'hello'],
    ['nothing', () => new Uint8Array(0)],
    ['another version', () => Uint8Array.of(2, 17, 0, 0)],
    ['a frame of the bridge', () => encodeFrame({ kind: 'closed', pane: 1 })],
    ['input without leave', () => encodeFrame({ kind: 'input', pane: 1, bytes: Uint8Array.of(3) })],
    ['a size without leave', () => encodeFrame({ kind: 'resize', columns: 1, rows: 1 })],
    ['too much', () => new Uint8Array(70_000)],
  ])('by %s ends with a typed error, and the other end is told', async (_, message) => {
    const { viewer, near } = open();
    const data = message();
    near.emit('message', { data: typeof data === 'string' ? data : data.buffer });
    const error = (await viewer.closed) as BridgeError;
    expect(error.code).toBe('ERR_VIEWER_PROTOCOL');
    expect(near.closedWith).toEqual({ code: 3002, reason: 'ERR_VIEWER_PROTOCOL' });
    expect(() => viewer.pipe(panes())).toThrow(/ended/);
  });

  test('by an onInput that throws ends as well', async () => {
    const { viewer, far } = open({
      onInput: () => {
        throw new Error('no');
      },
      onText: () => {},
    });
    viewer.pipe(panes());
    far.send(encodeFrame({ kind: 'input', pane: 9, bytes: Uint8Array.of(1) })); // not shown: nobody's
    far.send(encodeFrame({ kind: 'drawn', panes: [{ pane: 9, offset: 5 }] }));
    far.send(encodeFrame({ kind: 'input', pane: 1, bytes: Uint8Array.of(1) }));
    expect((await viewer.closed)?.message).toMatch(/refused: Error: no/);
  });

  test('takes text if the application wants it', async () => {
    const texts: string[] = [];
    const { viewer, near } = open({ onText: (text) => texts.push(text) });
    near.emit('message', { data: '{"layout":1}' });
    expect(texts).toEqual(['{"layout":1}']);
    await viewer.close();
    expect(near.closedWith?.code).toBe(1000);
  });

  test('a viewer refuses a bridge that leaves bytes out, sends frames of no kind, or runs ahead', async () => {
    const wrong: [Uint8Array[], RegExp][] = [
      [[Uint8Array.of(9, 9, 9, 9)], /version=9/],
      [[output(5, 'late')], /missing/],
      [[output(0, 'abc'), output(2, 'c')], /missing/],
      [[output(0, 'x'.repeat(2000))], /too far ahead/],
    ];
    for (const [messages, expected] of wrong) {
      const [near, far] = socketPair();
      const viewer = createWebViewer(far, {
        bytesMax: 1024,
        open: () => ({ write: () => new Promise(() => {}) }),
      });
      for (const message of messages) near.send(message);
      const error = await viewer.closed;
      expect(error?.code).toBe('ERR_VIEWER_PROTOCOL');
      expect(error?.message).toMatch(expected);
      expect(far.closedWith?.code).toBe(3002);
    }
  });

  test('a viewer whose sink fails says so', async () => {
    const [near, far] = socketPair();
    const viewer = createWebViewer(far, {
      open: () => ({ write: () => Promise.reject(new Error('gpu')) }),
    });
    near.send(output(0, 'x'));
    expect((await viewer.closed)?.code).toBe('ERR_SINK_FAILED');
  });
});

const output = (offset: number, text: string): Uint8Array =>
  encodeFrame({ kind: 'output', pane: 1, offset, reset: false, bytes: Buffer.from(text) });

describe('a viewer in a page', () => {
  test("takes a page's socket as it is", () => {
    const take = (socket: globalThis.WebSocket): SocketLike => socket;
    expect(take).toBeTypeOf('function');
  });

  test('acknowledges all panes of a turn in one frame, and says when nobody looks', async () => {
    const [near, far] = socketPair();
    const messages: Uint8Array[] = [];
    near.addEventListener('message', ({ data }) =>
      messages.push(new Uint8Array(data as ArrayBuffer)),
    );
    let listener = (): void => {};
    const document = {
      visibilityState: 'hidden',
      addEventListener: (_: string, told: () => void) => {
        listener = told;
      },
      removeEventListener: () => {
        listener = () => {};
      },
    };
    const sinks = new Map<number, ReturnType<typeof memorySink>>();
    const sizes: number[][] = [];
    const viewer = createWebViewer(far, {
      document,
      open: (pane) => {
        sinks.set(pane, memorySink());
        return sinks.get(pane);
      },
      onSize: (...size) => sizes.push(size),
      onClosed: (pane) => sizes.push([pane]),
    });
    await sleep(0);
    expect(messages).toEqual([encodeFrame({ kind: 'visible', hidden: true })]);
    document.visibilityState = 'visible';
    listener();
    near.send(encodeFrame({ kind: 'size', pane: 1, columns: 80, rows: 24 }));
    near.send(output(0, 'hel'));
    near.send(output(3, 'lo'));
    near.send(encodeFrame({ kind: 'closed', pane: 1 }));
    await sleep(0);
    expect(Buffer.from(sinks.get(1)!.contents()).toString()).toBe('hello');
    expect(sizes).toEqual([[1, 80, 24], [1]]);
    expect(messages.slice(1)).toEqual([
      encodeFrame({ kind: 'visible', hidden: false }),
      encodeFrame({ kind: 'drawn', panes: [{ pane: 1, offset: 5 }] }),
    ]);
    viewer.close();
    expect(await viewer.closed).toBeUndefined();
  });
});
