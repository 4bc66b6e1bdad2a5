/**
 * Many producers, one consumer: a lane, which is a byte ring, per producer, and a word that says which lanes
 * have news.
 *
 * Producers share nothing but that word, so they never contend, none can block another, and a producer killed
 * at any instruction leaves its own lane at a record border (P5). A ring that producers claim by
 * compare-and-swap has neither property, and is slower.
 *
 * ```text
 * byte 0                1024                      1024 + laneBytes
 *      +-----------------+-------------------------+-------------------------+
 *      | group block     | lane 0: control | data  | lane 1: control | data  | ...   laneBytes = ringBytes(capacity)
 *      +-----------------+-------------------------+-------------------------+
 * group block: identity (capacity of a lane, start index, -, laneCount), line 1: dirty words, 32 lanes a word;
 *              line 2: the next sequence number (total order); line 3: the wait line of the consumer;
 *              line 7: the consumer's end.
 * ```
 * group words: DIRTY = 32.., SEQUENCE = 64; lane words: CLAIMING = 33 (`lane-producer.ts`).
 *
 * N1: a lane publishes its tail before it looks at its dirty bit, and sets it if it isn't set; the consumer takes
 *     all bits by an exchange before it loads tails. So a published record has its bit set, or the consumer that
 *     took the bit loads a tail that covers it.
 * N2: the consumer keeps the bits that it took and hasn't worked off in a local word.
 * N3: total order: a producer stores `claiming`, takes a number by `Atomics.add`, publishes its record with the
 *     number in front, then clears `claiming`. When number n is at no lane's head and no lane is claiming, and
 *     it still is at no head on a second look, its taker has died: n is skipped and counted.
 * N4: total order: a consumer expects the next number that will be taken. What has a lower one, because it was pushed
 *     before the consumer came, is taken first, the lowest that is there. Pushes that were under way may come later
 *     then: until all lanes were seen without a claim, a second look confirms what the first one found. A lower number
 *     that it misses was published later, so its push was not over when that of the higher one began.
 *
 * Proved by the scenarios of test/interleave/lanes-scenarios.ts; N3 and N4 by `lanes in total order, 2 producers x 2,
 * 4 pops` and `lanes in total order, producer killed at any point`.
 *
 * Order: records of one producer stay in order. Between producers there is none, unless the group was created
 * with `order: 'total'`, which costs each producer an `Atomics.add` on a shared word and publishes each record.
 *
 * Cost: a push as in a byte ring, plus one Atomics.load per publication; a drain visits dirty lanes only.
 */
import { RingRangeError, RingStateError, RingTypeError } from './errors.ts';
import { LaneProducer, TotalLaneProducer } from './lane-producer.ts';
import { LanesConsumer } from './lanes-consumer.ts';
import {
  CAPACITY,
  CONTROL_BYTES,
  COUNT,
  checkCapacity,
  controlWords,
  DATA_LINE,
  type EndMemory,
  formatRing,
  KIND_LANES,
  PRODUCER_OWNER,
  SLOT_BYTES,
  writeIdentity,
} from './layout.ts';
import type { ConsumerOptions, ProducerOptions } from './options.ts';
import {
  allocate,
  endFromOutside,
  locationOf,
  openControl,
  openRing,
  type RingHandle,
  ringBytes,
} from './ring.ts';

const LANES_MAX = 1024;

/** Settings of a new group of lanes. */
export interface LanesOptions {
  /** Producers at a time (count, 1 to 1024). */
  readonly laneCount: number;
  /**
   * Bytes of each lane: a power of two from 16 to 2^30.
   *
   * @defaultValue 65536
   */
  readonly capacity?: number;
  /**
   * `lane`: records of one producer are in order. `total`: all records are, by the moment of their push
   * (scenario `lanes in total order, 2 producers x 2, 4 pops`).
   *
   * @defaultValue 'lane'
   */
  readonly order?: 'lane' | 'total';
  /** Memory to use instead of new memory. */
  readonly buffer?: SharedArrayBuffer;
  /**
   * Where to begin in `buffer` (bytes, a multiple of 128).
   *
   * @defaultValue 0
   */
  readonly byteOffset?: number;
  /**
   * Index at which traffic begins (a multiple of 4). For tests.
   *
   * @defaultValue 0
   */
  readonly startIndex?: number;
}

/** A new group of lanes. */
export interface Lanes {
  /** What the other threads need. */
  readonly handle: RingHandle;
  /** How many lanes there are. */
  readonly laneCount: number;
}

/**
 * Returns how much memory a group of lanes takes (bytes).
 *
 * @param laneCount - as for {@link createLanes}
 * @param capacity - as for {@link createLanes}
 */
export function lanesBytes(laneCount: number, capacity: number): number {
  return CONTROL_BYTES + laneCount * ringBytes(capacity);
}

/**
 * Creates a group of lanes: many producers, each with a ring of its own, and one consumer.
 *
 * @throws {RingRangeError} If `laneCount` or `capacity` is out of range.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachLane, attachLanesConsumer, createLanes } from '@millrace/ringbuffer';
 *
 * const { handle } = createLanes({ laneCount: 4 });
 * const first = attachLane(handle); // takes a free lane
 * const second = attachLane(handle);
 * first.tryPush(Uint8Array.of(1));
 * second.tryPush(Uint8Array.of(2));
 *
 * const consumer = attachLanesConsumer(handle);
 * const seen: string[] = [];
 * consumer.drain((bytes, start, end, kind, lane) => void seen.push(`${lane}: ${bytes[start]}`));
 * assert.deepEqual(seen, ['0: 1', '1: 2']);
 * ```
 */
export function createLanes(options: LanesOptions): Lanes {
  const { laneCount, capacity = 65536, byteOffset = 0, startIndex = 0 } = options;
  if (!(Number.isInteger(laneCount) && laneCount >= 1 && laneCount <= LANES_MAX)) {
    throw new RingRangeError(
      'ERR_RING_CAPACITY',
      `laneCount must be an integer from 1 to ${LANES_MAX}: laneCount=${laneCount}`,
    );
  }
  checkCapacity(capacity);
  const bytes = lanesBytes(laneCount, capacity);
  const buffer = options.buffer ?? allocate(byteOffset + bytes);
  const words = controlWords(buffer, byteOffset, bytes);
  words.fill(0);
  for (let lane = 0; lane < laneCount; lane++) {
    const at = byteOffset + CONTROL_BYTES + lane * ringBytes(capacity);
    formatRing(buffer, at, capacity, startIndex);
  }
  const total = options.order === 'total' ? 1 : 0;
  writeIdentity(words, KIND_LANES, [capacity, startIndex | 0, total, laneCount]);
  return { handle: { buffer, byteOffset }, laneCount };
}

/** The parts of a group. @internal */
export interface Group {
  readonly words: Int32Array;
  readonly laneCount: number;
  readonly total: boolean;
  readonly lane: (index: number) => EndMemory;
}

function openLanes(handle: RingHandle | SharedArrayBuffer): Group {
  const { buffer, byteOffset } = locationOf(handle);
  const words = openControl(handle, [KIND_LANES]);
  const laneCount = words[COUNT]!;
  const capacity = words[CAPACITY]!;
  if (!(laneCount >= 1 && laneCount <= LANES_MAX)) {
    throw new RingTypeError('ERR_RING_FORMAT', `control block is damaged: laneCount=${laneCount}`);
  }
  const laneBytes = ringBytes(capacity);
  return {
    words,
    laneCount,
    total: words[SLOT_BYTES] === 1,
    lane: (index) => {
      const memory = openRing({
        buffer,
        byteOffset: byteOffset + CONTROL_BYTES + index * laneBytes,
      });
      return { ...memory, dataWords: words, dataLine: DATA_LINE };
    },
  };
}

/** Options of a lane's producer. */
export interface LaneOptions extends ProducerOptions {
  /**
   * Which lane (index, 0 to `laneCount` - 1).
   *
   * @defaultValue the first that nobody has taken
   */
  readonly lane?: number;
}

/**
 * Takes a lane and attaches to its producing end. Do it in the thread that will push.
 *
 * @throws {RingRangeError} If there is no such lane.
 * @throws {RingStateError} With `ERR_RING_OWNER` if the lane, or each lane, is taken.
 */
export function attachLane(
  handle: RingHandle | SharedArrayBuffer,
  options: LaneOptions = {},
): LaneProducer {
  const group = openLanes(handle);
  const { lane } = options;
  if (lane !== undefined && !(Number.isInteger(lane) && lane >= 0 && lane < group.laneCount)) {
    throw new RingRangeError(
      'ERR_RING_ARGUMENT',
      `lane must be an integer from 0 to ${group.laneCount - 1}: lane=${lane}`,
    );
  }
  const first = lane ?? 0;
  const last = lane ?? group.laneCount - 1;
  for (let index = first; index <= last; index++) {
    const memory = group.lane(index);
    if (Atomics.compareExchange(memory.words, PRODUCER_OWNER, 0, index + 1) === 0) {
      const settings = { ...options, debug: false };
      return group.total
        ? new TotalLaneProducer(memory, settings, index)
        : new LaneProducer(memory, settings, index);
    }
  }
  throw new RingStateError(
    'ERR_RING_OWNER',
    `no lane is free: lane=${lane ?? 'any'}, laneCount=${group.laneCount}`,
  );
}

/**
 * Attaches to the consuming end of a group of lanes.
 *
 * @throws {RingTypeError} If the memory holds no group of lanes of this version.
 */
export function attachLanesConsumer(
  handle: RingHandle | SharedArrayBuffer,
  options: ConsumerOptions = {},
): LanesConsumer {
  return new LanesConsumer(openLanes(handle), options);
}

/**
 * Ends a lane from outside, because the thread of its producer has died.
 *
 * Concurrency: any thread, at any time.
 *
 * @param lane - which one; see `LaneProducer.lane`
 * @param reason - for the consumer
 * @returns whether this call ended it
 */
export function markLaneDead(
  handle: RingHandle | SharedArrayBuffer,
  lane: number,
  reason = '',
): boolean {
  const group = openLanes(handle);
  const { words } = group.lane(lane);
  return endFromOutside(words, group.words, DATA_LINE, 'producer', reason);
}
