/**
 * What the characters, controls and sequences of a pane's bytes do, as tmux carries them out (input.c,
 * screen-write.c): each becomes an operation of the tracker. What they do to cells matters only where it says where
 * rows went, and what background erased cells have.
 *
 * I1: a sequence that isn't listed here changes nothing that the tracker knows.
 */
import type { GrammarTarget } from './grammar.ts';
import { isColourCommand } from './palette.ts';
import type { StreamTracker } from './tracker.ts';
import { widthOf } from './width.ts';

/** Private modes that tmux keeps but doesn't report (3.3a), and that a terminal must have. */
export const untoldModes: ReadonlySet<number> = new Set([12, 1004, 2004]);

/** Escape sequences that tmux knows. */
const escapes: ReadonlySet<string> = new Set('7 8 = > D E H M \\ c (0 (B )0 )B #8'.split(' '));

/** Parameters that tmux reads of a sequence, at most; with one more it ignores all of it, and so with a number beyond. */
const parameterCountMax = 23;
const parameterMax = 0x7fffffff;

/** Whether tmux ignores a sequence for its parameters. */
function areRefused(parameters: string): boolean {
  if (parameters.length < 10) return false; // neither so many, nor so great a number
  const words = parameters.split(';');
  return words.length > parameterCountMax || words.some((word) => Number(word) > parameterMax);
}

/** Carries bytes out on a tracker. */
export class Interpreter implements GrammarTarget {
  readonly #tracker: StreamTracker;

  constructor(tracker: StreamTracker) {
    this.#tracker = tracker;
  }

  printed(count: number): void {
    const { cursor } = this.#tracker;
    this.#tracker.changes++;
    // tmux collects characters, and prints them in one go, unless they are line drawing or inserted.
    const isDrawn =
      this.#tracker.shown.halves.any && this.#tracker.sets[this.#tracker.shift] === '0';
    const isCollected = cursor.wrap && !this.#tracker.insert && !isDrawn;
    for (let rest = count; rest > 0; ) {
      const room = cursor.columns - cursor.x;
      if (isCollected && cursor.x >= 0 && room > 0) {
        const step = Math.min(room, rest);
        if (this.#tracker.shown.halves.any) this.#run(cursor.x, step);
        cursor.x += step;
        rest -= step;
      } else {
        this.#print(1, isCollected);
        rest--;
        if (cursor.x < 0) break;
      }
    }
    this.#cellPrinted();
    this.#tracker.repeatable = true;
    this.#tracker.lastCode = 0;
  }

  character(code: number): void {
    const width = widthOf(code);
    this.#tracker.changes++;
    this.#tracker.repeatable = this.#tracker.dialect.repeatsAll;
    this.#tracker.lastCode = code;
    if (width === 0) return; // a mark joins a cell that may have been printed with another pen
    this.#print(width, false);
    this.#cellPrinted();
    if (width < 0) this.#tracker.lastY = -1;
  }

  /** ASCII is printed from a column on in the cursor's row. */
  #run(x: number, count: number): void {
    const { cursor, shown } = this.#tracker;
    if (cursor.y < 0) shown.halves.lose();
    else shown.halves.run(cursor.y, x, count);
  }

  /** Prints a character of so many columns, -1 if that is disputed, and moves on. */
  #print(width: number, isCollected: boolean): void {
    const { cursor, insert, shown } = this.#tracker;
    const { x, y } = cursor;
    const fits = cursor.wrap || x < 0 || x <= cursor.columns - width;
    if (insert && fits) shown.insert(y, width < 0 ? -1 : x, width, '');
    this.#tracker.wrapped(cursor.print(width));
    const { halves } = shown;
    if (cursor.x < 0 || cursor.y < 0) {
      if (width !== 1 || halves.any) halves.lose();
    } else if (isCollected) halves.run(cursor.y, cursor.x - 1, 1);
    else if (fits) halves.print(cursor.y, cursor.wrap ? cursor.x - width : x, width);
  }

  replaced(): void {
    this.character(0xfffd);
    this.#tracker.repeatable = false;
  }

  opened(): void {
    this.#tracker.repeatable = false;
  }

  #cellPrinted(): void {
    const { x, y } = this.#tracker.cursor;
    this.#tracker.justPrintedCell = true;
    this.#tracker.lastX = x;
    // Without wrapping, what was printed last may have been printed over, or not at all.
    this.#tracker.lastY = this.#tracker.cursor.wrap ? y : -1;
  }

  control(byte: number): void {
    const { cursor } = this.#tracker;
    this.#tracker.justPrintedCell = this.#tracker.repeatable = false;
    if (byte === 0x0d) cursor.x = 0;
    else if (byte === 0x0a || byte === 0x0b || byte === 0x0c) this.#lineFeed();
    else if (byte === 0x08) cursor.back();
    else if (byte === 0x09) this.#tab();
    else if (byte === 0x0e) this.#tracker.shift = 1;
    else if (byte === 0x0f) this.#tracker.shift = 0;
  }

  #tab(): void {
    const { cursor, dialect, insert, shown } = this.#tracker;
    const { x, y } = cursor;
    cursor.tab();
    if (!dialect.keepsTabs || (x >= 0 && cursor.x === x)) return;
    if (x < 0 || y < 0 || cursor.x < 0) shown.halves.lose();
    else if (!insert) shown.halves.tab(y, x, cursor.x);
    else if (shown.halves.row(y) === undefined) shown.halves.tab(y, x, cursor.x);
    else shown.halves.cut(y);
  }

  #lineFeed(): void {
    this.#tracker.scrolled(this.#tracker.cursor.feed(), this.#tracker.pen.background);
  }

  escape(name: string): void {
    const { cursor } = this.#tracker;
    this.#tracker.justPrintedCell = false;
    if (escapes.has(name)) this.#tracker.repeatable = false;
    this.#tracker.untold.escape(name);
    if (name === '7') this.#tracker.save();
    else if (name === '8') this.#tracker.restore();
    else if (name === 'D') this.#lineFeed();
    else if (name === 'E') {
      cursor.x = 0;
      this.#lineFeed();
    } else if (name === 'M') {
      const scrolled = cursor.feedBack();
      if (scrolled === 'yes') this.#tracker.scroll(-1, this.#tracker.pen.background);
      else this.#tracker.scrolled(scrolled, this.#tracker.pen.background);
    } else if (name === 'H') cursor.setTab();
    else if (name === 'c') this.#tracker.reset();
    else if (name === '(0' || name === '(B') this.#tracker.sets[0] = name[1]!;
    else if (name === ')0' || name === ')B') this.#tracker.sets[1] = name[1]!;
    else if (name === '#8') {
      this.#tracker.changes++;
      cursor.region(0, cursor.rows - 1);
      cursor.set(0, 0);
      this.#tracker.shown.reset(); // every cell is printed
      this.#tracker.untold.erased();
      this.#tracker.lastY = -1;
    }
  }

  begun(): void {
    this.#tracker.justPrintedCell = this.#tracker.repeatable = false;
  }

  other(): void {
    this.#tracker.justPrintedCell = false;
  }

  command(text: string, whole: boolean): void {
    const [word = ''] = text.split(';', 1);
    if (!/^\d+$/.test(word)) return;
    const number = Number(word);
    const rest = text.slice(word.length + 1);
    if (number === 8) this.#link(rest, whole);
    else if (number === 1337) {
      if (/^(?:File|MultipartFile)=/.test(rest)) this.#tracker.untold.printed('image');
    } else if (whole) this.#tracker.palette.command(number, rest);
    else if (isColourCommand(number)) this.#tracker.palette.lose();
  }

  image(): void {
    this.#tracker.untold.printed('image');
  }

  /** A tmux that draws pictures goes below them; rows scroll away if there is no room. How high they are isn't followed. */
  drawn(): void {
    if (!this.#tracker.dialect.drawsSixel) return;
    this.#tracker.cursor.lose();
    this.#tracker.scrolled('maybe', this.#tracker.pen.background);
  }

  /** `OSC 8 ; parameters ; address`. */
  #link(rest: string, whole: boolean): void {
    const isOpen = !whole || rest.slice(rest.indexOf(';') + 1) !== '';
    this.#tracker.link = isOpen && whole ? rest : '';
    this.#tracker.linkKept = whole;
    if (isOpen) this.#tracker.untold.printed('hyperlink');
  }

  sequence(marks: string, parameters: string, final: string): void {
    this.#tracker.justPrintedCell = false;
    if (areRefused(parameters)) return;
    if (marks === '' && final === 'b') this.#repeat(parameters);
    if (this.#tracker.repeatable && this.#tracker.dialect.sequences.has(marks + final)) {
      this.#tracker.repeatable = false;
    }
    if (marks === '?' && (final === 'h' || final === 'l')) {
      for (const word of parameters.split(';')) this.#privateMode(Number(word), final === 'h');
    } else if (marks === ' ' && final === 'q') this.#tracker.cursorStyle = parameters;
    else if (marks === '' && final === 'm') this.#tracker.pen.apply(parameters);
    else if (marks === '') this.#plainSequence(parameters, final);
    else this.#tracker.untold.sequence(marks, parameters, final);
  }

  #plainSequence(parameters: string, final: string): void {
    // -1 where nothing is given, not a number where there are subparameters: tmux reads each when it needs it.
    const words = parameters.split(';').map((word) => Number(word || '-1'));
    const first = Math.max(0, words[0]!);
    if (final === 's') this.#tracker.save();
    else if (final === 'u') this.#tracker.restore();
    else if (final === 'h' || final === 'l') {
      if (words.includes(4)) this.#tracker.insert = final === 'h';
      for (const mode of words) this.#tracker.untold.mode(mode, false, final === 'h');
    } else if (final === 't') this.#tracker.untold.sequence('', parameters, final);
    else if (!Number.isNaN(first)) this.#move(final, first, words[1] ?? -1);
  }

  /** Sequences that move the cursor, or what moves it; `second` is -1 if it isn't given. */
  #move(final: string, first: number, second: number): void {
    const { cursor } = this.#tracker;
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
    else if (final === 'H' || final === 'f') {
      if (!Number.isNaN(second)) cursor.to(Math.max(1, second) - 1, count - 1);
    } else if (final === 'r') {
      if (Number.isNaN(second)) return;
      cursor.region(count - 1, (second < 0 ? cursor.rows : Math.max(1, second)) - 1);
    } else if (final === 'g') {
      if (first === 0 || first === 3) cursor.clearTab(first === 3);
    } else if (final === 'Z') cursor.tabBack(count);
    else if (final !== 'J' || first !== 3) this.#edit(final, first, count);
    else if (second <= 0) this.#edit(final, first, count); // or history stays
  }

  /** Sequences that change cells. */
  #edit(final: string, first: number, count: number): void {
    const { x, y } = this.#tracker.cursor;
    const { background } = this.#tracker.pen;
    if (final === 'J') this.#eraseDisplay(first);
    else if (final === 'K') this.#eraseLine(first);
    else if (final === 'X') this.#eraseCells(count);
    else if (final === 'L' || final === 'M') this.#moveRows(final === 'L' ? -count : count);
    else if (final === 'P') this.#tracker.shown.delete(y, x, count, background);
    else if (final === '@') this.#tracker.shown.insert(y, x, count, background);
    else if (final === 'S' || final === 'T') {
      this.#tracker.scroll(final === 'S' ? count : -count, background);
    } else return;
    this.#tracker.changes++;
    this.#tracker.lastY = -1;
  }

  /** `REP`: tmux repeats what was printed last if nothing came between, up to the end of the row. */
  #repeat(parameters: string): void {
    const count = Math.max(1, Number(parameters.split(';', 1)[0] || '1'));
    const { x, columns } = this.#tracker.cursor;
    if (!this.#tracker.repeatable || Number.isNaN(count)) return;
    const times = x < 0 ? 1 : Math.min(count, columns - x);
    const code = this.#tracker.lastCode;
    if (code !== 0) for (let time = 0; time < times; time++) this.character(code);
    else if (times > 0) this.printed(times);
  }

  #eraseDisplay(what: number): void {
    const { cursor } = this.#tracker;
    const { background } = this.#tracker.pen;
    const { x, y, rows } = cursor;
    if (what === 2 || (what === 0 && x === 0 && y === 0)) this.#tracker.eraseAll(background);
    else if (what === 3) {
      this.#tracker.history.clear();
      this.#tracker.shown.halves.above = this.#tracker.screens.hidden.halves.above = false;
      this.#tracker.untold.historyErased();
    } else if (what === 0 || what === 1) {
      if (y < 0) {
        this.#tracker.shown.erase(y, x, x, background);
        this.#tracker.history.lose();
      } else if (what === 0) this.#tracker.shown.eraseRows(y + 1, rows, background);
      else this.#tracker.shown.eraseRows(0, y, background);
      this.#eraseLine(what);
    }
  }

  #eraseLine(what: number): void {
    const { x, y, columns } = this.#tracker.cursor;
    const { background } = this.#tracker.pen;
    if (what > 2) return;
    const { shown } = this.#tracker;
    if (y < 0 || (x < 0 && what !== 2)) shown.erase(y, x, x, background);
    else if (what === 2 || (what === 1 && x >= columns)) shown.eraseRows(y, y + 1, background);
    else if (what === 1) shown.erase(y, 0, x + 1, background);
    else if (x < columns) shown.erase(y, x, Number.POSITIVE_INFINITY, background);
  }

  #eraseCells(count: number): void {
    const { x, y, columns } = this.#tracker.cursor;
    const { background } = this.#tracker.pen;
    if (columns < 0 || x < columns) {
      this.#tracker.shown.erase(y, x, Math.min(x + count, columns), background);
    }
  }

  /** Lines are inserted (negative) or deleted at the cursor; outside the region down to the screen's end. */
  #moveRows(count: number): void {
    const { y, top, bottom, rows } = this.#tracker.cursor;
    const { background } = this.#tracker.pen;
    if (y < 0 || bottom < 0) this.#tracker.shown.lose(background);
    else {
      const outside = y < top || y > bottom;
      if (outside && -count >= rows - y) return; // tmux moves nothing then
      const last = outside ? rows - 1 : bottom;
      this.#tracker.shown.scroll(y, last, count, background);
    }
  }

  #privateMode(mode: number, on: boolean): void {
    const { cursor } = this.#tracker;
    if (untoldModes.has(mode)) this.#tracker.modes.set(mode, on);
    else if (mode === 6) {
      cursor.origin = on;
      cursor.to(0, 0);
    } else if (mode === 7) cursor.wrap = on;
    else if (mode === 3) {
      cursor.to(0, 0);
      this.#tracker.eraseAll(this.#tracker.pen.background);
    } else if (mode === 47 || mode === 1047 || mode === 1049) {
      this.#tracker.changes++;
      this.#tracker.lastY = -1;
      if (this.#tracker.screens.alternate === undefined)
        this.#tracker.maybeAlternate(mode === 1049);
      else if (on) this.#tracker.enterAlternate(mode === 1049);
      else this.#tracker.leaveAlternate(mode === 1049);
    } else this.#tracker.untold.mode(mode, true, on);
  }
}
