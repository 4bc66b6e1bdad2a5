/**
 * A child that doesn't notice by itself that nobody reads it, and must not outlive this process.
 *
 * A shell starts it and waits for descriptor 3 to end; that happens when we close it and just as well when we die. The
 * shell then ends the child.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

const guard = `exec 4<&0
"$@" <&4 3<&- 4<&- &
exec 4<&-
cat <&3 >/dev/null
kill -9 $!`;

/** A child and how to end it. */
export interface GuardedChild {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  kill(): void;
  /** Calls back when it has ended; its output may have more. */
  onExit(listener: () => void): void;
}

/** Starts a program. What it writes to standard error must be read. */
export function spawnGuarded(command: string, args: readonly string[]): GuardedChild {
  const { TMUX: _, ...env } = process.env;
  const child: ChildProcess = spawn('/bin/sh', ['-c', guard, 'sh', command, ...args], {
    env,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const stdin = child.stdin!;
  const lifeline = child.stdio[3] as Writable;
  child.on('error', () => {});
  stdin.on('error', () => {});
  lifeline.on('error', () => {});
  return {
    stdin,
    stdout: child.stdout!,
    stderr: child.stderr!,
    kill: () => {
      lifeline.destroy();
    },
    onExit: (listener) => {
      child.once('exit', listener);
    },
  };
}
