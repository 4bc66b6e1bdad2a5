/** The one batch that the sink has. */
import type { Entry, Segment } from './lanes.ts';
import type { LazySignal } from './lazy-signal.ts';
import type { Batch } from './options.ts';

/** The batch that the sink has, reused from flush to flush. */
export class RunningBatch<Key, Value> implements Batch<Key, Value> {
  readonly segments: Segment<Key, unknown, Value>[] = [];
  readonly #failure: LazySignal;
  count = 0;
  bytes = 0;
  ageMs = 0;
  attempt = 1;

  /** @param failure - aborted with the batcher */
  constructor(failure: LazySignal) {
    this.#failure = failure;
  }

  get signal(): AbortSignal {
    return this.#failure.signal;
  }

  get entries(): readonly Entry<Key, Value>[] {
    return this.segments;
  }

  measure(): void {
    let count = 0;
    let bytes = 0;
    for (const segment of this.segments) {
      count += segment.count;
      bytes += segment.bytes;
    }
    this.count = count;
    this.bytes = bytes;
  }

  age(now: number): void {
    let oldest = now;
    for (const segment of this.segments) {
      segment.ageMs = now - segment.arrivedMs;
      if (segment.arrivedMs < oldest) oldest = segment.arrivedMs;
    }
    this.ageMs = now - oldest;
  }

  empty(): void {
    while (this.segments.length > 0) this.segments.pop();
    this.count = 0;
    this.bytes = 0;
  }
}
