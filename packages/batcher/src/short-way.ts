/**
 * The way of nearly every push: into the entry that the push before went into, while no limit can be reached by it.
 *
 *     open(entry, pushes, room) ─▶ tryPush, tryPush, ... false ─▶ close: the entry and the sums learn what came
 *
 * Into a list the pushes are counted by the list's own length: two stores less than a counter takes.
 *
 * Invariants
 * - W1: while it is open, `pushes` more items and `room` more bytes reach no limit: nobody else has to look at them.
 * - W2: what went this way is in its accumulator, but in no count before `close`; so nothing may take the entry,
 *   read a sum or change a limit while it is open.
 *
 * One thread. Cost: O(1), no allocation.
 */
import type { Lane, Lanes, Segment } from './lanes.ts';
import { appendToList, type Merge } from './merge.ts';

const NO_ITEMS: never[] = [];

/** An entry with room for pushes that need no look at anything else. */
export class ShortWay<Item, Key, Value> {
  readonly #lanes: Lanes<Item, Key, unknown, Value>;
  readonly #merge: Merge<Item, Key, unknown>;
  readonly #weigh: ((item: Item) => number) | undefined;
  /** The merge is `list()`: no call that other merges in the process would keep from being inlined. */
  readonly #isList: boolean;
  /** The lane and the entry that it leads to, null while it is closed. */
  #lane: Lane<Key, unknown, Value> | null = null;
  #entry: Segment<Key, unknown, Value> | null = null;
  /** Into a list without weights: the list, its length at the start, and the one that it may reach. */
  #items: Item[] = NO_ITEMS;
  #lengthStart = 0;
  #lengthMax = 0;
  /** Otherwise: the pushes that may still come, and with `weigh` their bytes. */
  #pushes = 0;
  #pushesGiven = 0;
  #room = 0;
  #roomGiven = 0;

  constructor(
    lanes: Lanes<Item, Key, unknown, Value>,
    merge: Merge<Item, Key, unknown>,
    weigh: ((item: Item) => number) | undefined,
  ) {
    this.#lanes = lanes;
    this.#merge = merge;
    this.#weigh = weigh;
    this.#isList = merge.append === (appendToList as unknown);
  }

  /** Takes an item in if this way leads there; else returns false, and nothing has changed. */
  tryPush(lane: Lane<Key, unknown, Value>, item: Item): boolean {
    if (lane !== this.#lane) return false;
    const items = this.#items;
    if (items.length < this.#lengthMax) {
      items.push(item);
      return true;
    }
    if (this.#pushes <= 0) return false;
    let weight = 0;
    if (this.#weigh !== undefined) {
      weight = this.#weigh(item);
      if (!(weight < this.#room && weight >= 0) || lane !== this.#lane) return false;
    }
    if (this.#isList) (this.#entry!.accumulator as Item[]).push(item);
    else this.#merge.append(this.#entry!.accumulator, item); // may throw: B5
    this.#pushes--;
    if (this.#weigh !== undefined) this.#room -= weight;
    return true;
  }

  /**
   * Leads to `entry`, the tail of its lane.
   *
   * @param pushes - items that may come
   * @param room - bytes that they must stay below: a whole number below 2^30, since a fraction would be boxed
   */
  open(entry: Segment<Key, unknown, Value>, pushes: number, room: number): void {
    const isWeighed = this.#weigh !== undefined;
    const count = isWeighed ? pushes : Math.min(pushes, room - 1);
    if (!(count > 0)) return;
    this.#lane = entry.lane;
    this.#entry = entry;
    if (this.#isList && !isWeighed) {
      this.#items = entry.accumulator as Item[];
      this.#lengthStart = this.#items.length;
      this.#lengthMax = this.#lengthStart + count;
      return;
    }
    this.#pushes = this.#pushesGiven = count;
    this.#room = this.#roomGiven = room;
  }

  /** Pushes that came this way and are in no count yet. */
  get count(): number {
    return this.#lengthMax > 0
      ? this.#items.length - this.#lengthStart
      : this.#pushesGiven - this.#pushes;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#weigh === undefined ? this.count : this.#roomGiven - this.#room;
  }

  /** Sends the next push the long way, and counts those that came this way; returns how many. */
  close(): number {
    const entry = this.#entry;
    if (entry === null) return 0;
    const { count, bytes } = this;
    entry.count += count;
    entry.bytes += bytes;
    this.#lanes.count += count;
    this.#lanes.bytes += bytes;
    this.#lane = this.#entry = null;
    this.#items = NO_ITEMS; // the sink's own by now
    this.#lengthStart = this.#lengthMax = 0;
    this.#pushes = this.#pushesGiven = 0;
    this.#room = this.#roomGiven = 0;
    return count;
  }
}
