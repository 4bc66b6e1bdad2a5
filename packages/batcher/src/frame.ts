/**
 * A coalescer for screens: at most one write per frame, the first one at once.
 *
 * The sink counts as busy until the next frame, and a batcher that holds nothing flushes when its sink gets free: so the
 * first output after a pause leaves at the end of its tick, a flood leaves once per frame, and an urgent item (an
 * echo) ends the wait.
 */
import { Batcher } from './batcher.ts';
import { checkRange } from './errors.ts';
import type { Merge, MergeWithValue } from './merge.ts';
import type { Batch, BatcherOptions } from './options.ts';
import { defaultScheduler, type Scheduler } from './scheduler.ts';

/** Options of `createFrameCoalescer`. */
export interface FrameCoalescerOptions<Item, Key, Accumulator, Value>
  extends Omit<
    BatcherOptions<Item, Key, Accumulator, Value>,
    'flush' | 'hold' | 'overhead' | 'waiting' | 'sojournMs'
  > {
  /** Writes a batch to the screen; may return a promise of its completion (a terminal's write callback). */
  readonly write: (batch: Batch<Key, Value>) => unknown;
  /** Time between frames, where there is no `requestAnimationFrame` (ms). @defaultValue 1000 / 60 */
  readonly frameMs?: number;
  /** Calls back at the next frame. @defaultValue `requestAnimationFrame` where it exists, else a timer */
  readonly requestFrame?: (task: () => void) => void;
}

/** A batcher that delivers once per frame. */
export interface FrameCoalescer<Item, Key, Value> {
  /** Takes an item for the next frame; false means that the key should pause. */
  push(item: Item, key: Key): boolean;
  /** Takes an item that must not wait for the frame: an echo, a reply. */
  pushUrgent(item: Item, key: Key): boolean;
  /** The batcher behind it: `ready`, `drain`, `close`, `abort`, `stats`. */
  readonly batcher: Batcher<Item, Key, Value>;
}

/** Frames after which a frame request that didn't come (a hidden tab) is given up. */
const FRAMES_MISSED_MAX = 6;

type RequestFrame = (task: () => void) => void;

function frameSource(
  options: { readonly requestFrame?: RequestFrame },
  frameMs: number,
  scheduler: Scheduler,
): RequestFrame {
  const request =
    options.requestFrame ??
    (globalThis as { requestAnimationFrame?: RequestFrame }).requestAnimationFrame;
  if (request === undefined) {
    return (task) => {
      scheduler.wake(task, frameMs);
    };
  }
  return (task) => {
    // A hidden tab has no frames; its output must still flow, only slower.
    const timer = scheduler.wake(task, FRAMES_MISSED_MAX * frameMs);
    request(() => {
      scheduler.cancel(timer);
      task();
    });
  };
}

/**
 * Creates a coalescer that writes at most once per frame, and at once after a pause or for an urgent item.
 *
 * @throws {BatcherArgumentError} If an option is outside its range.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { concat, createFrameCoalescer } from '@millrace/batcher';
 *
 * const writes: string[] = [];
 * const screen = createFrameCoalescer({
 *   merge: concat<string>(),
 *   frameMs: 5,
 *   write: ({ entries }) => writes.push(entries.map((e) => new TextDecoder().decode(e.value)).join()),
 * });
 * const text = (value: string) => new TextEncoder().encode(value);
 * screen.push(text('a'), 'pane'); // at once: nothing was written in this frame
 * await Promise.resolve();
 * screen.push(text('b'), 'pane'); // with the next frame ...
 * screen.push(text('c'), 'pane');
 * await screen.batcher.drain();
 * assert.deepEqual(writes, ['a', 'bc']);
 * ```
 */
export function createFrameCoalescer<Item, Key, Accumulator, Value>(
  options: FrameCoalescerOptions<Item, Key, Accumulator, Value> & {
    readonly merge: MergeWithValue<Item, Key, Accumulator, Value>;
  },
): FrameCoalescer<Item, Key, Value>;
/** Creates a frame coalescer whose `write` gets the accumulators themselves. */
export function createFrameCoalescer<Item, Key, Accumulator>(
  options: FrameCoalescerOptions<Item, Key, Accumulator, Accumulator> & {
    readonly merge: Merge<Item, Key, Accumulator> & { readonly value?: undefined };
  },
): FrameCoalescer<Item, Key, Accumulator>;
export function createFrameCoalescer<Item, Key, Accumulator, Value>(
  given: object,
): FrameCoalescer<Item, Key, Value> {
  const options = given as FrameCoalescerOptions<Item, Key, Accumulator, Value>;
  const scheduler = options.scheduler ?? defaultScheduler();
  const frameMs = checkRange('frameMs', options.frameMs ?? 1000 / 60, 0, 60_000);
  const request = frameSource(options, frameMs, scheduler);
  let endFrame: (() => void) | undefined;
  const nextFrame = (): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        if (endFrame === end) endFrame = undefined;
        resolve();
      };
      endFrame = end;
      request(end);
    });
  const batcher = new Batcher<Item, Key, Value>({
    ...options,
    scheduler,
    hold: 'none',
    delayMsMax: options.delayMsMax ?? frameMs,
    flush: (batch: Batch<Key, Value>) => {
      const written = options.write(batch);
      return Promise.all([written, nextFrame()]);
    },
  } as unknown as BatcherOptions<Item, Key, unknown, Value>);
  return {
    push: (item, key) => batcher.push(item, key),
    pushUrgent: (item, key) => {
      const admitted = batcher.pushUrgent(item, key);
      endFrame?.();
      return admitted;
    },
    batcher,
  };
}
