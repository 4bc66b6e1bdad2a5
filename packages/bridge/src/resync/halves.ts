/**
 * Which columns of one screen hold wide characters, and which hold half of one: what erases, inserts or deletes cells
 * may cut a wide character in two, and of the half that is left tmux tells nothing (3.3a to 3.8). A left half is
 * told as the whole character, a right half isn't told at all, so the rest of the row is told a column too far to the
 * right or to the left.
 *
 * ```text
 * column     0   1   2   3   4   5   6   7   8
 * tmux       a  [日──][本──]  b  [    tab    ]      3.6 and later keep a tab as one wide cell
 * kinds      0   1   2   1   2   0   3   4   4       0 to 2 known; 3, 4 a tab, if the cells were blank; 5 unknown
 * CSI 2 G, CSI 1 K erases columns 0 and 1:
 * kinds      0   0   2   1   2   0   3   4   4       column 2 is half of 日: told as nothing
 * CSI 5 G, CSI P deletes column 4:
 * kinds      0   0   2   1   0   3   4   4   0       column 3 is half of 本: told as the whole
 * ```
 *
 * W1: a kind that is known is that of tmux's cell. A right half belongs to the cell on its left if that is a left one,
 *     and is the rest of a cut character if not.
 * W2: where a cell isn't known, a capture tells it: it is taken to hold whole characters, unless a cut could have hit
 *     one there. Then its row is doubtful until all its cells are known, or the capture proves the width of the row.
 * W3: a row without an entry has narrow cells only.
 *
 * Cost: nothing while all cells are narrow; else a few stores for each character. Rows are reused, so printing
 * allocates nothing.
 */

export const narrow = 0;
export const left = 1;
export const right = 2;
/** The first column of a tab, and the others; or blank cells, if there was something in them. */
export const tabLeft = 3;
export const tabRight = 4;
export const unknown = 5;

/** One row that isn't all narrow. */
export interface WideRow {
  /** A kind for each column. */
  readonly kinds: Uint8Array;
  /** It may hold half of a character. */
  cut: boolean;
  /** It may hold one that the kinds don't tell. */
  doubtful: boolean;
}

/** Whether a cell is none of its own. */
export const isRight = (kind: number | undefined): boolean => kind === right || kind === tabRight;

/** Whether cells beside each other may be parts of one character, which a cut between them would split unseen. */
const maybeJoined = (kind: number | undefined, next: number | undefined): boolean =>
  next === tabRight || (next === unknown && (kind === unknown || kind === tabLeft));

/** Wide characters and their halves on one screen. */
export class Halves {
  readonly #keepsFirst: boolean;
  #rows: (WideRow | undefined)[] = [];
  #columns = 0;
  /** Rows that have an entry. */
  #count = 0;
  readonly #spare: WideRow[] = [];
  /** No cell is known. */
  #lost = false;
  /** Rows with halves may have scrolled away. */
  above = false;

  /** @param keepsFirst - ASCII printed over the right half of a character in the first column leaves its left half */
  constructor(keepsFirst: boolean) {
    this.#keepsFirst = keepsFirst;
  }

  /** Whether there is anything but narrow cells. */
  get any(): boolean {
    return this.#count > 0;
  }

  /** Whether there may be a half where that can't be told. */
  get doubtful(): boolean {
    return this.#count > 0 && this.#rows.some((row) => row?.doubtful);
  }

  /** A row, or undefined if its cells are narrow. */
  row(y: number): WideRow | undefined {
    return this.#rows[y];
  }

  /** Takes another one's state. */
  assign(other: Halves): void {
    this.#columns = other.#columns;
    this.#count = other.#count;
    this.#spare.length = 0;
    this.#lost = other.#lost;
    this.#rows = other.#rows.map((row) => row && { ...row, kinds: row.kinds.slice() });
    this.above = other.above;
  }

  /** The screen has this size; with another one than before nothing is known. */
  anchor(columns: number, rows: number): void {
    if (columns === this.#columns && rows === this.#rows.length) return;
    const cut = this.#rows.some((row) => row?.cut);
    this.#columns = columns;
    this.#spare.length = 0;
    this.#count = rows;
    this.#rows = Array.from({ length: rows }, () => ({
      kinds: new Uint8Array(columns).fill(unknown),
      cut,
      doubtful: cut,
    }));
    this.#lost = true;
  }

  /** All cells are narrow. */
  reset(): void {
    this.eraseRows(0, this.#rows.length);
  }

  /** Nothing is known, nor suspected: all cells are as a capture will tell them. */
  forget(): void {
    this.reset();
    this.above = false;
    this.lose();
  }

  /** Something was printed or moved where that isn't known. Halves that there were may be anywhere. */
  lose(): void {
    if (this.#lost) return;
    const cut = this.#rows.some((row) => row?.cut);
    for (let y = 0; y < this.#rows.length; y++) {
      const row = this.#entry(y);
      row.kinds.fill(unknown);
      row.cut = row.doubtful = cut;
    }
    this.#lost = true;
  }

  /** Cells were erased or moved where that isn't known: in a row, or anywhere (-1). */
  cut(y: number): void {
    if (this.#count === 0) return;
    for (let at = 0; at < this.#rows.length; at++) {
      const row = this.#rows[at];
      if (row === undefined || (y >= 0 && at !== y)) continue;
      row.kinds.fill(unknown);
      row.cut = row.doubtful = true;
    }
  }

  /** ASCII is printed over `[x, x + count)`, in one go. */
  run(y: number, x: number, count: number): void {
    const row = this.#at(y);
    if (row === undefined) return;
    const { kinds } = row;
    let at = x;
    while (at > 0 && isRight(kinds[at])) kinds[at--] = narrow;
    if (at < x) {
      if (at === 0 && this.#keepsFirst) row.cut = true;
      else if (kinds[at] !== unknown) kinds[at] = narrow;
    }
    for (let column = x; column < x + count; column++) kinds[column] = narrow;
    for (let after = x + count; isRight(kinds[after]); after++) kinds[after] = narrow;
  }

  /** A character of one or two columns is printed by itself. */
  print(y: number, x: number, width: number): void {
    const row = width === 1 ? this.#at(y) : this.#entry(y);
    if (row === undefined) return;
    const { kinds } = row;
    const old = kinds[x];
    if (old === narrow && width === 1) return;
    if (isRight(old)) {
      let at = x;
      while (at > 0 && isRight(kinds[at])) kinds[at--] = narrow;
      kinds[at] = narrow;
    }
    if (width === 1 && old === unknown && isRight(kinds[x + 1])) row.cut = row.doubtful = true;
    else {
      for (let after = x + width; isRight(kinds[after]); after++) kinds[after] = narrow;
    }
    kinds[x] = width === 1 ? narrow : left;
    if (width > 1) kinds[x + 1] = right;
  }

  /** A tab goes from `x` to `end`: it is one cell if what it passes is blank. */
  tab(y: number, x: number, end: number): void {
    const passed = this.#at(y)?.kinds.subarray(x, end);
    if (passed?.some((kind) => kind === left || kind === right)) return;
    const { kinds } = this.#entry(y);
    if (passed?.some((kind) => kind !== narrow)) kinds.fill(unknown, x, end);
    else {
      kinds.fill(tabRight, x, end);
      kinds[x] = tabLeft;
    }
  }

  /** Rows `[first, end)` are erased. */
  eraseRows(first: number, end: number): void {
    for (let y = Math.max(0, first); this.#count > 0 && y < end; y++) this.#drop(y);
  }

  /** Rows `[first, end)` go into the history. */
  leave(first: number, end: number): void {
    for (let y = first; y < end && !this.above; y++) this.above = this.#rows[y]?.cut === true;
  }

  /** Cells `[first, end)` of a row are erased. */
  erase(y: number, first: number, end: number): void {
    const row = this.#at(y);
    if (row === undefined) return;
    const last = Math.min(end, this.#columns);
    if (first === 0 && last === this.#columns) this.#drop(y);
    else {
      this.#split(row, first, false);
      this.#split(row, last, true);
      row.kinds.fill(narrow, first, last);
    }
  }

  /** Blank cells are inserted at `x`. */
  insert(y: number, x: number, count: number): void {
    const row = this.#at(y);
    const by = Math.min(count, this.#columns - x);
    if (row === undefined || by <= 0) return;
    if (x === this.#columns - 1) {
      this.erase(y, x, x + 1);
      return;
    }
    const { kinds } = row;
    // tmux erases the cells that it has moved, not those that lie between where they were and where they are.
    const kept = this.#columns - x - by;
    const first = Math.min(by, kept);
    this.#split(row, x, true);
    this.#split(row, x + kept, kept < by);
    if (kept < by) this.#split(row, x + by, true);
    kinds.copyWithin(x + by, x, x + kept);
    kinds.fill(narrow, x, x + first);
  }

  /** Cells at `x` are deleted. */
  delete(y: number, x: number, count: number): void {
    const row = this.#at(y);
    const by = Math.min(count, this.#columns - x);
    if (row === undefined || by <= 0) return;
    this.#split(row, x, true);
    this.#split(row, x + by, true);
    row.kinds.copyWithin(x, x + by);
    row.kinds.fill(narrow, this.#columns - by);
  }

  /** Rows `[top, bottom]` move up by `count`, down if negative; blank ones come in. */
  scroll(top: number, bottom: number, count: number): void {
    if (this.#count === 0) return;
    const by = Math.min(Math.abs(count), bottom - top + 1);
    const rows = this.#rows;
    // Loops: the methods of an array cost more than all the rest here.
    if (count > 0) {
      this.eraseRows(top, top + by);
      for (let y = top; y <= bottom - by; y++) rows[y] = rows[y + by];
      for (let y = bottom + 1 - by; y <= bottom; y++) rows[y] = undefined;
    } else {
      this.eraseRows(bottom + 1 - by, bottom + 1);
      for (let y = bottom; y >= top + by; y--) rows[y] = rows[y - by];
      for (let y = top; y < top + by; y++) rows[y] = undefined;
    }
  }

  /** Learns a row from a capture; a doubtful one stays as it is. */
  learn(y: number, told: WideRow): void {
    const row = this.#entry(y);
    row.doubtful = told.doubtful;
    row.cut = told.cut || told.doubtful;
    if (told.doubtful) return;
    if (told.kinds.every((kind) => kind === narrow)) this.#drop(y);
    else row.kinds.set(told.kinds);
  }

  /** What is left of `x` and what begins there are parted; the right part stays, or goes too. */
  #split(row: WideRow, x: number, staysRight: boolean): void {
    if (x <= 0 || x >= this.#columns) return;
    const kind = row.kinds[x];
    const isMaybe = maybeJoined(row.kinds[x - 1], kind);
    if (kind === right || isMaybe) row.cut = true;
    if (isMaybe && staysRight) row.doubtful = true;
  }

  #at(y: number): WideRow | undefined {
    this.#lost = false;
    return this.#rows[y];
  }

  /** A row's entry, made if there is none. */
  #entry(y: number): WideRow {
    const known = this.#at(y);
    if (known !== undefined) return known;
    const made = this.#spare.pop() ?? {
      kinds: new Uint8Array(this.#columns),
      cut: false,
      doubtful: false,
    };
    made.kinds.fill(narrow);
    made.cut = made.doubtful = false;
    this.#rows[y] = made;
    this.#count++;
    return made;
  }

  /** A row becomes narrow. */
  #drop(y: number): void {
    const row = this.#at(y);
    if (row === undefined) return;
    this.#rows[y] = undefined;
    this.#count--;
    this.#spare.push(row);
  }
}
