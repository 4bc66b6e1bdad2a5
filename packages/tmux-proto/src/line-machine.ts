/**
 * What a line means: replies, output in its general form, notifications, and what fits no grammar.
 *
 * Called for every line that an engine's fast path doesn't take; an engine may hand over what it knows already
 * (`beginBlock`, `closeBlock`, `replyLine`). Invariants M2, M3 and M6 of machine.ts live here.
 *
 * Cost: no allocation for a reply's line; one object for a reply; one and its strings for a notification.
 */
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

/** State of the lines, and what each means. */
export abstract class LineMachine {
  readonly counters: Counters = new Counters();
  protected readonly handler: ControlHandler;
  /** Whether output is to be decoded at once, with no filter in front: the engine may take its fast path. */
  protected readonly eager: boolean;
  protected readonly gluedGuards: boolean;
  protected readonly limitPolicy: LimitPolicy;
  protected inBlock = false;
  protected stripCr = true; // M6
  protected eolKnown = false;
  protected readonly guardText: Uint8Array = new Uint8Array(GUARD_BYTES_MAX);
  protected guardLength = 0;
  /** Where the last `decode` put its first byte. */
  protected decodedStart = 0;
  #guard: Guard | undefined;
  #blockBytes = 0;
  #failed = false;
  #failure: unknown;
  readonly #maxBlockBytes: number;

  constructor(handler: ControlHandler, options: ParserOptions) {
    this.handler = handler;
    this.eager =
      handler.output !== undefined &&
      handler.rawOutput === undefined &&
      handler.filter === undefined;
    this.gluedGuards = options.gluedGuards ?? false;
    this.limitPolicy = options.limitPolicy ?? 'error';
    this.#maxBlockBytes = checkInteger(
      'maxBlockBytes',
      options.maxBlockBytes ?? Number.MAX_SAFE_INTEGER,
      0,
    );
  }

  get insideBlock(): boolean {
    return this.inBlock;
  }

  /** Keeps the first error for the end of the push; the stream goes on. */
  protected fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = error;
  }

  /** Takes an error that a handler threw. */
  protected handlerFailed(error: unknown): void {
    this.counters.handlerErrors++;
    this.fail(error);
  }

  /** Throws the error that was kept, if any. */
  protected rethrow(): void {
    if (!this.#failed) return;
    const failure = this.#failure;
    this.#failed = false;
    this.#failure = undefined;
    throw failure;
  }

  /** Delivers a rare event; keeps what the handler throws. */
  protected call(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.handlerFailed(error);
    }
  }

  /** Gives up the open reply, if any. */
  protected abandon(): void {
    if (!this.inBlock) return;
    const guard = this.#guard!;
    this.inBlock = false;
    this.#guard = undefined;
    this.counters.abandonedBlocks++;
    this.call(() => this.handler.abandon?.(guard));
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
          this.call(() => this.replyLine(bytes, start, from));
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
      if (this.limitPolicy !== 'error') return;
      this.fail(
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
