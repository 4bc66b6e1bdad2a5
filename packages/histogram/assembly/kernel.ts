/**
 * The SIMD kernel: sums counts by blocks, adds one histogram's counts to another's. AssemblyScript, no runtime.
 *
 * Own design. Counts are u32, and every run of counts in the memory is followed by zeros up to a whole block
 * and one block more, so both functions work in whole steps and may run past the last count (K1).
 *
 * - K2: sumBlocks never tells a wrapped sum. 64 counts below 2^26 sum to less than 2^32; a block with a larger
 *   one is marked -1, and the caller sums it itself.
 * - K3: add works modulo 2^32 and tells whether any of the counts was 2^31 or more, without which no sum can
 *   have wrapped. The caller finds the wrapped ones: those that are less than what was added.
 *
 * Cost: 64 counts a step in sumBlocks, 16 in add; no branch inside a step.
 */

const LARGE: u32 = 0xfc000000;

/**
 * Writes the sum of each block of 64 counts as a double, -1 for one that may not fit (K2).
 *
 * Returns the sum of all, or -1 if any block may not fit.
 */
export function sumBlocks(counts: usize, blocks: u32, sums: usize): f64 {
  let total: f64 = 0;
  let whole = true;
  const large = i32x4.splat(LARGE);
  for (; blocks != 0; blocks--) {
    let a = v128.load(counts, 0);
    let b = v128.load(counts, 16);
    let seen = v128.or(a, b);
    for (let end = counts + 256, at = counts + 32; at < end; at += 32) {
      const c = v128.load(at, 0);
      const d = v128.load(at, 16);
      a = i32x4.add(a, c);
      b = i32x4.add(b, d);
      seen = v128.or(seen, v128.or(c, d));
    }
    a = i32x4.add(a, b);
    const pairs = i32x4.add(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
    let sum = <f64>(<u32>(i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1)));
    if (v128.any_true(v128.and(seen, large))) {
      sum = -1;
      whole = false;
    }
    store<f64>(sums, sum);
    total += sum;
    counts += 256;
    sums += 8;
  }
  return whole ? total : -1;
}

/** Adds `steps` times 16 counts of `source` to `target`; returns whether a sum may have wrapped (K3). */
export function add(target: usize, source: usize, steps: u32): u32 {
  let seen = i32x4.splat(0);
  for (; steps != 0; steps--) {
    const a = v128.load(target, 0), b = v128.load(source, 0);
    const c = v128.load(target, 16), d = v128.load(source, 16);
    const e = v128.load(target, 32), f = v128.load(source, 32);
    const g = v128.load(target, 48), h = v128.load(source, 48);
    v128.store(target, i32x4.add(a, b), 0);
    v128.store(target, i32x4.add(c, d), 16);
    v128.store(target, i32x4.add(e, f), 32);
    v128.store(target, i32x4.add(g, h), 48);
    seen = v128.or(seen, v128.or(v128.or(v128.or(a, b), v128.or(c, d)), v128.or(v128.or(e, f), v128.or(g, h))));
    target += 64;
    source += 64;
  }
  return <u32>v128.any_true(i32x4.shr_u(seen, 31));
}
