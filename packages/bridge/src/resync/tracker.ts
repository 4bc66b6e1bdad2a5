/**
 * Follows a pane's bytes as far as tmux doesn't report their effect: pen, character sets, saved cursor, some modes,
 * and whether the stream stands inside a character or a sequence. It is no terminal: it keeps no cells.
 *
 * ```text
 *          print, C0                ESC            [              final
 *   ground ─────────▶ ground   any ─────▶ escape ─────▶ control ─────────▶ ground
 *                                           │ ] P X ^ _ k
 *                                           └────────────▶ string ──BEL, ESC──▶
 * ```
 *
 * T1: what it calls known is what tmux has; what it can't tell is listed by `unknown`.
 * T2: a part of the pen that is unknown hasn't been set since the tracker began or lost track, so every character
 *     printed since has it: the attributes of such a cell tell the part (`learn`).
 * T3: `cut` is the beginning of a character that the stream is inside of; tmux doesn't report it.
 *
 * The grammar is tmux's (input.c): ESC, CAN and SUB end any sequence, C1 bytes aren't controls. Cost: one step a
 * byte, runs of printable ASCII in one; an allocation per control sequence.
 */
import { Cursor } from './cursor.ts';
import { Pen } from './pen.ts';
import { widthOf } from './width.ts';

/** What of a screen can't be restored exactly, and why. */
export type InexactReason =
  /** Colour or attributes of the next character: the stream was joined while a run was under way. */
  | 'pen'
  /** The cursor stands outside the scroll region in origin mode, where no motion leads. */
  | 'cursor'
  /** Where `DECRC` goes to: the cursor was saved at a place that the stream doesn't tell. */
  | 'saved-cursor'
  /** Cells at the ends of lines were erased with a background colour; `capture-pane` leaves them out. */
  | 'erased-background'
  /**
   * Set before the bridge watched the pane, or while tmux dropped its output: character sets, saved cursor, modes
   * that tmux doesn't report, backgrounds of erased cells. Assumed to be the defaults, or as before.
   */
  | 'earlier-state';

/** What `DECSC` saves. */
export interface SavedCursor {
  x: number;
  y: number;
  readonly pen: Pen;
  readonly sets: readonly [string, string];
  readonly shift: number;
}

const stateGround = 0;
const stateEscape = 1;
const stateControl = 2;
const stateString = 3;
const stateIntermediate = 4;

const parametersMax = 512;
/** Private modes that tmux keeps but doesn't report (3.3a), and that a terminal must have. */
const untoldModes = new Set([12, 1004, 2004]);

/** Follows one pane's bytes. */
export class StreamTracker {
  readonly pen: Pen = new Pen(false);
  readonly cursor: Cursor = new Cursor();
  /** The character sets G0 and G1 by their final bytes, and which of them is in use. */
  sets: [string, string] = ['B', 'B'];
  shift = 0;
  saved: SavedCursor = { x: 0, y: 0, pen: new Pen(true), sets: ['B', 'B'], shift: 0 };
  /** The pen that leaving the alternate screen restores. */
  alternatePen: Pen = new Pen(true);
  /** Modes seen in the stream that tmux doesn't report: their numbers, and on or off. */
  readonly modes: Map<number, boolean> = new Map();
  /** Parameter of the last cursor style sequence, if there was one. */
  cursorStyle: string | undefined;
  /** Whether state from before is missing. */
  earlier = true;
  #erased = false;
  /** The same for the screen that the alternate one hides. */
  #normalErased = false;
  /** Cells were erased while the background was unknown. */
  #doubt = false;
  /** The last cell printed: the column after it, and its row; -1 if it may be gone. */
  #lastX = -1;
  #lastY = -1;
  #justPrinted = false;
  #state = stateGround;
  #text = '';
  #utf8: number[] = [];
  #utf8Bytes = 0;

  /** The bytes of a character that isn't complete yet. Empty between characters. */
  get cut(): Uint8Array {
    return Uint8Array.from(this.#utf8);
  }

  /** Whether the stream stands between sequences. */
  get atGround(): boolean {
    return this.#state === stateGround;
  }

  /** Whether the last thing in the stream was a character, which a combining mark would join (one may be cut). */
  get justPrinted(): boolean {
    return this.#justPrinted && this.#state === stateGround;
  }

  /** The last printed cell that is still there: the column after it and its row, or undefined. */
  get lastCell(): { readonly x: number; readonly y: number } | undefined {
    return this.#lastY < 0 || this.#lastX < 1 ? undefined : { x: this.#lastX, y: this.#lastY };
  }

  /** What can't be restored exactly now, apart from what was there before. */
  unknown(): InexactReason[] {
    const reasons: InexactReason[] = [];
    if (!this.pen.known) reasons.push('pen');
    const { saved } = this;
    // A cursor that was saved before a wrap can't be placed by a motion.
    const savable = saved.x >= 0 && saved.y >= 0 && saved.x !== this.cursor.columns;
    if (!savable || !saved.pen.known || !this.alternatePen.known) {
      reasons.push('saved-cursor');
    }
    if (this.#erased || this.#normalErased || this.#doubt) reasons.push('erased-background');
    return reasons;
  }

  /** Bytes are missing from here on: forgets what they may have changed. */
  lose(): void {
    this.pen.forget();
    this.cursor.lose();
    // What was half known would be completed from the wrong cells (T2).
    if (!this.saved.pen.known) this.saved = { ...this.saved, pen: new Pen(true) };
    if (!this.alternatePen.known) this.alternatePen = new Pen(true);
    this.earlier = true;
    this.#erased = this.#doubt = this.#normalErased = false;
    this.#lastY = -1;
    this.#state = stateGround;
    this.#utf8 = [];
    this.#utf8Bytes = 0;
  }

  /** Learns the unknown parts of the pen from the cell that `lastCell` names (T2). */
  learn(pen: Pen): void {
    if (this.#doubt && !this.pen.backgroundKnown && pen.plainBackground) this.#doubt = false;
    this.pen.fill(pen);
    this.saved.pen.fill(pen);
    this.alternatePen.fill(pen);
  }

  /** The pane got another size, or the stream's place isn't what was thought: positions are unknown. */
  misplaced(): void {
    this.cursor.lose();
    this.#lastY = -1;
    const { saved } = this;
    if (saved.x !== 0 || saved.y !== 0) this.saved = { ...saved, x: -1, y: -1 };
  }

  /** Takes over what tmux says at this place of the stream. */
  anchor(told: {
    readonly x: number;
    readonly y: number;
    readonly columns: number;
    readonly rows: number;
    readonly top: number;
    readonly bottom: number;
    readonly origin: boolean;
    readonly wrap: boolean;
  }): void {
    const { cursor } = this;
    cursor.columns = told.columns;
    cursor.rows = told.rows;
    cursor.top = told.top;
    cursor.bottom = told.bottom;
    cursor.origin = told.origin;
    cursor.wrap = told.wrap;
    cursor.set(told.x, told.y);
  }

  /** Follows `bytes[start, end)`. */
  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const byte = bytes[at]!;
      if (this.#state === stateGround && byte >= 0x20 && byte < 0x7f && this.#utf8Bytes === 0) {
        const from = at;
        while (at < end && bytes[at]! >= 0x20 && bytes[at]! < 0x7f) at++;
        this.#printed(at - from);
      } else {
        this.#step(byte);
        at++;
      }
    }
  }

  #step(byte: number): void {
    if (byte < 0x80) this.#justPrinted = false;
    if (byte === 0x1b) {
      this.#broken();
      this.#state = stateEscape;
      this.#text = '';
    } else if (byte === 0x18 || byte === 0x1a) {
      this.#broken();
      this.#state = stateGround;
    } else if (this.#state === stateString) {
      if (byte === 0x07) this.#state = stateGround;
    } else if (byte < 0x20) {
      this.#control(byte);
    } else if (this.#state === stateGround) {
      this.#character(byte);
    } else if (byte === 0x7f || byte >= 0x80) {
      // Ignored inside a sequence.
    } else if (this.#state === stateEscape) {
      this.#escape(byte);
    } else if (this.#state === stateIntermediate) {
      if (byte < 0x30) this.#text += String.fromCharCode(byte);
      else this.#escapeEnd(byte);
    } else if (byte < 0x40) {
      if (this.#text.length < parametersMax) this.#text += String.fromCharCode(byte);
    } else {
      this.#state = stateGround;
      this.#sequence(this.#text, String.fromCharCode(byte));
    }
  }

  /** Moves over `count` printable ASCII characters. */
  #printed(count: number): void {
    const { cursor } = this;
    for (let rest = count; rest > 0; ) {
      const room = cursor.columns - cursor.x;
      if (cursor.x < 0 || !cursor.wrap || room <= 0) {
        cursor.print(1);
        rest--;
        if (cursor.x < 0) break;
        if (cursor.fed) this.#fed();
      } else {
        const step = Math.min(room, rest);
        cursor.x += step;
        rest -= step;
      }
    }
    if (cursor.fed) this.#fed();
    this.#justPrinted = true;
    this.#lastX = cursor.x;
    this.#lastY = cursor.y;
  }

  #character(byte: number): void {
    if (byte < 0x80) {
      this.#broken();
      if (byte !== 0x7f) this.#printed(1);
      return;
    }
    if (byte >= 0xc0) {
      this.#broken();
      this.#utf8Bytes = byte >= 0xf8 ? 0 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (this.#utf8Bytes > 0) this.#utf8 = [byte];
      else this.#disputed();
      return;
    }
    if (this.#utf8Bytes === 0) {
      this.#disputed();
      return;
    }
    this.#utf8.push(byte);
    if (this.#utf8.length < this.#utf8Bytes) return;
    let code = this.#utf8[0]! & (0x7f >> this.#utf8Bytes);
    for (let index = 1; index < this.#utf8Bytes; index++) {
      code = (code << 6) | (this.#utf8[index]! & 0x3f);
    }
    this.#utf8 = [];
    this.#utf8Bytes = 0;
    const width = widthOf(code);
    // A mark joins a cell that may have been printed with another pen.
    if (width !== 0) this.#justPrinted = true;
    if (width < 0) this.#disputed();
    else if (width > 0) {
      this.cursor.print(width);
      if (this.cursor.fed) this.#fed();
      this.#lastX = this.cursor.x;
      this.#lastY = this.cursor.y;
    }
  }

  /** A character whose width isn't certain. */
  #disputed(): void {
    this.cursor.print(-1);
    this.#fed();
    this.#lastY = -1;
  }

  /** A character was broken off by something else: tmux may print a replacement. */
  #broken(): void {
    if (this.#utf8Bytes === 0) return;
    this.#utf8 = [];
    this.#utf8Bytes = 0;
    this.#disputed();
  }

  #control(byte: number): void {
    const { cursor } = this;
    this.#broken();
    if (byte === 0x0d) cursor.x = 0;
    else if (byte === 0x0a || byte === 0x0b || byte === 0x0c) this.#lineFeed();
    else if (byte === 0x08) cursor.back();
    else if (byte === 0x09) cursor.tab();
    else if (byte === 0x0e) this.shift = 1;
    else if (byte === 0x0f) this.shift = 0;
  }

  #lineFeed(): void {
    this.cursor.feed();
    if (this.cursor.fed) this.#fed();
  }

  /** A line was, or may have been, scrolled in: it has the pen's background. */
  #fed(): void {
    const { cursor } = this;
    cursor.fed = false;
    if (this.#lastY >= 0) {
      const whole = cursor.top === 0 && cursor.bottom === cursor.rows - 1 && cursor.y >= 0;
      this.#lastY = whole ? this.#lastY - 1 : -1;
    }
    this.#erase();
    if (cursor.scrolled >= cursor.rows && cursor.rows > 0) this.#erased = this.#doubt = false;
  }

  /** Cells get the pen's background. */
  #erase(): void {
    if (this.pen.plainBackground) return;
    if (this.pen.backgroundKnown) this.#erased = true;
    else this.#doubt = true;
    this.cursor.scrolled = 0;
  }

  /** The whole screen was erased. */
  #eraseAll(): void {
    this.#erased = this.#doubt = false;
    this.#lastY = -1;
    this.#erase();
  }

  #escape(byte: number): void {
    this.#state = stateGround;
    if (byte < 0x30) {
      this.#state = stateIntermediate;
      this.#text = String.fromCharCode(byte);
    } else if (byte === 0x5b) {
      this.#state = stateControl;
    } else if ('PX]^_k'.includes(String.fromCharCode(byte))) {
      this.#state = stateString;
    } else this.#escapeEnd(byte);
  }

  #escapeEnd(byte: number): void {
    this.#state = stateGround;
    const { cursor } = this;
    const name = this.#text + String.fromCharCode(byte);
    if (name === '7') this.#save();
    else if (name === '8') this.#restore();
    else if (name === 'D') this.#lineFeed();
    else if (name === 'E') {
      this.#lineFeed();
      cursor.x = 0;
    } else if (name === 'M') {
      cursor.feedBack();
      if (cursor.fed) {
        cursor.fed = false;
        this.#lastY = -1;
        this.#erase();
      }
    } else if (name === 'H') cursor.tabs = false;
    else if (name === 'c') this.#reset();
    else if (name === '(0' || name === '(B') this.sets[0] = name[1]!;
    else if (name === ')0' || name === ')B') this.sets[1] = name[1]!;
    else if (name === '#8') {
      cursor.set(0, 0);
      this.#lastY = -1;
    }
  }

  #save(): void {
    const { x, y } = this.cursor;
    const { shift } = this;
    this.saved = { x, y, pen: this.pen.clone(), sets: [...this.sets], shift };
  }

  #restore(): void {
    const { x, y, pen, sets, shift } = this.saved;
    this.pen.assign(pen);
    if (!pen.known) this.#lastY = -1; // T2
    this.sets = [...sets];
    this.shift = shift;
    // tmux restores the origin mode too; a place that it clips isn't known.
    if (this.cursor.origin) this.cursor.lose();
    else this.cursor.set(x, y);
  }

  #reset(): void {
    const { cursor } = this;
    this.pen.reset();
    this.sets = ['B', 'B'];
    this.shift = 0;
    this.saved = { x: 0, y: 0, pen: new Pen(true), sets: ['B', 'B'], shift: 0 };
    this.alternatePen = new Pen(true);
    this.modes.clear();
    this.cursorStyle = undefined;
    this.earlier = this.#normalErased = false;
    cursor.tabs = true;
    cursor.origin = false;
    cursor.wrap = true;
    cursor.region(0, cursor.rows - 1);
    cursor.set(0, 0);
    this.#eraseAll();
  }

  #sequence(text: string, final: string): void {
    const { cursor } = this;
    if (/^[<-?]/.test(text)) {
      if (text[0] === '?' && (final === 'h' || final === 'l')) {
        for (const mode of text.slice(1).split(';')) this.#mode(Number(mode), final === 'h');
      }
      return;
    }
    if (/[ -/]$/.test(text)) {
      if (text.endsWith(' ') && final === 'q') this.cursorStyle = text.slice(0, -1);
      return;
    }
    if (final === 'm') {
      this.pen.apply(text);
      return;
    }
    const [first, second] = text.split(';').map((word) => Number(word || '0'));
    const count = Math.max(1, first ?? 1);
    switch (final) {
      case 'A':
        cursor.up(count);
        break;
      case 'B':
        cursor.down(count);
        break;
      case 'C':
        cursor.right(count);
        break;
      case 'D':
        cursor.left(count);
        break;
      case 'E':
        cursor.down(count);
        cursor.to(0, -1);
        break;
      case 'F':
        cursor.up(count);
        cursor.to(0, -1);
        break;
      case 'G':
      case '`':
        cursor.to(count - 1, -1);
        break;
      case 'd':
        cursor.to(-1, count - 1);
        break;
      case 'H':
      case 'f':
        cursor.to(Math.max(1, second ?? 1) - 1, count - 1);
        break;
      case 'r':
        cursor.region(count - 1, (second ? second : cursor.rows) - 1);
        break;
      case 's':
        this.#save();
        break;
      case 'u':
        this.#restore();
        break;
      case 'g':
        cursor.tabs = false;
        break;
      default:
        this.#edit(final, first ?? 0);
    }
  }

  /** Sequences that change cells. */
  #edit(final: string, first: number): void {
    const { cursor } = this;
    if (final === 'J') {
      if (first === 2 || (first === 0 && cursor.x === 0 && cursor.y === 0)) this.#eraseAll();
      else if (first !== 3) this.#erase();
      this.#lastY = -1;
    } else if ('KXLMP@ST'.includes(final)) {
      this.#erase();
      this.#lastY = -1;
    } else if (final === 'b') {
      cursor.lose();
      this.#erase();
      this.#lastY = -1;
    } else if (final === 'Z') cursor.x = -1;
  }

  #mode(mode: number, on: boolean): void {
    const { cursor } = this;
    if (untoldModes.has(mode)) this.modes.set(mode, on);
    else if (mode === 6) {
      cursor.origin = on;
      if (on && cursor.top < 0) cursor.lose();
      else cursor.set(0, on ? cursor.top : 0);
    } else if (mode === 7) cursor.wrap = on;
    else if (mode === 3) cursor.lose();
    else if (mode === 47 || mode === 1047 || mode === 1049) this.#alternate(mode, on);
  }

  #alternate(mode: number, on: boolean): void {
    if (mode === 1049) {
      if (on) this.alternatePen = this.pen.clone();
      else this.pen.assign(this.alternatePen);
    }
    this.#lastY = -1;
    this.cursor.lose();
    if (on) {
      this.#normalErased ||= this.#erased;
      this.#erased = false;
      this.#erase();
    } else if (this.#normalErased) {
      this.#erased = true;
      this.#normalErased = false;
    }
  }
}
