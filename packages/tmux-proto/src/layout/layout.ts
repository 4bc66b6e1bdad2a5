/** The layout of a window: what `%layout-change` and `#{window_layout}` say, ready for questions. */
import {
  type Cell,
  CellBuffer,
  END,
  FLOATING,
  HEIGHT,
  KIND,
  KINDS,
  PANE,
  PARENT,
  WIDTH,
  X,
  Y,
} from './cells.ts';
import { LayoutError } from './errors.ts';
import { LayoutReader, writeLayout } from './text.ts';

/** A cell with its children, to build a layout from. */
export interface LayoutTree {
  /** Width (columns). */
  readonly width: number;
  /** Height (rows). */
  readonly height: number;
  /** Left edge. @defaultValue 0 */
  readonly x?: number;
  /** Top edge. @defaultValue 0 */
  readonly y?: number;
  /** Number of the pane, for a cell without children. */
  readonly pane?: number;
  /** Children side by side (`columns`) or on top of each other (`rows`). */
  readonly split?: 'columns' | 'rows';
  /** At least one child, if `split` is given. */
  readonly children?: readonly LayoutTree[];
}

/** What is at a place of the window. */
export interface Hit {
  /** A pane, the line between or around panes, or outside of the window. */
  readonly kind: 'pane' | 'border' | 'outside';
  /** Index of the pane's cell; of the split for a border between its children; -1 outside. */
  readonly cell: number;
  /** Number of the pane (for the border of a floating pane too), else -1. */
  readonly pane: number;
  /** Whether it belongs to a floating pane. */
  readonly floating: boolean;
  /** For a border of a split: index of the child before it, else -1. */
  readonly before: number;
}

/** Where a pane's text is. */
export interface Rectangle {
  /** Left edge (columns). */
  readonly x: number;
  /** Top edge (rows). */
  readonly y: number;
  /** Width (columns). */
  readonly width: number;
  /** Height (rows). */
  readonly height: number;
}

const OUTSIDE: Hit = { kind: 'outside', cell: -1, pane: -1, floating: false, before: -1 };

/**
 * A window's layout: cells in one flat array, addressed by index. Immutable.
 *
 * Cost: reading is O(n) in the text; questions about a place O(depth x children); no recursion anywhere.
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { Layout } from '@millrace/tmux-proto/layout';
 *
 * const layout = Layout.parse('54a4,120x40,0,0[120x19,0,0{60x19,0,0,2,59x19,61,0,4},120x12,0,20,1,120x7,0,33,3]');
 * assert.deepEqual(layout.panes(), [2, 4, 1, 3]);
 * assert.equal(layout.at(70, 5).pane, 4);
 * assert.equal(layout.at(60, 5).kind, 'border');
 * assert.throws(() => Layout.parse('0000,80x24,0,0,0'), { code: 'ERR_TMUX_LAYOUT' });
 * ```
 */
export class Layout {
  readonly #cells: CellBuffer;
  /** Index of the first floating cell; equals `count` if there is none. Floating cells: topmost first. */
  readonly floats: number;

  private constructor(cells: CellBuffer, floats: number) {
    this.#cells = cells;
    this.floats = floats;
  }

  /**
   * Reads a layout string.
   * @param text - `b25f,80x24,0,0,0`; empty gives a layout without cells
   * @param options - `checksum: false` accepts a wrong one
   * @throws {LayoutError} If the text is no layout, or its checksum is wrong.
   */
  static parse(text: string, options: { readonly checksum?: boolean } = {}): Layout {
    const reader = new LayoutReader(text);
    reader.read(options.checksum ?? true);
    return new Layout(reader.cells, reader.floats);
  }

  /**
   * Builds a layout from a tree, for `select-layout`.
   * @param root - the window's cell
   * @param floating - floating panes, topmost first
   * @throws {LayoutError} If a split has no children, or a cell with children no split.
   */
  static from(root: LayoutTree, floating: readonly LayoutTree[] = []): Layout {
    const cells = new CellBuffer();
    const add = (tree: LayoutTree, parent: number): number => {
      const { split, children = [], pane = -1, x = 0, y = 0 } = tree;
      const kind = split === undefined ? 0 : KINDS.indexOf(split);
      if ((kind === 0) !== (children.length === 0)) {
        throw new LayoutError('a split needs children, and children a split', cells.count);
      }
      return cells.add(kind, tree.width, tree.height, x, y, kind === 0 ? pane : -1, parent);
    };
    // Each entry: a tree yet to add, and its parent; or the index of a cell whose descendants are complete.
    const todo: [LayoutTree | undefined, number][] = [[root, -1]];
    while (todo.length > 0) {
      const [tree, index] = todo.pop()!;
      if (tree === undefined) {
        cells.set(index, END, cells.count);
        continue;
      }
      const own = add(tree, index);
      todo.push([undefined, own]);
      const children = tree.children ?? [];
      for (let at = children.length - 1; at >= 0; at--) todo.push([children[at], own]);
    }
    const floats = cells.count;
    for (const tree of floating) cells.set(add({ ...tree, children: [] }, -1), FLOATING, 1);
    const numbers = new Set(floating.map((tree) => tree.pane));
    for (let index = 0; index < floats; index++) {
      const pane = cells.get(index, PANE);
      if (pane >= 0 && numbers.has(pane)) cells.set(index, FLOATING, 1);
    }
    return new Layout(cells, floats);
  }

  /** Number of cells; 0 for an empty layout. The root is cell 0. */
  get count(): number {
    return this.#cells.count;
  }

  /** Returns the layout string with its checksum. */
  toString(): string {
    return writeLayout(this.#cells, this.floats);
  }

  #check(index: number): number {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      throw new RangeError(`index must be an integer from 0 to ${this.count - 1}: index=${index}`);
    }
    return index;
  }

  /**
   * Returns a cell as plain data.
   * @param index - 0 to `count`, excluded
   * @throws {RangeError} If there is no such cell.
   */
  cell(index: number): Cell {
    const cells = this.#cells;
    this.#check(index);
    return {
      kind: KINDS[cells.get(index, KIND)]!,
      width: cells.get(index, WIDTH),
      height: cells.get(index, HEIGHT),
      x: cells.get(index, X),
      y: cells.get(index, Y),
      pane: cells.get(index, PANE),
    };
  }

  /** Returns the index of the cell round a cell, -1 for the root and floating cells. */
  parent(index: number): number {
    return this.#cells.get(this.#check(index), PARENT);
  }

  /** Whether a cell is a floating pane's, in the list or repeated in the tree. */
  isFloating(index: number): boolean {
    return this.#cells.get(this.#check(index), FLOATING) === 1;
  }

  /** Returns the indices of a split's children; empty for a pane. */
  children(index: number): number[] {
    const end = this.#cells.get(this.#check(index), END);
    const found: number[] = [];
    for (let at = index + 1; at < end; at = this.#cells.get(at, END)) found.push(at);
    return found;
  }

  /** Returns the numbers of all panes, tiled ones in the order of the text, then floating ones, topmost first. */
  panes(): number[] {
    const cells = this.#cells;
    const found: number[] = [];
    for (let index = 0; index < cells.count; index++) {
      if (cells.get(index, KIND) !== 0 || cells.get(index, PANE) < 0) continue;
      if (index < this.floats && cells.get(index, FLOATING) === 1) continue; // C3
      found.push(cells.get(index, PANE));
    }
    return found;
  }

  /** Returns the index of a pane's cell, a floating one's in the list of those; -1 if there is none. */
  find(pane: number): number {
    const cells = this.#cells;
    for (let index = cells.count - 1; index >= 0; index--) {
      if (cells.get(index, KIND) === 0 && cells.get(index, PANE) === pane) return index;
    }
    return -1;
  }

  #contains(index: number, column: number, row: number, margin: number): boolean {
    const cells = this.#cells;
    const x = column - cells.get(index, X) + margin;
    const y = row - cells.get(index, Y) + margin;
    return (
      x >= 0 &&
      y >= 0 &&
      x < cells.get(index, WIDTH) + 2 * margin &&
      y < cells.get(index, HEIGHT) + 2 * margin
    );
  }

  /**
   * Returns what is at a place: floating panes first, each with the line round it.
   * @param column - from the window's left edge, 0-based
   * @param row - from the window's top edge, 0-based
   */
  at(column: number, row: number): Hit {
    const cells = this.#cells;
    if (cells.count === 0) return OUTSIDE;
    // With nothing but floating panes the root may be one of them, without a size of the window.
    const isFloat = cells.get(0, KIND) === 0 && cells.get(0, FLOATING) === 1;
    if (!isFloat && !this.#contains(0, column, row, 0)) return OUTSIDE;
    for (let index = this.floats; index < cells.count; index++) {
      if (!this.#contains(index, column, row, 1)) continue;
      const kind = this.#contains(index, column, row, 0) ? 'pane' : 'border';
      return { kind, cell: index, pane: cells.get(index, PANE), floating: true, before: -1 };
    }
    if (isFloat) return OUTSIDE;
    let split = 0;
    while (cells.get(split, KIND) !== 0) {
      const end = cells.get(split, END);
      let inside = -1;
      let before = -1;
      for (let index = split + 1; index < end; index = cells.get(index, END)) {
        if (cells.get(index, FLOATING) === 1) continue; // C3
        if (this.#contains(index, column, row, 0)) {
          inside = index;
          break;
        }
        const columns = cells.get(split, KIND) === 1;
        if (columns ? cells.get(index, X) <= column : cells.get(index, Y) <= row) before = index;
      }
      if (inside < 0) return { kind: 'border', cell: split, pane: -1, floating: false, before };
      split = inside;
    }
    return { kind: 'pane', cell: split, pane: cells.get(split, PANE), floating: false, before: -1 };
  }

  /**
   * Returns where a pane's text is. With `pane-border-status` a tiled pane at that edge of the window has one
   * row less than its cell says; the string doesn't tell.
   * @param pane - number of the pane
   * @param borderStatus - the window's option `pane-border-status`
   * @returns `undefined` if there is no such pane
   */
  rectangle(pane: number, borderStatus: 'off' | 'top' | 'bottom' = 'off'): Rectangle | undefined {
    const index = this.find(pane);
    if (index < 0) return undefined;
    const { x, y, width, height } = this.cell(index);
    if (this.isFloating(index)) return { x, y, width, height };
    const bottom = this.#cells.get(0, HEIGHT);
    if (borderStatus === 'top' && y === 0) return { x, y: 1, width, height: height - 1 };
    if (borderStatus === 'bottom' && y + height === bottom)
      return { x, y, width, height: height - 1 };
    return { x, y, width, height };
  }
}
