/**
 * The contender that serves panes with this library: a WebSocket sink as its guide says, and the page's side of it
 * behind the link, both in this process.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { connect } from '../../connect.ts';
import { webSocketServerOptions, webSocketViewer } from '../../sinks/websocket.ts';
import { createWebViewer } from '../../web/client.ts';
import type { ContenderPlan } from '../plan.ts';
import { sinkOf } from './bridge.ts';
import type { Contender, Viewer } from './viewer.ts';

/** Connects, serves both panes on a Unix socket in the private server's folder, and opens the viewer. */
export async function openBridgeSocket(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const { tmux, socketPath, echoPane } = plan;
  const session = await connect({ tmux, socketPath, closeTimeoutMs: 500 });
  const path = join(socketPath, '..', 'bridge.sock');
  const http = createServer();
  const server = new WebSocketServer({ server: http, ...webSocketServerOptions });
  let waitingBytes = (): number => 0;
  server.on('connection', (socket) => {
    const shown = webSocketViewer(socket, {
      onInput: (pane, bytes) => {
        pane.type(bytes).catch(() => {});
      },
    });
    for (const pane of session.panes.values()) shown.pipe(pane);
    waitingBytes = () => shown.viewer.stats.waitingBytes;
  });
  http.listen(path);
  await once(http, 'listening');
  const socket = new WebSocket(`ws+unix:${path}:/`, { perMessageDeflate: false });
  const page = createWebViewer(socket, {
    open: (pane) => sinkOf(viewer, pane === echoPane ? 'echo' : 'flood'),
  });
  await once(socket, 'open');
  page.focus(echoPane);
  return {
    type: (text) => page.type(echoPane, text),
    queuedBytes: () => viewer.queuedBytes + waitingBytes(),
    stop: async () => {
      page.close();
      await page.closed;
      server.close();
      http.close();
      await session.close();
    },
  };
}
