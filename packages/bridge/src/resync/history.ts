/**
 * How many rows tmux keeps above a pane's screen, counted along the stream: like a clock of the stream, it tells one
 * screenful of a flood from the next where the cursor comes to the same place again and again.
 *
 * H1: a known size equals tmux's `history_size`. Whatever moves an unknown number of rows there makes it unknown,
 *     until tmux tells.
 *
 * When the history is full, tmux drops a tenth of it at once (grid.c).
 */

/** The number of rows in a pane's history. */
export class History {
  /** -1 if unknown. */
  size = -1;
  #limit = -1;

  /** Takes over what tmux tells. */
  anchor(size: number, limit: number): void {
    this.size = size;
    this.#limit = limit;
  }

  /** Takes another one's state. */
  assign(other: History): void {
    this.size = other.size;
    this.#limit = other.#limit;
  }

  lose(): void {
    this.size = -1;
  }

  /** `CSI 3 J`. */
  clear(): void {
    if (this.size > 0) this.size = 0;
  }

  /** Rows scroll off the screen. */
  scroll(count: number): void {
    if (this.size < 0) return;
    if (count > 10_000) this.size = -1;
    for (let rest = count; rest > 0 && this.size >= 0; rest--) {
      if (this.size > 0 && this.size >= this.#limit) {
        this.size -= Math.min(this.size, Math.max(1, Math.floor(this.#limit / 10)));
      }
      this.size++;
    }
  }
}
