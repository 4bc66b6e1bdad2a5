/**
 * The producing end of a broadcast ring; see `broadcast.ts` for the layout and the invariants B1 to B4.
 *
 * Threads: all methods belong to one thread, the producer's.
 */
import { type CopyPlan, copyBulk, copyBytes, copyPlan } from './copy.ts';
import { COUNT_WORDS, storeCount } from './counts.ts';
import { endOnce, readEnd } from './ends.ts';
import { RingClosedError, RingRangeError, RingStateError } from './errors.ts';
import { DATA_LINE, HEAD, PRODUCER_COUNTS, PRODUCER_END, SKIP, TAIL } from './layout.ts';
import type { HandleOptions } from './options.ts';
import { claimOwner, type Owner, releaseOwner } from './owner.ts';
import { FLAG, wake } from './wait.ts';

export const OLDEST: number = HEAD;
/** Number of the next record; only producers read it, one after the other. */
const SEQUENCE: number = TAIL + 1;
export const HEADER = 8;
export const LENGTH = 0x7fffffff;

/** Bytes that a record takes. @internal */
export const sizeOf = (lengthBytes: number): number => (lengthBytes + HEADER + 3) & -4;

/** Where the parts of a broadcast ring lie; attach builds it. @internal */
export interface BroadcastMemory {
  readonly words: Int32Array;
  readonly data: Int32Array;
  readonly bytes: Uint8Array;
  readonly capacity: number;
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
    // mutant-ok plain-access: the own index; the handle's way to this thread orders its last store
    this.tail = Atomics.load(this.words, TAIL);
    // mutant-ok plain-access: as the tail
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
    // mutant-ok index-off-by-one: both ways copy the same
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
    data[offset >> 2] = lengthBytes | (kind << 31); // mutant-ok swap-statements: the tail publishes both
    data[(offset >> 2) + 1] = this.sequence;
    this.claimed = offset;
    this.claimedLength = lengthBytes;
    return offset + HEADER;
  }

  /** Moves `oldest` up to the given index at least, record by record: B1. */
  private evict(least: number): void {
    // mutant-ok drop-recheck, index-off-by-one: stores what is there
    if (((least - this.oldest) | 0) <= 0) return;
    const { data, capacity } = this;
    const mask = capacity - 1;
    while (((least - this.oldest) | 0) > 0) {
      const offset = this.oldest & mask;
      const header = data[offset >> 2]!;
      if (header === SKIP) this.oldest = (this.oldest + capacity - offset) | 0;
      else {
        // mutant-ok mask-off-by-one: no record is that long
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
    // mutant-ok skip-condition: wakes nobody, slowly
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
