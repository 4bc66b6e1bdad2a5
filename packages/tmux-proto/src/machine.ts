/**
 * The protocol's state machine: everything but the hot loop, which is the engine's.
 *
 * ```text
 * push(chunk) -> [outer text] -> arena -> whole lines -> engine: output lines, fast
 *                     |                                    |
 *                 passthrough                              +--> line(): every other line -> handler
 * ```
 * M1: the events depend on the bytes alone, never on how they were cut into chunks.
 * M2: a line never ends the session: what fits no grammar is reported, counted, and forgotten.
 * M3: a reply closes only on `%end` or `%error` with the very text of its `%begin`.
 * M4: `ESC \` ends control mode only inside a DCS, at the start of a line, outside of a reply.
 * M5: `arena.pos` stands behind a line before its event is delivered, so a handler that throws loses nothing.
 * M6: one CR before LF belongs to the line's end exactly if the first `%begin` had one (until then: if there
 *     is one); any other CR is data.
 *
 * Single-threaded; never re-entered by its own handler. Cost: the engine's, plus about 100 ns a chunk.
 */
import { type Arena, type ArenaOwner, type ArenaPool, LargeArena } from './arena.ts';
import { checkInteger, ParserError } from './errors.ts';
import { decodeInto } from './escape.ts';
import { GUARD_BYTES_MAX, Guard, isGuardText } from './guard.ts';
import type {
  ControlHandler,
  LimitPolicy,
  ParserCounters,
  ParserOptions,
  UnknownReason,
} from './handler.ts';
import { parseNotification } from './notifications.ts';
import { OuterScan } from './outer.ts';

const LINE_BYTES_MAX = 16 * 1024 * 1024;
const LINE_BYTES_LEAST = 1024;
const TARGET_BYTES_LEAST = 32 * 1024;
const text = new TextDecoder('utf-8', { ignoreBOM: true });
const ascii = (word: string): Uint8Array => Uint8Array.from(word, (char) => char.charCodeAt(0));
const BEGIN = ascii('%begin ');
const END = ascii('%end ');
const ERROR = ascii('%error ');
const EXIT = ascii('%exit');
const OUTPUT = ascii('%output %');
const EXTENDED = ascii('%extended-output %');

const startsWith = (bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean => {
  if (end - start < word.length) return false;
  for (let index = 0; index < word.length; index++) {
    if (bytes[start + index] !== word[index]) return false;
  }
  return true;
};

/** Counts of a parser. Bytes are kept in an array of one: a field over 2^31 would allocate with every push. */
class Counters implements ParserCounters {
  readonly total: Float64Array = new Float64Array(1);
  strayLines = 0;
  unknownLines = 0;
  malformedLines = 0;
  filteredLines = 0;
  overlongLines = 0;
  overlongBlocks = 0;
  abandonedBlocks = 0;
  handlerErrors = 0;

  get bytes(): number {
    return this.total[0]!;
  }
}

/** State and slow path of one parser; an engine adds `parseLines`. */
export abstract class Machine implements ArenaOwner {
  readonly counters: Counters = new Counters();
  protected readonly handler: ControlHandler;
  /** Whether output is to be decoded at once, with no filter in front: the engine may take its fast path. */
  protected readonly eager: boolean;
  protected readonly gluedGuards: boolean;
  protected inBlock = false;
  protected stripCr = true; // M6
  protected readonly guardText: Uint8Array = new Uint8Array(GUARD_BYTES_MAX);
  protected guardLength = 0;
  protected eolKnown = false;
  #inLines: boolean;
  #inDcs = false;
  #guard: Guard | undefined;
  #blockBytes = 0;
  #skipping = false;
  #busy = false;
  #ended = false;
  #failed = false;
  #failure: unknown;
  #arena: Arena | undefined;
  /** The arena lent to a transport, kept while one long line needs another. */
  #lent: Arena | undefined;
  #parked = new Uint8Array(0);
  #parkedLength = 0;
  readonly #pool: ArenaPool;
  readonly #outer: OuterScan;
  readonly #maxLineBytes: number;
  readonly #maxBlockBytes: number;
  readonly #limitPolicy: LimitPolicy;

  constructor(pool: ArenaPool, handler: ControlHandler, options: ParserOptions) {
    const framing = options.framing ?? 'auto';
    this.#pool = pool;
    this.handler = handler;
    this.eager =
      handler.output !== undefined &&
      handler.rawOutput === undefined &&
      handler.filter === undefined;
    this.gluedGuards = options.gluedGuards ?? false;
    this.#inLines = framing === 'lines';
    this.#outer = new OuterScan(framing === 'auto', (bytes, start, end) =>
      this.#call(() => handler.passthrough?.(bytes, start, end)),
    );
    this.#limitPolicy = options.limitPolicy ?? 'error';
    this.#maxLineBytes = checkInteger(
      'maxLineBytes',
      options.maxLineBytes ?? LINE_BYTES_MAX,
      LINE_BYTES_LEAST,
      0x3fffffff,
    );
    this.#maxBlockBytes = checkInteger(
      'maxBlockBytes',
      options.maxBlockBytes ?? Number.MAX_SAFE_INTEGER,
      0,
    );
  }

  /**
   * Parses the whole lines up to `limit`, which stands behind a LF; advances `arena.pos` (M5). Returns early
   * when a line ended control mode (M4). Passes what a handler throws to `fail` and goes on.
   */
  protected abstract parseLines(arena: Arena, limit: number): void;

  get insideBlock(): boolean {
    return this.inBlock;
  }

  get insideControlMode(): boolean {
    return this.#inLines;
  }

  push(chunk: Uint8Array): void {
    this.#enter();
    try {
      const length = chunk.length;
      this.counters.total[0]! += length;
      let at = 0;
      if (!this.#inLines) at = this.#scanOuter(chunk, 0, length);
      if (this.#inLines && (at < length || this.#outer.heldBytes > 0)) {
        this.#feed(chunk, at, length);
      }
    } finally {
      this.#busy = false;
    }
    this.#rethrow();
  }

  end(): void {
    if (this.#ended) return;
    this.#enter();
    this.#ended = true;
    try {
      if (this.#inLines) {
        const arena = this.#acquire();
        const { bytes, pos, end } = arena;
        if (end > pos) this.unknownLine(bytes, pos, end, 'partial');
        arena.pos = end;
      } else {
        this.#outer.flush();
      }
      this.#abandon();
    } catch (error) {
      this.handlerFailed(error);
    } finally {
      this.#giveBack();
      this.#busy = false;
    }
    this.#rethrow();
  }

  /** Returns the free part of the arena, which stays this parser's until `end` (A3). */
  target(): Uint8Array {
    this.#enter();
    this.#busy = false;
    const arena = this.#acquire();
    if (arena.limit - arena.end < TARGET_BYTES_LEAST) {
      if (arena.pos > arena.base) arena.slide();
      if (arena.limit - arena.end < TARGET_BYTES_LEAST) return this.#lend(this.#grow(arena));
    }
    return this.#lend(arena);
  }

  #lend(arena: Arena): Uint8Array {
    if (!(arena instanceof LargeArena)) this.#lent = arena;
    arena.busy = true;
    return arena.bytes.subarray(arena.end, arena.limit);
  }

  /** Parses `count` bytes that a transport wrote to `target()`. */
  commit(count: number): void {
    const arena = this.#arena;
    if (arena === undefined || !arena.busy) {
      throw new ParserError('ERR_TMUX_TARGET', `commit needs a target() before it: count=${count}`);
    }
    checkInteger('count', count, 0, arena.limit - arena.end);
    this.#enter();
    try {
      this.counters.total[0]! += count;
      arena.end += count;
      this.#run(arena);
    } finally {
      this.#settle(arena);
      this.#busy = false;
    }
    this.#rethrow();
  }

  resync(): void {
    this.#enter();
    this.#abandon();
    this.#busy = false;
    this.#rethrow();
  }

  /** A2: saves the unread bytes; the arena goes to another parser. */
  park(arena: Arena): void {
    const unread = arena.end - arena.pos;
    if (unread > this.#parked.length) this.#parked = new Uint8Array(unread * 2);
    this.#parked.set(arena.bytes.subarray(arena.pos, arena.end));
    this.#parkedLength = unread;
    arena.clear();
    this.#arena = undefined;
  }

  /** After a push: an arena without unread bytes goes back, unless it is lent. */
  #settle(arena: Arena): void {
    if (this.#lent !== undefined) {
      if (arena !== this.#lent && arena.end === arena.base) this.#arena = this.#lent;
      return;
    }
    arena.busy = false;
    if (arena.end === arena.base) {
      arena.owner = undefined;
      this.#arena = undefined;
    }
  }

  /** At the end: every arena goes back. */
  #giveBack(): void {
    for (const arena of [this.#arena, this.#lent]) {
      if (arena === undefined) continue;
      arena.clear();
      arena.busy = false;
      arena.owner = undefined;
    }
    this.#arena = undefined;
    this.#lent = undefined;
  }

  /** Replaces a full arena by a larger one. */
  #grow(arena: Arena): Arena {
    const larger = arena.grown();
    larger.owner = this;
    larger.busy = true;
    this.#arena = larger;
    arena.clear();
    if (arena !== this.#lent) {
      arena.busy = false;
      arena.owner = undefined;
    }
    return larger;
  }

  /** Makes room for more bytes; returns the arena to go on with. */
  #makeRoom(arena: Arena): Arena {
    if (arena.end < arena.limit) return arena;
    if (arena.pos - arena.base < (arena.limit - arena.base) >> 2) return this.#grow(arena);
    arena.slide();
    return arena;
  }

  #enter(): void {
    if (this.#busy) {
      throw new ParserError('ERR_TMUX_REENTRANT', 'a handler must not call its own parser');
    }
    if (this.#ended) throw new ParserError('ERR_TMUX_ENDED', 'the parser has ended');
    this.#busy = true;
  }

  #rethrow(): void {
    if (!this.#failed) return;
    const failure = this.#failure;
    this.#failed = false;
    this.#failure = undefined;
    throw failure;
  }

  /** Keeps the first error for the end of the push; the stream goes on. */
  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = error;
  }

  /** Takes an error that a handler threw. */
  protected handlerFailed(error: unknown): void {
    this.counters.handlerErrors++;
    this.#fail(error);
  }

  #call(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.handlerFailed(error);
    }
  }

  #acquire(): Arena {
    let arena = this.#arena;
    if (arena === undefined) {
      arena = this.#pool.take(this);
      this.#arena = arena;
      if (this.#parkedLength > 0) {
        const parked = this.#parked.subarray(0, this.#parkedLength);
        this.#parkedLength = 0;
        while (arena.limit - arena.end < parked.length) arena = this.#grow(arena);
        arena.bytes.set(parked, arena.end);
        arena.end += parked.length;
      }
    }
    arena.busy = true;
    return arena;
  }

  #feed(chunk: Uint8Array, start: number, end: number): void {
    let arena = this.#acquire();
    try {
      this.#unhold(arena);
      let at = start;
      do {
        arena = this.#makeRoom(arena);
        const count = Math.min(arena.limit - arena.end, end - at);
        arena.bytes.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), arena.end);
        arena.end += count;
        at += count;
        this.#run(arena);
      } while (at < end);
    } finally {
      this.#settle(arena);
    }
  }

  /** Puts the start of a first line that was held back (O1) before the unread bytes (A1). */
  #unhold(arena: Arena): void {
    if (this.#outer.heldBytes === 0) return;
    const { held } = this.#outer;
    arena.pos -= held.length;
    arena.scanned = arena.pos;
    arena.bytes.set(held, arena.pos);
    this.#outer.restart();
  }

  /** Parses what is in the arena as far as whole lines go. */
  #run(arena: Arena): void {
    for (;;) {
      if (!this.#inLines) {
        arena.pos = this.#scanOuter(arena.bytes, arena.pos, arena.end);
        arena.scanned = arena.pos;
        if (!this.#inLines) break;
        this.#unhold(arena);
      }
      if (this.#skipping && !this.#skip(arena)) break;
      if (arena.end - arena.pos > this.#maxLineBytes) {
        if (!this.#limited(arena)) break;
        continue;
      }
      const limit = arena.linesEnd();
      if (limit > arena.pos) this.parseLines(arena, limit);
      if (!this.#inLines) continue;
      if (this.#atTerminator(arena)) {
        arena.pos += 2;
        this.leaveDcs();
        continue;
      }
      break;
    }
    if (arena.scanned < arena.pos) arena.scanned = arena.pos;
    arena.reclaim();
  }

  #atTerminator(arena: Arena): boolean {
    return (
      this.#inDcs &&
      !this.inBlock && // M4
      arena.end - arena.pos >= 2 &&
      arena.bytes[arena.pos] === 0x1b &&
      arena.bytes[arena.pos + 1] === 0x5c
    );
  }

  /** Drops the rest of an overlong line; returns whether its end was found. */
  #skip(arena: Arena): boolean {
    const lineFeed = arena.bytes.indexOf(10, arena.pos);
    const found = lineFeed >= 0 && lineFeed < arena.end;
    arena.pos = found ? lineFeed + 1 : arena.end;
    if (arena.scanned < arena.pos) arena.scanned = arena.pos;
    this.#skipping = !found;
    return found;
  }

  /** Parses one line, checking its length; returns false when the arena holds no whole line any more. */
  #limited(arena: Arena): boolean {
    if (this.#atTerminator(arena)) {
      arena.pos += 2;
      this.leaveDcs();
      return true;
    }
    const found = arena.bytes.indexOf(10, arena.pos);
    const whole = found >= 0 && found < arena.end;
    const limit = this.#maxLineBytes;
    if (whole && found - arena.pos <= limit) {
      this.parseLines(arena, found + 1);
      return true;
    }
    this.counters.overlongLines++;
    if (this.#limitPolicy === 'truncate') {
      const cut = arena.pos + limit;
      arena.bytes[cut] = 10;
      this.parseLines(arena, cut + 1);
    } else if (this.#limitPolicy === 'error') {
      this.#fail(
        new ParserError('ERR_TMUX_LINE_LIMIT', `a line is longer than maxLineBytes=${limit}`),
      );
    }
    arena.pos = whole ? found + 1 : arena.end;
    arena.scanned = arena.pos;
    this.#skipping = !whole;
    return whole;
  }

  #scanOuter(bytes: Uint8Array, start: number, end: number): number {
    const found = this.#outer.scan(bytes, start, end);
    if (found === 'nothing') return end;
    this.#inLines = true;
    this.eolKnown = false;
    this.stripCr = true;
    if (found === 'dcs') {
      this.#inDcs = true;
      this.#outer.restart();
      this.#call(() => this.handler.enter?.());
    }
    return this.#outer.stopped;
  }

  /** M4: control mode is over, text follows. */
  protected leaveDcs(): void {
    this.#inDcs = false;
    this.#inLines = false;
    this.#outer.restart();
    this.#call(() => this.handler.leave?.());
  }

  /** Whether `ESC \` at the start of a line outside of a reply ends control mode (M4). */
  protected get insideDcs(): boolean {
    return this.#inDcs;
  }

  #abandon(): void {
    if (!this.inBlock) return;
    const guard = this.#guard!;
    this.inBlock = false;
    this.#guard = undefined;
    this.counters.abandonedBlocks++;
    this.#call(() => this.handler.abandon?.(guard));
  }

  /** Handles any line that the engine didn't; `end` stands on the LF. May throw what the handler throws. */
  protected line(bytes: Uint8Array, start: number, end: number): void {
    const carriageReturn = this.stripCr && end > start && bytes[end - 1] === 13;
    const last = carriageReturn ? end - 1 : end; // M6
    if (this.inBlock) {
      this.#blockLine(bytes, start, last);
      return;
    }
    if (last - start < 2 || bytes[start] !== 0x25) {
      this.unknownLine(bytes, start, last, 'stray');
    } else if (startsWith(bytes, start, last, BEGIN)) {
      if (isGuardText(bytes, start + 7, last))
        this.beginBlock(bytes, start + 7, last, carriageReturn);
      else this.unknownLine(bytes, start, last, 'malformed');
    } else if (startsWith(bytes, start, last, OUTPUT)) {
      this.#output(bytes, start, last, start + 9, false);
    } else if (startsWith(bytes, start, last, EXTENDED)) {
      this.#output(bytes, start, last, start + 18, true);
    } else if (startsWith(bytes, start, last, EXIT) && this.#exit(bytes, start, last)) {
      return;
    } else {
      this.#notification(bytes, start, last);
    }
  }

  #exit(bytes: Uint8Array, start: number, end: number): boolean {
    if (end > start + 5 && bytes[start + 5] !== 0x20) return false;
    this.handler.exit?.(text.decode(bytes.subarray(Math.min(start + 6, end), end)));
    return true;
  }

  #notification(bytes: Uint8Array, start: number, end: number): void {
    const line = text.decode(bytes.subarray(start, end));
    // A guard that closes nothing: joined in the middle of a reply, or a job's own words.
    const isGuard = startsWith(bytes, start, end, END) || startsWith(bytes, start, end, ERROR);
    const result = isGuard ? 'stray' : parseNotification(line);
    if (typeof result === 'string') this.unknownLine(bytes, start, end, result);
    else this.handler.notification?.(result);
  }

  protected unknownLine(
    bytes: Uint8Array,
    start: number,
    end: number,
    reason: UnknownReason,
  ): void {
    const { counters } = this;
    if (reason === 'stray') counters.strayLines++;
    else if (reason === 'unknown') counters.unknownLines++;
    else if (reason === 'malformed') counters.malformedLines++;
    this.handler.unknown?.(bytes, start, end, reason);
  }

  /** The general form of an output line; `at` stands behind the `%` of the pane. */
  #output(bytes: Uint8Array, start: number, end: number, at: number, extended: boolean): void {
    let index = at;
    let pane = 0;
    while (index < end && index < at + 10 && bytes[index]! >= 0x30 && bytes[index]! <= 0x39) {
      pane = pane * 10 + bytes[index++]! - 0x30;
    }
    let valid = index > at && pane <= 0xffffffff && index < end && bytes[index++] === 0x20;
    let ageMs = -1;
    if (valid && extended) {
      const from = index;
      ageMs = 0;
      while (index < end && index < from + 15 && bytes[index]! >= 0x30 && bytes[index]! <= 0x39) {
        ageMs = ageMs * 10 + bytes[index++]! - 0x30;
      }
      valid = index > from && bytes[index] === 0x20;
      // Fields that tmux may add stand before the first " : ".
      while (
        index + 2 < end &&
        (bytes[index] !== 0x20 || bytes[index + 1] !== 0x3a || bytes[index + 2] !== 0x20)
      ) {
        index++;
      }
      valid &&= index + 2 < end;
      index += 3;
    }
    if (!valid) this.unknownLine(bytes, start, end, 'malformed');
    else this.deliverOutput(pane, ageMs, bytes, index, end);
  }

  /** Hands an output line on as the handler wants it; decodes in place if at all. */
  protected deliverOutput(
    pane: number,
    ageMs: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { handler } = this;
    if (handler.filter !== undefined && !handler.filter(pane)) {
      this.counters.filteredLines++;
    } else if (handler.rawOutput !== undefined) {
      handler.rawOutput(pane, ageMs, bytes, start, end);
    } else if (ageMs >= 0 && handler.extendedOutput !== undefined) {
      const last = this.decode(bytes, start, end);
      handler.extendedOutput(pane, ageMs, bytes, this.decodedStart, last);
    } else if (handler.output !== undefined) {
      const last = this.decode(bytes, start, end);
      handler.output(pane, bytes, this.decodedStart, last);
    }
  }

  /** Where the last `decode` put its first byte. */
  protected decodedStart = 0;

  /** Decodes a payload whose line is spent; returns the end. Engines have faster ways. */
  protected decode(bytes: Uint8Array, start: number, end: number): number {
    this.decodedStart = start;
    return decodeInto(bytes, start, end, bytes, start);
  }

  /** Opens the reply whose guard's fields are `bytes[start, end)`, valid by G1. */
  protected beginBlock(
    bytes: Uint8Array,
    start: number,
    end: number,
    carriageReturn: boolean,
  ): void {
    if (!this.eolKnown) {
      this.eolKnown = true;
      this.stripCr = carriageReturn; // M6
    }
    this.guardLength = end - start;
    for (let index = start; index < end; index++) this.guardText[index - start] = bytes[index]!;
    this.inBlock = true;
    this.#blockBytes = 0;
    const guard = new Guard(bytes, start, end);
    this.#guard = guard;
    this.handler.begin?.(guard);
  }

  /** Returns whether `bytes[start, end)` is `word` and then the text of the open guard (M3). */
  #closes(bytes: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
    const length = this.guardLength;
    if (end - start !== word.length + length || !startsWith(bytes, start, end, word)) return false;
    const from = start + word.length;
    for (let index = 0; index < length; index++) {
      if (bytes[from + index] !== this.guardText[index]) return false;
    }
    return true;
  }

  #blockLine(bytes: Uint8Array, start: number, end: number): void {
    if (this.#closes(bytes, start, end, END)) {
      this.closeBlock(false);
      return;
    }
    if (this.#closes(bytes, start, end, ERROR)) {
      this.closeBlock(true);
      return;
    }
    if (this.gluedGuards) {
      for (const word of [END, ERROR]) {
        const from = end - word.length - this.guardLength;
        if (from > start && this.#closes(bytes, from, end, word)) {
          this.#call(() => this.replyLine(bytes, start, from));
          this.closeBlock(word === ERROR);
          return;
        }
      }
    }
    this.replyLine(bytes, start, end);
  }

  /** Delivers a line of the open reply that isn't its end; `end` stands before the line's end. */
  protected replyLine(bytes: Uint8Array, start: number, end: number): void {
    const guard = this.#guard!;
    this.#blockBytes += end - start + 1;
    if (this.#blockBytes > this.#maxBlockBytes) {
      if (guard.truncated) return;
      guard.truncated = true;
      this.counters.overlongBlocks++;
      if (this.#limitPolicy !== 'error') return;
      this.#fail(
        new ParserError(
          'ERR_TMUX_BLOCK_LIMIT',
          `the reply ${guard.text} is longer than maxBlockBytes=${this.#maxBlockBytes}`,
        ),
      );
      return;
    }
    this.handler.replyLine?.(bytes, start, end);
  }

  /** Closes the open reply. */
  protected closeBlock(failed: boolean): void {
    const guard = this.#guard!;
    this.inBlock = false;
    this.#guard = undefined;
    if (failed) this.handler.error?.(guard);
    else this.handler.end?.(guard);
  }
}
