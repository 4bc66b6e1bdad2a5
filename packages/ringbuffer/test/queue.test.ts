// Goal: a work queue gives each record to exactly one consumer, in the order of each producer. Method: a
// property in one thread against an array, then three producers and two consumers in workers.
import { Worker } from 'node:worker_threads';
import { fc, test as property } from '@fast-check/vitest';
import { attachQueue, type CopyKernel, createQueue, inspect } from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const numRuns = Number(process.env['FC_RUNS'] ?? 300);

property.prop(
  [
    fc.record({
      slotCount: fc.constantFrom(2, 4, 16),
      slotBytes: fc.constantFrom(4, 40, 300),
      startIndex: fc.constantFrom(0, 2 ** 31 - 2, 2 ** 32 - 2),
      copy: fc.constantFrom<CopyKernel>('auto', 'words', 'set', 'buffer'),
      calls: fc.array(fc.tuple(fc.boolean(), fc.nat(1), fc.nat(300)), { maxLength: 100 }),
    }),
  ],
  { numRuns },
)('in one thread, a work queue is a bounded queue', (given) => {
  const { handle } = createQueue(given);
  const queues = [attachQueue(handle, given), attachQueue(handle, given)];
  const model: Uint8Array[] = [];
  for (const [push, which, n] of given.calls) {
    const queue = queues[which]!;
    if (push) {
      const bytes = new Uint8Array(n % (given.slotBytes + 1)).fill(n);
      expect(queue.tryPush(bytes, 0, bytes.length, n & 1)).toBe(model.length < given.slotCount);
      if (model.length < given.slotCount) model.push(bytes);
    } else if (which === 0) {
      expect(queue.tryPop()).toEqual(model.shift());
    } else {
      const target = new Uint8Array(given.slotBytes + 3);
      const length = queue.tryPopInto(target, 3);
      expect(length < 0 ? undefined : target.slice(3, 3 + length)).toEqual(model.shift());
    }
    expect(queue.count).toBe(model.length);
  }
});

describe('workers', () => {
  test.each(['sync', 'async'])('three producers, two consumers (%s)', async (mode) => {
    const count = Math.ceil(10_000 * (numRuns / 300));
    const { handle } = createQueue({ slotCount: 16, slotBytes: 12, startIndex: 2 ** 31 - 1000 });
    const run = (role: string, id: number): Promise<{ taken: number; sums: number[] }> =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL('./fixtures/queue.mjs', import.meta.url), {
          workerData: { handle, role, id, count, mode },
        });
        let result: { taken: number; sums: number[] };
        worker.on('message', (message) => {
          result = message;
        });
        worker.on('error', reject);
        worker.on('exit', () => resolve(result));
      });
    const consumers = [run('pop', 0), run('pop', 1)];
    await Promise.all([run('push', 0), run('push', 1), run('push', 2)]);
    attachQueue(handle).close('no more');
    const results = await Promise.all(consumers);
    expect(results[0]!.taken + results[1]!.taken).toBe(3 * count);
    for (const id of [0, 1, 2]) {
      expect(results[0]!.sums[id]! + results[1]!.sums[id]!).toBe((count * (count - 1)) / 2);
    }
  });
});

describe('a work queue', () => {
  test('waits, times out, and ends for everyone', async () => {
    const { handle } = createQueue({ slotCount: 2, slotBytes: 4 });
    const queue = attachQueue(handle);
    const other = attachQueue(handle);
    expect(await queue.pop({ timeoutMs: 2 })).toBeUndefined();
    expect(queue.popSync({ timeoutMs: 2 })).toBeUndefined();
    const waiting = [queue.pop(), other.pop()];
    queue.tryPush(Uint8Array.of(1));
    queue.tryPush(Uint8Array.of(2));
    const got = await Promise.all(waiting);
    expect(got.map((record) => record![0]).sort()).toEqual([1, 2]);
    while (queue.tryPush(Uint8Array.of(3)));
    expect(await queue.push(Uint8Array.of(4), { timeoutMs: 2 })).toBe(false);
    expect(queue.pushSync(Uint8Array.of(4), { timeoutMs: 2 })).toBe(false);
    const pushing = queue.push(Uint8Array.of(4));
    other.close('over');
    await expect(pushing).rejects.toMatchObject({ code: 'ERR_RING_CLOSED' });
    expect(await other.pop()).toEqual(Uint8Array.of(3));
    expect(other.closed).toBe(false);
    expect(await other.pop()).toEqual(Uint8Array.of(3));
    expect(await other.pop()).toBeUndefined();
    expect(queue.end).toEqual({ how: 'closed', reason: 'over' });
  });

  test('says where a killed thread has left it', () => {
    const { handle } = createQueue({ slotCount: 2, slotBytes: 4 });
    const queue = attachQueue(handle);
    const indices = new Int32Array(handle.buffer);
    expect(queue.halfDone).toBeUndefined();
    Atomics.add(indices, 32, 1); // a push has reserved slot 0, and no more
    expect(queue.tryPop()).toBeUndefined();
    expect(queue.halfDone).toEqual({ call: 'push', slot: 0 });
    expect(inspect(handle)).toMatch(/half done: a push in slot 0/);

    const other = createQueue({ slotCount: 2, slotBytes: 4 });
    const full = attachQueue(other.handle);
    while (full.tryPush(Uint8Array.of(1)));
    expect(full.halfDone).toBeUndefined();
    Atomics.add(new Int32Array(other.handle.buffer), 64, 1); // a pop has reserved slot 0, and no more
    expect(full.tryPush(Uint8Array.of(2))).toBe(false);
    expect(full.halfDone).toEqual({ call: 'pop', slot: 0 });
  });

  test('checks its arguments', () => {
    expect(() => createQueue({ slotCount: 1, slotBytes: 4 })).toThrow(/from 2/);
    expect(() => createQueue({ slotCount: 2, slotBytes: 5 })).toThrow(/slotBytes=5/);
    const { handle } = createQueue({ slotCount: 2, slotBytes: 4 });
    const queue = attachQueue(handle);
    expect(() => queue.tryPush(new Uint8Array(5))).toThrow(/at most 4 apart/);
    expect(() => queue.tryPopInto(new Uint8Array(3))).toThrow(/room for 4 bytes/);
    expect(() => attachQueue(new SharedArrayBuffer(1024))).toThrow(/magic=0x0/);
  });
});
