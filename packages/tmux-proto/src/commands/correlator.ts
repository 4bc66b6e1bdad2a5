/**
 * Pairs replies with commands.
 *
 * ```text
 * request(line) --> [ r1 | r2 | r3 ]  FIFO       %begin T N 1 ... %end --> head of the FIFO
 *                     ^head                      %begin T N 0 ... %end --> tmux's own: not ours
 * ```
 * C1: tmux replies in the order of the lines; only replies with bit 0 of the flags consume an entry.
 * C2: a line of n commands gets n replies, or k < n of which the last failed.
 * C3: an entry that timed out or was aborted stays in the FIFO until its reply has come, so that no later
 *     reply is taken for it.
 * C4: a fence is an own line that prints a random word; when its reply comes, every entry before it that is
 *     still open has lost its reply.
 * C5: requests with the default time share one timer, because they run out in the order of the lines. Once armed it
 *     runs to its end, then is armed for the oldest request that is left; it keeps no process alive while none is.
 *
 * Single-threaded; the reply callbacks run inside the parser's `push`, in stream order.
 */
import { checkInteger } from '../errors.ts';
import type { Guard } from '../guard.ts';
import type { ControlHandler } from '../handler.ts';
import { encodeCommand } from './encoder.ts';
import { CommandError } from './errors.ts';
import { countStatements } from './statements.ts';

/** A complete reply. */
export interface Reply {
  /** The guard round it. */
  readonly guard: Guard;
  /** Whether tmux answered `%error`. */
  readonly failed: boolean;
  /** Its lines, decoded as UTF-8 with replacement; empty if `onLine` took them. */
  readonly lines: readonly string[];
}

/** Options of one request. */
export interface RequestOptions {
  /** Number of commands in the line, so of replies. @defaultValue `countStatements(line)` */
  readonly statements?: number;
  /** Rejects after so long (milliseconds). @defaultValue the correlator's */
  readonly timeoutMs?: number;
  /** Rejects when aborted; the command itself can't be taken back. */
  readonly signal?: AbortSignal;
  /** Receives each line at once, borrowed, instead of collecting them. `index` counts the replies. */
  readonly onLine?: (bytes: Uint8Array, start: number, end: number, index: number) => void;
  /** Is told of each reply at once, in stream order, before any later event of the stream. */
  readonly onReply?: (reply: Reply, index: number) => void;
}

/** Options of the correlator. */
export interface CorrelatorOptions {
  /** Default time for a reply (milliseconds), 0 for no limit. @defaultValue 0 */
  readonly timeoutMs?: number;
  /** Most requests that may wait; further ones reject with `ERR_TMUX_QUEUE`. @defaultValue 100,000 */
  readonly pendingMax?: number;
  /** Sets a timer; injectable for tests. @defaultValue the global `setTimeout` */
  readonly setTimer?: (callback: () => void, delayMs: number) => unknown;
  /** Clears a timer. @defaultValue the global `clearTimeout` */
  readonly clearTimer?: (timer: unknown) => void;
}

/** A line that was sent. */
class Entry {
  readonly line: string;
  readonly statements: number;
  readonly options: RequestOptions;
  readonly replies: Reply[] = [];
  readonly fence: string | undefined;
  readonly sentMs: number = performance.now();
  readonly #resolve: (replies: Reply[]) => void;
  readonly #reject: (error: CommandError) => void;
  settled = false;
  /** Gives its own timer and its signal's listener back, where it has one. */
  release: (() => void) | undefined;

  constructor(
    line: string,
    options: RequestOptions,
    fence: string | undefined,
    resolve: (replies: Reply[]) => void,
    reject: (error: CommandError) => void,
  ) {
    this.line = line;
    this.statements = options.statements ?? countStatements(line);
    this.options = options;
    this.fence = fence;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  resolve(replies: Reply[]): void {
    if (this.#settle()) this.#resolve(replies);
  }

  reject(error: CommandError): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.release?.();
    return true;
  }
}

/** Node's timers can let the process end; a browser's are numbers. */
interface RefTimer {
  ref?(): void;
  unref?(): void;
}

const text = new TextDecoder('utf-8', { ignoreBOM: true });
const timedOut = ({ line }: Entry, timeoutMs: number): CommandError =>
  new CommandError('ERR_TMUX_TIMEOUT', `no reply within timeoutMs=${timeoutMs}: ${line.trim()}`);
let fences = 0;
const fenceWord = (): string => {
  const random = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return `fence-${++fences}-${random[0]!.toString(36)}${random[1]!.toString(36)}`;
};

/**
 * Pairs the replies in a parser's stream with the lines that were sent.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { ControlParser } from '@millrace/tmux-proto';
 * import { Correlator, encodeCommand } from '@millrace/tmux-proto/commands';
 *
 * const sent: string[] = [];
 * const correlator = new Correlator((line) => sent.push(line));
 * const parser = new ControlParser(correlator.handler({}), { framing: 'lines' });
 *
 * const reply = correlator.request(encodeCommand('list-sessions'));
 * parser.push(new TextEncoder().encode('%begin 1 2 1\n0: 1 windows\n%end 1 2 1\n'));
 * assert.deepEqual((await reply).lines, ['0: 1 windows']);
 * assert.deepEqual(sent, ['list-sessions\n']);
 * ```
 */
export class Correlator {
  readonly #write: (line: string) => void;
  readonly #timeoutMs: number;
  readonly #pendingMax: number;
  readonly #setTimer: (callback: () => void, delayMs: number) => unknown;
  readonly #clearTimer: (timer: unknown) => void;
  #queue: Entry[] = [];
  #current: Entry | undefined;
  #lines: string[] = [];
  #closed: CommandError | undefined;
  #sawReply = false;
  /** The timer of all requests with the default time: armed for one of them, it outlives it (C5). */
  #timer: RefTimer | undefined;
  #armed = false;

  /**
   * Creates a correlator.
   * @param write - sends a line to tmux
   * @param options - default timeout, timers
   */
  constructor(write: (line: string) => void, options: CorrelatorOptions = {}) {
    this.#write = write;
    this.#timeoutMs = options.timeoutMs ?? 0;
    this.#pendingMax = checkInteger('pendingMax', options.pendingMax ?? 100_000, 1);
    this.#setTimer = options.setTimer ?? ((callback, delayMs) => setTimeout(callback, delayMs));
    this.#clearTimer =
      options.clearTimer ?? ((timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]));
  }

  /** How many requests wait for replies, those that were given up included. */
  get pending(): number {
    return this.#queue.length;
  }

  /**
   * Sends a line and waits for its reply.
   * @param line - one line with its LF, one command
   * @param options - timeout, signal, callbacks
   * @returns the reply
   * @throws {CommandError} `ERR_TMUX_COMMAND` if tmux replied `%error`, `ERR_TMUX_TIMEOUT`,
   * `ERR_TMUX_ABORTED`, `ERR_TMUX_LOST`, `ERR_TMUX_CLOSED`
   */
  async request(line: string, options: RequestOptions = {}): Promise<Reply> {
    const replies = await this.requestAll(line, { ...options, statements: 1 });
    return replies[0]!;
  }

  /**
   * Sends a line of several commands and waits for all their replies.
   * @param line - one line with its LF
   * @param options - `statements`, timeout, signal, callbacks
   * @returns one reply a command
   * @throws {CommandError} like `request`; for `ERR_TMUX_COMMAND` the callbacks have seen the replies before
   */
  requestAll(line: string, options: RequestOptions = {}): Promise<Reply[]> {
    return this.#send(line, options, undefined);
  }

  /**
   * Sends a fence (C4): after it every request is settled, whatever was lost.
   * @param options - timeout, signal
   */
  async fence(options: RequestOptions = {}): Promise<void> {
    const word = fenceWord();
    await this.#send(encodeCommand('display-message', '-p', word), options, word);
  }

  #send(line: string, options: RequestOptions, fence: string | undefined): Promise<Reply[]> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (line.indexOf('\n') !== line.length - 1 || line.length < 2) {
      return Promise.reject(
        new CommandError(
          'ERR_TMUX_ENCODE',
          `not one line with its LF: line=${JSON.stringify(line)}`,
        ),
      );
    }
    if (this.#queue.length >= this.#pendingMax) {
      return Promise.reject(
        new CommandError('ERR_TMUX_QUEUE', `requests wait already: pendingMax=${this.#pendingMax}`),
      );
    }
    const { signal } = options;
    if (signal?.aborted) {
      return Promise.reject(
        new CommandError('ERR_TMUX_ABORTED', `aborted before sending ${line.trim()}`),
      );
    }
    return new Promise<Reply[]>((resolve, reject) => {
      const entry = new Entry(line, options, fence, resolve, reject);
      if (signal !== undefined || options.timeoutMs !== undefined) this.#guard(entry);
      if (this.#queue.length === 0) this.#timer?.ref?.();
      this.#queue.push(entry);
      if (options.timeoutMs === undefined && this.#timeoutMs > 0 && !this.#armed) {
        this.#arm(entry, this.#timeoutMs);
      }
      try {
        this.#write(line);
      } catch (error) {
        this.#queue.splice(this.#queue.indexOf(entry), 1);
        this.#rest();
        entry.reject(error as CommandError);
      }
    });
  }

  /** Gives a request a time and a signal of its own. */
  #guard(entry: Entry): void {
    const { signal, timeoutMs = 0 } = entry.options;
    const timer =
      timeoutMs > 0
        ? this.#setTimer(() => entry.reject(timedOut(entry, timeoutMs)), timeoutMs)
        : undefined;
    const abort = (): void =>
      entry.reject(new CommandError('ERR_TMUX_ABORTED', `aborted: ${entry.line.trim()}`));
    signal?.addEventListener('abort', abort, { once: true });
    entry.release = () => {
      if (timer !== undefined) this.#clearTimer(timer);
      signal?.removeEventListener('abort', abort);
    };
  }

  /** Arms the shared timer for a request (C5). */
  #arm(entry: Entry, delayMs: number): void {
    this.#armed = true;
    this.#timer = this.#setTimer(() => {
      this.#armed = false;
      this.#timer = undefined;
      entry.reject(timedOut(entry, this.#timeoutMs));
      const next = this.#queue.find((one) => !one.settled && one.options.timeoutMs === undefined);
      if (next !== undefined) {
        this.#arm(next, Math.max(0, next.sentMs + this.#timeoutMs - performance.now()));
      }
    }, delayMs) as RefTimer | undefined;
  }

  /** Takes the first request out. */
  #shift(): void {
    this.#queue.shift();
    this.#rest();
  }

  /** Lets the process end if nothing is waited for (C5). */
  #rest(): void {
    if (this.#queue.length === 0) this.#timer?.unref?.();
  }

  /**
   * Begins a reply.
   * @param guard - from the parser
   * @returns whether it answers a request; if not, it is tmux's own
   */
  begin(guard: Guard): boolean {
    const first = !this.#sawReply;
    this.#sawReply = true;
    // tmux 1.8 has no flags; its first reply is to the command that started the client.
    const own = guard.flags === undefined ? !first : guard.fromClient;
    this.#current = own ? this.#queue[0] : undefined;
    this.#lines = [];
    return this.#current !== undefined;
  }

  /** Takes a line of the reply that `begin` said true to. */
  replyLine(bytes: Uint8Array, start: number, end: number): void {
    const entry = this.#current;
    if (entry === undefined) return;
    const { onLine } = entry.options;
    if (onLine !== undefined && !entry.settled) onLine(bytes, start, end, entry.replies.length);
    else this.#lines.push(text.decode(bytes.subarray(start, end)));
  }

  /**
   * Ends the reply.
   * @param guard - from the parser
   * @param failed - whether it was `%error`
   */
  end(guard: Guard, failed: boolean = false): void {
    let entry = this.#current;
    this.#current = undefined;
    if (entry === undefined) return;
    const reply: Reply = { guard, failed, lines: this.#lines };
    if (!failed && reply.lines.length === 1) entry = this.#passFence(entry, reply.lines[0]!);
    entry.replies.push(reply);
    const index = entry.replies.length - 1;
    const complete = failed || entry.replies.length >= entry.statements; // C2
    if (complete) this.#shift();
    try {
      if (!entry.settled) entry.options.onReply?.(reply, index);
    } finally {
      if (failed) {
        const said = reply.lines.join('; ');
        entry.reject(
          new CommandError('ERR_TMUX_COMMAND', `${said} (${entry.line.trim()})`, reply.lines),
        );
      } else if (complete) {
        entry.resolve(entry.replies);
      }
    }
  }

  /** C4: if `line` is the word of a fence in the queue, gives up everything before it. */
  #passFence(head: Entry, line: string): Entry {
    if (head.fence === line) return head;
    const at = this.#queue.findIndex((entry) => entry.fence === line);
    if (at < 0) return head;
    for (const lost of this.#queue.splice(0, at)) {
      lost.reject(new CommandError('ERR_TMUX_LOST', `the reply was lost: ${lost.line.trim()}`));
    }
    return this.#queue[0]!;
  }

  /**
   * Rejects everything that waits: the stream has ended.
   * @param reason - what to say
   */
  close(reason: string = 'the stream ended'): void {
    if (this.#closed !== undefined) return;
    this.#closed = new CommandError('ERR_TMUX_CLOSED', reason);
    const queue = this.#queue;
    this.#queue = [];
    if (this.#armed) this.#clearTimer(this.#timer);
    this.#armed = false;
    this.#current = undefined;
    for (const entry of queue) {
      entry.reject(new CommandError('ERR_TMUX_CLOSED', `${reason}: ${entry.line.trim()}`));
    }
  }

  /**
   * Returns a handler that takes the replies to requests and leaves everything else to `inner`, tmux's own
   * replies included.
   * @param inner - the caller's handler; its methods keep their `this`
   */
  handler(inner: ControlHandler): ControlHandler {
    let own = false;
    const outer: ControlHandler = {};
    const methods = [
      'output',
      'extendedOutput',
      'rawOutput',
      'filter',
      'notification',
      'exit',
      'unknown',
      'enter',
      'leave',
      'passthrough',
    ] as const;
    for (const name of methods) {
      const method = inner[name] as ((...args: never[]) => unknown) | undefined;
      if (method !== undefined) outer[name] = method.bind(inner) as never;
    }
    outer.begin = (guard) => {
      own = this.begin(guard);
      if (!own) inner.begin?.(guard);
    };
    outer.replyLine = (bytes, start, end) => {
      if (own) this.replyLine(bytes, start, end);
      else inner.replyLine?.(bytes, start, end);
    };
    outer.end = (guard) => {
      if (own) this.end(guard, false);
      else inner.end?.(guard);
    };
    outer.error = (guard) => {
      if (own) this.end(guard, true);
      else inner.error?.(guard);
    };
    outer.abandon = (guard) => {
      if (own) this.#lose();
      else inner.abandon?.(guard);
    };
    return outer;
  }

  /** The open reply will not be completed. */
  #lose(): void {
    const entry = this.#current;
    this.#current = undefined;
    if (entry === undefined) return;
    this.#shift();
    entry.reject(new CommandError('ERR_TMUX_LOST', `the reply broke off: ${entry.line.trim()}`));
  }
}
