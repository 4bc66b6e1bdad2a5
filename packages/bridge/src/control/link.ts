/**
 * What a session speaks to tmux by: one connection after the other, where the caller wants that.
 *
 * ```text
 *            attached                    broke (client or worker died, stream ended)
 * opening ────────────▶ up ──────────────────────────────────────────────▶ down ◀─┐ again, later each time,
 *    │                  ▲ ▲                                                 │ └───┘ `attemptsMax` times
 *    ▼ refused          │ └────────── attached to the same server ──────────┘
 *  over ◀───────────────┴─ closed, or tmux said goodbye, or the server is gone: no second connection
 * ```
 *
 * K1: while it isn't up, nothing is sent but what sets it up; commands are refused.
 * K2: another connection counts only if the same server (by process id) is at its end: numbers of panes mean nothing
 *     to any other.
 * K3: tmux is never started by it: a server that is gone stays gone.
 */
import type { Notification } from '@millrace/tmux-proto';
import type { SessionEnd } from '../end.ts';
import { BridgeError } from '../errors.ts';
import type { Settings } from '../options.ts';
import type { RecordTarget } from '../parse/records.ts';
import { checkTmuxVersion, unknownVersion } from '../receive/version.ts';
import type { Source, SourceCounts } from '../ring/source.ts';
import { Connection } from './connection.ts';

/** What a reconnected session says of it. */
export interface Reconnected {
  /** Attempts that it took. */
  readonly attempts: number;
  /** How long there was no connection (ms). */
  readonly downMs: number;
}

/** What the link tells its session. */
export interface LinkHost {
  readonly output: RecordTarget['output'];
  readonly readEnd: RecordTarget['readEnd'];
  notified(notification: Notification): void;
  /** Learns how old a pane's output is when it comes. */
  aged(pane: number, ageMs: number): void;
  recordingFailed(error: BridgeError): void;
  /** Sets up a connection that has attached: flags, size, subscriptions, listing. */
  greet(connection: Connection): Promise<void>;
  /** Learns that the connection broke and another is tried. */
  disconnected(error: BridgeError): void;
  /** Learns that there is another. */
  reconnected(how: Reconnected): void;
  /** Learns of the end, once. */
  ended(end: SessionEnd): void;
}

/** Opens a source; `session` is what to attach to if it isn't the first. */
export type OpenSource = (
  again: { readonly session: number | undefined } | undefined,
) => Promise<Source>;

/** Words of tmux that say that there is nothing to connect to any more. */
const gone =
  /no server running|error connecting to|can't find session|no sessions|lost server|server exited/;
const final: ReadonlySet<string> = new Set([
  'ERR_TMUX_NOT_FOUND',
  'ERR_TMUX_VERSION',
  'ERR_BRIDGE_ARGUMENT',
]);
const isFinal = (error: BridgeError): boolean => final.has(error.code) || gone.test(error.message);

/** A session's way to tmux. */
export class Link {
  readonly #settings: Settings;
  readonly #host: LinkHost;
  readonly #live: boolean;
  readonly #openSource: OpenSource;
  #connection: Connection;
  #state: 'opening' | 'up' | 'down' | 'closing' | 'over' = 'opening';
  #serverPid: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the connection is that of an attempt under way. */
  #attempting = false;
  #attempts = 0;
  #downSince = 0;
  #lastError: BridgeError | undefined;
  /** Figures of connections that are over. */
  #bytes = 0;
  #records = 0;
  #strayLines = 0;
  #session: (() => number | undefined) | undefined;

  constructor(
    source: Source,
    openSource: OpenSource,
    settings: Settings,
    live: boolean,
    version: string,
    host: LinkHost,
  ) {
    this.#openSource = openSource;
    this.#settings = settings;
    this.#live = live;
    this.#host = host;
    this.#connection = this.#connect(source, version);
  }

  /** The connection, up or not; the next one as soon as that is tried. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Whether commands may be sent. */
  get up(): boolean {
    return this.#state === 'up';
  }

  /** Whether the connection broke and another is tried. */
  get down(): boolean {
    return this.#state === 'down';
  }

  /** Whether it has ended or is about to. */
  get ending(): boolean {
    return this.#state === 'closing' || this.#state === 'over';
  }

  /** Why a command can't be sent now, if so. */
  get refusal(): BridgeError | undefined {
    if (this.#state === 'up') return undefined;
    if (this.#state === 'down') {
      return new BridgeError(
        'ERR_TMUX_DISCONNECTED',
        `there is no connection to tmux now: ${this.#lastError?.message}`,
        this.#lastError,
      );
    }
    return new BridgeError('ERR_SESSION_CLOSED', `the session is ${this.#state}`);
  }

  /** Bytes and records of all connections. */
  get counts(): SourceCounts & { readonly strayLines: number } {
    const { source, strayLines } = this.#connection;
    const { bytes, records } = this.#state === 'down' ? { bytes: 0, records: 0 } : source.counts;
    return {
      bytes: this.#bytes + bytes,
      records: this.#records + records,
      strayLines: this.#strayLines + (this.#state === 'down' ? 0 : strayLines),
    };
  }

  /**
   * Opens the first connection.
   *
   * @param session - which session another connection attaches to
   */
  async open(session: () => number | undefined): Promise<void> {
    this.#session = session;
    await this.#connection.open(() => this.#greet(this.#connection));
    if (!this.ending) this.#state = 'up';
  }

  /** Ends it, with what is on its way. */
  close(deadlineMs: number): void {
    if (this.ending) return;
    const isThere = this.#state !== 'down' || this.#attempting;
    this.#state = 'closing';
    clearTimeout(this.#timer);
    if (isThere) this.#connection.close(deadlineMs);
    else this.#over({ reason: 'closed', message: 'closed' }); // nothing to detach from
  }

  #connect(source: Source, version: string): Connection {
    const connection: Connection = new Connection(source, this.#settings, this.#live, version, {
      output: this.#host.output,
      readEnd: this.#host.readEnd,
      notified: (notification) => this.#host.notified(notification),
      aged: (pane, ageMs) => this.#host.aged(pane, ageMs),
      recordingFailed: (error) => this.#host.recordingFailed(error),
      ended: (end) => this.#ended(connection, end),
    });
    return connection;
  }

  async #greet(connection: Connection): Promise<void> {
    const { commands } = connection;
    const asked = await commands.send('display-message', ['-p', '#{pid} #{version}']);
    const [pid, version = unknownVersion] = (asked.lines[0] ?? '').split(' ');
    if (connection.version === unknownVersion) connection.version = checkTmuxVersion(version);
    this.#serverPid ??= pid;
    if (pid !== this.#serverPid) {
      throw new BridgeError(
        'ERR_TMUX_EXITED',
        `lost server: another one is at its place: pid=${pid}, it was ${this.#serverPid}`,
      ); // K2
    }
    await this.#host.greet(connection);
  }

  /** Learns that a connection has ended; returns whether another is tried. */
  #ended(connection: Connection, end: SessionEnd): boolean {
    if (this.#state === 'over') return false;
    if (this.#state === 'down') return true; // an attempt that failed: its `open` rejects
    const { error } = end;
    const wanted = this.#settings.reconnect !== undefined && this.#state === 'up';
    if (!wanted || error === undefined || isFinal(error)) {
      this.#over(end);
      return false;
    }
    const { bytes, records } = connection.source.counts;
    this.#bytes += bytes;
    this.#records += records;
    this.#strayLines += connection.strayLines;
    this.#state = 'down';
    this.#attempts = 0;
    this.#downSince = performance.now();
    this.#lastError = error;
    this.#host.disconnected(error);
    this.#later();
    return true;
  }

  #over(end: SessionEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#host.ended(end);
  }

  #later(): void {
    if (this.#state !== 'down') return;
    const { attemptsMax, delayMs, delayMsMax } = this.#settings.reconnect!;
    if (this.#attempts >= attemptsMax) {
      const error = new BridgeError(
        'ERR_TMUX_DISCONNECTED',
        `gave up after ${this.#attempts} attempts to connect again: ${this.#lastError?.message}`,
        this.#lastError,
      );
      this.#over({ reason: 'failed', message: error.message, error });
      return;
    }
    // Half of the time is random, so that many clients of one host don't come back at the same moment.
    const most = Math.min(delayMsMax, delayMs * 2 ** Math.min(30, this.#attempts));
    this.#timer = setTimeout(() => this.#again(), most * (0.5 + Math.random() / 2));
  }

  async #again(): Promise<void> {
    this.#timer = undefined;
    this.#attempts++;
    try {
      const source = await this.#sourceInTime();
      if (this.#state !== 'down') {
        source.kill();
        return;
      }
      const connection = this.#connect(source, this.#connection.version);
      this.#connection = connection;
      this.#attempting = true;
      await connection.open(() => this.#greet(connection));
      if (this.#state !== 'down') return; // closed meanwhile: `#ended` tells
      if (connection.end !== undefined) {
        this.#over(connection.end);
        return;
      }
    } catch (reason) {
      this.#failed(reason);
      return;
    } finally {
      this.#attempting = false;
    }
    this.#state = 'up';
    this.#host.reconnected({
      attempts: this.#attempts,
      downMs: performance.now() - this.#downSince,
    });
  }

  /** A caller's stream may take for ever to come. */
  async #sourceInTime(): Promise<Source> {
    const { connectTimeoutMs } = this.#settings;
    const opening = this.#openSource({ session: this.#session?.() });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        opening.then((source) => source.kill()).catch(() => {});
        reject(new BridgeError('ERR_TMUX_CONNECT', `no stream within ${connectTimeoutMs} ms`));
      }, connectTimeoutMs);
    });
    try {
      return await Promise.race([opening, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(reason: unknown): void {
    const error =
      reason instanceof BridgeError
        ? reason
        : new BridgeError('ERR_TMUX_CONNECT', `connecting failed: ${reason}`, reason);
    this.#lastError = error;
    if (this.ending) this.#over({ reason: 'closed', message: 'closed' });
    else if (isFinal(error)) this.#over({ reason: 'failed', message: error.message, error });
    else this.#later();
  }
}
