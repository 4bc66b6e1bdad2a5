// Goal: a channel over messages behaves as one over shared memory, except that it can't block. Method: the
// same script over both transports, in one thread and with workers at either end.
import { Worker } from 'node:worker_threads';
import {
  attachConsumer,
  attachProducer,
  canShare,
  createChannel,
  RingClosedError,
  transferOf,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const spawn = <T>(fixture: string, handle: unknown, port: unknown[], data: object): Promise<T> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`./fixtures/${fixture}.mjs`, import.meta.url), {
      workerData: { handle, ...data },
      transferList: port as never,
    });
    let result: T;
    worker.on('message', (message: T) => {
      result = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(result));
  });

describe.each(['shared', 'message'] as const)('over %s', (transport) => {
  test('records of any length arrive in order, with backpressure, until the end', async () => {
    const channel = createChannel({ capacity: 256, transport });
    expect(channel.transport).toBe(transport);
    const producer = attachProducer(channel.producer);
    const consumer = attachConsumer(channel.consumer);
    const sent = (async () => {
      for (let i = 0; i < 300; i++) await producer.push(new Uint8Array(i % 100).fill(i));
      producer.close('all');
    })();
    let next = 0;
    for await (const record of consumer) {
      expect(record).toEqual(new Uint8Array(next % 100).fill(next));
      next++;
    }
    await sent;
    expect(next).toBe(300);
    expect(consumer.producerEnd).toEqual({ how: 'closed', reason: 'all' });
  });

  test('claims, batches, watermarks, times and signals work', async () => {
    const channel = createChannel({ capacity: 256, transport });
    const producer = attachProducer(channel.producer);
    const consumer = attachConsumer(channel.consumer, { releaseBytes: 64 });
    producer.bytes.fill(7, producer.claim(10), 10);
    producer.abort();
    producer.bytes.set([1, 2], producer.claim(2));
    producer.commit();
    expect(await producer.pushMany([Uint8Array.of(3), Uint8Array.of(4)])).toBe(true);
    expect(await consumer.ready({ bytes: 16 })).toBe(true);
    const seen: number[] = [];
    consumer.drain((bytes, start, end) => void seen.push(...bytes.subarray(start, end)));
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(await consumer.ready({ timeoutMs: 5 })).toBe(false);
    await expect(consumer.pop({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow(
      'no',
    );
    while (producer.tryPush(new Uint8Array(50)));
    const waiting = producer.push(new Uint8Array(50));
    consumer.close('enough');
    await expect(waiting).rejects.toThrow(RingClosedError);
  });

  test('workers at both ends', async () => {
    const channel = createChannel({ capacity: 4096, transport });
    const count = 3_000;
    const common = { count, seed: 11, pauses: false, lengthMax: 300, options: {}, mode: 'async' };
    const [sent, received] = await Promise.all([
      spawn('producer', channel.producer, transferOf(channel.producer), common),
      spawn('consumer', channel.consumer, transferOf(channel.consumer), common),
    ]);
    expect(sent).toEqual({ pushed: count });
    expect(received).toEqual({ count, end: { how: 'closed', reason: `sent ${count}` } });
  });
});

describe('over messages', () => {
  test('blocking is refused, not attempted', () => {
    const { consumer } = createChannel({ transport: 'message' });
    expect(() => attachConsumer(consumer).popSync()).toThrow(/may not block/);
    expect(() => attachConsumer({ port: {}, capacity: 64 } as never)).toThrow(
      /must be a MessagePort/,
    );
  });

  test('the end of the other thread is noticed', async () => {
    const channel = createChannel({ capacity: 256, transport: 'message' });
    const consumer = attachConsumer(channel.consumer);
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads'); workerData.port.start();
       setTimeout(() => process.exit(0), 20);`,
      {
        eval: true,
        workerData: channel.producer,
        transferList: transferOf(channel.producer) as never,
      },
    );
    expect(await consumer.pop()).toBeUndefined();
    expect(consumer.producerEnd).toEqual({ how: 'dead', reason: 'port closed' });
    await worker.terminate();
  });

  test('shared memory is refused where a page may not share it', () => {
    expect(canShare()).toBe(true);
    Object.defineProperty(globalThis, 'crossOriginIsolated', { value: false, configurable: true });
    try {
      expect(canShare()).toBe(false);
      expect(createChannel().transport).toBe('message');
      expect(() => createChannel({ transport: 'shared' })).toThrow(/cross-origin isolated/);
    } finally {
      Reflect.deleteProperty(globalThis, 'crossOriginIsolated');
    }
  });
});

describe('a doorbell', () => {
  test('wakes a consumer that may not use waitAsync, in either direction', async () => {
    const { port1, port2 } = new MessageChannel();
    const channel = createChannel({ capacity: 128, transport: 'shared' });
    const wait = { strategy: 'doorbell', doorbell: port1 } as const;
    const producer = attachProducer(channel.producer, { strategy: 'doorbell', doorbell: port2 });
    const consumer = attachConsumer(channel.consumer, wait);
    const sent = (async () => {
      for (let i = 0; i < 100; i++) await producer.push(new Uint8Array(20).fill(i));
      producer.close();
    })();
    let next = 0;
    for await (const record of consumer) expect(record[0]).toBe(next++);
    expect(next).toBe(100);
    await sent;
    port1.close();
  });

  test('is not needed to poll', async () => {
    const channel = createChannel({ capacity: 128, transport: 'shared' });
    const consumer = attachConsumer(channel.consumer, { strategy: 'poll' });
    const producer = attachProducer(channel.producer);
    const waiting = consumer.pop();
    setTimeout(() => producer.tryPush(Uint8Array.of(5)), 5);
    expect(await waiting).toEqual(Uint8Array.of(5));
  });
});
