/**
 * What a program has used that a snapshot can't bring back, by name: tmux 3.3a swallows it, so neither `capture-pane` nor
 * a format tells it, and repeating the sequences wouldn't restore it.
 *
 * ```text
 * in cells       links, images: until their screen is erased, the alternate one is left, or RIS
 * in rows above  the same, once the screen scrolled or was erased: named for snapshots that restore history
 * state          keyboard protocols, modes, sets, pushed titles: until they are taken back, or RIS
 * ```
 *
 * N1: what isn't named wasn't used since the tracker began, or was taken back. What was used before, nobody tells:
 *     that is `earlier-state`.
 *
 * Cost: nothing for bytes that use none of it.
 */

/** Something that a snapshot leaves out. */
export type UntoldReason =
  /** Links (`OSC 8`) in cells: before 3.4 tmux doesn't keep them. An open one is opened again. */
  | 'hyperlink'
  /** Pictures: sixel, and those of kitty's and iTerm2's protocols. */
  | 'image'
  /** Colours of the palette that were set in a form that isn't followed: more of them than are kept, or too long. */
  | 'palette'
  /** How keys are encoded: kitty's protocol, `modifyOtherKeys`. */
  | 'keyboard'
  /** A mode, or an attribute of a row, that tmux doesn't have. */
  | 'mode'
  /** A character set other than ASCII and line drawing, or one in G2 or G3. */
  | 'character-set'
  /** Titles that were pushed. */
  | 'title-stack';

/** What stands in cells. */
type InCells = 'hyperlink' | 'image';

/** Modes that tmux tells, or that the tracker follows, or that a snapshot ends. 1048 saves the cursor. */
const knownPrivateModes: ReadonlySet<number> = new Set([
  1, 3, 6, 7, 12, 25, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1047, 1049, 2004, 2026,
]);
const knownModes: ReadonlySet<number> = new Set([4]);
/** Modes kept by number, at most; one more is counted as never taken back. */
const modesMax = 64;

/** What one pane's program has used. */
export class Untold {
  #shown: InCells[] = [];
  #hidden: InCells[] = [];
  #above: InCells[] = [];
  readonly #modes = new Set<string>();
  readonly #sets = new Set<string>();
  #manyModes = false;
  #rows = false;
  #otherKeys = false;
  #keyFlags = false;
  #keyStack = 0;
  #titles = 0;

  /** Takes another one's state. */
  assign(other: Untold): void {
    this.#shown = other.#shown;
    this.#hidden = other.#hidden;
    this.#above = other.#above;
    this.#modes.clear();
    for (const mode of other.#modes) this.#modes.add(mode);
    this.#sets.clear();
    for (const set of other.#sets) this.#sets.add(set);
    this.#manyModes = other.#manyModes;
    this.#rows = other.#rows;
    this.#otherKeys = other.#otherKeys;
    this.#keyFlags = other.#keyFlags;
    this.#keyStack = other.#keyStack;
    this.#titles = other.#titles;
  }

  /**
   * Returns the names of what is used now.
   *
   * @param history - whether the rows above the screen are asked about too
   */
  reasons(history: boolean): UntoldReason[] {
    const reasons: UntoldReason[] = [];
    for (const kind of ['hyperlink', 'image'] as const) {
      const screens = this.#shown.includes(kind) || this.#hidden.includes(kind);
      if (screens || (history && this.#above.includes(kind))) reasons.push(kind);
    }
    if (this.#otherKeys || this.#keyFlags || this.#keyStack > 0) reasons.push('keyboard');
    if (this.#modes.size > 0 || this.#manyModes || this.#rows) reasons.push('mode');
    if (this.#sets.size > 0) reasons.push('character-set');
    if (this.#titles > 0) reasons.push('title-stack');
    return reasons;
  }

  /** A link or an image is printed at the cursor. */
  printed(kind: InCells): void {
    if (!this.#shown.includes(kind)) this.#shown = [...this.#shown, kind];
    if (!this.#above.includes(kind)) this.#above = [...this.#above, kind]; // it may scroll there
  }

  /** The whole screen was erased. */
  erased(): void {
    this.#shown = [];
  }

  /** The rows above the screen were erased. */
  historyErased(): void {
    this.#above = [...new Set([...this.#shown, ...this.#hidden])];
  }

  /** To the alternate screen. */
  entered(): void {
    this.#hidden = this.#shown;
    this.#shown = [];
  }

  /** Back from it. */
  left(): void {
    this.#shown = this.#hidden;
    this.#hidden = [];
  }

  /** `RIS`; the rows above the screen stay. */
  reset(): void {
    this.#shown = [];
    this.#modes.clear();
    this.#sets.clear();
    this.#manyModes = this.#rows = this.#otherKeys = this.#keyFlags = false;
    this.#keyStack = this.#titles = 0;
  }

  /** A mode was set or reset; what isn't a number above 0 is none. */
  mode(number: number, isPrivate: boolean, on: boolean): void {
    if (!(number > 0) || (isPrivate ? knownPrivateModes : knownModes).has(number)) return;
    const name = `${isPrivate ? '?' : ''}${number}`;
    if (!on) this.#modes.delete(name);
    else if (this.#modes.size < modesMax) this.#modes.add(name);
    else this.#manyModes ||= !this.#modes.has(name);
  }

  /** An escape sequence that nothing else follows. */
  escape(name: string): void {
    const mark = name[0]!;
    if (name.length === 2 && '()*+-./'.includes(mark)) {
      // Sets G0 and G1 as ASCII or line drawing are told elsewhere.
      const known = name[1] === 'B' || (name[1] === '0' && (mark === '(' || mark === ')'));
      if (known) this.#sets.delete(mark);
      else this.#sets.add(mark);
    } else if (name === '#3' || name === '#4' || name === '#6') this.#rows = true;
  }

  /** A control sequence that nothing else follows. */
  sequence(marks: string, parameters: string, final: string): void {
    const [first = '', second = ''] = parameters.split(';');
    const count = Math.max(1, Number(first || '1') || 1);
    if (final === 'u') this.#keys(marks, first, count);
    else if (final === 'm' && marks === '>') {
      if (first === '4') this.#otherKeys = Number(second || '0') !== 0;
      else if (first === '') this.#otherKeys = false;
    } else if (final === 'n' && marks === '>') {
      if (first === '4') this.#otherKeys = false;
    } else if (final === 't' && marks === '') {
      if (first === '22') this.#titles = Math.min(this.#titles + 1, 1000);
      else if (first === '23') this.#titles = Math.max(0, this.#titles - 1);
    }
  }

  /** Kitty's keyboard protocol: push, pop, set. */
  #keys(marks: string, first: string, count: number): void {
    if (marks === '>') this.#keyStack = Math.min(this.#keyStack + 1, 1000);
    else if (marks === '<') this.#keyStack = Math.max(0, this.#keyStack - count);
    else if (marks === '=') this.#keyFlags = Number(first || '0') !== 0;
  }
}
