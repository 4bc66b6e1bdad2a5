/**
 * A heatmap of value over time for a terminal: two cells a character, in 24-bit colour.
 *
 * Own design. Time runs evenly: a column of cells has the same length everywhere, so intervals that are
 * missing leave a gap; few intervals are drawn several characters wide, many are merged.
 */
import { HistogramRangeError } from '../errors.ts';
import { Histogram } from '../histogram.ts';
import { heat } from './colour.ts';
import { formatNanoseconds } from './format.ts';
import { type HeatmapInterval, heatmapGrid, timeTicks } from './heatmap.ts';
import { logTicks } from './svg.ts';
import type { TextReportOptions } from './terminal.ts';

/** How to write a heatmap as text. */
export interface TextHeatmapOptions extends TextReportOptions {
  /** Number of lines; each has two rows of cells. @defaultValue 12 */
  readonly lines?: number;
}

const LABEL_WIDTH = 9;
/** Characters from one label of time to the next, at least. */
const TICK_SPACING = 9;

/**
 * Draws intervals as a heatmap of value over time, in 24-bit colour.
 *
 * @param intervals - in order of time, at least one with values
 * @param options - format, width, lines
 * @returns lines, each ended, with colour escapes; the last two are the axis of time
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
  const room = Math.max(1, width - LABEL_WIDTH - 2);
  const columns = evenColumns(intervals, room);
  const grid = heatmapGrid(columns, lines * 2, columns.length);
  const stretch = Math.max(1, Math.floor(room / columns.length));
  const labels = valueLabels(grid.low, grid.high, lines);
  let picture = '';
  for (let line = lines - 1; line >= 0; line--) {
    const value = labels[line];
    const label = value === undefined ? '' : format(value);
    picture += `${label.padStart(LABEL_WIDTH)} ${value === undefined ? '│' : '┤'}`;
    for (const counts of grid.counts) {
      const [lower, upper] = [counts[line * 2]!, counts[line * 2 + 1]!];
      picture += cells(colourOf(upper, grid.most), colourOf(lower, grid.most), stretch);
    }
    picture += '\n';
  }
  return picture + timeAxis(columns, stretch);
}

const colourOf = (count: number, most: number): string | undefined =>
  count === 0 ? undefined : heat(Math.log1p(count) / Math.log1p(most)).join(';');

/** Draws two cells, one above the other, `times` characters wide: half blocks in one colour on another. */
const cells = (upper: string | undefined, lower: string | undefined, times: number): string => {
  if (upper === undefined && lower === undefined) return ' '.repeat(times);
  if (upper === undefined) return `\u001b[38;2;${lower}m${'▄'.repeat(times)}\u001b[0m`;
  const back = lower === undefined ? '' : `\u001b[48;2;${lower}m`;
  return `\u001b[38;2;${upper}m${back}${'▀'.repeat(times)}\u001b[0m`;
};

/** Sums intervals into at most `most` columns of equal length, empty where nothing was recorded. */
function evenColumns(intervals: readonly HeatmapInterval[], most: number): HeatmapInterval[] {
  const first = intervals[0];
  const last = intervals.at(-1);
  if (first === undefined || last === undefined) return [];
  const start = first.startTimeSeconds;
  const total = last.startTimeSeconds + last.lengthSeconds - start;
  const lengths = intervals.map(({ lengthSeconds }) => lengthSeconds).sort((a, b) => a - b);
  const usual = lengths[lengths.length >> 1]!;
  // How many usual intervals there would be without gaps; and how many of them make a column.
  const slots = usual > 0 ? Math.max(1, Math.round(total / usual)) : 1;
  const perColumn = Math.ceil(slots / most);
  const count = Math.ceil(slots / perColumn);
  const lengthSeconds = (total / slots) * perColumn;
  const columns = Array.from({ length: count }, (_, i) => ({
    startTimeSeconds: start + i * lengthSeconds,
    lengthSeconds,
    histogram: new Histogram(first.histogram.layout),
  }));
  for (const interval of intervals) {
    const middle = interval.startTimeSeconds + interval.lengthSeconds / 2 - start;
    const at = lengthSeconds > 0 ? Math.floor(middle / lengthSeconds) : 0;
    columns[Math.min(Math.max(at, 0), count - 1)]!.histogram.add(interval.histogram);
  }
  return columns;
}

/** Chooses round values for some of the lines: powers of ten, and more where there is room between them. */
function valueLabels(low: number, high: number, lines: number): (number | undefined)[] {
  const labels = new Array<number | undefined>(lines).fill(undefined);
  const ticks = logTicks(low, high);
  const isPower = (tick: number): boolean => Math.abs(Math.log10(tick) % 1) < 1e-9;
  for (const some of [ticks.filter(isPower), ticks]) {
    for (const tick of some) {
      const line = Math.floor((Math.log(tick / low) / Math.log(high / low)) * lines);
      const near = [line - 1, line, line + 1];
      if (line >= 0 && line < lines && near.every((at) => labels[at] === undefined)) {
        labels[line] = tick;
      }
    }
  }
  return labels;
}

/** Draws the axis under the picture, and times under that. */
function timeAxis(columns: readonly HeatmapInterval[], stretch: number): string {
  const characters = columns.length * stretch;
  const seconds = columns.length * columns[0]!.lengthSeconds;
  const line = new Array<string>(characters).fill('─');
  let labels = '';
  const most = Math.max(1, Math.floor(characters / TICK_SPACING));
  for (const { at, text } of timeTicks(0, seconds, most)) {
    const column = Math.round(at * characters);
    if (column + text.length > characters && column > 0) continue;
    line[column] = '┬';
    labels = `${labels.padEnd(column)}${text}`;
  }
  const indent = ' '.repeat(LABEL_WIDTH + 1);
  return `${indent}└${line.join('')}\n${indent} ${labels}\n`;
}
