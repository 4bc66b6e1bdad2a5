/**
 * The undelivered items, per key, and the fair composition of a batch out of them.
 *
 * Source: deficit round robin (Shreedhar, Varghese 1995), over keys, with accumulators as packets.
 *
 *     ring of dirty lanes:  ┌▶ lane "a" ⇄ lane "b" ⇄ lane "c" ─┐      (served at the head, back to the tail)
 *                           └──────────────────────────────────┘
 *     one lane:  head ▶ entry (sealed) ▶ entry (sealed) ▶ entry (open) ◀ tail      spare ▶ entry ▶ entry
 *
 * An entry is sealed when it reaches `entryBytes`, or in a backlog `entryCount`, so that one key's backlog can be cut
 * between two batches without the merge knowing how to cut; a sink that keeps up sees one entry a key.
 *
 * What an entry takes of a batch is its part of the bytes or of the items allowed, whichever is more: a key of many
 * small items fills a batch as one of few large ones does.
 *
 * Invariants
 * - Q1: items of a key leave in the order in which they came.
 * - Q2: `bytes` and `count` equal the sums over all lanes (the batcher's short way books its pushes later), and a lane is in the ring exactly if it holds items.
 * - Q3: of a backlog larger than one batch, every dirty key gets its share of each batch, an oversized entry apart.
 * - Q4: a batch exceeds its caps only by an entry that is alone in it, and by items never.
 *
 * One thread. Cost: append O(1) and no allocation once a lane has its spare entries; take O(entries taken).
 */
import type { Merge, MergeWithValue } from './merge.ts';

/** What a sink gets of one key. Borrowed until its flush has ended, unless the merge gives its accumulators away. */
export interface Entry<Key, Value> {
  /** The key. */
  readonly key: Key;
  /** The merged items. */
  readonly value: Value;
  /** Items merged into the value. */
  readonly count: number;
  /** Bytes of these items by `weigh`. */
  readonly bytes: number;
  /** Age of the oldest item when the flush started (ms). */
  readonly ageMs: number;
}

/** An entry with its accumulator and its links. */
export class Segment<Key, Accumulator, Value> implements Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  count = 0;
  bytes = 0;
  ageMs = 0;
  arrivedMs = 0;
  accumulator: Accumulator;
  next: Segment<Key, Accumulator, Value> | null = null;
  readonly lane: Lane<Key, Accumulator, Value>;

  constructor(lane: Lane<Key, Accumulator, Value>, accumulator: Accumulator) {
    this.lane = lane;
    this.key = lane.key;
    this.accumulator = accumulator;
    this.value = accumulator as unknown as Value;
  }
}

/** The undelivered items of one key. */
export class Lane<Key, Accumulator, Value> {
  readonly key: Key;
  head: Segment<Key, Accumulator, Value> | null = null;
  tail: Segment<Key, Accumulator, Value> | null = null;
  spare: Segment<Key, Accumulator, Value> | null = null;
  /** Bytes of the entries before the tail. */
  sealed = 0;
  deficit = 0;
  dirty = false;
  pressed = false;
  pinned = false;
  /** No longer the lane of its key: pushes must look it up again. */
  forgotten = false;
  previous: Lane<Key, Accumulator, Value> | null = null;
  next: Lane<Key, Accumulator, Value> | null = null;

  constructor(key: Key) {
    this.key = key;
  }

  /** Undelivered bytes. */
  get bytes(): number {
    return this.tail === null ? 0 : this.sealed + this.tail.bytes;
  }
}

/** Idle lanes kept for their buffers; above it a lane goes as soon as it is empty. */
const IDLE_LANES_MAX = 4096;

/** All lanes of a batcher. */
export class Lanes<Item, Key, Accumulator, Value> {
  bytes = 0;
  count = 0;
  dirty = 0;
  /** An entry that holds this much is sealed. */
  entryBytes: number = Number.POSITIVE_INFINITY;
  readonly #lanes = new Map<Key, Lane<Key, Accumulator, Value>>();
  readonly #merge: Merge<Item, Key, Accumulator>;
  readonly replaces: boolean;
  readonly #value: ((accumulator: Accumulator) => Value) | undefined;
  /** An entry of a backlog that holds this many items is sealed. */
  readonly #entryCount: number;
  #head: Lane<Key, Accumulator, Value> | null = null;
  #tail: Lane<Key, Accumulator, Value> | null = null;
  #resumes = false;

  constructor(merge: Merge<Item, Key, Accumulator>, countMax: number) {
    this.#merge = merge;
    this.#entryCount = Math.ceil(countMax / 8);
    this.replaces = merge.replaces === true;
    const value = (merge as Partial<MergeWithValue<Item, Key, Accumulator, Value>>).value;
    this.#value = value === undefined ? undefined : (accumulator) => value.call(merge, accumulator);
  }

  /** Returns the lane of a key, new if need be. */
  lane(key: Key): Lane<Key, Accumulator, Value> {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** Returns the lane of a key if there is one. */
  find(key: Key): Lane<Key, Accumulator, Value> | undefined {
    return this.#lanes.get(key);
  }

  /** Drops an empty lane and its buffers; one under pressure stays, since its relief is still to be told. */
  forget(lane: Lane<Key, Accumulator, Value>): void {
    if (lane.dirty || lane.pressed || this.#lanes.get(lane.key) !== lane) return;
    this.#lanes.delete(lane.key);
    lane.forgotten = true;
  }

  /** Merges an item of `weight` bytes that arrived at `nowMs`; into a backlog if the sink is busy or a batch is full. */
  append(
    lane: Lane<Key, Accumulator, Value>,
    item: Item,
    weight: number,
    nowMs: number,
    isBacklog: boolean,
  ): void {
    const { tail } = lane;
    const isNew = tail === null || (!this.replaces && this.#isFull(tail, isBacklog));
    const segment = isNew ? (lane.spare ?? this.#create(lane)) : tail;
    this.#merge.append(segment.accumulator, item); // may refuse the item by throwing: nothing has changed yet
    if (isNew) this.#start(lane, segment);
    if (segment.count === 0) segment.arrivedMs = nowMs;
    segment.count++;
    if (this.replaces) {
      this.bytes += weight - segment.bytes;
      segment.bytes = weight;
      if (segment.count === 1) this.count++;
    } else {
      segment.bytes += weight;
      this.bytes += weight;
      this.count++;
    }
    if (!lane.dirty) this.#link(lane);
  }

  #isFull(segment: Segment<Key, Accumulator, Value>, isBacklog: boolean): boolean {
    return segment.bytes >= this.entryBytes || (isBacklog && segment.count >= this.#entryCount);
  }

  #create(lane: Lane<Key, Accumulator, Value>): Segment<Key, Accumulator, Value> {
    return new Segment(lane, this.#merge.create(lane.key));
  }

  /** Makes `segment`, the lane's spare one or a new one, its tail. */
  #start(lane: Lane<Key, Accumulator, Value>, segment: Segment<Key, Accumulator, Value>): void {
    if (lane.spare === segment) lane.spare = segment.next;
    segment.next = null;
    if (lane.tail === null) lane.head = segment;
    else {
      lane.tail.next = segment;
      lane.sealed += lane.tail.bytes;
    }
    lane.tail = segment;
  }

  #link(lane: Lane<Key, Accumulator, Value>): void {
    lane.dirty = true; // Q2
    this.dirty++;
    lane.previous = this.#tail;
    lane.next = null;
    if (this.#tail === null) this.#head = lane;
    else this.#tail.next = lane;
    this.#tail = lane;
  }

  #unlink(lane: Lane<Key, Accumulator, Value>): void {
    if (lane.previous === null) this.#head = lane.next;
    else lane.previous.next = lane.next;
    if (lane.next === null) this.#tail = lane.previous;
    else lane.next.previous = lane.previous;
    lane.previous = lane.next = null;
    lane.dirty = false; // Q2
    this.dirty--;
  }

  /** Serves a lane before all others in the next batch. */
  promote(lane: Lane<Key, Accumulator, Value>): void {
    if (!lane.dirty || this.#head === lane) return;
    this.#unlink(lane);
    lane.dirty = true;
    this.dirty++;
    lane.next = this.#head;
    this.#head!.previous = lane;
    this.#head = lane;
    this.#resumes = false;
  }

  /** Returns the arrival of the oldest undelivered item (ms), Infinity if there is none. */
  oldestMs(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (let lane = this.#head; lane !== null; lane = lane.next) {
      if (lane.head!.arrivedMs < oldest) oldest = lane.head!.arrivedMs;
    }
    return oldest;
  }

  /** Moves entries into `batch`: all of them if they fit, else a fair share of each dirty key. */
  take(batch: Segment<Key, Accumulator, Value>[], bytesMax: number, countMax: number): void {
    if (this.bytes <= bytesMax && this.count <= countMax) {
      while (this.#head !== null) {
        const lane = this.#head;
        while (lane.head !== null) batch.push(this.#pop(lane));
        lane.deficit = 0;
        this.#unlink(lane);
      }
      this.#resumes = false;
    } else this.#takeFair(batch, bytesMax, countMax);
    if (this.#head === null) this.bytes = 0; // what sums of fractions leave
  }

  /** Deficit round robin (Q3), in parts of a batch. */
  #takeFair(batch: Segment<Key, Accumulator, Value>[], bytesMax: number, countMax: number): void {
    const quantum = Math.max(1 / this.dirty, 1 / bytesMax, 1 / countMax);
    let bytes = 0;
    let count = 0;
    let idle = 0;
    // A turn that goes on has its share of this batch, not of one that it had for itself.
    if (this.#resumes) this.#head!.deficit = Math.min(this.#head!.deficit, quantum);
    while (this.#head !== null) {
      const lane = this.#head;
      if (!this.#resumes) lane.deficit += quantum;
      this.#resumes = false;
      let served = false;
      while (lane.head !== null) {
        const segment = lane.head;
        const items = this.replaces ? 1 : segment.count;
        const part = Math.max(segment.bytes / bytesMax, items / countMax);
        // A whole round without a bite means that every head entry is oversized: one goes alone.
        const starving = batch.length === 0 && idle > this.dirty;
        if (part > lane.deficit && !starving) break;
        const exceeds = bytes + segment.bytes > bytesMax || count + items > countMax;
        if (batch.length > 0 && exceeds) {
          this.#resumes = true; // its turn goes on in the next batch
          return; // Q4
        }
        bytes += segment.bytes;
        count += items;
        lane.deficit = Math.max(0, lane.deficit - part);
        batch.push(this.#pop(lane));
        served = true;
      }
      this.#unlink(lane);
      if (lane.head === null) lane.deficit = 0;
      else this.#link(lane);
      idle = served ? 0 : idle + 1;
      if (batch.length > 0 && idle > this.dirty) return;
    }
  }

  #pop(lane: Lane<Key, Accumulator, Value>): Segment<Key, Accumulator, Value> {
    const segment = lane.head!; // Q1
    lane.head = segment.next;
    if (lane.head === null) lane.tail = null;
    else lane.sealed -= segment.bytes;
    segment.next = null;
    this.bytes -= segment.bytes;
    this.count -= this.replaces ? 1 : segment.count;
    if (this.#value !== undefined) segment.value = this.#value(segment.accumulator);
    return segment;
  }

  /** Takes delivered entries back for reuse. */
  release(batch: readonly Segment<Key, Accumulator, Value>[]): void {
    const merge = this.#merge;
    for (let i = 0; i < batch.length; i++) {
      const segment = batch[i]!;
      const lane = segment.lane;
      if (merge.clear !== undefined) {
        merge.clear(segment.accumulator);
        segment.count = 0;
        segment.bytes = 0;
        segment.next = lane.spare;
        lane.spare = segment;
      }
      this.retire(lane);
    }
  }

  /** Drops a lane that is idle, if there are many. */
  retire(lane: Lane<Key, Accumulator, Value>): void {
    if (!lane.pinned && this.#lanes.size > IDLE_LANES_MAX) this.forget(lane);
  }

  /** Splits an entry in two, if the merge can; returns the second part. */
  split(segment: Segment<Key, Accumulator, Value>): Segment<Key, Accumulator, Value> | undefined {
    const rest = this.#create(segment.lane);
    const moved = this.#merge.split?.(segment.accumulator, rest.accumulator) ?? 0;
    if (moved <= 0) return undefined;
    const share = moved / segment.count;
    rest.count = moved;
    rest.bytes = segment.bytes * share;
    rest.arrivedMs = segment.arrivedMs;
    segment.count -= moved;
    segment.bytes -= rest.bytes;
    if (this.#value !== undefined) {
      segment.value = this.#value(segment.accumulator);
      rest.value = this.#value(rest.accumulator);
    }
    return rest;
  }
}
