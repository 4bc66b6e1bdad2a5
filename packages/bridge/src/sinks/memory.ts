/** Keeps a pane's bytes in memory, up to a limit: for tests, and for looking at what a program printed. */
import { BridgeError, checkInteger } from '../errors.ts';
import type { Sink } from './sink.ts';

/** A sink that keeps what it accepts. */
export interface MemorySink extends Sink {
  /** Returns a copy of everything accepted so far. */
  contents(): Uint8Array;
}

/**
 * Creates a sink that keeps every byte, and fails with `ERR_SINK_FAILED` beyond the limit rather than grow.
 *
 * @param bytesMax - how much it keeps (bytes, 1 to 2^32 - 1). @defaultValue 64 MiB
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { memorySink } from '@millrace/bridge';
 *
 * const sink = memorySink();
 * sink.write(Buffer.from('ab'));
 * sink.write(Buffer.from('c'));
 * assert.equal(Buffer.from(sink.contents()).toString(), 'abc');
 * ```
 */
export function memorySink(bytesMax: number = 1 << 26): MemorySink {
  checkInteger('bytesMax', bytesMax, 1, 2 ** 32 - 1);
  const chunks: Uint8Array[] = [];
  let count = 0;
  return {
    write(bytes) {
      count += bytes.length;
      if (count > bytesMax) {
        throw new BridgeError('ERR_SINK_FAILED', `the memory sink is full: bytesMax=${bytesMax}`);
      }
      chunks.push(bytes.slice());
      return undefined;
    },
    contents: () => {
      const all = new Uint8Array(count);
      let offset = 0;
      for (const chunk of chunks) {
        all.set(chunk, offset);
        offset += chunk.length;
      }
      return all;
    },
  };
}
