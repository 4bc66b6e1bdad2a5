/** The producing end of one lane; see `lanes.ts` for the layout and the invariants N1 to N4. */
import { copyBulk, copyBytes } from './copy.ts';
import { RingStateError } from './errors.ts';
import { type EndMemory, HEAD, HEADER_BYTES, TAIL } from './layout.ts';
import type { ProducerOptions } from './options.ts';
import { RingProducer } from './producer.ts';
import { NEVER } from './producer-end.ts';
import { FLAG, FLAG_ENDED, FLAG_SLEEPER, wake } from './wait.ts';
import { ENDED, OPEN } from './writer.ts';

/** First of the group's dirty words. */
export const DIRTY: number = TAIL;
/** The group's next sequence number. */
export const SEQUENCE: number = HEAD;
/** A lane's flag that its producer is about to take a number, or has one that isn't published. */
export const CLAIMING: number = TAIL + 1;
/** Bytes of the number in front of each payload. */
export const SEQUENCE_BYTES = 4;

/** Writes records into one lane. Get one from {@link attachLane}; its methods are those of a `RingProducer`. */
export class LaneProducer extends RingProducer {
  /** Which lane this is (index). */
  declare readonly lane: number;
  /** @internal */ declare readonly dirtyWord: number;
  /** @internal */ declare readonly dirtyBit: number;

  /** @internal */
  constructor(memory: EndMemory, options: ProducerOptions, lane: number, prefixBytes = 0) {
    super(memory, options, prefixBytes);
    this.lane = lane;
    this.dirtyWord = DIRTY + (lane >> 5);
    this.dirtyBit = 1 << (lane & 31);
  }

  /** Stores the tail, marks the lane and wakes a consumer that sleeps. @internal */
  override publish(): void {
    this.storeTail();
    const { dataWords, dirtyWord, dirtyBit } = this;
    // mutant-ok skip-condition: sets a bit that is set
    if ((Atomics.load(dataWords, dirtyWord) & dirtyBit) === 0) {
      Atomics.or(dataWords, dirtyWord, dirtyBit); // N1
    }
    // mutant-ok skip-condition: wakes nobody, slowly
    if (Atomics.load(dataWords, this.dataLine + FLAG) !== 0) this.alert();
  }

  /** A group has no watermark: its indices have no common scale. @internal */
  override alert(): void {
    const { dataWords, dataLine } = this;
    const flag = Atomics.load(dataWords, dataLine + FLAG);
    if ((flag & FLAG_ENDED) !== 0 && this.state === OPEN) this.state = ENDED;
    if ((flag & FLAG_SLEEPER) !== 0) this.wakes++;
    wake(dataWords, dataLine, this.bell);
  }
}

/** A lane of a group with total order: each record carries its number in front of the payload. */
export class TotalLaneProducer extends LaneProducer {
  /** @internal */
  constructor(memory: EndMemory, options: ProducerOptions, lane: number) {
    if (options.alignBytes === 8) {
      throw new RingStateError(
        'ERR_RING_UNSUPPORTED',
        "alignBytes: 8 can't be had with order: 'total', which puts a number in front of the payload",
      );
    }
    super(memory, { ...options, publish: 'each' }, lane, SEQUENCE_BYTES);
  }

  override tryPush(source: Uint8Array, start = 0, end: number = source.length, kind = 0): boolean {
    const length = end - start;
    if (start < 0 || length < 0 || end > source.length || length > this.lengthBytesMax) {
      this.refuseRange(source, start, end);
    }
    const at = this.claim(length, kind);
    // mutant-ok index-off-by-one: no payload begins at 0
    if (at < 0) {
      if (this.full === 'drop-newest') this.dropped++;
      return false;
    }
    // mutant-ok skip-condition, index-off-by-one: both ways copy the same
    if (length <= this.bytesMax) copyBytes(source, start, this.bytes, at, length);
    else copyBulk(this.plan, source, start, this.bytes, at, length);
    this.commit();
    return true;
  }

  override tryPushMany(sources: readonly Uint8Array[], kind = 0): boolean {
    if (this.state !== OPEN && !this.admits()) return false;
    const total = this.extentOf(sources);
    // mutant-ok index-off-by-one: `hasRoom` looks again
    if (this.free() < total && !this.hasRoom(total)) {
      if (this.full === 'drop-newest') this.dropped += sources.length;
      return false;
    }
    const { threshold } = this;
    this.threshold = NEVER;
    Atomics.store(this.words, CLAIMING, 1); // N3
    for (const source of sources) {
      const at = super.claim(source.length + SEQUENCE_BYTES, kind);
      this.bytes.set(source, at + SEQUENCE_BYTES);
      this.number(at);
      super.commit();
    }
    this.threshold = threshold;
    this.publish();
    Atomics.store(this.words, CLAIMING, 0);
    return true;
  }

  override claim(lengthBytes: number, kind = 0): number {
    if (!(lengthBytes <= this.lengthBytesMax)) this.refuseLength(lengthBytes);
    const at = super.claim(lengthBytes + SEQUENCE_BYTES, kind);
    return at < 0 ? -1 : at + SEQUENCE_BYTES; // mutant-ok index-off-by-one: no payload begins at 0
  }

  override commit(lengthBytes = -1): void {
    if (this.state <= OPEN) this.refuseOrder('commit');
    if (lengthBytes !== -1) this.shorten(lengthBytes + SEQUENCE_BYTES);
    Atomics.store(this.words, CLAIMING, 1); // N3
    const index = this.claimedIndex(); // without pad: alignBytes is 4
    this.number((index & this.mask) + HEADER_BYTES);
    super.commit();
    // mutant-ok skip-condition: publishes what is published
    if (this.tail !== this.published) this.publish(); // also when corked
    Atomics.store(this.words, CLAIMING, 0);
  }

  /** Takes the next number and writes it in front of the payload. */
  private number(at: number): void {
    this.data[at >> 2] = Atomics.add(this.dataWords, SEQUENCE, 1);
  }

  /** @internal */
  override extentFor(_source: Uint8Array, _start: number, length: number): number {
    return this.extent(length);
  }

  /** @internal */
  override extent(length: number): number {
    return super.extent(length + SEQUENCE_BYTES);
  }

  /** @internal */
  override extentOf(sources: readonly Uint8Array[]): number {
    this.checkTogether(sources, SEQUENCE_BYTES);
    let extent = 0;
    for (const { length } of sources) {
      extent += super.extent(length + SEQUENCE_BYTES, -1, (this.tail + extent) | 0);
    }
    return extent;
  }
}
