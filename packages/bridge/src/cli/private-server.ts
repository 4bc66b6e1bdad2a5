/**
 * A tmux server of our own in a temporary folder, and the promise that nothing of it is left behind.
 *
 * Whoever starts the server also starts a guardian: a shell, in a process group of its own (Ctrl-C doesn't
 * reach it), that waits for its standard input to end. That happens when we close it and just as well when we
 * crash or are killed; the guardian then kills the server and removes the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A private server's folder, and how to end it. */
export interface PrivateServer {
  /** For `connect({ socketPath })`. */
  readonly socketPath: string;
  /** The temporary folder; removed at the end with all that is in it. */
  readonly directory: string;
  /** Tells the guardian the server's process id, for a server that doesn't answer. */
  serverPid(pid: number): void;
  /** Kills the server and removes the folder; resolves when both are gone. */
  close(): Promise<void>;
}

const guard = [
  'read -r p',
  'cat >/dev/null',
  // Killed in the middle of a start, we haven't told the pid: the server may be about to open its socket.
  'n=0; until "$1" -S "$2/socket" kill-server 2>/dev/null || [ -n "$p" ] || [ $n -ge 20 ];' +
    ' do sleep 0.1; n=$((n+1)); done',
  // A server that doesn't answer, or whose socket somebody has removed, is ended by pid.
  'if [ -n "$p" ]; then n=0;' +
    ' while kill -0 "$p" 2>/dev/null && [ $n -lt 20 ]; do sleep 0.05; n=$((n+1)); done;' +
    ' kill -9 "$p" 2>/dev/null; fi',
  'rm -rf "$2"',
].join('\n');

/**
 * Makes the folder and starts the guardian; the server itself starts with the first connection.
 *
 * @param tmux - the tmux program
 */
export function openPrivateServer(tmux: string): PrivateServer {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'));
  const guardian: ChildProcess = spawn('/bin/sh', ['-c', guard, 'sh', tmux, directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = once(guardian, 'close');
  guardian.unref();
  (guardian.stdin as unknown as { unref?(): void } | null)?.unref?.();
  return {
    socketPath: join(directory, 'socket'),
    directory,
    serverPid: (pid) => {
      if (Number.isSafeInteger(pid)) guardian.stdin?.write(`${pid}\n`);
    },
    close: async () => {
      guardian.ref();
      guardian.stdin?.end();
      await gone;
    },
  };
}
