/** Accepts everything at once and counts it: for measuring the way there, and for watching without drawing. */
import type { Sink } from './sink.ts';

/** A sink that drops what it accepts. */
export interface NullSink extends Sink {
  /** Bytes accepted so far. */
  readonly bytes: number;
  /** Writes accepted so far. */
  readonly count: number;
}

/**
 * Creates a sink that accepts every write at once, keeps nothing and counts.
 *
 * Cost: two additions a write.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { nullSink } from '@millrace/bridge';
 *
 * const sink = nullSink();
 * sink.write(new Uint8Array(3));
 * assert.deepEqual([sink.bytes, sink.count], [3, 1]);
 * ```
 */
export function nullSink(): NullSink {
  const sink = {
    bytes: 0,
    count: 0,
    write(bytes: Uint8Array): undefined {
      sink.bytes += bytes.length;
      sink.count++;
    },
  };
  return sink;
}
