/**
 * A live connection to one tmux session: its panes, its commands, its end.
 *
 * ```text
 *  connection ──output──▶ delivery ─▶ pane ──▶ pipe ─▶ sink        one pipe per sink
 *             ──event───▶ panes come and go, replies, exit
 *             ◀─hold───── pipes under pressure
 *             ◀─commands─ command()
 * ```
 *
 * S1: records and events are handled in the order of the stream, synchronously.
 * S2: `closed` resolves once, after the connection has ended, all pipes have ended and all commands are settled.
 */
import { EventEmitter } from 'node:events';
import type { Notification } from '@millrace/tmux-proto';
import { supports } from '@millrace/tmux-proto/commands';
import type { CommandReply, Replied } from './control/commands.ts';
import type { Connection } from './control/connection.ts';
import { Hold } from './control/hold.ts';
import { Link, type OpenSource, type Reconnected } from './control/link.ts';
import { PauseLimit } from './control/pause-limit.ts';
import { Requests } from './control/requests.ts';
import type { Size } from './control/size.ts';
import type { SubscriptionListener } from './control/subscriptions.ts';
import { Delivery } from './deliver/delivery.ts';
import type { Pipe } from './deliver/pipe.ts';
import type { PipeOptions } from './deliver/pipe-options.ts';
import type { SessionEnd } from './end.ts';
import { apart, BridgeError, checkArgument } from './errors.ts';
import { growsOld } from './flow/ages.ts';
import type { Clock } from './measure/clock.ts';
import {
  type StationName,
  type StationRecorder,
  type StationStats,
  type Stations,
  stationNames,
} from './measure/stations.ts';
import type { ModelChange } from './model/entities.ts';
import { Focus } from './model/focus.ts';
import { digestFormat, listingLine, listingReplies } from './model/listing.ts';
import { Model } from './model/model.ts';
import { SessionOptions } from './model/options.ts';
import { Panes } from './model/panes.ts';
import type { Settings } from './options.ts';
import { Pane } from './pane.ts';
import { Resyncs } from './resync/resyncs.ts';
import type { Source } from './ring/source.ts';
import type { SessionEvents, SessionStats } from './session-events.ts';
import type { Sink } from './sinks/sink.ts';

/** What `connect` puts together. */
export interface SessionParts {
  readonly settings: Settings;
  readonly source: Source;
  readonly openSource: OpenSource;
  readonly clock: Clock;
  readonly stations: Stations;
  readonly recorder: StationRecorder;
  readonly version: string;
  /** Whether a tmux that takes commands is at the other end. */
  readonly live: boolean;
}

/** Sessions made in this process: part of what names their paste buffers. */
let sessionCount = 0;

/** A connection to a tmux session; made by `connect`. */
export class Session extends EventEmitter<SessionEvents> implements AsyncDisposable {
  /** False for a recording: nobody answers commands. */
  readonly live: boolean;
  /** Resolves when everything has ended, and says how; never rejects. */
  readonly closed: Promise<SessionEnd>;
  /** The clock of all stamps. */
  readonly clock: Clock;
  readonly #recorder: StationRecorder;
  readonly #stations: Stations;
  readonly #settings: Settings;
  readonly #link: Link;
  /** What there is on the server: sessions, windows, layouts, panes, clients; kept current. */
  readonly model: Model;
  /** tmux's options, read and followed by name. */
  readonly options: SessionOptions;
  readonly #requests: Requests;
  readonly #pauseLimit: PauseLimit;
  readonly #focus: Focus;
  readonly #panes: Panes;
  readonly #resyncs: Resyncs;
  readonly #delivery: Delivery;
  readonly #hold: Hold;
  #resolveClosed!: (end: SessionEnd) => void;
  #gaps = 0;
  #reconnects = 0;
  #attachedBefore: number | undefined;
  /** What happened before `connect` has resolved, and nobody could listen yet. */
  #early: (() => void)[] | undefined = [];

  /** @internal */
  constructor(parts: SessionParts) {
    super();
    this.live = parts.live;
    this.clock = parts.clock;
    this.#recorder = parts.recorder;
    this.#stations = parts.stations;
    this.#settings = parts.settings;
    this.model = new Model({
      list: (replied) => this.#list(replied),
      changed: (changes, listed) => this.#changed(changes, listed),
    });
    this.#pauseLimit = new PauseLimit(parts.settings, {
      send: () => {
        if (this.#link.up) this.#setPauseAfter(this.#link.connection);
      },
      mixed: (ordinary, control) => this.#tell(() => this.emit('mixed', ordinary, control)),
    });
    this.#requests = this.#createRequests();
    this.options = new SessionOptions({
      expand: async (format) => (await this.#requests.expand(format)).join('\n'),
      subscribe: (format, changed) => this.subscribe(format, changed),
      changed: (name, value, before) => this.emit('option', name, value, before),
    });
    this.#panes = new Panes({
      pipe: (pane, sink, options) => this.#pipe(pane, sink, options),
      run: (plan) => this.#requests.run(plan),
      expand: async (id, format) => (await this.#requests.expand(format, '-t', `%${id}`))[0] ?? '',
      info: (id) => this.model.panes.get(id),
      bufferName: `millrace-${process.pid}-${++sessionCount}`,
      added: (pane) => this.#paneAdded(pane),
      removed: (pane) => this.#paneRemoved(pane),
    });
    this.#focus = new Focus({
      model: this.model,
      panes: this.#panes.all,
      changed: (pane) => this.emit('focus', pane),
    });
    this.#resyncs = new Resyncs({
      ask: (line, count, replied) => {
        if (this.#link.ending) return;
        // A connection that is tried is not attached yet.
        if (this.#link.down) replied(undefined);
        else this.#link.connection.commands.sendAll(line, count, replied);
      },
      paused: (pane) => this.#paused(pane),
      restored: (pane, report) => this.emit('resync', pane, report),
      failed: (pane, pipes, isPaused, error) => {
        for (const pipe of pane.pipes) if (pipes.includes(pipe)) pipe.fail(error);
        if (isPaused) this.#resume(pane);
      },
      version: () => this.version,
      now: () => this.clock.now(),
      windowOf: (id) => this.model.panes.get(id)?.window,
    });
    this.#hold = this.#createHold();
    this.#delivery = this.#createDelivery();
    if (supports(parts.version, 'subscriptions')) {
      this.#requests.watch(digestFormat, () => this.model.outdated());
    }
    this.#link = new Link(
      parts.source,
      parts.openSource,
      parts.settings,
      parts.live,
      parts.version,
      {
        output: this.#delivery.output,
        readEnd: () => {
          this.#delivery.readEnd();
          this.#hold.readEnd();
        },
        notified: (notification) => this.#notified(notification),
        aged: (id, ageMs) => this.#aged(id, ageMs),
        recordingFailed: (error) => this.#tell(() => this.emit('recording-failed', error)),
        greet: (connection) => this.#greet(connection),
        disconnected: (error) => this.#disconnected(error),
        reconnected: (how) => this.#reconnected(how),
        ended: (end) => this.#ended(end),
      },
    );
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  #createRequests(): Requests {
    const session = this;
    return new Requests({
      live: this.live,
      get refusal() {
        return session.#link.refusal;
      },
      get connection() {
        return session.#link.connection;
      },
      wait: (reply) => this.#hold.wait(reply),
      windowSize: () => this.#windowSize(),
    });
  }

  #createHold(): Hold {
    return new Hold(
      {
        read: (reading) => {
          if (!this.#link.up) return;
          if (reading) this.#link.connection.source.resume();
          else this.#link.connection.source.pause();
        },
        bytesRead: () => this.#link.connection.source.counts.bytes,
        ageMs: () => (this.#canResync ? this.#ageMs() : undefined),
        waits: () => !this.live || supports(this.version, 'flow-control'),
        giveUp: (bytes) => {
          const { aheadBytesMax } = this.#settings;
          const why = `tmux ${this.version} doesn't wait for a client that lags: ${bytes} bytes came since, aheadBytesMax=${aheadBytesMax}`;
          this.#delivery.giveUp(why);
        },
      },
      this.#settings.aheadBytesMax,
    );
  }

  /** How old the last record was when tmux sent it; from a worker, that of the pane that lags most, in steps. */
  #ageMs(): number {
    const { ageMs } = this.#link.connection.source;
    if (ageMs !== undefined) return ageMs;
    let oldest = 0;
    for (const pane of this.panes.values()) oldest = Math.max(oldest, pane.ageMs);
    return oldest;
  }

  #createDelivery(): Delivery {
    const session = this;
    return new Delivery({
      clock: this.clock,
      stations: this.#recorder,
      resyncs: this.#resyncs,
      panes: this.#panes.all,
      pendingBytesMax: this.#settings.pendingBytesMax,
      addPane: (id) => this.#panes.add(id),
      get canResync() {
        return session.#canResync;
      },
      hold: (held) => this.#hold.press(held),
      failed: (pane, error) => this.emit('sink-failed', pane, error),
    });
  }

  #aged(id: number, ageMs: number): void {
    const pane = this.#panes.all.get(id);
    const pauseAfterMs = this.#pauseLimit.seconds * 1000;
    if (pane !== undefined && growsOld(pane, ageMs, pauseAfterMs)) {
      this.emit('lag', pane, ageMs, pauseAfterMs);
    }
  }

  /** Version of tmux at the other end, as it prints it: `3.3a`; `unknown` until a stream's tmux has told. */
  get version(): string {
    return this.#link.connection.version;
  }

  /** The panes seen so far that aren't gone, by number. */
  get panes(): ReadonlyMap<number, Pane> {
    return this.#panes.all;
  }

  /**
   * Starts the connection and waits until tmux answers.
   * @internal
   */
  async open(): Promise<void> {
    await this.#link.open(() => this.model.attached);
    // After whoever awaits `connect` has had the time to listen.
    setImmediate(() => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const tell of early) tell();
    });
  }

  /**
   * Emits an event. A listener that throws has failed its own program, not the connection: the error is thrown when what
   * came is dealt with, where nobody catches it (`uncaughtException`).
   * @internal
   */
  override emit<Name extends keyof SessionEvents>(
    name: Name,
    ...args: SessionEvents[Name]
  ): boolean {
    return apart(() => super.emit(name, ...(args as never)), true);
  }

  /** Emits what has no second way to be learned: when `connect` has resolved, if it hasn't. */
  #tell(emit: () => void): void {
    if (this.#early === undefined) emit();
    else this.#early.push(emit);
  }

  /** Sets up what every live connection needs, and learns what there is. Called once attached. */
  async #greet(connection: Connection): Promise<void> {
    const { commands } = connection;
    const pauseAfterSeconds = this.#pauseLimit.seconds;
    this.model.disconnected(); // from the connection before
    const setUp: Promise<void>[] = [];
    if (supports(connection.version, 'flow-control')) {
      setUp.push(commands.run((encoder) => encoder.setFlags({ pauseAfterSeconds })));
    }
    setUp.push(...this.#requests.restore(connection));
    setUp.push(this.model.refresh());
    await Promise.all(setUp);
    // The listing has told of ordinary clients.
    if (this.#pauseLimit.seconds !== pauseAfterSeconds) this.#setPauseAfter(connection);
  }

  /**
   * Runs a tmux command.
   *
   * @param name - the command, e.g. `split-window`
   * @param args - its arguments, as text; any character is safe
   * @returns its reply
   * @throws {BridgeError} (rejects) `ERR_TMUX_COMMAND` if tmux refuses it, `ERR_TMUX_TIMEOUT` if no reply comes in
   *   time, `ERR_TMUX_QUEUE` if `commandsMax` wait already, `ERR_SESSION_CLOSED` if the session is closed or ends before the reply, `ERR_BRIDGE_ARGUMENT` for
   *   an argument that can't be sent (NUL), or if this is a recording
   */
  command(name: string, ...args: string[]): Promise<CommandReply> {
    return this.#requests.command(name, args);
  }

  /**
   * Tells tmux this client's size; with tmux's default `window-size`, its windows are drawn for the client that was
   * used last. While tmux hasn't answered, further calls are one: the last size is sent.
   *
   * @param columns - 1 to 10000
   * @param rows - 1 to 10000
   * @returns what the current window has then: another size if other clients or options have a say
   * @throws {BridgeError} (rejects) `ERR_BRIDGE_ARGUMENT` for a size out of range, and as `command` does
   */
  resize(columns: number, rows: number): Promise<Size> {
    return this.#requests.resize(columns, rows);
  }

  /**
   * Has tmux watch a format: it compares the value once a second.
   *
   * @param format - a tmux format, such as `#{pane_current_path}`
   * @param listener - called with the first value and with every one that differs; it ends at a line feed
   * @param target - what to expand it for: `''` the session, `'%1'` a pane, `'%*'` all panes of the session, `'@1'`,
   *   `'@*'` windows
   * @returns how to end it. Before tmux 3.2, which has no subscriptions, the listener is never called
   * @throws {BridgeError} (rejects) as `command` does
   */
  subscribe(
    format: string,
    listener: SubscriptionListener,
    target: string = '',
  ): Promise<() => void> {
    return this.#requests.subscribe(format, listener, target);
  }

  /**
   * The pane that is served first: the one given to `focus`, else tmux's active pane of the current window; undefined
   * if that isn't known.
   */
  get focusedPane(): Pane | undefined {
    return this.#focus.pane;
  }

  /**
   * Says which pane the user looks at, where that isn't tmux's active pane. It selects nothing in tmux.
   *
   * @param pane - a pane of this session; undefined to follow tmux again. A pane that goes is forgotten
   */
  focus(pane: Pane | undefined): void {
    checkArgument(pane === undefined || pane instanceof Pane, 'pane', 'a pane or undefined', pane);
    this.#focus.set(pane);
  }

  /** Returns the session's figures so far. Cost: a pass over the histograms. */
  stats(): SessionStats {
    return {
      ...this.#link.counts,
      reconnects: this.#reconnects,
      gaps: this.#gaps,
      ordinaryClients: this.#pauseLimit.ordinaryClients,
      otherControlClients: this.#pauseLimit.otherControlClients,
      stations: this.#stations.stats(),
    };
  }

  /** Returns a station's reader of intervals: each call gives what was recorded since the last one. */
  interval(name: StationName): () => StationStats {
    checkArgument(stationNames.includes(name), 'name', `one of ${stationNames.join(', ')}`, name);
    return this.#stations.interval(name);
  }

  /**
   * Ends the session: detaches from tmux (or ends the client by force after `closeTimeoutMs`), writes what is on
   * its way, closes the sinks. tmux's server and the programs in it go on.
   *
   * @returns as `closed`; call it as often as you like
   */
  close(): Promise<SessionEnd> {
    this.#link.close(this.#settings.closeTimeoutMs);
    return this.closed;
  }

  /** Closes the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #pipe(pane: Pane, sink: Sink, options: PipeOptions): Pipe {
    if (this.#link.ending) throw this.#link.refusal;
    return this.#delivery.pipe(pane, sink, options);
  }

  /** Whether tmux answers, and pauses panes rather than drop their output unsaid. */
  get #canResync(): boolean {
    return this.live && supports(this.version, 'flow-control');
  }

  #notified(notification: Notification): void {
    switch (notification.type) {
      case 'pause': {
        const pane = this.panes.get(notification.pane);
        if (pane !== undefined) this.#paused(pane);
        break;
      }
      case 'layout-change':
        this.#resyncs.layoutChanged(notification.window);
        break;
      case 'subscription-changed':
        this.#requests.changed(notification);
        break;
      default:
    }
    this.model.notified(notification);
    this.emit('notification', notification);
  }

  /** tmux has dropped what was queued of a pane and sends nothing of it until told to. */
  #paused(pane: Pane): void {
    const how = this.#delivery.paused(pane);
    if (how === 'asked') return;
    if (how === 'lost') this.#resume(pane);
    this.#gaps++;
    this.emit('gap', pane);
  }

  #resume(pane: Pane): void {
    this.#requests.tryCommand('refresh-client', '-A', `%${pane.id}:continue`);
  }

  /** Asks tmux for everything there is. */
  #list(replied: Replied): void {
    if (!this.live || this.#link.ending) {
      replied(undefined); // who waits for it must not wait for ever
      return;
    }
    const { commands } = this.#link.connection;
    commands.sendAll(listingLine(commands.encoder), listingReplies, replied);
  }

  #changed(changes: readonly ModelChange[], listed: boolean): void {
    if (this.#link.ending) return;
    if (this.live) this.#panes.follow(this.model, listed);
    const { attached } = this.model;
    if (attached !== undefined && attached !== this.#attachedBefore) {
      this.#attachedBefore = attached;
      this.emit('attached', attached);
    }
    for (const change of changes) {
      this.emit('change', change);
      this.#delivery.changed(change); // who has resized a terminal for it gets the screen
    }
    if (listed) this.#pauseLimit.follow(this.model);
    this.#focus.tell();
  }

  /** The size of the current window as tmux has it now. */
  async #windowSize(): Promise<Size> {
    await this.model.refresh().catch((error: Error) => {
      throw this.#link.refusal ?? error;
    });
    const info = this.model.windows.get(this.model.currentWindow() ?? -1);
    return { columns: info?.columns ?? 0, rows: info?.rows ?? 0 };
  }

  #setPauseAfter({ version, commands }: Connection): void {
    if (!supports(version, 'flow-control')) return;
    const pauseAfterSeconds = this.#pauseLimit.seconds;
    commands.run((encoder) => encoder.setFlags({ pauseAfterSeconds })).catch(() => {});
  }

  #paneAdded(pane: Pane): void {
    const { sink, pipe } = this.#settings.options;
    try {
      const made = sink?.(pane.id);
      if (made !== undefined) this.#pipe(pane, made, pipe ?? {});
    } catch (cause) {
      const text = `there is no sink for pane ${pane.id}: ${cause instanceof Error ? cause.message : cause}`;
      const error = new BridgeError('ERR_SINK_FAILED', text, cause);
      this.#tell(() => this.emit('sink-failed', pane.id, error));
    }
    this.emit('pane', pane);
  }

  #paneRemoved(pane: Pane): void {
    this.#focus.removed(pane);
    this.#resyncs.remove(pane.id);
    for (const pipe of pane.pipes) pipe.close({ timeoutMs: this.#settings.closeTimeoutMs });
    this.emit('pane-closed', pane);
  }

  #disconnected(error: BridgeError): void {
    this.model.disconnected();
    this.#resyncs.close();
    this.#delivery.disconnected();
    this.emit('disconnected', error);
  }

  #reconnected(how: Reconnected): void {
    this.#reconnects++;
    this.#hold.reconnected();
    for (const pane of this.panes.values()) {
      this.#gaps++;
      this.#delivery.reconnected(pane);
      this.emit('gap', pane);
    }
    this.emit('reconnected', how);
  }

  #ended(end: SessionEnd): void {
    this.#hold.close();
    this.#resyncs.close();
    this.#delivery.end(end.error, this.#settings.closeTimeoutMs).then(() => {
      this.#recorder.release();
      this.#resolveClosed(end); // S2
      this.emit('closed', end);
    });
  }
}
