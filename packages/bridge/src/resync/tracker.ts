/**
 * Follows a pane's bytes as far as tmux doesn't report their effect: pen, character sets, saved cursor, some modes,
 * backgrounds of erased cells, and whether the stream stands inside a character or a sequence. It is no terminal: it
 * keeps no cells. What bytes mean is what they mean to tmux 3.3a; the rules were checked against it.
 *
 * T1: what it calls known is what tmux has; what it can't tell is named (inexact.ts).
 * T2: a part of the pen that is unknown hasn't been set since the tracker began or lost track, so every character
 *     printed since has it: the attributes of such a cell tell the part (`learn`). The same value is then that of
 *     every unknown part of a saved pen, and of nothing that has been set since.
 * T3: `cut` is the beginning of a character that the stream is inside of; tmux doesn't report it.
 * T4: `changes` counts what can't be done twice. Between two places of the stream with the same count, the same cursor
 *     and the same history, bytes may be sent once more.
 *
 * Cost: one step a byte, runs of printable ASCII in one; an allocation per control sequence.
 */
import type { Cells } from './cells.ts';
import { Cursor, type Scrolled, type ToldCursor } from './cursor.ts';
import type { Dialect } from './dialect.ts';
import { Grammar } from './grammar.ts';
import { History } from './history.ts';
import { Interpreter, untoldModes } from './interpreter.ts';
import { Palette } from './palette.ts';
import { Pen } from './pen.ts';
import { Screens, type ToldScreens } from './screens.ts';
import { Untold } from './untold.ts';

/** What `DECSC` saves. */
export interface SavedCursor {
  readonly x: number;
  readonly y: number;
  readonly pen: Pen;
  readonly sets: readonly [string, string];
  readonly shift: number;
  readonly origin: boolean;
}

/** What tmux tells at a seam. */
export interface Told extends ToldCursor, ToldScreens {
  readonly insert: boolean;
  readonly historySize: number;
  readonly historyLimit: number;
}

const savedInitially = (): SavedCursor => ({
  x: 0,
  y: 0,
  pen: new Pen(true),
  sets: ['B', 'B'],
  shift: 0,
  origin: false,
});

/** Follows one pane's bytes. */
export class StreamTracker {
  readonly grammar: Grammar;
  readonly pen: Pen = new Pen(false);
  readonly cursor: Cursor = new Cursor();
  readonly history: History = new History();
  readonly screens: Screens;
  /** The character sets G0 and G1 by their final bytes, and which of them is in use. */
  sets: [string, string] = ['B', 'B'];
  shift = 0;
  saved: SavedCursor = savedInitially();
  /** Modes seen in the stream that tmux doesn't report: their numbers, and on or off. */
  readonly modes: Map<number, boolean> = new Map();
  /** Parameter of the last cursor style sequence, if there was one. */
  cursorStyle: string | undefined;
  /** Colours that the program gave its terminal. */
  readonly palette: Palette = new Palette();
  /** Parameters and address of the link that is open, '' if none is. */
  link = '';
  /** Whether `link` is all that is known of it: not if it was too long. */
  linkKept = true;
  /** What was used that can't be restored. */
  readonly untold: Untold = new Untold();
  /** Whether state from before is missing. */
  earlier = true;
  /** How much was done that can't be done twice (T4). */
  changes = 0;
  /** How often tmux has wrapped rows anew that a terminal has as they were. */
  rewraps = 0;
  /** Insert mode. */
  insert = false;
  /** The last cell printed: the column after it, and its row; -1 if it may be gone. */
  lastX = -1;
  lastY = -1;
  /** The last thing in the stream was a character; a sequence may have begun since. */
  justPrintedCell = false;
  /** The last thing in the stream was a character that `REP` repeats. */
  repeatable = false;
  /** The character printed last, 0 for ASCII. */
  lastCode = 0;

  /** How the tmux that the pane is in takes its bytes. */
  readonly dialect: Dialect;

  /** @param dialect - of the tmux that the pane is in */
  constructor(dialect: Dialect) {
    this.dialect = dialect;
    this.screens = new Screens(dialect);
    this.grammar = new Grammar(new Interpreter(this), dialect.replacesInvalid);
  }

  /** The cells of the screen that is shown. */
  get shown(): Cells {
    return this.screens.shown;
  }

  /** Returns a tracker in the same state. */
  clone(): StreamTracker {
    const made = new StreamTracker(this.dialect);
    made.grammar.assign(this.grammar);
    made.pen.assign(this.pen);
    made.cursor.assign(this.cursor);
    made.history.assign(this.history);
    made.screens.assign(this.screens);
    made.sets = [...this.sets];
    made.shift = this.shift;
    made.saved = { ...this.saved, pen: this.saved.pen.clone() };
    for (const [mode, on] of this.modes) made.modes.set(mode, on);
    made.cursorStyle = this.cursorStyle;
    made.palette.assign(this.palette);
    made.link = this.link;
    made.linkKept = this.linkKept;
    made.untold.assign(this.untold);
    made.earlier = this.earlier;
    made.changes = this.changes;
    made.rewraps = this.rewraps;
    made.insert = this.insert;
    made.lastX = this.lastX;
    made.lastY = this.lastY;
    made.justPrintedCell = this.justPrintedCell;
    made.repeatable = this.repeatable;
    made.lastCode = this.lastCode;
    return made;
  }

  /** The bytes of a character that isn't complete yet. Empty between characters. */
  get cut(): Uint8Array {
    return Uint8Array.from(this.grammar.cut);
  }

  /** Whether the last thing in the stream was a character, which a combining mark would join (one may be cut). */
  get justPrinted(): boolean {
    return this.justPrintedCell && this.grammar.atGround;
  }

  /** The last printed cell that is still there: the column after it and its row, or undefined. */
  get lastCell(): { readonly x: number; readonly y: number } | undefined {
    return this.lastY < 0 || this.lastX < 1 ? undefined : { x: this.lastX, y: this.lastY };
  }

  /**
   * Whether pens that were saved are known. If not, the stream was joined before they were saved, and they are restored
   * as the default ones; when the program goes back to one, the pen is unknown again.
   */
  get savedPensKnown(): boolean {
    return this.saved.pen.known && this.screens.pen.known;
  }

  /** Bytes are missing from here on: forgets what they may have changed. */
  lose(): void {
    this.pen.forget();
    this.cursor.loseSize();
    this.history.lose();
    // What was half known would be completed from the wrong cells (T2).
    if (!this.saved.pen.known) this.saved = { ...this.saved, pen: new Pen(true) };
    this.earlier = true;
    this.link = '';
    this.linkKept = true;
    this.screens.forget();
    this.lastY = -1;
    this.justPrintedCell = this.repeatable = false;
    this.grammar.reset();
  }

  /** Learns the unknown parts of the pen from the cell that `lastCell` names (T2). */
  learn(cell: Pen): void {
    const told = this.pen.learnt(cell);
    if (told.background !== undefined) this.screens.learn(told.background);
    this.pen.fill(told);
    this.saved.pen.fill(told);
    this.screens.pen.fill(told);
  }

  /** The pane got another size, or the stream's place isn't what was thought: positions are unknown. */
  misplaced(): void {
    this.cursor.loseSize();
    this.history.lose();
    this.screens.resized();
    this.lastY = -1;
    const { saved } = this;
    if (saved.x !== 0 || saved.y !== 0) this.saved = { ...saved, x: -1, y: -1 };
  }

  /** Takes over what tmux tells about this place of the stream. */
  anchor(told: Told): void {
    this.cursor.anchor(told);
    this.history.anchor(told.historySize, told.historyLimit);
    this.screens.anchor(told);
    this.insert = told.insert;
  }

  /** Follows `bytes[start, end)`. */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.grammar.push(bytes, start, end);
  }

  /** A character didn't fit: the row that comes in has the default background. */
  wrapped(scrolled: Scrolled): void {
    this.scrolled(scrolled, '');
  }

  /** The region scrolled up by a row, or may have. */
  scrolled(scrolled: Scrolled, background: string | undefined): void {
    if (scrolled === 'yes') this.scroll(1, background);
    else if (scrolled === 'maybe') {
      this.changes++;
      this.lastY = -1;
      this.shown.lose(background);
      this.history.lose();
    }
  }

  /** The region scrolls up by `count` rows, down if negative. */
  scroll(count: number, background: string | undefined): void {
    const { cursor } = this;
    this.changes++;
    if (cursor.bottom < 0) {
      this.scrolled('maybe', background);
      return;
    }
    const rows = Math.min(Math.abs(count), cursor.bottom - cursor.top + 1);
    if (this.lastY >= 0) this.lastY = cursor.whole && count > 0 ? this.lastY - rows : -1;
    if (count > 0) this.#intoHistory(cursor.top, rows);
    this.shown.scroll(cursor.top, cursor.bottom, count, background);
  }

  #intoHistory(first: number, rows: number): void {
    if (this.screens.alternate === true) return;
    this.shown.halves.leave(first, first + rows);
    if (this.screens.alternate === undefined) this.history.lose();
    else this.history.scroll(rows);
  }

  /** `DECSC`. */
  save(): void {
    const { x, y, origin } = this.cursor;
    const { shift } = this;
    const column = this.cursor.columns > 0 ? Math.min(x, this.cursor.columns - 1) : x;
    this.saved = { x: column, y, pen: this.pen.clone(), sets: [...this.sets], shift, origin };
  }

  /** `DECRC`. */
  restore(): void {
    const { x, y, pen, sets, shift, origin } = this.saved;
    this.pen.assign(pen);
    if (!pen.known) this.lastY = -1; // T2
    this.sets = [...sets];
    this.shift = shift;
    this.cursor.origin = origin;
    this.cursor.restore(x, y);
  }

  /** `RIS`: tmux stays in the alternate screen, if it is there. */
  reset(): void {
    const { cursor } = this;
    this.pen.reset();
    this.sets = ['B', 'B'];
    this.shift = 0;
    this.saved = savedInitially();
    for (const mode of untoldModes) this.modes.set(mode, false);
    this.cursorStyle = '0';
    this.palette.reset();
    this.link = '';
    this.linkKept = true;
    this.untold.reset();
    this.insert = false;
    this.earlier = this.earlier && this.screens.alternate !== false;
    cursor.resetTabs();
    cursor.origin = false;
    cursor.wrap = true;
    cursor.region(0, cursor.rows - 1);
    cursor.set(0, 0);
    this.eraseAll('');
  }

  /** The whole screen is erased; what was on it goes into the history. */
  eraseAll(background: string | undefined): void {
    this.changes++;
    if (this.screens.alternate !== true) {
      this.history.lose();
      this.shown.halves.leave(0, this.cursor.rows);
    }
    this.shown.eraseRows(0, this.cursor.rows, background);
    this.untold.erased();
    this.lastY = -1;
  }

  /** Whether it was on before isn't known. */
  maybeAlternate(withCursor: boolean): void {
    if (withCursor) {
      this.pen.forget();
      this.cursor.lose();
    }
    this.screens.maybeAlternate();
    this.history.lose();
  }

  /** To the alternate screen; already there, nothing changes. */
  enterAlternate(withCursor: boolean): void {
    if (this.screens.enter(this.pen, withCursor ? this.cursor : undefined)) this.untold.entered();
  }

  /** From the alternate screen; what was saved comes back even if it isn't shown. */
  leaveAlternate(withCursor: boolean): void {
    const { cursor } = this;
    const { outgrown } = this.screens;
    const isRestored = withCursor && this.screens.restore(this.pen, cursor);
    if (!isRestored && cursor.x >= cursor.columns) cursor.x = cursor.columns - 1;
    if (this.screens.leave()) this.untold.left();
    if (!outgrown) return;
    this.rewraps++;
    cursor.lose();
    this.history.lose();
    this.screens.lose('');
  }
}
