/**
 * Compression for the codec: node:zlib where the process has it, else this package's own, same results.
 *
 * No import of node:zlib, so that bundlers for browsers find nothing to replace.
 */
import { deflate } from './deflate.ts';
import { HistogramFormatError } from './errors.ts';
import { inflate } from './inflate.ts';

interface NodeZlib {
  deflateSync(input: Uint8Array, options?: { level?: number }): Uint8Array;
  inflateSync(input: Uint8Array, options?: { maxOutputLength?: number }): Uint8Array;
}

const { process } = globalThis as {
  process?: { getBuiltinModule?: (name: string) => unknown };
};
const native = process?.getBuiltinModule?.('node:zlib') as NodeZlib | undefined;

/** Which implementation to use; `auto` is Node's where there is one. */
export type ZlibChoice = 'auto' | 'own';

/** Returns zlib data that inflates to `input`. */
export function compress(input: Uint8Array, choice: ZlibChoice, level?: number): Uint8Array {
  if (native === undefined || choice === 'own') return deflate(input);
  return native.deflateSync(input, level === undefined ? {} : { level });
}

/** Returns the inflated content, at most `limit` bytes, or throws a HistogramFormatError. */
export function decompress(input: Uint8Array, limit: number, choice: ZlibChoice): Uint8Array {
  // Starting zlib costs more than inflating a small histogram here.
  if (native === undefined || choice === 'own' || input.length < 512) return inflate(input, limit);
  try {
    return native.inflateSync(input, { maxOutputLength: limit });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new HistogramFormatError(
      message,
      code === 'ERR_BUFFER_TOO_LARGE'
        ? 'ERR_HISTOGRAM_LIMIT'
        : code === 'Z_BUF_ERROR'
          ? 'ERR_HISTOGRAM_TRUNCATED'
          : 'ERR_HISTOGRAM_FORMAT',
    );
  }
}

/** Returns the first `count` bytes of the inflated content, unchecked. */
export const decompressHead = (input: Uint8Array, count: number): Uint8Array =>
  inflate(input, count, true);
