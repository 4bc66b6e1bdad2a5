// Goal: a broadcast consumer gets whole records in order and knows exactly what it missed. Method: a property
// in one thread against a list that drops its oldest, then a fast producer and slow consumers in workers.
import { Worker } from 'node:worker_threads';
import { fc, test as property } from '@fast-check/vitest';
import {
  attachBroadcastConsumer,
  attachBroadcastProducer,
  type CopyKernel,
  createBroadcast,
  DRAIN_STOP,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const numRuns = Number(process.env['FC_RUNS'] ?? 300);

property.prop(
  [
    fc.record({
      capacity: fc.constantFrom(32, 64, 256),
      startIndex: fc.constantFrom(0, 2 ** 31 - 8, 2 ** 32 - 8),
      copy: fc.constantFrom<CopyKernel>('auto', 'words', 'set', 'buffer'),
      from: fc.constantFrom('oldest' as const, 'latest' as const),
      before: fc.nat(12),
      calls: fc.array(
        fc.tuple(fc.constantFrom('push', 'claim', 'abort', 'pop', 'drain'), fc.nat(100)),
        { maxLength: 120 },
      ),
    }),
  ],
  { numRuns },
)('a broadcast consumer sees a suffix of what was pushed', (given) => {
  const { handle } = createBroadcast(given);
  const producer = attachBroadcastProducer(handle, given);
  let serial = 0;
  const pushed: Uint8Array[] = [];
  const record = (n: number): Uint8Array => {
    const bytes = new Uint8Array(n % (producer.lengthBytesMax + 1)).fill(serial++);
    return bytes;
  };
  const push = (n: number): void => {
    const bytes = record(n);
    producer.tryPush(bytes, 0, bytes.length, pushed.length & 1);
    pushed.push(bytes);
  };
  for (let i = 0; i < given.before; i++) push(i * 7);
  const consumer = attachBroadcastConsumer(handle, given);
  let next = given.from === 'latest' ? pushed.length : producer.overwritten;
  const joined = next;
  const take = (bytes: Uint8Array): void => {
    // Whatever was lost is exactly what the producer has overwritten beyond our position.
    next = joined + consumer.lost + consumer.popped - 1;
    expect(next).toBe(Math.max(next, producer.overwritten));
    expect(bytes).toEqual(pushed[next]);
    expect(consumer.kind).toBe(next & 1);
  };
  const target = new Uint8Array(300);
  for (const [name, n] of given.calls) {
    if (name === 'push') push(n);
    else if (name === 'claim' || name === 'abort') {
      const bytes = record(n);
      producer.bytes.set(bytes, producer.claim(bytes.length, pushed.length & 1));
      if (name === 'abort') producer.abort();
      else {
        producer.commit();
        pushed.push(bytes);
      }
    } else if (name === 'pop') {
      const length = consumer.tryPopInto(target, n & 3);
      if (length >= 0) take(target.slice(n & 3, (n & 3) + length));
    } else {
      consumer.drain((bytes, start, end) => {
        take(bytes.slice(start, end));
        return n & 1 ? DRAIN_STOP : undefined;
      });
    }
  }
  push(1); // what an aborted claim has overwritten shows with the next record
  producer.close();
  consumer.drain((bytes, start, end) => take(bytes.slice(start, end)));
  expect(joined + consumer.lost + consumer.popped).toBe(pushed.length);
  expect(consumer.closed).toBe(true);
  expect(attachBroadcastProducer(handle)).toHaveProperty('sequence', pushed.length);
});

describe('workers', () => {
  test.each([
    { mode: 'push', take: 'sync' },
    { mode: 'claim', take: 'async' },
  ])('one producer ($mode) floods two consumers ($take)', async ({ mode, take }) => {
    const count = Math.ceil(60_000 * (numRuns / 300));
    const { handle } = createBroadcast({ capacity: 2048, startIndex: 2 ** 31 - 4096 });
    const gate = new SharedArrayBuffer(4);
    new Int32Array(gate)[0] = 2;
    const run = (role: string): Promise<{ taken: number; lost: number; laps: number }> =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL('./fixtures/broadcast.mjs', import.meta.url), {
          workerData: {
            handle,
            role,
            count,
            gate,
            lengthMax: 100,
            seed: 9,
            mode: role === 'producer' ? mode : take,
          },
        });
        let result: { taken: number; lost: number; laps: number };
        worker.on('message', (message) => {
          result = message;
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve(result));
      });
    const [first, second] = await Promise.all([run('consumer'), run('consumer'), run('producer')]);
    expect(first.taken + first.lost).toBe(count);
    expect(second.taken + second.lost).toBe(count);
  });
});

describe('a broadcast ring', () => {
  test('waits, ends and checks', async () => {
    const { handle } = createBroadcast({ capacity: 64 });
    const consumer = attachBroadcastConsumer(handle);
    const producer = attachBroadcastProducer(handle);
    expect(await consumer.pop({ timeoutMs: 2 })).toBeUndefined();
    expect(consumer.readySync({ timeoutMs: 2 })).toBe(false);
    const waiting = consumer.pop();
    producer.tryPush(Uint8Array.of(1));
    expect(await waiting).toEqual(Uint8Array.of(1));
    producer.tryPush(new Uint8Array(20));
    expect(() => consumer.tryPopInto(new Uint8Array(4))).toThrow(/record=20 bytes/);
    expect(() => producer.tryPush(new Uint8Array(25))).toThrow(/from 0 to 24: lengthBytes=25/);
    expect(() => producer.commit()).toThrow(/commit without/);
    producer.claim(4);
    expect(() => producer.claim(4)).toThrow(/a claim is open/);
    producer.close('bye');
    expect(() => producer.tryPush(new Uint8Array(1))).toThrow(/closed: reason=bye/);
    const rest: number[] = [];
    for await (const record of consumer) rest.push(record.length);
    expect(rest).toEqual([20]);
    expect(consumer.producerEnd).toEqual({ how: 'closed', reason: 'bye' });
  });

  test('refuses a second producer in debug mode', () => {
    const { handle } = createBroadcast({ capacity: 64 });
    const first = attachBroadcastProducer(handle, { debug: true });
    expect(() => attachBroadcastProducer(handle, { debug: true })).toThrow(
      /has a producer already/,
    );
    first.close();
    expect(() => createBroadcast({ capacity: 16 })).toThrow(/from 32/);
  });
});
