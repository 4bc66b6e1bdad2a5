/**
 * What a control client's echo takes with nothing of ours: it spawns `tmux -C`, looks for the bytes of keys in what it
 * reads and hands them on. It parses nothing, keeps nothing of the flood and knows no panes: a key's bytes don't occur in
 * the flood.
 *
 * ```text
 * bare-reader   tmux -C ──pipe──▶ a thread of its own ──postMessage──▶ main thread ─▶ viewer
 * bare-socket   tmux -C ──pipe──▶ main thread ──▶ WebSocket ──▶ viewer, and keys the other way, as `send-keys`
 * ```
 *
 * No reader of control mode sees a key before its bytes come, so this is what is left when a reader's own work takes no
 * time. It is an estimate of that, no bound: tmux writes the more the faster it is read, and what it writes before a key
 * is what the key waits for. A reader that takes its time may, in one run, have its keys sooner.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ws';
import { webSocketServerOptions } from '../../sinks/websocket.ts';
import { keyLength, keyPattern } from '../key-text.ts';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, Viewer } from './viewer.ts';

type Where = Pick<ContenderPlan, 'tmux' | 'socketPath'>;

/** What the reading thread is told. */
export interface KeyReading extends Where {
  readonly type: 'read keys';
}

const firstOfKey = 0x4b; // K

/** Reads a control client of its own; `found` is called with the keys of each read that has any. */
function readControl(
  { tmux, socketPath }: Where,
  found: (keys: string) => void,
): ChildProcessWithoutNullStreams {
  const { TMUX: _, ...env } = process.env;
  const child = spawn(tmux, ['-S', socketPath, '-u', '-C', 'attach-session'], { env });
  child.stdin.on('error', () => {});
  child.stderr.resume();
  let carry = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const at = carry === '' ? chunk.indexOf(firstOfKey) : 0;
    if (at < 0) return;
    const text = carry + chunk.toString('latin1', at);
    const keys = text.match(keyPattern);
    if (keys !== null) found(keys.join(''));
    // A key that is cut comes again with its rest; a whole one isn't kept.
    const cut = text.lastIndexOf('K');
    carry = cut > text.length - keyLength ? text.slice(cut) : '';
  });
  return child;
}

/** Starts the thread. */
export async function openBareReader(
  { tmux, socketPath }: ContenderPlan,
  viewer: Viewer,
  program: URL,
): Promise<Contender> {
  const reading: KeyReading = { type: 'read keys', tmux, socketPath };
  const worker = new Worker(program, { workerData: reading, stdin: true });
  worker.on('message', (keys: string) => viewer.deliver('echo', Buffer.from(keys, 'latin1')));
  await new Promise((resolve) => worker.once('online', resolve));
  return {
    type: () => {},
    queuedBytes: () => 0,
    stop: async () => {
      await worker.terminate(); // the client's pipes close with it, so it ends
    },
  };
}

/** Posts keys as they come; the thread's whole program. */
export function readKeys(reading: KeyReading): void {
  if (isMainThread) throw new Error('a program for a worker');
  readControl(reading, (keys) => parentPort!.postMessage(keys));
}

/** Reads in this thread and serves the keys on a Unix socket in the private server's folder, as `bridge-socket` does. */
export async function openBareSocket(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const path = join(plan.socketPath, '..', 'bare.sock');
  const http = createServer();
  const server = new WebSocketServer({ server: http, ...webSocketServerOptions });
  let shown: WebSocket | undefined;
  const child = readControl(plan, (keys) => shown?.send(keys));
  server.on('connection', (socket) => {
    shown = socket;
    socket.on('message', (data) => {
      child.stdin.write(`send-keys -t %${plan.echoPane} -l ${data}\n`);
    });
  });
  http.listen(path);
  await once(http, 'listening');
  const socket = new WebSocket(`ws+unix:${path}:/`, { perMessageDeflate: false });
  socket.on('message', (data: Buffer) => viewer.deliver('echo', data));
  await once(socket, 'open');
  return {
    type: (text) => socket.send(text),
    queuedBytes: () => viewer.queuedBytes,
    stop: async () => {
      socket.terminate();
      server.close();
      http.close();
      child.kill('SIGKILL');
      child.stdout.destroy();
      await once(child, 'close');
    },
  };
}
