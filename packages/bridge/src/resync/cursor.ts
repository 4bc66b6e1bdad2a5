/**
 * Where the cursor is, as far as a byte stream tells: only needed because `DECSC` saves a place that tmux doesn't
 * report. A coordinate that can't be told is -1, until the stream sets it absolutely or a snapshot anchors it.
 *
 * U1: a known coordinate equals tmux's. Whatever isn't certain (a character whose width terminals dispute, a tab
 *     stop, a mode that the stream didn't show) makes it unknown; snapshots check it against tmux.
 *
 * ```text
 * column 0 .. columns; columns itself is the state after printing in the last one, before the wrap
 * ```
 */

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
  /** Tab stops are the default ones. */
  tabs = true;
  /** Lines scrolled in since the last anchor or taint, while the region was the whole screen. */
  scrolled = 0;
  /** Set when a line may have been scrolled in: its cells got the pen's background. */
  fed = false;

  /** Forgets where it is. */
  lose(): void {
    this.x = -1;
    this.y = -1;
  }

  set(x: number, y: number): void {
    this.x = x;
    this.y = y;
  }

  /** Moves for a printed character of `width` columns, -1 if disputed. */
  print(width: number): void {
    if (width === 0) return;
    if (width < 0 || this.x < 0 || !this.wrap || this.columns < 2) {
      this.lose();
      this.fed = true;
      return;
    }
    if (this.x > this.columns - width) {
      this.feed();
      this.x = 0;
    }
    this.x += width;
  }

  /** A line feed: down, or the region scrolls. */
  feed(): void {
    if (this.y < 0 || this.bottom < 0) {
      this.fed = true;
      this.y = -1;
    } else if (this.y === this.bottom) {
      this.fed = true;
      if (this.top === 0 && this.bottom === this.rows - 1) this.scrolled++;
    } else if (this.y < this.rows - 1) this.y++;
  }

  /** A reverse line feed. */
  feedBack(): void {
    if (this.y < 0 || this.top < 0) {
      this.fed = true;
      this.y = -1;
    } else if (this.y === this.top) this.fed = true;
    else if (this.y > 0) this.y--;
  }

  back(): void {
    // At column 0 tmux may go back over a wrapped line.
    if (this.x > 0) this.x--;
    else this.lose();
  }

  tab(): void {
    if (this.x < 0 || !this.tabs || this.columns < 1) this.x = -1;
    else if (this.x < this.columns - 1) this.x = Math.min(this.columns - 1, (this.x | 7) + 1);
  }

  /** Absolute motion, 0-based; -1 keeps a coordinate. */
  to(x: number, y: number): void {
    if (x >= 0) this.x = this.columns < 0 ? -1 : Math.min(x, this.columns - 1);
    if (y < 0) return;
    if (this.origin) this.y = -1;
    else this.y = this.rows < 0 ? -1 : Math.min(y, this.rows - 1);
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
    if (this.x >= 0)
      this.x = this.x >= this.columns ? -1 : Math.min(this.x + count, this.columns - 1);
  }

  left(count: number): void {
    if (this.x >= 0) this.x = this.x >= this.columns ? -1 : Math.max(this.x - count, 0);
  }

  /** Vertical motions end the state before a wrap. */
  #settle(): void {
    if (this.columns > 0 && this.x === this.columns) this.x--;
  }

  /** Sets the scroll region (0-based) and goes home. */
  region(top: number, bottom: number): void {
    if (this.rows < 0) {
      this.top = this.bottom = -1;
      this.lose();
      return;
    }
    const last = Math.min(bottom, this.rows - 1);
    if (top >= last) return;
    this.top = top;
    this.bottom = last;
    if (this.origin) this.lose();
    else this.set(0, 0);
  }
}
