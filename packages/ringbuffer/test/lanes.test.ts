// Goal: a group of lanes delivers each producer's records in order, or all of them in one order, whatever
// producers do and wherever they die. Method: a property in one thread against queues, then real workers.
import { Worker } from 'node:worker_threads';
import { fc, test as property } from '@fast-check/vitest';
import {
  attachLane,
  attachLanesConsumer,
  createLanes,
  DRAIN_ABORT,
  DRAIN_STOP,
  markLaneDead,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const numRuns = Number(process.env['FC_RUNS'] ?? 300);
const scale = numRuns / 300;
const names = ['push', 'many', 'claim', 'drain', 'pop', 'flush'] as const;

property.prop(
  [
    fc.record({
      laneCount: fc.constantFrom(1, 3, 40),
      capacity: fc.constantFrom(32, 64, 256),
      order: fc.constantFrom('lane' as const, 'total' as const),
      startIndex: fc.constantFrom(0, 2 ** 31 - 8),
      publish: fc.constantFrom('each' as const, 24),
      calls: fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(39), fc.nat(6)), {
        maxLength: 150,
      }),
    }),
  ],
  { numRuns },
)('lanes are queues, or one queue', (given) => {
  const { handle } = createLanes(given);
  const consumer = attachLanesConsumer(handle);
  const lanes = Array.from({ length: given.laneCount }, () => attachLane(handle, given));
  const total = given.order === 'total';
  const queues: number[][] = lanes.map(() => []);
  const order: number[] = [];
  let serial = 0;
  const record = (length: number): Uint8Array => {
    const bytes = new Uint8Array(2 + (length % 4)).fill(7);
    bytes[0] = serial;
    bytes[1] = serial >> 8;
    return bytes;
  };
  const sent = (lane: number): void => {
    queues[lane]!.push(serial);
    order.push(serial++);
  };
  const received = (bytes: Uint8Array, start: number, lane: number): void => {
    const found = bytes[start]! | (bytes[start + 1]! << 8);
    expect(found).toBe(queues[lane]!.shift());
    if (total) expect(found).toBe(order.shift());
  };
  for (const [name, at, n] of given.calls) {
    const lane = at % given.laneCount;
    const producer = lanes[lane]!;
    if (name === 'push') {
      if (producer.tryPush(record(n))) sent(lane);
    } else if (name === 'many') {
      const before = serial;
      const sources = [0, 1].map((i) => {
        serial = before + i;
        return record(n);
      });
      serial = before;
      if (given.capacity < 256) {
        expect(() => producer.tryPushMany([...sources, ...sources, ...sources])).toThrow(
          RangeError,
        );
      } else if (producer.tryPushMany(sources)) {
        for (const _ of sources) sent(lane);
      }
    } else if (name === 'claim') {
      const bytes = record(n);
      const start = producer.claim(bytes.length + 2);
      if (start < 0) continue;
      producer.bytes.set(bytes, start);
      if (n === 0) producer.abort();
      else {
        producer.commit(n === 1 ? -1 : bytes.length);
        sent(lane);
      }
    } else if (name === 'drain') {
      let left = n;
      consumer.drain((bytes, start, _end, _kind, from) => {
        if (left-- === 0) return DRAIN_ABORT;
        received(bytes, start, from);
        return left === 3 ? DRAIN_STOP : undefined;
      });
    } else if (name === 'pop') {
      const bytes = consumer.tryPop();
      if (bytes !== undefined) received(bytes, 0, consumer.lane);
    } else {
      producer.flush();
    }
  }
  for (const producer of lanes) producer.close();
  while (!consumer.closed) {
    expect(
      consumer.drain((bytes, start, _end, _kind, from) => received(bytes, start, from)),
    ).not.toBe(0);
  }
  expect(queues.flat()).toEqual([]);
  expect(consumer.skipped).toBe(0);
});

const run = (workerData: unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./fixtures/lane.mjs', import.meta.url), { workerData });
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });

describe('four workers', () => {
  test.each([
    { order: 'lane', mode: 'sync', take: 'async' },
    { order: 'lane', mode: 'async', take: 'async' },
    { order: 'total', mode: 'sync', take: 'async' },
    { order: 'lane', mode: 'sync', take: 'iterate' },
  ] as const)('in $order order, $mode to $take', async ({ order, mode, take }) => {
    const count = Math.ceil(10_000 * scale);
    const { handle } = createLanes({
      laneCount: 4,
      capacity: 1024,
      order,
      startIndex: 2 ** 31 - 1024,
    });
    const consumer = attachLanesConsumer(handle);
    const publish = order === 'lane' ? 100 : 'each';
    const done = Promise.all(
      [0, 1, 2, 3].map(() => run({ handle, count, mode, options: { publish } })),
    );
    const next = [0, 0, 0, 0];
    const receive = (bytes: Uint8Array, start: number, lane: number): void => {
      const words = new DataView(bytes.buffer, bytes.byteOffset + start, 12);
      const serial = words.getInt32(4, true);
      if (words.getInt32(0, true) !== lane || serial !== next[lane]) {
        throw new Error(`lane ${lane}: expected ${next[lane]}, found ${serial}`);
      }
      if (words.getInt32(8, true) !== (Math.imul(serial, 0x9e3779b1) ^ lane))
        throw new Error('damaged');
      next[lane]!++;
    };
    if (take === 'iterate') {
      for await (const record of consumer) receive(record, 0, consumer.lane);
    } else {
      while (await consumer.ready()) {
        consumer.drain((bytes, start, _end, _kind, lane) => receive(bytes, start, lane), 100);
      }
    }
    await done;
    expect(next).toEqual([count, count, count, count]);
    expect(consumer.laneEnd(2)).toEqual({ how: 'closed', reason: 'lane 2' });
  });
});

describe('a lane', () => {
  test('belongs to one producer, until it is reopened', () => {
    const { handle } = createLanes({ laneCount: 2, capacity: 64 });
    const consumer = attachLanesConsumer(handle);
    const first = attachLane(handle, { lane: 1 });
    expect(attachLane(handle).lane).toBe(0);
    expect(() => attachLane(handle)).toThrow(/no lane is free: lane=any/);
    expect(() => attachLane(handle, { lane: 1 })).toThrow(/lane=1/);
    expect(() => attachLane(handle, { lane: 2 })).toThrow(/from 0 to 1: lane=2/);
    first.tryPush(Uint8Array.of(1));
    expect(() => consumer.reopen(1)).toThrow(/has ended and is empty/);
    markLaneDead(handle, 1, 'exit 1');
    expect(() => consumer.reopen(1)).toThrow(/has ended and is empty/);
    expect(consumer.tryPop()).toEqual(Uint8Array.of(1));
    expect(consumer.laneEnd(1)).toEqual({ how: 'dead', reason: 'exit 1' });
    consumer.reopen(1);
    const second = attachLane(handle);
    expect(second.lane).toBe(1);
    second.tryPush(Uint8Array.of(2));
    expect(consumer.tryPop()).toEqual(Uint8Array.of(2));
  });

  test('that nobody took keeps the stream open until it is sealed', async () => {
    const { handle } = createLanes({ laneCount: 2, capacity: 64 });
    const consumer = attachLanesConsumer(handle);
    const producer = attachLane(handle);
    await producer.push(Uint8Array.of(1));
    producer.close();
    expect(await consumer.pop()).toEqual(Uint8Array.of(1));
    expect(await consumer.pop({ timeoutMs: 5 })).toBeUndefined();
    expect(consumer.closed).toBe(false);
    consumer.seal();
    expect(await consumer.pop()).toBeUndefined();
    expect(consumer.closed).toBe(true);
    expect(() => attachLane(handle)).toThrow(/no lane is free/);
  });

  test('whose producer died between taking a number and publishing is skipped once it is marked', () => {
    const { handle } = createLanes({ laneCount: 2, capacity: 256, order: 'total' });
    const consumer = attachLanesConsumer(handle);
    const dead = attachLane(handle);
    const alive = attachLane(handle);
    dead.tryPush(Uint8Array.of(1));
    // What the memory looks like when the thread is killed right behind `Atomics.add`.
    const group = new Int32Array(handle.buffer);
    const lane0 = new Int32Array(handle.buffer, 1024, 256);
    Atomics.store(lane0, 33, 1);
    Atomics.add(group, 64, 1);
    alive.tryPush(Uint8Array.of(3));
    expect(consumer.tryPop()).toEqual(Uint8Array.of(1));
    expect(consumer.tryPop()).toBeUndefined();
    markLaneDead(handle, 0);
    expect(consumer.tryPop()).toEqual(Uint8Array.of(3));
    expect(consumer.skipped).toBe(1);
  });

  test('learns that the consumer has gone', async () => {
    const { handle } = createLanes({ laneCount: 1, capacity: 64 });
    const consumer = attachLanesConsumer(handle);
    const producer = attachLane(handle);
    while (producer.tryPush(Uint8Array.of(1)));
    const waiting = producer.push(Uint8Array.of(1));
    consumer.close('over');
    await expect(waiting).rejects.toThrow(/consumer is closed: reason=over/);
    expect(() => createLanes({ laneCount: 0 })).toThrow(/laneCount=0/);
  });
});
