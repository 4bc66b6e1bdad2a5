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
import { Backgrounds } from './backgrounds.ts';
import { Cursor, type Scrolled, type ToldCursor } from './cursor.ts';
import { Grammar, type GrammarTarget } from './grammar.ts';
import { History } from './history.ts';
import { Pen, parameterCountMax } from './pen.ts';
import { widthOf } from './width.ts';

/** What of a screen can't be restored exactly, and why. */
export type InexactReason =
  /** Colour or attributes of the next character: the stream was joined while a run was under way. */
  | 'pen'
  /** The cursor stands outside the scroll region in origin mode, where no motion leads. */
  | 'cursor'
  /** Where `DECRC` goes to: the cursor was saved at a place that the stream doesn't tell. */
  | 'saved-cursor'
  /** Cells were erased with a background colour at a place that the stream doesn't tell; `capture-pane` omits them. */
  | 'erased-background'
  /**
   * Set before the bridge watched the pane, or while tmux dropped its output: character sets, saved cursor and pens,
   * modes that tmux doesn't report, backgrounds of erased cells. Assumed to be the defaults, or as before.
   */
  | 'earlier-state';

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

/** Private modes that tmux keeps but doesn't report (3.3a), and that a terminal must have. */
const untoldModes = new Set([12, 1004, 2004]);

/** Follows one pane's bytes. */
export class StreamTracker implements GrammarTarget {
  readonly grammar: Grammar = new Grammar(this);
  readonly pen: Pen = new Pen(false);
  readonly cursor: Cursor = new Cursor();
  readonly history: History = new History();
  readonly backgrounds: Backgrounds = new Backgrounds();
  /** The same for the screen that the alternate one hides. */
  readonly hiddenBackgrounds: Backgrounds = new Backgrounds();
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
  /** Whether state from before is missing. */
  earlier = true;
  /** How much was done that can't be done twice (T4). */
  changes = 0;
  #insert = false;
  /** The last cell printed: the column after it, and its row; -1 if it may be gone. */
  #lastX = -1;
  #lastY = -1;
  #justPrinted = false;
  /** The character that `REP` repeats, if the last thing in the stream was ASCII. */
  #repeatable = false;

  /** Returns a tracker in the same state. */
  clone(): StreamTracker {
    const made = new StreamTracker();
    made.grammar.assign(this.grammar);
    made.pen.assign(this.pen);
    made.cursor.assign(this.cursor);
    made.history.assign(this.history);
    made.backgrounds.assign(this.backgrounds);
    made.hiddenBackgrounds.assign(this.hiddenBackgrounds);
    made.sets = [...this.sets];
    made.shift = this.shift;
    made.saved = { ...this.saved, pen: this.saved.pen.clone() };
    made.alternate = this.alternate;
    made.alternatePen = this.alternatePen.clone();
    made.#alternateX = this.#alternateX;
    made.#alternateY = this.#alternateY;
    for (const [mode, on] of this.modes) made.modes.set(mode, on);
    made.cursorStyle = this.cursorStyle;
    made.earlier = this.earlier;
    made.changes = this.changes;
    made.#insert = this.#insert;
    made.#lastX = this.#lastX;
    made.#lastY = this.#lastY;
    made.#justPrinted = this.#justPrinted;
    made.#repeatable = this.#repeatable;
    return made;
  }

  /** The bytes of a character that isn't complete yet. Empty between characters. */
  get cut(): Uint8Array {
    return Uint8Array.from(this.grammar.cut);
  }

  /** Whether the last thing in the stream was a character, which a combining mark would join (one may be cut). */
  get justPrinted(): boolean {
    return this.#justPrinted && this.grammar.atGround;
  }

  /** The last printed cell that is still there: the column after it and its row, or undefined. */
  get lastCell(): { readonly x: number; readonly y: number } | undefined {
    return this.#lastY < 0 || this.#lastX < 1 ? undefined : { x: this.#lastX, y: this.#lastY };
  }

  /** What can't be restored exactly now, apart from what was there before. */
  unknown(): InexactReason[] {
    const reasons: InexactReason[] = [];
    if (!this.pen.known) reasons.push('pen');
    if (this.saved.x < 0 || this.saved.y < 0) reasons.push('saved-cursor');
    if (!this.backgrounds.known || !this.hiddenBackgrounds.known) reasons.push('erased-background');
    return reasons;
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
    this.alternate = undefined;
    this.backgrounds.reset();
    this.hiddenBackgrounds.reset();
    this.#lastY = -1;
    this.#justPrinted = this.#repeatable = false;
    this.grammar.reset();
  }

  /** Learns the unknown parts of the pen from the cell that `lastCell` names (T2). */
  learn(cell: Pen): void {
    const told = this.pen.learnt(cell);
    if (told.background !== undefined) {
      this.backgrounds.learn(told.background);
      this.hiddenBackgrounds.learn(told.background);
    }
    this.pen.fill(told);
    this.saved.pen.fill(told);
    this.alternatePen.fill(told);
  }

  /** The pane got another size, or the stream's place isn't what was thought: positions are unknown. */
  misplaced(): void {
    this.cursor.lose();
    this.history.lose();
    this.backgrounds.lose('');
    this.#lastY = -1;
    const { saved } = this;
    if (saved.x !== 0 || saved.y !== 0) this.saved = { ...saved, x: -1, y: -1 };
    this.#alternateX = this.#alternateY = -1;
  }

  /** Takes over what tmux tells about this place of the stream. */
  anchor(told: Told): void {
    this.cursor.anchor(told);
    this.history.anchor(told.historySize, told.historyLimit);
    this.backgrounds.anchor(told.height);
    this.hiddenBackgrounds.anchor(told.height);
    this.alternate = told.alternate;
    this.#insert = told.insert;
    this.#alternateX = told.hiddenX;
    this.#alternateY = told.hiddenY;
  }

  /** Follows `bytes[start, end)`. */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.grammar.push(bytes, start, end);
  }

  /** @internal */
  printed(count: number): void {
    const { cursor } = this;
    this.changes++;
    for (let rest = count; rest > 0; ) {
      const room = cursor.columns - cursor.x;
      if (cursor.x >= 0 && cursor.wrap && room > 0) {
        const step = Math.min(room, rest);
        cursor.x += step;
        rest -= step;
      } else {
        this.#wrapped(cursor.print(1));
        rest--;
        if (cursor.x < 0) break;
      }
    }
    this.#cellPrinted();
    this.#repeatable = true;
  }

  /** @internal */
  character(code: number): void {
    const width = widthOf(code);
    this.changes++;
    this.#repeatable = false;
    if (width === 0) return; // a mark joins a cell that may have been printed with another pen
    this.#wrapped(this.cursor.print(width));
    this.#cellPrinted();
    if (width < 0) this.#lastY = -1;
  }

  #cellPrinted(): void {
    const { x, y } = this.cursor;
    if (this.#insert) this.#shifted('');
    this.#justPrinted = true;
    this.#lastX = x;
    // Without wrapping, what was printed last may have been printed over, or not at all.
    this.#lastY = this.cursor.wrap ? y : -1;
  }

  /** @internal */
  control(byte: number): void {
    const { cursor } = this;
    this.#justPrinted = this.#repeatable = false;
    if (byte === 0x0d) cursor.x = 0;
    else if (byte === 0x0a || byte === 0x0b || byte === 0x0c) this.#lineFeed();
    else if (byte === 0x08) cursor.back();
    else if (byte === 0x09) cursor.tab();
    else if (byte === 0x0e) this.shift = 1;
    else if (byte === 0x0f) this.shift = 0;
  }

  #lineFeed(): void {
    this.#scrolled(this.cursor.feed(), this.pen.background);
  }

  /** A character didn't fit: the row that comes in has the default background. */
  #wrapped(scrolled: Scrolled): void {
    this.#scrolled(scrolled, '');
  }

  /** The region scrolled up by a row, or may have. */
  #scrolled(scrolled: Scrolled, background: string | undefined): void {
    if (scrolled === 'yes') this.#scroll(1, background);
    else if (scrolled === 'maybe') {
      this.changes++;
      this.#lastY = -1;
      this.backgrounds.lose(background);
      this.history.lose();
    }
  }

  /** The region scrolls up by `count` rows, down if negative. */
  #scroll(count: number, background: string | undefined): void {
    const { cursor } = this;
    this.changes++;
    if (cursor.bottom < 0) {
      this.#scrolled('maybe', background);
      return;
    }
    const rows = Math.min(Math.abs(count), cursor.bottom - cursor.top + 1);
    if (this.#lastY >= 0) this.#lastY = cursor.whole && count > 0 ? this.#lastY - rows : -1;
    this.backgrounds.scroll(cursor.top, cursor.bottom, count, background);
    if (count > 0) this.#intoHistory(rows);
  }

  #intoHistory(rows: number): void {
    if (this.alternate === undefined) this.history.lose();
    else if (!this.alternate) this.history.scroll(rows);
  }

  /** @internal */
  escape(name: string): void {
    const { cursor } = this;
    this.#justPrinted = this.#repeatable = false;
    if (name === '7') this.#save();
    else if (name === '8') this.#restore();
    else if (name === 'D') this.#lineFeed();
    else if (name === 'E') {
      cursor.x = 0;
      this.#lineFeed();
    } else if (name === 'M') {
      const scrolled = cursor.feedBack();
      if (scrolled === 'yes') this.#scroll(-1, this.pen.background);
      else this.#scrolled(scrolled, this.pen.background);
    } else if (name === 'H') cursor.setTab();
    else if (name === 'c') this.#reset();
    else if (name === '(0' || name === '(B') this.sets[0] = name[1]!;
    else if (name === ')0' || name === ')B') this.sets[1] = name[1]!;
    else if (name === '#8') {
      this.changes++;
      cursor.region(0, cursor.rows - 1);
      cursor.set(0, 0);
      this.backgrounds.reset(); // every cell is printed
      this.#lastY = -1;
    }
  }

  #save(): void {
    const { x, y, origin } = this.cursor;
    const { shift } = this;
    const column = this.cursor.columns > 0 ? Math.min(x, this.cursor.columns - 1) : x;
    this.saved = { x: column, y, pen: this.pen.clone(), sets: [...this.sets], shift, origin };
  }

  #restore(): void {
    const { x, y, pen, sets, shift, origin } = this.saved;
    this.pen.assign(pen);
    if (!pen.known) this.#lastY = -1; // T2
    this.sets = [...sets];
    this.shift = shift;
    this.cursor.origin = origin;
    this.cursor.restore(x, y);
  }

  #reset(): void {
    const { cursor } = this;
    this.pen.reset();
    this.sets = ['B', 'B'];
    this.shift = 0;
    this.saved = savedInitially();
    for (const mode of untoldModes) this.modes.set(mode, false);
    this.cursorStyle = '0';
    this.#insert = false;
    this.earlier = this.earlier && this.alternate !== false;
    cursor.resetTabs();
    cursor.origin = false;
    cursor.wrap = true;
    cursor.region(0, cursor.rows - 1);
    cursor.set(0, 0);
    this.#eraseAll('');
  }

  /** @internal */
  other(): void {
    this.#justPrinted = false;
  }

  /** @internal */
  sequence(marks: string, parameters: string, final: string): void {
    this.#justPrinted = false;
    if (marks === '' && final === 'b') this.#repeat(parameters);
    this.#repeatable = false;
    if (marks === '?' && (final === 'h' || final === 'l')) {
      for (const word of parameters.split(';')) this.#privateMode(Number(word), final === 'h');
    } else if (marks === ' ' && final === 'q') this.cursorStyle = parameters;
    else if (marks === '' && final === 'm') this.pen.apply(parameters);
    else if (marks === '' && !parameters.includes(':')) this.#plainSequence(parameters, final);
  }

  #plainSequence(parameters: string, final: string): void {
    const { cursor } = this;
    const words = parameters.split(';').map((word) => Number(word || '-1'));
    if (words.length > parameterCountMax || words.some((word) => word > 0x7fffffff)) return;
    const first = Math.max(0, words[0]!);
    const second = words[1] ?? -1;
    const count = Math.max(1, first);
    if (final === 'A') cursor.up(count);
    else if (final === 'B') cursor.down(count);
    else if (final === 'C') cursor.right(count);
    else if (final === 'D') cursor.left(count);
    else if (final === 'E' || final === 'F') {
      cursor.x = 0;
      if (final === 'E') cursor.down(count);
      else cursor.up(count);
    } else if (final === 'G' || final === '`') cursor.to(count - 1, -1);
    else if (final === 'd') cursor.to(-1, count - 1);
    else if (final === 'H' || final === 'f') cursor.to(Math.max(1, second) - 1, count - 1);
    else if (final === 'r')
      cursor.region(count - 1, (second < 0 ? cursor.rows : Math.max(1, second)) - 1);
    else if (final === 's') this.#save();
    else if (final === 'u') this.#restore();
    else if (final === 'g') {
      if (first === 0 || first === 3) cursor.clearTab(first === 3);
    } else if (final === 'Z') cursor.tabBack(count);
    else if (final === 'h' || final === 'l') {
      if (words.includes(4)) this.#insert = final === 'h';
    } else this.#edit(final, first, count);
  }

  /** Sequences that change cells. */
  #edit(final: string, first: number, count: number): void {
    if (final === 'J') this.#eraseDisplay(first);
    else if (final === 'K') this.#eraseLine(first);
    else if (final === 'X') this.#eraseCells(count);
    else if (final === 'L' || final === 'M') this.#moveRows(final === 'L' ? -count : count);
    else if (final === 'P' || final === '@') this.#shifted(this.pen.background);
    else if (final === 'S' || final === 'T') {
      this.#scroll(final === 'S' ? count : -count, this.pen.background);
    } else return;
    this.changes++;
    this.#lastY = -1;
  }

  /** `REP`: tmux repeats ASCII that was the last thing in the stream, up to the end of the row. */
  #repeat(parameters: string): void {
    const count = Math.max(1, Number(parameters || '1'));
    const { x, columns } = this.cursor;
    if (!this.#repeatable) return;
    if (x < 0) this.printed(1);
    else if (x < columns) this.printed(Math.min(count, columns - x));
  }

  #eraseDisplay(what: number): void {
    const { cursor } = this;
    const { background } = this.pen;
    const { x, y, rows } = cursor;
    if (what === 2 || (what === 0 && x === 0 && y === 0)) this.#eraseAll(background);
    else if (what === 3) this.history.clear();
    else if (what === 0 || what === 1) {
      if (y < 0) {
        this.backgrounds.lose(background);
        this.history.lose();
      } else if (what === 0) this.backgrounds.eraseRows(y + 1, rows, background);
      else this.backgrounds.eraseRows(0, y, background);
      this.#eraseLine(what);
    }
  }

  #eraseLine(what: number): void {
    const { x, y, columns } = this.cursor;
    const { background } = this.pen;
    if (what > 2) return;
    if (y < 0 || (x < 0 && what !== 2)) this.backgrounds.lose(background);
    else if (what === 2 || (what === 1 && x >= columns)) {
      this.backgrounds.eraseRows(y, y + 1, background);
    } else if (what === 1) this.backgrounds.eraseCells(y, 0, x + 1, background);
    else if (x < columns) {
      this.backgrounds.eraseCells(y, x, Number.POSITIVE_INFINITY, background);
    }
  }

  #eraseCells(count: number): void {
    const { x, y, columns } = this.cursor;
    const { background } = this.pen;
    if (x < 0 || y < 0) this.backgrounds.lose(background);
    else if (x < columns) {
      this.backgrounds.eraseCells(y, x, Math.min(x + count, columns), background);
    }
  }

  /** Lines are inserted (negative) or deleted at the cursor; outside the region down to the screen's end. */
  #moveRows(count: number): void {
    const { y, top, bottom, rows } = this.cursor;
    const { background } = this.pen;
    if (y < 0 || bottom < 0) this.backgrounds.lose(background);
    else {
      const outside = y < top || y > bottom;
      if (outside && -count >= rows - y) return; // tmux moves nothing then
      const last = outside ? rows - 1 : bottom;
      this.backgrounds.scroll(y, last, count, background);
    }
  }

  /** Cells of the cursor's row moved sideways. */
  #shifted(background: string | undefined): void {
    const { y } = this.cursor;
    if (y < 0) this.backgrounds.lose(background);
    else this.backgrounds.shiftCells(y, background);
  }

  /** The whole screen is erased; what was on it goes into the history. */
  #eraseAll(background: string | undefined): void {
    this.changes++;
    if (this.alternate !== true) this.history.lose();
    this.backgrounds.eraseRows(0, this.cursor.rows, background);
    this.#lastY = -1;
  }

  #privateMode(mode: number, on: boolean): void {
    const { cursor } = this;
    if (untoldModes.has(mode)) this.modes.set(mode, on);
    else if (mode === 6) {
      cursor.origin = on;
      cursor.to(0, 0);
    } else if (mode === 7) cursor.wrap = on;
    else if (mode === 3) {
      cursor.to(0, 0);
      this.#eraseAll(this.pen.background);
    } else if (mode === 47 || mode === 1047 || mode === 1049) {
      this.changes++;
      this.#lastY = -1;
      if (this.alternate === undefined) this.#maybeAlternate(mode === 1049);
      else if (on) this.#enterAlternate(mode === 1049);
      else this.#leaveAlternate(mode === 1049);
    }
  }

  /** Whether it was on before isn't known. */
  #maybeAlternate(withCursor: boolean): void {
    if (withCursor) {
      this.pen.forget();
      this.cursor.lose();
    }
    this.alternatePen = new Pen(true);
    this.backgrounds.lose(undefined);
    this.history.lose();
    this.#alternateX = this.#alternateY = -1;
  }

  #enterAlternate(withCursor: boolean): void {
    if (this.alternate === true) return;
    this.alternate = true;
    this.alternatePen = this.pen.clone();
    if (withCursor) {
      this.#alternateX = this.cursor.x;
      this.#alternateY = this.cursor.y;
    }
    this.hiddenBackgrounds.assign(this.backgrounds);
    this.backgrounds.reset();
  }

  #leaveAlternate(withCursor: boolean): void {
    const { cursor } = this;
    if (withCursor && this.#alternateX !== neverSaved) {
      this.pen.assign(this.alternatePen);
      cursor.restore(this.#alternateX, this.#alternateY);
    } else if (cursor.x >= cursor.columns) cursor.x = cursor.columns - 1;
    if (this.alternate === true) {
      this.backgrounds.assign(this.hiddenBackgrounds);
      this.hiddenBackgrounds.reset();
    }
    this.alternate = false;
  }
}

/** What tmux tells of a place that was never saved. */
const neverSaved = 0xffffffff;
