// Goal: Q1 to Q3 and P1, P2: a backlog is shared between keys, and pressure finds the keys that cause it.
// Method: a sink that takes one batch at a time under the test's control, random backlogs.
import { fc, test } from '@fast-check/vitest';
import { concat, createBatcher, list } from '@millrace/batcher';
import { virtualScheduler } from '@millrace/batcher/sim';
import { expect, it } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 200);
const BYTES_MAX = 8000;

/** A batcher whose sink keeps every batch until told to let go, and what it was given: key to bytes, per batch. */
function held(bytesMax = BYTES_MAX) {
  const scheduler = virtualScheduler();
  const batches: Map<number, number>[] = [];
  let letGo = (): void => {};
  const batcher = createBatcher({
    merge: concat<number>(),
    hold: 'none',
    bytesMax,
    scheduler,
    flush: (batch) => {
      const bytes = new Map<number, number>();
      for (const entry of batch.entries) {
        bytes.set(entry.key, (bytes.get(entry.key) ?? 0) + entry.bytes);
      }
      batches.push(bytes);
      return new Promise<void>((resolve) => {
        letGo = resolve;
      });
    },
  });
  const step = async (): Promise<void> => {
    letGo();
    await scheduler.advanceAsync(0);
  };
  return { batcher, batches, scheduler, step };
}

test.prop(
  [
    fc.array(
      fc.record({ key: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 1, max: 300 }) }),
      { minLength: 1, maxLength: 60 },
    ),
  ],
  { numRuns: runs },
)(
  'Q3: a key that pushes little is in the next batch, however much another one has',
  async (quiet) => {
    const { batcher, batches, scheduler, step } = held();
    for (let i = 0; i < 200; i++) batcher.push(new Uint8Array(500), 0);
    scheduler.endTick();
    await step();
    await step();
    const total = new Map<number, number>();
    for (const { key, bytes } of quiet) {
      total.set(key, (total.get(key) ?? 0) + bytes);
      batcher.push(new Uint8Array(bytes), key);
    }
    const share = BYTES_MAX / (total.size + 1);
    const from = batches.length;
    await step();
    for (const [key, bytes] of total) {
      // What exceeds the share by less than one entry may come whole.
      if (bytes <= share) expect(batches[from]!.get(key)).toBe(bytes);
      else expect(batches[from]!.get(key) ?? 0).toBeGreaterThan(0);
    }
    for (let k = 0; k < 200 && batcher.bytes > 0; k++) await step();
    expect(batcher.bytes).toBe(0);
    const seen = (key: number): number =>
      batches.reduce((sum, batch) => sum + (batch.get(key) ?? 0), 0);
    for (const [key, bytes] of total) expect(seen(key)).toBe(bytes);
    expect(seen(0)).toBe(100_000);
    for (const batch of batches) {
      const bytes = [...batch.values()].reduce((sum, n) => sum + n, 0);
      expect(bytes).toBeLessThanOrEqual(BYTES_MAX + 500);
    }
  },
);

test.prop([fc.integer({ min: 8, max: 500 }), fc.integer({ min: 1, max: 7 })], { numRuns: runs })(
  'Q3, Q4: where countMax cuts the batches, quiet keys get their share of the next one all the same',
  async (countMax, quietKeys) => {
    const scheduler = virtualScheduler();
    const batches: Map<number, number>[] = [];
    let letGo = (): void => {};
    const batcher = createBatcher({
      merge: list<number, number>(),
      hold: 'none',
      countMax,
      scheduler,
      flush: ({ entries, count }) => {
        expect(count).toBeLessThanOrEqual(countMax);
        const items = new Map<number, number>();
        for (const entry of entries) {
          items.set(entry.key, (items.get(entry.key) ?? 0) + entry.count);
        }
        batches.push(items);
        return new Promise<void>((resolve) => {
          letGo = resolve;
        });
      },
    });
    batcher.push(0, 0);
    scheduler.endTick();
    for (let i = 0; i < 20 * countMax; i++) batcher.push(i, 0);
    for (let key = 1; key <= quietKeys; key++) batcher.push(key, key);
    const step = async (): Promise<void> => {
      letGo();
      await scheduler.advanceAsync(0);
    };
    await step();
    await step();
    // The flood's first entry may fill the first batch alone; its turn ends with the second.
    const soon = new Set(batches.slice(1, 3).flatMap((batch) => [...batch.keys()]));
    for (let key = 1; key <= quietKeys; key++) expect(soon).toContain(key);
    for (let k = 0; k < 200 && batcher.count > 0; k++) await step();
    await step();
    const total = batches.reduce((sum, batch) => sum + (batch.get(0) ?? 0), 0);
    expect(total).toBe(20 * countMax + 1);
    expect(batches.length).toBeLessThan(2 + 2 * 22); // and batches are used well
  },
);

it('sends an item larger than a batch alone', async () => {
  const { batcher, batches, scheduler, step } = held(100);
  batcher.push(new Uint8Array(10), 1);
  batcher.push(new Uint8Array(5000), 2);
  batcher.push(new Uint8Array(10), 3);
  scheduler.endTick();
  for (let k = 0; k < 10 && batcher.bytes > 0; k++) await step();
  expect(batches.flatMap((batch) => [...batch])).toEqual(
    expect.arrayContaining([
      [1, 10],
      [2, 5000],
      [3, 10],
    ]),
  );
});

it('keeps a merged batch within the predicted time', async () => {
  const scheduler = virtualScheduler();
  let longest = 0;
  const batcher = createBatcher({
    merge: concat<number>(),
    sliceMs: 4,
    sojournMs: 1000, // not what cuts here
    scheduler,
    flush: (batch) => {
      const takesMs = 0.05 + batch.bytes * 0.0002; // 5 MB/s
      longest = Math.max(longest, takesMs);
      scheduler.burn(takesMs);
    },
  });
  const chunk = new Uint8Array(1000);
  for (let i = 0; i < 500; i++) {
    for (let j = 0; j < 1 + (i % 7); j++) batcher.push(chunk, 0);
    scheduler.advance(2);
  }
  longest = 0;
  for (let j = 0; j < 300; j++) batcher.push(chunk, j % 3);
  scheduler.advance(200);
  expect(batcher.bytes).toBe(0);
  expect(longest).toBeGreaterThan(1);
  expect(longest).toBeLessThan(6);
});

/** MB/s of a flood through a sink with a fixed cost and 20 us per KB (50 MB/s), once it is learned. */
function floodRate(fixedMs: number): number {
  const scheduler = virtualScheduler();
  let delivered = 0;
  const batcher = createBatcher({
    merge: concat<number>(),
    sojournMs: 20,
    sliceMs: 1000,
    scheduler,
    flush: (batch) => {
      delivered += batch.bytes;
      scheduler.burn(fixedMs + batch.bytes * 2e-5);
    },
  });
  const chunk = new Uint8Array(4000);
  const run = (durationMs: number): number => {
    const began = scheduler.now();
    delivered = 0;
    while (scheduler.now() < began + durationMs) {
      for (let j = 0; j < 500 && batcher.push(chunk, 0); j++) {}
      scheduler.advance(1);
    }
    return delivered / 1000 / (scheduler.now() - began);
  };
  run(1000);
  return run(1000);
}

it.each([1, 5, 8, 9, 9.5, 10, 11, 15, 30])(
  'P3: a fixed cost of %d ms, half of sojournMs being 10, leaves a flood its speed',
  (fixedMs) => {
    // Batches whose bytes take a quarter of the fixed cost make at most 1 / (1 + 4) of 50 MB/s.
    expect(floodRate(fixedMs)).toBeGreaterThan(0.35 * 10);
  },
);

it('reports pressure by key in pairs, and ends it when the batcher is aborted', async () => {
  const scheduler = virtualScheduler();
  const open = new Set<number>();
  const batcher = createBatcher({
    merge: concat<number>(),
    bytesMax: 100,
    scheduler,
    flush: () => new Promise<void>(() => {}),
    onPressure: (key, pressed) => {
      expect(open.has(key)).toBe(!pressed);
      if (pressed) open.add(key);
      else open.delete(key);
    },
  });
  for (let i = 0; i < 50; i++) batcher.push(new Uint8Array(10), i % 2);
  expect([...open].sort()).toEqual([0, 1]);
  const waiting = batcher.ready(0);
  batcher.abort(new Error('over'));
  expect(open.size).toBe(0);
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_BATCHER_CLOSED' });
  await batcher.closed;
});

it('ready and drain end at their deadline or signal', async () => {
  const scheduler = virtualScheduler();
  const batcher = createBatcher({
    merge: concat<number>(),
    bytesMax: 10,
    scheduler,
    flush: () => new Promise<void>(() => {}),
  });
  while (batcher.push(new Uint8Array(5), 0)) {}
  const late = expect(batcher.ready(0, { timeoutMs: 5 })).rejects.toMatchObject({
    code: 'ERR_BATCHER_TIMEOUT',
  });
  const controller = new AbortController();
  const stopped = expect(batcher.drain({ signal: controller.signal })).rejects.toThrow('enough');
  controller.abort(new Error('enough'));
  await scheduler.advanceAsync(6);
  await late;
  await stopped;
  expect(scheduler.pending).toBe(0);
});
