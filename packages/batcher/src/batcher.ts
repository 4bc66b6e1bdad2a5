/**
 * Takes items in, merges them per key, and delivers batches to one sink, in order, when the law says so.
 *
 *     push ─▶ lane of the key ─▶ tick end: law ─▶ due? ─▶ fair batch ─▶ flush(batch) ─▶ settled ─▶ entries reused
 *                                   │                        ▲             │
 *                                   └── not yet: one timer ──┘             └─ failed ─▶ backoff ─▶ the same batch again
 *
 * Invariants
 * - B1: at most one flush runs, so batches settle in the order in which they were taken.
 * - B2: an item is in exactly one place: in a lane, in a failed part at the head, or in the running batch.
 *   It leaves only by a flush that succeeds, an explicit drop, or `abort`, which returns it.
 * - B3: while the sink is free nothing gets older than `delayMsMax`, as far as the scheduler keeps its resolution.
 * - B4: accepted and undelivered bytes never exceed `pendingBytesMax`.
 * - B5: a `push` that throws has changed nothing; what a hook throws is thrown later (`throwLater`).
 * - B6: after an `abort`, from wherever, no flush starts and none that ran has an effect (delivery.ts).
 *
 * One thread; every method may be called from anywhere, also from inside `flush`. Cost: a push is O(1), reads the
 * clock once per tick (and every 512 pushes), and allocates nothing when the merge doesn't.
 */

import { Alarm } from './alarm.ts';
import { Delivery, type DeliveryOwner } from './delivery.ts';
import {
  BatcherArgumentError,
  BatcherClosedError,
  BatcherFullError,
  BatcherTimeoutError,
  checkRange,
} from './errors.ts';
import { type Lane, Lanes } from './lanes.ts';
import { CostModel } from './law/cost-model.ts';
import { FIXED_US_INITIAL, Law } from './law/law.ts';
import { LazySignal } from './lazy-signal.ts';
import { type BatcherOptions, type Settings, settingsOf } from './options.ts';
import { Pressure } from './pressure.ts';
import { ShortWay } from './short-way.ts';
import type { BatcherState, BatcherStats, Remains } from './stats.ts';
import { Waiters, type WaitOptions } from './waiters.ts';

/** A key's way into a batcher, without the lookup. */
export interface BatcherLane<Item> {
  /** Like `Batcher.push`. */
  push(item: Item): boolean;
  /** Like `Batcher.pushUrgent`. */
  pushUrgent(item: Item): boolean;
}

/** What was delivered before a batcher was made: a loader makes one only when it needs one. */
export interface Past {
  /** Items. */
  readonly count: number;
  /** Flushes that took them. */
  readonly flushes: number;
  /** What these flushes were given to be aborted by. */
  readonly failure: LazySignal;
}

/** Pushes after which a long synchronous loop looks at the clock. */
export const PUSHES_MAX = 512;
/** Most bytes that the short way takes: whole numbers above are boxed. */
const ROOM_MAX = 2 ** 30 - 1;

/** An adaptive batcher; made by `createBatcher`. */
export class Batcher<Item, Key, Value> implements AsyncDisposable {
  /** Resolves when the batcher has closed or was aborted; rejects with `ERR_BATCHER_FLUSH` when a batch failed for good. */
  readonly closed: Promise<void>;
  readonly #settings: Settings<Item, Key, unknown, Value>;
  readonly #lanes: Lanes<Item, Key, unknown, Value>;
  readonly #cost = new CostModel(FIXED_US_INITIAL);
  /** Null with `hold: 'none'`: it is asked nothing then, and its tables are what a batcher is large by. */
  readonly #law: Law | null;
  readonly #pressure: Pressure<Item, Key, unknown, Value>;
  readonly #waiters: Waiters;
  readonly #delivery: Delivery<Item, Key, Value>;
  readonly #weigh: ((item: Item) => number) | undefined;
  #state: BatcherState = 'open';
  #cause: unknown;
  #resolveClosed!: () => void;
  #rejectClosed!: (reason: unknown) => void;
  #tickQueued = false;
  #tickMs = 0;
  #tickSeen = true;
  /** Where pushes go without a look at any limit; `#stop` closes it whenever anything changes. */
  readonly #short: ShortWay<Item, Key, Value>;
  /** Pushes at the last look at the clock. */
  #clockAt = 0;
  #urgent = false;
  #hintedUntil = Number.NEGATIVE_INFINITY;
  #oldestMs = 0;
  readonly #alarm: Alarm;
  #pushed = 0;

  /** @internal */
  constructor(options: BatcherOptions<Item, Key, unknown, Value>, past?: Past) {
    const settings = settingsOf(options);
    this.#settings = settings;
    this.#weigh = settings.weigh;
    this.#lanes = new Lanes(options.merge, settings.countMax);
    this.#short = new ShortWay(this.#lanes, options.merge, settings.weigh);
    this.#law = settings.learns
      ? new Law({
          delayMax: settings.delayMsMax * 1000,
          overhead: settings.overhead,
          waiting: settings.waiting,
          resolution: settings.scheduler.resolutionMs * 1000,
          cost: this.#cost,
        })
      : null;
    this.#pressure = new Pressure(this.#lanes, settings);
    this.#waiters = new Waiters(settings.scheduler);
    this.#alarm = new Alarm(settings.scheduler, this.#onWake);
    const owner: DeliveryOwner = {
      onFree: () => this.#onFree(),
      onSettled: (now) => this.#decide(now, false),
      onDropped: (now) => {
        if (!this.#isEmpty()) this.#alarm.arm(now, now);
      },
      onFailed: (error) => {
        this.#cause = error;
        this.#finish('failed');
      },
    };
    const failure = past?.failure ?? new LazySignal();
    this.#delivery = new Delivery(
      settings,
      this.#lanes,
      this.#law,
      this.#cost,
      this.#pressure,
      owner,
      failure,
    );
    if (past !== undefined) {
      this.#pushed = this.#clockAt = this.#delivery.delivered = past.count;
      this.#delivery.flushes = past.flushes;
    }
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
  }

  /** Items that wait for delivery; a key whose merge replaces counts once. */
  get count(): number {
    return this.#lanes.count + this.#short.count + this.#delivery.headCount;
  }

  /** Bytes accepted and not yet delivered, those of the running flush included. */
  get bytes(): number {
    return this.#lanes.bytes + this.#short.bytes + this.#delivery.bytes;
  }

  /**
   * Learned speed of the sink with a full batch, from the start of a flush until it has settled (bytes per ms);
   * Infinity before the first timed flush. Times a latency budget it is the window that keeps a lagging sink within
   * that budget; cap it, since a sink that has never been pressed shows no limit. Cost: O(1), no allocation.
   */
  get drainBytesPerMs(): number {
    return this.#pressure.drainRate * 1000;
  }

  /** Where the batcher is in its life. */
  get state(): BatcherState {
    return this.#state;
  }

  /**
   * Takes an item in; it is borrowed during the call if the merge copies.
   *
   * @param item - the item
   * @param key - its key; items of one key are merged and stay in order
   * @returns false when this key should pause (`ready` tells when to go on); the item was accepted all the same
   * @throws {BatcherFullError} If `pendingBytesMax` would be exceeded; the item was not accepted.
   * @throws {BatcherClosedError} If the batcher isn't open.
   *
   * Cost: O(1), no allocation beyond the merge's.
   */
  push(item: Item, key: Key): boolean {
    return this.#append(this.#lanes.lane(key), item);
  }

  /** Like `push`, and delivers this and all that waits at the end of the tick, this key first. */
  pushUrgent(item: Item, key: Key): boolean {
    return this.#appendUrgent(this.#lanes.lane(key), item);
  }

  /** Returns a key's own push, for callers that push to it often. The key's buffers stay until `forget`. */
  lane(key: Key): BatcherLane<Item> {
    const short = this.#short;
    let lane = this.#lanes.lane(key);
    lane.pinned = true;
    const current = (): Lane<Key, unknown, Value> => {
      if (lane.forgotten) lane = this.#lanes.lane(key); // a key has one lane, or its order is lost
      return lane;
    };
    return {
      // The short way never leads to a forgotten lane: that one has no entry.
      push: (item) =>
        short.tryPush(lane, item) || this.#appendElsewhere(lane.forgotten ? current() : lane, item),
      pushUrgent: (item) => this.#appendUrgent(current(), item),
    };
  }

  /** Gives a key's idle buffers back; what it still has to deliver stays. */
  forget(key: Key): void {
    const lane = this.#lanes.find(key);
    if (lane === undefined) return;
    lane.pinned = false;
    lane.spare = null;
    this.#lanes.forget(lane);
  }

  #append(lane: Lane<Key, unknown, Value>, item: Item): boolean {
    return this.#short.tryPush(lane, item) || this.#appendElsewhere(lane, item);
  }

  /** A push that the short way doesn't take: the first of a tick, one into another lane, one that reaches a limit. */
  #appendElsewhere(lane: Lane<Key, unknown, Value>, item: Item): boolean {
    const { tail } = lane;
    this.#stop();
    if (this.#tickSeen || tail === null || tail.count === 0) return this.#appendSlowly(lane, item);
    this.#go(lane);
    return this.#short.tryPush(lane, item) || this.#appendSlowly(lane, item);
  }

  #appendSlowly(lane: Lane<Key, unknown, Value>, item: Item): boolean {
    if (this.#state !== 'open') throw this.#closedError();
    this.#stop();
    const weight = this.#weigh === undefined ? 1 : this.#weigh(item);
    const lanes = this.#lanes;
    const replaced = lanes.replaces && lane.tail !== null ? lane.tail.bytes : 0;
    const held = lanes.bytes + this.#delivery.bytes + weight - replaced;
    this.#check(weight, held);
    if (this.#tickSeen) this.#startTick();
    // A full queue is a backlog even while the sink is free: after a drop, or while the event loop has its turn.
    const isBacklog = this.#delivery.busy || lanes.count >= this.#settings.countMax; // Q4
    lanes.append(lane, item, weight, this.#tickMs, isBacklog);
    this.#pushed++;
    if (this.#delivery.busy) {
      // Nothing can leave now: whoever frees the sink decides.
    } else if (lanes.bytes >= this.#pressure.batchBytes || lanes.count >= this.#settings.countMax) {
      this.#decide(this.#tickMs, false);
    } else if (this.#pushed - this.#clockAt >= PUSHES_MAX) this.#lookAtClock();
    const admitted = this.#pressure.admit(lane, this.#delivery.bytes);
    if (!this.#tickSeen) {
      this.#stop(); // what was called on the way, a flush or a hook, may have pushed and opened it
      this.#go(lane);
    }
    return admitted;
  }

  /** Lets pushes into a lane's tail take the short way, for as many steps and as much room as no limit can be reached with. */
  #go(lane: Lane<Key, unknown, Value>): void {
    const lanes = this.#lanes;
    const pressure = this.#pressure;
    // What the push before called, a flush or a hook, may have ended the batcher, or taken the lane's entry.
    if (lanes.replaces || pressure.count > 0 || this.#state !== 'open' || lane.tail === null)
      return;
    const room = Math.min(
      pressure.batchBytes - lanes.bytes,
      pressure.limit - lanes.bytes - this.#delivery.bytes,
      lanes.entryBytes - lane.tail.bytes,
      ROOM_MAX,
    );
    const pushes = Math.min(
      PUSHES_MAX + this.#clockAt - this.#pushed,
      this.#settings.countMax - 1 - lanes.count,
    );
    this.#short.open(lane, pushes, Math.floor(room)); // W1
  }

  /** Sends the next push the long way, and books the pushes that went the short way (W2). */
  #stop(): void {
    this.#pushed += this.#short.close();
  }

  #appendUrgent(lane: Lane<Key, unknown, Value>, item: Item): boolean {
    const admitted = this.#append(lane, item);
    if (lane.dirty) {
      this.#urgent = true;
      this.#lanes.promote(lane);
    }
    return admitted;
  }

  #startTick(): void {
    const { scheduler } = this.#settings;
    this.#tickMs = scheduler.now();
    this.#clockAt = this.#pushed;
    if (this.#lanes.count === 0) this.#oldestMs = this.#tickMs;
    this.#tickSeen = false;
    if (this.#tickQueued) return; // a flush in the middle of the tick
    this.#tickQueued = true;
    scheduler.tickEnd(this.#onTickEnd);
  }

  readonly #onTickEnd = (): void => {
    this.#stop();
    this.#tickQueued = false;
    if (this.#lanes.count === 0) this.#seeTick();
    else this.#decide(this.#tickMs, false);
  };

  /** Shows the tick's arrivals to the law, once. */
  #seeTick(): void {
    if (this.#tickSeen) return;
    this.#tickSeen = true;
    this.#stop();
    this.#law?.arrive(this.#tickMs * 1000, this.#lanes.count);
  }

  /** In a long synchronous loop: keeps the budget although no tick ends. */
  #lookAtClock(): void {
    this.#clockAt = this.#pushed;
    const now = this.#settings.scheduler.now();
    if (now - this.#oldestMs >= this.#settings.delayMsMax) this.#decide(now, true);
  }

  /**
   * Delivers now what the law says is due, and arms the timer for the rest. `known` is a time at or before the
   * current one, read already: what was due then needs no reading of the clock.
   */
  #decide(known: number, force: boolean): void {
    this.#seeTick();
    if (this.#delivery.busy) return;
    const { scheduler, sliceMs } = this.#settings;
    let now = known;
    let began = -1;
    while (!this.#delivery.busy && (this.#delivery.hasHeads || this.#lanes.count > 0)) {
      const law = this.#law;
      const isDue = law === null || force || law.isFree || this.#isDue();
      const due = isDue ? now : this.#dueMs(law, now);
      if (due > now) {
        now = scheduler.now();
        if (due > now) {
          this.#alarm.arm(due, now);
          return;
        }
      }
      if (began >= 0 && now - began >= sliceMs && !force) {
        this.#alarm.arm(now, now); // give the event loop its turn
        return;
      }
      this.#deliver();
      now = this.#delivery.startedMs;
      if (began < 0) began = now;
    }
    if (this.#lanes.count === 0) this.#urgent = false;
  }

  #isDue(): boolean {
    return (
      this.#urgent ||
      this.#state === 'closing' ||
      this.#delivery.hasHeads ||
      this.#lanes.bytes >= this.#pressure.batchBytes ||
      this.#lanes.count >= this.#settings.countMax ||
      this.#hintedUntil > this.#tickMs
    );
  }

  /** Returns when the batch should leave (ms): by the law, or at once if the scheduler couldn't keep the budget. */
  #dueMs(law: Law, now: number): number {
    const { delayMsMax, scheduler } = this.#settings;
    const due = law.due(now * 1000, this.#oldestMs * 1000) / 1000;
    if (due > now && this.#oldestMs + delayMsMax - now < scheduler.resolutionMs) return now; // B3
    return due;
  }

  readonly #onWake = (): void => {
    this.#stop();
    if (this.#lanes.count > 0 || this.#delivery.hasHeads) {
      this.#decide(this.#settings.scheduler.now(), false);
    }
  };

  /** Takes the next batch and hands it to the sink. */
  #deliver(): void {
    this.#stop(); // a hook may have pushed since the last batch
    const isNew = this.#delivery.take();
    // A part of a backlog left: the oldest of the rest decides what is due next.
    if (isNew && this.#lanes.count > 0) this.#oldestMs = this.#lanes.oldestMs();
    this.#delivery.run();
  }

  /** The running batch is done with, one way or the other: the sink is free. */
  #onFree(): void {
    this.#stop();
    this.#delivery.release();
    this.#pressure.relieve(this.#delivery.bytes);
    this.#waiters.settle();
    if (this.#state === 'closing' && this.#isEmpty()) this.#finish('closed');
  }

  #isEmpty(): boolean {
    this.#stop();
    return !this.#delivery.busy && this.#lanes.count === 0 && !this.#delivery.hasHeads;
  }

  /**
   * Delivers all that waits, now and synchronously, as far as the sink takes it.
   *
   * @returns true if nothing waits and nothing runs any more; false if the sink is busy
   */
  flush(): boolean {
    if (this.#state !== 'open' && this.#state !== 'closing') return this.#isEmpty();
    this.#decide(this.#tickMs, true);
    return this.#isEmpty();
  }

  /**
   * Expects input (a key was pressed): until `durationMs` from now nothing is held past the end of its tick.
   *
   * @param durationMs - how long (ms, 0 or more)
   * @throws {BatcherArgumentError} If `durationMs` is negative or no number.
   */
  hint(durationMs = 100): void {
    checkRange('durationMs', durationMs, 0, Number.POSITIVE_INFINITY);
    this.#stop();
    this.#hintedUntil = this.#settings.scheduler.now() + durationMs;
    if (this.#lanes.count > 0 && !this.#tickQueued) this.#decide(this.#tickMs, true);
  }

  /**
   * Resolves when a key, or with no key every key, may go on pushing.
   *
   * @throws {BatcherTimeoutError} If it takes longer than `timeoutMs` (as a rejection, like all that follow).
   * @throws {BatcherClosedError} If the batcher isn't open, or ends meanwhile.
   */
  ready(key?: Key, options?: WaitOptions): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(this.#closedError());
    const isReady =
      key === undefined
        ? () => this.#pressure.count === 0
        : () => this.#lanes.find(key)?.pressed !== true;
    return this.#waiters.add(isReady, 'ready', options);
  }

  /**
   * Flushes, and resolves when nothing waits and no flush runs.
   *
   * @throws {BatcherTimeoutError} If it takes longer than `timeoutMs` (as a rejection, like all that follow).
   * @throws {BatcherFlushError} If a batch fails for good.
   * @throws {BatcherClosedError} If the batcher has failed or is aborted.
   */
  drain(options?: WaitOptions): Promise<void> {
    if (this.#state === 'failed' || this.#state === 'aborted') {
      return Promise.reject(this.#closedError());
    }
    this.flush();
    return this.#waiters.add(() => this.#isEmpty(), 'drain', options);
  }

  /**
   * Stops the intake, delivers what waits, and ends. At the deadline, or when `signal` aborts, it gives up instead
   * and returns what is left. A batcher that is closed already returns at once.
   *
   * @returns what was not delivered; nothing, unless it gave up
   * @throws {BatcherFlushError} If a batch has failed or fails for good; `abort` then returns what is left.
   */
  async close(options: WaitOptions = {}): Promise<Remains<Key, Value>> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#stop();
    }
    if (this.#state === 'closing') {
      try {
        if (this.#isEmpty()) this.#finish('closed');
        else {
          this.flush();
          await this.#waiters.add(() => this.#state === 'closed', 'close', options);
        }
      } catch (error) {
        const isDeadline = error instanceof BatcherTimeoutError || options.signal?.aborted === true;
        if (isDeadline && this.#state === 'closing') return this.abort(error);
        throw error;
      }
    }
    if (this.#state === 'failed') throw this.#cause;
    return { undelivered: [], unsettled: [] };
  }

  /**
   * Stops at once: no further flush starts. Returns what no flush has delivered, and apart from it what a flush that
   * still runs may yet deliver; that flush's `signal` is aborted and its outcome is ignored.
   */
  abort(reason?: unknown): Remains<Key, Value> {
    this.#stop();
    const { undelivered, unsettled } = this.#delivery.abandon();
    this.#lanes.take(undelivered, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    if (this.#state === 'open' || this.#state === 'closing') {
      this.#cause = reason;
      this.#finish('aborted');
      this.#delivery.abort(reason);
    }
    return { undelivered, unsettled };
  }

  #finish(state: 'closed' | 'aborted' | 'failed'): void {
    this.#state = state;
    this.#stop();
    this.#alarm.disarm();
    this.#delivery.disarm();
    if (state === 'closed') this.#waiters.settle();
    else this.#waiters.rejectAll(state === 'failed' ? this.#cause : this.#closedError());
    this.#pressure.relieve(0, true);
    if (state === 'failed') this.#rejectClosed(this.#cause);
    else this.#resolveClosed();
  }

  /** Closes without a deadline. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #closedError(): BatcherClosedError {
    return new BatcherClosedError(`the batcher is not open: state=${this.#state}`, {
      cause: this.#cause,
    });
  }

  /** Refuses a weight that is none, and one that would bring the bytes `held` above the limit (B4, B5). */
  #check(weight: number, held: number): void {
    const { pendingBytesMax } = this.#settings;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new BatcherArgumentError(
        `weigh must return a finite number of 0 or more: weight=${String(weight)}`,
      );
    }
    if (held <= pendingBytesMax) return;
    throw new BatcherFullError(
      `pendingBytesMax=${pendingBytesMax} would be exceeded: pending=${this.bytes}, item=${weight}`,
    );
  }

  /** Returns what the batcher is doing and what it has learned: a new object, made on demand. */
  stats(): BatcherStats {
    this.#stop();
    const cost = this.#cost;
    const law = this.#law;
    return {
      state: this.#state,
      pushed: this.#pushed,
      delivered: this.#delivery.delivered,
      dropped: this.#delivery.dropped,
      flushes: this.#delivery.flushes,
      failures: this.#delivery.failures,
      count: this.count,
      bytes: this.bytes,
      keys: this.#lanes.dirty,
      pressed: this.#pressure.count,
      limitBytes: this.#pressure.limit,
      batchBytes: this.#pressure.batchBytes,
      drainBytesPerMs: this.drainBytesPerMs,
      fixedMs: cost.fixed / 1000,
      perByteMs: cost.perByte / 1000,
      tauMs: cost.fixed / this.#settings.overhead / 1000,
      holdMs: law === null ? 0 : law.hold / 1000,
      trust: law === null ? 1 : law.trust,
    };
  }
}
