/**
 * Turns queueing time into a limit in bytes, and tells the keys that fill the queue to stop.
 *
 * Source: CoDel's view that time in the queue, not its length, is what to bound; the limit follows the learned
 * speed of the sink (`settle time = fixed + perByte * bytes`).
 *
 * Invariants
 * - P1: a key is pressed only while it holds more than its equal share of a queue above the limit.
 * - P2: a pressed key is relieved at a quarter of its share, or when the whole queue is at a quarter of the limit.
 * - P3: a batch is cut to the time budgets, but not below a quarter of its fixed cost: where the fixed cost alone
 *   fills a budget, cutting on would make the sink slower and nothing prompter.
 *
 * One thread. Cost: O(1) per push; O(pressed keys) per delivered batch.
 */

import { throwLater } from './errors.ts';
import type { Lane, Lanes } from './lanes.ts';
import { CostModel } from './law/cost-model.ts';

/** Batches are never cut below this part of `bytesMax`, or so many bytes. */
const CUT_MIN = 1 / 256;
const CUT_BYTES_MIN = 4096;
/** Part of the fixed cost that the bytes of a cut batch may always take (P3). */
const BYTES_SHARE = 1 / 4;
/** How much larger than usual that alone makes a batch: what was learned from batches of one size may be wrong. */
const STEP = 2;

/** Bytes of a batch that should take `budgetUs` by what was learned of its time (P3). */
function bytesWithin(budgetUs: number, model: CostModel): number {
  const { fixed, perByte, meanBytes } = model;
  if (perByte <= 0) return Number.POSITIVE_INFINITY;
  return Math.max(
    (budgetUs - fixed) / perByte,
    Math.min((BYTES_SHARE * fixed) / perByte, STEP * meanBytes),
  );
}

/** The limits that follow the sink's speed, and the keys under pressure. */
export class Pressure<Item, Key, Accumulator, Value> {
  /** Bytes of queue above which the keys that fill it are pressed. */
  limit = 0;
  /** Bytes of a batch by its caps and the predicted time. */
  batchBytes = 0;
  readonly #settle = new CostModel(1);
  readonly #pressed = new Set<Lane<Key, Accumulator, Value>>();
  readonly #lanes: Lanes<Item, Key, Accumulator, Value>;
  readonly #bytesMax: number;
  readonly #pendingBytesMax: number;
  readonly #sliceUs: number;
  readonly #sojournUs: number;
  readonly #notify: ((key: Key, pressed: boolean) => void) | undefined;

  constructor(
    lanes: Lanes<Item, Key, Accumulator, Value>,
    settings: {
      readonly bytesMax: number;
      readonly pendingBytesMax: number;
      readonly sliceMs: number;
      readonly sojournMs: number;
      readonly onPressure: ((key: Key, pressed: boolean) => void) | undefined;
    },
  ) {
    this.#lanes = lanes;
    this.#bytesMax = settings.bytesMax;
    this.#pendingBytesMax = settings.pendingBytesMax;
    this.#sliceUs = settings.sliceMs * 1000;
    this.#sojournUs = settings.sojournMs * 1000;
    this.#notify = settings.onPressure;
    this.#cut(settings.bytesMax, 2 * settings.bytesMax);
  }

  /** Cuts batches, and the entries that they are made of, and presses above `limit`. */
  #cut(bytes: number, limit: number): void {
    this.batchBytes = bytes;
    this.#lanes.entryBytes = bytes / 8;
    this.limit = Math.min(limit, this.#pendingBytesMax);
  }

  /** Keys under pressure. */
  get count(): number {
    return this.#pressed.size;
  }

  /** Learned speed of the sink when it has a full batch (bytes per us); Infinity before the first timed flush. */
  get drainRate(): number {
    const { batchBytes } = this;
    const settle = this.#settle;
    if (settle.count === 0) return Number.POSITIVE_INFINITY;
    return batchBytes === Number.POSITIVE_INFINITY
      ? 1 / settle.perByte
      : batchBytes / settle.predict(batchBytes);
  }

  /** Learns from a batch that took `settleUs` from its start until the sink was free again. */
  observe(bytes: number, settleUs: number, cost: CostModel): void {
    const settle = this.#settle;
    settle.observe(bytes, settleUs);
    const cut = Math.max(
      Math.min(
        this.#bytesMax,
        bytesWithin(this.#sliceUs, cost),
        bytesWithin(0.5 * this.#sojournUs, settle),
      ),
      Math.min(this.#bytesMax * CUT_MIN, CUT_BYTES_MIN),
      1,
    );
    this.batchBytes = cut; // the drain rate is that of a full batch
    const sojourn = this.#sojournUs === 0 ? 0 : this.drainRate * this.#sojournUs;
    this.#cut(cut, Math.max(sojourn, 2 * cut));
  }

  /** Returns true while the lane may go on pushing; `running` is what the sink holds right now. */
  admit(lane: Lane<Key, Accumulator, Value>, running: number): boolean {
    if (lane.pressed) return false;
    const lanes = this.#lanes;
    if (lanes.bytes + running <= this.limit || lane.bytes <= this.limit / lanes.dirty) return true;
    lane.pressed = true; // P1
    this.#pressed.add(lane);
    this.#tell(lane.key, true);
    return false;
  }

  #tell(key: Key, pressed: boolean): void {
    if (this.#notify === undefined) return;
    try {
      this.#notify(key, pressed);
    } catch (error) {
      throwLater(error);
    }
  }

  /** Relieves the lanes that have drained (P2); all of them with `force`. */
  relieve(running: number, force = false): void {
    if (this.#pressed.size > 0) this.#relieve(running, force);
  }

  #relieve(running: number, force: boolean): void {
    const lanes = this.#lanes;
    const all = force || lanes.bytes + running <= this.limit / 4;
    const share = this.limit / (4 * Math.max(1, lanes.dirty));
    for (const lane of this.#pressed) {
      if (!all && lane.bytes > share) continue;
      lane.pressed = false;
      this.#pressed.delete(lane);
      lanes.retire(lane);
      this.#tell(lane.key, false);
    }
  }
}
