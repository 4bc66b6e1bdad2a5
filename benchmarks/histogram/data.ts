/** The data that every row records: nanoseconds, log-normal, median 20 us, sigma 1, the same each time. */
// A plain array, not a typed one: reading a typed array costs each contender V8's check for detachment.

export const random = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
};

export const lognormal = (count: number, seed: number): number[] => {
  const next = random(seed);
  return Array.from({ length: count }, () => {
    const gauss = Math.sqrt(-2 * Math.log(next() + 1e-18)) * Math.cos(2 * Math.PI * next());
    return Math.max(1, Math.floor(Math.exp(Math.log(20_000) + gauss)));
  });
};

/** An hour in nanoseconds. */
export const HIGHEST = 3_600_000_000_000;
export const PERCENTILES = [50, 75, 90, 95, 99, 99.9, 99.99, 100] as const;

/**
 * Returns nanoseconds per operation of `work`, which does `operations` of them: the best of several windows
 * of at least 5 ms, so that one preemption doesn't count as the library's.
 */
export const sample = (work: () => void, operations: number): number => {
  let best = Number.POSITIVE_INFINITY;
  let repeats = 1;
  for (let window = 0; window < 7; ) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < repeats; i++) work();
    const elapsed = Number(process.hrtime.bigint() - start);
    if (elapsed < 5e6) {
      repeats *= 2;
      continue;
    }
    best = Math.min(best, elapsed / (repeats * operations));
    window++;
  }
  return best;
};
