/** All states of a search: rows of equal width, in the order found, each with the step that led to it. */
import { Native } from './native.ts';

export class StateTable {
  count = 0;
  /** The rows. */
  cells: Int32Array;
  /** State that each state was found from; -1 for the first. */
  parents: Int32Array;
  /** Step from the parent. */
  actions: Int32Array;
  readonly width: number;
  #capacity = 1 << 12;
  #slotMask = (1 << 13) - 1;
  #slots = new Native.Int32Array(1 << 13).fill(-1);

  constructor(width: number) {
    this.width = width;
    this.cells = new Native.Int32Array(this.#capacity * width);
    this.parents = new Native.Int32Array(this.#capacity);
    this.actions = new Native.Int32Array(this.#capacity);
  }

  #hash(cells: Int32Array, from: number): number {
    let h = 0x811c9dc5;
    for (let index = 0; index < this.width; index++) {
      h = Math.imul(h ^ cells[from + index]!, 0x85ebca6b);
      h ^= h >>> 13;
    }
    h = Math.imul(h, 0xc2b2ae35);
    return h ^ (h >>> 16);
  }

  /** Adds a row unless it is there. @returns whether it was new */
  add(row: Int32Array, parent: number, action: number): boolean {
    const { width, cells } = this;
    let slot = this.#hash(row, 0) & this.#slotMask;
    for (; this.#slots[slot] !== -1; slot = (slot + 1) & this.#slotMask) {
      const from = this.#slots[slot]! * width;
      let index = 0;
      while (index < width && cells[from + index] === row[index]) index++;
      if (index === width) return false;
    }
    if (this.count === this.#capacity) this.#grow();
    this.#slots[slot] = this.count;
    this.cells.set(row, this.count * width);
    this.parents[this.count] = parent;
    this.actions[this.count] = action;
    this.count++;
    if (this.count * 2 > this.#slotMask) this.#rehash();
    return true;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.cells = enlarged(this.cells, this.#capacity * this.width);
    this.parents = enlarged(this.parents, this.#capacity);
    this.actions = enlarged(this.actions, this.#capacity);
  }

  #rehash(): void {
    this.#slotMask = this.#slotMask * 2 + 1;
    this.#slots = new Native.Int32Array(this.#slotMask + 1).fill(-1);
    for (let id = 0; id < this.count; id++) {
      let slot = this.#hash(this.cells, id * this.width) & this.#slotMask;
      while (this.#slots[slot] !== -1) slot = (slot + 1) & this.#slotMask;
      this.#slots[slot] = id;
    }
  }

  /** The steps from the first state to this one. */
  pathTo(id: number): number[] {
    const path: number[] = [];
    for (let at = id; this.parents[at]! >= 0; at = this.parents[at]!) path.push(this.actions[at]!);
    return path.reverse();
  }
}

const enlarged = (cells: Int32Array, length: number): Int32Array => {
  const larger = new Native.Int32Array(length);
  larger.set(cells);
  return larger;
};
