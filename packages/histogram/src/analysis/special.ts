/**
 * The few special functions that confidence intervals and tests need, to about ten digits.
 *
 * Log-gamma after Lanczos, incomplete beta by Lentz's continued fraction, the normal quantile after Acklam
 * with one step of Newton's method; all from the published formulas. Any thread. Cost: below a microsecond each.
 */

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
] as const;

/** Returns ln gamma(x) for x above 0. */
export const logGamma = (x: number): number => {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let sum = 0.9999999999998099;
  for (const [i, coefficient] of LANCZOS.entries()) sum += coefficient / (shifted + i + 1);
  const t = shifted + LANCZOS.length - 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(t) - t + Math.log(sum);
};

const continuedFraction = (a: number, b: number, x: number): number => {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let fraction = d;
  // Converges in O(sqrt(max(a, b))) steps; the bound only guards against never.
  for (let m = 1; m <= 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + even / c;
    if (Math.abs(c) < tiny) c = tiny;
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + odd / c;
    if (Math.abs(c) < tiny) c = tiny;
    const change = d * c;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-14) break;
  }
  return fraction;
};

/** Returns the regularised incomplete beta function I_x(a, b). */
export const incompleteBeta = (a: number, b: number, x: number): number => {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  return x < (a + 1) / (a + b + 2)
    ? (front * continuedFraction(a, b, x)) / a
    : 1 - (front * continuedFraction(b, a, 1 - x)) / b;
};

/** Returns P(Z <= z) of the standard normal distribution. */
export const normalCdf = (z: number): number => {
  // Student's distribution with endless degrees of freedom, by its series or its tail's fraction.
  const x = Math.abs(z);
  let tail: number;
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let k = 1; k < 100 && Math.abs(term) > 1e-17 * sum; k++) {
      term *= (x * x) / (2 * k + 1);
      sum += term;
    }
    tail = 0.5 - (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  } else {
    let fraction = 0;
    for (let k = 60; k >= 1; k--) fraction = k / (x + fraction);
    tail = Math.exp((-x * x) / 2) / (Math.sqrt(2 * Math.PI) * (x + fraction));
  }
  return z > 0 ? 1 - tail : tail;
};

const ACKLAM_A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239,
] as const;
const ACKLAM_B = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572,
] as const;
const ACKLAM_C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783,
] as const;
const ACKLAM_D = [
  0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416,
] as const;

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/** Returns z with P(Z <= z) = share, for shares between 0 and 1. */
export const normalQuantile = (share: number): number => {
  if (share <= 0) return Number.NEGATIVE_INFINITY;
  if (share >= 1) return Number.POSITIVE_INFINITY;
  if (share > 0.5) return -normalQuantile(1 - share);
  let z: number;
  if (share < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(share));
    z = polynomial(ACKLAM_C, q) / (polynomial(ACKLAM_D, q) * q + 1);
  } else {
    const q = share - 0.5;
    const r = q * q;
    z = (polynomial(ACKLAM_A, r) * q) / (polynomial(ACKLAM_B, r) * r + 1);
  }
  return z - (normalCdf(z) - share) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
};

/** Returns P(|T| >= |t|) of Student's distribution. */
export const studentTwoSided = (t: number, degrees: number): number =>
  incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t));

/** Returns t with P(|T| >= t) = share, by bisection. */
export const studentQuantile = (share: number, degrees: number): number => {
  let low = 0;
  let high = 1;
  while (studentTwoSided(high, degrees) > share && high < 1e12) high *= 2;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (studentTwoSided(middle, degrees) > share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** Returns P(B <= k) for B successes in `count` trials. */
export const binomialCdf = (k: number, count: number, share: number): number => {
  if (k < 0) return 0;
  if (k >= count) return 1;
  return incompleteBeta(count - k, k + 1, 1 - share);
};

/** Returns the least k with P(B <= k) >= level. */
export const binomialQuantile = (level: number, count: number, share: number): number => {
  const guess = count * share + normalQuantile(level) * Math.sqrt(count * share * (1 - share));
  let low = Math.max(-1, Math.floor(guess) - 2);
  let high = Math.min(count, Math.ceil(guess) + 2);
  for (let step = 4; low >= 0 && binomialCdf(low, count, share) >= level; step *= 2) {
    low = Math.max(-1, low - step);
  }
  for (let step = 4; binomialCdf(high, count, share) < level; step *= 2) {
    high = Math.min(count, high + step);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (binomialCdf(middle, count, share) >= level) high = middle;
    else low = middle;
  }
  return high;
};

/** Returns P(K >= x) of Kolmogorov's distribution. */
export const kolmogorovTail = (x: number): number => {
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-16) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
};
