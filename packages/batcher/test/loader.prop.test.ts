// Goal: D1 to D3: every load settles once, with its own value or error, no request exceeds `countMax`, no more of them
// run than `concurrency`, and no key that is cached is asked for twice, whatever fails, is cleared or loads inside.
// Method: random scripts of loads in virtual time, against what `load` itself gave out.
import { fc, test } from '@fast-check/vitest';
import { createLoader } from '@millrace/batcher';
import { virtualScheduler } from '@millrace/batcher/sim';
import { expect } from 'vitest';

const runs = Number(process.env['FC_RUNS'] ?? 300);
const KEYS = 12;

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('load' as const),
      keys: fc.array(fc.nat(KEYS - 1), { minLength: 1, maxLength: 15 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('flush' as const, 'clear' as const, 'batcher' as const),
    }),
  },
);
const treatment = fc.record({
  takesMs: fc.nat(8),
  outcome: fc.constantFrom('values', 'values', 'errors', 'throws', 'rejects', 'too few', 'never'),
  inside: fc.array(fc.nat(KEYS - 1), { maxLength: 2 }),
});

test.prop(
  [
    fc.record({
      commands: fc.array(command, { maxLength: 40 }),
      treatments: fc.array(treatment, { maxLength: 20 }),
      isCached: fc.boolean(),
      countMax: fc.constantFrom(1, 3, 1000, Number.POSITIVE_INFINITY),
      concurrency: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
      costMs: fc.constantFrom(undefined, 0.5),
      resolutionMs: fc.constantFrom(0, 1),
    }),
  ],
  { numRuns: runs },
)('settles every load once, with its own', async (script) => {
  const { commands, treatments, isCached, countMax, concurrency, costMs, resolutionMs } = script;
  const throws = treatments.some(({ outcome }) => outcome === 'throws');
  const clears = commands.some(({ kind }) => kind === 'clear');
  const scheduler = virtualScheduler(resolutionMs);
  let running = 0;
  let requests = 0;
  let stuck = 0;
  let settled = 0;
  const wrong: string[] = [];
  const all: Promise<unknown>[] = [];
  /** What a request of these keys gave each of them, told apart by the request's number. */
  const given = new Map<number, Set<string>>();
  const note = (key: number, what: string): void => {
    const seen = given.get(key) ?? new Set();
    given.set(key, seen.add(what));
  };
  const load = (key: number): void => {
    const promise = loader.load(key);
    // A request that is sent inside `load` and throws has failed already: then nothing is cached.
    if (isCached && !throws) {
      const again = loader.load(key);
      again.catch(() => {});
      if (again !== promise) wrong.push('not cached'); // D1
    }
    all.push(
      promise
        .then(
          (value) => void (given.get(key)?.has(value) || wrong.push(`value ${value} for ${key}`)),
          (error: Error) =>
            void (given.get(key)?.has(error.message) || wrong.push(`${error.message} for ${key}`)),
        )
        .then(() => settled++),
    );
  };
  const loader = createLoader<number, string>({
    cache: isCached,
    countMax,
    concurrency,
    ...(costMs === undefined ? {} : { costMs }),
    scheduler,
    load: (keys) => {
      const request = requests++;
      const { takesMs, outcome, inside } = treatments[request] ?? {
        takesMs: 0,
        outcome: 'values',
        inside: [],
      };
      if (keys.length > countMax || ++running > concurrency) wrong.push('over a limit');
      if (isCached && !clears && new Set(keys).size < keys.length)
        wrong.push('asked twice in a request');
      const results = keys.map((key, i) => {
        const text = `${request} ${key}`;
        note(key, text);
        return outcome === 'errors' && i % 2 === 1 ? new Error(text) : text;
      });
      const failure = `${request} failed`;
      const few = `load must return one result per key: keys=${keys.length}, results=${keys.length - 1}`;
      for (const key of keys) for (const text of [failure, few]) note(key, text);
      for (const key of inside) load(key);
      if (outcome === 'throws') {
        running--;
        throw new Error(failure);
      }
      if (outcome === 'never') stuck += keys.length;
      return new Promise((resolve, reject) => {
        if (outcome === 'never') return;
        scheduler.wake(() => {
          running--;
          if (outcome === 'rejects') reject(new Error(failure));
          else resolve(outcome === 'too few' ? results.slice(1) : results);
        }, takesMs);
      });
    },
  });
  for (const one of commands) {
    if (one.kind === 'load') for (const key of one.keys) load(key);
    else if (one.kind === 'advance') await scheduler.advanceAsync(one.ms);
    else if (one.kind === 'flush') loader.flush();
    else if (one.kind === 'batcher') {
      const { pushed, delivered, count, flushes } = loader.batcher.stats();
      const isCounted = pushed === delivered + count && flushes === requests; // also from before it was made
      if (concurrency === Number.POSITIVE_INFINITY && !isCounted) wrong.push('lost count');
    } else loader.clear(requests % KEYS);
  }
  await scheduler.advanceAsync(10_000);
  const hangs = stuck > 0;
  const ends = Promise.all([loader.close(), loader.close()]);
  await scheduler.advanceAsync(10_000);
  if (!hangs) {
    await ends;
    await Promise.all(all);
    expect(settled).toBe(all.length); // D2
  }
  expect(wrong).toEqual([]);
  expect(all.length - settled).toBeLessThanOrEqual(hangs ? all.length : 0);
});
