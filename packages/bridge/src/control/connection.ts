/**
 * One connection to tmux, from the start of its source to its end: what is sent, what is answered, how it ended.
 *
 * ```text
 * opening ──first reply of tmux's own──▶ attached ──ended──▶ over
 *    └── refused, silent, broken: `opened` rejects, with what tmux said ──▲
 * ```
 *
 * C1: nothing is sent before tmux has attached: a client that can't attach may still run commands, on whichever
 *     session tmux finds.
 * C2: `ended` is called once; everything that waits for a reply is settled with it.
 */
import type { Notification } from '@millrace/tmux-proto';
import { endOf, type SessionEnd } from '../end.ts';
import { BridgeError } from '../errors.ts';
import type { Settings } from '../options.ts';
import type { RecordTarget, ReplyEvent, StreamEvent } from '../parse/records.ts';
import type { Source } from '../ring/source.ts';
import { Commands } from './commands.ts';

/** How long tmux may take to say goodbye after a command failed because the session is over. */
const goodbyeMs = 300;

/** What a connection tells. */
export interface ConnectionHost {
  /** Takes output, without a detour. */
  readonly output: RecordTarget['output'];
  readonly readEnd: RecordTarget['readEnd'];
  notified(notification: Notification): void;
  /** Learns how old a pane's output is when it comes. */
  aged(pane: number, ageMs: number): void;
  recordingFailed(error: BridgeError): void;
  /** Learns of the end: nothing more comes. Returns whether another connection is tried. */
  ended(end: SessionEnd): boolean;
}

/** A source, the commands that wait for replies, and the state of both. */
export class Connection {
  readonly source: Source;
  readonly commands: Commands;
  readonly #host: ConnectionHost;
  readonly #live: boolean;
  readonly #timeoutMs: number;
  #version: string;
  #attached = false;
  #asked = false;
  #end: SessionEnd | undefined;
  #onEnd: (() => void) | undefined;
  #firstStray: string | undefined;
  #exitReason: string | undefined;
  #ready: { resolve(): void; reject(error: BridgeError): void } | undefined;
  /** Lines that were no protocol. */
  strayLines = 0;

  constructor(
    source: Source,
    settings: Settings,
    live: boolean,
    version: string,
    host: ConnectionHost,
  ) {
    this.source = source;
    this.#host = host;
    this.#live = live;
    this.#version = version;
    this.#timeoutMs = settings.connectTimeoutMs;
    this.commands = new Commands(
      (line) => this.source.write(line),
      { timeoutMs: settings.commandTimeoutMs, pendingMax: settings.commandsMax },
      version,
    );
  }

  /** How it ended, if it has. */
  get end(): SessionEnd | undefined {
    return this.#end;
  }

  /** Which tmux is at the other end. */
  get version(): string {
    return this.#version;
  }

  set version(version: string) {
    this.#version = version;
    this.commands.version = version;
  }

  /**
   * Starts it; resolves when tmux has attached and `greet` is done, or when the session was over before that.
   *
   * @throws {BridgeError} (rejects) what went wrong; the connection has been ended then
   */
  async open(greet: () => Promise<void>): Promise<void> {
    const target: RecordTarget = {
      output: this.#host.output,
      readEnd: this.#host.readEnd,
      event: (event) => this.#event(event),
    };
    if (!this.#live) {
      this.#attached = true;
      this.source.open(target);
      return;
    }
    const opened = new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
    this.source.open(target);
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#notAnswering()), this.#timeoutMs);
    });
    try {
      await Promise.race([opened.then(greet), timedOut]);
    } catch (reason) {
      // A program that is over so soon has had its session, and ended in the ordinary way; commands may fail before
      // tmux says so.
      if (this.#attached && this.#end === undefined) await this.#endWithin(goodbyeMs);
      if (this.#end?.reason === 'exited') return;
      // What ended the connection says more than the command that it took along.
      const closing = this.#asked
        ? new BridgeError('ERR_SESSION_CLOSED', 'the session is closing', reason)
        : reason;
      const error = this.#end?.error ?? closing;
      const failure =
        error instanceof BridgeError
          ? error
          : new BridgeError('ERR_TMUX_CONNECT', `connecting failed: ${error}`, error);
      this.source.kill();
      this.#finish({ reason: 'failed', message: failure.message, error: failure });
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  #endWithin(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#onEnd = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Detaches from tmux, or ends the client by force after `deadlineMs`. */
  close(deadlineMs: number): void {
    this.#asked = true;
    // What tmux still sends must be drained, whatever the sinks do: an undrained client blocks the server.
    this.source.resume();
    this.source.close(deadlineMs);
  }

  #notAnswering(): BridgeError {
    const timeoutMs = this.#timeoutMs;
    const standing = `${this.#attached ? 'attached' : 'not attached'}, ${this.source.standing}`;
    return this.#firstStray === undefined
      ? new BridgeError(
          'ERR_TMUX_CONNECT',
          `tmux didn't answer within ${timeoutMs} ms: ${standing}`,
        )
      : new BridgeError(
          'ERR_TMUX_PROTOCOL',
          `no control mode within ${timeoutMs} ms; the first line was ${JSON.stringify(this.#firstStray.slice(0, 80))}`,
        );
  }

  #event(event: StreamEvent): void {
    switch (event.type) {
      case 'reply':
        if (!this.commands.reply(event)) this.#foreignReply(event);
        break;
      case 'notification':
        this.#host.notified(event.notification);
        break;
      case 'age':
        this.#host.aged(event.pane, event.ageMs);
        break;
      case 'exit':
        this.#exitReason = event.reason;
        break;
      case 'stray':
        this.strayLines++;
        this.#firstStray ??= event.text;
        break;
      case 'recording-failed':
        this.#host.recordingFailed(
          new BridgeError('ERR_RECORDING_WRITE', event.message, event.cause),
        );
        break;
      case 'ended':
        this.#host.readEnd();
        this.#ended(event);
        break;
    }
  }

  /** The first reply that is not to us answers tmux's own start, `attach-session` or `new-session` (C1). */
  #foreignReply(event: ReplyEvent): void {
    const ready = this.#ready;
    this.#ready = undefined;
    if (event.ok) {
      this.#attached = true;
      ready?.resolve();
      return;
    }
    const said = Buffer.from(event.body).toString('utf8').trim();
    ready?.reject(new BridgeError('ERR_TMUX_CONNECT', `tmux refused to attach: ${said}`));
  }

  #ended(event: Extract<StreamEvent, { type: 'ended' }>): void {
    const end = endOf({
      exit: event.exit,
      exitReason: this.#exitReason,
      firstStray: this.#firstStray,
      asked: this.#asked,
      opening: !this.#attached,
      live: this.#live,
      version: this.version,
    });
    this.#ready?.reject(
      end.error ?? new BridgeError('ERR_SESSION_CLOSED', 'the session is closing'),
    );
    this.#finish(end);
  }

  #finish(end: SessionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end; // C2
    this.#onEnd?.();
    const again = this.#host.ended(end);
    if (again) this.commands.close('ERR_TMUX_DISCONNECTED', `the connection broke: ${end.message}`);
    else this.commands.close('ERR_SESSION_CLOSED', `the session has ended: ${end.message}`);
  }
}
