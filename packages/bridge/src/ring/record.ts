/**
 * How records and events travel through the ring between worker and session.
 *
 * ```text
 * output (kind 0)   0        4         8           16            24
 *                   +--------+---------+-----------+-------------+---------------
 *                   | pane   | read    | read at   | parsed at   | bytes, decoded
 *                   | u32    | u32     | f64       | f64         |
 *                   +--------+---------+-----------+-------------+---------------
 * event (kind 1)    | last   | read    | part of the event: form u32, JSON; of a reply its guard as JSON, its body
 *                   +--------+---------+---------------
 * form: bytes of the JSON * 8, + 1 for a reply, + 2 for one that is ok, + 4 for one that was truncated
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

const formReply = 1;
const formOk = 2;
const formTruncated = 4;

/**
 * Returns an event as bytes.
 *
 * JSON rather than `v8.serialize`: that makes a native object a call, which the collector must finalise one by one. A
 * stream with many replies then stops its thread for milliseconds at a time. A reply, the only event that comes often, makes
 * no object but its bytes and its guard's text.
 */
export function encodeEvent(event: StreamEvent): Uint8Array {
  const isReply = event.type === 'reply';
  const text = isReply
    ? JSON.stringify(event.guard)
    : JSON.stringify(event, event.type === 'ended' ? textOf : undefined);
  const textBytes = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(4 + textBytes + (isReply ? event.body.length : 0));
  let form = textBytes * 8;
  if (isReply) {
    form += formReply + (event.ok ? formOk : 0) + (event.truncated ? formTruncated : 0);
    bytes.set(event.body, 4 + textBytes);
  }
  bytes.writeUInt32LE(form, 0);
  bytes.write(text, 4);
  return bytes;
}

/** Returns the event that `encodeEvent` made bytes of; a reply's body is a part of them. */
export function decodeEvent(bytes: Uint8Array): StreamEvent {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const form = view.readUInt32LE(0);
  const textEnd = 4 + (form >>> 3);
  const value: unknown = JSON.parse(view.toString('utf8', 4, textEnd));
  if ((form & formReply) !== 0) {
    const body = new Uint8Array(view.buffer, view.byteOffset + textEnd, view.length - textEnd);
    const ok = (form & formOk) !== 0;
    const truncated = (form & formTruncated) !== 0;
    return { type: 'reply', guard: value as string, ok, body, truncated };
  }
  const event = value as StreamEvent;
  if (event.type !== 'ended' || event.exit.cause === undefined) return event;
  const { message, stack, code } = event.exit.cause as NodeJS.ErrnoException;
  const cause = Object.assign(new Error(message), { code, stack });
  return { type: 'ended', exit: { ...event.exit, cause } };
}
