/**
 * A pane's two screens: which one is shown, what is followed of their cells, and what leaving the alternate one brings
 * back.
 *
 * ```text
 *            ?1049h, ?1047h, ?47h ──▶ hidden ◀─ shown, shown is new; pen and place are kept
 * shown ─────┤
 *            ?1049l, ?1047l, ?47l ──▶ shown ◀─ hidden; with 1049 pen and place come back, also without having left
 * ```
 */
import { Cells } from './cells.ts';
import type { Cursor } from './cursor.ts';
import type { Dialect } from './dialect.ts';
import { Pen } from './pen.ts';

/** What tmux tells of a place that was never saved. */
const neverSaved = 0xffffffff;

/** What tmux tells of the screens. */
export interface ToldScreens {
  readonly columns: number;
  readonly height: number;
  readonly alternate: boolean;
  /** The place that leaving the alternate screen restores; beyond the screen if there is none. */
  readonly hiddenX: number;
  readonly hiddenY: number;
}

/** Both screens of a pane. */
export class Screens {
  readonly shown: Cells;
  /** The one that the alternate screen hides. */
  readonly hidden: Cells;
  /** Whether the alternate screen is shown; undefined if unknown. */
  alternate: boolean | undefined;
  /** What leaving the alternate screen restores: a pen, and a place (-1 if unknown). */
  pen: Pen = new Pen(true);
  /** The hidden screen has another size: tmux wraps it anew when it is shown again. */
  outgrown = false;
  #x = -1;
  #y = -1;

  constructor(dialect: Dialect) {
    this.shown = new Cells(dialect.keepsFirst);
    this.hidden = new Cells(dialect.keepsFirst);
  }

  /** Takes another one's state. */
  assign(other: Screens): void {
    this.shown.assign(other.shown);
    this.hidden.assign(other.hidden);
    this.alternate = other.alternate;
    this.pen = other.pen.clone();
    this.outgrown = other.outgrown;
    this.#x = other.#x;
    this.#y = other.#y;
  }

  /** Takes over what tmux tells. */
  anchor(told: ToldScreens): void {
    this.shown.anchor(told.columns, told.height);
    this.hidden.anchor(told.columns, told.height);
    this.alternate = told.alternate;
    this.outgrown &&= told.alternate;
    this.#x = told.hiddenX;
    this.#y = told.hiddenY;
  }

  /** Bytes are missing: a capture will tell the cells. */
  forget(): void {
    // What was half known would be completed from the wrong cells.
    if (!this.pen.known) this.pen = new Pen(true);
    this.alternate = undefined;
    this.shown.forget();
    this.hidden.forget();
  }

  /** The pane has another size. */
  resized(): void {
    this.outgrown ||= this.alternate !== false;
    this.lose('');
  }

  /** Cells are elsewhere, or are others; erased ones may have come in. */
  lose(background: string | undefined): void {
    this.shown.lose(background);
    this.shown.halves.lose();
    this.hidden.halves.lose();
    this.#x = this.#y = -1;
  }

  /** Learns the background of before the stream was joined. */
  learn(background: string): void {
    this.shown.backgrounds.learn(background);
    this.hidden.backgrounds.learn(background);
  }

  /** The alternate screen was entered or left, and whether it was on before isn't known. */
  maybeAlternate(): void {
    this.pen = new Pen(true);
    this.lose(undefined);
  }

  /** To the alternate screen; returns whether it wasn't there. */
  enter(pen: Pen, cursor: Cursor | undefined): boolean {
    if (this.alternate === true) return false;
    this.alternate = true;
    this.outgrown = false;
    this.pen = pen.clone();
    if (cursor !== undefined) {
      this.#x = cursor.x;
      this.#y = cursor.y;
    }
    this.hidden.assign(this.shown);
    this.shown.reset();
    return true;
  }

  /** Brings back what was saved on entering, even if the alternate screen isn't shown; false if nothing ever was. */
  restore(pen: Pen, cursor: Cursor): boolean {
    if (this.#x === neverSaved) return false;
    pen.assign(this.pen);
    cursor.restore(this.#x, this.#y);
    return true;
  }

  /** From the alternate screen; returns whether it was there. */
  leave(): boolean {
    const was = this.alternate === true;
    this.alternate = this.outgrown = false;
    if (was) {
      this.shown.assign(this.hidden);
      this.hidden.reset();
    }
    return was;
  }
}
