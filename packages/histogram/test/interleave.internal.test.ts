// Goal: shards lose, double and invent nothing under any interleaving, with racy reads returning whatever
// happens-before doesn't hide, with writers dying anywhere, and across a count's carry.
// Method: model checking of the real code (@millrace/interleave) with three buckets.
import { assertVerified, check, type RacyRange, type Scenario } from '@millrace/interleave';
import { describe, expect, it } from 'vitest';
import type { IntervalReader } from '../src/interval-reader.ts';
import { SharedHistogram } from '../src/shared-histogram.ts';
import { EXTRA_CELLS, HEADER_BYTES, shardViews, strideOf } from '../src/shared-layout.ts';

/** Buckets 0, 1 and 2..3: as small as a histogram can be. */
const OPTIONS = { digits: 0, highest: 2, lowest: 1 } as const;
const CELLS = 3 + EXTRA_CELLS;
const STRIDE = strideOf(CELLS);

const create = (shards: number, preset = 0): SharedHistogram => {
  const shared = SharedHistogram.create({ ...OPTIONS, shards });
  const { buffer } = shared;
  if (preset > 0) {
    const { counts, carries, range } = shardViews(buffer, 0, CELLS, STRIDE);
    counts[1] = preset;
    carries[1] = Math.floor(preset / 2 ** 31);
    range[2] = 1;
    range[3] = 1;
  }
  return shared;
};

/** What writers store plainly and readers load plainly, on purpose. */
const racy =
  (shards: number) =>
  ({ buffer }: SharedHistogram): RacyRange[] =>
    Array.from({ length: shards }, (_, shard) => {
      const { counts, carries } = shardViews(buffer, shard, CELLS, STRIDE);
      const start = HEADER_BYTES + shard * STRIDE;
      return [
        { view: counts, name: 'counts' },
        { view: carries, name: 'carries' },
        { view: new Int32Array(buffer, start + 8, 1), name: 'crossed' },
        { view: new Float64Array(buffer, start + 16, 2), name: 'range' },
      ];
    }).flat();

const countsOf = (histogram: { countAt(value: number): number }): number[] =>
  [0, 1, 2].map((value) => histogram.countAt(value));

const writer = (owner: number, values: readonly number[], crash = false) => ({
  crash,
  run: (shared: SharedHistogram): void => {
    const recorder = shared.claim(owner);
    for (const value of values) recorder.record(value);
    recorder.release();
  },
});
const reader = (looks: number) => ({
  run: (shared: SharedHistogram): number[][] => {
    const intervals: IntervalReader = shared.intervals({ from: 'start' });
    return Array.from({ length: looks }, () => countsOf(intervals.next()));
  },
});

/** No interval is negative, and together they hold no more than the total, bucket by bucket. */
const contained = (intervals: readonly number[][], total: readonly number[]): boolean =>
  intervals.flat().every((count) => count >= 0) &&
  total.every((count, i) => intervals.reduce((sum, one) => sum + one[i]!, 0) <= count);

const verified = (scenario: Scenario<SharedHistogram>): void => {
  const result = check(scenario);
  assertVerified(result);
  expect(result.verdict).toBe('verified');
};

describe('under every interleaving', () => {
  it.each([
    ['two records, one look', [1, 1], 1],
    ['one record, two looks', [1], 2],
  ])('a writer and a reader: %s', (_, values, looks) => {
    verified({
      setup: () => create(1),
      threads: [writer(1, values), reader(looks)],
      racy: racy(1),
      final: (shared, results) => {
        const total = countsOf(shared.total());
        return total[1] === values.length && contained(results[1]![0] as number[][], total);
      },
    });
  });

  it('a writer whose count passes 2^31', () => {
    verified({
      setup: () => create(1, 2 ** 31 - 1),
      threads: [writer(1, [1]), reader(1)],
      racy: racy(1),
      final: (shared, results) => {
        const total = countsOf(shared.total());
        const [seen] = results[1]![0] as [number[]];
        // Nothing halfway: nothing yet, the count before, or the count after.
        return total[1] === 2 ** 31 && [0, 2 ** 31 - 1, 2 ** 31].includes(seen[1]!);
      },
    });
  });

  it.each([1, 2])('two writers and %d shards, without any race', (shards) => {
    verified({
      setup: () => create(shards),
      threads: [writer(1, [1]), writer(2, [0])],
      cover: ['cas-failed'],
      final: (shared) => countsOf(shared.total()).join() === '1,1,0',
    });
  });

  it('a writer that dies anywhere', () => {
    verified({
      setup: () => create(1),
      threads: [writer(1, [0, 1], true)],
      racy: racy(1),
      cover: ['crashed'],
      final: (shared) => {
        const total = countsOf(shared.total());
        const { counts } = shardViews(shared.buffer, 0, CELLS, STRIDE);
        // What is in memory is in the total, and the shard can be handed on.
        if (total.some((count, i) => count !== counts[i])) return `hidden: ${total}`;
        shared.releaseOwner(1);
        return shared.claim(2).exclusive;
      },
    });
  });
});
