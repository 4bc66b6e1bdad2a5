// Goal: what callers rely on, as examples. Method: virtual time; no real timer decides anything.

import {
  type Batch,
  BatcherArgumentError,
  BatcherClosedError,
  BatcherFlushError,
  BatcherFullError,
  concat,
  createBatcher,
  last,
  list,
  type Merge,
  sum,
} from '@millrace/batcher';
import { virtualScheduler } from '@millrace/batcher/sim';
import { expect, it } from 'vitest';

/** Copies what a sink sees, since batches are borrowed. */
const copy = (batch: Batch<unknown, unknown>) =>
  batch.entries.map((entry) => [entry.key, structuredClone(entry.value), entry.count, entry.bytes]);

it('delivers a lone item at the end of its tick, without any timer', () => {
  const scheduler = virtualScheduler();
  const seen: unknown[] = [];
  const batcher = createBatcher({
    merge: list<number>(),
    scheduler,
    flush: (batch) => void seen.push(copy(batch)),
  });
  expect(batcher.push(1, 'a')).toBe(true);
  expect(seen).toEqual([]);
  scheduler.endTick();
  expect(seen).toEqual([[['a', [1], 1, 1]]]);
  expect(scheduler.pending).toBe(0);
});

it('merges what one tick pushes, per key, in order', () => {
  const scheduler = virtualScheduler();
  const seen: unknown[] = [];
  const batcher = createBatcher({
    merge: concat(),
    scheduler,
    flush: (batch) => {
      for (const entry of batch.entries) seen.push([entry.key, [...entry.value]]);
    },
  });
  batcher.push(Uint8Array.of(1, 2), 7);
  batcher.push(Uint8Array.of(9), 8);
  batcher.push(Uint8Array.of(3), 7);
  scheduler.endTick();
  expect(seen).toEqual([
    [7, [1, 2, 3]],
    [8, [9]],
  ]);
});

it('keeps the newest with last() and adds with sum()', () => {
  const scheduler = virtualScheduler();
  const seen: unknown[] = [];
  const states = createBatcher({
    merge: last<string>(),
    scheduler,
    flush: (batch) => void seen.push(copy(batch)),
  });
  states.push('old', 'x');
  states.push('new', 'x');
  const counters = createBatcher({
    merge: sum(),
    scheduler,
    flush: (batch) => void seen.push(copy(batch)),
  });
  counters.push(1, 'hits');
  counters.push(41, 'hits');
  scheduler.endTick();
  expect(seen).toEqual([[['x', 'new', 2, 1]], [['hits', 42, 2, 1]]]);
});

interface Range {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** What the bridge does: borrowed ranges, appended in place to one buffer a key that is reused. */
const ranges: Merge<Range, number, { bytes: Uint8Array; length: number }> = {
  create: () => ({ bytes: new Uint8Array(1024), length: 0 }),
  append: (buffer, range) => {
    buffer.bytes.set(range.bytes.subarray(range.start, range.end), buffer.length);
    buffer.length += range.end - range.start;
  },
  clear: (buffer) => {
    buffer.length = 0;
  },
  weigh: (range) => range.end - range.start,
};

it('lets a custom merge append borrowed items in place, and flushes synchronously on demand', () => {
  const scheduler = virtualScheduler();
  const accumulators = new Set<unknown>();
  const seen: unknown[] = [];
  const batcher = createBatcher({
    merge: ranges,
    hold: 'none',
    scheduler,
    flush: (batch) => {
      for (const { key, value, count, bytes } of batch.entries) {
        accumulators.add(value);
        seen.push([key, [...value.bytes.subarray(0, value.length)], count, bytes]);
      }
    },
  });
  const range: Range = { bytes: Uint8Array.of(1, 2, 3, 4), start: 0, end: 2 };
  for (let turn = 0; turn < 3; turn++) {
    range.start = 0;
    range.end = 2;
    batcher.push(range, 1);
    range.start = 3;
    range.end = 4;
    batcher.push(range, 1);
    expect(batcher.flush()).toBe(true);
  }
  expect(seen).toEqual([
    [1, [1, 2, 4], 2, 3],
    [1, [1, 2, 4], 2, 3],
    [1, [1, 2, 4], 2, 3],
  ]);
  expect(accumulators.size).toBe(1);
});

it('holds nothing with hold none while the sink is free, and batches while it lags', async () => {
  const scheduler = virtualScheduler();
  const sizes: number[] = [];
  const finish: (() => void)[] = [];
  const batcher = createBatcher({
    merge: list<number>(),
    hold: 'none',
    scheduler,
    flush: (batch) => {
      sizes.push(batch.count);
      return new Promise<void>((resolve) => finish.push(resolve));
    },
  });
  batcher.push(0, 'k');
  scheduler.endTick();
  for (let i = 1; i < 10; i++) {
    batcher.push(i, 'k');
    scheduler.advance(0.1);
  }
  expect(sizes).toEqual([1]);
  expect(batcher.flush()).toBe(false);
  finish[0]!();
  await scheduler.advanceAsync(0);
  expect(sizes).toEqual([1, 9]);
});

it('learns to hold in a flood, and never past the budget', () => {
  const scheduler = virtualScheduler();
  const sizes: number[] = [];
  let oldest = 0;
  const batcher = createBatcher({
    merge: list<number>(),
    delayMsMax: 5,
    scheduler,
    flush: (batch) => {
      sizes.push(batch.count);
      oldest = Math.max(oldest, batch.ageMs);
      return { costMs: 0.05 };
    },
  });
  for (let i = 0; i < 5000; i++) {
    batcher.push(i, 'k');
    scheduler.advance(0.01);
  }
  scheduler.advance(10);
  expect(sizes.reduce((a, b) => a + b)).toBe(5000);
  expect(sizes.slice(10).reduce((a, b) => a + b) / (sizes.length - 10)).toBeGreaterThan(50);
  expect(oldest).toBeLessThanOrEqual(5);
});

it('flushes an urgent item at the end of its tick, its key first', () => {
  const scheduler = virtualScheduler();
  const seen: unknown[] = [];
  const batcher = createBatcher({
    merge: list<string>(),
    scheduler,
    flush: (batch) => {
      seen.push(batch.entries.map((entry) => entry.key));
      return { costMs: 1 };
    },
  });
  for (let i = 0; i < 200; i++) {
    batcher.push('x', 'flood');
    scheduler.advance(0.05);
  }
  seen.length = 0;
  batcher.push('x', 'flood');
  scheduler.endTick();
  expect(seen).toEqual([]);
  batcher.pushUrgent('key', 'focus');
  scheduler.endTick();
  expect(seen).toEqual([['focus', 'flood']]);
});

it('says false to the key that fills a slow sink, not to a quiet one, and tells when to go on', async () => {
  const scheduler = virtualScheduler();
  const pressure: unknown[] = [];
  const finish: (() => void)[] = [];
  const batcher = createBatcher({
    merge: concat(),
    bytesMax: 1000,
    scheduler,
    onPressure: (key, pressed) => pressure.push([key, pressed]),
    flush: () => new Promise<void>((resolve) => finish.push(resolve)),
  });
  const chunk = new Uint8Array(500);
  let accepted = 0;
  while (batcher.push(chunk, 'flood')) accepted++;
  expect(accepted).toBeLessThan(8);
  expect(batcher.push(Uint8Array.of(1), 'quiet')).toBe(true);
  expect(pressure).toEqual([['flood', true]]);
  let isReady = false;
  void batcher.ready('flood').then(() => {
    isReady = true;
  });
  while (!isReady) {
    finish.shift()!();
    await scheduler.advanceAsync(0.1);
  }
  expect(pressure).toEqual([
    ['flood', true],
    ['flood', false],
  ]);
  expect(batcher.push(chunk, 'flood')).toBe(true);
});

it('refuses what would exceed pendingBytesMax and stays unchanged', () => {
  const batcher = createBatcher({
    merge: concat(),
    bytesMax: 10,
    pendingBytesMax: 10,
    scheduler: virtualScheduler(),
    flush: () => new Promise(() => {}),
  });
  batcher.push(new Uint8Array(8), 'k');
  expect(() => batcher.push(new Uint8Array(3), 'k')).toThrow(BatcherFullError);
  expect(batcher.bytes).toBe(8);
  expect(batcher.push(new Uint8Array(2), 'k')).toBe(true);
});

it('retries a failed batch in its place, and fails for good with everything returned', async () => {
  const scheduler = virtualScheduler();
  const seen: unknown[] = [];
  const batcher = createBatcher({
    merge: list<number>(),
    scheduler,
    retry: { attemptsMax: 3 },
    flush: (batch) => {
      seen.push([batch.attempt, [...batch.entries[0]!.value]]);
      throw new Error('sink down');
    },
  });
  const closed = batcher.closed.catch((error) => error);
  batcher.push(1, 'k');
  scheduler.endTick();
  batcher.push(2, 'k');
  scheduler.advance(100);
  expect(seen).toEqual([
    [1, [1]],
    [2, [1]],
    [3, [1]],
  ]);
  const error = await closed;
  expect(error).toBeInstanceOf(BatcherFlushError);
  expect(error).toMatchObject({ code: 'ERR_BATCHER_FLUSH', attempts: 3 });
  expect(() => batcher.push(3, 'k')).toThrow(BatcherClosedError);
  expect(batcher.abort().undelivered.map((entry) => entry.value)).toEqual([[1], [2]]);
});

it('splits a poisoned batch down to the item, drops that, and delivers the rest in order', () => {
  const scheduler = virtualScheduler();
  const delivered: number[] = [];
  const batcher = createBatcher({
    merge: list<number>(),
    scheduler,
    retry: { attemptsMax: 1 },
    onError: (_error, batch) => (batch.count > 1 ? 'split' : 'drop'),
    flush: (batch) => {
      const items = batch.entries.flatMap((entry) => entry.value);
      if (items.includes(13)) throw new Error('unlucky');
      delivered.push(...items);
    },
  });
  for (let i = 10; i < 20; i++) batcher.push(i, i % 2);
  scheduler.advance(1000);
  expect(delivered.filter((i) => i % 2 === 0)).toEqual([10, 12, 14, 16, 18]);
  expect(delivered.filter((i) => i % 2 === 1)).toEqual([11, 15, 17, 19]);
  expect(batcher.stats()).toMatchObject({ delivered: 9, dropped: 1 });
});

it('drains on close, and gives back at the deadline what a stuck sink did not take', async () => {
  const scheduler = virtualScheduler();
  let isStuck = false;
  const batcher = createBatcher({
    merge: list<number>(),
    scheduler,
    flush: () => (isStuck ? new Promise<void>(() => {}) : undefined),
  });
  batcher.push(1, 'k');
  await batcher.drain();
  isStuck = true;
  batcher.push(2, 'k');
  batcher.flush();
  batcher.push(3, 'k');
  const closing = batcher.close({ timeoutMs: 50 });
  await scheduler.advanceAsync(60);
  const { undelivered, unsettled } = await closing;
  expect(unsettled.map((entry) => entry.value)).toEqual([[2]]);
  expect(undelivered.map((entry) => entry.value)).toEqual([[3]]);
  expect(batcher.state).toBe('aborted');
  await batcher.closed;
});

it('checks its options', () => {
  const make = (options: object) => () =>
    createBatcher({ merge: list<number>(), flush: () => {}, ...options });
  expect(make({ delayMsMax: -1 })).toThrow(BatcherArgumentError);
  expect(make({ overhead: 0 })).toThrow(/overhead.*overhead=0/);
  expect(make({ hold: 'maybe' })).toThrow(BatcherArgumentError);
});

it('W2: delivers what a hook pushes, however many of one key', async () => {
  const scheduler = virtualScheduler();
  const batches: number[][] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    scheduler,
    flush: ({ entries, count }) => {
      const items = entries.flatMap((entry) => entry.value);
      expect(count).toBe(items.length);
      batches.push(items);
      if (batches.length > 9) batcher.abort();
    },
    onDelivered: () => {
      if (batches.length === 1) for (let i = 1; i <= 4; i++) batcher.push(i, 'a');
    },
  });
  batcher.push(0, 'a');
  await scheduler.advanceAsync(10);
  expect(batches).toEqual([[0], [1, 2, 3, 4]]);
  expect(batcher.count).toBe(0);
  await batcher.close();
});

it('reports ages from the arrival of the oldest item', async () => {
  const scheduler = virtualScheduler();
  const ages: unknown[] = [];
  let finish = (): void => {};
  const batcher = createBatcher({
    merge: list<number, string>(),
    hold: 'none',
    scheduler,
    onDelivered: (ageMs, count, bytes) => ages.push([ageMs, count, bytes]),
    flush: (batch) => {
      ages.push([batch.ageMs, batch.entries.map((entry) => entry.ageMs)]);
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
  });
  batcher.push(0, 'a');
  await scheduler.advanceAsync(2);
  batcher.push(1, 'a');
  await scheduler.advanceAsync(3);
  batcher.push(2, 'b');
  await scheduler.advanceAsync(1);
  finish();
  await scheduler.advanceAsync(0);
  finish();
  await scheduler.advanceAsync(0);
  expect(ages).toEqual([
    [0, [0]],
    [0, 1, 1],
    [4, [4, 1]],
    [4, 2, 2],
  ]);
});

it('keeps the budget of what a full batch left behind', async () => {
  const scheduler = virtualScheduler();
  const ages: number[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    delayMsMax: 5,
    bytesMax: 10,
    scheduler,
    flush: (batch) => {
      ages.push(batch.ageMs);
      // So dear that the law would hold for long, and busy for 0.1 ms.
      return new Promise((resolve) => scheduler.wake(() => resolve({ costMs: 50 }), 0.1));
    },
  });
  for (let i = 0; i < 50; i++) {
    batcher.push(0, 'k');
    batcher.flush(); // busy: the next 14 queue up, 10 leave together and 4 stay
    for (let j = 0; j < 14; j++) batcher.push(j, 'k');
    for (let ms = 0; ms < 8; ms++) {
      await scheduler.advanceAsync(1.5);
      batcher.push(ms, 'k'); // each one renews the hold
    }
    await scheduler.advanceAsync(20);
  }
  expect(ages.length).toBeGreaterThan(140);
  expect(Math.max(...ages)).toBeLessThanOrEqual(5.2);
});

it('delivers the parts of a split batch without another hold', () => {
  const scheduler = virtualScheduler();
  const times: number[] = [];
  let isPoisoned = false;
  const batcher = createBatcher({
    merge: list<number, number>(),
    scheduler,
    random: () => 0,
    retry: { attemptsMax: 1 },
    onError: () => 'split',
    flush: (batch) => {
      if (isPoisoned && batch.entries.length > 2) throw new Error('too many');
      times.push(scheduler.now());
      return { costMs: 10 };
    },
  });
  for (let i = 0; i < 100; i++) {
    batcher.push(i, 0);
    scheduler.advance(0.2);
  }
  scheduler.advance(10);
  times.length = 0;
  isPoisoned = true;
  for (let key = 0; key < 8; key++) batcher.push(key, key);
  batcher.flush();
  const start = scheduler.now();
  scheduler.advance(0);
  expect(times).toEqual([start, start, start, start]);
});

it('ignores a flush that settles after the abort', async () => {
  const scheduler = virtualScheduler();
  let finish = (): void => {};
  const delivered: number[] = [];
  const reasons: unknown[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    scheduler,
    onDelivered: (_ageMs, count) => delivered.push(count),
    flush: (batch) => {
      batch.signal.addEventListener('abort', () => reasons.push(batch.signal.reason));
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
  });
  batcher.push(1, 'k');
  scheduler.endTick();
  const { unsettled } = batcher.abort('enough');
  expect(unsettled.map((entry) => entry.value)).toEqual([[1]]);
  expect(reasons).toEqual(['enough']);
  finish();
  await scheduler.advanceAsync(1);
  expect(delivered).toEqual([]);
  expect(batcher.stats()).toMatchObject({ state: 'aborted', flushes: 0, delivered: 0 });
});

it('flushes at the end of the tick while input is expected', () => {
  const scheduler = virtualScheduler();
  let flushes = 0;
  const batcher = createBatcher({
    merge: list<number, string>(),
    scheduler,
    flush: () => {
      flushes++;
      return { costMs: 1 };
    },
  });
  for (let i = 0; i < 100; i++) {
    batcher.push(i, 'k');
    scheduler.advance(0.1);
  }
  scheduler.advance(10);
  batcher.hint(50);
  const before = flushes;
  for (let i = 0; i < 10; i++) {
    batcher.push(i, 'k');
    scheduler.endTick();
  }
  expect(flushes - before).toBe(10);
});

it('looks at the clock in a long synchronous loop', () => {
  const scheduler = virtualScheduler();
  const ages: number[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    delayMsMax: 5,
    scheduler,
    flush: (batch) => void ages.push(batch.ageMs),
  });
  for (let i = 0; i < 10_000; i++) {
    batcher.push(i, 'k');
    scheduler.burn(0.01); // 5.12 ms in 512 pushes
  }
  batcher.flush();
  expect(ages.length).toBeGreaterThan(10);
  expect(Math.max(...ages)).toBeLessThan(5 + 2.57);
});

it('B5: a weigh that lies is refused and changes nothing', () => {
  const batcher = createBatcher({
    merge: list<number, string>(),
    weigh: (item) => item,
    scheduler: virtualScheduler(),
    flush: () => {},
  });
  for (const weight of [Number.NaN, -1]) {
    expect(() => batcher.push(weight, 'k')).toThrow(/weigh must return/);
  }
  batcher.push(3, 'k');
  expect(() => batcher.push(-1, 'k')).toThrow(/weigh must return/);
  expect(batcher.count).toBe(1);
  expect(batcher.bytes).toBe(3);
});

it('closes by await using', async () => {
  const seen: number[] = [];
  {
    await using batcher = createBatcher({
      merge: list<number, string>(),
      flush: (batch) => void seen.push(...batch.entries[0]!.value),
    });
    batcher.push(1, 'k');
  }
  expect(seen).toEqual([1]);
});

it('B3: holds nothing that a coarse timer could not end in time', () => {
  const scheduler = virtualScheduler(1);
  const ages: number[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    delayMsMax: 0.5,
    scheduler,
    flush: (batch) => {
      ages.push(batch.ageMs);
      return { costMs: 0.05 };
    },
  });
  for (let i = 0; i < 500; i++) {
    batcher.push(i, 'k');
    scheduler.advance(0.1);
  }
  expect(Math.max(...ages)).toBeLessThanOrEqual(0.5);
});

it('B2: an abort returns the parts of a split batch too, in order', () => {
  const scheduler = virtualScheduler();
  const batcher = createBatcher({
    merge: list<number, number>(),
    hold: 'none',
    scheduler,
    retry: { attemptsMax: 1 },
    onError: () => 'split',
    flush: (batch) => {
      if (batch.entries.length > 1) throw new Error('too many');
      return new Promise<void>(() => {});
    },
  });
  for (let key = 0; key < 4; key++) batcher.push(key, key);
  scheduler.advance(5000);
  batcher.push(4, 4);
  const { undelivered, unsettled } = batcher.abort();
  expect(unsettled.map((entry) => entry.value)).toEqual([[0]]);
  expect(undelivered.map((entry) => entry.value)).toEqual([[1], [2], [3], [4]]);
});

it('Q1: keeps the order of a key that was forgotten while someone holds its lane', () => {
  const scheduler = virtualScheduler();
  const seen: number[] = [];
  const batcher = createBatcher({
    merge: list<number, string>(),
    hold: 'none',
    scheduler,
    flush: (batch) => {
      for (const entry of batch.entries) seen.push(...entry.value);
      expect(batch.entries).toHaveLength(1);
    },
  });
  const lane = batcher.lane('k');
  lane.push(0);
  scheduler.endTick();
  batcher.forget('k');
  batcher.push(1, 'k');
  lane.push(2);
  batcher.push(3, 'k');
  lane.pushUrgent(4);
  scheduler.endTick();
  batcher.push(5, 'k');
  batcher.forget('k'); // not idle: stays
  lane.push(6);
  scheduler.endTick();
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

it('counts a replaced item out of pendingBytesMax', () => {
  const batcher = createBatcher({
    merge: last<string, string>(),
    weigh: (item) => item.length,
    bytesMax: 10,
    pendingBytesMax: 10,
    scheduler: virtualScheduler(),
    flush: () => new Promise(() => {}),
  });
  for (let i = 0; i < 5; i++) batcher.push('12345678', 'k');
  expect(batcher.bytes).toBe(8);
  expect(() => batcher.push('123', 'other')).toThrow(BatcherFullError);
});

it('keeps no lanes for keys that come once', () => {
  const scheduler = virtualScheduler();
  let delivered = 0;
  const batcher = createBatcher({
    merge: list<number, number>(),
    hold: 'none',
    scheduler,
    flush: (batch) => {
      delivered += batch.count;
    },
  });
  for (let key = 0; key < 20_000; key++) {
    batcher.push(key, key);
    if (key % 10 === 0) scheduler.endTick();
  }
  batcher.flush();
  expect(delivered).toBe(20_000);
  expect(batcher.stats().keys).toBe(0);
});

it('tells count and bytes at every push, also of those that went the short way', () => {
  const scheduler = virtualScheduler();
  const batcher = createBatcher({
    merge: concat<number>(),
    hold: 'none',
    scheduler,
    flush: () => {},
  });
  for (let i = 1; i <= 600; i++) {
    batcher.push(new Uint8Array(3), i % 2);
    expect(batcher.count).toBe(i);
    expect(batcher.bytes).toBe(3 * i);
  }
  expect(batcher.stats()).toMatchObject({ pushed: 600, count: 600, bytes: 1800, keys: 2 });
  batcher.flush();
  expect(batcher.count + batcher.bytes).toBe(0);
});

it('learns the speed of the sink, for a window of a latency budget', async () => {
  const scheduler = virtualScheduler();
  const batcher = createBatcher({
    merge: concat<string>(),
    bytesMax: 65_536,
    sojournMs: 10,
    scheduler,
    flush: (batch) =>
      new Promise<void>((resolve) => {
        scheduler.wake(resolve, 0.1 + batch.bytes / 2000); // a link of 2,000 bytes per ms
      }),
  });
  expect(batcher.drainBytesPerMs).toBe(Number.POSITIVE_INFINITY); // nothing measured yet
  for (let i = 0; i < 400; i++) {
    batcher.push(new Uint8Array(100 + ((i * 7919) % 4000)), 'pane');
    await scheduler.advanceAsync(1.5);
  }
  expect(batcher.drainBytesPerMs).toBeGreaterThan(1700);
  expect(batcher.drainBytesPerMs).toBeLessThan(2100);
  expect(batcher.stats().drainBytesPerMs).toBe(batcher.drainBytesPerMs);
  batcher.abort();
});
