/**
 * How records and events travel through the ring between worker and session.
 *
 * ```text
 * output (kind 0)   0        4         8           16            24
 *                   +--------+---------+-----------+-------------+---------------
 *                   | pane   | read    | read at   | parsed at   | bytes, decoded
 *                   | u32    | u32     | f64       | f64         |
 *                   +--------+---------+-----------+-------------+---------------
 * event (kind 1)    | last   | read    | part of the event: text length u32, JSON, a reply's body
 *                   +--------+---------+---------------
 * read: bytes read from tmux since the record before, for statistics
 * ```
 *
 * Records begin at multiples of 8, so that the stamps are written and read in place as doubles. An event that is
 * larger than a quarter of the ring comes in several records, the last one marked; output of a pane may be cut
 * anywhere, so a large piece simply becomes several.
 *
 * N1: records leave in the order in which they were put in, so replies and output keep tmux's order.
 */
import type { StreamEvent } from '../parse/records.ts';

export const kindOutput = 0;
export const kindEvent = 1;
export const outputHeaderBytes = 24;
export const eventHeaderBytes = 8;

/** Largest piece of a record's payload for a ring of this capacity (bytes). */
export const pieceBytesMax = (capacity: number): number => capacity >> 2;

/** Words and doubles over a ring's bytes. */
export interface RingViews {
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
}

/** Returns views for reading and writing headers in place; `bytes` begins at a multiple of 8. */
export function viewsOf(bytes: Uint8Array): RingViews {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    words: new Uint32Array(buffer, byteOffset, byteLength >> 2),
    doubles: new Float64Array(buffer, byteOffset, byteLength >> 3),
  };
}

/** An error as text: its own properties don't survive, what the session judges by does. */
const textOf = (key: string, value: unknown): unknown => {
  if (key !== 'cause' || !(value instanceof Error)) return value;
  const { message, stack } = value;
  return { message, stack, code: (value as NodeJS.ErrnoException).code };
};

/**
 * Returns an event as bytes.
 *
 * JSON rather than `v8.serialize`: that makes a native object a call, which the collector must finalise one by one. A
 * stream with many replies then stops its thread for milliseconds at a time.
 */
export function encodeEvent(event: StreamEvent): Uint8Array {
  const isReply = event.type === 'reply';
  const text = isReply
    ? JSON.stringify({ ...event, body: undefined })
    : JSON.stringify(event, event.type === 'ended' ? textOf : undefined);
  const textBytes = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(4 + textBytes + (isReply ? event.body.length : 0));
  bytes.writeUInt32LE(textBytes, 0);
  bytes.write(text, 4);
  if (isReply) bytes.set(event.body, 4 + textBytes);
  return bytes;
}

/** Returns the event that `encodeEvent` made bytes of; a reply's body is a part of them. */
export function decodeEvent(bytes: Uint8Array): StreamEvent {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = 4 + view.readUInt32LE(0);
  const event = JSON.parse(view.toString('utf8', 4, end)) as StreamEvent;
  if (event.type === 'reply') {
    return {
      ...event,
      body: new Uint8Array(view.buffer, view.byteOffset + end, view.length - end),
    };
  }
  if (event.type !== 'ended' || event.exit.cause === undefined) return event;
  const { message, stack, code } = event.exit.cause as NodeJS.ErrnoException;
  const cause = Object.assign(new Error(message), { code, stack });
  return { type: 'ended', exit: { ...event.exit, cause } };
}
