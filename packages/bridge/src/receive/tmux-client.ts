/**
 * A tmux client in control mode (`tmux -C`) as a transport: spawned over pipes, no pty.
 *
 * A control client that stays attached while nobody drains it makes the whole server unusable (no new session,
 * no `kill-server`; seen on 3.3a and 3.7c). Hence the order of `close`: an empty line, which detaches; keep
 * draining until tmux ends; after the deadline end *the client* by pid, which frees the server. The user's
 * server itself is never killed here.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Receiver, Transport } from './transport.ts';
import { watch } from './watchdog.ts';

/** How to start the client. Plain data, so that it can be handed to a worker. */
export interface TmuxClientOptions {
  /** The tmux program: a name looked up on PATH, or a path. */
  readonly program: string;
  /** Arguments after the program, up to and including tmux's own command. */
  readonly args: readonly string[];
  /** Environment of the client, and of the server if this starts one. */
  readonly env: Readonly<Record<string, string>>;
}

const messageBytesMax = 4096;

/** Spawns a tmux control client when opened. */
export class TmuxClient implements Transport {
  readonly #options: TmuxClientOptions;
  readonly #watchdogMs: number;
  #child: ChildProcessWithoutNullStreams | undefined;
  #ended = false;
  #onEnded: (() => void) | undefined;

  /** @param watchdogMs - how long this thread may be stuck before the client is ended (ms); 0 for ever */
  constructor(options: TmuxClientOptions, watchdogMs: number) {
    this.#options = options;
    this.#watchdogMs = watchdogMs;
  }

  /** Process id of the client while it runs. */
  get pid(): number | undefined {
    return this.#ended ? undefined : this.#child?.pid;
  }

  open(receiver: Receiver): void {
    const { program, args, env } = this.#options;
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    const watched =
      this.#watchdogMs === 0 || child.pid === undefined
        ? undefined
        : watch(child.pid, this.#watchdogMs);
    let message = '';
    let cause: unknown;
    const finish = (status: number | null, signal: string | null): void => {
      if (this.#ended) return;
      this.#ended = true;
      const stuckMs = signal === 'SIGKILL' ? (watched?.stuckMs ?? 0) : 0;
      watched?.release();
      receiver.ended({ status, signal, message: message.trim(), cause, stuckMs });
      this.#onEnded?.();
    };
    child.stdout.on('data', (chunk: Uint8Array) => {
      if (!this.#ended) receiver.received(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      message = (message + text).slice(0, messageBytesMax);
    });
    // Writing to a client that died gives EPIPE here; 'close' tells the rest.
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      cause = error;
      // A program that couldn't be started has no 'close'.
      if (child.pid === undefined) queueMicrotask(() => finish(null, null));
    });
    child.on('close', finish);
  }

  write(bytes: Uint8Array | string): boolean {
    const stdin = this.#child?.stdin;
    if (this.#ended || stdin === undefined || !stdin.writable) return false;
    return stdin.write(bytes);
  }

  pause(): void {
    this.#child?.stdout.pause();
  }

  resume(): void {
    this.#child?.stdout.resume();
  }

  close(deadlineMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.kill(), deadlineMs);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      if (child.stdin.writable) child.stdin.end('\n');
      child.stdout.resume();
    });
  }

  kill(): void {
    if (!this.#ended) this.#child?.kill('SIGKILL');
  }
}
