/**
 * A pane whose program is the test itself: bytes written to the pane's terminal device are what tmux reads, so no
 * program has to be started, stopped or waited for.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { connect, type Pane, type Session } from '@millrace/bridge';
import type { TestServer } from './tmux.ts';

/** A pane in the test's hands. */
export interface TtyPane extends AsyncDisposable {
  readonly server: TestServer;
  readonly session: Session;
  readonly pane: Pane;
  /** The terminal device, for another thread to write to. */
  readonly path: string;
  /** Bytes written so far; somebody who writes elsewhere adds to it. */
  written: number;
  /** Writes as the pane's program would. */
  feed(bytes: Uint8Array | string): void;
  /** Resolves when tmux has read, and this process has seen, all that was written. */
  settled(): Promise<void>;
}

/** Starts a session on `server` with such a pane. */
export async function ttyPane(
  server: TestServer,
  options: { name: string; columns: number; rows: number; worker?: boolean },
): Promise<TtyPane> {
  const { name, columns, rows, worker = false } = options;
  const session = await connect({
    socketPath: server.socketPath,
    configFile: '/dev/null',
    session: name,
    // The sign that the terminal is raw: what is written goes through as it is, and nothing is echoed.
    create: { command: 'sleep 0.3; stty raw -echo; printf R; exec sleep 1000000', columns, rows },
    worker,
  });
  const pane = [...session.panes.values()][0]!;
  const { lines } = await session.command('display-message', '-p', '#{pane_tty}');
  const path = lines[0]!;
  while (pane.bytes < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  const device = openSync(path, 'a');
  const tty: TtyPane = {
    server,
    session,
    pane,
    path,
    written: 1,
    feed(bytes) {
      const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      for (let at = 0; at < data.length; ) at += writeSync(device, data, at);
      tty.written += data.length;
    },
    async settled() {
      while (pane.bytes < tty.written) await new Promise((resolve) => setImmediate(resolve));
    },
    async [Symbol.asyncDispose]() {
      closeSync(device);
      await session[Symbol.asyncDispose]();
    },
  };
  return tty;
}
