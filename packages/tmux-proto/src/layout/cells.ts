/**
 * Where a layout's cells are kept.
 *
 * ```text
 * 100x40,0,0[100x20,0,0,1,100x19,0,21{50x19,0,21,2,49x19,51,21,3}]<30x8,6,4,4>
 *
 * index    0        1        2        3        4    | 5
 *          rows     pane 1   columns  pane 2   pane 3 | floating pane 4
 * parent   -1       0        0        2        2      | -1
 * end      5        2        5        4        5      | 6
 * ```
 * C1: cells stand in the order of the text: a parent before its children, children one after the other.
 * C2: `end` is the index behind the last descendant: the next sibling, if it is below the parent's `end`.
 * C3: floating cells stand behind the tree, topmost first; tmux repeats them inside the tree, where they are
 *     marked and take part in no geometry.
 *
 * Nothing here or in the parser recurses, so depth is bounded by memory alone.
 */

/** What a cell is: a pane, or a split whose children stand side by side, or on top of each other. */
export type CellKind = 'pane' | 'columns' | 'rows';

/** One cell of a layout, as plain data. Sizes and offsets in character cells, relative to the window. */
export interface Cell {
  /** Pane or kind of split. */
  readonly kind: CellKind;
  /** Width (columns). */
  readonly width: number;
  /** Height (rows). */
  readonly height: number;
  /** Left edge; negative for a floating pane that sticks out. */
  readonly x: number;
  /** Top edge; negative for a floating pane that sticks out. */
  readonly y: number;
  /** Number of the pane; -1 for a split, and for a pane whose number the text doesn't give. */
  readonly pane: number;
}

/** Int32 fields of a cell in the flat array. */
export const FIELDS = 9;
export const KIND = 0;
export const WIDTH = 1;
export const HEIGHT = 2;
export const X = 3;
export const Y = 4;
export const PANE = 5;
export const PARENT = 6;
export const END = 7;
export const FLOATING = 8;
/** Kinds by their number in the flat array. */
export const KINDS: readonly CellKind[] = ['pane', 'columns', 'rows'];

/** A list of cells that grows. */
export class CellBuffer {
  data: Int32Array = new Int32Array(FIELDS * 16);
  count = 0;

  /** Appends a cell without descendants; returns its index. */
  add(
    kind: number,
    width: number,
    height: number,
    x: number,
    y: number,
    pane: number,
    parent: number,
  ): number {
    const at = this.count * FIELDS;
    if (at === this.data.length) {
      const former = this.data;
      this.data = new Int32Array(former.length * 2);
      this.data.set(former);
    }
    this.data.set([kind, width, height, x, y, pane, parent, this.count + 1, 0], at);
    return this.count++;
  }

  set(index: number, field: number, value: number): void {
    this.data[index * FIELDS + field] = value;
  }

  get(index: number, field: number): number {
    return this.data[index * FIELDS + field]!;
  }
}
