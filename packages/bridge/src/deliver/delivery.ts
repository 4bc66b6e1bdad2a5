/**
 * From the source to the pipes: hands each pane's output to its pipes, and holds the source up while one is full.
 *
 * ```text
 *  source ──output──▶ resyncs ─▶ pane ──▶ pipe ─▶ sink        one pipe per sink
 *         ◀──hold──── pipes under pressure
 * ```
 *
 * D1: output is handled in the order of the stream, synchronously; pipes are flushed at the end of the read.
 * D2: the source is held exactly while at least one pipe is under pressure.
 *
 * Cost: one map lookup a record, a loop over the pane's pipes, no allocation.
 */
import { BridgeError } from '../errors.ts';
import { ByteBudget } from '../flow/budget.ts';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder } from '../measure/stations.ts';
import type { ModelChange } from '../model/entities.ts';
import type { Pane } from '../pane.ts';
import type { Resyncs } from '../resync/resyncs.ts';
import type { Sink } from '../sinks/sink.ts';
import { Pipe } from './pipe.ts';
import type { PipeHost, PipeOptions } from './pipe-options.ts';

/** What the delivery needs of its session. */
export interface DeliveryHost {
  readonly clock: Clock;
  readonly stations: StationRecorder;
  readonly resyncs: Resyncs;
  /** Whether tmux answers, and pauses panes rather than drop their output unsaid. */
  readonly canResync: boolean;
  readonly panes: ReadonlyMap<number, Pane>;
  /** Most that its pipes may hold together (bytes). */
  readonly pendingBytesMax: number;
  /** Makes a pane that was seen for the first time. */
  addPane(id: number): Pane;
  /** Stops reading, or reads again. */
  hold(held: boolean): void;
  /** Learns that a pipe ended because its sink failed. */
  failed(pane: number, error: BridgeError): void;
}

/** The pipes of a session. */
export class Delivery {
  readonly #host: DeliveryHost;
  readonly #pipeHost: PipeHost;
  readonly #pipes = new Set<Pipe>();
  readonly #pressed = new Set<Pipe>();
  readonly #touched: Pipe[] = [];

  constructor(host: DeliveryHost) {
    this.#host = host;
    const { resyncs } = host;
    this.#pipeHost = {
      clock: host.clock,
      stations: host.stations,
      pressure: (pipe, pressed) => this.#pressure(pipe, pressed),
      budget: new ByteBudget(host.pendingBytesMax),
      snapshot: (pipe) => {
        const resync = resyncs.get(pipe.pane);
        if (resync === undefined) return 'never';
        return resync.exact ? 'exact' : 'inexact';
      },
      resync: (pipe, isFirst) => resyncs.get(pipe.pane)?.want(pipe, isFirst ? 'attach' : 'skip'),
      ended: (pipe) => this.#ended(pipe),
    };
  }

  /** Whether the source is to be held (D2). */
  get held(): boolean {
    return this.#pressed.size > 0;
  }

  /** Makes a pipe from a pane to a sink. */
  pipe(pane: Pane, sink: Sink, options: PipeOptions): Pipe {
    const pipe = new Pipe(pane.id, sink, this.#pipeHost, options);
    this.#pipes.add(pipe);
    pane.add(pipe);
    const { columns, rows } = pane.info;
    if (columns && rows) pipe.resize(columns, rows);
    if (pipe.policy !== 'lossless' && this.#host.canResync) {
      pipe.await();
      this.#host.resyncs.of(pane).want(pipe, 'attach');
    }
    return pipe;
  }

  /** Takes output of a pane, as `RecordTarget.output` does. */
  readonly output = (
    id: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    readAt: number,
    queuedAt: number,
  ): void => {
    const pane = this.#host.panes.get(id) ?? this.#host.addPane(id);
    pane.bytes += end - start;
    pane.records++;
    const { pipes } = pane;
    if (pipes.length === 0) pane.unwatchedBytes += end - start;
    if (!this.#host.resyncs.follow(id, bytes, start, end)) return;
    for (let index = 0; index < pipes.length; index++) {
      const pipe = pipes[index]!;
      pipe.push(bytes, start, end, readAt, queuedAt);
      if (!pipe.touched) {
        pipe.touched = true;
        this.#touched.push(pipe);
      }
    }
  };

  /** Writes what the read brought. */
  readonly readEnd = (): void => {
    const touched = this.#touched;
    for (let index = 0; index < touched.length; index++) {
      const pipe = touched[index]!;
      pipe.touched = false;
      pipe.flush();
    }
    touched.length = 0;
  };

  /**
   * Learns that tmux has dropped what was queued of a pane and sends nothing of it until told to.
   *
   * @returns `asked` if the resync wanted that, `resyncing` if it brings the pipes up to date, `lost` if nobody does
   */
  paused(pane: Pane): 'asked' | 'resyncing' | 'lost' {
    const { pipes } = pane;
    if (pipes.length === 0 || !this.#host.canResync) return 'lost';
    for (const pipe of pipes) pipe.await();
    return this.#host.resyncs.of(pane).paused(pipes) ? 'asked' : 'resyncing';
  }

  /**
   * Follows the model: sinks learn their pane's size. When it is another one, tmux has wrapped the pane's rows anew, and no
   * terminal does that alike, so its pipes get the screen as it is now.
   */
  changed({ kind, id, before, after, fields }: ModelChange): void {
    if (kind !== 'pane' || !(fields.includes('columns') || fields.includes('rows'))) return;
    const pipes = this.#host.panes.get(id)?.pipes ?? [];
    const { columns, rows } = after ?? {};
    if (columns && rows) for (const pipe of pipes) pipe.resize(columns, rows);
    const resync = this.#host.resyncs.get(id);
    if (before === undefined || resync === undefined || !this.#host.canResync) return;
    resync.layoutChanged();
    for (const pipe of pipes) if (pipe.policy !== 'lossless') resync.want(pipe, 'resize');
  }

  /** Learns that the connection broke: what comes on another one doesn't follow on what came. */
  disconnected(): void {
    if (!this.#host.canResync) return;
    for (const pipe of this.#pipes) pipe.await();
  }

  /** Brings a pane's pipes up to date on another connection. */
  reconnected(pane: Pane): void {
    if (!this.#host.canResync) return;
    for (const pipe of pane.pipes) this.#host.resyncs.of(pane).want(pipe, 'gap');
  }

  /** Ends the pipe that holds most of those which hold the source up. */
  giveUp(why: string): void {
    let fullest: Pipe | undefined;
    for (const pipe of this.#pressed) {
      if (fullest === undefined || pipe.heldBytes > fullest.heldBytes) fullest = pipe;
    }
    if (fullest === undefined) return;
    const text = `the sink of pane ${fullest.pane} holds its session up, and ${why}`;
    fullest.fail(new BridgeError('ERR_SINK_STALLED', text));
  }

  /** Ends all pipes with their session; resolves when their sinks are closed. */
  async end(error: BridgeError | undefined, timeoutMs: number): Promise<void> {
    await Promise.allSettled([...this.#pipes].map((pipe) => pipe.end(error, timeoutMs)));
  }

  #pressure(pipe: Pipe, pressed: boolean): void {
    const before = this.held;
    if (pressed) this.#pressed.add(pipe);
    else this.#pressed.delete(pipe);
    if (before !== this.held) this.#host.hold(this.held); // D2
  }

  #ended(pipe: Pipe): void {
    this.#pipes.delete(pipe);
    this.#host.panes.get(pipe.pane)?.remove(pipe);
    this.#host.resyncs.get(pipe.pane)?.forget(pipe);
    pipe.closed.then((error) => {
      if (error !== undefined) this.#host.failed(pipe.pane, error);
    });
  }
}
