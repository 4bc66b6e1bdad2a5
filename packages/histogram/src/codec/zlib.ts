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

/** More than this is inflated only once the header has said how much there may be. */
const LITTLE_BYTES = 256 * 1024;
/** Starting zlib costs more than inflating less than this here. */
const NATIVE_BYTES_MIN = 512;

const errorOf = (error: unknown): HistogramFormatError => {
  const { code, message } = error as { code?: string; message: string };
  return new HistogramFormatError(
    message,
    code === 'ERR_BUFFER_TOO_LARGE'
      ? 'ERR_HISTOGRAM_LIMIT'
      : code === 'Z_BUF_ERROR'
        ? 'ERR_HISTOGRAM_TRUNCATED'
        : 'ERR_HISTOGRAM_FORMAT',
  );
};

/** Returns the inflated content, at most `limit` bytes, or throws a HistogramFormatError. */
export function decompress(input: Uint8Array, limit: number, choice: ZlibChoice): Uint8Array {
  if (native === undefined || choice === 'own' || input.length < NATIVE_BYTES_MIN) {
    return inflate(input, limit);
  }
  try {
    return native.inflateSync(input, { maxOutputLength: limit });
  } catch (error) {
    throw errorOf(error);
  }
}

/** Returns the inflated content if it is little, undefined if it isn't. */
export function decompressLittle(input: Uint8Array, choice: ZlibChoice): Uint8Array | undefined {
  try {
    return decompress(input, LITTLE_BYTES, choice);
  } catch (error) {
    if ((error as HistogramFormatError).code === 'ERR_HISTOGRAM_LIMIT') return undefined;
    throw error;
  }
}

/** Returns the first `count` bytes of the inflated content, unchecked. */
export const decompressHead = (input: Uint8Array, count: number): Uint8Array =>
  inflate(input, count, true);
