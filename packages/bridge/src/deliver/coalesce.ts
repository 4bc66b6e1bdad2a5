/**
 * How records of one pane become one write: a growing byte buffer with the stamps of its oldest record.
 *
 * ```text
 * bytes   +---------+--------------+----+- - - - - - -+
 *         | record  | record       | …  |   unused    |   readAt, queuedAt: of the first record
 *         +---------+--------------+----+- - - - - - -+
 *         0                             length          bytes.length
 * ```
 *
 * The outbox and its batcher own the buffers and reuse them, so a pane at rest costs nothing per record; one that a
 * flood made large is given back when it has been delivered.
 */
import type { Merge } from '@millrace/batcher';
import { copyRange } from '../parse/copy-range.ts';

const bytesInitial = 4096;
const bytesKept = 1 << 18;

/** A record on its way into a buffer; one object per pipe, filled anew for each record. */
export interface OutputRange {
  bytes: Uint8Array;
  start: number;
  end: number;
  readAt: number;
  queuedAt: number;
}

/** Records of one pane, joined. */
export interface JoinedOutput {
  bytes: Uint8Array;
  length: number;
  /** When the oldest record was read (nanoseconds of the session's clock). */
  readAt: number;
  /** When the oldest record entered the pipe. */
  queuedAt: number;
}

/** Returns a buffer for the records of a pane. */
export const createJoined = (): JoinedOutput => ({
  bytes: new Uint8Array(bytesInitial),
  length: 0,
  readAt: 0,
  queuedAt: 0,
});

/** Adds a record. */
export function appendRecord(joined: JoinedOutput, range: OutputRange): void {
  const length = joined.length + range.end - range.start;
  if (length > joined.bytes.length) {
    const grown = new Uint8Array(Math.max(length, joined.bytes.length * 2));
    grown.set(joined.bytes.subarray(0, joined.length));
    joined.bytes = grown;
  }
  if (joined.length === 0) {
    joined.readAt = range.readAt;
    joined.queuedAt = range.queuedAt;
  }
  copyRange(range.bytes, range.start, range.end, joined.bytes, joined.length);
  joined.length = length;
}

/** Forgets the records; gives a large buffer back. */
export function clearJoined(joined: JoinedOutput): void {
  joined.length = 0;
  if (joined.bytes.length > bytesKept) joined.bytes = new Uint8Array(bytesInitial);
}

/** Joins the records of a pane in their order. */
export const joinOutput: Merge<OutputRange, number, JoinedOutput> = {
  create: createJoined,
  append: appendRecord,
  clear: clearJoined,
  weigh: (range) => range.end - range.start,
};
