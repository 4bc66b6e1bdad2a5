/**
 * Goal: a list that is made as long as those before it holds what was pushed and nothing else, whatever its size, its items
 * and the number of keys (W1 to W3 of short-way.ts).
 * Method: ticks of random sizes in virtual time, every delivered array against what was pushed.
 */
import { fc, test } from '@fast-check/vitest';
import { type Batch, createBatcher, list } from '@millrace/batcher';
import { virtualScheduler } from '@millrace/batcher/sim';
import { expect, it } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 200);

const item = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ maxLength: 2 }),
  fc.constant(undefined),
);
/** Steady sizes make lists long at once; the others must not be hurt by them. */
const size = fc.oneof(
  fc.constant(40),
  fc.integer({ min: 30, max: 50 }),
  fc.integer({ min: 0, max: 5 }),
  fc.constant(700),
);

test.prop(
  {
    sizes: fc.array(size, { maxLength: 12 }),
    items: fc.array(item, { minLength: 1, maxLength: 7 }),
    keys: fc.integer({ min: 1, max: 3 }),
    run: fc.integer({ min: 1, max: 60 }),
    countMax: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    weight: fc.option(fc.constantFrom(0, 0.3, 1, 3000), { nil: undefined }),
  },
  { numRuns: runs },
)('hold what was pushed, in order and without a hole', (given) => {
  const { sizes, items, keys, run, countMax, weight } = given;
  const scheduler = virtualScheduler();
  const delivered: unknown[][] = Array.from({ length: keys }, () => []);
  const kept: { value: readonly unknown[]; copy: unknown[] }[] = [];
  const batcher = createBatcher({
    merge: list<unknown, number>(),
    scheduler,
    ...(countMax === undefined ? {} : { countMax }),
    ...(weight === undefined ? {} : { weigh: () => weight }),
    flush: ({ entries }: Batch<number, unknown[]>) => {
      for (const { key, value, count } of entries) {
        expect(value).toHaveLength(count);
        expect(Object.keys(value)).toHaveLength(count); // a hole would have none
        delivered[key]!.push(...value);
        kept.push({ value, copy: [...value] });
      }
    },
  });
  const pushed: unknown[][] = Array.from({ length: keys }, () => []);
  const lanes = pushed.map((_, key) => batcher.lane(key));
  let next = 0;
  for (const count of sizes) {
    for (let i = 0; i < count; i++, next++) {
      const key = Math.floor(next / run) % keys;
      const pushedItem = items[next % items.length];
      if (next % 3 === 0) batcher.push(pushedItem, key);
      else lanes[key]!.push(pushedItem);
      pushed[key]!.push(pushedItem);
    }
    scheduler.endTick();
    scheduler.advance(20);
  }
  batcher.flush();
  expect(delivered).toEqual(pushed);
  expect(batcher.stats()).toMatchObject({ pushed: next, delivered: next, count: 0, bytes: 0 });
  // A sink may keep them: nothing is added to them later.
  for (const { value, copy } of kept) expect(value).toEqual(copy);
});

it("a list that a merge of its own creates is that merge's", () => {
  const scheduler = virtualScheduler();
  const seen: unknown[][] = [];
  const batcher = createBatcher({
    merge: { ...list<number | string>(), create: () => ['first'] },
    scheduler,
    flush: ({ entries }: Batch<string, (number | string)[]>) => void seen.push(entries[0]!.value),
  });
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  for (let tick = 0; tick < 4; tick++) {
    for (const number of numbers) batcher.push(number, 'a');
    scheduler.endTick();
    scheduler.advance(20);
  }
  expect(seen).toEqual(Array.from({ length: 4 }, () => ['first', ...numbers]));
});

it('pushes from inside the flush that a push has caused are counted once', async () => {
  const scheduler = virtualScheduler();
  const seen: number[][] = [];
  const batcher = createBatcher({
    merge: list<number>(),
    scheduler,
    countMax: 3,
    flush: ({ entries }: Batch<string, number[]>) => {
      seen.push(entries.flatMap((entry) => entry.value));
      if (seen.length === 1) for (const inner of [4, 5]) batcher.push(inner, 'a');
      return Promise.resolve(); // they wait for it
    },
  });
  for (const outer of [1, 2, 3]) batcher.push(outer, 'a'); // the third causes the flush
  batcher.push(6, 'a');
  await batcher.close();
  expect(seen.flat()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(batcher.stats()).toMatchObject({ pushed: 6, delivered: 6, count: 0 });
});
