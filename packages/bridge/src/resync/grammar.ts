/**
 * Cuts a pane's bytes into characters, controls and sequences exactly as tmux does (the state machine of its input.c).
 *
 * ```text
 *           ESC           [              0x40..0x7e
 *   any ──────────▶ escape ─▶ control ─────────────────▶ ground         C0 inside is carried out at once
 *                     │  ]  _  ^  X  k
 *                     ├────────────────▶ string ─ ESC, CAN, SUB ─▶      BEL ends only `ESC ]`
 *                     └ P ─▶ dcs ─ 0x40..0x7e ─▶ passed ─ ESC \ ─▶ ground     nothing else ends it
 * ```
 *
 * N1: whatever the pieces, the same calls come in the same order.
 * N2: `sequenceBytes` is the length of what `capture-pane -P` shows: all bytes since the ground state was left.
 * N3: an escape sequence inside a UTF-8 character doesn't end the character (tmux goes on with it), ASCII does. A bad
 *     character prints nothing, or U+FFFD from tmux 3.6 on (`replacesInvalid`).
 *
 * C1 bytes aren't controls. Cost: one step a byte; runs of printable ASCII, and whole characters of three bytes, in one.
 */

/** Takes what the bytes mean. */
export interface GrammarTarget {
  /** `count` printable ASCII characters. */
  printed(count: number): void;
  /** A character that isn't ASCII. */
  character(code: number): void;
  /** U+FFFD is printed in place of bytes that are no character. */
  replaced(): void;
  /** A byte of a character that isn't ASCII has come, or one that is no character's. */
  opened(): void;
  /** A byte below 0x20. */
  control(byte: number): void;
  /** `ESC`, intermediates and a final byte. */
  escape(name: string): void;
  /** `CSI`: private marks and intermediates, the parameters, the final byte. */
  sequence(marks: string, parameters: string, final: string): void;
  /** A string sequence has begun. */
  begun(): void;
  /** A sequence without a meaning has ended. */
  other(): void;
  /** An `OSC` has ended: its text up to the first 4096 ASCII characters, and whether that is all of it. */
  command(text: string, whole: boolean): void;
  /** A picture has begun: sixel, or kitty's protocol. */
  image(): void;
  /** A sixel picture is whole: where tmux takes them, it is drawn now. */
  drawn(): void;
}

const ground = 0;
const afterEscape = 1;
const afterEscapeMark = 2;
const control = 3;
const controlParameter = 4;
const controlIntermediate = 5;
const controlIgnored = 6;
const dcs = 7;
const dcsIgnored = 8;
const dcsPassed = 9;
const dcsEscape = 10;
const title = 11;
const string = 12;

/** The final byte of a device control string that is a picture. */
const sixel = 0x71;
/** tmux ignores sequences with more (INPUT_DISCARD). */
const parametersMax = 63;
const marksMax = 3;
/** Text of an `OSC` that is handed over. */
const textMax = 4096;

/** Whether controls are carried out in this state, or else swallowed. */
const carriesOut = (state: number): boolean => state <= controlIgnored;

/** The state machine; `push` calls its target. */
export class Grammar {
  readonly #target: GrammarTarget;
  readonly #replacesInvalid: boolean;
  #state = ground;
  #parameters = '';
  #marks = '';
  #discarded = false;
  /** What began the string under way, or `sixel`, and its text if it is an `OSC`. */
  #introducer = 0;
  #text = '';
  #textWhole = true;
  #utf8: number[] = [];
  #utf8Bytes = 0;
  #utf8Bad = false;
  /** An escape sequence came inside the character. */
  #utf8Split = false;
  /** Bytes since the ground state was left (N2). */
  sequenceBytes = 0;

  constructor(target: GrammarTarget, replacesInvalid: boolean) {
    this.#target = target;
    this.#replacesInvalid = replacesInvalid;
  }

  /** Takes another one's state. */
  assign(other: Grammar): void {
    this.#state = other.#state;
    this.#parameters = other.#parameters;
    this.#marks = other.#marks;
    this.#discarded = other.#discarded;
    this.#introducer = other.#introducer;
    this.#text = other.#text;
    this.#textWhole = other.#textWhole;
    this.#utf8 = [...other.#utf8];
    this.#utf8Bytes = other.#utf8Bytes;
    this.#utf8Bad = other.#utf8Bad;
    this.#utf8Split = other.#utf8Split;
    this.sequenceBytes = other.sequenceBytes;
  }

  /** Begins between sequences and characters. */
  reset(): void {
    this.#state = ground;
    this.sequenceBytes = 0;
    this.#forgetCharacter();
  }

  /** Whether the stream stands between sequences. */
  get atGround(): boolean {
    return this.#state === ground;
  }

  /** The bytes of a character that the stream is inside of; empty if a sequence came in between. */
  get cut(): readonly number[] {
    return this.#utf8Split || this.#utf8Bad ? [] : this.#utf8;
  }

  /** Whether a control would be carried out here, though a sequence is under way. */
  get inSequence(): boolean {
    return this.#state !== ground && carriesOut(this.#state);
  }

  /** Whether a string is under way: tmux gives it up if it isn't ended within five seconds. */
  get inString(): boolean {
    return this.#state >= dcs;
  }

  /** Whether only `ESC \` ends what is under way. */
  get inDeviceString(): boolean {
    return this.#state === dcsPassed || this.#state === dcsEscape;
  }

  /** Follows `bytes[start, end)`. */
  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const byte = bytes[at]!;
      if (this.#state === ground && byte >= 0x20 && byte < 0x7f) {
        const from = at;
        while (at < end && bytes[at]! >= 0x20 && bytes[at]! < 0x7f) at++;
        this.#endCharacter();
        this.#target.printed(at - from);
        continue;
      }
      const code = (byte & 0xf0) === 0xe0 ? this.#whole(bytes, at, end) : 0;
      if (code > 0) {
        at += 3;
        this.#target.character(code);
      } else {
        this.#step(byte);
        at++;
        if (this.#state === ground) this.sequenceBytes = 0;
        else this.sequenceBytes++;
      }
    }
  }

  /** The character of three bytes that begins here, or 0 if its bytes aren't together, or are none. */
  #whole(bytes: Uint8Array, at: number, end: number): number {
    if (this.#state !== ground || this.#utf8Bytes > 0 || at + 2 >= end) return 0;
    const second = bytes[at + 1]! ^ 0x80;
    const third = bytes[at + 2]! ^ 0x80;
    if (second > 0x3f || third > 0x3f) return 0;
    const code = ((bytes[at]! & 0x0f) << 12) | (second << 6) | third;
    return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 0 : code;
  }

  /** Something else came before the character was whole. */
  #endCharacter(): void {
    if (this.#utf8Bytes === 0) return;
    this.#forgetCharacter();
    this.#invalid();
  }

  #invalid(): void {
    if (this.#replacesInvalid) this.#target.replaced();
  }

  #forgetCharacter(): void {
    this.#utf8 = [];
    this.#utf8Bytes = 0;
    this.#utf8Bad = this.#utf8Split = false;
  }

  #step(byte: number): void {
    const state = this.#state;
    if (state === dcsPassed || state === dcsEscape) {
      if (state === dcsPassed) this.#state = byte === 0x1b ? dcsEscape : dcsPassed;
      else if (byte !== 0x5c) this.#state = dcsPassed;
      else {
        this.#state = ground;
        if (this.#introducer === sixel) this.#target.drawn();
      }
    } else if (byte === 0x1b) {
      if (state === title) this.#target.command(this.#text, this.#textWhole);
      this.#state = afterEscape;
      this.#parameters = this.#marks = '';
      this.#discarded = false;
      this.#utf8Split = this.#utf8Bytes > 0; // N3
    } else if (byte === 0x18 || byte === 0x1a) {
      this.#state = ground;
      this.#control(byte);
    } else if (byte < 0x20) {
      if (carriesOut(state)) this.#control(byte);
      else if (byte === 0x07 && state === title) {
        this.#state = ground;
        this.#target.command(this.#text, this.#textWhole);
      }
    } else if (state === title) {
      if (byte < 0x7f && this.#text.length < textMax) this.#text += String.fromCharCode(byte);
      else this.#textWhole = false;
    } else if (state === ground) {
      if (byte >= 0x80) this.#topBit(byte);
    } else if (byte < 0x7f) this.#inSequence(state, byte);
  }

  #control(byte: number): void {
    this.#endCharacter();
    this.#target.control(byte);
  }

  #topBit(byte: number): void {
    this.#target.opened();
    if (this.#utf8Bytes === 0) {
      if (byte >= 0xc2 && byte <= 0xf4) {
        this.#utf8Bytes = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        this.#utf8 = [byte];
      } else this.#invalid();
      return;
    }
    if ((byte & 0xc0) !== 0x80) this.#utf8Bad = true;
    this.#utf8.push(byte);
    if (this.#utf8.length < this.#utf8Bytes) return;
    const bad = this.#utf8Bad;
    let code = this.#utf8[0]! & (0x7f >> this.#utf8Bytes);
    for (let index = 1; index < this.#utf8Bytes; index++) {
      code = (code << 6) | (this.#utf8[index]! & 0x3f);
    }
    const least = this.#utf8Bytes === 4 ? 0x10000 : this.#utf8Bytes === 3 ? 0x800 : 0x80;
    this.#forgetCharacter();
    if (bad || code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
      this.#invalid();
    else this.#target.character(code);
  }

  /** A byte from 0x20 to 0x7e inside a sequence. */
  #inSequence(state: number, byte: number): void {
    const intermediate = byte < 0x30;
    if (state === afterEscape) this.#afterEscape(byte);
    else if (state === afterEscapeMark) {
      if (intermediate) this.#mark(byte);
      else this.#escapeEnd(byte);
    } else if (state >= control && state <= controlIgnored) this.#inControl(state, byte);
    else if (state === dcs) this.#inDeviceControl(byte);
    else if (state === string && this.#introducer !== 0) {
      if (this.#introducer === 0x5f && byte === 0x47) this.#target.image();
      this.#introducer = 0; // only the first byte tells
    }
  }

  #inDeviceControl(byte: number): void {
    if (byte >= 0x40) {
      this.#state = dcsPassed;
      if (byte === sixel && this.#marks === '') {
        this.#introducer = sixel;
        this.#target.image();
      }
    } else if (byte === 0x3a) this.#state = dcsIgnored;
    else if (byte < 0x30) this.#mark(byte);
  }

  #afterEscape(byte: number): void {
    if (byte < 0x30) {
      this.#state = afterEscapeMark;
      this.#mark(byte);
    } else if (byte === 0x5b) this.#state = control;
    else if (byte === 0x50) this.#begin(dcs, byte);
    else if (byte === 0x5d) this.#begin(title, byte);
    else if (byte === 0x58 || byte === 0x5e || byte === 0x5f || byte === 0x6b) {
      this.#begin(string, byte);
    } else this.#escapeEnd(byte);
  }

  #begin(state: number, introducer: number): void {
    this.#state = state;
    this.#introducer = introducer;
    this.#text = '';
    this.#textWhole = true;
    this.#target.begun();
  }

  #escapeEnd(byte: number): void {
    this.#state = ground;
    if (this.#discarded) this.#target.other();
    else this.#target.escape(this.#marks + String.fromCharCode(byte));
  }

  #inControl(state: number, byte: number): void {
    if (byte >= 0x40) {
      this.#state = ground;
      if (state === controlIgnored || this.#discarded) this.#target.other();
      else this.#target.sequence(this.#marks, this.#parameters, String.fromCharCode(byte));
    } else if (state === controlIgnored) {
      // Until the final byte.
    } else if (byte < 0x30) {
      this.#state = controlIntermediate;
      this.#mark(byte);
    } else if (state === controlIntermediate || (byte >= 0x3c && state === controlParameter)) {
      this.#state = controlIgnored;
    } else {
      this.#state = controlParameter;
      if (byte >= 0x3c) this.#mark(byte);
      else if (this.#parameters.length === parametersMax) this.#discarded = true;
      else this.#parameters += String.fromCharCode(byte);
    }
  }

  #mark(byte: number): void {
    if (this.#marks.length === marksMax) this.#discarded = true;
    else this.#marks += String.fromCharCode(byte);
  }
}

const nobody: GrammarTarget = {
  printed() {},
  character() {},
  replaced() {},
  opened() {},
  control() {},
  escape() {},
  sequence() {},
  begun() {},
  other() {},
  command() {},
  image() {},
  drawn() {},
};

/**
 * Returns the beginning of a sequence, as `capture-pane -P` shows it, without the controls that stood in it: tmux has
 * carried them out already, and a terminal that gets the rest would do so again. An `ESC` within a device control
 * string, which to tmux is a part of it, is left out, since terminals end the string there.
 */
export function replayable(pending: Uint8Array): Uint8Array {
  const grammar = new Grammar(nobody, false);
  const kept: number[] = [];
  for (let index = 0; index < pending.length; index++) {
    const byte = pending[index]!;
    const last = index === pending.length - 1;
    if (byte === 0x1b ? last || !grammar.inDeviceString : byte >= 0x20 || !grammar.inSequence) {
      kept.push(byte);
    }
    grammar.push(pending, index, index + 1);
  }
  return Uint8Array.from(kept);
}
