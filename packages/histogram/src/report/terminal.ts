/**
 * Pictures of text: a table of percentiles, bars, a sparkline.
 *
 * Only block elements. Names from outside are stripped of control characters, so that they can't send escapes
 * to the terminal.
 */
import type { Histogram } from '../histogram.ts';
import {
  formatNanoseconds,
  formatPercentile,
  grouped,
  reportedPercentiles,
  type ValueFormat,
} from './format.ts';
import { logTicks } from './svg.ts';

/** How to write text pictures. */
export interface TextReportOptions {
  /** How values are written. @defaultValue nanoseconds */
  readonly format?: ValueFormat;
  /** Width (columns). @defaultValue 80 */
  readonly width?: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const plain = (name: string): string => name.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?');

/**
 * Writes percentiles of one histogram or several side by side, with as many nines as the counts can tell.
 *
 * @param runs - name and values of each column
 * @param options - format
 * @returns lines, each ended
 *
 * Concurrency: owner thread of the histograms. Cost: O(span) per run.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { percentileTable } from '@millrace/histogram/report';
 *
 * const read = new Histogram();
 * read.recordMany([1000, 2000, 3000, 4000]);
 * const table = percentileTable([{ name: 'read', histogram: read }]);
 * assert.match(table, /p50 +2 µs/);
 * ```
 */
export function percentileTable(
  runs: readonly { readonly name: string; readonly histogram: Histogram }[],
  options: TextReportOptions = {},
): string {
  const { format = formatNanoseconds } = options;
  const most = Math.max(0, ...runs.map(({ histogram }) => histogram.count));
  const percentiles = reportedPercentiles(most);
  const rows: string[][] = [['', ...runs.map(({ name }) => plain(name))]];
  rows.push(['min', ...runs.map(({ histogram }) => format(histogram.min))]);
  const values = runs.map(({ histogram }) => histogram.percentiles(percentiles));
  for (const [i, percentile] of percentiles.entries()) {
    // A percentile beyond what a run's count can tell is its maximum: not shown as if it were measured.
    const cells = runs.map(({ histogram }, run) =>
      histogram.count * (1 - percentile / 100) < 0.9999999 && percentile > 99
        ? '-'
        : format(values[run]![i]!),
    );
    rows.push([`p${formatPercentile(percentile)}`, ...cells]);
  }
  rows.push(['max', ...runs.map(({ histogram }) => format(histogram.max))]);
  rows.push(['count', ...runs.map(({ histogram }) => grouped(histogram.count))]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Draws a bar to an eighth of a column. */
const bar = (share: number, width: number): string => {
  const eighths = Math.round(share * width * 8);
  return '█'.repeat(eighths >> 3) + BLOCKS[eighths & 7]!;
};

/**
 * Draws counts as horizontal bars over ranges of values in steps of 1, 2, 5.
 *
 * @param histogram - left unchanged
 * @param options - format and width
 * @returns lines, each ended; a single line when empty
 *
 * Concurrency: owner thread of the histogram. Cost: O(span).
 */
export function bars(histogram: Histogram, options: TextReportOptions = {}): string {
  const { format = formatNanoseconds, width = 80 } = options;
  if (histogram.isEmpty) return 'no values\n';
  const { layout, count, min, max } = histogram;
  const low = Math.max(min, layout.step);
  const ends = logTicks(low, Math.max(low, max) * 2.5).filter((end) => end > min);
  const rows: { label: string; count: number }[] = [];
  let index = histogram.firstIndex;
  for (const end of ends) {
    let here = 0;
    while (index <= histogram.lastIndex && layout.lowestOf(index) < end) {
      here += histogram.countAtIndex(index++);
    }
    rows.push({ label: `< ${format(end)}`, count: here });
    if (index > histogram.lastIndex) break;
  }
  const labelWidth = Math.max(...rows.map(({ label }) => label.length));
  const countWidth = Math.max(...rows.map((row) => grouped(row.count).length));
  const room = Math.max(10, width - labelWidth - countWidth - 11);
  const most = Math.max(...rows.map((row) => row.count));
  return rows
    .map((row) => {
      const share = ((row.count / count) * 100).toFixed(1).padStart(5);
      const label = row.label.padStart(labelWidth);
      // Something is never drawn as nothing.
      const drawn = row.count === 0 ? '' : bar(row.count / most, room) || '▏';
      return `${label} ${grouped(row.count).padStart(countWidth)} ${share} % ${drawn}\n`;
    })
    .join('');
}

const LEVELS = '▁▂▃▄▅▆▇█';

/**
 * Draws numbers as a line of blocks, the lowest at 0 and the highest at the greatest number.
 *
 * @param numbers - one block each; NaN is a space
 * @returns one line, not ended
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { sparkline } from '@millrace/histogram/report';
 *
 * assert.equal(sparkline([0, 1, 2, 7, 3]), '▁▂▃█▄');
 * ```
 */
export function sparkline(numbers: readonly number[]): string {
  const most = Math.max(...numbers.filter((number) => Number.isFinite(number)));
  return numbers
    .map((number) => {
      if (Number.isNaN(number)) return ' ';
      const level = most > 0 ? Math.round((Math.min(number, most) / most) * 7) : 0;
      return LEVELS[Math.max(0, level)]!;
    })
    .join('');
}
