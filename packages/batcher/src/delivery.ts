/**
 * Delivers one batch after the other to the sink, and stays with a batch until it is delivered, dropped or failed.
 *
 *     take ─▶ run ─▶ flush(batch) ─▶ settled ─▶ learn ─▶ release ─▶ the owner decides about the next
 *              ▲         └─ failed ─▶ backoff ─┐
 *              └──────── the same batch ◀──────┘  tries used up: onError: retry, split, drop, fail
 *
 * Invariants (B1 and B2 of batcher.ts)
 * - B1: at most one flush runs, so batches settle in the order in which they were taken.
 * - B2: what was taken from the lanes is in the batch or in a part that waits at the head.
 * - B6: after `abandon` nothing of the flush that still runs has an effect, also when it was called from inside.
 *
 * One thread. Cost: O(entries) per batch, no allocation but for failures.
 */
import { BatcherFlushError, throwLater } from './errors.ts';
import type { Lanes, Segment } from './lanes.ts';
import type { CostModel } from './law/cost-model.ts';
import { FREE_US, type Law } from './law/law.ts';
import type { LazySignal } from './lazy-signal.ts';
import type { FlushReport, Settings } from './options.ts';
import type { Pressure } from './pressure.ts';
import { RunningBatch } from './running-batch.ts';

/** Flushes that are all timed, until the cost is known well. */
const SAMPLED_ALWAYS = 64;

/** What the owner of a delivery is told. */
export interface DeliveryOwner {
  /** A batch is done with, one way or the other: release it. */
  onFree(): void;
  /** The sink got free outside the owner's own calls, at `now` (ms). */
  onSettled(now: number): void;
  /** A batch was given up. */
  onDropped(now: number): void;
  /** A batch failed for good. */
  onFailed(error: BatcherFlushError): void;
}

/** The sink's side of a batcher. */
export class Delivery<Item, Key, Value> {
  /** The batch that the sink has. */
  readonly batch: RunningBatch<Key, Value>;
  /** The sink has a batch: it runs, or waits for its next try. */
  busy = false;
  /** Start of the newest flush (ms). */
  startedMs = 0;
  delivered = 0;
  dropped = 0;
  flushes = 0;
  failures = 0;
  readonly #settings: Settings<Item, Key, unknown, Value>;
  readonly #lanes: Lanes<Item, Key, unknown, Value>;
  readonly #law: Law | null;
  readonly #cost: CostModel;
  readonly #pressure: Pressure<Item, Key, unknown, Value>;
  readonly #owner: DeliveryOwner;
  readonly #failure: LazySignal;
  /** Parts of a batch that was split. */
  readonly #heads: Segment<Key, unknown, Value>[][] = [];
  /** Bytes and items of these parts. */
  #headBytes = 0;
  #headCount = 0;
  /** The sink's code runs or its promise is pending. */
  #running = false;
  #retryWake: unknown;
  /** Time of the synchronous part of a flush whose promise is pending (us), else -1. */
  #costUs = -1;
  /** Counts `abandon`: what an earlier one gave up is ignored (B6). */
  #generation = 0;

  constructor(
    settings: Settings<Item, Key, unknown, Value>,
    lanes: Lanes<Item, Key, unknown, Value>,
    law: Law | null,
    cost: CostModel,
    pressure: Pressure<Item, Key, unknown, Value>,
    owner: DeliveryOwner,
    failure: LazySignal,
  ) {
    this.#settings = settings;
    this.#lanes = lanes;
    this.#law = law;
    this.#cost = cost;
    this.#pressure = pressure;
    this.#owner = owner;
    this.#failure = failure;
    this.batch = new RunningBatch(failure);
  }

  /** Whether parts of a split batch wait to be tried. */
  get hasHeads(): boolean {
    return this.#heads.length > 0;
  }

  /** Bytes taken and not done with. */
  get bytes(): number {
    return this.batch.bytes + this.#headBytes;
  }

  /** Items that were taken and wait for another flush than the running one. */
  get headCount(): number {
    return this.#headCount;
  }

  /** Takes the next batch: a part of a split one, else from the lanes (then it returns true). */
  take(): boolean {
    const { batch } = this;
    const part = this.#heads.length > 0 ? this.#heads.shift() : undefined;
    if (part === undefined) {
      this.#lanes.take(batch.segments, this.#pressure.batchBytes, this.#settings.countMax);
      batch.attempt = 1;
    } else {
      for (const segment of part) batch.segments.push(segment);
      this.#measureHeads();
      batch.attempt = this.#settings.attemptsMax; // a part of a failed batch gets one try
    }
    batch.measure();
    this.busy = true; // B1
    return part === undefined;
  }

  #measureHeads(): void {
    this.#headBytes = this.#headCount = 0;
    for (const part of this.#heads) {
      for (const { bytes, count } of part) {
        this.#headBytes += bytes;
        this.#headCount += this.#lanes.replaces ? 1 : count;
      }
    }
  }

  /** Hands the batch to the sink. */
  run(): void {
    const { scheduler, flush } = this.#settings;
    const batch = this.batch;
    const started = scheduler.now();
    this.startedMs = started;
    batch.age(started);
    if (batch.attempt === 1) this.#law?.flushed(started * 1000, this.#lanes.count);
    this.#running = true;
    const generation = this.#generation;
    let result: ReturnType<typeof flush>;
    try {
      result = flush(batch);
    } catch (error) {
      if (generation === this.#generation) this.#onRejected(error);
      return;
    }
    if (isPromise(result)) {
      this.#costUs = (scheduler.now() - started) * 1000;
      result.then(
        (report) => {
          if (generation === this.#generation) this.#onSettled(report); // B6
        },
        (error) => {
          if (generation === this.#generation) this.#onRejected(error);
        },
      );
      return;
    }
    if (generation !== this.#generation) return; // B6
    this.#running = false;
    this.#onSuccess(result, this.#isSample(batch.bytes) ? scheduler.now() : -1);
  }

  /** Whether a synchronous flush is timed: always at first and when its size matters, then one in four, or 16 if it is free. */
  #isSample(bytes: number): boolean {
    const { fixed, perByte } = this.#cost;
    const isDue = (this.flushes & (fixed < FREE_US ? 15 : 3)) === 0;
    return isDue || this.flushes < SAMPLED_ALWAYS || perByte * bytes > fixed;
  }

  #onSettled(report: unknown): void {
    this.#running = false;
    const now = this.#settings.scheduler.now();
    this.#onSuccess(report, now);
    this.#owner.onSettled(now);
  }

  #onRejected(error: unknown): void {
    this.#running = false;
    this.#onFailed(error);
  }

  /** The running batch has been delivered: learns from it, if it was timed, and makes the sink free. */
  #onSuccess(report: unknown, ended: number): void {
    const batch = this.batch;
    if (ended >= 0 || report !== undefined) this.#learn(report, ended);
    this.#costUs = -1;
    this.flushes++;
    this.delivered += batch.count;
    const { ageMs, count, bytes } = batch;
    this.#owner.onFree();
    const { onDelivered } = this.#settings;
    if (onDelivered === undefined) return;
    try {
      onDelivered(ageMs, count, bytes);
    } catch (error) {
      throwLater(error);
    }
  }

  /** Learns what the batch took: by its own report, or by the clock if it was timed (`ended` is no time otherwise). */
  #learn(report: unknown, ended: number): void {
    const { bytes } = this.batch;
    const settleUs = (ended - this.startedMs) * 1000;
    const costMs = (report as FlushReport | undefined)?.costMs;
    const cost = this.#cost;
    if (typeof costMs === 'number') cost.observe(bytes, costMs * 1000);
    else if (ended >= 0) cost.observe(bytes, this.#costUs < 0 ? settleUs : this.#costUs);
    if (ended >= 0) this.#pressure.observe(bytes, settleUs, cost);
  }

  /** Gives the entries of the batch back: the sink is free. */
  release(): void {
    const batch = this.batch;
    this.#lanes.release(batch.segments);
    batch.empty();
    this.busy = false;
  }

  /** Retries the running batch, or lets `onError` decide (B2). */
  #onFailed(error: unknown): void {
    const { attemptsMax, onError } = this.#settings;
    const batch = this.batch;
    const generation = this.#generation;
    this.failures++;
    if (batch.attempt < attemptsMax) {
      this.#retryLater();
      return;
    }
    let decision: ReturnType<NonNullable<typeof onError>> = 'fail';
    let cause = error;
    if (onError !== undefined) {
      try {
        decision = onError(error, batch);
      } catch (thrown) {
        cause = thrown;
      }
      if (generation !== this.#generation) return; // B6
    }
    if (decision === 'retry') {
      this.#retryLater();
      return;
    }
    if (decision === 'split' && this.#split()) {
      this.#retryLater();
      return;
    }
    if (decision === 'drop') {
      this.dropped += batch.count;
      this.#owner.onFree();
      this.#owner.onDropped(this.startedMs);
      return;
    }
    this.#owner.onFailed(
      new BatcherFlushError(
        `flush failed for good: attempts=${batch.attempt}, entries=${batch.entries.length}`,
        batch.attempt,
        cause,
      ),
    );
  }

  /** Cuts the running batch in two; the second part is tried after the first. */
  #split(): boolean {
    const { segments } = this.batch;
    if (segments.length > 1) this.#heads.unshift(segments.splice((segments.length + 1) >> 1));
    else {
      const rest = this.#lanes.split(segments[0]!);
      if (rest === undefined) return false;
      this.#heads.unshift([rest]);
    }
    this.#measureHeads();
    this.batch.measure();
    this.batch.attempt = this.#settings.attemptsMax - 1;
    return true;
  }

  /** Full-jitter backoff; the batch keeps its place at the head. */
  #retryLater(): void {
    const { scheduler, random, retryMs, retryMsMax } = this.#settings;
    const batch = this.batch;
    const base = Math.max(retryMs, this.#cost.fixed / 1000);
    const bound = Math.min(retryMsMax, base * 2 ** Math.min(batch.attempt - 1, 30));
    batch.attempt++;
    this.#retryWake = scheduler.wake(() => {
      this.#retryWake = undefined;
      this.run();
      if (!this.busy) this.#owner.onSettled(this.startedMs);
    }, random() * bound);
  }

  /** Forgets the next try. */
  disarm(): void {
    if (this.#retryWake === undefined) return;
    this.#settings.scheduler.cancel(this.#retryWake);
    this.#retryWake = undefined;
  }

  /** Gives up what was taken: what no flush has, and what a running one may yet deliver (its outcome is ignored). */
  abandon(): {
    undelivered: Segment<Key, unknown, Value>[];
    unsettled: Segment<Key, unknown, Value>[];
  } {
    const { segments } = this.batch;
    const unsettled = this.#running ? [...segments] : [];
    const undelivered = this.#running ? [] : [...segments];
    for (const part of this.#heads.splice(0)) undelivered.push(...part);
    this.#measureHeads();
    this.#generation++;
    this.batch.empty();
    this.busy = this.#running = false;
    return { undelivered, unsettled };
  }

  /** Aborts the signal of the running flush. */
  abort(reason: unknown): void {
    this.#failure.abort(reason);
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
