/** HdrHistogram's encodings as text: what the other ports print, log and pass around. */
import type { Histogram } from '../histogram.ts';
import { base64ToBytes, bytesToBase64 } from './base64.ts';
import { type DecodeOptions, decode, type EncodeOptions, encode } from './hdr.ts';

/**
 * Writes a histogram as base64 of its encoding, `HISTFAAAA...`, which every port of HdrHistogram reads.
 *
 * @param histogram - left unchanged
 * @param options - version and compression
 *
 * Concurrency: owner thread of the histogram. Cost: as `encode`.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { decodeBase64, encodeBase64 } from '@millrace/histogram/codec';
 *
 * const latencies = new Histogram();
 * latencies.recordMany([120, 450, 450, 98_000]);
 * const text = encodeBase64(latencies);
 * assert.ok(text.startsWith('HISTFAAAA'));
 * assert.ok(decodeBase64(text).equals(latencies));
 * ```
 */
export const encodeBase64 = (histogram: Histogram, options?: EncodeOptions): string =>
  bytesToBase64(encode(histogram, options));

/**
 * Reads base64 of any of HdrHistogram's encodings.
 *
 * @param text - base64; space around it is ignored
 * @param options - limits
 * @throws {HistogramFormatError} If the text is not base64 or not an encoding
 *
 * Concurrency: any thread. Cost: as `decode`.
 */
export const decodeBase64 = (text: string, options?: DecodeOptions): Histogram =>
  decode(base64ToBytes(text.trim()), options);
