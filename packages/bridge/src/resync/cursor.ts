/**
 * Where the cursor is, as far as a byte stream tells: `DECSC` saves a place that tmux doesn't report, and a seam is
 * found by the place that it does. A coordinate that can't be told is -1, until the stream sets it absolutely or a
 * snapshot anchors it.
 *
 * U1: a known coordinate equals tmux's. Whatever isn't certain (a character whose width terminals dispute, going back
 *     over a line's beginning) makes it unknown; snapshots check it against tmux.
 *
 * ```text
 * column 0 .. columns; columns itself is the state after printing in the last one, before the wrap
 * ```
 */

/** What a line feed did: nothing scrolled, the region did, or that can't be told. */
export type Scrolled = 'no' | 'yes' | 'maybe';

/** What tmux tells of the cursor and what moves it. */
export interface ToldCursor {
  readonly x: number;
  readonly y: number;
  readonly columns: number;
  readonly height: number;
  readonly top: number;
  readonly bottom: number;
  readonly origin: boolean;
  readonly wrap: boolean;
  readonly tabs: readonly number[];
}

/** A cursor that follows tmux's rules for motions. */
export class Cursor {
  x = -1;
  y = -1;
  columns = -1;
  rows = -1;
  top = -1;
  bottom = -1;
  origin = false;
  wrap = true;
  /** Columns with a tab stop, or undefined if unknown. */
  tabs: Set<number> | undefined;
  /** Stops were set or cleared since they were the default ones. */
  tabsMoved = false;

  /** Takes over what tmux tells. */
  anchor(told: ToldCursor): void {
    this.columns = told.columns;
    this.rows = told.height;
    this.top = told.top;
    this.bottom = told.bottom;
    this.origin = told.origin;
    this.wrap = told.wrap;
    this.tabs = new Set(told.tabs);
    this.set(told.x, told.y);
  }

  /** Takes another one's state. */
  assign(other: Cursor): void {
    const tabs = other.tabs && new Set(other.tabs);
    Object.assign(this, other);
    this.tabs = tabs;
  }

  /** Whether the scroll region is the whole screen. */
  get whole(): boolean {
    return this.rows > 0 && this.top === 0 && this.bottom === this.rows - 1;
  }

  /** Forgets where it is. */
  lose(): void {
    this.x = -1;
    this.y = -1;
  }

  /** Forgets the size of the screen too, and what depends on it. */
  loseSize(): void {
    this.lose();
    this.columns = this.rows = this.top = this.bottom = -1;
    this.tabs = undefined;
  }

  set(x: number, y: number): void {
    this.x = x;
    this.y = y;
  }

  /** Moves for a printed character of `width` columns, -1 if disputed. */
  print(width: number): Scrolled {
    if (width === 0) return 'no';
    if (width < 0 || this.x < 0 || this.columns < 2) {
      this.lose();
      return this.wrap ? 'maybe' : 'no';
    }
    if (!this.wrap) {
      // Without wrapping the cursor stays in the last column; what doesn't fit isn't printed.
      if (this.x <= this.columns - width) this.x = Math.min(this.x + width, this.columns - 1);
      return 'no';
    }
    let scrolled: Scrolled = 'no';
    if (this.x > this.columns - width) {
      scrolled = this.feed();
      this.x = 0;
    }
    this.x += width;
    return scrolled;
  }

  /** A line feed: down, or the region scrolls. */
  feed(): Scrolled {
    if (this.y < 0 || this.bottom < 0) {
      this.y = -1;
      return 'maybe';
    }
    if (this.y === this.bottom) return 'yes';
    if (this.y < this.rows - 1) this.y++;
    return 'no';
  }

  /** A reverse line feed. */
  feedBack(): Scrolled {
    if (this.y < 0 || this.top < 0) {
      this.y = -1;
      return 'maybe';
    }
    if (this.y === this.top) return 'yes';
    if (this.y > 0) this.y--;
    return 'no';
  }

  back(): void {
    if (this.x > 0) this.x--;
    // At column 0 tmux may go back over a wrapped line.
    else if (this.x < 0 || this.y !== 0) this.lose();
  }

  tab(): void {
    const { x, columns, tabs } = this;
    if (x < 0 || columns < 1 || tabs === undefined) this.x = -1;
    else if (x < columns - 1) {
      do this.x++;
      while (!tabs.has(this.x) && this.x < columns - 1);
    }
  }

  tabBack(count: number): void {
    const { columns, tabs } = this;
    if (this.x < 0 || columns < 1 || tabs === undefined) {
      this.x = -1;
      return;
    }
    this.x = Math.min(this.x, columns - 1);
    for (let rest = count; rest > 0 && this.x > 0; rest--) {
      do this.x--;
      while (this.x > 0 && !tabs.has(this.x));
    }
  }

  /** Sets a tab stop. */
  setTab(): void {
    this.tabsMoved = true;
    if (this.x < 0) this.tabs = undefined;
    else if (this.x < this.columns) this.tabs?.add(this.x);
  }

  /** Clears a tab stop, or all. */
  clearTab(all: boolean): void {
    this.tabsMoved = true;
    if (all) this.tabs = new Set();
    else if (this.x < 0) this.tabs = undefined;
    else this.tabs?.delete(this.x);
  }

  /** Absolute motion, 0-based; -1 keeps a coordinate. */
  to(x: number, y: number): void {
    if (x >= 0) this.x = x === 0 ? 0 : this.columns < 0 ? -1 : Math.min(x, this.columns - 1);
    if (y < 0) return;
    if (this.rows < 0) this.y = y === 0 && !this.origin ? 0 : -1;
    else if (!this.origin) this.y = Math.min(y, this.rows - 1);
    else if (this.top < 0) this.y = -1;
    else this.y = y > this.bottom - this.top ? this.bottom : y + this.top;
  }

  up(count: number): void {
    this.#settle();
    if (this.y < 0 || this.top < 0) this.y = -1;
    else this.y = Math.max(this.y - count, this.y < this.top ? 0 : this.top);
  }

  down(count: number): void {
    this.#settle();
    if (this.y < 0 || this.bottom < 0) this.y = -1;
    else this.y = Math.min(this.y + count, this.y > this.bottom ? this.rows - 1 : this.bottom);
  }

  right(count: number): void {
    if (this.x >= 0) this.x = Math.min(this.x + count, this.columns - 1);
  }

  left(count: number): void {
    if (this.x >= 0) this.x = Math.max(this.x - count, 0);
  }

  /** Vertical motions end the state before a wrap. */
  #settle(): void {
    if (this.columns > 0 && this.x === this.columns) this.x--;
  }

  /** Sets the scroll region (0-based) and goes to the first column of the first row, whatever the origin. */
  region(top: number, bottom: number): void {
    if (this.rows < 0) {
      this.top = this.bottom = -1;
      this.lose();
      return;
    }
    const first = Math.min(top, this.rows - 1);
    const last = Math.min(bottom, this.rows - 1);
    if (first >= last) return;
    this.top = first;
    this.bottom = last;
    this.set(0, 0);
  }

  /** Goes where `DECRC` or leaving the alternate screen says. */
  restore(x: number, y: number): void {
    this.x = this.columns > 0 ? Math.min(x, this.columns - 1) : x;
    this.y = this.rows > 0 ? Math.min(y, this.rows - 1) : y;
  }

  /** Default stops: every eighth column. */
  resetTabs(): void {
    this.tabsMoved = false;
    this.tabs = undefined;
    if (this.columns < 0) return;
    this.tabs = new Set();
    for (let x = 8; x < this.columns; x += 8) this.tabs.add(x);
  }
}
