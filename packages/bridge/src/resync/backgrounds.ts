/**
 * The backgrounds of cells that were erased, or scrolled in, right of what was ever printed in their row:
 * `capture-pane` (3.3a) leaves such cells out, a program that paints its background by erasing shows them all the time.
 *
 * ```text
 * row   a b c · · · · · · ·        segments  [ 3: blue, 7: default ]
 *             └blue──┘└────        captured: `abc`; what was printed covers the segments under it
 * ```
 *
 * B1: painting a row's segments from left to right, then its captured text over them, gives tmux's cells, unless the
 *     row holds a background that isn't known.
 * B2: segments are never changed in place, so rows may be shared.
 *
 * Cost: nothing while all backgrounds are the terminal's own.
 */

/** From column `x` on, erased cells have the background that the parameter `background` sets; '' is the default. */
export interface Segment {
  readonly x: number;
  readonly background: string;
}

/** Erased with the background of before the stream was joined: `learn` may tell it (T2). */
const unknown = '?';
/** Can't be told until it is erased again. */
const lost = '!';

type Row = readonly Segment[];
const plain: Row = [];
const filled = (background: string): Row => (background === '' ? plain : [{ x: 0, background }]);

/** Backgrounds of one screen's rows. */
export class Backgrounds {
  #rows: Row[] = [];
  /** Some row isn't plain. */
  #any = false;

  /** The rows, from the top. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Whether every background is known. */
  get known(): boolean {
    const told = ({ background }: Segment): boolean =>
      background !== unknown && background !== lost;
    return !this.#any || this.#rows.every((row) => row.every(told));
  }

  /** Takes another one's state. */
  assign(other: Backgrounds): void {
    this.#rows = [...other.#rows];
    this.#any = other.#any;
  }

  /** The screen has `rows` rows; with another number than before nothing is certain. */
  anchor(rows: number): void {
    if (rows === this.#rows.length) return;
    this.#rows = new Array<Row>(rows).fill(this.#any ? filled(lost) : plain);
  }

  /** All rows are as in a new screen. */
  reset(): void {
    this.#rows.fill(plain);
    this.#any = false;
  }

  /** Something unknown happened: where, or what to. */
  lose(background: string | undefined): void {
    if (background === '' && !this.#any) return;
    this.#rows.fill(filled(lost));
    this.#any = true;
  }

  /** Learns the background of before the stream was joined. */
  learn(background: string): void {
    if (!this.#any) return;
    this.#rows = this.#rows.map((row) =>
      row.map((part) => (part.background === unknown ? { x: part.x, background } : part)),
    );
    this.#settle();
  }

  /** Whole rows are erased; `background` is undefined if unknown. */
  eraseRows(first: number, end: number, background: string | undefined): void {
    if (background === '' && !this.#any) return;
    this.#rows.fill(filled(background ?? unknown), Math.max(0, first), Math.max(0, end));
    this.#any = true;
    if (background === '') this.#settle();
  }

  /** Cells `[first, end)` of a row are erased. */
  eraseCells(y: number, first: number, end: number, background: string | undefined): void {
    if (background === '' && !this.#any) return;
    const row = this.#rows[y] ?? plain;
    const after = row.findLast((part) => part.x <= end)?.background ?? '';
    this.#rows[y] = [
      ...row.filter((part) => part.x < first),
      { x: first, background: background ?? unknown },
      ...(end === Number.POSITIVE_INFINITY ? [] : [{ x: end, background: after }]),
      ...row.filter((part) => part.x > end),
    ];
    this.#any = true;
    if (background === '') this.#settle();
  }

  /** Cells of a row move sideways. */
  shiftCells(y: number, background: string | undefined): void {
    const row = this.#rows[y] ?? plain;
    if (background === '' && row.length === 0) return;
    this.#rows[y] = filled(lost);
    this.#any = true;
  }

  /** Rows `[top, bottom]` move up by `count` (down if negative); erased ones come in. */
  scroll(top: number, bottom: number, count: number, background: string | undefined): void {
    if (background === '' && !this.#any) return;
    const size = bottom - top + 1;
    const by = Math.min(Math.abs(count), size);
    const fresh = new Array<Row>(by).fill(filled(background ?? unknown));
    const kept =
      count > 0 ? this.#rows.slice(top + by, bottom + 1) : this.#rows.slice(top, bottom + 1 - by);
    this.#rows.splice(top, size, ...(count > 0 ? [...kept, ...fresh] : [...fresh, ...kept]));
    this.#any = true;
    if (background === '') this.#settle();
  }

  #settle(): void {
    this.#any = this.#rows.some((row) => row.some((part) => part.background !== ''));
    if (!this.#any) this.#rows.fill(plain);
  }
}
