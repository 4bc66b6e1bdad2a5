/**
 * What a session asks of tmux: commands, its size, formats to watch; or why it can't be asked now.
 *
 * ```text
 * command, run ─▶ refused? ─▶ commands of the connection ─▶ reply ─▶ promise
 *                                └── a session that is held up reads on meanwhile (`hold.ts`)
 * ```
 */
import type { SubscriptionChanged } from '@millrace/tmux-proto';
import { type CommandEncoder, supports } from '@millrace/tmux-proto/commands';
import { BridgeError, checkArgument, checkInteger } from '../errors.ts';
import type { CommandReply } from './commands.ts';
import type { Connection } from './connection.ts';
import { ClientSize, type Size } from './size.ts';
import { type SubscriptionListener, Subscriptions } from './subscriptions.ts';

/** What requests need of their session. */
export interface RequestsHost {
  /** False for a recording: nobody answers. */
  readonly live: boolean;
  /** Why the link takes no commands now, if so. */
  readonly refusal: BridgeError | undefined;
  readonly connection: Connection;
  /** Reads on until a reply is there. */
  wait<Value>(reply: Promise<Value>): Promise<Value>;
  /** Returns the size of the current window as tmux has it now. */
  windowSize(): Promise<Size>;
}

/** A session's requests. */
export class Requests {
  readonly #host: RequestsHost;
  readonly #subscriptions = new Subscriptions();
  readonly #size: ClientSize;

  constructor(host: RequestsHost) {
    this.#host = host;
    this.#size = new ClientSize({
      send: ({ columns, rows }) => this.run((encoder) => encoder.resize(columns, rows)),
      current: () => host.windowSize(),
    });
  }

  /** Runs a tmux command; see `Session.command`. */
  async command(name: string, args: readonly string[]): Promise<CommandReply> {
    checkArgument(typeof name === 'string' && name !== '', 'name', "a command's name", name);
    for (const arg of args) checkArgument(typeof arg === 'string', 'args', 'text', arg);
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    return this.#host.wait(this.#host.connection.commands.send(name, args));
  }

  /** Runs a command whose failure is of no interest. */
  tryCommand(name: string, ...args: string[]): void {
    if (this.#host.live) this.command(name, args).catch(() => {});
  }

  /** Sends lines that an encoder plans; resolves when tmux has carried out the last. */
  run(plan: (encoder: CommandEncoder) => string | string[]): Promise<void> {
    const refusal = this.#refusal();
    return refusal === undefined
      ? this.#host.wait(this.#host.connection.commands.run(plan))
      : Promise.reject(refusal);
  }

  /** Expands a format, for a target if one is given. */
  async expand(format: string, ...target: string[]): Promise<readonly string[]> {
    return (await this.command('display-message', ['-p', ...target, format])).lines;
  }

  #refusal(): BridgeError | undefined {
    if (!this.#host.live) {
      return new BridgeError('ERR_BRIDGE_ARGUMENT', 'a recording takes no commands and no input');
    }
    return this.#host.refusal;
  }

  /** Tells tmux this client's size; see `Session.resize`. */
  async resize(columns: number, rows: number): Promise<Size> {
    checkInteger('columns', columns, 1, 10_000);
    checkInteger('rows', rows, 1, 10_000);
    return this.#size.set({ columns, rows });
  }

  /** Has tmux watch a format; see `Session.subscribe`. */
  async subscribe(
    format: string,
    listener: SubscriptionListener,
    target: string,
  ): Promise<() => void> {
    checkArgument(typeof format === 'string', 'format', 'text', format);
    checkArgument(typeof listener === 'function', 'listener', 'a function', listener);
    checkArgument(typeof target === 'string', 'target', 'text', target);
    if (!supports(this.#host.connection.version, 'subscriptions')) return () => {};
    const name = this.#subscriptions.add(target, format, listener);
    try {
      await this.run((encoder) => this.#subscriptions.line(name, encoder));
    } catch (error) {
      this.#subscriptions.delete(name);
      throw error;
    }
    return () => {
      if (this.#subscriptions.delete(name)) {
        this.run((encoder) => encoder.unsubscribe(name)).catch(() => {});
      }
    };
  }

  /** Adds a subscription that every connection sets up, from the first on. */
  watch(format: string, listener: SubscriptionListener): void {
    this.#subscriptions.add('', format, listener);
  }

  /** Hands a value that tmux has told to its listener. */
  changed(notification: SubscriptionChanged): void {
    this.#subscriptions.changed(notification);
  }

  /** Sets up on a new connection what the one before had: subscriptions, size. */
  restore({ commands, version }: Connection): Promise<void>[] {
    const size = this.#size.accepted;
    const sent: Promise<void>[] = [];
    if (supports(version, 'subscriptions')) {
      sent.push(commands.run((encoder) => this.#subscriptions.lines(encoder)));
    }
    if (size !== undefined) {
      sent.push(commands.run((encoder) => encoder.resize(size.columns, size.rows)));
    }
    return sent;
  }
}
