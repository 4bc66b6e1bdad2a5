// Goal: a slot ring is a queue of equal slots, with the same words as a byte ring. Method: a property against
// an array for all calls, and examples for what differs.
import { fc, test as property } from '@fast-check/vitest';
import {
  attachProducer,
  attachSlotConsumer,
  attachSlotProducer,
  type CopyKernel,
  createSlotRing,
  DRAIN_ABORT,
  DRAIN_STOP,
  markDead,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const numRuns = Number(process.env['FC_RUNS'] ?? 300);
const names = ['push', 'many', 'claim', 'abort', 'pop', 'drain', 'peek', 'flush'] as const;

property.prop(
  [
    fc.record({
      slotCount: fc.constantFrom(1, 2, 4, 16),
      slotBytes: fc.constantFrom(4, 8, 12, 40, 300),
      startIndex: fc.constantFrom(0, 2 ** 31 - 2, 2 ** 32 - 2),
      publish: fc.constantFrom('each' as const, 0, 100),
      releaseBytes: fc.constantFrom(0, 50),
      copy: fc.constantFrom<CopyKernel>('auto', 'words', 'set', 'buffer'),
      debug: fc.boolean(),
      calls: fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(5)), { maxLength: 100 }),
    }),
  ],
  { numRuns },
)('a slot ring is a queue of slots', (given) => {
  const { handle } = createSlotRing(given);
  const producer = attachSlotProducer(handle, given);
  const consumer = attachSlotConsumer(handle, given);
  const { slotBytes, slotCount } = given;
  const model: number[] = [];
  let serial = 0;
  const slot = (align = 0): Uint8Array =>
    new Uint8Array(slotBytes + align).fill(serial++ & 127).subarray(align);
  const check = (bytes: Uint8Array): void => {
    expect(bytes).toEqual(new Uint8Array(slotBytes).fill(model.shift()!));
  };
  for (const [name, n] of given.calls) {
    expect(producer.freeCount).toBeLessThanOrEqual(slotCount);
    if (name === 'push') {
      const source = slot(n);
      if (producer.tryPush(source)) model.push(source[0]!);
    } else if (name === 'many') {
      const sources = Array.from({ length: Math.min(n, slotCount) }, (_, i) => slot(i));
      if (producer.tryPushMany(sources)) model.push(...sources.map((source) => source[0]!));
    } else if (name === 'claim' || name === 'abort') {
      const start = producer.claim();
      if (start < 0) continue;
      const source = slot();
      producer.bytes.set(source, start);
      if (name === 'abort') producer.abort();
      else {
        producer.commit();
        model.push(source[0]!);
      }
    } else if (name === 'pop') {
      const target = new Uint8Array(slotBytes + n);
      if (consumer.tryPopInto(target, n) >= 0) check(target.subarray(n));
    } else if (name === 'drain') {
      let left = n;
      consumer.drain((bytes, start, end) => {
        if (left === 2 && n === 5) return DRAIN_ABORT;
        check(bytes.slice(start, end));
        return --left === 1 ? DRAIN_STOP : undefined;
      }, n);
    } else if (name === 'peek') {
      for (let i = 0; i < n && consumer.peek() >= 0; i++) {
        check(consumer.bytes.slice(consumer.start, consumer.end));
      }
      consumer.release(consumer.held);
    } else {
      producer.flush();
      consumer.flush();
    }
  }
  producer.close();
  consumer.drain((bytes, start, end) => check(bytes.slice(start, end)));
  expect(model).toEqual([]);
  expect(consumer.closed).toBe(true);
});

describe('a slot ring', () => {
  test('checks its sizes, and the sizes of what is pushed', () => {
    expect(() => createSlotRing({ slotCount: 3, slotBytes: 4 })).toThrow(/slotCount must be/);
    expect(() => createSlotRing({ slotCount: 4, slotBytes: 6 })).toThrow(/slotBytes=6/);
    expect(() => createSlotRing({ slotCount: 2 ** 28, slotBytes: 8 })).toThrow(
      /at most 1073741824/,
    );
    const { handle } = createSlotRing({ slotCount: 2, slotBytes: 8 });
    const producer = attachSlotProducer(handle);
    expect(() => producer.tryPush(new Uint8Array(7))).toThrow(/8 bytes apart/);
    expect(() => producer.tryPushMany([new Uint8Array(9)])).toThrow(/8 bytes apart/);
    expect(() => attachProducer(handle)).toThrow(/kind=2, expected 1/);
    expect(() => attachSlotConsumer(new SharedArrayBuffer(2048))).toThrow(/magic=0x0/);
    expect(() => attachSlotConsumer(handle).tryPopInto(new Uint8Array(4))).not.toThrow();
  });

  test('waits for slots, and ends', async () => {
    const { handle } = createSlotRing({ slotCount: 2, slotBytes: 4 });
    const producer = attachSlotProducer(handle);
    const consumer = attachSlotConsumer(handle);
    const slot = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0);
    await producer.push(slot(1));
    await producer.push(slot(2));
    expect(producer.tryPush(slot(9))).toBe(false);
    const third = producer.push(slot(3));
    expect((await consumer.pop())?.[0]).toBe(1);
    expect(await third).toBe(true);
    const rest: number[] = [];
    markDead(handle, 'producer', 'lost');
    for await (const record of consumer) rest.push(record[0]!);
    expect(rest).toEqual([2, 3]);
    expect(consumer.producerEnd).toEqual({ how: 'dead', reason: 'lost' });
  });
});
