// Goal: the drop-in shapes behave as their users know them. Method: virtual time where time matters, else promises.

import { batch, createFrameCoalescer, createLoader, type Loader, list } from '@millrace/batcher';
import { virtualScheduler } from '@millrace/batcher/sim';
import { expect, it, vi } from 'vitest';

it('batch: one function of many items becomes one of one', async () => {
  const seen: number[][] = [];
  const push = batch((items: number[]) => void seen.push(items));
  for (let i = 0; i < 5; i++) expect(push(i)).toBe(true);
  expect(push.flush()).toBe(true);
  push(5);
  await push.close();
  expect(seen).toEqual([[0, 1, 2, 3, 4], [5]]);
});

it('batch: gives its arrays away, so that a sink may keep them', () => {
  const scheduler = virtualScheduler();
  const kept: number[][] = [];
  const push = batch((items: number[]) => void kept.push(items), { scheduler, hold: 'none' });
  push(1);
  scheduler.endTick();
  push(2);
  scheduler.endTick();
  expect(kept).toEqual([[1], [2]]);
});

it('loader: shares one request among the loads of a tick, promise reactions included', async () => {
  const requests: string[][] = [];
  const loader = createLoader({
    load: async (keys: readonly string[]) => {
      requests.push([...keys]);
      return keys.map((key) => key.toUpperCase());
    },
  });
  const values = await Promise.all([
    loader.load('a'),
    loader.load('b'),
    loader.load('a'),
    Promise.resolve().then(() => loader.load('c')),
  ]);
  expect(values).toEqual(['A', 'B', 'A', 'C']);
  expect(requests).toEqual([['a', 'b', 'c']]);
  expect(await loader.load('a')).toBe('A');
  expect(requests).toHaveLength(1);
  loader.clear('a');
  await loader.load('a');
  expect(requests).toHaveLength(2);
  loader.prime('z', 'primed');
  expect(await loader.load('z')).toBe('primed');
  await loader.close();
  await expect(loader.load('new')).rejects.toThrow(/not open/);
});

it('loader: fails keys one by one, requests as a whole, and keeps no failure', async () => {
  let isDown = false;
  const loader = createLoader({
    load: async (keys: readonly number[]) => {
      if (isDown) throw new Error('down');
      return keys.map((key) => (key < 0 ? new Error(`bad ${key}`) : key * 2));
    },
  });
  const [good, bad] = await loader.loadMany([2, -1]);
  expect(good).toBe(4);
  expect(bad).toBeInstanceOf(Error);
  isDown = true;
  await expect(loader.load(7)).rejects.toThrow('down');
  isDown = false;
  expect(await loader.load(7)).toBe(14);
  const wrong = createLoader({ load: async (_keys: readonly number[]) => [] as number[] });
  await expect(wrong.load(1)).rejects.toThrow(/one result per key: keys=1, results=0/);
});

it('loader: lets a request load through the same loader', async () => {
  const loader: Loader<number, number> = createLoader<number, number>({
    load: async (keys) =>
      Promise.all(keys.map(async (key) => (key === 0 ? 0 : 1 + (await loader.load(key - 1))))),
  });
  expect(await loader.load(3)).toBe(3);
});

it('loader: keeps to its concurrency, and no request exceeds countMax', async () => {
  let running = 0;
  let most = 0;
  const sizes: number[] = [];
  const loader = createLoader({
    concurrency: 2,
    countMax: 3,
    load: async (keys: readonly number[]) => {
      sizes.push(keys.length);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return keys;
    },
  });
  const keys = Array.from({ length: 30 }, (_, i) => i);
  expect(await loader.loadMany(keys)).toEqual(keys);
  expect(most).toBe(2);
  expect(Math.max(...sizes)).toBe(3);
});

it('loader: D2, D3: each load gets its own result, whatever fails, loads inside and is sent in parts', async () => {
  const loader: Loader<number, string> = createLoader<number, string>({
    countMax: 4,
    load: (keys) => {
      if (keys.length === 4) loader.load(1000 + keys[0]!).catch(() => {}); // inside the push that filled the request
      if (keys.includes(21)) throw new Error('whole request');
      return keys.map((key) => (key % 5 === 0 ? new Error(`bad ${key}`) : `value ${key}`));
    },
  });
  const keys = Array.from({ length: 30 }, (_, i) => i);
  const settled = await Promise.allSettled(keys.map((key) => loader.load(key)));
  const seen = settled.map((result) =>
    result.status === 'fulfilled' ? result.value : (result.reason as Error).message,
  );
  const failed = seen.filter((text) => text === 'whole request');
  expect(failed.length).toBeGreaterThanOrEqual(1);
  expect(failed.length).toBeLessThanOrEqual(4);
  seen.forEach((text, key) => {
    if (text !== 'whole request') expect(text).toBe(key % 5 === 0 ? `bad ${key}` : `value ${key}`);
  });
  expect(seen[21]).toBe('whole request');
  expect(await loader.load(1004)).toBe('value 1004');
});

it('loader: D1: a failure takes its own promise out of the cache, not a newer one', async () => {
  const answers: ((results: (string | Error)[]) => void)[] = [];
  const loader = createLoader<string, string>({
    load: () => new Promise((resolve) => answers.push(resolve)),
  });
  const old = loader.load('k');
  loader.flush();
  loader.clear('k');
  const newer = loader.load('k');
  loader.flush();
  answers[0]!([new Error('late failure')]);
  await expect(old).rejects.toThrow('late failure');
  expect(loader.load('k')).toBe(newer);
  answers[1]!(['fresh']);
  expect(await newer).toBe('fresh');
  expect(answers).toHaveLength(2);
});

it('loader: D3: what fails in any part of a backlog is loaded anew', async () => {
  let isDown = true;
  const loader = createLoader({
    concurrency: 1,
    countMax: 3,
    load: async (keys: readonly number[]) => {
      if (isDown) throw new Error('down');
      return keys.map((key) => 2 * key);
    },
  });
  const keys = Array.from({ length: 20 }, (_, i) => i);
  for (const result of await loader.loadMany(keys)) expect(result).toBeInstanceOf(Error);
  isDown = false;
  expect(await loader.loadMany(keys)).toEqual(keys.map((key) => 2 * key));
});

it('loader: D4: its batcher takes over what waits, and what was sent before', async () => {
  const requests: number[][] = [];
  const signals: AbortSignal[] = [];
  const loader = createLoader<number, number>({
    load: async (keys, { signal }) => {
      requests.push([...keys]);
      signals.push(signal);
      return keys.map((key) => 2 * key);
    },
  });
  expect(await Promise.all([loader.load(1), loader.load(2)])).toEqual([2, 4]);
  const waiting = Promise.all([loader.load(3), loader.load(4)]);
  expect(loader.batcher.stats()).toMatchObject({ pushed: 4, delivered: 2, flushes: 1, count: 2 });
  const more = loader.load(5);
  expect(await waiting).toEqual([6, 8]);
  expect(await more).toBe(10);
  expect(requests).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  expect(loader.batcher.stats()).toMatchObject({ pushed: 5, delivered: 5, flushes: 2, count: 0 });
  expect(signals.map((signal) => signal.aborted)).toEqual([false, false]);
  const left = loader.load(6);
  loader.batcher.abort(new Error('enough'));
  expect(signals.map((signal) => signal.reason?.message)).toEqual(['enough', 'enough']);
  await expect(left).rejects.toMatchObject({
    code: 'ERR_BATCHER_CLOSED',
    cause: { message: 'enough' },
  }); // D2
  expect(requests).toHaveLength(2);
  await expect(loader.load(7)).rejects.toThrow('state=aborted');
});

it('loader: a long synchronous loop sends at its budget, without the end of a tick', () => {
  const clock = virtualScheduler();
  const sent: number[] = [];
  const loader = createLoader<number, number>({
    scheduler: clock,
    countMax: 5000,
    load: (keys) => {
      sent.push(keys.length);
      return keys;
    },
  });
  for (let i = 0; i < 600; i++) loader.load(i);
  expect(sent).toEqual([]); // looked at the clock at 512
  clock.burn(2);
  for (let i = 600; i < 1100; i++) loader.load(i);
  expect(sent).toEqual([1024]);
});

it('loader: a cache that throws keeps no load from settling', async () => {
  const error = new Error('no cache');
  const later: (() => void)[] = [];
  const promises = new Map<number, Promise<number>>();
  const loader = createLoader<number, number>({
    cache: {
      get: (key) => promises.get(key),
      set: (key, value) => promises.set(key, value),
      delete: () => {
        throw error;
      },
      clear: () => {},
    },
    load: (keys) => keys.map((key) => new Error(`no ${key}`)),
  });
  vi.stubGlobal('queueMicrotask', (task: () => void) => later.push(task));
  try {
    const settled = await Promise.allSettled([loader.load(1), loader.load(2)]);
    expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected']);
  } finally {
    vi.unstubAllGlobals();
  }
  expect(later).toHaveLength(2);
  for (const task of later) expect(task).toThrow(error);
});

it('loader: a load that the cache refuses is no load', async () => {
  const requests: number[][] = [];
  let isFull = true;
  const promises = new Map<number, Promise<number>>();
  const loader = createLoader<number, number>({
    cache: {
      get: (key) => promises.get(key),
      set: (key, value) => {
        if (isFull) throw new Error('full');
        promises.set(key, value);
      },
      delete: (key) => promises.delete(key),
      clear: () => promises.clear(),
    },
    load: (keys) => {
      requests.push([...keys]);
      return keys.map((key) => (key === 3 ? new Error('no 3') : 2 * key));
    },
  });
  expect(() => loader.load(1)).toThrow('full');
  isFull = false;
  const [two, three] = await Promise.allSettled([loader.load(2), loader.load(3)]);
  expect(two).toEqual({ status: 'fulfilled', value: 4 }); // D3: each its own
  expect(three.status).toBe('rejected');
  expect(requests).toEqual([[2, 3]]);
  expect([...promises.keys()]).toEqual([2]);
});

it('loader: without a cache every load asks', async () => {
  const requests: string[][] = [];
  const loader = createLoader({
    cache: false,
    load: (keys: readonly string[]) => {
      requests.push([...keys]);
      return keys.map((key) => (key === 'no' ? new Error('no') : key.toUpperCase()));
    },
  });
  loader.prime('a', 'primed');
  const [first, second, none] = await loader.loadMany(['a', 'a', 'no']);
  loader.clear('a');
  expect([first, second]).toEqual(['A', 'A']);
  expect(none).toBeInstanceOf(Error);
  expect(requests).toEqual([['a', 'a', 'no']]);
});

it('loader: keeps its promises where it is told to', async () => {
  const asked: number[] = [];
  const newest = new Map<string, Promise<number>>();
  const loader = createLoader<number, number, string>({
    cacheKey: (key) => `key ${key}`,
    cache: {
      get: (key) => newest.get(key),
      set: (key, value) => {
        newest.set(key, value);
        if (newest.size > 2) newest.delete(newest.keys().next().value!); // the oldest
      },
      delete: (key) => newest.delete(key),
      clear: () => newest.clear(),
    },
    load: (keys) => {
      asked.push(...keys);
      return keys;
    },
  });
  for (const key of [1, 2, 2, 3, 3, 1]) await loader.load(key);
  expect(asked).toEqual([1, 2, 3, 1]);
  expect([...newest.keys()]).toEqual(['key 3', 'key 1']);
});

it('loader: replaces by clear and prime, and primes failures', async () => {
  const loader = createLoader({ load: (keys: readonly number[]) => keys });
  expect(await loader.load(1)).toBe(1);
  expect(await loader.prime(1, 7).load(1)).toBe(1);
  expect(await loader.clear(1).prime(1, 7).load(1)).toBe(7);
  loader.prime(2, new Error('known to fail'));
  await expect(loader.load(2)).rejects.toThrow('known to fail');
  expect(await loader.clearAll().load(2)).toBe(2);
});

it('loader: every close ends, also a second one while requests run', async () => {
  let answer = (): void => {};
  const loader = createLoader({
    load: (keys: readonly number[]) =>
      new Promise<readonly number[]>((resolve) => {
        answer = () => resolve(keys);
      }),
  });
  const value = loader.load(1);
  loader.flush();
  const closed = Promise.all([loader.close(), loader.close()]);
  await Promise.resolve();
  answer();
  expect(await value).toBe(1);
  await closed;
});

it('loader: holds a request past its tick only when told what one costs', async () => {
  const requestsOf = async (costMs: number | undefined): Promise<number> => {
    const scheduler = virtualScheduler();
    let requests = 0;
    const loader = createLoader({
      scheduler,
      delayMsMax: 20,
      ...(costMs === undefined ? {} : { costMs }),
      load: (keys: readonly number[]) => {
        requests++;
        if (costMs === undefined) scheduler.burn(1); // says nothing about what a request costs
        return keys;
      },
    });
    for (let i = 0; i < 500; i++) {
      void loader.load(i);
      await scheduler.advanceAsync(0.2);
    }
    await scheduler.advanceAsync(50);
    return requests;
  };
  expect(await requestsOf(undefined)).toBe(500);
  expect(await requestsOf(5)).toBeLessThan(250);
});

it('frame coalescer: writes at once after a pause, then once a frame, urgent items between', async () => {
  const scheduler = virtualScheduler();
  const writes: unknown[] = [];
  const screen = createFrameCoalescer({
    merge: list<string, string>(),
    frameMs: 16,
    scheduler,
    write: ({ entries }) => {
      writes.push([scheduler.now(), entries.map((entry) => entry.value.join('')).join('|')]);
    },
  });
  screen.push('a', 'pane');
  await scheduler.advanceAsync(1);
  for (let i = 0; i < 20; i++) {
    screen.push('x', 'pane');
    await scheduler.advanceAsync(1);
  }
  expect(writes).toEqual([
    [0, 'a'],
    [16, 'x'.repeat(15)],
  ]);
  screen.pushUrgent('echo', 'focus');
  await scheduler.advanceAsync(0);
  expect(writes.at(-1)).toEqual([21, 'echo|xxxxx']);
});

it('frame coalescer: goes on without frames, as in a hidden tab', async () => {
  const scheduler = virtualScheduler();
  const writes: string[] = [];
  const screen = createFrameCoalescer({
    merge: list<string, string>(),
    frameMs: 10,
    scheduler,
    requestFrame: () => {},
    write: ({ entries }) => void writes.push(entries[0]!.value.join('')),
  });
  screen.push('a', 'k');
  await scheduler.advanceAsync(0);
  screen.push('b', 'k');
  await scheduler.advanceAsync(100);
  expect(writes).toEqual(['a', 'b']);
});
