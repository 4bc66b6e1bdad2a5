/** The consuming end of a group of lanes; see `lanes.ts` for the layout and the invariants N1 to N4. */
import { RingConsumer } from './consumer.ts';
import type { LanesDrainCallback } from './drain.ts';
import { endOnce, hasEnded, readEnd } from './ends.ts';
import { type RingEnd, RingRangeError, RingStateError } from './errors.ts';
import { CLAIMING, DIRTY, SEQUENCE, SEQUENCE_BYTES } from './lane-producer.ts';
import type { Group } from './lanes.ts';
import { CONSUMER_END, DATA_LINE, PRODUCER_END, PRODUCER_OWNER, SPACE_LINE } from './layout.ts';
import type { ConsumerOptions } from './options.ts';
import { Reader } from './reader.ts';
import { FLAG, FLAG_ENDED, type Waitable, Waiter, wake } from './wait.ts';

/**
 * Reads records from all lanes of a group. Get one from {@link attachLanesConsumer}.
 *
 * The stream ends when every lane has ended and is empty; lanes that nobody has taken count as open until
 * `seal` is called.
 *
 * Concurrency: one consumer per group, used by one thread; producers may do anything meanwhile (scenarios
 * `lanes, 2 producers x 1, 3 pops` and `lanes, 2 producers killed at any point`).
 */
export class LanesConsumer extends Reader {
  /** Lanes (count). */
  declare readonly laneCount: number;
  /** Lane from which the last record came (index). */
  lane = 0;
  /** Bit that travelled with the record that `tryPop` took last (0 or 1). */
  kind = 0;
  /** Total order: numbers whose takers died before they published them (count). */
  skipped = 0;

  declare private readonly words: Int32Array;
  declare private readonly rings: readonly RingConsumer[];
  declare private readonly total: boolean;
  declare private readonly forward: LanesDrainCallback;
  /** Bits taken from the group and not worked off: N2. */
  declare private readonly dirty: Int32Array;
  private bell: (() => void) | undefined;
  private callback: LanesDrainCallback | undefined;
  private draining = false;
  private next = 0;
  private expected = 0;
  /** Total order: number of the record that was found last. */
  private number = 0;
  /** Total order: whether all pushes that were under way at the attach are over. */
  private settled = false;
  private ended = false;

  /** @internal */
  constructor(group: Group, options: ConsumerOptions) {
    super();
    this.words = group.words;
    this.laneCount = group.laneCount;
    this.total = group.total;
    this.dirty = new Int32Array((group.laneCount + 31) >> 5).fill(-1); // look everywhere once
    const { doorbell, ...rest } = options;
    this.rings = Array.from(
      { length: group.laneCount },
      (_, lane) => new RingConsumer(group.lane(lane), rest),
    );
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    for (const ring of this.rings) ring.bell = this.bell;
    this.forward = (bytes, start, end, kind, lane) => this.receive(bytes, start, end, kind, lane);
    for (const [lane, ring] of this.rings.entries()) ring.lane = lane;
    this.expected = Atomics.load(group.words, SEQUENCE); // what has a lower number comes first: N4
    this.waiter = new Waiter(group.words, DATA_LINE, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: options.strategy ?? 'auto',
      doorbell,
      before: () => this.flush(),
    });
  }

  /**
   * Hands out records of all lanes in place and releases them: lane after lane, beginning behind the one that
   * came last in the call before; or, with total order, in that order.
   *
   * Cost: O(1) per record and dirty lane, no allocation.
   *
   * @param callback - called per record with borrowed bytes
   * @param limit - most records (count, 0 or more)
   * @returns how many records were taken
   * @throws {RingStateError} If a drain is running.
   */
  drain(callback: LanesDrainCallback, limit: number = 0x7fffffff): number {
    if (this.draining) {
      throw new RingStateError('ERR_RING_ORDER', 'drain inside a drain callback');
    }
    this.draining = true;
    try {
      return this.total ? this.drainInOrder(callback, limit) : this.drainLanes(callback, limit);
    } finally {
      this.draining = false;
      this.callback = undefined;
    }
  }

  /**
   * Takes a record as a copy of its own; `lane` and `kind` say more about it.
   *
   * @returns the payload (owned), or undefined when all lanes are empty
   */
  tryPop(): Uint8Array | undefined {
    let record: Uint8Array | undefined;
    this.drain((bytes, start, end, kind) => {
      this.kind = kind;
      record = bytes.slice(start, end);
    }, 1);
    return record;
  }

  /** How a lane's producer ended; undefined while it hasn't. Records may still be there. */
  laneEnd(lane: number): RingEnd | undefined {
    return readEnd(this.ring(lane).words, PRODUCER_END);
  }

  /** Whether no record will ever come again: all lanes have ended and are empty. */
  get closed(): boolean {
    return this.isOver() && !this.hasRecord();
  }

  /** Says that no lane will be taken any more: those that are free end now. */
  seal(): void {
    for (const [lane, { words }] of this.rings.entries()) {
      if (Atomics.compareExchange(words, PRODUCER_OWNER, 0, lane + 1) === 0) {
        endOnce(words, PRODUCER_END, 'closed', 'sealed');
      }
    }
    wake(this.words, DATA_LINE, undefined);
  }

  /**
   * Makes a lane whose producer has ended, and whose records are all taken, free for another producer.
   *
   * @throws {RingStateError} If its producer hasn't ended, or records are left.
   */
  reopen(lane: number): void {
    const ring = this.ring(lane);
    if (!hasEnded(ring.words, PRODUCER_END) || ring.available() > 0) {
      throw new RingStateError(
        'ERR_RING_ORDER',
        `lane can be reopened only when it has ended and is empty: lane=${lane}`,
      );
    }
    ring.flush();
    // mutant-ok swap-statements, plain-access: nobody but this thread looks before the store of the owner
    Atomics.store(ring.words, CLAIMING, 0);
    // mutant-ok plain-access: the store of the owner publishes it
    Atomics.store(ring.words, PRODUCER_END, 0);
    Atomics.store(ring.words, PRODUCER_OWNER, 0); // last: from here it can be taken
  }

  /** Gives all released space back to the producers. */
  flush(): void {
    for (const ring of this.rings) ring.flush();
  }

  /**
   * Tells all producers that nobody reads any more.
   *
   * @param reason - for the producers (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    this.flush();
    this.ended = true;
    // mutant-ok split-read-modify-write: all that another clears meanwhile is a sleeper's bit: one wake-up too many
    Atomics.or(this.words, DATA_LINE + FLAG, FLAG_ENDED);
    for (const { words } of this.rings) {
      if (endOnce(words, CONSUMER_END, 'closed', reason)) wake(words, SPACE_LINE, this.bell);
    }
    this.waiter.kick();
  }

  /** Ends this end; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  subject(): Waitable {
    return this;
  }

  /** @internal */
  isReady(): boolean {
    return this.hasRecord() || this.isOver(); // callers look again at the end: D1
  }

  /** @internal */
  announce(): void {
    for (const ring of this.rings) ring.storeCounts();
  }

  private ring(lane: number): RingConsumer {
    const ring = this.rings[lane];
    if (ring === undefined) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `lane must be an integer from 0 to ${this.laneCount - 1}: lane=${lane}`,
      );
    }
    return ring;
  }

  private isOver(): boolean {
    if (this.ended) return true;
    for (const { words } of this.rings) if (!hasEnded(words, PRODUCER_END)) return false;
    return true;
  }

  /** Takes the group's dirty bits into the local words: N1, N2. */
  private collect(): void {
    const { words, dirty } = this;
    // mutant-ok index-off-by-one: the word behind the last is 0
    for (let i = 0; i < dirty.length; i++) {
      // mutant-ok skip-condition: takes no bit, slowly
      if (Atomics.load(words, DIRTY + i) !== 0) {
        dirty[i] = dirty[i]! | Atomics.exchange(words, DIRTY + i, 0);
      }
    }
  }

  private isDirty(lane: number): boolean {
    return (this.dirty[lane >> 5]! & (1 << (lane & 31))) !== 0;
  }

  private clean(lane: number): void {
    this.dirty[lane >> 5] = this.dirty[lane >> 5]! & ~(1 << (lane & 31));
  }

  /** @internal */
  hasRecord(): boolean {
    if (this.total) return this.findExpected() >= 0;
    this.collect();
    for (let lane = 0; lane < this.laneCount; lane++) {
      if (!this.isDirty(lane)) continue;
      if (this.rings[lane]!.available() > 0) return true;
      this.clean(lane);
    }
    return false;
  }

  private drainLanes(callback: LanesDrainCallback, limit: number): number {
    this.collect();
    const { laneCount } = this;
    let count = 0;
    let lane = this.next;
    // mutant-ok index-off-by-one: looks at the first lane once more, or for what isn't wanted
    for (let i = 0; i < laneCount && count < limit; i++, lane++) {
      if (lane === laneCount) lane = 0;
      if (!this.isDirty(lane)) continue;
      const ring = this.rings[lane]!;
      this.lane = lane;
      this.clean(lane);
      ring.stopped = false;
      try {
        count += ring.drainLane(callback, limit - count);
      } finally {
        if (ring.head !== ring.tailSeen) this.dirty[lane >> 5]! |= 1 << (lane & 31);
      }
      this.next = lane + 1 === laneCount ? 0 : lane + 1;
      if (ring.stopped) break;
    }
    return count;
  }

  /** Takes the number off a record of a group with total order. */
  private receive(
    bytes: Uint8Array,
    start: number,
    end: number,
    kind: number,
    lane: number,
  ): ReturnType<LanesDrainCallback> {
    return this.callback!(bytes, start + SEQUENCE_BYTES, end, kind, lane);
  }

  private drainInOrder(callback: LanesDrainCallback, limit: number): number {
    this.callback = callback;
    let count = 0;
    while (count < limit) {
      const lane = this.findExpected();
      if (lane < 0) break;
      const ring = this.rings[lane]!;
      this.lane = lane;
      const isExpected = this.number === this.expected;
      const before = ring.popped;
      ring.stopped = false;
      try {
        ring.drainLane(this.forward, 1);
      } finally {
        const taken = ring.popped - before;
        count += taken;
        if (isExpected) this.expected = (this.expected + taken) | 0;
      }
      if (ring.stopped) break;
    }
    return count;
  }

  /** Total order: the lane whose oldest record is next, or -1; skips numbers of the dead: N3. */
  private findExpected(): number {
    for (;;) {
      let lane = this.findLowest();
      // mutant-ok index-off-by-one: nothing was looked at before lane 0
      if (lane >= 0 && !this.settled) {
        this.settled = !this.isClaiming();
        lane = this.findLowest(); // N4
      }
      if (lane >= 0) return lane;
      // Nobody has taken it.
      if (((Atomics.load(this.words, SEQUENCE) - this.expected) | 0) <= 0) return -1;
      if (this.isClaiming()) return -1;
      lane = this.findLowest();
      if (lane >= 0) return lane;
      this.expected = (this.expected + 1) | 0;
      this.skipped++;
    }
  }

  /** Whether a producer that lives may hold a number that isn't published. */
  private isClaiming(): boolean {
    for (const { words } of this.rings) {
      if (Atomics.load(words, CLAIMING) !== 0 && !hasEnded(words, PRODUCER_END)) return true;
    }
    return false;
  }

  /** The lane with the lowest number at its head, which it leaves in `number`; -1 if that isn't due: N3, N4. */
  private findLowest(): number {
    let found = -1;
    let lowest = this.expected;
    for (let lane = 0; lane < this.laneCount; lane++) {
      const ring = this.rings[lane]!;
      const at = ring.locate(ring.head);
      if (at < 0) continue; // mutant-ok index-off-by-one: no payload begins at 0
      const number = ring.data[at >> 2]!;
      if (((number - lowest) | 0) > 0) continue;
      lowest = number;
      found = lane;
    }
    this.number = lowest;
    return found;
  }
}
