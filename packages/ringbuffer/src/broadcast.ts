/**
 * One producer, any number of consumers, none of which can slow it down: who falls behind by more than the ring
 * loses the oldest records, and learns how many. With one consumer this is the policy "drop oldest".
 *
 * After Agrona's broadcast transmitter, with exact loss counts and with record borders kept by the producer, so
 * that a consumer that was lapped goes on with the oldest record that is intact.
 *
 * ```text
 * control block as in layout.ts; line 1: tail, next number; line 2: oldest: index of the oldest record that is intact
 *
 * record:  | length 31 bits, kind 1 | sequence number i32 | payload | up to 3 unused |
 * ```
 * B1: before it overwrites, the producer moves `oldest` behind all that it will overwrite, by a
 *     read-modify-write. Then it writes, then it stores the tail.
 * B2: a consumer copies a record, then reads `oldest` by a read-modify-write (add 0), and hands the copy out
 *     only if `oldest` isn't behind the record.
 * B3: the consumer's copy is a data race on purpose, and harmless: say it saw a byte that was written after `oldest` had
 *     moved past the record (S), and yet its own read-modify-write (R) saw the old value. Then R precedes S in
 *     the order of modifications of that word, so S, directly or through others, read what R wrote: R
 *     synchronizes with S, the consumer's plain reads happen before R, the producer's plain writes after S, and
 *     a read never sees a write that happens after it. That is why neither may be a mere load or store.
 * B4: each record carries its number; what a consumer lost is the difference to the one that it expected.
 *
 * Threads: one producer; each consumer handle belongs to one thread.
 * Cost: a push costs one Atomics.exchange more than in a byte ring once the ring has wrapped; a pop one
 * Atomics.add.
 */

import { type CopyPlan, copyBulk, copyBytes, copyPlan } from './copy.ts';
import { COUNT_WORDS, storeCount } from './counts.ts';
import type { DRAIN_STOP } from './drain.ts';
import { endOnce, hasEnded, readEnd } from './ends.ts';
import { RingClosedError, type RingEnd, RingRangeError, RingStateError } from './errors.ts';
import {
  CAPACITY,
  CONTROL_BYTES,
  checkCapacity,
  controlWords,
  DATA_LINE,
  HEAD,
  KIND_BROADCAST,
  PRODUCER_COUNTS,
  PRODUCER_END,
  SKIP,
  TAIL,
  writeIdentity,
} from './layout.ts';
import type { HandleOptions } from './options.ts';
import { claimOwner, type Owner, releaseOwner } from './owner.ts';
import { Reader } from './reader.ts';
import {
  allocate,
  locationOf,
  openControl,
  type Ring,
  type RingHandle,
  type RingOptions,
} from './ring.ts';
import { FLAG, type Waitable, Waiter, wake } from './wait.ts';

const OLDEST = HEAD;
/** Number of the next record; only producers read it, one after the other. */
const SEQUENCE: number = TAIL + 1;
const HEADER = 8;
const LENGTH = 0x7fffffff;

/**
 * Creates a ring for one producer and any number of consumers that may lose records.
 *
 * @throws {RingRangeError} If the capacity is no power of two from 32 to 2^30.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import {
 *   attachBroadcastConsumer,
 *   attachBroadcastProducer,
 *   createBroadcast,
 * } from '@millrace/ringbuffer';
 *
 * const { handle } = createBroadcast({ capacity: 64 });
 * const producer = attachBroadcastProducer(handle);
 * const consumer = attachBroadcastConsumer(handle);
 * for (let i = 0; i < 10; i++) producer.tryPush(Uint8Array.of(i)); // room for five
 * assert.deepEqual(consumer.tryPop(), Uint8Array.of(5));
 * assert.equal(consumer.lost, 5);
 * ```
 */
export function createBroadcast(options: RingOptions = {}): Ring {
  const capacity = checkCapacity(options.capacity ?? 1 << 18, 32);
  const { byteOffset = 0, startIndex = 0 } = options;
  if (!Number.isInteger(startIndex) || startIndex % 4 !== 0) {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `startIndex must be a multiple of 4: startIndex=${startIndex}`,
    );
  }
  const buffer = options.buffer ?? allocate(byteOffset + CONTROL_BYTES + capacity);
  const words = controlWords(buffer, byteOffset, CONTROL_BYTES + capacity);
  words.fill(0);
  words[TAIL] = startIndex | 0;
  words[OLDEST] = startIndex | 0;
  writeIdentity(words, KIND_BROADCAST, [capacity, startIndex | 0]);
  return { handle: { buffer, byteOffset }, capacity };
}

interface BroadcastMemory {
  readonly words: Int32Array;
  readonly data: Int32Array;
  readonly bytes: Uint8Array;
  readonly capacity: number;
}

function openBroadcast(handle: RingHandle | SharedArrayBuffer): BroadcastMemory {
  const { buffer, byteOffset } = locationOf(handle);
  const words = openControl(handle, [KIND_BROADCAST]);
  const capacity = checkCapacity(words[CAPACITY]!, 32);
  controlWords(buffer, byteOffset, CONTROL_BYTES + capacity);
  return {
    words,
    data: new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2),
    bytes: new Uint8Array(buffer, byteOffset + CONTROL_BYTES, capacity),
    capacity,
  };
}

/**
 * Attaches to the producing end of a broadcast ring.
 *
 * @throws {RingTypeError} If the memory holds no broadcast ring of this version.
 */
export function attachBroadcastProducer(
  handle: RingHandle | SharedArrayBuffer,
  options: Pick<HandleOptions, 'copy' | 'doorbell' | 'debug'> = {},
): BroadcastProducer {
  return new BroadcastProducer(openBroadcast(handle), options);
}

/** Options of a broadcast consumer. */
export interface BroadcastConsumerOptions extends HandleOptions {
  /**
   * Where to begin: with the oldest record that is there, or with the next one that is pushed.
   *
   * @defaultValue 'latest'
   */
  readonly from?: 'oldest' | 'latest';
}

/**
 * Attaches one more consumer to a broadcast ring.
 *
 * @throws {RingTypeError} If the memory holds no broadcast ring of this version.
 */
export function attachBroadcastConsumer(
  handle: RingHandle | SharedArrayBuffer,
  options: BroadcastConsumerOptions = {},
): BroadcastConsumer {
  return new BroadcastConsumer(openBroadcast(handle), options);
}

/** Writes records for all consumers. Get one from {@link attachBroadcastProducer}. */
export class BroadcastProducer {
  /** The data of the ring, for writing between `claim` and `commit`. Borrowed: only the claimed range is yours. */
  declare readonly bytes: Uint8Array;
  /** Bytes of the ring, headers included (a power of two). */
  declare readonly capacity: number;
  /** Longest record (bytes). */
  declare readonly lengthBytesMax: number;
  /** Records pushed so far (count). */
  pushed = 0;
  /** Records overwritten so far, read by somebody or not (count). */
  overwritten = 0;

  declare private readonly words: Int32Array;
  declare private readonly data: Int32Array;
  declare private readonly plan: CopyPlan;
  declare private tail: number;
  declare private oldest: number;
  declare private sequence: number;
  private claimed = -1;
  private claimedLength = 0;
  private ended = false;
  private owner: Owner | undefined;
  private bell: (() => void) | undefined;

  /** @internal */
  constructor(
    memory: BroadcastMemory,
    options: Pick<HandleOptions, 'copy' | 'doorbell' | 'debug'>,
  ) {
    this.words = memory.words;
    this.data = memory.data;
    this.bytes = memory.bytes;
    this.capacity = memory.capacity;
    this.lengthBytesMax = (memory.capacity >> 1) - HEADER;
    this.plan = copyPlan(options.copy ?? 'auto');
    this.tail = Atomics.load(this.words, TAIL);
    this.oldest = Atomics.load(this.words, OLDEST);
    this.sequence = this.words[SEQUENCE]!;
    const { doorbell } = options;
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    this.owner = options.debug ? claimOwner(this.words, 'producer') : undefined;
  }

  /**
   * Appends a copy of `source[start, end)` as one record, over the oldest ones if need be.
   *
   * Cost: O(end - start), no allocation.
   *
   * @param source - bytes to copy
   * @param start - first byte (index, included)
   * @param end - end (index, excluded)
   * @param kind - one bit that travels with the record (0 or 1)
   * @returns true: there is always room
   * @throws {RingRangeError} If the range is outside `source` or longer than `lengthBytesMax`.
   * @throws {RingClosedError} If this end is closed.
   */
  tryPush(source: Uint8Array, start = 0, end: number = source.length, kind = 0): true {
    if (!(start >= 0 && end <= source.length && start <= end)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `start and end must lie in the source: start=${start}, end=${end}, length=${source.length}`,
      );
    }
    const length = end - start;
    const to = this.claim(length, kind);
    if (length <= this.plan.bytesMax) copyBytes(source, start, this.bytes, to, length);
    else copyBulk(this.plan, source, start, this.bytes, to, length);
    this.commit();
    return true;
  }

  /**
   * Reserves contiguous space for one record, to be written in place in `bytes`. What lay there is lost, also
   * when the claim is aborted.
   *
   * @param lengthBytes - bytes of the record (0 to `lengthBytesMax`)
   * @param kind - one bit that travels with the record (0 or 1)
   * @returns the index in `bytes` at which to write, a multiple of 4
   * @throws {RingRangeError} If `lengthBytes` is out of range.
   * @throws {RingStateError} If a claim is open already.
   * @throws {RingClosedError} If this end is closed.
   */
  claim(lengthBytes: number, kind = 0): number {
    if (this.claimed >= 0) {
      throw new RingStateError('ERR_RING_ORDER', 'a claim is open: commit or abort it first');
    }
    if (this.ended) {
      const end = readEnd(this.words, PRODUCER_END) ?? { how: 'closed', reason: '' };
      throw new RingClosedError(`the ring's producer is ${end.how}: reason=${end.reason}`, end);
    }
    if (
      !(Number.isInteger(lengthBytes) && lengthBytes >= 0 && lengthBytes <= this.lengthBytesMax)
    ) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `lengthBytes must be an integer from 0 to ${this.lengthBytesMax}: lengthBytes=${lengthBytes}`,
      );
    }
    const { data, capacity } = this;
    const mask = capacity - 1;
    let offset = this.tail & mask;
    const size = sizeOf(lengthBytes);
    const room = capacity - offset;
    const total = size <= room ? size : room + size;
    this.evict((this.tail + total - capacity) | 0);
    if (size > room) {
      data[offset >> 2] = SKIP;
      this.tail = (this.tail + room) | 0;
      offset = 0;
    }
    data[offset >> 2] = lengthBytes | (kind << 31);
    data[(offset >> 2) + 1] = this.sequence;
    this.claimed = offset;
    this.claimedLength = lengthBytes;
    return offset + HEADER;
  }

  /** Moves `oldest` up to the given index at least, record by record: B1. */
  private evict(least: number): void {
    if (((least - this.oldest) | 0) <= 0) return;
    const { data, capacity } = this;
    const mask = capacity - 1;
    while (((least - this.oldest) | 0) > 0) {
      const offset = this.oldest & mask;
      const header = data[offset >> 2]!;
      if (header === SKIP) this.oldest = (this.oldest + capacity - offset) | 0;
      else {
        this.oldest = (this.oldest + sizeOf(header & LENGTH)) | 0;
        this.overwritten++;
      }
    }
    Atomics.exchange(this.words, OLDEST, this.oldest); // B3
  }

  /**
   * Makes the claimed space a record and wakes consumers that sleep.
   *
   * @throws {RingStateError} If nothing is claimed.
   */
  commit(): void {
    const { words } = this;
    if (this.claimed < 0) {
      throw new RingStateError('ERR_RING_ORDER', 'commit without its counterpart before it');
    }
    this.tail = (this.tail + sizeOf(this.claimedLength)) | 0;
    this.claimed = -1;
    this.sequence = (this.sequence + 1) | 0;
    words[SEQUENCE] = this.sequence; // before the tail: a killed producer may skip a number, never repeat one
    this.pushed++;
    Atomics.store(words, TAIL, this.tail);
    if (Atomics.load(words, DATA_LINE + FLAG) !== 0) wake(words, DATA_LINE, this.bell);
    if ((this.pushed & 1023) === 0) this.storeCounts();
  }

  /**
   * Gives the claimed space back.
   *
   * @throws {RingStateError} If nothing is claimed.
   */
  abort(): void {
    if (this.claimed < 0) {
      throw new RingStateError('ERR_RING_ORDER', 'abort without its counterpart before it');
    }
    // A skip may stay behind: it becomes visible, and is skipped, with the next record.
    this.claimed = -1;
  }

  /**
   * Ends the stream for all consumers.
   *
   * @param reason - for the consumers (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    this.claimed = -1;
    this.ended = true;
    this.storeCounts();
    if (endOnce(this.words, PRODUCER_END, 'closed', reason)) {
      wake(this.words, DATA_LINE, this.bell);
    }
    if (this.owner !== undefined) releaseOwner(this.words, this.owner);
  }

  /** Ends the stream; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  private storeCounts(): void {
    storeCount(this.words, PRODUCER_COUNTS, this.pushed);
    storeCount(this.words, PRODUCER_COUNTS + COUNT_WORDS, this.overwritten);
  }
}

const sizeOf = (lengthBytes: number): number => (lengthBytes + HEADER + 3) & -4;

/**
 * Receives a copy of one record.
 *
 * @param bytes - a buffer of the consumer; borrowed, and of it only `[start, end)`, until the callback returns
 * @param start - first byte of the payload (index, included)
 * @param end - end of the payload (index, excluded)
 * @param kind - the bit that travelled with the record (0 or 1)
 * @returns nothing to continue, or `DRAIN_STOP`
 */
export type BroadcastDrainCallback = (
  bytes: Uint8Array,
  start: number,
  end: number,
  kind: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most callbacks return nothing at all
) => void | undefined | typeof DRAIN_STOP;

/** Reads records; one of several. Get one from {@link attachBroadcastConsumer}. */
export class BroadcastConsumer extends Reader {
  /** Bytes of the ring, headers included (a power of two). */
  declare readonly capacity: number;
  /** Records that this consumer missed because they were overwritten before it read them (count). */
  lost = 0;
  /** How often this consumer was overtaken (count). */
  laps = 0;
  /** Records taken so far (count). */
  popped = 0;
  /** Bit that travelled with the last record (0 or 1). */
  kind = 0;

  declare private readonly words: Int32Array;
  declare private readonly data: Int32Array;
  declare private readonly bytes: Uint8Array;
  declare private readonly plan: CopyPlan;
  declare private cursor: number;
  declare private tailSeen: number;
  /** Number of the next record: the first of a ring has 0. */
  private expected = 0;
  private scratch: Uint8Array = new Uint8Array(256);

  /** @internal */
  constructor(memory: BroadcastMemory, options: BroadcastConsumerOptions) {
    super();
    this.words = memory.words;
    this.data = memory.data;
    this.bytes = memory.bytes;
    this.capacity = memory.capacity;
    this.plan = copyPlan(options.copy ?? 'auto');
    // In this order: the oldest record is never behind a tail that is loaded later.
    this.cursor = Atomics.load(this.words, OLDEST);
    this.tailSeen = Atomics.load(this.words, TAIL);
    this.join(options.from === 'oldest');
    this.laps = 0;
    this.waiter = new Waiter(this.words, DATA_LINE, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: options.strategy ?? 'auto',
      doorbell: options.doorbell,
      before: () => {},
    });
  }

  /**
   * Takes the oldest record that is intact, as a copy of its own.
   *
   * @returns the payload (owned), or undefined when there is none
   */
  tryPop(): Uint8Array | undefined {
    const length = this.take(undefined, 0);
    return length < 0 ? undefined : this.scratch.slice(0, length);
  }

  /**
   * Takes the oldest record that is intact by copying it into `target`.
   *
   * Cost: O(length), no allocation.
   *
   * @param target - where to copy to
   * @param offset - where in `target` (index, included)
   * @returns the payload's length (bytes), or -1 when there is none
   * @throws {RingRangeError} If the record doesn't fit; it stays in the ring.
   */
  tryPopInto(target: Uint8Array, offset = 0): number {
    return this.take(target, offset);
  }

  /**
   * Hands out copies of the records that are there, oldest first.
   *
   * @param callback - called per record with borrowed bytes
   * @param limit - most records (count, 0 or more)
   * @returns how many were taken
   */
  drain(callback: BroadcastDrainCallback, limit: number = 0x7fffffff): number {
    // No further than what is there now: the producer may be faster for ever.
    const until = Atomics.load(this.words, TAIL);
    let count = 0;
    while (count < limit && ((until - this.cursor) | 0) > 0) {
      const length = this.take(undefined, 0);
      if (length < 0) break;
      count++;
      if (callback(this.scratch, 0, length, this.kind) !== undefined) break;
    }
    return count;
  }

  /** How the producer ended; undefined while it hasn't. Records may still be there. */
  get producerEnd(): RingEnd | undefined {
    return readEnd(this.words, PRODUCER_END);
  }

  /** Whether no record will ever come again. */
  get closed(): boolean {
    return hasEnded(this.words, PRODUCER_END) && !this.hasRecord();
  }

  /** @internal */
  subject(): Waitable {
    return this;
  }

  /** @internal */
  isReady(): boolean {
    return this.hasRecord() || hasEnded(this.words, PRODUCER_END);
  }

  /** @internal */
  announce(): void {}

  /** @internal */
  hasRecord(): boolean {
    this.tailSeen = Atomics.load(this.words, TAIL);
    return this.cursor !== this.tailSeen;
  }

  /** Copies the next intact record into `target`, or into the scratch buffer; returns its length or -1. */
  private take(target: Uint8Array | undefined, offset: number): number {
    for (;;) {
      if (this.cursor === this.tailSeen && !this.hasRecord()) return -1;
      const { data, capacity } = this;
      const at = this.cursor & (capacity - 1);
      const header = data[at >> 2]!; // racy from here to the validation: B3
      if (header === SKIP) {
        if (this.isIntact()) this.cursor = (this.cursor + capacity - at) | 0;
        continue;
      }
      const length = header & LENGTH;
      const size = sizeOf(length);
      const sequence = data[(at >> 2) + 1]!;
      const plausible = size <= capacity - at && size <= ((this.tailSeen - this.cursor) | 0);
      if (!plausible) {
        if (!this.isIntact()) continue;
        throw new RingStateError(
          'ERR_RING_CORRUPT',
          `record header at offset ${at} contradicts the indices: header=0x${(header >>> 0).toString(16)}`,
        );
      }
      const into = target ?? this.scratchOf(length);
      const short = !(offset >= 0 && length <= into.length - offset);
      if (!short) {
        if (length <= this.plan.bytesMax) copyBytes(this.bytes, at + HEADER, into, offset, length);
        else copyBulk(this.plan, this.bytes, at + HEADER, into, offset, length);
      }
      if (!this.isIntact()) continue; // B2
      if (short) {
        throw new RingRangeError(
          'ERR_RING_ARGUMENT',
          `target is too short for the record: offset=${offset}, length=${into.length}, record=${length} bytes`,
        );
      }
      this.lost += (sequence - this.expected) >>> 0; // B4
      this.expected = (sequence + 1) | 0;
      this.kind = header >>> 31;
      this.cursor = (this.cursor + size) | 0;
      this.popped++;
      return length;
    }
  }

  /** Whether the record at the cursor hasn't been overwritten; if it has, moves on to the oldest that is intact. */
  private isIntact(): boolean {
    const oldest = Atomics.add(this.words, OLDEST, 0); // B2, B3
    if (((oldest - this.cursor) | 0) <= 0) return true;
    this.laps++;
    this.cursor = oldest;
    this.tailSeen = Atomics.load(this.words, TAIL);
    return false;
  }

  private scratchOf(length: number): Uint8Array {
    if (length > this.scratch.length) this.scratch = new Uint8Array(length * 2);
    return this.scratch;
  }

  /** Moves the cursor to the first record to read, and finds out its number from the records that are there. */
  private join(atOldest: boolean): void {
    const { data, capacity } = this;
    while (this.cursor !== this.tailSeen) {
      const at = this.cursor & (capacity - 1);
      const header = data[at >> 2]!;
      const sequence = data[(at >> 2) + 1]!;
      if (!this.isIntact()) continue;
      if (header === SKIP) {
        this.cursor = (this.cursor + capacity - at) | 0;
        continue;
      }
      this.expected = sequence;
      if (atOldest) return;
      this.expected = (sequence + 1) | 0;
      this.cursor = (this.cursor + sizeOf(header & LENGTH)) | 0;
    }
  }
}
