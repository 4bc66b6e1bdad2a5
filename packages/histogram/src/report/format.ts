/** How values, counts and percentiles are written in reports. */

/** Turns a recorded value into text. */
export type ValueFormat = (value: number) => string;

const UNITS = [
  ['ns', 1],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
] as const;

/**
 * Writes nanoseconds in the unit that suits them, with three digits.
 *
 * @param value - nanoseconds
 * @returns `850 ns`, `1.23 ms`, `90 s`, and `-` for NaN
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { formatNanoseconds } from '@millrace/histogram/report';
 *
 * assert.equal(formatNanoseconds(1_234_567), '1.23 ms');
 * ```
 */
export const formatNanoseconds: ValueFormat = (value: number): string => {
  if (Number.isNaN(value)) return '-';
  let [name, size]: readonly [string, number] = UNITS[0];
  // 999.6 is 1000 when it has three digits.
  for (const unit of UNITS) if (value >= unit[1] * 0.9995) [name, size] = unit;
  return `${threeDigits(value / size)} ${name}`;
};

/** Writes a number with three digits, without trailing zeros. */
export const threeDigits = (value: number): string => {
  if (value === 0) return '0';
  if (Math.abs(value) >= 999.5) return Math.round(value).toString();
  return Number(value.toPrecision(3)).toString();
};

/** Writes a whole number in groups of three. */
export const grouped = (value: number): string =>
  String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** Writes a percentile with the nines that it needs: 99.9, not 99.90000000000001. */
export const formatPercentile = (percentile: number): string => {
  if (percentile === 0 || percentile === 100) return String(percentile);
  const nines = Math.max(0, Math.ceil(-Math.log10(1 - percentile / 100)) - 1);
  return Number(percentile.toFixed(Math.min(12, nines + 1))).toString();
};

/** The percentiles that a report lists: as many nines as the count can tell. */
export const reportedPercentiles = (count: number): readonly number[] => {
  const list = [50, 75, 90, 95, 99];
  for (let nines = 3; nines <= 7 && count >= 10 ** nines; nines++) {
    list.push(Number((100 - 10 ** (2 - nines)).toFixed(nines)));
  }
  return list;
};
