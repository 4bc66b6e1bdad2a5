/**
 * Who knows of which access: exact happens-before, as bit sets, for finding data races.
 *
 * Source: the rules of ECMA-262's memory model (happens-before, synchronizes-with, data race), kept as sets
 * of knowers in place of vector clocks: of each thread's last access of each shape to each place we store
 * which threads, and which synchronising locations, have it in their past. No counters, so more states of
 * the search are equal.
 *
 *   row of a state:  | live threads | mask of slot 0 | mask of slot 1 | ...
 *   mask:            bit t = thread t knows, bit T + s = who reads from sync location s gets to know
 *   slot:            one (place, thread, shape); shape = plain read, plain write, or an atomic read or write
 *                    of one exact range
 *
 * I1: an atomic read acquires only from the write it reads from, over the same range: a write replaces what
 *     its location carries, and any other overlapping write (plain, or of another size) wipes it.
 * I2: a read-modify-write acquires, then replaces; a failed compareExchange only acquires.
 * I3: two accesses race if they overlap, are of different threads, at least one writes, neither knows of the
 *     other, and they aren't both atomic over the same range.
 * I4: a write drops the accesses that it is ordered after: whoever races with them races with it too.
 * I5: a place is tracked only from the moment on when two threads access it in conflicting ways; finding
 *     the first conflict restarts the search (`grown`), with what was learned kept.
 * I6: a mask that covers all live threads can't take part in a race any more and becomes 0; what ended
 *     threads knew is dropped too.
 * Cost: one table look-up a step; a row is computed once per (row, effect).
 */
import { Native } from './native.ts';
import { RowTable, TripleTable } from './tables.ts';

const plainRead = 'r';
const plainWrite = 'w';

interface Slot {
  readonly index: number;
  readonly thread: number;
  readonly shape: string;
}

interface Place {
  /** Which shapes each thread has used, as `thread:shape`. */
  readonly seen: Set<string>;
  tracked: boolean;
  readonly slots: Slot[];
}

interface SyncRange {
  readonly at: number;
  readonly bytes: number;
  readonly bit: number;
}

/** What one access does to a row. */
interface Effect {
  readonly thread: number;
  readonly accesses: { readonly place: Place; readonly shape: string; readonly slot: number }[];
  readonly writes: boolean;
  readonly atomic: boolean;
  readonly at: number;
  readonly bytes: number;
  readonly acquires: number;
  readonly releases: number;
  readonly ends: boolean;
}

/** What an effect does to whoever knows what, for racy.ts. */
export interface EffectSummary {
  readonly thread: number;
  /** Bit that the thread learns from, and bit that it passes its knowledge to; -1 for none. */
  readonly acquires: number;
  readonly releases: number;
  /** Bits that lose what they carry. */
  readonly wiped: readonly number[];
  readonly ends: boolean;
}

/** Two accesses that race: the other one's thread and shape. */
export interface Race {
  readonly thread: number;
  readonly shape: string;
}

const isWrite = (shape: string): boolean => shape[0] === 'w' || shape[0] === 'W';
const isPlainShape = (shape: string): boolean => shape === plainRead || shape === plainWrite;

const conflicts = (x: string, y: string): boolean => {
  if (!isWrite(x) && !isWrite(y)) return false;
  return isPlainShape(x) || isPlainShape(y) || x.slice(1) !== y.slice(1);
};

/** Result of `apply` when the access races. */
export const raceFound = -2;

export class Knowledge {
  readonly #threads: number;
  readonly #places = new Map<number, Place>();
  /** Words accessed in parts: their places are bytes. */
  readonly #byteWords = new Set<number>();
  #slotCount = 0;
  #slotOwners: number[] = [];
  #syncs: SyncRange[] = [];
  #waitLists = new Map<number, number>();
  #effects: Effect[] = [];
  #effectIds = new Map<string, number>();
  #rows = new RowTable();
  #steps = new TripleTable();
  #scratch: Int32Array = new Native.Int32Array(64);
  /** Words of a mask: 31 bits each. */
  #width = 1;
  /** Whether the search must start over, because something has to be tracked from its beginning. */
  grown = false;
  lastRace: Race | null = null;
  start = 0;

  constructor(threads: number) {
    this.#threads = threads;
    this.restart();
  }

  get count(): number {
    return this.#rows.count;
  }

  /** Forgets all rows and slots, but not which places need tracking. */
  restart(): void {
    this.grown = false;
    this.#slotCount = 0;
    this.#effects = [];
    this.#effectIds = new Map();
    this.#rows = new RowTable();
    this.#steps = new TripleTable();
    for (const place of this.#places.values()) place.slots.length = 0;
    this.#scratch[0] = (1 << this.#threads) - 1;
    this.start = this.#rows.intern(this.#scratch, 1);
  }

  /** Id of the effect of an access; equal accesses of a thread have equal ids. */
  effect(
    thread: number,
    at: number,
    bytes: number,
    atomic: boolean,
    reads: boolean,
    writes: boolean,
  ): number {
    const key = `${thread},${at},${bytes},${atomic},${reads},${writes}`;
    const known = this.#effectIds.get(key);
    if (known !== undefined) return known;
    const shape = !atomic
      ? writes
        ? plainWrite
        : plainRead
      : `${writes ? 'W' : 'R'}${at}+${bytes}`;
    return this.#add(key, {
      thread,
      accesses: this.#touch(thread, at, bytes, shape),
      writes,
      atomic,
      at,
      bytes,
      acquires: atomic && reads ? this.#sync(at, bytes) : -1,
      releases: atomic && writes ? this.#sync(at, bytes) : -1,
      ends: false,
    });
  }

  /** Id of the effect of entering and leaving the critical section of a waiter list. */
  waiterList(thread: number, at: number): number {
    const key = `${thread},list,${at}`;
    const known = this.#effectIds.get(key);
    if (known !== undefined) return known;
    let bit = this.#waitLists.get(at);
    if (bit === undefined) {
      bit = this.#bit(at, 0);
      this.#waitLists.set(at, bit);
    }
    return this.#add(key, { ...nothing, thread, acquires: bit, releases: bit });
  }

  /** Id of the effect of a thread's end. */
  end(thread: number): number {
    const key = `${thread},end`;
    return this.#effectIds.get(key) ?? this.#add(key, { ...nothing, thread, ends: true });
  }

  #add(key: string, effect: Effect): number {
    const id = this.#effects.push(effect) - 1;
    this.#effectIds.set(key, id);
    return id;
  }

  #bit(at: number, bytes: number): number {
    const bit = this.#threads + this.#syncs.length;
    this.#syncs.push({ at, bytes, bit });
    if (bit >= this.#width * 31) {
      this.#width++;
      this.grown = true;
    }
    return bit;
  }

  #sync(at: number, bytes: number): number {
    const known = this.#syncs.find((sync) => sync.at === at && sync.bytes === bytes);
    return known?.bit ?? this.#bit(at, bytes);
  }

  /** The places of a range: whole words, or bytes of words that are ever accessed in parts. */
  #placesOf(at: number, bytes: number): Place[] {
    const places: Place[] = [];
    for (let word = at >> 2; word * 4 < at + bytes; word++) {
      const whole = at <= word * 4 && at + bytes >= word * 4 + 4;
      if (!whole && !this.#byteWords.has(word)) {
        this.#byteWords.add(word);
        this.#splitWord(word);
      }
      if (!this.#byteWords.has(word)) places.push(this.#place(word * 4));
      else {
        const last = Math.min(at + bytes, word * 4 + 4);
        for (let byte = Math.max(at, word * 4); byte < last; byte++) places.push(this.#place(byte));
      }
    }
    return places;
  }

  #splitWord(word: number): void {
    const whole = this.#places.get(word * 4);
    if (whole === undefined) return;
    for (let byte = 0; byte < 4; byte++) {
      const place: Place = { seen: new Set(whole.seen), tracked: whole.tracked, slots: [] };
      this.#places.set(word * 4 + byte, place);
    }
    if (whole.tracked) this.grown = true;
  }

  #place(at: number): Place {
    let place = this.#places.get(at);
    if (place === undefined) {
      place = { seen: new Set(), tracked: false, slots: [] };
      this.#places.set(at, place);
    }
    return place;
  }

  #touch(thread: number, at: number, bytes: number, shape: string): Effect['accesses'] {
    return this.#placesOf(at, bytes).flatMap((place) => {
      place.seen.add(`${thread}:${shape}`);
      if (!place.tracked && this.#isShared(place, thread, shape)) {
        place.tracked = true; // I5
        this.grown = true;
      }
      return place.tracked ? [{ place, shape, slot: this.#slot(place, thread, shape) }] : [];
    });
  }

  #isShared(place: Place, thread: number, shape: string): boolean {
    for (const entry of place.seen) {
      const colon = entry.indexOf(':');
      if (Number(entry.slice(0, colon)) !== thread && conflicts(entry.slice(colon + 1), shape)) {
        return true;
      }
    }
    return false;
  }

  #slot(place: Place, thread: number, shape: string): number {
    const known = place.slots.find((slot) => slot.thread === thread && slot.shape === shape);
    if (known !== undefined) return known.index;
    const slot = { index: this.#slotCount++, thread, shape };
    this.#slotOwners[slot.index] = thread;
    place.slots.push(slot);
    return slot.index;
  }

  /** Applies an effect to a row. @returns the id of the new row, or `raceFound` */
  apply(row: number, effectId: number): number {
    const known = this.#steps.get(row, effectId, 0);
    if (known !== -1) return known;
    return this.#steps.set(row, effectId, 0, this.#compute(row, this.#effects[effectId]!));
  }

  /** Describes an effect. */
  summary(effectId: number): EffectSummary {
    const effect = this.#effects[effectId]!;
    const wiped = effect.writes ? this.#wiped(effect) : [];
    return { ...effect, wiped };
  }

  /** The race that made `apply` return `raceFound`. */
  explainRace(row: number, effectId: number): Race {
    this.#compute(row, this.#effects[effectId]!);
    return this.lastRace!;
  }

  #compute(row: number, effect: Effect): number {
    const cells = this.#load(row);
    if (effect.acquires >= 0) this.#spread(cells, effect.acquires, effect.thread);
    if (this.#races(cells, effect)) return raceFound;
    if (effect.writes) this.#wipe(cells, effect);
    this.#record(cells, effect);
    if (effect.releases >= 0) this.#publish(cells, effect.releases, effect.thread);
    if (effect.ends) cells[0]! &= ~(1 << effect.thread);
    return this.#store(cells);
  }

  #load(row: number): Int32Array {
    const size = 1 + this.#slotCount * this.#width;
    if (size > this.#scratch.length) this.#scratch = new Native.Int32Array(size * 2);
    const from = this.#rows.start(row);
    const length = this.#rows.length(row);
    const cells = this.#scratch;
    for (let index = 0; index < size; index++) {
      cells[index] = index < length ? this.#rows.pool[from + index]! : 0;
    }
    return cells;
  }

  #has(cells: Int32Array, slot: number, bit: number): boolean {
    const word = (bit / 31) | 0;
    return (cells[1 + slot * this.#width + word]! & (1 << (bit - word * 31))) !== 0;
  }

  #mark(cells: Int32Array, slot: number, bit: number, on: boolean): void {
    const word = (bit / 31) | 0;
    const mask = 1 << (bit - word * 31);
    const index = 1 + slot * this.#width + word;
    cells[index] = on ? cells[index]! | mask : cells[index]! & ~mask;
  }

  #isEmpty(cells: Int32Array, slot: number): boolean {
    for (let word = 0; word < this.#width; word++) {
      if (cells[1 + slot * this.#width + word] !== 0) return false;
    }
    return true;
  }

  #clear(cells: Int32Array, slot: number): void {
    for (let word = 0; word < this.#width; word++) cells[1 + slot * this.#width + word] = 0;
  }

  /** Whoever holds `from` also gets `to`. */
  #spread(cells: Int32Array, from: number, to: number): void {
    for (let slot = 0; slot < this.#slotCount; slot++) {
      if (this.#has(cells, slot, from)) this.#mark(cells, slot, to, true);
    }
  }

  #publish(cells: Int32Array, bit: number, thread: number): void {
    for (let slot = 0; slot < this.#slotCount; slot++) {
      this.#mark(cells, slot, bit, this.#has(cells, slot, thread)); // I1, I2
    }
  }

  #races(cells: Int32Array, effect: Effect): boolean {
    for (const { place, shape } of effect.accesses) {
      for (const slot of place.slots) {
        if (slot.thread === effect.thread || this.#isEmpty(cells, slot.index)) continue;
        if (conflicts(slot.shape, shape) && !this.#has(cells, slot.index, effect.thread)) {
          this.lastRace = { thread: slot.thread, shape: slot.shape }; // I3
          return true;
        }
      }
    }
    return false;
  }

  /** Bits of other ranges that a write overlaps: nobody reads from their writes any more (I1). */
  #wiped(effect: Effect): number[] {
    const end = effect.at + effect.bytes;
    return this.#syncs
      .filter(({ at, bytes }) => {
        const same = effect.atomic && at === effect.at && bytes === effect.bytes;
        return bytes > 0 && at < end && effect.at < at + bytes && !same;
      })
      .map((sync) => sync.bit);
  }

  #wipe(cells: Int32Array, effect: Effect): void {
    for (const bit of this.#wiped(effect)) {
      for (let slot = 0; slot < this.#slotCount; slot++) this.#mark(cells, slot, bit, false);
    }
  }

  #record(cells: Int32Array, effect: Effect): void {
    for (const { place, slot } of effect.accesses) {
      if (effect.writes) {
        for (const other of place.slots) {
          if (!effect.atomic || isPlainShape(other.shape)) this.#clear(cells, other.index); // I4
        }
      }
      this.#clear(cells, slot);
      this.#mark(cells, slot, effect.thread, true);
    }
  }

  #store(cells: Int32Array): number {
    const live = cells[0]!;
    const dead = ~live & ((1 << this.#threads) - 1);
    for (let slot = 0; slot < this.#slotCount; slot++) {
      const index = 1 + slot * this.#width;
      if ((cells[index]! & live) === live)
        this.#clear(cells, slot); // I6
      else cells[index]! &= ~dead | (1 << this.#slotOwners[slot]!);
    }
    let length = 1 + this.#slotCount * this.#width;
    while (length > 1 && cells[length - 1] === 0) length--;
    return this.#rows.intern(cells, length);
  }
}

const nothing: Effect = {
  thread: 0,
  accesses: [],
  writes: false,
  atomic: false,
  at: 0,
  bytes: 0,
  acquires: -1,
  releases: -1,
  ends: false,
};
