/**
 * A tmux client in control mode (`tmux -C`) as a transport: spawned without a pty, its output read by the system straight
 * into one buffer.
 *
 * A control client that stays attached while nobody drains it makes the whole server unusable (no new session,
 * no `kill-server`; seen on 3.3a and 3.7c). Hence the order of `close`: an empty line, which detaches; keep
 * draining until tmux ends; after the deadline end *the client* by pid, which frees the server. The user's
 * server itself is never killed here.
 *
 * T1: what is asked for before the client runs (pause, close, kill) is done when it does.
 *
 * Cost: no allocation a read. Where the private socket for that can't be made (no folder for temporary files, or a
 * path too long), an ordinary pipe is read, which allocates a buffer each time.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  type ReceiveTarget,
  type ReceivingChild,
  receiveInto,
  spawnInto,
} from '@millrace/tmux-proto/node';
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
const readBytes = 65_536;

/** Spawns a tmux control client when opened. */
export class TmuxClient implements Transport {
  readonly #options: TmuxClientOptions;
  readonly #watchdogMs: number;
  #child: ChildProcess | undefined;
  #output: ReceivingChild['output'] | undefined;
  #paused = false;
  #closing = false;
  #killed = false;
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
    const buffer = new Uint8Array(readBytes);
    const push = (chunk: Uint8Array): void => {
      if (this.#ended) return;
      receiver.received(chunk);
      receiver.readEnd();
    };
    const target: ReceiveTarget = {
      target: () => buffer,
      commit: (count) => push(buffer.subarray(0, count)),
      push,
      end: () => {},
    };
    this.#start(target).then(
      (started) => this.#started(started, receiver),
      (cause) => this.#finish(receiver, { cause }),
    );
  }

  async #start(target: ReceiveTarget): Promise<ReceivingChild> {
    const { program, args, env } = this.#options;
    try {
      return await spawnInto(target, program, args, { env });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn')) throw error;
      const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
      const ended = receiveInto(target, child.stdout);
      ended.catch(() => {});
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      return { child, output: child.stdout, ended };
    }
  }

  #started({ child, output, ended }: ReceivingChild, receiver: Receiver): void {
    const pid = child.pid!;
    this.#child = child;
    this.#output = output;
    const watched = this.#watchdogMs === 0 ? undefined : watch(pid, this.#watchdogMs);
    let message = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      message = (message + text).slice(0, messageBytesMax);
    });
    // Writing to a client that died gives EPIPE here; 'close' tells the rest.
    child.stdin!.on('error', () => {});
    child.on('error', () => {}); // a signal that couldn't be sent
    const closed = new Promise<readonly [number | null, string | null]>((resolve) => {
      child.on('close', (status, signal) => resolve([status, signal]));
    });
    const drained = ended.then(
      () => undefined,
      (cause: unknown) => {
        this.kill(); // nobody reads it any more
        return cause;
      },
    );
    Promise.all([closed, drained]).then(([[status, signal], cause]) => {
      const stuckMs = signal === 'SIGKILL' ? (watched?.stuckMs ?? 0) : 0;
      watched?.release();
      this.#finish(receiver, { status, signal, message: message.trim(), cause, stuckMs });
    });
    receiver.started?.(pid);
    if (this.#paused) output.pause(); // T1
    if (this.#closing) this.#detach();
    if (this.#killed) this.kill();
  }

  #finish(receiver: Receiver, exit: Parameters<Receiver['ended']>[0]): void {
    this.#ended = true;
    receiver.ended(exit);
    this.#onEnded?.();
  }

  write(bytes: Uint8Array | string): boolean {
    const stdin = this.#child?.stdin;
    if (this.#ended || !stdin?.writable) return false;
    return stdin.write(bytes);
  }

  pause(): void {
    this.#paused = true;
    this.#output?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#output?.resume();
  }

  close(deadlineMs: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.kill(), deadlineMs);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#closing = true;
      this.#detach();
    });
  }

  #detach(): void {
    const stdin = this.#child?.stdin;
    if (stdin?.writable) stdin.end('\n');
    this.resume();
  }

  kill(): void {
    this.#killed = true;
    if (!this.#ended) this.#child?.kill('SIGKILL');
  }
}
