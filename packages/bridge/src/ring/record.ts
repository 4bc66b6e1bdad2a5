/**
 * How records and events travel through the ring between worker and session.
 *
 * ```text
 * output (kind 0)   0        4         8           16            24
 *                   +--------+---------+-----------+-------------+---------------
 *                   | pane   | read    | read at   | parsed at   | bytes, decoded
 *                   | u32    | u32     | f64       | f64         |
 *                   +--------+---------+-----------+-------------+---------------
 * event (kind 1)    | last   | read    | part of the event, serialised
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
import { deserialize, serialize } from 'node:v8';
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

/** Returns an event as bytes. */
export const encodeEvent = (event: StreamEvent): Uint8Array => {
  if (event.type !== 'ended' || !(event.exit.cause instanceof Error)) return serialize(event);
  // An error's own properties don't survive; what the session judges by does.
  const { message, stack } = event.exit.cause;
  const { code } = event.exit.cause as NodeJS.ErrnoException;
  return serialize({ ...event, exit: { ...event.exit, cause: { message, stack, code } } });
};

/** Returns the event that `encodeEvent` made bytes of. */
export const decodeEvent = (bytes: Uint8Array): StreamEvent => {
  const event = deserialize(bytes) as StreamEvent;
  if (event.type !== 'ended' || event.exit.cause === undefined) return event;
  const { message, stack, code } = event.exit.cause as NodeJS.ErrnoException;
  const cause = Object.assign(new Error(message), { code, stack });
  return { type: 'ended', exit: { ...event.exit, cause } };
};
