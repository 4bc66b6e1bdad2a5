/**
 * The worker's end of the ring: takes what the parse station hands over and puts it into shared memory.
 *
 * The parser can't be stopped in the middle of a read. What doesn't fit into a full ring is therefore copied
 * aside, the transport is paused, and once there is room the copies go first. Aside is at most what two reads
 * hold: the one being parsed, and one that was under way when the transport was paused.
 *
 * The waits between this end and `RingReader` are proved for every interleaving by `test/interleave/ring-waits`.
 *
 * W1: nothing overtakes what was put aside.
 * W2: while something is aside, the transport is paused.
 *
 * Cost: one claim, one copy and four stores a record, no allocation while the ring has room. Records become
 * visible at the end of the read, or earlier when 16 KiB have gathered.
 */
import type { RingProducer } from '@millrace/ringbuffer';
import { copyRange } from '../parse/copy-range.ts';
import type { RecordTarget, StreamEvent } from '../parse/records.ts';
import {
  encodeEvent,
  eventHeaderBytes,
  kindEvent,
  kindOutput,
  outputHeaderBytes,
  pieceBytesMax,
  type RingViews,
  viewsOf,
} from './record.ts';

/** A record that found no room. */
interface Aside {
  readonly kind: 0 | 1;
  /** The pane, or for an event whether this is its last part. */
  readonly word: number;
  readonly readAt: number;
  readonly parsedAt: number;
  readonly bytes: Uint8Array;
}

/** What the writer stops while there is no room. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Puts records and events into a ring. */
export class RingWriter implements RecordTarget {
  readonly #producer: RingProducer;
  readonly #views: RingViews;
  readonly #pieceBytes: number;
  #source: Pausable | undefined;
  #aside: Aside[] = [];
  #settling = false;
  /** Bytes read that no record has told of. */
  #read = 0;

  constructor(producer: RingProducer) {
    this.#producer = producer;
    this.#views = viewsOf(producer.bytes);
    this.#pieceBytes = pieceBytesMax(producer.capacity);
  }

  /** Says what to pause while the ring is full. */
  control(source: Pausable): void {
    this.#source = source;
  }

  /** Learns that bytes were read, before the records that are found in them. */
  received(bytes: number): void {
    this.#read += bytes;
  }

  output(
    pane: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    readAt: number,
    parsedAt: number,
  ): void {
    // mutant-ok index-off-by-one: an empty piece more delivers nothing
    for (let from = start; from < end; from += this.#pieceBytes) {
      const to = Math.min(end, from + this.#pieceBytes);
      // mutant-ok skip-condition, index-off-by-one: all would go aside first, which is slower and in order
      if (this.#aside.length > 0 || !this.#putOutput(pane, bytes, from, to, readAt, parsedAt)) {
        const copy = bytes.slice(from, to);
        this.#aside.push({ kind: kindOutput, word: pane, readAt, parsedAt, bytes: copy }); // W1
      }
    }
  }

  event(event: StreamEvent): void {
    const bytes = encodeEvent(event);
    // mutant-ok index-off-by-one: matters for events of whole pieces only; `ring-writer.internal` sends those
    for (let from = 0; from < bytes.length; from += this.#pieceBytes) {
      const part = bytes.subarray(from, from + this.#pieceBytes);
      const word = from + part.length === bytes.length ? 1 : 0;
      // mutant-ok skip-condition, index-off-by-one: as for output
      if (this.#aside.length > 0 || !this.#putEvent(word, part)) {
        this.#aside.push({ kind: kindEvent, word, readAt: 0, parsedAt: 0, bytes: part });
      }
    }
  }

  readEnd(): void {
    this.#producer.flush();
    // mutant-ok skip-condition, index-off-by-one: to settle nothing is to pause and to resume
    if (this.#aside.length > 0 && !this.#settling) {
      this.#source?.pause(); // W2
      this.#settling = true;
      this.#settle().catch(() => {});
    }
  }

  #putOutput(
    pane: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    readAt: number,
    parsedAt: number,
  ): boolean {
    const at = this.#producer.claim(outputHeaderBytes + end - start, kindOutput);
    // mutant-ok index-off-by-one: a record begins behind its header, never at 0
    // mutant-deep drop-recheck: takes a third record
    if (at < 0) return false;
    const { words, doubles } = this.#views;
    words[at >> 2] = pane;
    this.#tellRead(at);
    // mutant-ok swap-statements: all of a record is published together
    doubles[(at >> 3) + 1] = readAt;
    doubles[(at >> 3) + 2] = parsedAt;
    copyRange(bytes, start, end, this.#producer.bytes, at + outputHeaderBytes);
    this.#producer.commit();
    return true;
  }

  #putEvent(last: number, part: Uint8Array): boolean {
    const at = this.#producer.claim(eventHeaderBytes + part.length, kindEvent);
    // mutant-ok index-off-by-one: as for output
    if (at < 0) return false;
    this.#views.words[at >> 2] = last;
    this.#tellRead(at);
    this.#producer.bytes.set(part, at + eventHeaderBytes);
    this.#producer.commit();
    return true;
  }

  #tellRead(at: number): void {
    // mutant-ok drop-store: a statistic, looked at by `ring-writer.internal`
    this.#views.words[(at >> 2) + 1] = this.#read;
    this.#read = 0;
  }

  /** Puts in what is aside, as room comes, then lets the transport go on. */
  async #settle(): Promise<void> {
    while (this.#aside.length > 0) {
      const { kind, word, readAt, parsedAt, bytes } = this.#aside[0]!;
      const put =
        kind === kindEvent
          ? this.#putEvent(word, bytes)
          : this.#putOutput(word, bytes, 0, bytes.length, readAt, parsedAt);
      if (put) this.#aside.shift();
      else {
        this.#producer.flush();
        if (!(await this.#producer.ready(outputHeaderBytes + bytes.length))) return;
      }
    }
    this.#producer.flush();
    this.#settling = false;
    this.#source?.resume();
  }
}
