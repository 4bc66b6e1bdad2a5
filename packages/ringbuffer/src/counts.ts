/**
 * Counters in shared memory: 53 bits each, written by one thread and readable by any.
 *
 * ```text
 * word  +0     +1    +2
 *       | high | low | high again |
 * ```
 * The owner counts in a plain field and stores it now and then (once per ring of traffic, before it sleeps, on
 * flush and close), so the hot path pays one addition. The writer goes from left to right, the reader from
 * right to left: when both upper halves agree, the lower half belongs to them (Lamport, "Concurrent Reading
 * and Writing", 1977). When they don't, the count is passing a multiple of 2^32, and that is what the reader gets: it
 * never waits for the writer, which may have been killed between two stores.
 */
export const COUNT_WORDS = 3;

/** Stores a count; only its owner may. While the upper half stays, one store is enough, and none if nothing changed. */
export function storeCount(words: Int32Array, index: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  // Both: an owner that was killed between two stores has left them different.
  if (words[index] === high && words[index + 2] === high) {
    // mutant-ok skip-condition: stores what is stored
    if (words[index + 1] !== (value | 0)) Atomics.store(words, index + 1, value | 0);
    return;
  }
  Atomics.store(words, index, high);
  Atomics.store(words, index + 1, value | 0);
  Atomics.store(words, index + 2, high);
}

/** Loads a count: one that was stored, or the multiple of 2^32 between two that were. */
export function loadCount(words: Int32Array, index: number): number {
  const high = Atomics.load(words, index + 2);
  const low = Atomics.load(words, index + 1) >>> 0;
  const newer = Atomics.load(words, index);
  return newer * 2 ** 32 + (newer === high ? low : 0);
}
