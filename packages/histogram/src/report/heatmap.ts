/**
 * Draws latency over time: a column per interval, a row per range of values, colour by count.
 *
 * Averages per interval hide what a heatmap shows: two modes, a slow drift, a stall of one second.
 */
import { HistogramRangeError } from '../errors.ts';
import { Histogram } from '../histogram.ts';
import { css, heat } from './colour.ts';
import { formatNanoseconds, grouped, type ValueFormat } from './format.ts';
import { axes, document, type Frame, logTicks, px, type Tick, text } from './svg.ts';

/** What was recorded in one interval. */
export interface HeatmapInterval {
  /** Start of the interval (seconds, from any origin). */
  readonly startTimeSeconds: number;
  /** Length of the interval (seconds). */
  readonly lengthSeconds: number;
  /** Its values; left unchanged. All intervals have the same bucket layout. */
  readonly histogram: Histogram;
}

/** How to draw a heatmap. */
export interface HeatmapOptions {
  /** Heading. @defaultValue 'Latency over time' */
  readonly title?: string;
  /** Number of rows. @defaultValue 48 */
  readonly rows?: number;
  /** Most columns; more intervals are merged. @defaultValue 160 */
  readonly columnsMax?: number;
  /** Percentile drawn as a line over it, 0 to 100; `false` draws none. @defaultValue 99 */
  readonly percentile?: number | false;
  /** How values are written. @defaultValue nanoseconds */
  readonly format?: ValueFormat;
  /** Width (px). @defaultValue 880 */
  readonly width?: number;
  /** Height (px). @defaultValue 420 */
  readonly height?: number;
}

/** @internal Counts per cell, row 0 at the bottom. */
export interface HeatmapGrid {
  readonly columns: readonly HeatmapInterval[];
  readonly counts: readonly (readonly number[])[];
  readonly low: number;
  readonly high: number;
  readonly most: number;
}

/** Merges intervals until there are no more than `columnsMax`. */
const merged = (intervals: readonly HeatmapInterval[], columnsMax: number): HeatmapInterval[] => {
  const size = Math.ceil(intervals.length / columnsMax);
  const columns: HeatmapInterval[] = [];
  for (let i = 0; i < intervals.length; i += size) {
    const part = intervals.slice(i, i + size);
    const histogram = new Histogram(part[0]!.histogram.layout);
    for (const interval of part) histogram.add(interval.histogram);
    const { startTimeSeconds } = part[0]!;
    const last = part.at(-1)!;
    const lengthSeconds = last.startTimeSeconds + last.lengthSeconds - startTimeSeconds;
    columns.push({ startTimeSeconds, lengthSeconds, histogram });
  }
  return columns;
};

/** @internal Counts the cells of a heatmap; rows are equal steps of the logarithm. */
export function heatmapGrid(
  intervals: readonly HeatmapInterval[],
  rows: number,
  columnsMax: number,
): HeatmapGrid {
  const used = intervals.filter(({ histogram }) => !histogram.isEmpty);
  if (used.length === 0) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_EMPTY',
      `intervals must have values: intervals=${intervals.length}`,
    );
  }
  const { step } = used[0]!.histogram.layout;
  const low = Math.max(step, Math.min(...used.map(({ histogram }) => histogram.min))) * 0.95;
  const high = Math.max(low * 2, Math.max(...used.map(({ histogram }) => histogram.max)) * 1.05);
  const columns = merged(intervals, columnsMax);
  const range = Math.log(high / low);
  let most = 1;
  const counts = columns.map(({ histogram }) => {
    const cells = new Array<number>(rows).fill(0);
    for (let index = histogram.firstIndex; index <= histogram.lastIndex; index++) {
      const count = histogram.countAtIndex(index);
      if (count === 0) continue;
      const at = Math.log(Math.max(low, histogram.layout.middleOf(index)) / low) / range;
      cells[Math.min(rows - 1, Math.floor(at * rows))]! += count;
    }
    most = Math.max(most, ...cells);
    return cells;
  });
  return { columns, counts, low, high, most };
}

/** @internal Ticks of time, at most `most` and one: round steps of seconds, minutes or hours. */
export const timeTicks = (start: number, end: number, most: number = 9): Tick[] => {
  const steps = [
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400,
  ];
  const step = steps.find((size) => (end - start) / size <= most) ?? (end - start) / most;
  const ticks: Tick[] = [];
  for (let at = 0; at <= end - start + 1e-9; at += step) {
    const label = step >= 60 ? `${Math.floor(at / 60)} min` : `${Number(at.toFixed(1))} s`;
    ticks.push({ at: at / (end - start), text: label });
  }
  return ticks;
};

/**
 * Draws intervals as a heatmap of value over time as SVG.
 *
 * @param intervals - in order of time, at least one with values
 * @param options - rows, columns, size
 * @returns one self-contained SVG document
 * @throws {HistogramRangeError} ERR_HISTOGRAM_EMPTY if no interval has values
 *
 * Concurrency: owner thread of the histograms. Cost: O(intervals * span).
 */
export function heatmapSvg(
  intervals: readonly HeatmapInterval[],
  options: HeatmapOptions = {},
): string {
  const {
    rows = 48,
    columnsMax = 160,
    format = formatNanoseconds,
    width = 880,
    height = 420,
  } = options;
  const { columns, counts, low, high, most } = heatmapGrid(intervals, rows, columnsMax);
  const frame: Frame = { width, height, left: 76, right: 24, top: 84, bottom: 56 };
  const start = columns[0]!.startTimeSeconds;
  const last = columns.at(-1)!;
  const end = last.startTimeSeconds + last.lengthSeconds;
  const innerWidth = width - frame.left - frame.right;
  const innerHeight = height - frame.top - frame.bottom;
  const x = (seconds: number): number =>
    frame.left + ((seconds - start) / (end - start)) * innerWidth;
  const y = (value: number): number =>
    height - frame.bottom - (Math.log(value / low) / Math.log(high / low)) * innerHeight;
  const upward = logTicks(low, high);
  let svg = axes(
    frame,
    timeTicks(start, end),
    upward.map((value) => ({
      at: Math.log(value / low) / Math.log(high / low),
      text: format(value),
      minor: upward.length > 12 && !String(value.toExponential()).startsWith('1e'),
    })),
    { across: 'time since start', upward: '' },
  );
  const rowHeight = innerHeight / rows;
  for (const [i, column] of columns.entries()) {
    const left = x(column.startTimeSeconds);
    const right = x(column.startTimeSeconds + column.lengthSeconds);
    for (let row = 0; row < rows; row++) {
      const count = counts[i]![row]!;
      if (count === 0) continue;
      const colour = css(heat(Math.log1p(count) / Math.log1p(most)));
      const top = height - frame.bottom - (row + 1) * rowHeight;
      svg += `<rect x="${px(left)}" y="${px(top)}" width="${px(Math.max(1, right - left + 0.3))}" height="${px(rowHeight + 0.3)}" fill="${colour}"/>`;
    }
  }
  const title = options.title ?? 'Latency over time';
  svg += text(16, 26, title, ' class="head"');
  svg += legend(16, most);
  const percentile = options.percentile ?? 99;
  if (percentile !== false) {
    let path = '';
    let reached = Number.NaN;
    for (const { startTimeSeconds, lengthSeconds, histogram } of columns) {
      if (histogram.isEmpty) continue;
      const value = Math.max(low, histogram.percentile(percentile));
      const point = `${px(x(startTimeSeconds + lengthSeconds / 2))} ${px(y(value))}`;
      // Nothing is drawn over a time without values; a lone point is a dot.
      const isNext = startTimeSeconds - reached <= lengthSeconds / 2;
      path += isNext ? `L${point}` : `M${point}h.01`;
      reached = startTimeSeconds + lengthSeconds;
    }
    const line = `<path d="${path}" fill="none" stroke-linecap="round" stroke-linejoin="round"`;
    svg += `${line} stroke="var(--page)" stroke-width="4" opacity=".7"/>`;
    svg += `${line} stroke="var(--ink)" stroke-width="1.5"/>`;
    svg += `<path d="M330 46h18" stroke="var(--ink)" stroke-width="1.5"/>`;
    svg += text(354, 50, `percentile ${percentile}`);
  }
  return document(frame, title, svg);
}

/** Shows which colour means which count. */
const legend = (left: number, most: number): string => {
  let svg = text(left, 50, 'count 1');
  for (let i = 0; i < 32; i++) {
    svg += `<rect x="${left + 50 + i * 5}" y="40" width="5.5" height="12" fill="${css(heat(i / 31))}"/>`;
  }
  return svg + text(left + 220, 50, grouped(most));
};
