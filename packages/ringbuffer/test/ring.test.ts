// Goal: what each method promises, one example a promise, both ends in one thread. Method: small rings, so
// that wrapping and the full ring come early.
import {
  attachConsumer,
  attachProducer,
  createRing,
  DRAIN_ABORT,
  DRAIN_STOP,
  markDead,
  ringBytes,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const both = (capacity = 64, startIndex = 0) => {
  const { handle } = createRing({ capacity, startIndex });
  return { handle, producer: attachProducer(handle), consumer: attachConsumer(handle) };
};

describe('records', () => {
  test('arrive in order, whole, with their kind', () => {
    const { producer, consumer } = both(1024);
    producer.tryPush(bytes(1, 2, 3));
    producer.tryPush(bytes());
    producer.tryPush(bytes(9, 4, 5, 6, 9), 1, 4, 1);
    expect(consumer.tryPop()).toEqual(bytes(1, 2, 3));
    expect(consumer.kind).toBe(0);
    expect(consumer.tryPop()).toEqual(bytes());
    expect(consumer.tryPop()).toEqual(bytes(4, 5, 6));
    expect(consumer.kind).toBe(1);
    expect(consumer.tryPop()).toBeUndefined();
  });

  test('of every length wrap around at every start index', () => {
    for (const startIndex of [0, 60, 2 ** 31 - 8, 2 ** 32 - 8]) {
      const { producer, consumer } = both(64, startIndex);
      for (let i = 0; i < 200; i++) {
        const record = new Uint8Array(i % (producer.lengthBytesMax + 1)).fill(i);
        expect(producer.tryPush(record)).toBe(true);
        expect(consumer.tryPop()).toEqual(record);
      }
    }
  });

  test('that do not fit now are refused, and fit later', () => {
    const { producer, consumer } = both(64);
    let count = 0;
    while (producer.tryPush(bytes(count, 0, 0, 0))) count++;
    expect(count).toBe(8);
    expect(producer.freeBytes).toBe(0);
    expect(consumer.tryPop()).toEqual(bytes(0, 0, 0, 0));
    expect(producer.tryPush(bytes(8, 0, 0, 0))).toBe(true);
    expect(producer.tryPush(bytes())).toBe(false);
  });

  test('longer than the ring allows are an error, not "full"', () => {
    const { producer } = both(64);
    expect(producer.lengthBytesMax).toBe(28);
    expect(producer.tryPush(new Uint8Array(28))).toBe(true);
    expect(() => producer.tryPush(new Uint8Array(29))).toThrow(/at most 28 apart/);
    expect(() => producer.claim(29)).toThrow(/from 0 to 28: lengthBytes=29/);
  });

  test('are copied from and into arrays of any alignment', () => {
    const { producer, consumer } = both(4096);
    const pool = new Uint8Array(600).map((_, i) => i);
    const out = new Uint8Array(700);
    for (let start = 0; start < 9; start++) {
      for (const length of [0, 1, 3, 4, 7, 31, 33, 64, 255, 300]) {
        const source = pool.subarray(start, start + length);
        expect(producer.tryPush(source)).toBe(true);
        expect(producer.tryPush(pool, start, start + length)).toBe(true);
        expect(consumer.tryPopInto(out, start + 3)).toBe(length);
        expect(out.subarray(start + 3, start + 3 + length)).toEqual(source);
        expect(consumer.tryPopInto(out)).toBe(length);
        expect(out.subarray(0, length)).toEqual(source);
      }
    }
    expect(consumer.tryPopInto(out)).toBe(-1);
  });
});

describe('claim', () => {
  test('writes in place, and commit may shorten', () => {
    const { producer, consumer } = both();
    const start = producer.claim(12, 1);
    producer.bytes.set([1, 2, 3], start);
    expect(consumer.tryPop()).toBeUndefined();
    producer.commit(3);
    expect(consumer.tryPop()).toEqual(bytes(1, 2, 3));
    expect(consumer.kind).toBe(1);
  });

  test('leaves nothing behind when aborted, also at the end of the ring', () => {
    const { producer, consumer } = both(64);
    for (let i = 0; i < 40; i++) {
      producer.claim(i % 28);
      producer.abort();
      expect(producer.tryPush(bytes(i, i, i, i, i))).toBe(true);
      expect(consumer.tryPop()).toEqual(bytes(i, i, i, i, i));
    }
  });

  test('is one at a time, and in order', () => {
    const { producer } = both();
    expect(() => producer.commit()).toThrow(/commit without its counterpart/);
    expect(() => producer.abort()).toThrow(/abort without its counterpart/);
    producer.claim(4);
    expect(() => producer.claim(4)).toThrow(/a claim is open/);
    expect(() => producer.tryPush(bytes(1))).toThrow(/a claim is open/);
    expect(() => producer.commit(5)).toThrow(/the 4 claimed: lengthBytes=5/);
    producer.commit(4);
  });

  test('starts at multiples of 8 when asked to', () => {
    const { handle } = createRing({ capacity: 256 });
    const producer = attachProducer(handle, { alignBytes: 8 });
    const consumer = attachConsumer(handle);
    for (let i = 0; i < 100; i++) {
      expect(producer.claim(i % 50) % 8).toBe(0);
      producer.commit();
      expect(consumer.peek() % 8).toBe(0);
      consumer.release();
    }
  });
});

describe('publication', () => {
  test('waits for enough bytes, or for flush', () => {
    const { handle } = createRing({ capacity: 1024 });
    const producer = attachProducer(handle, { publish: 100 });
    const consumer = attachConsumer(handle);
    producer.tryPush(new Uint8Array(40));
    producer.tryPush(new Uint8Array(40));
    expect(consumer.tryPop()).toBeUndefined();
    producer.flush();
    expect(consumer.tryPop()).toHaveLength(40);
    expect(consumer.tryPop()).toHaveLength(40);
    producer.tryPush(new Uint8Array(200));
    expect(consumer.tryPop()).toHaveLength(200);
  });

  test('happens once per tick', async () => {
    const { handle } = createRing({ capacity: 1024 });
    const producer = attachProducer(handle, { publish: 'tick' });
    const consumer = attachConsumer(handle);
    producer.tryPush(bytes(1));
    producer.tryPush(bytes(2));
    expect(consumer.tryPop()).toBeUndefined();
    await Promise.resolve();
    expect([consumer.tryPop(), consumer.tryPop()]).toEqual([bytes(1), bytes(2)]);
    producer.tryPush(bytes(3));
    expect(consumer.tryPop()).toBeUndefined();
    await Promise.resolve();
    expect(consumer.tryPop()).toEqual(bytes(3));
  });

  test('is held back by cork, except when the ring is full', () => {
    const { producer, consumer } = both(64);
    producer.cork();
    producer.cork();
    producer.tryPush(bytes(1));
    producer.uncork();
    expect(consumer.tryPop()).toBeUndefined();
    producer.uncork();
    expect(consumer.tryPop()).toEqual(bytes(1));
    producer.cork();
    while (producer.tryPush(bytes(2)));
    expect(consumer.tryPop()).toEqual(bytes(2));
    producer.uncork();
    expect(() => producer.uncork()).toThrow(/uncork without its counterpart/);
  });

  test('of many is all or nothing', () => {
    const { producer, consumer } = both(128);
    for (let i = 0; i < 9; i++) producer.tryPush(bytes(i));
    const many = Array.from({ length: 8 }, (_, i) => bytes(i));
    expect(producer.tryPushMany(many)).toBe(false);
    expect(consumer.drain(() => {})).toBe(9);
    expect(producer.tryPushMany(many)).toBe(true);
    expect(consumer.drain(() => {})).toBe(8);
    expect(() => producer.tryPushMany(Array(20).fill(bytes(1)))).toThrow(/fit the ring together/);
  });
});

describe('drain', () => {
  test('hands out records in place, up to a limit', () => {
    const { producer, consumer } = both(1024);
    for (let i = 0; i < 5; i++) producer.tryPush(bytes(i, i), 0, 2, i & 1);
    const seen: number[][] = [];
    const callback = (data: Uint8Array, start: number, end: number, kind: number): void => {
      seen.push([...data.subarray(start, end), kind]);
    };
    expect(consumer.drain(callback, 3)).toBe(3);
    expect(consumer.drain(callback)).toBe(2);
    expect(seen).toEqual([0, 1, 2, 3, 4].map((i) => [i, i, i & 1]));
  });

  test('stops behind a record, or before it', () => {
    const { producer, consumer } = both(1024);
    for (let i = 0; i < 4; i++) producer.tryPush(bytes(i));
    expect(consumer.drain(() => DRAIN_STOP)).toBe(1);
    expect(consumer.drain((data, start) => (data[start] === 2 ? DRAIN_ABORT : undefined))).toBe(1);
    expect(consumer.tryPop()).toEqual(bytes(2));
  });

  test('takes the record whose callback throws, and refuses to be entered twice', () => {
    const { producer, consumer } = both(1024);
    producer.tryPush(bytes(1));
    producer.tryPush(bytes(2));
    const boom = new Error('boom');
    expect(() =>
      consumer.drain(() => {
        throw boom;
      }),
    ).toThrow(boom);
    expect(() => consumer.drain(() => void consumer.tryPop())).toThrow(/inside a drain callback/);
    expect(consumer.tryPop()).toBeUndefined();
  });
});

describe('peek and release', () => {
  test('hold several records, and give them back in order', () => {
    const { producer, consumer } = both(64);
    while (producer.tryPush(bytes(1, 2, 3, 4)));
    const starts = [consumer.peek(), consumer.peek(), consumer.peek()];
    expect(starts).toEqual([4, 12, 20]);
    expect([consumer.start, consumer.end, consumer.held]).toEqual([20, 24, 3]);
    expect(() => consumer.tryPop()).toThrow(/records are held: held=3/);
    consumer.release(2);
    expect(consumer.held).toBe(1);
    expect(producer.freeBytes).toBe(16);
    expect(() => consumer.release(2)).toThrow(/count=2, held=1/);
    consumer.release();
    expect(consumer.drain(() => {})).toBe(5);
    expect(consumer.peek()).toBe(-1);
  });
});

describe('ends', () => {
  test('of the producer come after its last record, with the reason', async () => {
    const { producer, consumer } = both();
    producer.tryPush(bytes(1));
    producer.close('all of it');
    producer.close('too late');
    expect(consumer.producerEnd).toEqual({ how: 'closed', reason: 'all of it' });
    expect(consumer.closed).toBe(false);
    expect(await consumer.ready()).toBe(true);
    expect(await consumer.pop()).toEqual(bytes(1));
    expect(await consumer.pop()).toBeUndefined();
    expect(consumer.popSync()).toBeUndefined();
    expect(consumer.closed).toBe(true);
    expect(() => producer.tryPush(bytes(1))).toThrow(/producer is closed: reason=all of it/);
  });

  test('of the consumer stop the producer', async () => {
    const { producer, consumer } = both();
    while (producer.tryPush(bytes(1)));
    const waiting = producer.push(bytes(2));
    consumer.close('enough');
    await expect(waiting).rejects.toMatchObject({
      code: 'ERR_RING_CLOSED',
      end: { how: 'closed', reason: 'enough' },
    });
    expect(() => producer.pushSync(bytes(3))).toThrow(/consumer is closed: reason=enough/);
    expect(producer.closed).toBe(true);
  });

  test('are noticed by the next publication', () => {
    const { producer, consumer } = both();
    consumer.close('gone');
    producer.tryPush(bytes(1));
    expect(() => producer.tryPush(bytes(2))).toThrow(/consumer is closed: reason=gone/);
  });

  test('cut a long reason between characters', () => {
    const { producer, consumer } = both();
    producer.close(`${'a'.repeat(55)}é`);
    expect(consumer.producerEnd?.reason).toBe('a'.repeat(55));
  });

  test('can be made by a third party, once', () => {
    const { handle, producer, consumer } = both();
    producer.tryPush(bytes(1));
    expect(markDead(handle, 'producer', 'exit 1')).toBe(true);
    expect(markDead(handle, 'producer', 'again')).toBe(false);
    expect(consumer.producerEnd).toEqual({ how: 'dead', reason: 'exit 1' });
    expect(consumer.tryPop()).toEqual(bytes(1));
    expect(consumer.closed).toBe(true);
  });

  test('count once they are complete, and are completed for a thread that died in the middle', () => {
    const { handle, consumer } = both();
    const words = new Int32Array(handle.buffer);
    words[224] = 1; // killed while it wrote the reason
    words[225] = 56;
    expect(consumer.producerEnd).toBeUndefined();
    expect(consumer.closed).toBe(false);
    expect(markDead(handle, 'producer', 'not written')).toBe(true);
    expect(consumer.producerEnd).toEqual({ how: 'dead', reason: '' });
    expect(consumer.closed).toBe(true);
  });

  test('come with dispose', () => {
    const { producer, consumer } = both();
    producer[Symbol.dispose]();
    expect(consumer.closed).toBe(true);
    consumer[Symbol.dispose]();
    expect(producer.consumerEnd).toEqual({ how: 'closed', reason: '' });
  });
});

describe('policies', () => {
  test('fail: push rejects, tryPush says false', async () => {
    const { handle } = createRing({ capacity: 64 });
    const producer = attachProducer(handle, { full: 'fail' });
    while (producer.tryPush(bytes(1)));
    await expect(producer.push(bytes(2))).rejects.toMatchObject({ code: 'ERR_RING_FULL' });
    expect(() => producer.pushSync(bytes(2))).toThrow(/free=0 of capacity=64/);
  });

  test('drop-newest: the record is dropped and counted', async () => {
    const { handle } = createRing({ capacity: 64 });
    const producer = attachProducer(handle, { full: 'drop-newest' });
    while (producer.tryPush(bytes(1)));
    expect(await producer.push(bytes(2))).toBe(false);
    expect(producer.pushSync(bytes(2))).toBe(false);
    expect(producer.dropped).toBe(3);
  });
});

describe('waiting', () => {
  test('pushes of two lengths wait in their order', async () => {
    const { producer, consumer } = both();
    for (let i = 0; i < 8; i++) expect(producer.tryPush(Uint8Array.of(i))).toBe(true);
    const small = producer.push(Uint8Array.of(8));
    const large = producer.push(new Uint8Array(28).fill(9));
    await new Promise(setImmediate);
    expect(producer.tryPush(Uint8Array.of(10))).toBe(false); // not before those that wait
    expect(consumer.tryPop()).toEqual(Uint8Array.of(0));
    expect(await small).toBe(true); // woken although there is no room for the large one
    expect(producer.tryPush(Uint8Array.of(10))).toBe(false);
    for (let i = 1; i < 9; i++) expect(consumer.tryPop()).toEqual(Uint8Array.of(i));
    expect(await large).toBe(true);
    expect(consumer.tryPop()).toEqual(new Uint8Array(28).fill(9));
  });

  test('a full ring wakes below the watermark', async () => {
    const { producer, consumer } = both();
    producer.tryPush(new Uint8Array(24));
    expect(consumer.tryPop()?.length).toBe(24);
    const ready = consumer.ready({ bytes: 32 });
    await new Promise(setImmediate);
    expect(producer.tryPush(new Uint8Array(4))).toBe(true); // 8 bytes, up to 36 of 64
    expect(producer.tryPush(new Uint8Array(28))).toBe(false); // must be contiguous
    expect(await ready).toBe(true);
    expect(consumer.tryPop()?.length).toBe(4);
  });
});

describe('attach', () => {
  test('refuses what is no ring', () => {
    expect(() => attachProducer(new SharedArrayBuffer(2048))).toThrow(/magic=0x0/);
    expect(() => attachProducer(new SharedArrayBuffer(8))).toThrow(/too short: 1024 bytes needed/);
    expect(() => attachProducer(null as never)).toThrow(/handle must be a RingHandle/);
    expect(() => attachProducer({ buffer: 'x' } as never)).toThrow(/must be a SharedArrayBuffer/);
    const { handle } = createRing({ capacity: 64 });
    expect(() => attachProducer({ ...handle, byteOffset: 4 })).toThrow(/multiple of 128/);
    const words = new Int32Array(handle.buffer);
    for (const [index, value, message] of [
      [1, 99, /version=99/],
      [2, 4, /kind=4/],
      [3, 48, /damaged/],
      [3, 1 << 20, /too short/],
    ] as const) {
      const before = words[index]!;
      words[index] = value;
      expect(() => attachConsumer(handle), `word ${index}`).toThrow(message);
      words[index] = before;
    }
    expect(attachConsumer(handle.buffer).tryPop()).toBeUndefined();
  });

  test('finds a ring in the middle of memory', () => {
    const buffer = new SharedArrayBuffer(ringBytes(64) + ringBytes(256));
    const first = createRing({ capacity: 64, buffer });
    const second = createRing({ capacity: 256, buffer, byteOffset: ringBytes(64) });
    attachProducer(first.handle).tryPush(bytes(1));
    attachProducer(second.handle).tryPush(bytes(2));
    expect(attachConsumer(first.handle).tryPop()).toEqual(bytes(1));
    expect(attachConsumer(second.handle).tryPop()).toEqual(bytes(2));
  });

  test('refuses capacities that are no power of two', () => {
    for (const capacity of [0, 12, 15, 100, 2 ** 31, Number.NaN, 16.5]) {
      expect(() => createRing({ capacity }), `${capacity}`).toThrow(/capacity must be/);
    }
  });
});

describe('damaged control words', () => {
  test('give an error instead of an endless loop', () => {
    for (let word = 0; word < 3; word++) {
      for (const value of [-1, 3, 1 << 30, -(2 ** 31), 0x0fffffff, 68]) {
        const { handle, producer, consumer } = both(64);
        producer.tryPush(bytes(1, 2, 3, 4));
        const words = new Int32Array(handle.buffer);
        // tail, head, first record header
        words[[32, 64, 256][word]!] = value;
        let failure: unknown;
        try {
          for (let i = 0; i < 100; i++) {
            consumer.tryPop();
            producer.tryPush(bytes(1, 2, 3, 4));
            consumer.drain(() => {});
          }
        } catch (error) {
          failure = error;
        }
        if (failure !== undefined) expect(failure).toMatchObject({ code: 'ERR_RING_CORRUPT' });
      }
    }
  });
});
