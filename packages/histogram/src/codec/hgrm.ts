/**
 * Writes and reads `.hgrm`, HdrHistogram's text of a percentile distribution, which its plotters draw.
 *
 * The text is the Java library's, character by character.
 */
import type { Histogram } from '../histogram.ts';
import { percentileBuckets } from '../iterators.ts';
import { HistogramFormatError } from './errors.ts';

/** How to write a percentile distribution. */
export interface PercentileTextOptions {
  /** Lines per halving of the distance to 100 %. @defaultValue 5 */
  readonly ticksPerHalfDistance?: number;
  /** Divides every value: 1e6 prints nanoseconds as milliseconds. @defaultValue 1 */
  readonly valueScale?: number;
  /** Whether to write comma-separated values instead of columns. @defaultValue false */
  readonly csv?: boolean;
}

/** One line of a percentile distribution. */
export interface PercentileLine {
  /** Value at the percentile, divided by the writer's scale. */
  readonly value: number;
  /** Percentile as a share, 0 to 1. */
  readonly share: number;
  /** Number of values up to this one. */
  readonly cumulativeCount: number;
}

/** What a `.hgrm` file says. */
export interface PercentileText {
  /** The lines, ascending. */
  readonly lines: readonly PercentileLine[];
  /** Mean of the values; NaN if the file doesn't say. */
  readonly mean: number;
  /** Standard deviation; NaN if the file doesn't say. */
  readonly standardDeviation: number;
  /** Greatest value; NaN if the file doesn't say. */
  readonly max: number;
  /** Number of values; NaN if the file doesn't say. */
  readonly count: number;
}

/** Rounds the shortest decimal form half up, as Java's formatter does; toFixed rounds the exact double. */
const fixedOf = (value: number, digits: number): string => {
  const text = String(value);
  const [whole, fraction = ''] = text.split('.');
  if (text.includes('e') || fraction.length <= digits) return value.toFixed(digits);
  const cut = BigInt(whole! + fraction.slice(0, digits));
  const rounded = (fraction[digits]! >= '5' ? cut + 1n : cut).toString().padStart(digits + 1, '0');
  if (digits === 0) return rounded;
  return `${rounded.slice(0, -digits)}.${rounded.slice(-digits)}`;
};

/**
 * Writes the percentile distribution of a histogram as `.hgrm`.
 *
 * @param histogram - left unchanged
 * @param options - lines, scale and form
 *
 * Concurrency: owner thread of the histogram. Cost: O(span + lines).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { formatPercentiles, parsePercentiles } from '@millrace/histogram/codec';
 *
 * const latencies = new Histogram();
 * for (let value = 1; value <= 1000; value++) latencies.record(value);
 * const text = formatPercentiles(latencies);
 * assert.ok(text.startsWith('       Value     Percentile TotalCount 1/(1-Percentile)'));
 * assert.equal(parsePercentiles(text).count, 1000);
 * ```
 */
export function formatPercentiles(
  histogram: Histogram,
  options: PercentileTextOptions = {},
): string {
  const { ticksPerHalfDistance = 5, valueScale = 1, csv = false } = options;
  const { digits, subBucketBits } = histogram.layout;
  const fixed = (value: number): string => fixedOf(value, digits);
  let text = csv
    ? '"Value","Percentile","TotalCount","1/(1-Percentile)"\n'
    : '       Value     Percentile TotalCount 1/(1-Percentile)\n\n';
  for (const step of percentileBuckets(histogram, ticksPerHalfDistance)) {
    const share = step.percentileLevel / 100;
    const value = fixed(step.to / valueScale);
    const last = share === 1;
    if (csv) {
      text += `${value},${fixedOf(share, 12)},${step.cumulativeCount},${last ? 'Infinity' : fixedOf(1 / (1 - share), 2)}\n`;
      continue;
    }
    text += `${value.padStart(12)} ${fixedOf(share, 12)} ${String(step.cumulativeCount).padStart(10)}`;
    text += last ? '\n' : ` ${fixedOf(1 / (1 - share), 2).padStart(14)}\n`;
  }
  if (csv) return text;
  const empty = histogram.isEmpty;
  const line = (figure: number): string => fixed(empty ? 0 : figure / valueScale).padStart(12);
  const whole = (figure: number): string => String(figure).padStart(12);
  const max = histogram.layout.highestOf(Math.max(0, histogram.lastIndex));
  text += `#[Mean    = ${line(histogram.mean)}, StdDeviation   = ${line(histogram.standardDeviation)}]\n`;
  text += `#[Max     = ${line(max)}, Total count    = ${whole(histogram.count)}]\n`;
  text += `#[Buckets = ${whole((histogram.length >> subBucketBits) - 1)}, SubBuckets     = ${whole(2 ** (subBucketBits + 1))}]\n`;
  return text;
}

const NUMBER = String.raw`(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`;
const LINE = new RegExp(
  String.raw`^\s*${NUMBER}[\s,]+${NUMBER}[\s,]+(\d+)(?:[\s,]+(?:${NUMBER}|Infinity))?\s*$`,
);
const LEGEND = /^\s*"?Value"?[\s,]+"?Percentile"?/;

/** Reads `name = number` from a comment line. */
const figureOf = (line: string, name: string): number => {
  const match = new RegExp(String.raw`${name}\s*=\s*${NUMBER}`).exec(line);
  return match === null ? Number.NaN : Number(match[1]);
};

/**
 * Reads a percentile distribution, `.hgrm` or its comma-separated form, of any port of HdrHistogram.
 *
 * @param text - the file
 * @throws {HistogramFormatError} If a line is neither a percentile, a comment nor blank
 *
 * Concurrency: any thread. Cost: O(length).
 */
export function parsePercentiles(text: string): PercentileText {
  const lines: PercentileLine[] = [];
  const figures = {
    mean: Number.NaN,
    standardDeviation: Number.NaN,
    max: Number.NaN,
    count: Number.NaN,
  };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || LEGEND.test(line)) continue;
    if (line.startsWith('#')) {
      for (const [key, name] of [
        ['mean', 'Mean'],
        ['standardDeviation', 'StdDeviation'],
        ['max', 'Max'],
        ['count', 'Total count'],
      ] as const) {
        const figure = figureOf(line, name);
        if (!Number.isNaN(figure)) figures[key] = figure;
      }
      continue;
    }
    const match = LINE.exec(line);
    if (match === null) {
      throw new HistogramFormatError(
        `line ${index + 1} is no percentile: line=${JSON.stringify(line.slice(0, 80))}`,
      );
    }
    lines.push({
      value: Number(match[1]),
      share: Number(match[2]),
      cumulativeCount: Number(match[3]),
    });
  }
  return { lines, ...figures };
}
