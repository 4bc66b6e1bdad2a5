/**
 * Commands on their way to tmux and the replies that belong to them: `tmux-proto`'s correlator, fed with whole
 * replies, because in worker mode that is how they arrive.
 */
import { Guard } from '@millrace/tmux-proto';
import {
  CommandEncoder,
  CommandError,
  Correlator,
  type Reply,
} from '@millrace/tmux-proto/commands';
import { BridgeError, type BridgeErrorCode } from '../errors.ts';
import type { ReplyEvent } from '../parse/records.ts';

/** tmux's answer to a command that it carried out. */
export interface CommandReply {
  /** What it printed, line by line; bytes that aren't UTF-8 are replaced. */
  readonly lines: readonly string[];
}

/** Takes the lines of all replies to a line, or undefined if tmux refused a command or a reply is missing. */
export type Replied = (replies: readonly (readonly string[])[] | undefined) => void;

const codes: Readonly<Partial<Record<CommandError['code'], BridgeErrorCode>>> = {
  ERR_TMUX_COMMAND: 'ERR_TMUX_COMMAND',
  ERR_TMUX_TIMEOUT: 'ERR_TMUX_TIMEOUT',
  ERR_TMUX_ENCODE: 'ERR_BRIDGE_ARGUMENT',
  ERR_TMUX_UNSUPPORTED: 'ERR_TMUX_VERSION',
};

const toBridgeError = (
  error: unknown,
  closed: BridgeErrorCode,
  commandsMax: number,
): BridgeError => {
  // What isn't the correlator's is the encoder's word on an argument.
  if (!(error instanceof CommandError)) {
    return new BridgeError('ERR_BRIDGE_ARGUMENT', (error as Error).message, error);
  }
  if (error.code === 'ERR_TMUX_QUEUE') {
    const text = `too many commands wait for their replies: commandsMax=${commandsMax}`;
    return new BridgeError('ERR_TMUX_QUEUE', text, error);
  }
  const code = error.code === 'ERR_TMUX_CLOSED' ? closed : codes[error.code];
  return new BridgeError(code ?? 'ERR_TMUX_PROTOCOL', error.message, error);
};

/** Longest text of a guard's fields: three of 20 digits, and two spaces. */
const guardBytesMax = 62;

/** What an encoder plans: each line is one command. */
const oneCommand = { statements: 1 };

/** Sends commands and hands out their replies. */
export class Commands {
  readonly #correlator: Correlator;
  readonly #pendingMax: number;
  #encoder: CommandEncoder;
  #closedCode: BridgeErrorCode = 'ERR_SESSION_CLOSED';
  /** The digits of the guard at hand. */
  readonly #fields = new Uint8Array(guardBytesMax);
  /** The reply at hand was larger than the session keeps. */
  #truncated = false;

  constructor(
    write: (line: string) => void,
    limits: { readonly timeoutMs: number; readonly pendingMax: number },
    version: string,
  ) {
    this.#correlator = new Correlator(write, limits);
    this.#pendingMax = limits.pendingMax;
    this.#encoder = new CommandEncoder(version);
  }

  /** Says which tmux is at the other end, once that is known. */
  set version(version: string) {
    this.#encoder = new CommandEncoder(version);
  }

  /** Builds lines for that tmux. */
  get encoder(): CommandEncoder {
    return this.#encoder;
  }

  /** Sends one command; rejects with a `BridgeError`. */
  async send(name: string, args: readonly string[]): Promise<CommandReply> {
    try {
      const { lines } = await this.#correlator.request(this.#encoder.command(name, ...args));
      return { lines };
    } catch (error) {
      throw toBridgeError(error, this.#closedCode, this.#pendingMax);
    }
  }

  /**
   * Sends lines that an encoder for this tmux's version has planned, all at once, so that nothing comes between
   * them; resolves when tmux has carried out the last.
   */
  async run(plan: (encoder: CommandEncoder) => string | string[]): Promise<void> {
    try {
      const lines = plan(this.#encoder);
      if (typeof lines === 'string') await this.#correlator.requestAll(lines, oneCommand);
      else if (lines.length === 1) await this.#correlator.requestAll(lines[0]!, oneCommand);
      else {
        await Promise.all(lines.map((line) => this.#correlator.requestAll(line, oneCommand)));
      }
    } catch (error) {
      throw toBridgeError(error, this.#closedCode, this.#pendingMax);
    }
  }

  /**
   * Sends a line of several commands, already encoded.
   *
   * @param count - how many commands
   * @param replied - called once, with the last reply, before anything that follows in the stream
   */
  sendAll(line: string, count: number, replied: Replied): void {
    const all: (readonly string[])[] = [];
    let missing = false;
    let called = false;
    const finish = (): void => {
      if (called) return;
      called = true;
      replied(missing ? undefined : all);
    };
    const lost = (): void => {
      missing = true;
      finish();
    };
    const onReply = ({ failed, lines }: Reply): void => {
      all.push(lines);
      missing ||= failed || this.#truncated;
      if (failed || all.length === count) finish();
    };
    this.#correlator.requestAll(line, { statements: count, onReply }).catch(lost);
  }

  /**
   * Takes a reply.
   *
   * @returns false if it answers no command of ours: tmux's own start, a hook
   */
  reply(event: ReplyEvent): boolean {
    const { guard: text } = event;
    const fields = this.#fields;
    for (let index = 0; index < text.length; index++) fields[index] = text.charCodeAt(index);
    const guard = new Guard(fields, 0, text.length);
    if (!this.#correlator.begin(guard)) return false;
    const { body } = event;
    for (let start = 0; start < body.length; ) {
      const end = body.indexOf(0x0a, start);
      this.#correlator.replyLine(body, start, end);
      start = end + 1;
    }
    this.#truncated = event.truncated;
    this.#correlator.end(guard, !event.ok);
    return true;
  }

  /** Rejects everything that waits: there will be no more replies. */
  close(code: BridgeErrorCode, reason: string): void {
    this.#closedCode = code;
    this.#correlator.close(reason);
  }
}
