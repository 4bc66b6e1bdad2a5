/** `batch(fn)`: the one-liner. A function that takes one item at a time, made of one that takes many. */
import type { Batcher } from './batcher.ts';
import { createBatcher } from './create-batcher.ts';
import { list } from './merge.ts';
import type { BatcherOptions, FlushResult } from './options.ts';
import type { Remains } from './stats.ts';
import type { WaitOptions } from './waiters.ts';

/** Options of `batch`. */
export type BatchFunctionOptions<Item> = Partial<
  Omit<BatcherOptions<Item, undefined, Item[], Item[]>, 'flush' | 'merge'>
>;

/** A function that takes one item at a time and delivers many at once. */
export interface BatchFunction<Item> extends AsyncDisposable {
  /** Takes an item; false means that the sink lags and the caller should pause (`batcher.ready()`). */
  (item: Item): boolean;
  /** Delivers what waits, now. */
  flush(): boolean;
  /** Delivers what waits and ends. */
  close(options?: WaitOptions): Promise<Remains<undefined, Item[]>>;
  /** The batcher behind it. */
  readonly batcher: Batcher<Item, undefined, Item[]>;
}

/**
 * Makes a function of one item out of a function of many.
 *
 * @param deliver - takes the items of a batch, in order, as an array of its own; a promise keeps the next batch back
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { batch } from '@millrace/batcher';
 *
 * const batches: string[][] = [];
 * const log = batch((lines: string[]) => void batches.push(lines));
 * log('one');
 * log('two');
 * await log.close();
 * assert.deepEqual(batches, [['one', 'two']]);
 * ```
 */
export function batch<Item>(
  deliver: (items: Item[]) => FlushResult,
  options: BatchFunctionOptions<Item> = {},
): BatchFunction<Item> {
  const batcher = createBatcher<Item, undefined, Item[]>({
    ...options,
    merge: list<Item, undefined>(),
    flush: ({ entries }) =>
      deliver(entries.length === 1 ? entries[0]!.value : entries.flatMap((entry) => entry.value)),
  });
  const lane = batcher.lane(undefined);
  return Object.assign(lane.push, {
    flush: () => batcher.flush(),
    close: (wait?: WaitOptions) => batcher.close(wait),
    batcher,
    [Symbol.asyncDispose]: async () => {
      await batcher.close();
    },
  });
}
