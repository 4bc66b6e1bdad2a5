/**
 * Puts pictures and tables into one HTML file that needs nothing else: no script, no font, no network.
 *
 * Text from outside is escaped, and a content security policy in the file forbids everything but its own
 * styles, so that a name in a log can't become code in the reader's browser.
 */
import { kolmogorovSmirnov, mannWhitney } from '../analysis/compare.ts';
import { encodeBase64 } from '../codec/base64-encoding.ts';
import type { Histogram } from '../histogram.ts';
import {
  formatNanoseconds,
  formatPercentile,
  grouped,
  reportedPercentiles,
  threeDigits,
  type ValueFormat,
} from './format.ts';
import { type HeatmapInterval, heatmapSvg } from './heatmap.ts';
import { percentileSpectrumSvg, type SpectrumLimit, type SpectrumRun } from './spectrum.ts';
import { escapeXml } from './svg.ts';

/** What a report is about. */
export interface HtmlReportOptions {
  /** Heading of the page. */
  readonly title: string;
  /** One to six runs; with two, they are compared. None may be empty. */
  readonly runs: readonly SpectrumRun[];
  /** Intervals for a heatmap. @defaultValue none */
  readonly intervals?: readonly HeatmapInterval[];
  /** Promises to draw. @defaultValue none */
  readonly limits?: readonly SpectrumLimit[];
  /** Lines under the heading: machine, version, load. @defaultValue none */
  readonly notes?: readonly string[];
  /** How values are written. @defaultValue nanoseconds */
  readonly format?: ValueFormat;
}

const table = (runs: readonly SpectrumRun[], format: ValueFormat): string => {
  const most = Math.max(...runs.map(({ histogram }) => histogram.count));
  const percentiles = reportedPercentiles(most);
  const values = runs.map(({ histogram }) => histogram.percentiles(percentiles));
  const row = (label: string, cells: readonly string[]): string =>
    `<tr><th scope="row">${label}</th>${cells.map((cell) => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`;
  const body = [
    row(
      'min',
      runs.map(({ histogram }) => format(histogram.min)),
    ),
    ...percentiles.map((percentile, i) =>
      row(
        `p${formatPercentile(percentile)}`,
        runs.map(({ histogram }, run) =>
          histogram.count * (1 - percentile / 100) < 0.9999999 && percentile > 99
            ? '-'
            : format(values[run]![i]!),
        ),
      ),
    ),
    row(
      'max',
      runs.map(({ histogram }) => format(histogram.max)),
    ),
    row(
      'count',
      runs.map(({ histogram }) => grouped(histogram.count)),
    ),
    row(
      'clamped',
      runs.map(({ histogram }) => grouped(histogram.clamped)),
    ),
    row(
      'dropped',
      runs.map(({ histogram }) => grouped(histogram.dropped)),
    ),
  ];
  const head = runs.map(({ name }) => `<th scope="col">${escapeXml(name)}</th>`).join('');
  return `<table><thead><tr><td></td>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
};

/** Says in two sentences how two runs differ. */
const comparison = (a: SpectrumRun, b: SpectrumRun, format: ValueFormat): string => {
  if (!a.histogram.layout.sameBuckets(b.histogram.layout)) return '';
  const { superiority, pValue } = mannWhitney(a.histogram, b.histogram);
  const { distance, at } = kolmogorovSmirnov(a.histogram, b.histogram);
  const p = pValue < 0.001 ? 'p &lt; 0.001' : `p = ${threeDigits(pValue)}`;
  return (
    `<p>A value of <b>${escapeXml(b.name)}</b> is greater than one of <b>${escapeXml(a.name)}</b> in ` +
    `${(superiority * 100).toFixed(1)} % of pairs (Mann-Whitney, ${p}). The distributions are furthest ` +
    `apart at ${escapeXml(format(at))}: ${(distance * 100).toFixed(1)} percentage points ` +
    '(Kolmogorov-Smirnov). p-values assume independent values, which latencies seldom are.</p>'
  );
};

const STYLE =
  ':root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--page:#fff}' +
  '@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--page:#0d1117}}' +
  'body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:920px;margin:32px auto;padding:0 20px}' +
  'h1{font-size:24px}h2{font-size:18px;margin-top:32px}svg{max-width:100%;height:auto}' +
  'table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:4px 16px 4px 0;text-align:right;border-bottom:1px solid var(--line)}' +
  'th[scope=row]{text-align:left;font-weight:400;color:var(--soft)}.soft{color:var(--soft)}' +
  'pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:11px;color:var(--soft)}';

/**
 * Writes a report as one self-contained HTML file: spectrum, table, comparison, heatmap, and the data
 * itself in HdrHistogram's encoding, so that whoever has the file can analyse it again.
 *
 * @param options - runs, intervals, limits
 * @returns the file's text
 * @throws {HistogramRangeError} ERR_HISTOGRAM_EMPTY if a run or all intervals are empty
 *
 * Concurrency: owner thread of the histograms. Cost: some milliseconds, O(intervals * span).
 */
export function toHtmlReport(options: HtmlReportOptions): string {
  const { title, runs, intervals, limits = [], notes = [], format = formatNanoseconds } = options;
  const spectrum = percentileSpectrumSvg(runs, { limits, format, title: 'By percentile' });
  const heatmap =
    intervals === undefined ? '' : heatmapSvg(intervals, { format, title: 'Over time' });
  const [a, b] = runs;
  const data = runs
    .map(({ name, histogram }: { name: string; histogram: Histogram }) => {
      const encoded = encodeBase64(histogram);
      return `<details><summary>${escapeXml(name)}</summary><pre>${encoded}</pre></details>`;
    })
    .join('');
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">' +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    '<meta name="viewport" content="width=device-width">' +
    `<title>${escapeXml(title)}</title><style>${STYLE}</style></head><body>` +
    `<h1>${escapeXml(title)}</h1>` +
    notes.map((note) => `<p class="soft">${escapeXml(note)}</p>`).join('') +
    spectrum +
    table(runs, format) +
    (runs.length === 2 ? comparison(a!, b!, format) : '') +
    heatmap +
    `<h2>Data</h2><p class="soft">HdrHistogram V2, deflated, base64.</p>${data}</body></html>\n`
  );
}
