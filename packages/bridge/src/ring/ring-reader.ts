/**
 * The session's end of the ring: hands records and events to their target, in the session's event loop.
 *
 * All that is there is taken, at most `drainCount` records a turn, then the pipes are flushed. Pausing means not to
 * drain: the ring fills, the worker puts aside and pauses the transport, tmux feels it. The protocol of waits between
 * the two ends is proved for every interleaving by `test/interleave/ring-waits`, for a worker that dies at any point too;
 * over messages, which are outside that model, the tests with a real worker stand for it.
 *
 * K1: everything that the worker put into the ring is delivered before the end of the connection is.
 * K2: while paused, at most the record that was being handed over is delivered.
 * K3: a ring that has ended is waited on no more: its worker's end is, which says why.
 *
 * Cost: no allocation a record; an event is copied and decoded.
 */
import { DRAIN_STOP, type DrainCallback, type RingConsumer } from '@millrace/ringbuffer';
import type { RecordTarget, StreamEvent } from '../parse/records.ts';
import type { TransportExit } from '../receive/transport.ts';
import {
  decodeEvent,
  eventHeaderBytes,
  kindOutput,
  outputHeaderBytes,
  type RingViews,
  viewsOf,
} from './record.ts';

const drainCount = 4096;

/** What a reader needs of its source. */
export interface RingReaderHost {
  /** Takes the stamp at which a record left the ring, and records how long its stations took. */
  drained(readAt: number, parsedAt: number): number;
  /** Resolves once the worker is gone: how the connection ended, if not by its own word through the ring. */
  readonly workerGone: Promise<TransportExit>;
}

/** Takes records and events out of a ring. */
export class RingReader {
  readonly #consumer: RingConsumer;
  readonly #views: RingViews;
  readonly #target: RecordTarget;
  readonly #host: RingReaderHost;
  #exit: TransportExit | undefined;
  #parts: Uint8Array[] = [];
  #paused = false;
  #resumed: (() => void) | undefined;
  /** Bytes that the worker has read up to the last record taken, and records of output taken. */
  bytes = 0;
  records = 0;

  constructor(consumer: RingConsumer, target: RecordTarget, host: RingReaderHost) {
    this.#consumer = consumer;
    this.#views = viewsOf(consumer.bytes);
    this.#target = target;
    this.#host = host;
  }

  /** Stops handing over. */
  pause(): void {
    this.#paused = true;
  }

  /** Hands over again. */
  resume(): void {
    this.#paused = false;
    this.#resumed?.();
  }

  /**
   * Hands over until the connection has ended.
   *
   * @returns how it ended
   * @throws {Error} (rejects) if the ring is corrupted, or if the target throws
   */
  async run(): Promise<TransportExit> {
    const consumer = this.#consumer;
    for (;;) {
      if (this.#paused) {
        await new Promise<void>((resolve) => {
          this.#resumed = resolve;
        });
        this.#resumed = undefined;
        continue;
      }
      const count = consumer.drain(this.#take, drainCount);
      // mutant-ok skip-condition, index-off-by-one: the end of a read that brought nothing changes nothing
      if (count > 0) this.#target.readEnd();
      if (this.#exit !== undefined) return this.#exit;
      if (count === drainCount) await new Promise((resolve) => setImmediate(resolve));
      // mutant-ok index-off-by-one: spins instead of waiting, which the search sees only far beyond its bound
      // mutant-ok drop-recheck: what `ready` would say at once, a drain says sooner
      else if (count > 0) continue;
      // Not ready is ended and empty: K1. The ring's end may be seen before its thread's: K3.
      else if (!(await consumer.ready())) return this.#host.workerGone;
    }
  }

  readonly #take: DrainCallback = (bytes, start, end, kind) => {
    const { words, doubles } = this.#views;
    // mutant-ok index-off-by-one: a statistic, looked at by `ring-writer.internal`
    this.bytes += words[(start >> 2) + 1]!;
    if (kind === kindOutput) {
      this.records++;
      const readAt = doubles[(start >> 3) + 1]!;
      const drainedAt = this.#host.drained(readAt, doubles[(start >> 3) + 2]!);
      const from = start + outputHeaderBytes;
      this.#target.output(words[start >> 2]!, bytes, from, end, readAt, drainedAt);
      return this.#paused ? DRAIN_STOP : undefined; // K2
    }
    const event = this.#takePart(bytes, start + eventHeaderBytes, end, words[start >> 2] === 1);
    // mutant-ok skip-condition: events of several records are in `ring-writer.internal`
    if (event !== undefined) {
      // mutant-ok skip-condition: other events come in order with output, which every session in worker mode shows
      if (event.type === 'ended') {
        this.#exit = event.exit;
        return DRAIN_STOP;
      }
      this.#target.event(event);
    }
    return this.#paused ? DRAIN_STOP : undefined;
  };

  /** Returns the event whose last part this is; undefined if more of it comes. */
  #takePart(
    bytes: Uint8Array,
    start: number,
    end: number,
    isLast: boolean,
  ): StreamEvent | undefined {
    const part = bytes.slice(start, end);
    // mutant-ok drop-recheck: a short cut, copies no second time what came in one part
    if (isLast && this.#parts.length === 0) return decodeEvent(part);
    this.#parts.push(part);
    return isLast ? decodeEvent(Buffer.concat(this.#parts.splice(0))) : undefined;
  }
}
