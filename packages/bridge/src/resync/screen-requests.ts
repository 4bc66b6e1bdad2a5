/**
 * Sends lines of several commands between the session's single ones, and hands over all replies of a line at once.
 *
 * ```text
 * sent   command · line of 4 · command        FIFO: one entry a line, undefined for the session's own
 * back   reply   · r r r r   · reply
 * ```
 *
 * Q1: tmux replies in the order of the lines; only replies with the client's flag consume an entry.
 * Q2: a line of n commands gets n replies, or fewer of which the last failed.
 * Q3: `replied` is called inside `reply`, so before anything that follows in the stream.
 */
import type { ReplyEvent } from '../parse/records.ts';

/** Takes the lines of all replies, or undefined if tmux refused a command or a reply was cut. */
export type Replied = (replies: readonly (readonly string[])[] | undefined) => void;

interface Request {
  readonly count: number;
  readonly replies: (readonly string[])[];
  readonly replied: Replied;
  /** A reply was larger than the session keeps. */
  cut: boolean;
}

const linesOf = (body: Uint8Array): string[] => {
  const lines = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString('utf8')
    .split('\n');
  lines.pop(); // each line is ended by LF
  return lines;
};

/** Whether a guard, as text, is that of a command of ours: bit 0 of its third field. */
const fromClient = (guard: string): boolean => (Number(guard.split(' ')[2]) & 1) === 1;

/** The order of lines and their replies. */
export class ScreenRequests {
  readonly #write: (line: string) => void;
  readonly #order: (Request | undefined)[] = [];

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Sends a single command of the session's own, whose reply goes elsewhere. */
  pass(line: string): void {
    this.#order.push(undefined);
    this.#write(line);
  }

  /** Sends a line of `count` commands. */
  ask(line: string, count: number, replied: Replied): void {
    this.#order.push({ count, replies: [], replied, cut: false });
    this.#write(line);
  }

  /** Takes a reply; returns false if it isn't to a line of `ask`. */
  reply(event: ReplyEvent): boolean {
    if (!fromClient(event.guard)) return false; // Q1
    const request = this.#order[0];
    if (request === undefined) {
      this.#order.shift();
      return false;
    }
    request.replies.push(linesOf(event.body));
    request.cut ||= event.truncated;
    if (event.ok && request.replies.length < request.count) return true; // Q2
    this.#order.shift();
    request.replied(event.ok && !request.cut ? request.replies : undefined); // Q3
    return true;
  }
}
