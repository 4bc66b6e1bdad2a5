/**
 * What is followed of one screen's cells: the backgrounds of erased ones, and where wide characters and halves of them
 * are. A place that the stream doesn't tell is -1.
 */
import { Backgrounds } from './backgrounds.ts';
import { Halves } from './halves.ts';

/** Cells of one screen, as far as a capture doesn't tell them. */
export class Cells {
  readonly backgrounds: Backgrounds = new Backgrounds();
  readonly halves: Halves;

  /** @param keepsFirst - see `Dialect` */
  constructor(keepsFirst: boolean) {
    this.halves = new Halves(keepsFirst);
  }

  /** Takes another one's state. */
  assign(other: Cells): void {
    this.backgrounds.assign(other.backgrounds);
    this.halves.assign(other.halves);
  }

  /** The screen has this size. */
  anchor(columns: number, rows: number): void {
    this.backgrounds.anchor(rows);
    this.halves.anchor(columns, rows);
  }

  /** All cells are as in a new screen. */
  reset(): void {
    this.backgrounds.reset();
    this.halves.reset();
  }

  /** Bytes are missing: what a capture tells is all that is known. */
  forget(): void {
    this.backgrounds.reset();
    this.halves.forget();
  }

  /** Rows moved, or narrow characters were printed, where that isn't known; erased cells may have come in. */
  lose(background: string | undefined): void {
    this.backgrounds.lose(background);
    if (this.halves.any) this.halves.lose();
  }

  /** Whole rows are erased; a background is undefined if it is unknown. */
  eraseRows(first: number, end: number, background: string | undefined): void {
    this.backgrounds.eraseRows(first, end, background);
    this.halves.eraseRows(first, end);
  }

  /** Cells `[first, end)` of a row are erased. */
  erase(y: number, first: number, end: number, background: string | undefined): void {
    if (y < 0 || first < 0) this.#cut(y, background);
    else {
      this.backgrounds.eraseCells(y, first, end, background);
      this.halves.erase(y, first, end);
    }
  }

  /** Cells were erased where that isn't known. */
  #cut(y: number, background: string | undefined): void {
    this.backgrounds.lose(background);
    this.halves.cut(y);
  }

  /** Blank cells are inserted in a row. */
  insert(y: number, x: number, count: number, background: string | undefined): void {
    this.#shift(y, background);
    if (y < 0 || x < 0) this.halves.cut(y);
    else this.halves.insert(y, x, count);
  }

  /** Cells of a row are deleted. */
  delete(y: number, x: number, count: number, background: string | undefined): void {
    this.#shift(y, background);
    if (y < 0 || x < 0) this.halves.cut(y);
    else this.halves.delete(y, x, count);
  }

  #shift(y: number, background: string | undefined): void {
    if (y < 0) this.backgrounds.lose(background);
    else this.backgrounds.shiftCells(y, background);
  }

  /** Rows `[top, bottom]` move up by `count` (down if negative); erased ones come in. */
  scroll(top: number, bottom: number, count: number, background: string | undefined): void {
    this.backgrounds.scroll(top, bottom, count, background);
    this.halves.scroll(top, bottom, count);
  }
}
