/** The way to a batcher: typed by its merge. */
import { Batcher } from './batcher.ts';
import type { Merge, MergeWithValue } from './merge.ts';
import type { BatcherOptions } from './options.ts';

/**
 * Creates a batcher.
 *
 * The sink gets one entry a key. Entries and, unless the merge gives them away, their values are borrowed until the
 * flush has ended; the batcher then reuses them.
 *
 * @throws {BatcherArgumentError} If an option is outside its range.
 *
 * Concurrency: one thread. Every method may be called from inside `flush`.
 * Cost: `push` O(1), no allocation beyond the merge's.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { concat, createBatcher } from '@millrace/batcher';
 *
 * const screen = new Map<string, string>();
 * const batcher = createBatcher({
 *   merge: concat<string>(),
 *   delayMsMax: 5,
 *   flush: ({ entries }) => {
 *     for (const { key, value } of entries) {
 *       screen.set(key, (screen.get(key) ?? '') + new TextDecoder().decode(value));
 *     }
 *   },
 * });
 * const bytes = new TextEncoder().encode('hello ');
 * batcher.push(bytes, 'left');
 * bytes.set(new TextEncoder().encode('world '));
 * batcher.push(bytes, 'left'); // copied: the caller may reuse its buffer
 * assert.equal(batcher.flush(), true); // or wait for the end of the tick
 * assert.equal(screen.get('left'), 'hello world ');
 * const { undelivered } = await batcher.close({ timeoutMs: 1000 });
 * assert.equal(undelivered.length, 0);
 * ```
 */
export function createBatcher<Item, Key, Accumulator, Value>(
  options: BatcherOptions<Item, Key, Accumulator, Value> & {
    readonly merge: MergeWithValue<Item, Key, Accumulator, Value>;
  },
): Batcher<Item, Key, Value>;
/** Creates a batcher whose sink gets the accumulators themselves. */
export function createBatcher<Item, Key, Accumulator>(
  options: BatcherOptions<Item, Key, Accumulator, Accumulator> & {
    readonly merge: Merge<Item, Key, Accumulator> & { readonly value?: undefined };
  },
): Batcher<Item, Key, Accumulator>;
export function createBatcher<Item, Key, Value>(options: object): Batcher<Item, Key, Value> {
  return new Batcher(options as BatcherOptions<Item, Key, unknown, Value>);
}
