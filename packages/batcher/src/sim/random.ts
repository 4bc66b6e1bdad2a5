/** A seeded random source for simulations: splitmix32, with the distributions that arrival processes need. */

/** Random numbers that a seed fixes. */
export interface Random {
  /** Returns a number in [0, 1). */
  uniform(): number;
  /** Returns a number in [low, high). */
  between(low: number, high: number): number;
  /** Returns a whole number from low to high, both included. */
  integer(low: number, high: number): number;
  /** Returns an exponentially distributed number. */
  exponential(mean: number): number;
  /** Returns a Pareto distributed number, at least `scale`. */
  pareto(scale: number, shape: number): number;
  /** Returns a standard normal number. */
  normal(): number;
}

/** Returns the random source of a seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  return {
    uniform,
    between: (low, high) => low + uniform() * (high - low),
    integer: (low, high) => low + Math.floor(uniform() * (high - low + 1)),
    exponential: (mean) => -Math.log(1 - uniform()) * mean,
    pareto: (scale, shape) => scale / (1 - uniform()) ** (1 / shape),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
