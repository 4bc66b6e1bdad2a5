/**
 * What the consuming ends of all single-producer rings have in common: indices and their release, holding
 * records, watermarks, and ending. Waiting and D1: `reader.ts`. Where records lie is up to the subclass.
 *
 * C1: `released <= head <= cursor <= tailSeen <= tail`, as distances: released bytes may be overwritten at any
 *     time; [head, cursor) is held by `peek`, and empty while `held` is 0, when `cursor` isn't kept up to date;
 *     [cursor, tailSeen) is known to hold whole records.
 * C2: a record is read completely before the `Atomics.store` of a head behind it, so the producer, which loads
 *     the head by `Atomics.load`, overwrites it without a race.
 * C3: `tailSeen` is a tail that the producer stored earlier; it is loaded again only when it is used up.
 * C4: a release is followed by a load of the space line's flag, as in P4.
 *
 * Threads: all methods belong to one thread, the consumer's.
 */
import { COUNT_WORDS, storeCount } from './counts.ts';
import type { DrainCallback } from './drain.ts';
import { endOnce, hasEnded, readEnd } from './ends.ts';
import { type RingEnd, RingRangeError, RingStateError } from './errors.ts';
import {
  CONSUMER_COUNTS,
  CONSUMER_END,
  DATA_LINE,
  type EndMemory,
  HEAD,
  PRODUCER_END,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import type { ConsumerOptions } from './options.ts';
import { checkOwner, claimOwner, type Owner, releaseOwner } from './owner.ts';
import { Reader } from './reader.ts';
import {
  FLAG,
  FLAG_ENDED,
  FLAG_SLEEPER,
  TARGET,
  type Waitable,
  Waiter,
  type WaitOptions,
  wake,
} from './wait.ts';

/** How a consumer waits for records. */
export interface ReadyOptions extends WaitOptions {
  /**
   * Watermark: sleep until that many bytes, headers included, are there (1 to half of the capacity). A full
   * ring, the producer's end and the timeout wake earlier.
   *
   * @defaultValue 1
   */
  readonly bytes?: number;
}

const NO_OPTIONS: ReadyOptions = {};
const BATCH_COUNT = 256;

/** The consuming end of a single-producer ring: what {@link RingConsumer} and {@link SlotConsumer} share. */
export abstract class ConsumerEnd extends Reader<ReadyOptions> {
  /** Size of the ring: bytes with headers, or slots (a power of two). */
  declare readonly capacity: number;
  /** First byte in `bytes` of the record that `peek` handed out last (index, included). */
  start = 0;
  /** End in `bytes` of the record that `peek` handed out last (index, excluded). */
  end = 0;
  /** Bit that travelled with the record that came last (0 or 1). */
  kind = 0;
  /** Records handed out by `peek` and not yet released (count). */
  held = 0;
  /** Records taken so far (count). */
  popped = 0;

  /** @internal */ declare readonly words: Int32Array;
  /** @internal */ declare readonly mask: number;
  /** @internal */ declare readonly releaseBytes: number;
  /** @internal */ declare readonly drainBytes: number;
  /** @internal */ owner: Owner | undefined;
  /** @internal */ declare readonly debug: boolean;
  /** @internal */ bell: (() => void) | undefined;
  /** Which lane of a group this is: a drain passes it on. @internal */
  lane = 0;
  /** Whether the callback ended the last drain. @internal */
  stopped = false;
  /** @internal */ draining = false;
  /** @internal */ declare head: number;
  /** @internal */ declare cursor: number;
  /** @internal */ declare released: number;
  /** @internal */ declare tailSeen: number;
  /** @internal */ declare countedAt: number;
  /** @internal */ locatedEnd = 0;
  /** @internal */ locatedAfter = 0;
  /** @internal */ wakes = 0;
  /** @internal */ highWater = 0;
  /** @internal */ declare readonly unitBytes: number;
  private ended = false;
  private anything: Waitable | undefined;

  /** @internal */
  constructor(memory: EndMemory, options: ConsumerOptions, unitBytes: number) {
    super();
    const { words, capacity } = memory;
    this.words = words;
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.unitBytes = unitBytes;
    const releaseBytes = options.releaseBytes ?? 0;
    if (!(releaseBytes >= 0)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `releaseBytes must be 0 or more: releaseBytes=${releaseBytes}`,
      );
    }
    this.releaseBytes = Math.min(Math.floor(releaseBytes / unitBytes), capacity);
    this.drainBytes = Math.max(this.releaseBytes, capacity >> 3);
    this.debug = options.debug ?? false;
    // mutant-ok plain-access: the own index; the handle's way to this thread orders its last store
    this.head = Atomics.load(words, HEAD);
    this.cursor = this.head;
    this.released = this.head;
    this.tailSeen = this.head;
    this.countedAt = this.head;
    const { doorbell } = options;
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    this.waiter = new Waiter(memory.dataWords, memory.dataLine, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: memory.local ? 'local' : (options.strategy ?? 'auto'),
      doorbell,
      before: () => this.flush(),
    });
    this.owner = this.debug ? claimOwner(words, 'consumer') : undefined;
    this.loadTail();
  }

  /** Hands out records in place, oldest first, and releases them. */
  abstract drain(callback: DrainCallback, limit?: number): number;
  /**
   * Finds the record at the index: returns its first byte, sets `locatedEnd`, `locatedAfter` and `kind`; -1 when
   * there is none.
   * @internal
   */
  abstract locate(at: number): number;
  /** Debug mode: makes a use after release visible. @internal */
  abstract poison(index: number, size: number): void;

  /**
   * Hands out the next record in place and holds it; several may be held at a time.
   *
   * Cost: O(1), no allocation.
   *
   * @returns where it starts in `bytes` (its end and kind are in `end` and `kind`), or -1 when there is none
   */
  peek(): number {
    if (this.draining) this.refuseHeld('peek');
    const from = this.locate(this.held === 0 ? this.head : this.cursor);
    if (from < 0) return -1;
    this.start = from;
    this.end = this.locatedEnd;
    this.cursor = this.locatedAfter;
    this.held++;
    return from;
  }

  /**
   * Gives back the oldest held records; their bytes are no longer yours.
   *
   * @param count - how many (0 to `held`)
   * @throws {RingRangeError} If fewer are held.
   */
  release(count = 1): void {
    if (!(count >= 0 && count <= this.held && (count | 0) === count)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `count must be from 0 to the records held: count=${count}, held=${this.held}`,
      );
    }
    const { kind } = this;
    for (let i = 0; i < count; i++) {
      this.locate(this.head);
      this.advance();
    }
    this.held -= count;
    this.kind = kind;
    if (((this.head - this.released) | 0) > this.releaseBytes) this.publish();
  }

  /** Gives all released space back to the producer, and wakes it if it sleeps. */
  flush(): void {
    // mutant-ok skip-condition: publishes what is published
    if (this.head !== this.released) this.publish();
  }

  /** Index units that are published and haven't been handed out (0 to `capacity`). @internal */
  available(): number {
    this.loadTail();
    return (this.tailSeen - this.position()) | 0;
  }

  /**
   * Yields owned copies of all records that are there, as arrays, until the stream ends.
   *
   * @param limit - most records in one array (count, 1 or more)
   */
  async *batches(
    limit: number = BATCH_COUNT,
    options: ReadyOptions = NO_OPTIONS,
  ): AsyncGenerator<Uint8Array[], void, undefined> {
    while (await this.ready(options)) {
      const batch: Uint8Array[] = [];
      this.drain((bytes, start, end) => void batch.push(bytes.slice(start, end)), limit);
      yield batch;
    }
  }

  /** How the producer ended; undefined while it hasn't. Records may still be there. */
  get producerEnd(): RingEnd | undefined {
    return readEnd(this.words, PRODUCER_END);
  }

  /** Whether no record will ever come again: the producer has ended, or this end has, and the ring is empty. */
  get closed(): boolean {
    return this.isOver() && this.available() === 0;
  }

  /**
   * Tells the producer that nobody reads any more: its pushes fail with `ERR_RING_CLOSED` and this reason.
   * Records that are there can still be taken. Closing again has no effect.
   *
   * @param reason - for the producer (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    const { words } = this;
    this.flush();
    this.storeCounts();
    this.ended = true;
    if (endOnce(words, CONSUMER_END, 'closed', reason)) {
      // mutant-ok split-read-modify-write: all that another clears meanwhile is a sleeper's bit: one wake-up too many
      Atomics.or(words, DATA_LINE + FLAG, FLAG_ENDED); // seen by the producer's next publication
      wake(words, SPACE_LINE, this.bell);
    }
    this.waiter.kick();
    this.detach();
  }

  /** Lets another handle take over this end (needed in debug mode only). */
  detach(): void {
    if (this.owner === undefined) return;
    this.flush();
    releaseOwner(this.words, this.owner);
    this.owner = undefined;
  }

  /** Ends this end; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  private isOver(): boolean {
    return this.ended || hasEnded(this.words, PRODUCER_END);
  }

  /** @internal */
  hasRecord(): boolean {
    return this.available() > 0;
  }

  /** @internal */
  subject({ bytes = 1 }: ReadyOptions): Waitable {
    const least = Math.max(1, Math.min(bytes / this.unitBytes, this.capacity >> 1));
    // mutant-ok skip-condition: a short cut, makes nothing for the wait that is made most
    if (least === 1) {
      this.anything ??= this.atLeast(1);
      return this.anything;
    }
    return this.atLeast(least);
  }

  private atLeast(least: number): Waitable {
    return {
      isReady: () => {
        const available = this.available();
        if (available >= least) return true;
        if (available > 0 && (Atomics.load(this.words, SPACE_LINE + FLAG) & FLAG_SLEEPER) !== 0) {
          return true; // P7
        }
        return this.isOver(); // D1: callers look at the ring again
      },
      announce: () => {
        // With several waits pending, the earliest of their targets: any data.
        const target = this.position() + (this.pending > 1 ? 1 : least);
        Atomics.store(this.words, DATA_LINE + TARGET, target | 0);
        this.storeCounts();
      },
    };
  }

  /** Moves the head behind the located record. @internal */
  advance(): void {
    if (this.debug) this.poison(this.head, (this.locatedAfter - this.head) | 0);
    this.head = this.locatedAfter;
    this.popped++;
  }

  /** Takes the located record. @internal */
  take(): void {
    this.advance();
    if (((this.head - this.released) | 0) > this.releaseBytes) this.publish();
  }

  /** Stores the head and wakes a producer that sleeps. @internal */
  publish(): void {
    if (this.owner !== undefined) this.checkSole();
    const { words } = this;
    this.released = this.head;
    Atomics.store(words, HEAD, this.head); // C2
    // mutant-ok skip-condition: wakes nobody, slowly
    if (Atomics.load(words, SPACE_LINE + FLAG) !== 0) this.alert(); // C4
  }

  /** Wakes the producer once its target has been reached. @internal */
  alert(): void {
    const { words } = this;
    // mutant-ok drop-recheck: a waiter that is woken below its watermark sleeps again: W3
    if (((this.released - Atomics.load(words, SPACE_LINE + TARGET)) | 0) < 0) return;
    if ((Atomics.load(words, SPACE_LINE + FLAG) & FLAG_SLEEPER) !== 0) this.wakes++;
    wake(words, SPACE_LINE, this.bell);
  }

  /** Index of the first record that hasn't been handed out. @internal */
  position(): number {
    return this.held === 0 ? this.head : this.cursor;
  }

  /** Loads the producer's index when all that was seen is used up; false when nothing has come. @internal */
  looksAgain(): boolean {
    const { tailSeen } = this;
    this.loadTail();
    if (this.tailSeen !== tailSeen) return true;
    // mutant-ok skip-condition: publishes what is published
    if (this.head !== this.released) this.publish(); // never sit on space while empty
    return false;
  }

  /** Loads the producer's index. @internal */
  loadTail(): void {
    const tail = Atomics.load(this.words, TAIL);
    if (tail === this.tailSeen) return; // mutant-ok drop-recheck: a short cut, the same tail tells nothing new
    this.tailSeen = tail; // C3
    const used = (tail - this.released) | 0;
    const ahead = (tail - this.position()) | 0;
    if (used < 0 || used > this.capacity || ahead < 0) {
      throw new RingStateError(
        'ERR_RING_CORRUPT',
        `indices contradict each other: head=${this.released}, tail=${tail}, capacity=${this.capacity}`,
      ); // L3
    }
    if (used > this.highWater) this.highWater = used; // mutant-ok index-off-by-one: the same mark
    // mutant-ok skip-condition, index-off-by-one: the same counts, stored more often
    if (((this.head - this.countedAt) | 0) > this.capacity >> 1) this.storeCounts();
  }

  /** @internal */
  storeCounts(): void {
    const { words } = this;
    this.countedAt = this.head;
    storeCount(words, CONSUMER_COUNTS, this.popped);
    storeCount(words, CONSUMER_COUNTS + COUNT_WORDS, this.highWater);
    storeCount(words, CONSUMER_COUNTS + 2 * COUNT_WORDS, this.waiter.parks);
    storeCount(words, CONSUMER_COUNTS + 3 * COUNT_WORDS, this.wakes);
  }

  /** Debug mode: finds a second consumer, or a second thread. */
  private checkSole(): void {
    checkOwner(this.words, this.owner!);
    // mutant-ok plain-access: the own index; where another stores it, too, everything races
    const head = Atomics.load(this.words, HEAD);
    if (head !== this.released) {
      throw new RingStateError(
        'ERR_RING_OWNER',
        `a second consumer has stored the head: head=${head}, expected ${this.released}`,
      );
    }
  }

  /** @internal */
  refuseHeld(call: string): never {
    throw new RingStateError(
      'ERR_RING_ORDER',
      this.draining
        ? `${call} inside a drain callback`
        : `${call} while records are held: held=${this.held}; release them first`,
    );
  }
}
