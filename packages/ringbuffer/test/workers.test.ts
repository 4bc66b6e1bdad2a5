// Goal: between real threads nothing is lost, damaged, reordered, and nobody sleeps for ever. Method: a worker
// per end, every means of producing against every means of consuming, random sizes and pauses, small rings,
// start indices next to 2^31 and 2^32; each record carries its serial number and a checksum.
import { Worker } from 'node:worker_threads';
import { attachConsumer, attachProducer, createRing } from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const scale = Number(process.env['FC_RUNS'] ?? 300) / 300;

const run = <T>(fixture: string, workerData: unknown): Promise<T> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`./fixtures/${fixture}.mjs`, import.meta.url), {
      workerData,
    });
    let result: T;
    worker.on('message', (message: T) => {
      result = message;
    });
    worker.on('error', reject);
    worker.on('exit', (code) =>
      code === 0 ? resolve(result) : reject(new Error(`exit code ${code}`)),
    );
  });

const pairs = [
  { from: 'spin', to: 'spin', count: 10_000 },
  { from: 'sync', to: 'sync', count: 15_000 },
  { from: 'async', to: 'async', count: 10_000 },
  { from: 'claim', to: 'async', count: 15_000 },
  { from: 'claim', to: 'peek', count: 15_000 },
  { from: 'sync', to: 'iterate', count: 10_000 },
  { from: 'async', to: 'watermark', count: 10_000 },
  { from: 'sync', to: 'peek', count: 6_000, pauses: true },
  { from: 'async', to: 'sync', count: 6_000, pauses: true },
  { from: 'claim', to: 'async', count: 6_000, pauses: true, spin: 0 },
  { from: 'sync', to: 'sync', count: 10_000, spin: 0 },
];

describe('two workers', () => {
  test.each(pairs)('$from to $to (pauses: $pauses, spin: $spin)', async (pair) => {
    const count = Math.ceil(pair.count * scale);
    for (const [capacity, startIndex, publish, releaseBytes] of [
      [4096, 2 ** 31 - 40_000, 'each', 0],
      [1024, 2 ** 32 - 20_000, 300, 200],
    ] as const) {
      const { handle } = createRing({ capacity, startIndex });
      const { pauses = false, spin } = pair;
      const lengthMax = capacity === 4096 ? 700 : 120;
      const common = { handle, count, pauses, lengthMax, seed: capacity + count };
      const wait = spin === undefined ? {} : { spin };
      const [sent, received] = await Promise.all([
        run('producer', { ...common, mode: pair.from, options: { publish, ...wait } }),
        run('consumer', { ...common, mode: pair.to, options: { releaseBytes, ...wait } }),
      ]);
      expect(sent).toEqual({ pushed: count });
      expect(received).toEqual({ count, end: { how: 'closed', reason: `sent ${count}` } });
    }
  });
});

describe('the main thread', () => {
  test('consumes from a worker without blocking', async () => {
    const count = Math.ceil(20_000 * scale);
    const { handle } = createRing({ capacity: 8192 });
    const done = run('producer', {
      handle,
      count,
      seed: 5,
      mode: 'sync',
      lengthMax: 200,
      options: { publish: 'tick' },
    });
    const consumer = attachConsumer(handle);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    let taken = 0;
    while (await consumer.ready()) taken += consumer.drain(() => {}, 500);
    clearInterval(timer);
    await done;
    expect(taken).toBe(count);
    expect(ticks).toBeGreaterThan(0);
  });

  test('produces for a worker, and waits for room', async () => {
    const count = Math.ceil(5_000 * scale);
    const { handle } = createRing({ capacity: 512 });
    const done = run('producer', {
      handle,
      count,
      seed: 7,
      mode: 'async',
      lengthMax: 100,
      options: {},
    });
    const consumer = attachConsumer(handle);
    let taken = 0;
    for await (const batch of consumer.batches(16)) taken += batch.length;
    await done;
    expect(taken).toBe(count);
  });
});

describe('waiting', () => {
  test('ends by time, by signal and by data, in the same handle', async () => {
    const { handle } = createRing({ capacity: 256 });
    const consumer = attachConsumer(handle);
    const producer = attachProducer(handle);
    expect(await consumer.ready({ timeoutMs: 5 })).toBe(false);
    expect(consumer.readySync({ timeoutMs: 5 })).toBe(false);
    expect(await consumer.pop({ timeoutMs: 0 })).toBeUndefined();
    const controller = new AbortController();
    const aborted = consumer.pop({ signal: controller.signal });
    const waiting = [consumer.ready(), consumer.ready({ timeoutMs: 60_000 })];
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    producer.tryPush(Uint8Array.of(1));
    expect(await Promise.all(waiting)).toEqual([true, true]);
    await expect(consumer.ready({ signal: controller.signal })).rejects.toThrow('enough');
    expect(await consumer.pop()).toEqual(Uint8Array.of(1));
  });

  test('keeps the order of pushes, and times out one of them', async () => {
    const { handle } = createRing({ capacity: 128 });
    const producer = attachProducer(handle);
    const consumer = attachConsumer(handle);
    while (producer.tryPush(Uint8Array.of(0)));
    const long = producer.push(new Uint8Array(20).fill(1));
    const short = producer.push(Uint8Array.of(2), { timeoutMs: 5 });
    const last = producer.pushMany([Uint8Array.of(3), Uint8Array.of(4)]);
    expect(producer.tryPush(Uint8Array.of(9))).toBe(false);
    expect(producer.claim(1)).toBe(-1);
    expect(await short).toBe(false);
    const seen: number[] = [];
    while (seen.at(-1) !== 4) seen.push((await consumer.pop())![0]!);
    expect(await Promise.all([long, last])).toEqual([true, true]);
    expect(seen.filter((first) => first > 0)).toEqual([1, 3, 4]);
    expect(producer.tryPush(Uint8Array.of(9))).toBe(true);
  });

  test('for a watermark sleeps through less', async () => {
    const { handle } = createRing({ capacity: 256 });
    const producer = attachProducer(handle);
    const consumer = attachConsumer(handle);
    let woken = false;
    const wait = consumer.ready({ bytes: 60 }).then((ready) => {
      woken = ready;
    });
    for (let i = 0; i < 7; i++) {
      producer.tryPush(Uint8Array.of(i));
      await new Promise((resolve) => setImmediate(resolve));
      expect(woken).toBe(false);
    }
    producer.tryPush(Uint8Array.of(7));
    await wait;
    expect(woken).toBe(true);
  });
});
