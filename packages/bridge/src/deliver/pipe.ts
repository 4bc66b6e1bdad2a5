/**
 * The batch and deliver stations: one pane's records on their way to one sink.
 *
 * While the sink keeps up, what a read brought is written at the end of that read's turn, in one write per pane.
 * While a write is under way, records are joined; the next write takes all of them. Above `bytesHigh` of joined
 * bytes the pipe is under pressure and its session stops reading, until it has fallen to `bytesLow`: the queue is
 * bounded by `bytesHigh` plus one read.
 *
 * P1: bytes reach the sink in the order of the stream, each exactly once, as long as the pipe is open and doesn't skip.
 * P2: at most one write is under way.
 * With `policy: 'latest'` a pipe over its limit doesn't hold up the session: what waits is dropped, what comes is
 * skipped, and when the sink has accepted what it had, a snapshot of the screen takes the place of what is missing.
 *
 * P3: a sink that fails ends its own pipe and no other; it is called no more, except for `close`.
 * P4: a pipe skips only while a snapshot is on its way, and only if the snapshot will be exact; else it is lossless.
 */
import { type Batch, type Batcher, createBatcher } from '@millrace/batcher';
import { BridgeError, checkInteger } from '../errors.ts';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder } from '../measure/stations.ts';
import type { Sink } from '../sinks/sink.ts';
import { type JoinedOutput, joinOutput, type OutputRange } from './coalesce.ts';

/** How a pipe is set up. */
export interface PipeOptions {
  /**
   * What happens to a sink that lags by `bytesHigh`: `lossless` holds the session up, `latest` skips what the sink
   * hasn't got and restores the screen exactly. `latest` begins with a snapshot of the screen. It acts as `lossless`
   * on a recording and before tmux 3.2, and while a pane's state can't be restored exactly. @defaultValue 'lossless'
   */
  readonly policy?: 'lossless' | 'latest';
  /** Rows above the screen that a snapshot restores on attach and after a gap (0 to 100000). @defaultValue 0 */
  readonly historyLines?: number;
  /** Joined bytes from which the session stops reading (bytes). @defaultValue 262144 */
  readonly bytesHigh?: number;
  /** Joined bytes at which it reads again (bytes). @defaultValue a quarter of `bytesHigh` */
  readonly bytesLow?: number;
}

/** What a pipe has carried. */
export interface PipeStats {
  /** Bytes written to the sink. */
  readonly bytes: number;
  /** Records of tmux that they came in. */
  readonly records: number;
  /** Writes that they left in. */
  readonly writes: number;
  /** Bytes that wait or are being written. */
  readonly pendingBytes: number;
  /** Whether it delivers nothing now because a snapshot is on its way. */
  readonly skipping: boolean;
  /** Times that the sink lagged too far and its queue was dropped. */
  readonly skips: number;
  /** Snapshots that replaced what was missing. */
  readonly resyncs: number;
  /** Bytes that the snapshots replaced. */
  readonly bytesSkipped: number;
}

/** What a pipe needs of its session. */
export interface PipeHost {
  readonly clock: Clock;
  readonly stations: StationRecorder;
  /** Learns that the pipe is, or is no longer, under pressure. */
  pressure(pipe: Pipe, pressed: boolean): void;
  /** Whether a pipe of policy `latest` may skip now: a snapshot of its pane would be exact. */
  maySkip?(pipe: Pipe): boolean;
  /** Learns that a pipe has skipped, and that its sink is ready for a snapshot. */
  resync?(pipe: Pipe): void;
  /** Learns that the pipe has ended. */
  ended(pipe: Pipe): void;
}

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
  readonly #sink: Sink;
  readonly #host: PipeHost;
  /** How it treats a sink that lags. */
  readonly policy: 'lossless' | 'latest';
  /**
   * Rows of history that its snapshots restore.
   * @internal
   */
  readonly historyLines: number;
  #batcher: Batcher<OutputRange, number, JoinedOutput>;
  readonly #bytesHigh: number;
  readonly #bytesLow: number;
  readonly #range: OutputRange;
  #resolveClosed!: (error: BridgeError | undefined) => void;
  #state: 'open' | 'closing' | 'ended' = 'open';
  #sessionError: BridgeError | undefined;
  /**
   * Set by the session while the pipe has records of the current read.
   * @internal
   */
  touched = false;
  #pressed = false;
  #skipping = false;
  /** The write under way, if there is one. */
  #writing: PromiseLike<unknown> | undefined;
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
    this.#bytesHigh = options.bytesHigh ?? 1 << 18;
    this.#bytesLow = options.bytesLow ?? this.#bytesHigh >> 2;
    if (!(this.#bytesHigh >= 1)) {
      throw new BridgeError(
        'ERR_BRIDGE_ARGUMENT',
        `bytesHigh must be 1 or more: bytesHigh=${this.#bytesHigh}`,
      );
    }
    if (!(this.#bytesLow >= 0 && this.#bytesLow <= this.#bytesHigh)) {
      throw new BridgeError(
        'ERR_BRIDGE_ARGUMENT',
        `bytesLow must be from 0 to bytesHigh=${this.#bytesHigh}: bytesLow=${this.#bytesLow}`,
      );
    }
    this.#range = { bytes: new Uint8Array(0), start: 0, end: 0, readAt: 0, queuedAt: 0 };
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.policy = options.policy ?? 'lossless';
    if (this.policy !== 'lossless' && this.policy !== 'latest') {
      throw new BridgeError(
        'ERR_BRIDGE_ARGUMENT',
        `policy must be 'lossless' or 'latest': policy=${String(this.policy)}`,
      );
    }
    this.historyLines = options.historyLines ?? 0;
    checkInteger('historyLines', this.historyLines, 0, 100_000);
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
        if (this.#pressed) queueMicrotask(() => this.#relieve());
      },
      bytesMax: this.#bytesHigh * 2,
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
      pendingBytes: this.#batcher.bytes,
      skipping: this.#skipping,
      skips: this.#skips,
      resyncs: this.#resyncs,
      bytesSkipped: this.#bytesSkipped,
    };
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
    if (this.#batcher.bytes < this.#bytesHigh + this.#snapshotBytes) return;
    if (this.policy === 'latest' && this.#writing !== undefined && this.#host.maySkip?.(this)) {
      this.#skip(); // P4
    } else if (!this.#pressed) this.#press(true);
  }

  /** Drops what waits; when the write under way has been accepted, asks for a snapshot. */
  #skip(): void {
    const { undelivered } = this.#batcher.abort();
    for (const entry of undelivered) this.#bytesSkipped += entry.value.length;
    this.#batcher = this.#createBatcher();
    this.#skips++;
    this.#skipping = true;
    if (this.#pressed) this.#press(false);
    const ask = (): void => {
      if (this.#state === 'open' && this.#skipping) this.#host.resync?.(this);
    };
    if (this.#writing === undefined) ask();
    else this.#writing.then(ask, () => {});
  }

  /**
   * Delivers nothing until `restore`: bytes are missing, or the sink begins with a snapshot.
   * @internal
   */
  await(): void {
    this.#skipping = true;
  }

  /**
   * Queues a snapshot of the screen, which takes the place of everything skipped.
   * @internal
   */
  restore(snapshot: Uint8Array): void {
    this.#skipping = false;
    if (this.#state !== 'open') return;
    this.#resyncs++;
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
    if (this.#pressed) this.#relieve();
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
      const writing = this.#skips > 0 ? this.#writing : undefined;
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
    try {
      pending =
        entries.length === 1
          ? this.#writeOne(entries[0]!.value)
          : this.#writeAll(
              entries.map((entry) => entry.value),
              0,
            );
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    if (pending === undefined) {
      stations.sink.recordCount(clock.now() - calledAt, count);
      return undefined;
    }
    const written = Promise.resolve(pending).then(
      () => {
        this.#writing = undefined;
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
  #writeAll(all: readonly JoinedOutput[], first: number): undefined | PromiseLike<unknown> {
    for (let index = first; index < all.length; index++) {
      const pending = this.#writeOne(all[index]!);
      if (pending !== undefined) return pending.then(() => this.#writeAll(all, index + 1)); // P2
    }
    return undefined;
  }

  #press(pressed: boolean): void {
    this.#pressed = pressed;
    this.#host.pressure(this, pressed);
  }

  #relieve(): void {
    if (this.#pressed && this.#batcher.bytes <= this.#bytesLow) this.#press(false);
  }

  #fail(cause: unknown): void {
    const error = new BridgeError(
      'ERR_SINK_FAILED',
      `the sink of pane ${this.pane} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    );
    queueMicrotask(() => {
      this.#batcher.abort(error);
      this.#end(error); // P3
    });
    this.#state = 'closing';
  }

  #end(failure: BridgeError | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    if (this.#pressed) this.#press(false);
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
