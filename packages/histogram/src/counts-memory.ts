/**
 * What a memory must offer for counts to live in it: room, and its own way to sum them and add them.
 *
 * The core knows no such memory; ./simd makes one. Every answer is the same as without it.
 */

/** Counts per block of {@link CountsMemory.sumBlocks}. */
export const BLOCK = 64;

/**
 * Memory for the counts of histograms, with faster ways to sum and to add them; `SimdMemory` of
 * `@millrace/histogram/simd` is one.
 *
 * Concurrency: the thread of its histograms.
 */
export interface CountsMemory {
  /**
   * Returns room for counts, all 0.
   *
   * @param length - number of counts
   * @returns undefined if there isn't enough left
   */
  allocate(length: number): Uint32Array | undefined;
  /**
   * Takes room back.
   *
   * @param counts - from `allocate`; nobody may use them any more
   */
  release(counts: Uint32Array): void;
  /** What `sumBlocks` has written. */
  readonly blockSums: Float64Array;
  /**
   * Writes the sum of each block of 64 counts into `blockSums`, -1 for one that may not fit 32 bits.
   *
   * @param counts - from `allocate`
   * @param first - first count
   * @param last - last count, included; any behind it up to the end of its block are 0
   * @returns the sum of all, or -1 if a block may not fit
   */
  sumBlocks(counts: Uint32Array, first: number, last: number): number;
  /**
   * Adds counts modulo 2^32.
   *
   * @param target - from `allocate`
   * @param source - from `allocate`, not the same; any outside `first` to `last` are 0
   * @param first - first count
   * @param last - last count, included
   * @returns whether a sum may have wrapped
   */
  add(target: Uint32Array, source: Uint32Array, first: number, last: number): boolean;
}
