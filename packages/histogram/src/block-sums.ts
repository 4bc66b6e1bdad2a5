/**
 * Sums counts by blocks of 64 buckets: the pass over a histogram that percentiles and its count begin with.
 *
 * Four 32-bit lanes, exact as long as the block's counts are below 2^26; a block with a larger one is summed
 * again in doubles. A memory that counts live in may have its own way (counts-memory.ts).
 *
 * Owner thread of the histogram; the sums are good until the next call. Cost: O(span), no allocation but the
 * scratch, which is kept for the process (4 KB and more, 8 bytes per block).
 */
import { BLOCK } from './counts-memory.ts';
import type { Histogram } from './histogram.ts';

let scratch: Float64Array = new Float64Array(512);

/** Sums of blocks of 64 buckets, and of all. */
export interface BlockSums {
  readonly sums: Float64Array;
  readonly total: number;
}

/** Sums blocks of 64 buckets from `first` on, in the histogram's own memory if that can. */
export function sumBlocks(histogram: Histogram, first: number, last: number): BlockSums {
  const { counts, carries, memory } = histogram;
  const blocks = Math.ceil((last + 1 - first) / BLOCK);
  const accelerated = carries === undefined ? memory : undefined;
  let total = -1;
  if (accelerated !== undefined) {
    total = accelerated.sumBlocks(counts, first, last);
    if (total >= 0) return { sums: accelerated.blockSums, total };
  }
  if (scratch.length < blocks) scratch = new Float64Array(blocks * 2);
  const sums = scratch;
  total = 0;
  for (let block = 0; block < blocks; block++) {
    const start = first + block * BLOCK;
    const end = Math.min(start + BLOCK, last + 1);
    const known = accelerated === undefined ? -1 : accelerated.blockSums[block]!;
    let sum = 0;
    if (known >= 0) sum = known;
    else if (carries === undefined) sum = sumLow(counts, start, end);
    else for (let i = start; i < end; i++) sum += histogram.countAtIndex(i);
    sums[block] = sum;
    total += sum;
  }
  return { sums, total };
}

/** Sums 32-bit counts; exact also where four 32-bit lanes would wrap. */
function sumLow(counts: Uint32Array, start: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let seen = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const p = counts[i]!;
    const q = counts[i + 1]!;
    const r = counts[i + 2]!;
    const s = counts[i + 3]!;
    a = (a + p) | 0;
    b = (b + q) | 0;
    c = (c + r) | 0;
    d = (d + s) | 0;
    seen |= p | q | r | s;
  }
  for (; i < end; i++) {
    a = (a + counts[i]!) | 0;
    seen |= counts[i]!;
  }
  // 64 counts below 2^26 sum to less than 2^32: no lane has wrapped.
  if (seen >>> 26 === 0) return (a + b + c + d) >>> 0;
  let sum = 0;
  for (let k = start; k < end; k++) sum += counts[k]!;
  return sum;
}
