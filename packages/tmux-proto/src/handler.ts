/** What the parser tells, and how it may be set up. */
import type { Guard } from './guard.ts';
import type { Notification } from './notifications.ts';

/** Why a line is no event of the protocol. */
export type UnknownReason =
  /** No `%` at the start, an empty line, or a guard that closes nothing. */
  | 'stray'
  /** `%name` that isn't in the table: a newer tmux, or a forged line. */
  | 'unknown'
  /** A known name whose arguments don't fit. */
  | 'malformed'
  /** The stream ended inside this line. */
  | 'partial';

/**
 * Receives what the parser finds. Every method is optional; what no method asks for costs nothing.
 *
 * **Borrowed bytes.** `bytes` belongs to the parser. The range `[start, end)` is valid until the method
 * returns and must not be written; everything outside the range is undefined. Copy what you keep.
 * The option `debug` finds violations.
 *
 * **Throwing.** A method that throws loses no other event: the chunk is parsed to its end, then `push`
 * throws the first error. Methods must not call `push`, `end` or `resync` of the same parser; other
 * parsers are free to use.
 */
export interface ControlHandler {
  /**
   * Receives what a program wrote to its pane, decoded. UTF-8 characters may be split between calls.
   * @param pane - number of the pane (the `1` of `%1`)
   * @param bytes - borrowed
   * @param start - first byte (included)
   * @param end - end (excluded); may equal `start`
   */
  output?(pane: number, bytes: Uint8Array, start: number, end: number): void;
  /**
   * Receives output of a client with `pause-after` set; `output` is called instead if this is absent.
   * @param pane - number of the pane
   * @param ageMs - time that tmux queued it (milliseconds)
   * @param bytes - borrowed
   * @param start - first byte (included)
   * @param end - end (excluded)
   */
  extendedOutput?(pane: number, ageMs: number, bytes: Uint8Array, start: number, end: number): void;
  /**
   * Receives output as it is on the wire, escaped, instead of `output` and `extendedOutput`: nothing is
   * decoded. See `decodedLength` and `decodeInto`.
   * @param pane - number of the pane
   * @param ageMs - time that tmux queued it (milliseconds), -1 for `%output`
   * @param bytes - borrowed
   * @param start - first byte (included)
   * @param end - end (excluded)
   */
  rawOutput?(pane: number, ageMs: number, bytes: Uint8Array, start: number, end: number): void;
  /**
   * Decides, before anything is decoded, whether output of a pane is wanted.
   * @param pane - number of the pane
   * @returns false to skip the line (counted in `filteredLines`)
   */
  filter?(pane: number): boolean;
  /**
   * Tells that a reply begins.
   * @param guard - the fields of `%begin`; owned by the caller from now on
   */
  begin?(guard: Guard): void;
  /**
   * Receives one line of a reply, without its end, not escaped by tmux: any bytes but NUL and LF.
   * @param bytes - borrowed
   * @param start - first byte (included)
   * @param end - end (excluded)
   */
  replyLine?(bytes: Uint8Array, start: number, end: number): void;
  /**
   * Tells that the reply is complete and the command succeeded.
   * @param guard - the object that `begin` received
   */
  end?(guard: Guard): void;
  /**
   * Tells that the reply is complete and the command failed; its lines say why.
   * @param guard - the object that `begin` received
   */
  error?(guard: Guard): void;
  /**
   * Tells that a reply will never be completed: the stream ended or `resync` was called.
   * @param guard - the object that `begin` received
   */
  abandon?(guard: Guard): void;
  /**
   * Receives every other notification of tmux 1.8 to 3.8.
   * @param notification - owned by the caller
   */
  notification?(notification: Notification): void;
  /**
   * Tells of `%exit`. Text from panes can't forge it but hooks and names can: trust it together with the
   * end of the stream or `leave`.
   * @param reason - empty if tmux gave none
   */
  exit?(reason: string): void;
  /**
   * Receives a line that is no event of the protocol. Never fatal.
   * @param bytes - borrowed
   * @param start - first byte (included)
   * @param end - end (excluded)
   * @param reason - which kind
   */
  unknown?(bytes: Uint8Array, start: number, end: number, reason: UnknownReason): void;
  /** Tells that `ESC P 1000 p` was seen: control mode of `tmux -CC` begins. */
  enter?(): void;
  /** Tells that `ESC \` ended control mode of `tmux -CC`. */
  leave?(): void;
  /**
   * Receives what is outside of `-CC` control mode: the shell's own output, as is.
   * @param bytes - borrowed
   * @param start - first byte (included)
   * @param end - end (excluded)
   */
  passthrough?(bytes: Uint8Array, start: number, end: number): void;
}

/** What happens to a line or a reply over its limit. The stream always goes on behind it. */
export type LimitPolicy = 'error' | 'truncate' | 'skip';

/** Options of the parser. */
export interface ParserOptions {
  /**
   * How control mode is wrapped: `lines` for `tmux -C` (nothing round it), `dcs` for `tmux -CC` in a
   * terminal stream, `auto` finds out: passes text through until the DCS or a first line of the protocol.
   * @defaultValue `'auto'`
   */
  readonly framing?: 'auto' | 'lines' | 'dcs';
  /**
   * Accepts `text%end T N F` as the end of a reply whose last line has no line feed: tmux up to 3.1c does
   * that for `show-buffer`.
   * @defaultValue false
   */
  readonly gluedGuards?: boolean;
  /**
   * Longest line (bytes without LF), at least 1024.
   * @defaultValue 16 MiB
   */
  readonly maxLineBytes?: number;
  /**
   * Longest reply (bytes of its lines, each with its end).
   * @defaultValue `Number.MAX_SAFE_INTEGER`: replies are streamed, not kept
   */
  readonly maxBlockBytes?: number;
  /**
   * What happens over a limit. `truncate` delivers what fits, `skip` drops the whole line (of a reply: the
   * rest), `error` is `skip` and `push` throws a {@link ParserError}. All are counted.
   * @defaultValue `'error'`
   */
  readonly limitPolicy?: LimitPolicy;
  /**
   * Hands out copies that are overwritten with 0xDB when the handler returns, and throws
   * `ERR_TMUX_BORROW` when a handler has written to them. Slow: for tests.
   * @defaultValue false
   */
  readonly debug?: boolean;
}

/** Counts of what was irregular. Live object: read it at any time. */
export interface ParserCounters {
  /** Bytes pushed. */
  readonly bytes: number;
  /** Lines reported as `stray`. */
  readonly strayLines: number;
  /** Lines reported as `unknown`. */
  readonly unknownLines: number;
  /** Lines reported as `malformed`. */
  readonly malformedLines: number;
  /** Output lines that `filter` refused. */
  readonly filteredLines: number;
  /** Lines over `maxLineBytes`. */
  readonly overlongLines: number;
  /** Replies over `maxBlockBytes`. */
  readonly overlongBlocks: number;
  /** Replies that were never completed. */
  readonly abandonedBlocks: number;
  /** Errors thrown by the handler. */
  readonly handlerErrors: number;
}
