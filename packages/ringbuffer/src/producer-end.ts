/**
 * What the producing ends of all single-producer rings have in common: indices and their publication, what a wait
 * for room looks at, and ending. Pushes that wait, and P6: `writer.ts`. Where records lie is up to the subclass.
 *
 * P1: what lies behind `published` is private to this thread; the consumer never reads there. An open claim lies
 *     behind `tail`, which moves only with its commit: so it is never published.
 * P2: a record is written completely before the `Atomics.store` of a tail behind it, so the consumer, which
 *     loads the tail by `Atomics.load`, reads it without a race.
 * P3: `headSeen` is a head that the consumer stored earlier; heads only advance, so space computed from it is
 *     really free. It is loaded again only when it doesn't suffice.
 * P4: a publication is followed by a load of the data line's flag, so a consumer that is going to sleep either
 *     sees the new tail or is woken (W1 in `wait.ts`).
 * P5: a killed producer leaves the published tail at the end of a whole record: nothing to repair.
 * P7: who lacks room raises the space line's flag, then looks at the data line's and wakes whoever sleeps there. A
 *     consumer that sleeps until a watermark looks at the space line's flag before it sleeps, and doesn't while
 *     there is anything to take: so one of the two sees the other, and a record that doesn't fit below the
 *     watermark can't leave both asleep.
 *
 * Threads: all methods belong to one thread, the producer's.
 */
import { COUNT_WORDS, storeCount } from './counts.ts';
import { endOnce, hasEnded, readEnd } from './ends.ts';
import { RingClosedError, type RingEnd, RingRangeError, RingStateError } from './errors.ts';
import {
  CONSUMER_END,
  type EndMemory,
  HEAD,
  PRODUCER_COUNTS,
  PRODUCER_END,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import type { ProducerOptions } from './options.ts';
import { checkOwner, claimOwner, type Owner, releaseOwner } from './owner.ts';
import {
  FLAG,
  FLAG_ENDED,
  FLAG_SLEEPER,
  FLAG_WAITER,
  TARGET,
  type Waitable,
  Waiter,
  wake,
} from './wait.ts';
import { ENDED, OPEN, QUEUED, Writer } from './writer.ts';

export const NEVER = 0x7fffffff;

/** The producing end of a single-producer ring: what {@link RingProducer} and {@link SlotProducer} share. */
export abstract class ProducerEnd extends Writer {
  /** Records refused by the policy `drop-newest` so far (count). */
  dropped = 0;
  /** Records pushed so far (count). */
  pushed = 0;

  /** @internal */ declare readonly words: Int32Array;
  /** @internal */ declare readonly dataWords: Int32Array;
  /** @internal */ declare readonly dataLine: number;
  /** @internal */ declare readonly mask: number;
  /** @internal */ owner: Owner | undefined;
  /** @internal */ bell: (() => void) | undefined;
  /** @internal */ declare tail: number;
  /** @internal */ declare published: number;
  /** @internal */ declare headSeen: number;
  /** @internal */ declare countedAt: number;
  /** @internal */ declare threshold: number;
  /** @internal */ declare readonly thresholdOpen: number;
  /** @internal */ declare readonly perTick: boolean;
  /** @internal */ tickScheduled = false;
  /** @internal */ corked = 0;
  /** @internal */ fullHits = 0;
  /** @internal */ wakes = 0;

  /** @internal */
  constructor(memory: EndMemory, options: ProducerOptions, unitBytes: number) {
    const { words, capacity } = memory;
    super(capacity, options.full);
    this.words = words;
    this.dataWords = memory.dataWords;
    this.dataLine = memory.dataLine;
    this.mask = capacity - 1;
    const publish = options.publish ?? 'each';
    if (typeof publish === 'number' && !(publish >= 0)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `publish must be 'each', 'tick' or a count of bytes, 0 or more: publish=${publish}`,
      );
    }
    this.perTick = publish === 'tick';
    this.thresholdOpen =
      typeof publish === 'number' ? Math.min(Math.floor(publish / unitBytes), NEVER) : 0;
    this.threshold = this.thresholdOpen;
    // mutant-ok plain-access: the own index; the handle's way to this thread orders its last store
    this.tail = Atomics.load(words, TAIL);
    this.published = this.tail;
    this.countedAt = this.tail;
    const { doorbell } = options;
    this.bell = doorbell === undefined ? undefined : () => doorbell.postMessage(0);
    this.waiter = new Waiter(words, SPACE_LINE, {
      spin: options.spin,
      ref: options.ref ?? true,
      strategy: memory.local ? 'local' : (options.strategy ?? 'auto'),
      doorbell,
      before: () => this.flush(),
    });
    this.owner = options.debug ? claimOwner(words, 'producer') : undefined;
    this.loadHead();
  }

  /** How the consumer ended; undefined while it hasn't. */
  get consumerEnd(): RingEnd | undefined {
    return readEnd(this.words, CONSUMER_END);
  }

  /** Whether records can no longer be pushed because either end is closed. */
  get closed(): boolean {
    return this.hasEnded();
  }

  /**
   * Publishes everything and ends the stream: the consumer gets all records, then the end with this reason.
   * An open claim is aborted. Closing again has no effect.
   *
   * @param reason - for the consumer (up to 56 bytes of UTF-8, cut beyond)
   */
  close(reason = ''): void {
    if (this.state > OPEN) this.abort();
    if (!hasEnded(this.words, PRODUCER_END)) this.flush();
    this.state = ENDED;
    if (endOnce(this.words, PRODUCER_END, 'closed', reason)) this.alert(true);
    this.storeCounts();
    this.waiter.kick();
    this.detach();
  }

  /** Publishes everything and lets another handle take over this end (needed in debug mode only). */
  detach(): void {
    if (this.owner === undefined) return;
    if (this.state !== ENDED) this.flush();
    releaseOwner(this.words, this.owner);
    this.owner = undefined;
  }

  /** Closes the stream; see {@link close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  hasEnded(): boolean {
    return hasEnded(this.words, PRODUCER_END) || hasEnded(this.words, CONSUMER_END);
  }

  /** @internal */
  room(total: number, ticket?: object): Waitable {
    return {
      isReady: () => {
        if (this.hasEnded()) return true;
        if (!this.isTurnOf(ticket)) return false;
        if (this.free() >= total) return true;
        // mutant-ok skip-condition: wakes nobody, slowly
        if (Atomics.load(this.dataWords, this.dataLine + FLAG) !== 0) this.alert(true); // P7
        return false;
      },
      announce: () => {
        if (!this.isTurnOf(ticket)) return;
        const target = (this.tail + total - this.capacity) | 0;
        Atomics.store(this.words, SPACE_LINE + TARGET, target);
        this.storeCounts();
      },
    };
  }

  /**
   * Gives the claimed space back; nothing of it ever becomes visible.
   *
   * @throws {RingStateError} If nothing is claimed.
   */
  abort(): void {
    if (this.state <= OPEN) this.refuseOrder('abort');
    this.state = OPEN;
  }

  /** Makes everything pushed so far visible to the consumer, and wakes it if it sleeps. */
  flush(): void {
    // mutant-ok skip-condition: publishes what is published
    if (this.tail !== this.published) this.publish();
  }

  /** Holds publication back until {@link uncork} (calls nest), except when the ring is full. */
  cork(): void {
    this.corked++;
    this.threshold = NEVER;
  }

  /** Undoes one {@link cork}; the last one publishes. */
  uncork(): void {
    if (this.corked === 0) this.refuseOrder('uncork');
    if (--this.corked !== 0) return;
    this.threshold = this.thresholdOpen;
    // mutant-ok skip-condition: publishes what is published
    if (this.tail !== this.published) this.publish();
  }

  /** Index units that are free, as far as is known (0 to `capacity`). @internal */
  free(): number {
    this.loadHead();
    return (this.capacity - (this.tail - this.headSeen)) | 0;
  }

  /** The publication threshold has been passed. @internal */
  due(): void {
    if (!this.perTick) {
      this.publish();
      return;
    }
    if (this.tickScheduled) {
      this.publish(); // a quarter of the ring within one tick
      return;
    }
    this.tickScheduled = true;
    this.threshold = this.capacity >> 2;
    queueMicrotask(() => {
      this.tickScheduled = false;
      this.threshold = this.corked > 0 ? NEVER : this.thresholdOpen;
      if (this.corked === 0 && this.tail !== this.published) this.publish();
    });
  }

  /** Stores the tail and wakes a consumer that sleeps. @internal */
  publish(): void {
    this.storeTail();
    // mutant-ok skip-condition: wakes nobody, slowly
    if (Atomics.load(this.dataWords, this.dataLine + FLAG) !== 0) this.alert(false); // P4
  }

  /** @internal */
  storeTail(): void {
    if (this.owner !== undefined) this.checkSole();
    this.published = this.tail; // P1
    Atomics.store(this.words, TAIL, this.tail); // P2
  }

  /** Wakes the consumer if its watermark has been reached, or anyway; learns whether it has ended. @internal */
  alert(anyway: boolean): void {
    const { dataWords, dataLine } = this;
    const flag = Atomics.load(dataWords, dataLine + FLAG);
    if ((flag & FLAG_ENDED) !== 0 && this.state === OPEN) this.state = ENDED;
    if (!anyway && ((this.published - Atomics.load(dataWords, dataLine + TARGET)) | 0) < 0) return;
    if ((flag & FLAG_SLEEPER) !== 0) this.wakes++;
    wake(dataWords, dataLine, this.bell);
  }

  /** Whether that many bytes are free, after a look at the consumer's index. @internal */
  hasRoom(total: number): boolean {
    this.loadHead();
    if (((this.capacity - (this.tail - this.headSeen)) | 0) >= total) return true;
    this.fullHits++;
    // The consumer can only make room for what it can see, watermark or not.
    // mutant-ok skip-condition: publishes what is published
    if (this.tail !== this.published) this.publish();
    // mutant-ok skip-condition: wakes nobody, slowly
    if (Atomics.load(this.dataWords, this.dataLine + FLAG) !== 0) {
      // mutant-ok split-read-modify-write: all that another clears meanwhile is a sleeper's bit: one wake-up too many
      Atomics.or(this.words, SPACE_LINE + FLAG, FLAG_WAITER); // P7
      this.alert(true);
    }
    return false;
  }

  private loadHead(): void {
    this.headSeen = Atomics.load(this.words, HEAD); // P3
    const used = (this.tail - this.headSeen) | 0;
    if (used < 0 || used > this.capacity) {
      throw new RingStateError(
        'ERR_RING_CORRUPT',
        `indices contradict each other: head=${this.headSeen}, tail=${this.tail}, capacity=${this.capacity}`,
      ); // L3
    }
    // mutant-ok skip-condition, index-off-by-one: the same counts, stored more often
    if (((this.tail - this.countedAt) | 0) > this.capacity >> 1) this.storeCounts();
  }

  /** @internal */
  storeCounts(): void {
    const { words } = this;
    this.countedAt = this.tail;
    storeCount(words, PRODUCER_COUNTS, this.pushed);
    storeCount(words, PRODUCER_COUNTS + COUNT_WORDS, this.dropped);
    storeCount(words, PRODUCER_COUNTS + 2 * COUNT_WORDS, this.fullHits);
    storeCount(words, PRODUCER_COUNTS + 3 * COUNT_WORDS, this.waiter.parks);
    storeCount(words, PRODUCER_COUNTS + 4 * COUNT_WORDS, this.wakes);
  }

  /** Whether a record may be taken while the state isn't OPEN: false to wait, or throws. @internal */
  admits(): boolean {
    if (this.state === QUEUED) return false;
    if (this.state > OPEN) {
      throw new RingStateError('ERR_RING_ORDER', 'a claim is open: commit or abort it first');
    }
    this.refuseEnded();
  }

  /** @internal */
  refuseEnded(): never {
    const own = readEnd(this.words, PRODUCER_END);
    const end = own ?? readEnd(this.words, CONSUMER_END) ?? { how: 'closed', reason: '' };
    const who = own === undefined ? 'consumer' : 'producer';
    throw new RingClosedError(`the ring's ${who} is ${end.how}: reason=${end.reason}`, end);
  }

  /** @internal */
  refuseOrder(call: string): never {
    throw new RingStateError('ERR_RING_ORDER', `${call} without its counterpart before it`);
  }

  /** Debug mode: finds a second producer, or a second thread. */
  private checkSole(): void {
    checkOwner(this.words, this.owner!);
    // mutant-ok plain-access: the own index; where another stores it, too, everything races
    const tail = Atomics.load(this.words, TAIL);
    if (tail !== this.published) {
      throw new RingStateError(
        'ERR_RING_OWNER',
        `a second producer has stored the tail: tail=${tail}, expected ${this.published}`,
      );
    }
  }
}
