// Goal: a writer that dies at any instruction loses nothing that it had counted (R4 of shared-recorder.ts).
// Method: every store of a record is intercepted, and memory as it is after each one is read as a reader would.
import { describe, expect, it } from 'vitest';
import { Histogram } from '../src/histogram.ts';
import { BucketLayout } from '../src/layout.ts';
import { readShards } from '../src/shard-sums.ts';
import {
  EXTRA_CELLS,
  FLOAT_MAXIMUM,
  FLOAT_MINIMUM,
  type ShardViews,
  WORD_USED,
} from '../src/shared-layout.ts';
import { ExclusiveRecorder } from '../src/shared-recorder.ts';

/** Calls `after` behind each store into a typed array. */
const watched = <View extends object>(view: View, after: () => void): View =>
  new Proxy(view, {
    get: (target, key) => Reflect.get(target, key, target),
    set: (target, key, value) => {
      const done = Reflect.set(target, key, value, target);
      after();
      return done;
    },
  });

describe('after every single store of a record', () => {
  it.each([
    ['within the range so far', [500, 400, 600], [450]],
    ['beyond it', [500], [2, 900_000]],
    ['the first one', [], [77]],
    ['across 2^31', [500], [500]],
  ])('what was counted is summed: %s', (name, before, then) => {
    const layout = new BucketLayout({ highest: 1e6, digits: 2 });
    const cells = layout.length + EXTRA_CELLS;
    const views: ShardViews = {
      control: new Int32Array(32),
      range: new Float64Array(16),
      counts: new Uint32Array(cells),
      carries: new Uint32Array(cells),
    };
    views.range[FLOAT_MINIMUM] = Number.POSITIVE_INFINITY;
    views.range[FLOAT_MAXIMUM] = Number.NEGATIVE_INFINITY;
    views.control[WORD_USED] = 1;
    const common: ShardViews = { ...views, control: new Int32Array(32) };
    new ExclusiveRecorder(layout, views, 0, 'clamp').recordMany(before);
    let base = 0;
    if (name.startsWith('across')) {
      const index = layout.indexOf(500);
      base = 2 ** 31 - 2;
      views.counts[index] = views.counts[index]! + base;
    }
    let stores = 0;
    const look = (): void => {
      stores++;
      const sums = new Histogram(layout);
      readShards(sums, [views, common], undefined);
      let counted = 0;
      for (let i = 0; i < layout.length; i++) counted += views.counts[i]!;
      const summed = sums.count;
      expect(summed).toBe(counted);
    };
    const recorder = new ExclusiveRecorder(
      layout,
      {
        ...views,
        range: watched(views.range, look),
        counts: watched(views.counts, look),
        carries: watched(views.carries, look),
      },
      0,
      'clamp',
    );
    recorder.recordMany(then);
    expect(stores).toBeGreaterThanOrEqual(then.length);
  });
});
