// Goal: debug mode finds what corrupts a ring or its readers. Method: commit each misuse once and see the
// error, or the poison.
import {
  attachConsumer,
  attachProducer,
  attachSlotConsumer,
  attachSlotProducer,
  createRing,
  createSlotRing,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const debug = { debug: true };

describe('debug mode', () => {
  test('poisons what is released, so that a stale view shows it', () => {
    const { handle } = createRing({ capacity: 64 });
    const producer = attachProducer(handle, debug);
    const consumer = attachConsumer(handle, debug);
    producer.tryPush(Uint8Array.of(1, 2, 3));
    producer.tryPush(Uint8Array.of(4, 5, 6));
    const start = consumer.peek();
    const stale = consumer.bytes.subarray(start, consumer.end);
    expect([...stale]).toEqual([1, 2, 3]);
    consumer.release();
    expect([...stale]).toEqual([0xdb, 0xdb, 0xdb]);
    let kept: Uint8Array | undefined;
    consumer.drain((bytes, from, end) => {
      kept = bytes.subarray(from, end);
    });
    expect([...kept!]).toEqual([0xdb, 0xdb, 0xdb]);
  });

  test('poisons slots, and records that wrap', () => {
    const slots = createSlotRing({ slotCount: 2, slotBytes: 4 });
    const producer = attachSlotProducer(slots.handle);
    const consumer = attachSlotConsumer(slots.handle, debug);
    producer.tryPush(Uint8Array.of(1, 2, 3, 4));
    consumer.tryPop();
    expect(consumer.bytes[0]).toBe(0xdb);
    const { handle } = createRing({ capacity: 64, startIndex: 56 });
    const bytes = attachProducer(handle);
    const reader = attachConsumer(handle, debug);
    bytes.tryPush(new Uint8Array(20));
    expect(reader.tryPop()).toEqual(new Uint8Array(20));
    expect([...reader.bytes.subarray(0, 24)]).toEqual(new Array(24).fill(0xdb));
  });

  test('refuses a second handle on an end, until the first is detached', () => {
    const { handle } = createRing({ capacity: 64 });
    const first = attachProducer(handle, debug);
    expect(() => attachProducer(handle, debug)).toThrow(/has a producer already/);
    first.detach();
    const second = attachProducer(handle, debug);
    second.tryPush(Uint8Array.of(1));
    const reader = attachConsumer(handle, debug);
    expect(() => attachConsumer(handle, debug)).toThrow(/has a consumer already/);
    reader.close();
    expect(attachConsumer(handle, debug).tryPop()).toEqual(Uint8Array.of(1));
  });

  test('finds a second producer, and a second consumer, that do not check', () => {
    const { handle } = createRing({ capacity: 64 });
    const owner = attachProducer(handle, debug);
    attachProducer(handle).tryPush(Uint8Array.of(1));
    expect(() => owner.tryPush(Uint8Array.of(2))).toThrow(/second producer has stored the tail/);
    const other = createRing({ capacity: 64 });
    const reader = attachConsumer(other.handle, debug);
    const producer = attachProducer(other.handle);
    producer.tryPush(Uint8Array.of(1));
    producer.tryPush(Uint8Array.of(2));
    attachConsumer(other.handle).tryPop();
    expect(() => reader.tryPop()).toThrow(/second consumer has stored the head/);
  });

  test('finds a handle that has lost its end', () => {
    const { handle } = createRing({ capacity: 64 });
    const owner = attachProducer(handle, debug);
    new Int32Array(handle.buffer)[191] = 5; // what another process of attach would do
    expect(() => owner.tryPush(Uint8Array.of(2))).toThrow(/no longer owns its end/);
  });
});
