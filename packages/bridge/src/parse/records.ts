/**
 * What the parse station hands to the next one: output of panes, and events, in the order of the stream.
 *
 * Output is borrowed bytes and numbers, nothing allocated. Events are rare and plain data, so that they can
 * be cloned into another thread.
 */
import type { Notification } from '@millrace/tmux-proto';
import type { TransportExit } from '../receive/transport.ts';

/** The complete reply to one command. */
export interface ReplyEvent {
  readonly type: 'reply';
  /** The fields of the guards round it. */
  readonly guard: string;
  /** False if tmux answered with `%error`, or if the reply was cut off. */
  readonly ok: boolean;
  /** The reply's lines, each ended by LF, as tmux sent them. */
  readonly body: Uint8Array;
  /** True if lines were left out because the reply was larger than the limit. */
  readonly truncated: boolean;
}

/** Anything else that tmux said, or that happened to the connection. */
export type StreamEvent =
  | ReplyEvent
  | { readonly type: 'notification'; readonly notification: Notification }
  | { readonly type: 'exit'; readonly reason: string }
  /** Output of a pane is so much older now when tmux sends it, in steps (ms). */
  | { readonly type: 'age'; readonly pane: number; readonly ageMs: number }
  /** A line that is no protocol: text of a failed start, output of hooks. At most 512 bytes of it. */
  | { readonly type: 'stray'; readonly text: string }
  /** The recording broke off; the connection goes on. */
  | { readonly type: 'recording-failed'; readonly message: string; readonly cause: string }
  /** The last event: nothing more will come. */
  | { readonly type: 'ended'; readonly exit: TransportExit };

/** Takes records and events in the order of the stream. */
export interface RecordTarget {
  /**
   * Takes output of a pane.
   *
   * @param pane - number of the pane
   * @param bytes - borrowed until the call returns
   * @param start - first byte (included)
   * @param end - end (excluded)
   * @param readAt - when the bytes were read, or were due (nanoseconds of the session's clock)
   * @param parsedAt - when the parser had the record (nanoseconds of the session's clock)
   */
  output(
    pane: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    readAt: number,
    parsedAt: number,
  ): void;
  /** Takes an event. */
  event(event: StreamEvent): void;
  /** Learns that the read's bytes are all handed over. */
  readEnd(): void;
}
