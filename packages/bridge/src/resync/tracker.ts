/**
 * Follows a pane's bytes as far as tmux doesn't report their effect: pen, character sets, saved cursor, some modes,
 * backgrounds of erased cells, and whether the stream stands inside a character or a sequence. It is no terminal: it
 * keeps no cells. What bytes mean is what they mean to tmux 3.3a; the rules were checked against it.
 *
 * T1: what it calls known is what tmux has; what it can't tell is listed by `unknown`.
 * T2: a part of the pen that is unknown hasn't been set since the tracker began or lost track, so every character
 *     printed since has it: the attributes of such a cell tell the part (`learn`). The same value is then that of
 *     every unknown part of a saved pen, and of nothing that has been set since.
 * T3: `cut` is the beginning of a character that the stream is inside of; tmux doesn't report it.
 * T4: `changes` counts what can't be done twice. Between two places of the stream with the same count, the same cursor
 *     and the same history, bytes may be sent once more.
 *
 * Cost: one step a byte, runs of printable ASCII in one; an allocation per control sequence.
 */
import { Cells } from './cells.ts';
import { Cursor, type Scrolled, type ToldCursor } from './cursor.ts';
import type { Dialect } from './dialect.ts';
import { Grammar } from './grammar.ts';
import { History } from './history.ts';
import { Interpreter, untoldModes } from './interpreter.ts';
import { Palette } from './palette.ts';
import { Pen } from './pen.ts';
import { Untold, type UntoldReason } from './untold.ts';

/** What of a screen can't be restored exactly, and why. */
export type InexactReason =
  /** Colour or attributes of the next character: the stream was joined while a run was under way. */
  | 'pen'
  /** The cursor stands outside the scroll region in origin mode, where no motion leads. */
  | 'cursor'
  /** Where `DECRC` goes to: the cursor was saved at a place that the stream doesn't tell. */
  | 'saved-cursor'
  /** Cells were erased with a background colour at a place that the stream doesn't tell; before 3.4 `capture-pane` omits them. */
  | 'erased-background'
  /**
   * Set before the bridge watched the pane, or while tmux dropped its output: character sets, saved cursor and pens,
   * modes that tmux doesn't report, backgrounds of erased cells, whatever else is named here. Assumed to be the
   * defaults, or as before.
   */
  | 'earlier-state'
  /** A row has a character of which terminals dispute how wide it is (emoji): what is right of it may be displaced. */
  | 'character-width'
  /** A row has tabs, and the stops have been changed: from 3.6 on tmux tells a tab, but not how wide it is. */
  | 'tabs'
  /** Half of a wide character may have been erased at a place that the stream doesn't tell: tmux doesn't tell the other. */
  | 'half-character'
  | UntoldReason;

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
export interface Told extends ToldCursor {
  readonly insert: boolean;
  readonly alternate: boolean;
  /** The place that leaving the alternate screen restores; beyond the screen if there is none. */
  readonly hiddenX: number;
  readonly hiddenY: number;
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
  /** The cells of the screen that is shown, and of the one that the alternate screen hides. */
  readonly shown: Cells;
  readonly hidden: Cells;
  /** The character sets G0 and G1 by their final bytes, and which of them is in use. */
  sets: [string, string] = ['B', 'B'];
  shift = 0;
  saved: SavedCursor = savedInitially();
  /** Whether the alternate screen is shown; undefined if unknown. */
  alternate: boolean | undefined;
  /** What leaving the alternate screen restores: a pen, and a place (-1 if unknown). */
  alternatePen: Pen = new Pen(true);
  #alternateX = -1;
  #alternateY = -1;
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
    this.shown = new Cells(dialect.keepsFirst);
    this.hidden = new Cells(dialect.keepsFirst);
    this.grammar = new Grammar(new Interpreter(this), dialect.replacesInvalid);
  }

  /** Returns a tracker in the same state. */
  clone(): StreamTracker {
    const made = new StreamTracker(this.dialect);
    made.grammar.assign(this.grammar);
    made.pen.assign(this.pen);
    made.cursor.assign(this.cursor);
    made.history.assign(this.history);
    made.shown.assign(this.shown);
    made.hidden.assign(this.hidden);
    made.sets = [...this.sets];
    made.shift = this.shift;
    made.saved = { ...this.saved, pen: this.saved.pen.clone() };
    made.alternate = this.alternate;
    made.alternatePen = this.alternatePen.clone();
    made.#alternateX = this.#alternateX;
    made.#alternateY = this.#alternateY;
    for (const [mode, on] of this.modes) made.modes.set(mode, on);
    made.cursorStyle = this.cursorStyle;
    made.palette.assign(this.palette);
    made.link = this.link;
    made.linkKept = this.linkKept;
    made.untold.assign(this.untold);
    made.earlier = this.earlier;
    made.changes = this.changes;
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

  /** What can't be restored exactly now, apart from what was there before. */
  unknown(): InexactReason[] {
    const reasons: InexactReason[] = [];
    if (!this.pen.known) reasons.push('pen');
    if (this.saved.x < 0 || this.saved.y < 0) reasons.push('saved-cursor');
    const isErasedKnown =
      this.dialect.tellsErased || (this.shown.backgrounds.known && this.hidden.backgrounds.known);
    if (!isErasedKnown) reasons.push('erased-background');
    return reasons;
  }

  /**
   * Returns what was used that a snapshot leaves out, however long it is waited.
   *
   * @param history - whether the rows above the screen are restored
   * @param links - whether tmux tells the links of cells
   */
  untoldReasons(history: boolean, links: boolean): UntoldReason[] {
    const reasons = this.untold.reasons(history);
    if (!this.palette.complete) reasons.push('palette');
    return links && this.linkKept ? reasons.filter((reason) => reason !== 'hyperlink') : reasons;
  }

  /**
   * Whether a row may have half of a character at a place that isn't known.
   *
   * @param history - whether the rows above the screen are asked about too
   */
  isCut(history: boolean): boolean {
    const [shown, hidden] = [this.shown.halves, this.hidden.halves];
    return shown.doubtful || hidden.doubtful || (history && (shown.above || hidden.above));
  }

  /**
   * Whether pens that were saved are known. If not, the stream was joined before they were saved, and they are restored
   * as the default ones; when the program goes back to one, the pen is unknown again.
   */
  get savedPensKnown(): boolean {
    return this.saved.pen.known && this.alternatePen.known;
  }

  /** Bytes are missing from here on: forgets what they may have changed. */
  lose(): void {
    this.pen.forget();
    this.cursor.lose();
    this.cursor.tabs = undefined;
    this.history.lose();
    // What was half known would be completed from the wrong cells (T2).
    if (!this.saved.pen.known) this.saved = { ...this.saved, pen: new Pen(true) };
    if (!this.alternatePen.known) this.alternatePen = new Pen(true);
    this.earlier = true;
    this.link = '';
    this.linkKept = true;
    this.alternate = undefined;
    this.shown.forget();
    this.hidden.forget();
    this.lastY = -1;
    this.justPrintedCell = this.repeatable = false;
    this.grammar.reset();
  }

  /** Learns the unknown parts of the pen from the cell that `lastCell` names (T2). */
  learn(cell: Pen): void {
    const told = this.pen.learnt(cell);
    if (told.background !== undefined) {
      this.shown.backgrounds.learn(told.background);
      this.hidden.backgrounds.learn(told.background);
    }
    this.pen.fill(told);
    this.saved.pen.fill(told);
    this.alternatePen.fill(told);
  }

  /** The pane got another size, or the stream's place isn't what was thought: positions are unknown. */
  misplaced(): void {
    this.cursor.lose();
    this.history.lose();
    this.shown.lose('');
    this.shown.halves.lose();
    this.hidden.halves.lose();
    this.lastY = -1;
    const { saved } = this;
    if (saved.x !== 0 || saved.y !== 0) this.saved = { ...saved, x: -1, y: -1 };
    this.#alternateX = this.#alternateY = -1;
  }

  /** Takes over what tmux tells about this place of the stream. */
  anchor(told: Told): void {
    this.cursor.anchor(told);
    this.history.anchor(told.historySize, told.historyLimit);
    this.shown.anchor(told.columns, told.height);
    this.hidden.anchor(told.columns, told.height);
    this.alternate = told.alternate;
    this.insert = told.insert;
    this.#alternateX = told.hiddenX;
    this.#alternateY = told.hiddenY;
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
    if (this.alternate === true) return;
    this.shown.halves.leave(first, first + rows);
    if (this.alternate === undefined) this.history.lose();
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
    this.earlier = this.earlier && this.alternate !== false;
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
    if (this.alternate !== true) {
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
    this.alternatePen = new Pen(true);
    this.shown.lose(undefined);
    this.shown.halves.lose();
    this.hidden.halves.lose();
    this.history.lose();
    this.#alternateX = this.#alternateY = -1;
  }

  /** To the alternate screen; already there, nothing changes. */
  enterAlternate(withCursor: boolean): void {
    if (this.alternate === true) return;
    this.alternate = true;
    this.alternatePen = this.pen.clone();
    if (withCursor) {
      this.#alternateX = this.cursor.x;
      this.#alternateY = this.cursor.y;
    }
    this.hidden.assign(this.shown);
    this.shown.reset();
    this.untold.entered();
  }

  /** From the alternate screen; what was saved comes back even if it isn't shown. */
  leaveAlternate(withCursor: boolean): void {
    const { cursor } = this;
    if (withCursor && this.#alternateX !== neverSaved) {
      this.pen.assign(this.alternatePen);
      cursor.restore(this.#alternateX, this.#alternateY);
    } else if (cursor.x >= cursor.columns) cursor.x = cursor.columns - 1;
    if (this.alternate === true) {
      this.shown.assign(this.hidden);
      this.hidden.reset();
      this.untold.left();
    }
    this.alternate = false;
  }
}

/** What tmux tells of a place that was never saved. */
const neverSaved = 0xffffffff;
