/**
 * Pictures of text: a table of percentiles, bars, a sparkline, a heatmap in colour.
 *
 * Only block elements and, in the heatmap, 24-bit colours. Names from outside are stripped of control
 * characters, so that they can't send escapes to the terminal.
 */
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';
import { heat } from './colour.ts';
import {
  formatNanoseconds,
  formatPercentile,
  grouped,
  reportedPercentiles,
  type ValueFormat,
} from './format.ts';
import { type HeatmapInterval, heatmapGrid } from './heatmap.ts';
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

/** How to write a heatmap as text. */
export interface TextHeatmapOptions extends TextReportOptions {
  /** Number of lines; each has two rows of cells. @defaultValue 12 */
  readonly lines?: number;
}

/**
 * Draws intervals as a heatmap of value over time, in 24-bit colour.
 *
 * @param intervals - in order of time, at least one with values
 * @param options - format, width, lines
 * @returns lines, each ended, with colour escapes
 * @throws {HistogramRangeError} ERR_HISTOGRAM_EMPTY if no interval has values
 *
 * Concurrency: owner thread of the histograms. Cost: O(intervals * span).
 */
export function heatmapText(
  intervals: readonly HeatmapInterval[],
  options: TextHeatmapOptions = {},
): string {
  const { format = formatNanoseconds, width = 80, lines = 12 } = options;
  if (!Number.isInteger(lines) || lines < 1) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `lines must be a whole number above 0: lines=${String(lines)}`,
    );
  }
  const labelWidth = 9;
  const grid = heatmapGrid(intervals, lines * 2, Math.max(1, width - labelWidth - 1));
  const colourOf = (count: number): readonly [number, number, number] | undefined =>
    count === 0 ? undefined : heat(Math.log1p(count) / Math.log1p(grid.most));
  let picture = '';
  for (let line = lines - 1; line >= 0; line--) {
    const value = grid.low * (grid.high / grid.low) ** ((line + 0.5) / lines);
    const label = line % 3 === 0 ? format(value) : '';
    picture += `${label.padStart(labelWidth)} `;
    for (const column of grid.counts) {
      picture += cell(colourOf(column[line * 2 + 1]!), colourOf(column[line * 2]!));
    }
    picture += '\n';
  }
  const first = grid.columns[0]!;
  const last = grid.columns.at(-1)!;
  const seconds = last.startTimeSeconds + last.lengthSeconds - first.startTimeSeconds;
  const end = `${Number(seconds.toFixed(1))} s`;
  const room = Math.max(0, grid.columns.length - 3);
  return `${picture}${' '.repeat(labelWidth + 1)}0 s${room > end.length ? end.padStart(room) : ''}\n`;
}

/** Draws two cells in one character: a half block in one colour on another. */
const cell = (
  upper: readonly [number, number, number] | undefined,
  lower: readonly [number, number, number] | undefined,
): string => {
  if (upper === undefined && lower === undefined) return ' ';
  if (upper === undefined) return `\u001b[38;2;${lower!.join(';')}m▄\u001b[0m`;
  if (lower === undefined) return `\u001b[38;2;${upper.join(';')}m▀\u001b[0m`;
  return `\u001b[38;2;${upper.join(';')}m\u001b[48;2;${lower.join(';')}m▀\u001b[0m`;
};
