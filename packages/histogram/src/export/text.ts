/**
 * Writes histograms in Prometheus' classic text format (0.0.4) and in OpenMetrics 1.0.
 *
 * What is lost: values are known to the bounds given only, see E1 of buckets.ts; `min` and `max` have no
 * place in the formats.
 */
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';
import { amountsOf, checkBounds, countsBetween, LATENCY_SECONDS } from './buckets.ts';

/** One histogram of a family, told apart by its labels. */
export interface LabelledHistogram {
  /** Labels of this series. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Everything recorded so far, not an interval: these formats are cumulative. */
  readonly histogram: Histogram;
}

/** How to write a family of histograms as text. */
export interface TextOptions {
  /** Name of the metric; with its unit as suffix, `..._seconds`. */
  readonly name: string;
  /** One sentence about it. @defaultValue none */
  readonly help?: string;
  /** Exported unit per recorded unit. @defaultValue 1e-9: nanoseconds as seconds */
  readonly unitScale?: number;
  /** Upper bounds in the exported unit, ascending. @defaultValue 1-2-5 steps from a microsecond to 100 s */
  readonly bounds?: readonly number[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const invalid = (what: string, value: string): HistogramRangeError =>
  new HistogramRangeError('ERR_HISTOGRAM_OPTION', `${what} is invalid: ${JSON.stringify(value)}`);

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelText = (labels: Readonly<Record<string, string>>, le?: string): string => {
  const parts = Object.entries(labels).map(([name, value]) => {
    if (!LABEL_NAME.test(name) || name === 'le') throw invalid('label name', name);
    return `${name}="${escapeLabel(value)}"`;
  });
  if (le !== undefined) parts.push(`le="${le}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
};

function writeFamily(
  series: readonly LabelledHistogram[],
  options: TextOptions,
  number: (value: number) => string,
): string {
  const { name, unitScale = 1e-9, bounds = LATENCY_SECONDS } = options;
  checkBounds(bounds);
  let text = '';
  for (const { labels = {}, histogram } of series) {
    const { count, sum } = amountsOf(histogram, unitScale);
    let cumulative = 0;
    for (const [i, here] of countsBetween(histogram, bounds, unitScale).entries()) {
      cumulative += here;
      const le = i < bounds.length ? number(bounds[i]!) : '+Inf';
      text += `${name}_bucket${labelText(labels, le)} ${cumulative}\n`;
    }
    text += `${name}_sum${labelText(labels)} ${number(sum)}\n`;
    text += `${name}_count${labelText(labels)} ${count}\n`;
  }
  return text;
}

const helpText = (help: string): string => help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/**
 * Writes a family of histograms in Prometheus' classic text format, for a /metrics page.
 *
 * @param series - histograms with their labels
 * @param options - name, unit, bounds
 * @returns lines, each ended; serve as `text/plain; version=0.0.4`
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if a name or the bounds are invalid
 *
 * Concurrency: owner thread of the histograms. Cost: O(span + bounds) per series.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { toPrometheusText } from '@millrace/histogram/export';
 *
 * const histogram = new Histogram();
 * histogram.recordMany([1_500_000, 30_000_000]);
 * const text = toPrometheusText([{ labels: { stage: 'parse' }, histogram }], {
 *   name: 'latency_seconds',
 *   bounds: [0.01, 0.1],
 * });
 * assert.ok(text.includes('latency_seconds_bucket{stage="parse",le="0.01"} 1\n'));
 * assert.ok(text.includes('latency_seconds_bucket{stage="parse",le="+Inf"} 2\n'));
 * ```
 */
export function toPrometheusText(
  series: readonly LabelledHistogram[],
  options: TextOptions,
): string {
  const { name, help } = options;
  if (!METRIC_NAME.test(name)) throw invalid('name', name);
  const head = help === undefined ? '' : `# HELP ${name} ${helpText(help)}\n`;
  return `${head}# TYPE ${name} histogram\n${writeFamily(series, options, String)}`;
}

/** How to write a family of histograms as OpenMetrics. */
export interface OpenMetricsOptions extends TextOptions {
  /** Unit; the name must end in it. @defaultValue none */
  readonly unit?: string;
  /** Whether to end the exposition here. @defaultValue true */
  readonly endOfFile?: boolean;
}

/** OpenMetrics wants floats to look like floats. */
const openMetricsNumber = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);

/**
 * Writes a family of histograms in OpenMetrics text.
 *
 * @param series - histograms with their labels
 * @param options - name, unit, bounds
 * @returns lines, each ended; serve as `application/openmetrics-text; version=1.0.0; charset=utf-8`
 * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if a name, the unit or the bounds are invalid
 *
 * Concurrency: owner thread of the histograms. Cost: O(span + bounds) per series.
 */
export function toOpenMetrics(
  series: readonly LabelledHistogram[],
  options: OpenMetricsOptions,
): string {
  const { name, help, unit, endOfFile = true } = options;
  if (!METRIC_NAME.test(name)) throw invalid('name', name);
  if (unit !== undefined && !name.endsWith(`_${unit}`))
    throw invalid(`name for unit ${unit}`, name);
  let text = `# TYPE ${name} histogram\n`;
  if (unit !== undefined) text += `# UNIT ${name} ${unit}\n`;
  if (help !== undefined) text += `# HELP ${name} ${escapeLabel(help)}\n`;
  text += writeFamily(series, options, openMetricsNumber);
  return endOfFile ? `${text}# EOF\n` : text;
}
