/**
 * The policy of the batch and deliver stations: one pane's records on their way to one sink.
 *
 * While the sink keeps up, what a read brought is written at the end of that read's turn, in one write per pane.
 * While a write is under way, records are joined for the next (`outbox.ts`). At `bytesHigh` of joined bytes the
 * sink counts as lagging:
 *
 * ```text
 *             bytesHigh, or a budget is over                    it has accepted what it had
 *   open ───────────┬──────────────────────────▶ skipping ─────────────────────────────────▶ asks for a snapshot
 *    ▲              │ lossy, and a snapshot would be exact          ▲                                │
 *    │              ▼ else                                          │ patience is over, and not      │
 *    │           pressed: the session stops reading ────────────────┘ lossless                       │
 *    │ bytesLow     │                                                                                │
 *    ├──────────────┘                                                                                │
 *    └──────────────────────────────────────── restore(snapshot) ◀───────────────────────────────────┘
 * ```
 *
 * P1: bytes reach the sink in the order of the stream, each exactly once, as long as the pipe is open and doesn't skip.
 * P2: at most one write is under way.
 * P3: a sink that fails ends its own pipe and no other; it is called no more, except for `close`.
 * P4: a pipe skips only where a snapshot can follow: at once if it would be exact, else after `inexactAfterMs`.
 * P5: what waits is at most `bytesHigh` and one record, or the largest snapshot and that.
 * P6: of what waits when a viewer's pipe skips, the first `bytesKept` are still written, before the snapshot is asked for.
 */
import { BridgeError, checkMethods } from '../errors.ts';
import type { ByteBudget } from '../flow/budget.ts';
import type { Sink } from '../sinks/sink.ts';
import { Outbox } from './outbox.ts';
import {
  type PipeHost,
  type PipeLimit,
  type PipeOptions,
  type PipePolicy,
  type PipeSettings,
  type PipeStats,
  pipeSettings,
} from './pipe-options.ts';

/** How long a pipe of policy `auto` must have kept up to be lossless again (ns). */
const keptUpNs = 1e9;

/** One pane's bytes on their way to one sink; made by `pane.pipe`. */
export class Pipe {
  /** Number of the pane. */
  readonly pane: number;
  /** Resolves when the pipe has ended, with the sink's failure if that was the reason. */
  readonly closed: Promise<BridgeError | undefined>;
  /** How it treats a sink that lags. */
  readonly policy: PipePolicy;
  readonly #sink: Sink;
  readonly #host: PipeHost;
  readonly #settings: PipeSettings;
  readonly #limit: PipeLimit;
  readonly #budgets: readonly ByteBudget[];
  readonly #outbox: Outbox;
  #resolveClosed!: (error: BridgeError | undefined) => void;
  #state: 'open' | 'closing' | 'ended' = 'open';
  #sessionError: BridgeError | undefined;
  /**
   * Set by the session while the pipe has records of the current read.
   * @internal
   */
  touched = false;
  /**
   * Bytes booked with its budgets.
   * @internal
   */
  heldBytes = 0;
  #stalled: ReturnType<typeof setTimeout> | undefined;
  #pressed = false;
  #pressedByBudget = false;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #skipping = false;
  #hidden = false;
  /** Whether a snapshot is to be asked for when the write under way has been accepted. */
  #asking = false;
  /** Until when an `auto` pipe skips rather than holds its session up (ns). */
  #lossyUntil = Number.NEGATIVE_INFINITY;
  /** Bytes of snapshots that wait or are being written. */
  #snapshotBytes = 0;
  #skips = 0;
  #resyncs = 0;
  #bytesSkipped = 0;

  /** @internal */
  constructor(pane: number, sink: Sink, host: PipeHost, options: PipeOptions) {
    checkMethods('sink', sink, 'write');
    this.pane = pane;
    this.#sink = sink;
    this.#host = host;
    this.#settings = pipeSettings(options);
    this.policy = this.#settings.policy;
    this.#limit = this.#settings.limit;
    this.#budgets = [options.shared?.budget, host.budget].filter((budget) => budget !== undefined);
    for (const budget of this.#budgets) budget.add(this);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const outboxHost = {
      clock: host.clock,
      stations: host.stations,
      delivered: (bytesLeft: number) => {
        this.#snapshotBytes = Math.min(this.#snapshotBytes, bytesLeft);
        // Judged when the outbox has come to rest: it may be about to deliver more.
        if (this.#pressed || this.heldBytes > 0) queueMicrotask(() => this.#delivered());
      },
      failed: (cause: unknown) => this.#fail(cause),
    };
    const { bytesMax, lane } = this.#settings;
    this.#outbox = new Outbox(pane, sink, outboxHost, bytesMax, lane);
  }

  /** What the pipe has carried so far. */
  get stats(): PipeStats {
    const { bytesWritten, records, writes, heldBytes, bytesDropped } = this.#outbox;
    return {
      bytes: bytesWritten,
      records,
      writes,
      pendingBytes: heldBytes,
      skipping: this.#skipping,
      hidden: this.#hidden,
      lossy: this.lossy,
      skips: this.#skips,
      resyncs: this.#resyncs,
      bytesSkipped: this.#bytesSkipped + bytesDropped,
    };
  }

  /**
   * Rows of history that its snapshots restore.
   * @internal
   */
  get historyLines(): number {
    return this.#settings.historyLines;
  }

  /**
   * Whether it skips when its sink lags, as things are now.
   * @internal
   */
  get lossy(): boolean {
    if (this.policy !== 'auto') return this.policy === 'latest';
    return this.#skipping || this.#host.clock.now() < this.#lossyUntil;
  }

  /**
   * Whether it holds what it could drop, or stop.
   * @internal
   */
  get canGiveWay(): boolean {
    return !this.#skipping && this.heldBytes > 0;
  }

  /**
   * Takes a record. The bytes are copied before the call returns.
   * @internal
   */
  push(bytes: Uint8Array, start: number, end: number, readAt: number, queuedAt: number): void {
    if (this.#state !== 'open' || start === end) return;
    if (this.#skipping) {
      this.#bytesSkipped += end - start;
      return;
    }
    this.#outbox.push(bytes, start, end, readAt, queuedAt);
    if (this.#outbox.bytes >= this.#limit.bytesHigh + this.#snapshotBytes) this.#full();
  }

  /**
   * Learns the pane's size; the sink is told.
   * @internal
   */
  resize(columns: number, rows: number): void {
    if (this.#state === 'open') this.#outbox.resize(columns, rows);
  }

  /** P5: the sink must take it now, or it lags. */
  #full(): void {
    if (this.#outbox.writing === undefined) {
      this.#outbox.flush();
      if (this.#outbox.bytes < this.#limit.bytesHigh + this.#snapshotBytes) return;
    }
    if (!this.#maySkip()) this.#press(true);
    else this.#skip(this.#limit.bytesKept?.());
  }

  /** P4: whether it skips now. A sink with nothing under way is about to take more. */
  #maySkip(): boolean {
    if (this.policy === 'lossless' || this.#outbox.writing === undefined) return false;
    if (this.policy === 'auto') {
      const now = this.#host.clock.now();
      const isBehind = now - this.#outbox.writingSince >= this.#settings.behindMs * 1e6;
      if (isBehind || now < this.#lossyUntil) this.#lossyUntil = now + keptUpNs;
      else return false;
    }
    const snapshot = this.#host.snapshot?.(this);
    return snapshot === 'exact' || (snapshot === 'inexact' && this.#settings.inexactAfterMs === 0);
  }

  /**
   * Makes room because a budget is over its limit.
   * @internal
   */
  giveWay(): boolean {
    if (this.#maySkip()) {
      this.#skip();
      return true;
    }
    this.#pressedByBudget = true;
    this.#press(true);
    return false;
  }

  /**
   * Learns that the budget has room again.
   * @internal
   */
  roomAgain(): void {
    this.#pressedByBudget = false;
    queueMicrotask(() => this.#relieve());
  }

  /** A link that is fast enough is only seen so by what it carries: a viewer's lane still gets a window of what waits. */
  #skip(bytesKept = 0): void {
    this.#skips++;
    this.#drop(bytesKept);
    this.#ask();
  }

  /** Drops what waits; nothing more is taken until a snapshot is. */
  #drop(bytesKept = 0): void {
    this.#skipping = true;
    if (bytesKept === 0 || !this.#outbox.trim(bytesKept)) this.#outbox.drop();
    this.#snapshotBytes = 0;
    this.#pressedByBudget = false;
    if (this.#pressed) this.#press(false);
    this.#book();
  }

  /** Asks for a snapshot as soon as the sink has accepted what it had. */
  #ask(): void {
    if (this.#asking) return;
    const { writing } = this.#outbox;
    if (writing === undefined) {
      if (this.#state === 'open' && this.#skipping && !this.#hidden) {
        this.#host.resync?.(this, this.#resyncs === 0);
      }
      return;
    }
    this.#asking = true;
    writing.then(() => {
      this.#asking = false;
      this.#ask();
    });
  }

  /**
   * Delivers nothing until `restore`: bytes are missing, or the sink begins with a snapshot.
   * @internal
   */
  await(): void {
    this.#skipping = true;
  }

  /**
   * Delivers nothing until `show`, because nobody looks. A pipe that can't be given a snapshot, or is `lossless`, goes
   * on as before.
   * @internal
   */
  hide(): void {
    if (this.#hidden || this.#state !== 'open' || this.policy === 'lossless') return;
    if ((this.#host.snapshot?.(this) ?? 'never') === 'never') return;
    this.#hidden = true;
    this.#drop();
  }

  /**
   * Delivers again, beginning with a snapshot.
   * @internal
   */
  show(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    this.#ask();
  }

  /**
   * Queues a snapshot of the screen, which takes the place of everything skipped.
   * @internal
   */
  restore(snapshot: Uint8Array): void {
    if (this.#state !== 'open' || this.#hidden) return;
    if (this.#outbox.isOrphaned) {
      this.#skipping = true; // P2: a write that was dropped isn't accepted yet
      this.#ask();
      return;
    }
    this.#skipping = false;
    this.#resyncs++;
    if (this.policy === 'auto' && this.#skips > 0) {
      this.#lossyUntil = this.#host.clock.now() + keptUpNs;
    }
    this.#outbox.resetNext = this.#outbox.bytes === 0;
    // However large, it must get through before the pipe may skip again.
    this.#snapshotBytes += snapshot.length;
    const now = this.#host.clock.now();
    this.push(snapshot, 0, snapshot.length, now, now);
    this.flush();
  }

  /**
   * Writes what waits, as far as the sink takes it: called at the end of each read.
   * @internal
   */
  flush(): void {
    if (this.#state !== 'ended') this.#outbox.flush();
    this.#book();
    for (let index = 0; index < this.#budgets.length; index++) this.#budgets[index]!.enforce();
    if (this.#pressed) this.#relieve();
  }

  #delivered(): void {
    this.#book();
    if (this.#pressed) this.#relieve();
  }

  /** Books what it holds with its budgets. */
  #book(): void {
    const bytes = this.#state === 'ended' ? 0 : this.#outbox.heldBytes;
    const difference = bytes - this.heldBytes;
    if (difference === 0) return;
    this.heldBytes = bytes;
    for (let index = 0; index < this.#budgets.length; index++) {
      this.#budgets[index]!.book(difference);
    }
  }

  /**
   * Ends the pipe: takes nothing more, writes what waits, then closes the sink.
   *
   * @param options.timeoutMs - after which what still waits is given up (milliseconds)
   * @returns as `closed`
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<BridgeError | undefined> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      clearTimeout(this.#patience);
      this.#outbox.close(options).then(() => this.#end(undefined));
    }
    return this.closed;
  }

  /**
   * Ends the pipe with its session: writes what waits, then closes the sink and tells it why.
   * @internal
   */
  end(error: BridgeError | undefined, timeoutMs: number): Promise<BridgeError | undefined> {
    this.#sessionError = error;
    return this.close({ timeoutMs });
  }

  #press(pressed: boolean): void {
    if (this.#pressed === pressed) return;
    this.#pressed = pressed;
    clearTimeout(this.#patience);
    clearTimeout(this.#stalled);
    this.#host.pressure(this, pressed);
    if (pressed) this.#watchForStall(this.#outbox.bytesWritten);
    if (pressed && this.policy !== 'lossless') this.#bePatient();
  }

  /** Ends a pipe that holds its session up and accepts nothing. */
  #watchForStall(bytes: number): void {
    const { stalledMs } = this.#settings;
    if (stalledMs === 0) return;
    this.#stalled = setTimeout(() => {
      if (!this.#pressed || this.#state === 'ended') return;
      if (this.#outbox.bytesWritten !== bytes) this.#watchForStall(this.#outbox.bytesWritten);
      else {
        const text = `has accepted nothing for stalledMs=${stalledMs} ms and holds its session up`;
        this.#failWith(
          new BridgeError('ERR_SINK_STALLED', `the sink of pane ${this.pane} ${text}`),
        );
      }
    }, stalledMs);
    this.#stalled.unref?.();
  }

  #relieve(): void {
    if (!this.#pressed || this.#pressedByBudget) return;
    if (this.#outbox.bytes <= this.#limit.bytesLow) this.#press(false);
  }

  /** Skips when the sink has held its session up for as long as it may. */
  #bePatient(): void {
    if ((this.#host.snapshot?.(this) ?? 'never') === 'never') return;
    const { behindMs, inexactAfterMs } = this.#settings;
    const isBehind = this.lossy;
    const ageMs = (this.#host.clock.now() - this.#outbox.writingSince) / 1e6;
    this.#patience = setTimeout(
      () => {
        if (!this.#pressed || this.#outbox.writing === undefined || this.#state !== 'open') return;
        if (isBehind || this.#maySkip()) this.#skip();
        else this.#bePatient();
      },
      isBehind ? inexactAfterMs : Math.max(1, behindMs - ageMs),
    );
    this.#patience.unref?.();
  }

  #fail(cause: unknown): void {
    const error = new BridgeError(
      'ERR_SINK_FAILED',
      `the sink of pane ${this.pane} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
    this.#failWith(error);
  }

  /**
   * Ends it because it can't be given what it waits for.
   * @internal
   */
  fail(error: BridgeError): void {
    if (this.#state === 'open') this.#failWith(error);
  }

  #failWith(error: BridgeError): void {
    queueMicrotask(() => {
      this.#outbox.abort(error);
      this.#end(error); // P3
    });
    this.#state = 'closing';
  }

  #end(failure: BridgeError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#pressedByBudget = false;
    this.#press(false);
    this.#book();
    for (const budget of this.#budgets) budget.delete(this);
    this.#host.ended(this);
    const finish = (): void => this.#resolveClosed(failure);
    try {
      Promise.resolve(this.#sink.close?.(failure ?? this.#sessionError)).then(finish, finish);
    } catch {
      // The sink is being closed; there is nobody left to tell.
      finish();
    }
  }
}
