/**
 * A live connection to one tmux session: its panes, its commands, its end.
 *
 * ```text
 *  source (inline or worker) ──output──▶ pane ──▶ pipe ─▶ sink        one pipe per sink
 *                            ──event───▶ panes come and go, replies, exit
 *                            ◀─pause/resume── pipes under pressure
 *                            ◀─commands────── command()
 * ```
 *
 * S1: records and events are handled in the order of the stream, synchronously.
 * S2: the source is paused exactly while at least one pipe is under pressure (and the session isn't closing).
 * S3: `closed` resolves once, after the connection has ended, all pipes have ended and all commands are settled.
 */
import { EventEmitter } from 'node:events';
import type { Notification } from '@millrace/tmux-proto';
import { type CommandEncoder, supports } from '@millrace/tmux-proto/commands';
import { type CommandReply, Commands } from './control/commands.ts';
import { Pipe, type PipeHost, type PipeOptions } from './deliver/pipe.ts';
import { endOf, type SessionEnd } from './end.ts';
import { BridgeError } from './errors.ts';
import type { Clock } from './measure/clock.ts';
import type { StationName, StationRecorder, StationStats, Stations } from './measure/stations.ts';
import type { Settings } from './options.ts';
import { Pane, type PaneHost } from './pane.ts';
import type { RecordTarget, StreamEvent } from './parse/records.ts';
import { checkTmuxVersion, unknownVersion } from './receive/version.ts';
import { PaneResync, type ResyncReport } from './resync/resync.ts';
import { ScreenRequests } from './resync/screen-requests.ts';
import type { Source } from './ring/source.ts';
import type { Sink } from './sinks/sink.ts';

/** What a session tells, by `session.on(name, listener)`. */
export interface SessionEvents {
  /** A pane was seen for the first time. */
  pane: [pane: Pane];
  /** A pane is gone; its pipes are closing. */
  'pane-closed': [pane: Pane];
  /** tmux said something else. */
  notification: [notification: Notification];
  /**
   * tmux dropped output of a pane because this client was too far behind: its sinks miss bytes, and get a snapshot
   * of the screen instead (tmux 3.2 and later).
   */
  gap: [pane: Pane];
  /** A snapshot of the pane's screen was handed to one of its pipes, and what of it isn't exact. */
  resync: [pane: Pane, report: ResyncReport];
  /** A pipe ended because its sink failed. */
  'sink-failed': [pane: number, error: BridgeError];
  /** The session has ended; the same as `closed`. */
  closed: [end: SessionEnd];
}

/** Figures of a session. */
export interface SessionStats {
  /** Bytes read from tmux. */
  readonly bytes: number;
  /** Records of output in them. */
  readonly records: number;
  /** Lines that were no protocol. */
  readonly strayLines: number;
  /** Times that tmux dropped output of a pane. */
  readonly gaps: number;
  /** Latency of each station. */
  readonly stations: Readonly<Record<StationName, StationStats>>;
}

/** What `connect` puts together. */
export interface SessionParts {
  readonly settings: Settings;
  readonly source: Source;
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
  /** Version of tmux at the other end, as it prints it: `3.3a`; `unknown` until a stream's tmux has told. */
  version: string;
  /** False for a recording: nobody answers commands. */
  readonly live: boolean;
  /** Resolves when everything has ended, and says how; never rejects. */
  readonly closed: Promise<SessionEnd>;
  /** The clock of all stamps. */
  readonly clock: Clock;
  readonly #recorder: StationRecorder;
  readonly #stations: Stations;
  readonly #target: RecordTarget = {
    output: (pane, bytes, start, end, readAt, queuedAt) =>
      this.#output(pane, bytes, start, end, readAt, queuedAt),
    event: (event) => this.#event(event),
    readEnd: () => this.#readEnd(),
  };
  readonly #paneHost: PaneHost = {
    pipe: (pane, sink, options) => this.#pipe(pane, sink, options),
    run: (plan) => this.#run(plan),
    bufferName: `millrace-${process.pid}-${++sessionCount}`,
  };
  readonly #pipeHost: PipeHost;
  readonly #settings: Settings;
  readonly #source: Source;
  readonly #panes = new Map<number, Pane>();
  readonly #pressed = new Set<Pipe>();
  readonly #touched: Pipe[] = [];
  readonly #pipes = new Set<Pipe>();
  readonly #commands: Commands;
  readonly #screens: ScreenRequests;
  /** Panes that have, or had, a pipe that may need a snapshot. */
  readonly #resyncs = new Map<number, PaneResync>();
  /** Those that wait for an answer: they must see the output of other panes too. */
  readonly #watching = new Map<number, PaneResync>();
  #resolveClosed!: (end: SessionEnd) => void;
  #state: 'opening' | 'open' | 'closing' | 'ended' = 'opening';
  #firstStray: string | undefined;
  #started = false;
  #exitReason: string | undefined;
  #strayLines = 0;
  #gaps = 0;
  #ready: { resolve(): void; reject(error: BridgeError): void } | undefined;

  /** @internal */
  constructor(parts: SessionParts) {
    super();
    this.version = parts.version;
    this.live = parts.live;
    this.clock = parts.clock;
    this.#recorder = parts.recorder;
    this.#pipeHost = {
      clock: parts.clock,
      stations: parts.recorder,
      pressure: (pipe, pressed) => this.#pressure(pipe, pressed),
      maySkip: (pipe) => this.#resyncs.get(pipe.pane)?.exact === true,
      resync: (pipe) => this.#resyncs.get(pipe.pane)?.want(pipe, 'skip'),
      ended: (pipe) => this.#pipeEnded(pipe),
    };
    this.#stations = parts.stations;
    this.#settings = parts.settings;
    this.#source = parts.source;
    this.#screens = new ScreenRequests((line) => this.#source.write(line));
    this.#commands = new Commands(
      (line) => this.#screens.pass(line),
      parts.settings.commandTimeoutMs,
      parts.version,
    );
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** The panes seen so far that aren't gone, by number. */
  get panes(): ReadonlyMap<number, Pane> {
    return this.#panes;
  }

  /**
   * Starts the connection and waits until tmux answers.
   * @internal
   */
  async open(): Promise<void> {
    if (!this.live) {
      this.#source.open(this.#target);
      this.#state = 'open';
      return;
    }
    const opened = new Promise<void>((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
    this.#source.open(this.#target);
    const { connectTimeoutMs } = this.#settings;
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#notAnswering(connectTimeoutMs)), connectTimeoutMs);
    });
    try {
      await Promise.race([opened.then(() => this.#greet()), timedOut]);
      this.#state = 'open';
    } catch (error) {
      const failure = this.#connectError(error);
      this.#state = 'closing';
      this.#source.kill();
      this.#ended({ reason: 'failed', message: failure.message, error: failure });
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sets up what every live session needs, and learns which panes there are. Called once attached. */
  async #greet(): Promise<void> {
    if (this.version === unknownVersion) {
      const { lines } = await this.command('display-message', '-p', '#{version}');
      this.version = checkTmuxVersion(lines[0] ?? unknownVersion);
      this.#commands.version = this.version;
    }
    await this.#panesChanged();
    if (supports(this.version, 'flow-control')) {
      await this.command('refresh-client', '-f', `pause-after=${this.#settings.pauseAfterSeconds}`);
    }
  }

  #notAnswering(timeoutMs: number): BridgeError {
    return this.#firstStray === undefined
      ? new BridgeError('ERR_TMUX_CONNECT', `tmux didn't answer within ${timeoutMs} ms`)
      : new BridgeError(
          'ERR_TMUX_PROTOCOL',
          `no control mode within ${timeoutMs} ms; the first line was ${JSON.stringify(this.#firstStray.slice(0, 80))}`,
        );
  }

  #connectError(error: unknown): BridgeError {
    if (error instanceof BridgeError) return error;
    return new BridgeError('ERR_TMUX_CONNECT', `connecting failed: ${error}`, error);
  }

  /**
   * Runs a tmux command.
   *
   * @param name - the command, e.g. `split-window`
   * @param args - its arguments, as text; any character is safe
   * @returns its reply
   * @throws {BridgeError} (rejects) `ERR_TMUX_COMMAND` if tmux refuses it, `ERR_TMUX_TIMEOUT` if no reply comes in
   *   time, `ERR_SESSION_CLOSED` if the session is closed or ends before the reply, `ERR_BRIDGE_ARGUMENT` for
   *   an argument that can't be sent (NUL), or if this is a recording
   */
  command(name: string, ...args: string[]): Promise<CommandReply> {
    const refusal = this.#refusal();
    return refusal === undefined ? this.#commands.send(name, args) : Promise.reject(refusal);
  }

  /**
   * Tells tmux this client's size; with tmux's default `window-size`, its windows are drawn for the client that was
   * used last.
   *
   * @param columns - 1 to 10000
   * @param rows - 1 to 10000
   * @throws {BridgeError} (rejects) `ERR_BRIDGE_ARGUMENT` for a size out of range, and as `command` does
   */
  resize(columns: number, rows: number): Promise<void> {
    return this.#run((encoder) => encoder.resize(columns, rows));
  }

  #run(plan: (encoder: CommandEncoder) => string | string[]): Promise<void> {
    const refusal = this.#refusal();
    return refusal === undefined ? this.#commands.run(plan) : Promise.reject(refusal);
  }

  /** Why no command can be sent now, if so. */
  #refusal(): BridgeError | undefined {
    if (!this.live) {
      return new BridgeError('ERR_BRIDGE_ARGUMENT', 'a recording takes no commands and no input');
    }
    return this.#state === 'closing' || this.#state === 'ended' ? this.#closedError() : undefined;
  }

  /** Returns the session's figures so far. Cost: a pass over the histograms. */
  stats(): SessionStats {
    return {
      ...this.#source.counts,
      strayLines: this.#strayLines,
      gaps: this.#gaps,
      stations: this.#stations.stats(),
    };
  }

  /** Returns a station's reader of intervals: each call gives what was recorded since the last one. */
  interval(name: StationName): () => StationStats {
    return this.#stations.interval(name);
  }

  /**
   * Ends the session: detaches from tmux (or ends the client by force after `closeTimeoutMs`), writes what is on
   * its way, closes the sinks. tmux's server and the programs in it go on.
   *
   * @returns as `closed`; call it as often as you like
   */
  close(): Promise<SessionEnd> {
    if (this.#state === 'open' || this.#state === 'opening') {
      this.#state = 'closing';
      // What tmux still sends must be drained, whatever the sinks do: an undrained client blocks the server.
      this.#source.resume();
      this.#source.close(this.#settings.closeTimeoutMs);
    }
    return this.closed;
  }

  /** Closes the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #pipe(pane: Pane, sink: Sink, options: PipeOptions): Pipe {
    if (this.#state === 'closing' || this.#state === 'ended') throw this.#closedError();
    const pipe = new Pipe(pane.id, sink, this.#pipeHost, options);
    this.#pipes.add(pipe);
    pane.add(pipe);
    if (pipe.policy === 'latest' && this.#canResync) {
      pipe.await();
      this.#resyncOf(pane).want(pipe, 'attach');
    }
    return pipe;
  }

  /** Whether tmux answers, and pauses panes rather than drop their output unsaid. */
  get #canResync(): boolean {
    return this.live && supports(this.version, 'flow-control');
  }

  #resyncOf(pane: Pane): PaneResync {
    const known = this.#resyncs.get(pane.id);
    if (known !== undefined) return known;
    const resync = new PaneResync(pane.id, {
      ask: (line, count, replied) => {
        if (this.#state === 'open' || this.#state === 'opening') {
          this.#screens.ask(line, count, replied);
        }
      },
      mayPause: () => pane.pipes.every((pipe) => pipe.policy === 'latest'),
      paused: () => this.#paused(pane),
      watch: (watched) => {
        if (watched) this.#watching.set(pane.id, resync);
        else this.#watching.delete(pane.id);
      },
      restored: (report) => this.emit('resync', pane, report),
      now: () => this.clock.now(),
    });
    this.#resyncs.set(pane.id, resync);
    return resync;
  }

  #output(
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    readAt: number,
    queuedAt: number,
  ): void {
    const pane = this.#panes.get(id) ?? this.#addPane(id);
    pane.bytes += end - start;
    pane.records++;
    const { pipes } = pane;
    if (pipes.length === 0) pane.unwatchedBytes += end - start;
    if (this.#resyncs.size > 0 && !this.#follow(id, bytes, start, end)) return;
    for (let index = 0; index < pipes.length; index++) {
      const pipe = pipes[index]!;
      pipe.push(bytes, start, end, readAt, queuedAt);
      if (!pipe.touched) {
        pipe.touched = true;
        this.#touched.push(pipe);
      }
    }
  }

  /** Shows output to the resyncs; false if it is held back. */
  #follow(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    for (const [pane, resync] of this.#watching) if (pane !== id) resync.otherOutput();
    return this.#resyncs.get(id)?.output(bytes, start, end) ?? true;
  }

  #readEnd(): void {
    const touched = this.#touched;
    for (let index = 0; index < touched.length; index++) {
      const pipe = touched[index]!;
      pipe.touched = false;
      pipe.flush();
    }
    touched.length = 0;
  }

  #event(event: StreamEvent): void {
    switch (event.type) {
      case 'reply':
        if (this.live && !this.#screens.reply(event) && !this.#commands.reply(event)) {
          this.#foreignReply(event);
        }
        break;
      case 'notification':
        this.#notified(event.notification);
        break;
      case 'exit':
        this.#exitReason = event.reason;
        break;
      case 'stray':
        this.#strayLines++;
        this.#firstStray ??= event.text;
        break;
      case 'ended':
        this.#readEnd();
        this.#connectionEnded(event);
        break;
    }
  }

  #pressure(pipe: Pipe, pressed: boolean): void {
    const before = this.#pressed.size;
    if (pressed) this.#pressed.add(pipe);
    else this.#pressed.delete(pipe);
    if (this.#state === 'closing' || this.#state === 'ended') return;
    if (before === 0 && pressed) this.#source.pause(); // S2
    if (before === 1 && this.#pressed.size === 0) this.#source.resume();
  }

  #pipeEnded(pipe: Pipe): void {
    this.#pipes.delete(pipe);
    this.#panes.get(pipe.pane)?.remove(pipe);
    this.#resyncs.get(pipe.pane)?.forget(pipe);
    pipe.closed.then((error) => {
      if (error !== undefined) this.emit('sink-failed', pipe.pane, error);
    });
  }

  #addPane(id: number): Pane {
    const pane = new Pane(id, this.#paneHost);
    this.#panes.set(id, pane);
    const sink = this.#settings.options.sink?.(id);
    if (sink !== undefined) this.#pipe(pane, sink, this.#settings.options.pipe ?? {});
    this.emit('pane', pane);
    return pane;
  }

  #notified(notification: Notification): void {
    switch (notification.type) {
      case 'pause': {
        const pane = this.#panes.get(notification.pane);
        if (pane !== undefined) this.#paused(pane);
        break;
      }
      case 'layout-change':
        for (const resync of this.#resyncs.values()) resync.layoutChanged();
        this.#panesMayChange();
        break;
      case 'window-add':
      case 'window-close':
      case 'unlinked-window-close':
        this.#panesMayChange();
        break;
      default:
    }
    this.emit('notification', notification);
  }

  /** tmux has dropped what was queued of a pane and sends nothing of it until told to. */
  #paused(pane: Pane): void {
    const { pipes } = pane;
    if (pipes.length > 0 && this.#canResync) {
      for (const pipe of pipes) pipe.await();
      if (this.#resyncOf(pane).paused(pipes)) return;
    } else this.#tryCommand('refresh-client', '-A', `%${pane.id}:continue`);
    this.#gaps++;
    this.emit('gap', pane);
  }

  #panesMayChange(): void {
    if (this.live && this.#state === 'open') this.#panesChanged().catch(() => {});
  }

  /**
   * The first reply that is not to us answers tmux's own start, `attach-session` or `new-session`. Nothing is sent
   * before it: a client that can't attach may still run commands, on whichever session tmux finds.
   */
  #foreignReply(event: Extract<StreamEvent, { type: 'reply' }>): void {
    if (this.#started) return;
    this.#started = true;
    if (event.ok) {
      this.#ready?.resolve();
      return;
    }
    const said = Buffer.from(event.body).toString('utf8').trim();
    this.#ready?.reject(new BridgeError('ERR_TMUX_CONNECT', `tmux refused to attach: ${said}`));
  }

  #tryCommand(name: string, ...args: string[]): void {
    if (this.live) this.command(name, ...args).catch(() => {});
  }

  /** Asks tmux which panes there are: makes those that are new and closes those that are gone. */
  async #panesChanged(): Promise<void> {
    const reply = await this.command(
      'list-panes',
      '-s',
      '-F',
      '#{pane_id} #{window_id} #{pane_width} #{pane_height}',
    );
    if (this.#state === 'closing' || this.#state === 'ended') return;
    const seen = new Set<number>();
    for (const line of reply.lines) {
      const match = /^%(\d{1,10}) @(\d{1,10}) (\d{1,5}) (\d{1,5})$/.exec(line);
      if (match === null) continue;
      const [id, window, columns, rows] = match.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
      ];
      seen.add(id);
      const pane = this.#panes.get(id) ?? this.#addPane(id);
      pane.info = { window, columns, rows };
    }
    for (const pane of this.#panes.values()) {
      if (!seen.has(pane.id)) this.#removePane(pane);
    }
  }

  #removePane(pane: Pane): void {
    this.#panes.delete(pane.id);
    this.#resyncs.get(pane.id)?.close();
    this.#resyncs.delete(pane.id);
    for (const pipe of pane.pipes) pipe.close({ timeoutMs: this.#settings.closeTimeoutMs });
    this.emit('pane-closed', pane);
  }

  #connectionEnded(event: Extract<StreamEvent, { type: 'ended' }>): void {
    const end = endOf({
      exit: event.exit,
      exitReason: this.#exitReason,
      firstStray: this.#firstStray,
      asked: this.#state === 'closing',
      opening: this.#state === 'opening',
      live: this.live,
      version: this.version,
    });
    this.#ready?.reject(end.error ?? this.#closedError());
    this.#ended(end);
  }

  #ended(end: SessionEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    const { closeTimeoutMs } = this.#settings;
    for (const resync of this.#resyncs.values()) resync.close();
    this.#commands.close(`the session has ended: ${end.message}`);
    const ending = [...this.#pipes].map((pipe) => pipe.end(end.error, closeTimeoutMs));
    Promise.allSettled(ending).then(() => {
      this.#recorder.release();
      this.#resolveClosed(end); // S3
      this.emit('closed', end);
    });
  }

  #closedError(): BridgeError {
    return new BridgeError('ERR_SESSION_CLOSED', `the session is ${this.#state}`);
  }
}
