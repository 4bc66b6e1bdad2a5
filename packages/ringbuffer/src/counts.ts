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
 * and Writing", 1977).
 */
export const COUNT_WORDS = 3;

/** Stores a count; only its owner may. */
export function storeCount(words: Int32Array, index: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  Atomics.store(words, index, high);
  Atomics.store(words, index + 1, value | 0);
  Atomics.store(words, index + 2, high);
}

/** Loads a count, again while it changes its upper half under our eyes. */
export function loadCount(words: Int32Array, index: number): number {
  for (;;) {
    const high = Atomics.load(words, index + 2);
    const low = Atomics.load(words, index + 1) >>> 0;
    if (Atomics.load(words, index) === high) return high * 2 ** 32 + low;
  }
}
