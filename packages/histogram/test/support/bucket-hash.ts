/** One number for all buckets of a histogram, as JavaVectors.java computes it. */
import { type Histogram, recordedBuckets } from '@millrace/histogram';

const MASK = 2n ** 64n - 1n;

/** FNV-1a over (lowest value, count) of every bucket in use, each as eight little-endian bytes. */
export const bucketHash = (histogram: Histogram): { hash: string; buckets: number } => {
  const { layout } = histogram;
  let hash = 0xcbf29ce484222325n;
  let buckets = 0;
  for (const { to } of recordedBuckets(histogram)) {
    // highestOf rounds up beyond 2^53; its bucket's neighbour must not be taken.
    let index = layout.indexOf(to);
    if (histogram.countAtIndexBigInt(index) === 0n) index--;
    for (const word of [layout.lowestStepsOf(index), histogram.countAtIndexBigInt(index)]) {
      for (let i = 0n; i < 8n; i++) {
        hash = ((hash ^ ((word >> (8n * i)) & 255n)) * 0x100000001b3n) & MASK;
      }
    }
    buckets++;
  }
  return { hash: hash.toString(16).padStart(16, '0'), buckets };
};
