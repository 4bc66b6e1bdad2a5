/**
 * The batch and deliver stations' mechanics: what waits for one sink, and the write under way.
 *
 * ```text
 *  push ──▶ next ── flush, at the end of the read; else when the sink is free ──▶ sent ──▶ sink.write
 *    └─── while `next` is full ──▶ batcher, which decides how much a write takes ───────────┘
 * ```
 *
 * A sink that keeps up, or is busy for a moment, needs two buffers and no decision. Most sinks always do, so the batcher
 * is made when one first lags by more than a buffer.
 *
 * O1: bytes leave in the order in which they came: `next` is only added to while the batcher is empty, and leaves first.
 * O2: at most one write is under way. One that was dropped (`drop`) counts until the sink has settled it.
 * O3: after a failure, `close` or `abort` the sink isn't written to again.
 * O4: the sink learns the pane's size between two writes: at once if none is under way, after all that came before it.
 * O5: a viewer's lane takes of a write what its window has room for; the rest leaves first in the next write, and doesn't
 *     count as written before.
 *
 * Cost: a record is copied once, what a lane left over once more; a write costs a view, and a promise if the sink returned one.
 */
import { type Batch, type Batcher, createBatcher } from '@millrace/batcher';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder } from '../measure/stations.ts';
import type { Sink } from '../sinks/sink.ts';
import {
  appendRecord,
  clearJoined,
  createJoined,
  type JoinedOutput,
  joinOutput,
  type OutputRange,
} from './coalesce.ts';

const pieceBytesMax = 65_536;

/** What an outbox needs of its pipe. */
export interface OutboxHost {
  readonly clock: Clock;
  readonly stations: StationRecorder;
  /**
   * Learns that a write has been accepted, or a piece of it. Another may be about to begin.
   *
   * @param bytesLeft - that were in it, or wait behind it
   */
  delivered(bytesLeft: number): void;
  /** Learns that the sink threw or rejected. */
  failed(cause: unknown): void;
}

/** A sink that hands a write on in pieces, and may settle it after the first. */
export interface PieceSink {
  /** Bytes at the end of the write, under way or settled, that it hasn't handed on. */
  readonly rest: number;
  /** As `write`, but it may settle before all is accepted: `rest` says how much is to be written again. */
  writeSome(bytes: Uint8Array): undefined | PromiseLike<unknown>;
  /** Leaves out all but the first `bytes` of the rest. */
  trim(bytes: number): void;
}

/** Bytes on their way to one sink. */
export class Outbox {
  readonly #pane: number;
  readonly #sink: Sink;
  readonly #host: OutboxHost;
  readonly #bytesMax: number;
  readonly #lane: PieceSink | undefined;
  /** A sink is given no more at a time, as the batcher cuts its entries. */
  readonly #pieceBytes: number;
  readonly #range: OutputRange = {
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    readAt: 0,
    queuedAt: 0,
  };
  /** What leaves next without the batcher, and what is under way so. */
  #next: JoinedOutput = createJoined();
  #sent: JoinedOutput = createJoined();
  #nextRecords = 0;
  /** Bytes of `sent` that count: not those of a write that was dropped. */
  #sentBytes = 0;
  #batcher: Batcher<OutputRange, number, JoinedOutput> | undefined;
  #inWrite = false;
  #isOver = false;
  /** The write under way, if there is one: its size, the age of its oldest byte, and since which drop. */
  #writing: Promise<void> | undefined;
  #writingBytes = 0;
  #writingSince = 0;
  #writingGeneration = 0;
  /** Counts the drops: what was dropped may still have a write under way. */
  #generation = 0;
  /** Whether the next write begins with a snapshot and nothing else. */
  resetNext = false;
  /** The pane's size, and whether the sink is still to be told (O4). */
  #columns = 0;
  #rows = 0;
  #sizeNext = false;
  /** Bytes, records and writes that the sink was given, and bytes that it wasn't. */
  bytesWritten = 0;
  records = 0;
  writes = 0;
  bytesDropped = 0;

  /**
   * @param bytesMax - most that waits in one batch (bytes)
   * @param lane - the sink, if it cuts its writes itself
   */
  constructor(pane: number, sink: Sink, host: OutboxHost, bytesMax: number, lane?: PieceSink) {
    this.#pane = pane;
    this.#sink = sink;
    this.#host = host;
    this.#bytesMax = bytesMax;
    this.#lane = lane;
    this.#pieceBytes = lane === undefined ? Math.min(pieceBytesMax, bytesMax / 8) : Infinity;
  }

  /** Bytes that wait or are being written; of a write that was dropped, none. */
  get bytes(): number {
    return (
      this.#next.length + this.#sentBytes + (this.#batcher === undefined ? 0 : this.#batcher.bytes)
    );
  }

  /** Bytes that are held for the sink; a write that was dropped counts if the sink holds on to its bytes. */
  get heldBytes(): number {
    const isHeld = this.isOrphaned && this.#sink.abandon === undefined;
    return this.bytes + (isHeld ? this.#writingBytes : 0);
  }

  /** Resolves when the write under way has been accepted or refused; undefined if there is none. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  /** When the oldest byte of the write under way came (ns). */
  get writingSince(): number {
    return this.#writingSince;
  }

  /** Whether a write is under way that was dropped. */
  get isOrphaned(): boolean {
    return this.#writing !== undefined && this.#writingGeneration !== this.#generation;
  }

  /** Takes a record; the bytes are copied before the call returns. */
  push(bytes: Uint8Array, start: number, end: number, readAt: number, queuedAt: number): void {
    const range = this.#range;
    range.bytes = bytes;
    range.start = start;
    range.end = end;
    range.readAt = readAt;
    range.queuedAt = queuedAt;
    this.records++;
    if (this.#next.length >= this.#pieceBytes) this.flush();
    const batcher = this.#batcher;
    if (this.#next.length < this.#pieceBytes && (batcher === undefined || batcher.bytes === 0)) {
      appendRecord(this.#next, range); // O1
      this.#nextRecords++;
    } else {
      this.#batcher = batcher ?? this.#createBatcher();
      this.#batcher.push(range, this.#pane);
    }
  }

  /** Writes what waits, as far as the sink takes it. */
  flush(): void {
    if (this.#isOver || this.#inWrite) return;
    if (this.#next.length > 0 && this.#writing === undefined) this.#writeNext();
    if (this.#batcher !== undefined && this.#batcher.bytes > 0) this.#batcher.flush();
  }

  /** Learns the pane's size (O4). */
  resize(columns: number, rows: number): void {
    if (this.#sink.resize === undefined) return;
    if (columns === this.#columns && rows === this.#rows) return;
    this.flush();
    this.#columns = columns;
    this.#rows = rows;
    this.#sizeNext = true;
    this.#tellSizeIfFree();
  }

  #tellSizeIfFree(): void {
    if (!this.#sizeNext || this.#writing !== undefined || this.#inWrite || this.#isOver) return;
    try {
      this.#tellSize();
    } catch (error) {
      this.#fail(error);
    }
  }

  #tellSize(): void {
    if (!this.#sizeNext) return;
    this.#sizeNext = false;
    this.#sink.resize!(this.#columns, this.#rows);
  }

  /**
   * Gives up what waits, but for its first `bytes`, which are written as usual.
   *
   * @returns false, and does nothing, if the sink doesn't cut its writes, or the one under way was dropped
   */
  trim(bytes: number): boolean {
    const lane = this.#lane;
    if (lane === undefined || this.#writing === undefined || this.isOrphaned) return false;
    const before = lane.rest;
    const kept = Math.min(before, bytes);
    lane.trim(kept);
    this.#sentBytes = Math.max(0, this.#sentBytes - (before - kept));
    const surplus = this.#next.length - (bytes - kept);
    this.bytesDropped += before - kept;
    if (surplus > 0) {
      this.#next.length -= surplus;
      this.bytesDropped += surplus;
    }
    if (this.#next.length === 0) this.#clearNext();
    this.#dropBatches();
    return true;
  }

  #dropBatches(): void {
    if (this.#batcher === undefined) return;
    const { undelivered } = this.#batcher.abort();
    for (const entry of undelivered) this.bytesDropped += entry.value.length;
    this.#batcher = undefined;
  }

  /** Gives up what waits, and what the sink hasn't accepted; the sink learns of it (`abandon`). */
  drop(): void {
    this.bytesDropped += this.#next.length;
    this.#clearNext();
    this.#sentBytes = 0;
    this.#dropBatches();
    this.#generation++;
    this.resetNext = false;
    if (this.#writing !== undefined) this.#sink.abandon?.();
  }

  /** Writes what waits and resolves when the sink has accepted it, or refused, or after `timeoutMs`. */
  async close(options: { readonly timeoutMs?: number }): Promise<void> {
    this.flush();
    const batched = this.#batcher?.close(options);
    await Promise.allSettled([batched, this.#atRest(options.timeoutMs)]);
    this.abort(undefined);
  }

  /** Resolves when no write is under way and none follows, or after `timeoutMs`. */
  #atRest(timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      const look = (): void => {
        if (this.#writing !== undefined) {
          this.#writing.then(look);
          return;
        }
        clearTimeout(timer);
        resolve();
      };
      look();
    });
  }

  /** Gives up everything, for good. */
  abort(reason: unknown): void {
    this.#isOver = true; // O3
    this.#batcher?.abort(reason);
    this.#clearNext();
  }

  #createBatcher(): Batcher<OutputRange, number, JoinedOutput> {
    const batcher = createBatcher({
      flush: (batch: Batch<number, JoinedOutput>) => this.#writeBatch(batch),
      merge: joinOutput,
      hold: 'none',
      // A lag is the session's or the policy's affair, not a reason for smaller writes: a sink that answers late, however
      // little it gets, would be given ever less.
      sojournMs: 60_000,
      onDelivered: () => this.#host.delivered(0),
      bytesMax: this.#bytesMax,
      // The session stops reading long before; a lossless pipe must never be refused a record.
      pendingBytesMax: Number.POSITIVE_INFINITY,
    });
    batcher.closed.catch(() => {});
    return batcher;
  }

  #clearNext(): void {
    clearJoined(this.#next);
    this.#nextRecords = 0;
  }

  #writeNext(): void {
    const calledAt = this.#host.clock.now();
    const joined = this.#next;
    const records = this.#nextRecords;
    this.#next = this.#sent;
    this.#nextRecords = 0;
    this.#sent = joined;
    this.#sentBytes = joined.length;
    this.#age(joined, records, calledAt);
    let pending: undefined | PromiseLike<unknown>;
    try {
      this.#prepare();
      pending = this.#writeOne(joined);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (pending !== undefined) {
      this.#await(pending, joined, joined.length, records, calledAt);
      return;
    }
    this.#host.stations.sink.recordCount(this.#host.clock.now() - calledAt, records);
    this.#clearSent();
    this.#host.delivered(0);
  }

  /** A write has settled: what its sink wasn't given of it leaves first in the next one (O5). */
  #settled(calledAt: number): void {
    const rest = this.#lane?.rest ?? 0;
    const sent = this.#sent;
    if (rest === 0 || this.#isOver || this.#sentBytes === 0) {
      this.#clearSent();
      return;
    }
    const taken = sent.length - rest;
    // Its bytes came one after the other: so much younger is the oldest that is left.
    const age = (calledAt - sent.queuedAt) * (taken / sent.length);
    sent.readAt += age;
    sent.queuedAt += age;
    sent.bytes.copyWithin(0, taken, sent.length);
    sent.length = rest;
    this.bytesWritten -= rest;
    const range = this.#range;
    range.bytes = this.#next.bytes;
    range.start = 0;
    range.end = this.#next.length;
    appendRecord(sent, range);
    this.#sent = this.#next;
    this.#next = sent;
    this.#clearSent();
  }

  #clearSent(): void {
    clearJoined(this.#sent);
    this.#sentBytes = 0;
  }

  /** Takes a batch from the batcher: one entry, unless a backlog was cut by bytes. */
  #writeBatch(batch: Batch<number, JoinedOutput>): undefined | PromiseLike<unknown> {
    if (this.#nextRecords > 0 && this.#writing === undefined) this.#writeNext(); // O1
    const { bytes } = batch;
    const generation = this.#generation;
    const before = this.#writing;
    if (before !== undefined) {
      // What leaves before it is written by then: a write that settles is followed by `next`.
      return before.then(() => {
        if (generation === this.#generation && !this.#isOver) return this.#writeBatch(batch); // O2
        this.bytesDropped += bytes;
        return undefined;
      });
    }
    if (this.#isOver) return undefined;
    const { entries, count } = batch;
    const calledAt = this.#host.clock.now();
    for (let index = 0; index < entries.length; index++) {
      this.#age(entries[index]!.value, entries[index]!.count, calledAt);
    }
    let pending: undefined | PromiseLike<unknown>;
    try {
      this.#prepare();
      const all = entries.map((entry) => entry.value);
      pending = entries.length === 1 ? this.#writeOne(all[0]!) : this.#writeAll(all, 0, generation);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    if (pending === undefined) {
      this.#host.stations.sink.recordCount(this.#host.clock.now() - calledAt, count);
      return undefined;
    }
    return this.#await(pending, entries[0]!.value, bytes, count, calledAt);
  }

  #age(joined: JoinedOutput, records: number, calledAt: number): void {
    const { stations } = this.#host;
    stations.batch.recordCount(calledAt - joined.queuedAt, records);
    stations.total.recordCount(calledAt - joined.readAt, records);
  }

  /** Tells the sink what it must know before it is written to. */
  #prepare(): void {
    this.#tellSize();
    const isReset = this.resetNext;
    this.resetNext = false;
    if (isReset) this.#sink.reset?.();
  }

  /** Waits for a write that the sink hasn't accepted at once. */
  #await(
    pending: PromiseLike<unknown>,
    first: JoinedOutput,
    bytes: number,
    records: number,
    calledAt: number,
  ): Promise<void> {
    const { clock, stations } = this.#host;
    this.#writingBytes = bytes;
    this.#writingGeneration = this.#generation;
    this.#writingSince = first.queuedAt;
    const written = Promise.resolve(pending).then(
      () => {
        this.#writing = undefined;
        // A sink may accept when its session has ended, and the session's histograms with it.
        if (!this.#isOver) stations.sink.recordCount(clock.now() - calledAt, records);
        if (first === this.#sent) this.#settled(calledAt);
        this.#host.delivered(this.#lane === undefined ? 0 : this.#next.length);
        if (this.#next.length > 0) this.flush();
        this.#tellSizeIfFree();
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
    this.bytesWritten += joined.length;
    this.writes++;
    this.#inWrite = true;
    try {
      const bytes = joined.bytes.subarray(0, joined.length);
      const result =
        this.#lane === undefined ? this.#sink.write(bytes) : this.#lane.writeSome(bytes);
      return typeof result?.then === 'function' ? result : undefined;
    } finally {
      this.#inWrite = false;
    }
  }

  /** Writes one after the other; in one go as long as the sink accepts at once. */
  #writeAll(
    all: readonly JoinedOutput[],
    first: number,
    generation: number,
  ): undefined | PromiseLike<unknown> {
    for (let index = first; index < all.length; index++) {
      if (generation !== this.#generation) {
        for (const dropped of all.slice(index)) this.bytesDropped += dropped.length;
        return undefined;
      }
      const pending = this.#writeOne(all[index]!);
      if (pending !== undefined) {
        return pending.then(() => this.#writeAll(all, index + 1, generation)); // O2
      }
    }
    return undefined;
  }

  #fail(cause: unknown): void {
    this.#isOver = true; // O3
    this.#host.failed(cause);
  }
}
