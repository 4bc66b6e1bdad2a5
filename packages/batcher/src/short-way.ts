/**
 * The way of nearly every push: into the entry that the push before went into, while no limit can be reached by it.
 *
 *     open(lane, pushes, room) ─▶ tryPush, tryPush, ... false ─▶ close: the entry and the sums learn what came
 *
 * A list that grows push by push is copied at each step, and at a hundred items that takes longer than all pushes. So a
 * new batch's list is made as long as the smaller of the last two was, and cut when the way is closed:
 *
 *     items  | a | b | c |   |   |   |      next: where the following push goes
 *              0   1   2   ▲ next         end: where it may not go any more (W1)
 *
 * Invariants
 * - W1: while it is open, `pushes` more items and `room` more bytes reach no limit: nobody else has to look at them.
 * - W2: what went this way is in its accumulator, but in no count before `close`; so nothing may take the entry,
 *   read a sum or change a limit while it is open.
 * - W3: a list's holes end with `close`: nobody else sees it before.
 *
 * One thread. Cost: O(1), no allocation.
 */
import type { Lane, Lanes, Segment } from './lanes.ts';
import { appendToList, createList, type Merge } from './merge.ts';

const NO_ITEMS: never[] = [];
/** Lists are made so long at once, and not for fewer. */
const LENGTH_MAX = 4096;
const LENGTH_MIN = 16;

/** An entry with room for pushes that need no look at anything else. */
export class ShortWay<Item, Key, Value> {
  readonly #lanes: Lanes<Item, Key, unknown, Value>;
  readonly #merge: Merge<Item, Key, unknown>;
  readonly #weigh: ((item: Item) => number) | undefined;
  /** The merge is `list()`: no call that other merges in the process would keep from being inlined. */
  readonly #isList: boolean;
  /** The lane to whose tail it leads, or last led: storing a null each time costs more than the next lane does. */
  #lane: Lane<Key, unknown, Value> | null = null;
  /** Into a list without weights: the list, its items at the start, where the next goes, and the end (0 while closed). */
  #items: Item[] = NO_ITEMS;
  #start = 0;
  #next = 0;
  #end = 0;
  /** Items that the last list held, and the one before it. */
  #length = 0;
  #lengthBefore = 0;
  /** Otherwise: the tail's accumulator, the pushes that may still come, and with `weigh` their bytes. */
  #accumulator: unknown;
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
    this.#isList =
      merge.append === (appendToList as unknown) && merge.create === (createList as unknown);
  }

  /** Takes an item in if this way leads there; else returns false, and nothing has changed. */
  tryPush(lane: Lane<Key, unknown, Value>, item: Item): boolean {
    if (lane !== this.#lane) return false;
    const next = this.#next;
    if (next < this.#end) {
      this.#items[next] = item;
      this.#next = next + 1;
      return true;
    }
    if (this.#pushes <= 0) return false;
    let weight = 0;
    if (this.#weigh !== undefined) {
      weight = this.#weigh(item);
      if (!(weight < this.#room && weight >= 0) || lane !== this.#lane) return false;
    }
    if (this.#isList) (this.#accumulator as Item[]).push(item);
    else this.#merge.append(this.#accumulator, item); // may throw: B5
    this.#pushes--;
    if (this.#weigh !== undefined) this.#room -= weight;
    return true;
  }

  /**
   * Leads to the tail of `lane`.
   *
   * @param pushes - items that may come
   * @param room - bytes that they must stay below: a whole number below 2^30, since a fraction would be boxed
   */
  open(lane: Lane<Key, unknown, Value>, pushes: number, room: number): void {
    const isWeighed = this.#weigh !== undefined;
    const count = isWeighed || pushes < room ? pushes : room - 1;
    if (!(count > 0)) return;
    this.#lane = lane;
    if (this.#isList && !isWeighed) {
      this.#items = this.#listOf(lane.tail!);
      this.#start = this.#next = lane.tail!.count;
      this.#end = this.#start + count;
      return;
    }
    this.#accumulator = lane.tail!.accumulator;
    this.#pushes = this.#pushesGiven = count;
    this.#room = this.#roomGiven = room;
  }

  /** Returns an entry's list; one that has just begun is made longer, if those before it were. */
  #listOf(entry: Segment<Key, unknown, Value>): Item[] {
    const items = entry.accumulator as Item[];
    if (entry.count !== 1) return items;
    const length = Math.min(this.#length, this.#lengthBefore, LENGTH_MAX);
    this.#lengthBefore = this.#length;
    if (length < LENGTH_MIN) return items;
    const longer = new Array<Item>(length);
    longer[0] = items[0]!;
    entry.accumulator = longer;
    entry.value = longer as unknown as Value; // a list is handed out as it is
    return longer;
  }

  /** Pushes that came this way and are in no count yet. */
  get count(): number {
    return this.#end > 0 ? this.#next - this.#start : this.#pushesGiven - this.#pushes;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#weigh === undefined ? this.count : this.#roomGiven - this.#room;
  }

  /** Sends the next push the long way, and counts those that came this way; returns how many. */
  close(): number {
    if ((this.#end | this.#pushesGiven) === 0) return 0;
    const { count, bytes } = this;
    const entry = this.#lane!.tail!;
    entry.count += count;
    entry.bytes += bytes;
    this.#lanes.count += count;
    this.#lanes.bytes += bytes;
    if (this.#end > 0) {
      const items = this.#items;
      this.#length = this.#next;
      if (items.length > this.#next) items.length = this.#next; // W3
      this.#items = NO_ITEMS; // the sink's own by now
      this.#end = 0;
    } else {
      this.#accumulator = undefined;
      this.#pushes = this.#pushesGiven = 0;
      this.#room = this.#roomGiven = 0;
    }
    return count;
  }
}
