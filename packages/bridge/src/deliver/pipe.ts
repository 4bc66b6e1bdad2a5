/**
 * The batch and deliver stations: one pane's records on their way to one sink.
 *
 * While the sink keeps up, what a read brought is written at the end of that read's turn, in one write per pane.
 * While a write is under way, records are joined; the next write takes all of them. At `bytesHigh` of joined bytes the
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
 */
import { type Batch, type Batcher, createBatcher } from '@millrace/batcher';
import { BridgeError } from '../errors.ts';
import type { ByteBudget } from '../flow/budget.ts';
import type { Sink } from '../sinks/sink.ts';
import { type JoinedOutput, joinOutput, type OutputRange } from './coalesce.ts';
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

/** Resolves when a write has been accepted or refused, or after `timeoutMs`. */
function settled(writing: PromiseLike<unknown> | undefined, timeoutMs?: number): Promise<void> {
  if (writing === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    writing.then(finish, finish);
  });
}

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
  readonly #range: OutputRange;
  #batcher: Batcher<OutputRange, number, JoinedOutput>;
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
  /** Whether the next write begins with a snapshot and nothing else. */
  #resetNext = false;
  /** Until when an `auto` pipe skips rather than holds its session up (ns). */
  #lossyUntil = Number.NEGATIVE_INFINITY;
  /** The write under way, if there is one: its size, the age of its oldest byte, and which batcher's it is. */
  #writing: PromiseLike<unknown> | undefined;
  #writingBytes = 0;
  #writingSince = 0;
  #writingGeneration = 0;
  /** Counts the batchers: one that was dropped may still have a write under way. */
  #generation = 0;
  /** Bytes of snapshots that wait or are being written. */
  #snapshotBytes = 0;
  #skips = 0;
  #resyncs = 0;
  #bytesSkipped = 0;
  #bytes = 0;
  #records = 0;
  #writes = 0;

  /** @internal */
  constructor(pane: number, sink: Sink, host: PipeHost, options: PipeOptions) {
    this.pane = pane;
    this.#sink = sink;
    this.#host = host;
    this.#settings = pipeSettings(options);
    this.policy = this.#settings.policy;
    this.#limit = this.#settings.limit;
    this.#budgets = [options.shared?.budget, host.budget].filter((budget) => budget !== undefined);
    for (const budget of this.#budgets) budget.add(this);
    this.#range = { bytes: new Uint8Array(0), start: 0, end: 0, readAt: 0, queuedAt: 0 };
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#batcher = this.#createBatcher();
  }

  #createBatcher(): Batcher<OutputRange, number, JoinedOutput> {
    const batcher = createBatcher({
      flush: (batch: Batch<number, JoinedOutput>) => this.#write(batch),
      merge: joinOutput,
      hold: 'none',
      // A lag is the session's or the policy's affair, not a reason for smaller writes: a sink that answers late, however
      // little it gets, would be given ever less.
      sojournMs: 60_000,
      onDelivered: () => {
        this.#snapshotBytes = 0;
        // Judged when the batcher has come to rest: it may be about to deliver more.
        if (this.#pressed || this.heldBytes > 0) queueMicrotask(() => this.#delivered());
      },
      bytesMax: this.#settings.bytesMax,
      // The session stops reading long before; a lossless pipe must never be refused a record (P1).
      pendingBytesMax: Number.POSITIVE_INFINITY,
    });
    batcher.closed.catch(() => {});
    return batcher;
  }

  /** What the pipe has carried so far. */
  get stats(): PipeStats {
    return {
      bytes: this.#bytes,
      records: this.#records,
      writes: this.#writes,
      pendingBytes: this.#pendingBytes,
      skipping: this.#skipping,
      hidden: this.#hidden,
      lossy: this.lossy,
      skips: this.#skips,
      resyncs: this.#resyncs,
      bytesSkipped: this.#bytesSkipped,
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

  /** Bytes that wait or are being written; a write that was dropped counts if its sink holds on to its bytes. */
  get #pendingBytes(): number {
    const isHeld = this.#isOrphaned && this.#sink.abandon === undefined;
    return this.#batcher.bytes + (isHeld ? this.#writingBytes : 0);
  }

  /** Whether a write is under way that was dropped. */
  get #isOrphaned(): boolean {
    return this.#writing !== undefined && this.#writingGeneration !== this.#generation;
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
    const range = this.#range;
    range.bytes = bytes;
    range.start = start;
    range.end = end;
    range.readAt = readAt;
    range.queuedAt = queuedAt;
    this.#records++;
    this.#batcher.push(range, this.pane);
    if (this.#batcher.bytes >= this.#limit.bytesHigh + this.#snapshotBytes) this.#full();
  }

  /** P5: the sink must take it now, or it lags. */
  #full(): void {
    if (this.#writing === undefined) {
      this.#batcher.flush();
      if (this.#batcher.bytes < this.#limit.bytesHigh + this.#snapshotBytes) return;
    }
    if (!this.#maySkip()) this.#press(true);
    else this.#skip();
  }

  /** P4: whether it skips now. A sink with nothing under way is about to take more. */
  #maySkip(): boolean {
    if (this.policy === 'lossless' || this.#writing === undefined) return false;
    if (this.policy === 'auto') {
      const now = this.#host.clock.now();
      const isBehind = now - this.#writingSince >= this.#settings.behindMs * 1e6;
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

  #skip(): void {
    this.#skips++;
    this.#drop();
    this.#ask();
  }

  /** Drops what waits; nothing is delivered until a snapshot is. */
  #drop(): void {
    this.#skipping = true;
    const { undelivered } = this.#batcher.abort();
    for (const entry of undelivered) this.#bytesSkipped += entry.value.length;
    this.#batcher = this.#createBatcher();
    this.#generation++;
    this.#snapshotBytes = 0;
    this.#resetNext = false;
    this.#pressedByBudget = false;
    if (this.#pressed) this.#press(false);
    if (this.#writing !== undefined) this.#sink.abandon?.();
    this.#book();
  }

  /** Asks for a snapshot as soon as the sink has accepted what it had. */
  #ask(): void {
    if (this.#asking) return;
    if (this.#writing === undefined) {
      if (this.#state === 'open' && this.#skipping && !this.#hidden) {
        this.#host.resync?.(this, this.#resyncs === 0);
      }
      return;
    }
    this.#asking = true;
    this.#writing.then(
      () => {
        this.#asking = false;
        this.#ask();
      },
      () => {},
    );
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
    if (this.#isOrphaned) {
      this.#skipping = true; // P2: a write that was dropped isn't accepted yet
      this.#ask();
      return;
    }
    this.#skipping = false;
    this.#resyncs++;
    if (this.policy === 'auto' && this.#skips > 0) {
      this.#lossyUntil = this.#host.clock.now() + keptUpNs;
    }
    this.#resetNext = this.#batcher.bytes === 0;
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
    if (this.#state !== 'ended') this.#batcher.flush();
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
    const bytes = this.#state === 'ended' ? 0 : this.#pendingBytes;
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
      const writing = this.#generation > 0 ? this.#writing : undefined;
      Promise.allSettled([this.#batcher.close(options), settled(writing, options.timeoutMs)]).then(
        () => this.#end(undefined),
      );
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

  /** Takes a batch from the batcher: one entry, unless a backlog was cut by bytes. */
  #write(batch: Batch<number, JoinedOutput>): undefined | PromiseLike<unknown> {
    const { clock, stations } = this.#host;
    const { entries, count } = batch;
    const calledAt = clock.now();
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index]!;
      stations.batch.recordCount(calledAt - entry.value.queuedAt, entry.count);
      stations.total.recordCount(calledAt - entry.value.readAt, entry.count);
    }
    let pending: undefined | PromiseLike<unknown>;
    const bytes = batch.bytes;
    try {
      if (this.#resetNext) this.#sink.reset?.();
      this.#resetNext = false;
      pending =
        entries.length === 1
          ? this.#writeOne(entries[0]!.value)
          : this.#writeAll(
              entries.map((entry) => entry.value),
              0,
              this.#generation,
            );
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    if (pending === undefined) {
      stations.sink.recordCount(clock.now() - calledAt, count);
      return undefined;
    }
    this.#writingBytes = bytes;
    this.#writingGeneration = this.#generation;
    this.#writingSince = entries[0]!.value.queuedAt;
    const written = Promise.resolve(pending).then(
      () => {
        this.#writing = undefined;
        if (this.heldBytes > 0) queueMicrotask(() => this.#delivered());
        stations.sink.recordCount(clock.now() - calledAt, count);
      },
      (error) => {
        this.#writing = undefined;
        this.#fail(error);
      },
    );
    this.#writing = written;
    return written;
  }

  #writeOne(joined: JoinedOutput): undefined | PromiseLike<unknown> {
    this.#bytes += joined.length;
    this.#writes++;
    const result = this.#sink.write(joined.bytes.subarray(0, joined.length));
    return typeof result?.then === 'function' ? result : undefined;
  }

  /** Writes one after the other; in one go as long as the sink accepts at once. */
  #writeAll(
    all: readonly JoinedOutput[],
    first: number,
    generation: number,
  ): undefined | PromiseLike<unknown> {
    for (let index = first; index < all.length; index++) {
      if (generation !== this.#generation) {
        for (const dropped of all.slice(index)) this.#bytesSkipped += dropped.length;
        return undefined;
      }
      const pending = this.#writeOne(all[index]!);
      if (pending !== undefined) {
        return pending.then(() => this.#writeAll(all, index + 1, generation)); // P2
      }
    }
    return undefined;
  }

  #press(pressed: boolean): void {
    if (this.#pressed === pressed) return;
    this.#pressed = pressed;
    clearTimeout(this.#patience);
    clearTimeout(this.#stalled);
    this.#host.pressure(this, pressed);
    if (pressed) this.#watchForStall(this.#bytes);
    if (pressed && this.policy !== 'lossless') this.#bePatient();
  }

  /** Ends a pipe that holds its session up and accepts nothing. */
  #watchForStall(bytes: number): void {
    const { stalledMs } = this.#settings;
    if (stalledMs === 0) return;
    this.#stalled = setTimeout(() => {
      if (!this.#pressed || this.#state === 'ended') return;
      if (this.#bytes !== bytes) this.#watchForStall(this.#bytes);
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
    if (this.#batcher.bytes <= this.#limit.bytesLow) this.#press(false);
  }

  /** Skips when the sink has held its session up for as long as it may. */
  #bePatient(): void {
    if ((this.#host.snapshot?.(this) ?? 'never') === 'never') return;
    const { behindMs, inexactAfterMs } = this.#settings;
    const isBehind = this.lossy;
    const ageMs = (this.#host.clock.now() - this.#writingSince) / 1e6;
    this.#patience = setTimeout(
      () => {
        if (!this.#pressed || this.#writing === undefined || this.#state !== 'open') return;
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

  #failWith(error: BridgeError): void {
    queueMicrotask(() => {
      this.#batcher.abort(error);
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
