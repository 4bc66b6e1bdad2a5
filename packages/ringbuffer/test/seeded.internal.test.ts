/**
 * Goal: the scenarios of the model checker are sharp enough: each bug that people make in such code is found.
 * Method: replace one method of the real classes by a wrong one, run the scenario that should notice, expect a
 * violation. The right code passes the same scenarios in test/interleave.
 */
import { expect, test } from 'vitest';
import { BroadcastConsumer } from '../src/broadcast-consumer.ts';
import { BroadcastProducer } from '../src/broadcast-producer.ts';
import { RingConsumer } from '../src/consumer.ts';
import { ConsumerEnd } from '../src/consumer-end.ts';
import { endOnce } from '../src/ends.ts';
import { LaneProducer } from '../src/lane-producer.ts';
import { LanesConsumer } from '../src/lanes-consumer.ts';
import { DATA_LINE, HEAD, PRODUCER_END, SPACE_LINE, TAIL } from '../src/layout.ts';
import { RingProducer } from '../src/producer.ts';
import { ProducerEnd } from '../src/producer-end.ts';
import { Reader } from '../src/reader.ts';
import { SlotConsumer } from '../src/slot-consumer.ts';
import { EPOCH, FLAG, FLAG_WAITER, Waiter } from '../src/wait.ts';
import { WorkQueue } from '../src/work-queue.ts';
import { proofs, racyProofs } from './interleave/proofs.ts';

// biome-ignore lint/suspicious/noExplicitAny: seeded bugs reach into private state
type Any = any;

interface Seed {
  readonly bug: string;
  readonly scenario: string;
  readonly of: { readonly prototype: object };
  readonly method: string;
  readonly as: (this: Any, ...args: Any[]) => unknown;
}

const SPSC = 'SPSC 6 pushes x 8 pops, room for 2, from 0, words';
const SIGN = 'SPSC 6 pushes x 8 pops, room for 2, from 2147483640, words';
const BLOCKING = 'SPSC blocking, 3 x 3, room for 2';
const CLOSING = 'SPSC close while the consumer sleeps or works';
const SLOTS = 'SPSC slots, 6 x 8, 2 slots';
const LANES = 'lanes, 2 producers x 1, consumer sleeps';
const QUEUE = 'queue, 2 producers x 2, 1 consumer x 4';
const BROADCAST = 'broadcast, 4 pushes, pops 2, room for 2';

const seeds: readonly Seed[] = [
  {
    bug: 'the tail is published by a plain store',
    scenario: SPSC,
    of: ProducerEnd,
    method: 'storeTail',
    as() {
      this.published = this.tail;
      this.words[TAIL] = this.tail;
    },
  },
  {
    bug: 'a record is published before it is written',
    scenario: SPSC,
    of: RingProducer,
    method: 'tryPush',
    as(source) {
      const at = this.claim(source.length);
      if (at < 0) return false;
      this.commit();
      this.bytes.set(source, at);
      return true;
    },
  },
  {
    bug: 'the tail is read by a plain load',
    scenario: SPSC,
    of: ConsumerEnd,
    method: 'loadTail',
    as() {
      this.tailSeen = this.words[TAIL];
    },
  },
  {
    bug: 'the head is read by a plain load',
    scenario: SPSC,
    of: ProducerEnd,
    method: 'loadHead',
    as() {
      this.headSeen = this.words[HEAD];
    },
  },
  {
    bug: 'a record is freed before it is read',
    scenario: SPSC,
    of: RingConsumer,
    method: 'tryPop',
    as() {
      const from = this.locate(this.head);
      if (from < 0) return undefined;
      const end = this.locatedEnd;
      this.take();
      return this.bytes.slice(from, end);
    },
  },
  {
    bug: 'the ring holds a record too many',
    scenario: SPSC,
    of: ProducerEnd,
    method: 'hasRoom',
    as(total) {
      this.loadHead();
      return this.capacity + 8 - (this.tail - this.headSeen) >= total;
    },
  },
  {
    bug: 'indices are compared without regard to their wrapping',
    scenario: SIGN,
    of: ProducerEnd,
    method: 'hasRoom',
    as(total) {
      this.headSeen = Atomics.load(this.words, HEAD);
      return this.tail + total <= this.headSeen + this.capacity;
    },
  },
  {
    bug: 'the consumer forgets to load the tail again',
    scenario: SPSC,
    of: ConsumerEnd,
    method: 'loadTail',
    as() {
      this.loaded ??= 0;
      if (this.loaded++ < 2) this.tailSeen = Atomics.load(this.words, TAIL);
    },
  },
  {
    bug: 'a publication wakes nobody',
    scenario: BLOCKING,
    of: ProducerEnd,
    method: 'publish',
    as() {
      this.storeTail();
    },
  },
  {
    bug: 'the flag is looked at before the publication',
    scenario: BLOCKING,
    of: ProducerEnd,
    method: 'publish',
    as() {
      const flag: number = Atomics.load(this.dataWords as Int32Array, this.dataLine + FLAG);
      this.storeTail();
      if (flag !== 0) this.alert(false);
    },
  },
  {
    bug: 'a release wakes nobody',
    scenario: BLOCKING,
    of: ConsumerEnd,
    method: 'publish',
    as() {
      this.released = this.head;
      Atomics.store(this.words, HEAD, this.head);
    },
  },
  {
    bug: 'a waiter does not look again before it sleeps',
    scenario: BLOCKING,
    of: Waiter,
    method: 'waitSync',
    as(subject) {
      while (!subject.isReady()) {
        subject.announce();
        Atomics.or(this.words, this.line + FLAG, FLAG_WAITER);
        Atomics.wait(this.words, this.line + EPOCH, Atomics.load(this.words, this.line + EPOCH));
      }
      return true;
    },
  },
  {
    bug: 'a waiter looks again before it raises its flag',
    scenario: BLOCKING,
    of: Waiter,
    method: 'waitSync',
    as(subject) {
      for (;;) {
        const epoch = Atomics.load(this.words, this.line + EPOCH);
        subject.announce();
        if (subject.isReady()) return true;
        Atomics.or(this.words, this.line + FLAG, FLAG_WAITER);
        Atomics.wait(this.words, this.line + EPOCH, epoch);
      }
    },
  },
  {
    bug: 'a waiter reads the epoch after its last look',
    scenario: BLOCKING,
    of: Waiter,
    method: 'waitSync',
    as(subject) {
      for (;;) {
        subject.announce();
        Atomics.or(this.words, this.line + FLAG, FLAG_WAITER);
        if (subject.isReady()) return true;
        const epoch = Atomics.load(this.words, this.line + EPOCH);
        Atomics.wait(this.words, this.line + EPOCH, epoch);
      }
    },
  },
  {
    bug: 'a waker clears the flag but leaves the epoch',
    scenario: BLOCKING,
    of: ProducerEnd,
    method: 'alert',
    as() {
      Atomics.and(this.dataWords, DATA_LINE + FLAG, ~FLAG_WAITER);
      Atomics.notify(this.dataWords, DATA_LINE + EPOCH);
    },
  },
  {
    bug: 'a waker notifies the other line',
    scenario: BLOCKING,
    of: ConsumerEnd,
    method: 'alert',
    as() {
      Atomics.and(this.words, SPACE_LINE + FLAG, ~FLAG_WAITER);
      Atomics.add(this.words, SPACE_LINE + EPOCH, 1);
      Atomics.notify(this.words, DATA_LINE + EPOCH);
    },
  },
  {
    bug: 'close wakes nobody',
    scenario: CLOSING,
    of: ProducerEnd,
    method: 'close',
    as() {
      this.flush();
      endOnce(this.words, PRODUCER_END, 'closed', '');
    },
  },
  {
    bug: 'the end is reported although a record is left',
    scenario: CLOSING,
    of: Reader,
    method: 'readySync',
    as() {
      this.waiter.waitSync(this.subject({}), Infinity);
      return !this.isOver();
    },
  },
  {
    bug: 'a slot is freed before it is read',
    scenario: SLOTS,
    of: SlotConsumer,
    method: 'tryPop',
    as() {
      const from = this.locate(this.head);
      if (from < 0) return undefined;
      this.take();
      return this.bytes.slice(from, from + this.slotBytes);
    },
  },
  {
    bug: 'a lane is marked before its tail is stored',
    scenario: LANES,
    of: LaneProducer,
    method: 'publish',
    as() {
      Atomics.or(this.dataWords, this.dirtyWord, this.dirtyBit);
      this.storeTail();
      const flag: number = Atomics.load(this.dataWords as Int32Array, this.dataLine + FLAG);
      if (flag !== 0) this.alert();
    },
  },
  {
    bug: 'marks of lanes are taken by a load and a store',
    scenario: LANES,
    of: LanesConsumer,
    method: 'collect',
    as() {
      this.dirty[0] |= Atomics.load(this.words, TAIL);
      Atomics.store(this.words, TAIL, 0);
    },
  },
  {
    bug: 'a popper takes an index without comparing',
    scenario: 'queue, 2 producers x 1, 2 consumers x 1',
    of: WorkQueue,
    method: 'reserve',
    as() {
      const index: number = Atomics.load(this.words as Int32Array, HEAD);
      const stamp: number = Atomics.load(this.stamps as Int32Array, index & this.mask);
      if (stamp !== index + 1) return undefined;
      Atomics.store(this.words, HEAD, index + 1);
      return index;
    },
  },
  {
    bug: 'a popped slot is freed before it is read',
    scenario: QUEUE,
    of: WorkQueue,
    method: 'tryPop',
    as() {
      const index = this.reserve();
      if (index === undefined) return undefined;
      const at = (index & this.mask) * this.stride;
      const length = this.lengthAt(at);
      this.complete(index, at);
      return this.bytes.slice(at + 8, at + 8 + length);
    },
  },
  {
    bug: 'a broadcast record is handed out unchecked',
    scenario: BROADCAST,
    of: BroadcastConsumer,
    method: 'isIntact',
    as: () => true,
  },
  {
    bug: 'a broadcast record is checked by a load',
    scenario: BROADCAST,
    of: BroadcastConsumer,
    method: 'isIntact',
    as() {
      const oldest = Atomics.load(this.words, HEAD);
      if (oldest - this.cursor <= 0) return true;
      this.cursor = oldest;
      this.tailSeen = Atomics.load(this.words, TAIL);
      return false;
    },
  },
  {
    bug: 'the broadcast producer does not move the oldest record on',
    scenario: BROADCAST,
    of: BroadcastProducer,
    method: 'evict',
    as() {},
  },
];

test.each(seeds)('$bug', { timeout: 60_000 }, async ({ scenario, of, method, as }) => {
  const proof = [...proofs, ...racyProofs].find(({ name }) => name === scenario);
  expect(proof, scenario).toBeDefined();
  const prototype = of.prototype as Record<string, unknown>;
  const right = prototype[method];
  expect(right, method).toBeTypeOf('function');
  prototype[method] = as;
  try {
    const result = await proof!.run();
    expect(result.verdict).toBe('violation');
    // Found for what it is: not because the wrong method broke down.
    expect(['race', 'linearizability', 'lost-wakeup', 'deadlock']).toContain(result.kind);
  } finally {
    prototype[method] = right;
  }
});
