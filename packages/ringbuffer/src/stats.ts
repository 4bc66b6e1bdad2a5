/**
 * Looking at a ring from outside: counts, and a picture for debugging.
 *
 * Everything here only loads; it may run in any thread at any time and disturbs nobody. While the ring is in
 * use, the figures are of slightly different moments; counts lag behind by at most half a ring of traffic and
 * are exact once their thread sleeps or has closed its end.
 */
import { COUNT_WORDS, loadCount } from './counts.ts';
import { readEnd } from './ends.ts';
import type { RingEnd } from './errors.ts';
import { halfDoneIn, stampsOf } from './half-done.ts';
import {
  CAPACITY,
  CONSUMER_COUNTS,
  CONSUMER_END,
  CONTROL_BYTES,
  COUNT,
  DATA_LINE,
  HEAD,
  KIND,
  KIND_BROADCAST,
  KIND_BYTES,
  KIND_LANES,
  KIND_QUEUE,
  KIND_SHIFT,
  KIND_SLOTS,
  LENGTH_MASK,
  PAD_MASK,
  PAD_SHIFT,
  PRODUCER_COUNTS,
  PRODUCER_END,
  recordBytes,
  SKIP,
  SLOT_BYTES,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import { locationOf, openControl, type RingHandle, ringBytes } from './ring.ts';
import { FLAG, FLAG_SLEEPER } from './wait.ts';

/** What a ring's memory says about it. */
export interface RingStats {
  /** Which kind of ring. */
  readonly kind: 'bytes' | 'slots' | 'lanes' | 'broadcast' | 'queue';
  /** Size: bytes, or slots. */
  readonly capacity: number;
  /** What is published and not released, in the unit of `capacity`. */
  readonly used: number;
  /** Most that was used when the consumer looked, in the unit of `capacity`. */
  readonly highWater: number;
  /** Records pushed (count). */
  readonly pushed: number;
  /** Records taken (count). */
  readonly popped: number;
  /** Records dropped by the policy `drop-newest`, or overwritten in a broadcast ring (count). */
  readonly dropped: number;
  /** How often a push found no room (count). */
  readonly fullHits: number;
  /** How often the producer slept, and woke the consumer (count). */
  readonly producerParks: number;
  /** How often the producer woke the consumer (count). */
  readonly producerWakes: number;
  /** How often the consumer slept (count). */
  readonly consumerParks: number;
  /** How often the consumer woke the producer (count). */
  readonly consumerWakes: number;
  /** Whether a consumer may be asleep now. */
  readonly consumerWaits: boolean;
  /** Whether a producer may be asleep now. */
  readonly producerWaits: boolean;
  /** How the producer, or the queue, ended. */
  readonly producerEnd: RingEnd | undefined;
  /** How the consumer ended. */
  readonly consumerEnd: RingEnd | undefined;
  /** The same of each lane, in a group of lanes; else empty. */
  readonly lanes: readonly RingStats[];
}

const KINDS: Readonly<Record<number, RingStats['kind']>> = {
  [KIND_BYTES]: 'bytes',
  [KIND_SLOTS]: 'slots',
  [KIND_LANES]: 'lanes',
  [KIND_BROADCAST]: 'broadcast',
  [KIND_QUEUE]: 'queue',
};
const ANY_KIND: readonly number[] = [
  KIND_BYTES,
  KIND_SLOTS,
  KIND_LANES,
  KIND_BROADCAST,
  KIND_QUEUE,
];

/**
 * Reads the counts of a ring of any kind.
 *
 * Concurrency: any thread, at any time.
 *
 * @throws {RingTypeError} If the memory holds no ring of this version.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachProducer, createRing, readStats } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing({ capacity: 1024 });
 * const producer = attachProducer(handle);
 * producer.tryPush(new Uint8Array(60));
 * producer.close('done');
 * const { pushed, used, producerEnd } = readStats(handle);
 * assert.deepEqual([pushed, used, producerEnd?.reason], [1, 64, 'done']);
 * ```
 */
export function readStats(handle: RingHandle | SharedArrayBuffer): RingStats {
  const words = openControl(handle, ANY_KIND);
  const kind = KINDS[words[KIND]!]!;
  const lanes = kind === 'lanes' ? lanesOf(handle, words).map(readStats) : [];
  const sum = (pick: (stats: RingStats) => number, own: number): number =>
    lanes.reduce((total, lane) => total + pick(lane), own);
  const produced = (index: number): number =>
    loadCount(words, PRODUCER_COUNTS + index * COUNT_WORDS);
  const consumed = (index: number): number =>
    loadCount(words, CONSUMER_COUNTS + index * COUNT_WORDS);
  const head = Atomics.load(words, HEAD);
  const used = kind === 'lanes' ? 0 : (Atomics.load(words, TAIL) - head) | 0;
  const waits = (line: number): boolean => (Atomics.load(words, line + FLAG) & FLAG_SLEEPER) !== 0;
  return {
    kind,
    capacity: words[CAPACITY]!,
    used: sum((lane) => lane.used, Math.max(0, used)),
    highWater: sum((lane) => lane.highWater, consumed(1)),
    pushed: sum((lane) => lane.pushed, produced(0)),
    popped: sum((lane) => lane.popped, consumed(0)),
    dropped: sum((lane) => lane.dropped, produced(1)),
    fullHits: sum((lane) => lane.fullHits, produced(2)),
    producerParks: sum((lane) => lane.producerParks, produced(3)),
    producerWakes: sum((lane) => lane.producerWakes, produced(4)),
    consumerParks: sum((lane) => lane.consumerParks, consumed(2)),
    consumerWakes: sum((lane) => lane.consumerWakes, consumed(3)),
    consumerWaits: waits(DATA_LINE),
    producerWaits: kind !== 'lanes' && waits(SPACE_LINE),
    producerEnd: readEnd(words, PRODUCER_END),
    consumerEnd: readEnd(words, CONSUMER_END),
    lanes,
  };
}

function lanesOf(handle: RingHandle | SharedArrayBuffer, words: Int32Array): RingHandle[] {
  const { buffer, byteOffset } = locationOf(handle);
  const laneBytes = ringBytes(words[CAPACITY]!);
  return Array.from({ length: words[COUNT]! }, (_, lane) => ({
    buffer,
    byteOffset: byteOffset + CONTROL_BYTES + lane * laneBytes,
  }));
}

const WIDTH = 64;
const RECORDS_SHOWN = 8;

/**
 * Draws a ring as text, for a person who debugs.
 *
 * Concurrency: any thread, at any time; a ring in use may show records of two moments.
 *
 * @returns a few lines; no stable format
 * @throws {RingTypeError} If the memory holds no ring of this version.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachProducer, createRing, inspect } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing({ capacity: 64 });
 * attachProducer(handle).tryPush(new Uint8Array(12));
 * assert.match(inspect(handle), /16 of 64 bytes used/);
 * assert.match(inspect(handle), /\[#{16}\.{48}\]/);
 * ```
 */
export function inspect(handle: RingHandle | SharedArrayBuffer): string {
  const words = openControl(handle, ANY_KIND);
  const stats = readStats(handle);
  const lines = [headline(stats, words)];
  if (stats.kind === 'lanes') {
    for (const [lane, memory] of lanesOf(handle, words).entries()) {
      lines.push(
        `lane ${lane}:`,
        ...inspect(memory)
          .split('\n')
          .map((line) => `  ${line}`),
      );
    }
  } else {
    const head = Atomics.load(words, HEAD) & (stats.capacity - 1);
    lines.push(
      bar(head, stats),
      `head ${head}, tail ${Atomics.load(words, TAIL) & (stats.capacity - 1)}`,
    );
  }
  if (stats.kind === 'bytes') lines.push(records(handle, words));
  if (stats.kind === 'queue') lines.push(...halfDoneLines(handle, words));
  lines.push(
    side('producer', stats.producerEnd, stats.producerWaits, {
      pushed: stats.pushed,
      dropped: stats.dropped,
      'times full': stats.fullHits,
      'times asleep': stats.producerParks,
      'wake-ups given': stats.producerWakes,
    }),
    side('consumer', stats.consumerEnd, stats.consumerWaits, {
      popped: stats.popped,
      'most used': stats.highWater,
      'times asleep': stats.consumerParks,
      'wake-ups given': stats.consumerWakes,
    }),
  );
  return lines.join('\n');
}

/** Where a work queue stands still, if anywhere. */
function halfDoneLines(handle: RingHandle | SharedArrayBuffer, words: Int32Array): string[] {
  const { buffer, byteOffset } = locationOf(handle);
  const found = halfDoneIn(words, stampsOf(buffer, byteOffset, words[CAPACITY]!));
  return found === undefined ? [] : [`half done: a ${found.call} in slot ${found.slot}`];
}

function headline({ kind, used, capacity }: RingStats, words: Int32Array): string {
  if (kind === 'lanes') return `group of ${words[COUNT]} lanes: ${used} bytes used`;
  const slot = kind === 'slots' || kind === 'queue';
  const unit = slot ? `slots of ${words[SLOT_BYTES]} bytes` : 'bytes';
  return `${kind} ring: ${used} of ${capacity} ${unit} used`;
}

/** The data region, scaled: `#` where something lies. */
function bar(head: number, { used, capacity }: RingStats): string {
  const cells = Math.min(WIDTH, capacity);
  const scale = capacity / cells;
  let picture = '';
  for (let cell = 0; cell < cells; cell++) {
    const from = (cell * scale - head + capacity) % capacity;
    const overlaps = from < used || from + scale > capacity;
    picture += used > 0 && overlaps ? '#' : '.';
  }
  return `[${picture}]`;
}

/** The oldest records of a byte ring; stops where a header makes no sense. */
function records(handle: RingHandle | SharedArrayBuffer, words: Int32Array): string {
  const { buffer, byteOffset } = locationOf(handle);
  const capacity = words[CAPACITY]!;
  const data = new Int32Array(buffer, byteOffset + CONTROL_BYTES, capacity >> 2);
  const tail = Atomics.load(words, TAIL);
  let at = Atomics.load(words, HEAD);
  const shown: string[] = [];
  while (((tail - at) | 0) > 0 && shown.length < RECORDS_SHOWN) {
    const offset = at & (capacity - 1);
    const header = data[offset >> 2]!;
    if (header === SKIP) {
      at = (at + capacity - offset) | 0;
      continue;
    }
    const length = header & LENGTH_MASK;
    const size = recordBytes(length, (header >>> PAD_SHIFT) & PAD_MASK);
    if (size > ((tail - at) | 0)) {
      shown.push(`damaged header 0x${(header >>> 0).toString(16)} at ${offset}`);
      break;
    }
    shown.push(`${length} bytes at ${offset}${header >>> KIND_SHIFT ? ' (kind 1)' : ''}`);
    at = (at + size) | 0;
  }
  const more = ((tail - at) | 0) > 0 ? ', ...' : '';
  return `records: ${shown.join(', ') || 'none'}${more}`;
}

function side(
  name: string,
  end: RingEnd | undefined,
  waits: boolean,
  counts: Readonly<Record<string, number>>,
): string {
  const reason = end === undefined || end.reason === '' ? '' : ` (${end.reason})`;
  const state = end === undefined ? (waits ? 'may be asleep' : 'open') : `${end.how}${reason}`;
  const figures = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  return `${name}: ${state}; ${figures.join(', ')}`;
}
