/**
 * What one thread that has both ends of a ring can notice of a broken end: policies, the order of what waits, what is
 * held back and for how long, ends and counts. For the mutation gate, so that the scenarios can be about what threads
 * do to one another.
 *
 * Checks that wait are run by the model, where what sleeps for ever shows at once; the others aren't.
 */
import { type CheckResult, check, checkAsync } from '@millrace/interleave';
import type { GateScenario } from '@millrace/interleave/mutate';
import type { ProducerOptions, RingHandle } from '@millrace/ringbuffer';
import { type Package, record, valueIn } from './parts.ts';

/** What the gate takes for "not noticed"; a difference is thrown before. */
const fine = (): CheckResult =>
  check({ setup: () => new Int32Array(1), threads: [{ run: () => true }] });

const equal = (found: unknown, expected: unknown, what: string): void => {
  if (!Object.is(found, expected)) throw new Error(`${what}: ${found}, not ${expected}`);
};

/** The code of the error that a call throws, or else what it returns. */
function codeOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
}
const codeAfter = (promise: Promise<unknown>): Promise<unknown> =>
  promise.catch((error) => (error as { code?: string }).code ?? error);

/** A few turns of the microtask queue: what is ready has settled. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await undefined;
};

/** Words of layout.ts, and flags of wait.ts. */
const DATA_LINE = 96;
const SPACE_LINE = 128;
const BELL = 2;
const MIRROR = 4;

const quiet = { spin: 0, ref: false };
const long = (value: number): Uint8Array => {
  const bytes = new Uint8Array(12);
  bytes.set(record(value));
  return bytes;
};

/** Returns the checks of a build of the package. */
export function sidesAloneOf(ring: Package): readonly GateScenario[] {
  const both = (handle: RingHandle, options: ProducerOptions = {}) => ({
    producer: ring.attachProducer(handle, { ...quiet, ...options }),
    consumer: ring.attachConsumer(handle, quiet),
  });
  const create = (capacity: number): RingHandle => ring.createRing({ capacity }).handle;

  const plain = (name: string, run: () => void | Promise<void>): GateScenario => ({
    name: `one thread, ${name}`,
    run: async () => {
      await run();
      return fine();
    },
  });
  const waiting = (
    name: string,
    run: (handle: RingHandle) => Promise<void>,
    setup = () => create(16),
  ): GateScenario => ({
    name: `one thread, ${name}`,
    run: () =>
      checkAsync({
        name,
        setup,
        threads: [
          {
            run: async (handle) => {
              await run(handle);
              return 'ended';
            },
          },
        ],
        final: (_handle, results) => results.join() === 'ended' || 'it never ended',
        bounds: { opSteps: 600 },
      }),
  });

  return [
    waiting('policies: a full ring fails', async (handle) => {
      const { producer } = both(handle, { full: 'fail' });
      equal(await codeAfter(producer.push(record(1))), true, 'push with room');
      equal(producer.pushSync(record(2)), true, 'pushSync with room');
      equal(await codeAfter(producer.push(record(3))), 'ERR_RING_FULL', 'push');
      equal(await codeAfter(producer.pushMany([record(3)])), 'ERR_RING_FULL', 'pushMany');
      equal(
        codeOf(() => producer.pushSync(record(3))),
        'ERR_RING_FULL',
        'pushSync',
      );
    }),
    waiting('policies: a full ring drops', async (handle) => {
      const { producer } = both(handle, { full: 'drop-newest' });
      equal(await producer.pushMany([record(1)]), true, 'pushMany with room');
      equal(await producer.push(record(2)), true, 'push with room');
      equal(await producer.push(record(3)), false, 'push');
      equal(await producer.pushMany([record(3)]), false, 'pushMany');
      equal(producer.pushSync(record(3)), false, 'pushSync');
    }),
    waiting(
      'P6: a short push waits behind a long one',
      async (handle) => {
        const { producer, consumer } = both(handle);
        producer.tryPush(record(1));
        producer.tryPush(long(2)); // 8 of 32 bytes are free
        const order: number[] = [];
        const first = producer.push(long(3)).then(() => order.push(3));
        const second = producer.push(record(4)).then(() => order.push(4));
        await settle();
        equal(order.length, 0, 'pushes that are over');
        equal(producer.tryPush(record(5)), false, 'tryPush while others wait');
        equal(valueIn(consumer.tryPop()), 1, 'the first');
        equal(valueIn(consumer.tryPop()?.subarray(0, 4)), 2, 'the second');
        await Promise.all([first, second]);
        equal(order.join(), '3,4', 'order');
        equal(valueIn(consumer.tryPop()?.subarray(0, 4)), 3, 'the third');
        equal(valueIn(consumer.tryPop()), 4, 'the fourth');
        equal(producer.tryPush(record(5)), true, 'tryPush afterwards');
      },
      () => create(32),
    ),
    waiting(
      'P6: a long push waits behind a short one, which needs less',
      async (handle) => {
        const { producer, consumer } = both(handle);
        for (let value = 1; value <= 4; value++) producer.tryPush(record(value));
        const first = producer.pushMany([record(5)]);
        const second = producer.push(long(6));
        await settle();
        consumer.tryPop();
        equal(await first, true, 'the short one');
        equal(producer.tryPush(record(7)), false, 'tryPush while another waits');
        for (let value = 2; value <= 4; value++) consumer.tryPop();
        equal(await second, true, 'the long one');
      },
      () => create(32),
    ),
    waiting('waits without time', async (handle) => {
      const { producer, consumer } = both(handle);
      const none = { timeoutMs: 0 };
      equal(await consumer.ready(none), false, 'consumer, empty');
      equal(consumer.readySync(none), false, 'consumer, empty, blocking');
      equal(await producer.ready(4, none), true, 'producer, with room');
      for (const value of [1, 2]) producer.tryPush(record(value));
      equal(await consumer.ready(none), true, 'consumer');
      equal(await producer.ready(4, none), false, 'producer');
      equal(producer.readySync(4, none), false, 'producer, blocking');
      equal(await producer.push(record(3), none), false, 'push');
      equal(producer.pushSync(record(3), none), false, 'pushSync');
      equal(valueIn(consumer.tryPop()), 1, 'taken');
      equal(producer.tryPush(record(3)), true, 'tryPush afterwards');
    }),
    waiting('closing rejects what waits, and what comes later', async (handle) => {
      const { producer } = both(handle);
      for (const value of [1, 2]) producer.tryPush(record(value));
      const waits = [3, 4].map((value) => codeAfter(producer.push(record(value))));
      await settle();
      producer.close();
      for (const wait of waits) equal(await wait, 'ERR_RING_CLOSED', 'a push that waited');
      equal(
        codeOf(() => producer.tryPush(record(5))),
        'ERR_RING_CLOSED',
        'a push afterwards',
      );
    }),
    waiting('closing rejects the one that waits', async (handle) => {
      const { producer } = both(handle);
      for (const value of [1, 2]) producer.tryPush(record(value));
      const wait = codeAfter(producer.push(record(3)));
      await settle();
      producer.close();
      equal(await wait, 'ERR_RING_CLOSED', 'the push that waited');
      equal(
        codeOf(() => producer.tryPush(record(4))),
        'ERR_RING_CLOSED',
        'a push afterwards',
      );
    }),
    waiting('a closed consumer is noticed by a push that finds no room', async (handle) => {
      const { producer, consumer } = both(handle);
      for (const value of [1, 2]) producer.tryPush(record(value));
      consumer.close();
      equal(await codeAfter(producer.push(record(3))), 'ERR_RING_CLOSED', 'push');
      equal(
        codeOf(() => producer.tryPush(record(3))),
        'ERR_RING_CLOSED',
        'tryPush',
      );
    }),
    plain('a closed consumer is noticed by the next publication', () => {
      const { producer, consumer } = both(create(16));
      consumer.close();
      consumer.close();
      equal(producer.tryPush(record(1)), true, 'the first');
      equal(
        codeOf(() => producer.tryPush(record(2))),
        'ERR_RING_CLOSED',
        'the second',
      );
    }),
    plain('who was declared dead publishes nothing more', () => {
      for (const debug of [false, true]) {
        const handle = create(64);
        const { producer, consumer } = both(handle, { debug });
        producer.cork();
        producer.tryPush(record(1));
        ring.markDead(handle, 'producer');
        equal(consumer.closed, true, 'closed');
        producer.close();
        equal(consumer.tryPop(), undefined, 'a record after the end');
      }
    }),
    plain('P1: an aborted claim leaves nothing', () => {
      const { producer, consumer } = both(create(16));
      producer.claim(4);
      producer.abort();
      equal(consumer.tryPop(), undefined, 'a record');
      equal(producer.freeBytes, 16, 'free');
      equal(
        codeOf(() => producer.abort()),
        'ERR_RING_ORDER',
        'abort again',
      );
    }),
    plain('publication: at the end of a tick, and never while corked', async () => {
      const { producer, consumer } = both(create(16), { publish: 'tick' });
      producer.tryPush(record(1));
      equal(consumer.tryPop(), undefined, 'within the tick');
      await settle();
      equal(valueIn(consumer.tryPop()), 1, 'after the tick');
      producer.tryPush(record(2));
      await settle();
      equal(valueIn(consumer.tryPop()), 2, 'after the next tick');
      producer.tryPush(record(3));
      producer.cork();
      producer.cork();
      await settle();
      equal(consumer.tryPop(), undefined, 'corked twice');
      producer.uncork();
      equal(consumer.tryPop(), undefined, 'corked once');
      producer.uncork();
      equal(valueIn(consumer.tryPop()), 3, 'uncorked');
      equal(
        codeOf(() => producer.uncork()),
        'ERR_RING_ORDER',
        'uncorked again',
      );
    }),
    plain('publication: more than a quarter of the ring within one tick', () => {
      const handle = create(64);
      const { producer } = both(handle, { publish: 'tick' });
      const used: number[] = [];
      for (let value = 1; value <= 6; value++) {
        producer.tryPush(record(value));
        used.push(ring.readStats(handle).used);
      }
      equal(used.join(), '0,0,24,24,24,48', 'bytes published');
    }),
    plain('release: as soon as more than so many bytes are free, or by flush', () => {
      const handle = create(64);
      const producer = ring.attachProducer(handle, quiet);
      const consumer = ring.attachConsumer(handle, { ...quiet, releaseBytes: 16 });
      for (let value = 1; value <= 8; value++) producer.tryPush(record(value));
      const free: number[] = [];
      for (let value = 1; value <= 3; value++) {
        consumer.tryPop();
        free.push(producer.freeBytes);
      }
      for (let count = 1; count <= 3; count++) {
        consumer.peek();
        consumer.release();
        free.push(producer.freeBytes);
      }
      consumer.tryPop();
      consumer.flush();
      free.push(producer.freeBytes);
      equal(free.join(), '0,0,24,24,24,48,56', 'free');
    }),
    plain('peek holds what there is, and nothing else', () => {
      const { producer, consumer } = both(create(16));
      equal(consumer.peek(), -1, 'peek, empty');
      equal(consumer.held, 0, 'held, empty');
      producer.tryPush(record(1));
      equal(valueIn(consumer.tryPop()), 1, 'taken');
      const { handle } = ring.createSlotRing({ slotCount: 2, slotBytes: 4 });
      ring.attachSlotProducer(handle, quiet).tryPush(record(2));
      const slots = ring.attachSlotConsumer(handle, quiet);
      equal(slots.peek(), 0, 'peek, first slot');
      equal(slots.held, 1, 'held');
      slots.release();
    }),
    plain('batches hold what there is', () => {
      const { producer, consumer } = both(create(64));
      for (let value = 1; value <= 3; value++) producer.tryPush(record(value));
      producer.close();
      equal(consumer.closed, false, 'closed');
      equal(
        consumer.drain(() => {}),
        3,
        'drained',
      );
      equal(consumer.closed, true, 'closed');
    }),
    waiting(
      'P7: a watermark gives way to a producer that waits, however it does',
      async (handle) => {
        const producer = ring.attachProducer(handle, { ...quiet, strategy: 'poll' });
        const consumer = ring.attachConsumer(handle, quiet);
        producer.tryPush(record(1));
        const pushed = producer.push(long(2));
        await settle();
        equal(await consumer.ready({ bytes: 16 }), true, 'ready');
        equal(valueIn(consumer.tryPop()), 1, 'the first');
        await pushed;
      },
      () => ring.createRing({ capacity: 32, startIndex: 12 }).handle,
    ),
    waiting(
      'P7: a watermark gives way to a producer that has no room, and tries only',
      async (handle) => {
        const { producer, consumer } = both(handle);
        const ready = consumer.ready({ bytes: 16 });
        await settle();
        producer.tryPush(record(1));
        equal(producer.tryPush(long(2)), false, 'the long one, without a skip');
        equal(await ready, true, 'ready');
      },
      () => ring.createRing({ capacity: 32, startIndex: 12 }).handle,
    ),
    plain('debug mode finds a second producer, and a second consumer', () => {
      const [one, two] = [create(64), create(64)];
      const owner = ring.attachProducer(one, { ...quiet, debug: true });
      equal(owner.tryPush(record(1)), true, 'the first push');
      equal(owner.tryPush(record(1)), true, 'the second push');
      ring.attachProducer(one, quiet).tryPush(record(2));
      equal(
        codeOf(() => owner.tryPush(record(3))),
        'ERR_RING_OWNER',
        "a push after another's",
      );
      const reader = ring.attachConsumer(two, { ...quiet, debug: true });
      const producer = ring.attachProducer(two, quiet);
      for (let value = 1; value <= 4; value++) producer.tryPush(record(value));
      equal(valueIn(reader.tryPop()), 1, 'the first pop');
      equal(valueIn(reader.tryPop()), 2, 'the second pop');
      ring.attachConsumer(two, quiet).tryPop();
      equal(
        codeOf(() => reader.tryPop()),
        'ERR_RING_OWNER',
        "a pop after another's",
      );
    }),
    plain('debug mode lets another take over after detach, and what was pushed is there', () => {
      const handle = create(64);
      const owner = ring.attachProducer(handle, { ...quiet, debug: true });
      owner.cork();
      owner.tryPush(record(1));
      equal(
        codeOf(() => ring.attachProducer(handle, { ...quiet, debug: true })),
        'ERR_RING_OWNER',
        'attach',
      );
      owner.detach();
      ring.attachProducer(handle, { ...quiet, debug: true }).tryPush(record(2));
      const reader = ring.attachConsumer(handle, { ...quiet, debug: true });
      equal(valueIn(reader.tryPop()), 1, 'the first');
      reader.close();
      equal(
        valueIn(ring.attachConsumer(handle, { ...quiet, debug: true }).tryPop()),
        2,
        'the second',
      );
    }),
    plain('counts: wakes of those who sleep, and the most that was there', () => {
      const handle = create(64);
      const { producer, consumer } = both(handle);
      const words = new Int32Array(handle.buffer as SharedArrayBuffer);
      for (let value = 1; value <= 3; value++) producer.tryPush(record(value));
      for (const flag of [MIRROR, BELL]) {
        for (const line of [DATA_LINE, SPACE_LINE]) Atomics.store(words, line, flag);
        consumer.tryPop();
        producer.tryPush(record(4));
      }
      for (let value = 1; value <= 3; value++) consumer.tryPop();
      producer.tryPush(record(5));
      consumer.tryPop();
      producer.close();
      consumer.close();
      const { pushed, popped, highWater, producerWakes, consumerWakes } = ring.readStats(handle);
      equal([pushed, popped, highWater].join(), '6,6,24', 'pushed, popped, highWater');
      equal([producerWakes, consumerWakes].join(), '1,1', 'wakes');
    }),
  ];
}
