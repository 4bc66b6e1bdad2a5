/**
 * Two hash tables over Int32 data: the whole search runs on numbers that they hand out.
 *
 * `TripleTable` maps three integers to an integer; `RowTable` gives equal rows of integers
 * equal ids, densely from 0, and keeps the rows. Open addressing, linear probing, at most half full, exact
 * comparison (a hash alone never decides). Cost: O(1), no allocation but for growth.
 */
import { Native } from './native.ts';

const mix = (a: number, b: number, c: number): number => {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ c, 0x27d4eb2f);
  return h ^ (h >>> 13);
};

/** Maps three integers to a non-negative integer. */
export class TripleTable {
  #capacity = 1 << 10;
  #count = 0;
  #entries = new Native.Int32Array(this.#capacity * 4).fill(-1);

  /** The value under the key, or -1. */
  get(a: number, b: number, c: number): number {
    const entries = this.#entries;
    const mask = this.#capacity - 1;
    for (let slot = mix(a, b, c) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 4;
      if (entries[at + 3] === -1) return -1;
      if (entries[at] === a && entries[at + 1] === b && entries[at + 2] === c)
        return entries[at + 3]!;
    }
  }

  /** Stores a value under a key that isn't there yet; values below -1 are kept as they are. */
  set(a: number, b: number, c: number, value: number): number {
    if (++this.#count * 2 > this.#capacity) this.#grow();
    this.#insert(a, b, c, value);
    return value;
  }

  #insert(a: number, b: number, c: number, value: number): void {
    const entries = this.#entries;
    const mask = this.#capacity - 1;
    let slot = mix(a, b, c) & mask;
    while (entries[slot * 4 + 3] !== -1) slot = (slot + 1) & mask;
    entries[slot * 4] = a;
    entries[slot * 4 + 1] = b;
    entries[slot * 4 + 2] = c;
    entries[slot * 4 + 3] = value;
  }

  #grow(): void {
    const old = this.#entries;
    this.#capacity *= 2;
    this.#entries = new Native.Int32Array(this.#capacity * 4).fill(-1);
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 3] !== -1) this.#insert(old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!);
    }
  }
}

const hashRow = (cells: Int32Array, from: number, length: number): number => {
  let h = 0x811c9dc5 ^ length;
  for (let index = 0; index < length; index++) {
    h = Math.imul(h ^ cells[from + index]!, 0x01000193);
    h ^= h >>> 15;
  }
  h = Math.imul(h, 0x85ebca6b);
  return h ^ (h >>> 13);
};

/** Interns rows of any length. */
export class RowTable {
  /** All rows, one after another. */
  pool: Int32Array = new Native.Int32Array(1 << 12);
  count = 0;
  #starts = new Native.Int32Array(1 << 8);
  #capacity = 1 << 9;
  #slots = new Native.Int32Array(this.#capacity).fill(-1);

  /** First cell of a row in `pool`. */
  start(id: number): number {
    return this.#starts[id]!;
  }

  /** Number of cells of a row. */
  length(id: number): number {
    return this.#starts[id + 1]! - this.#starts[id]!;
  }

  /** The id of the row made of the first `length` cells; a new one is copied in. */
  intern(cells: Int32Array, length: number): number {
    const mask = this.#capacity - 1;
    let slot = hashRow(cells, 0, length) & mask;
    for (; this.#slots[slot] !== -1; slot = (slot + 1) & mask) {
      if (this.#equals(this.#slots[slot]!, cells, length)) return this.#slots[slot]!;
    }
    const id = this.count++;
    this.#slots[slot] = id;
    this.#append(id, cells, length);
    if (this.count * 2 > this.#capacity) this.#rehash();
    return id;
  }

  #equals(id: number, cells: Int32Array, length: number): boolean {
    const from = this.#starts[id]!;
    if (this.#starts[id + 1]! - from !== length) return false;
    for (let index = 0; index < length; index++) {
      if (this.pool[from + index] !== cells[index]) return false;
    }
    return true;
  }

  #append(id: number, cells: Int32Array, length: number): void {
    const from = this.#starts[id]!;
    while (from + length > this.pool.length) {
      const pool = new Native.Int32Array(this.pool.length * 2);
      pool.set(this.pool);
      this.pool = pool;
    }
    for (let index = 0; index < length; index++) this.pool[from + index] = cells[index]!;
    if (id + 1 === this.#starts.length) {
      const starts = new Native.Int32Array(this.#starts.length * 2);
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#starts[id + 1] = from + length;
  }

  #rehash(): void {
    this.#capacity *= 2;
    this.#slots = new Native.Int32Array(this.#capacity).fill(-1);
    const mask = this.#capacity - 1;
    for (let id = 0; id < this.count; id++) {
      let slot = hashRow(this.pool, this.#starts[id]!, this.length(id)) & mask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & mask;
      this.#slots[slot] = id;
    }
  }
}

/** Interns strings. */
export class NameTable {
  readonly names: string[] = [];
  readonly #ids = new Map<string, number>();

  intern(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.names.length;
      this.names.push(name);
      this.#ids.set(name, id);
    }
    return id;
  }
}
