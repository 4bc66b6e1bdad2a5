/**
 * Draws percentile spectra: value against percentile on an axis that gives each further nine equal room.
 *
 * One run shows its tail; two runs over one another show where they differ, and the confidence bands
 * whether that is more than chance. Never a mean with a deviation: latencies aren't normal.
 */
import { percentileInterval } from '../analysis/distribution.ts';
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';
import { formatNanoseconds, formatPercentile, grouped, type ValueFormat } from './format.ts';
import {
  axes,
  document,
  type Frame,
  linearTicks,
  logTicks,
  px,
  SERIES_COLOURS,
  type Tick,
  text,
} from './svg.ts';

/** One line of a spectrum. */
export interface SpectrumRun {
  /** What the legend calls it. */
  readonly name: string;
  /** Its values; left unchanged, not empty. */
  readonly histogram: Histogram;
}

/** A line across the picture: what was promised. */
export interface SpectrumLimit {
  /** What the line says. */
  readonly name: string;
  /** Greatest value allowed (recorded unit). */
  readonly value: number;
  /** Percentile up to which it is promised, 0 to 100. @defaultValue 100 */
  readonly percentile?: number;
}

/** How to draw a spectrum. */
export interface SpectrumOptions {
  /** Heading. @defaultValue 'Latency by percentile' */
  readonly title?: string;
  /** Confidence of the bands, 0 to 1, both excluded; `false` draws none. @defaultValue 0.95 for two runs or more */
  readonly confidence?: number | false;
  /** Promises to draw. @defaultValue none */
  readonly limits?: readonly SpectrumLimit[];
  /** Scale of the values; `auto` is logarithmic if they spread over more than a factor of 30. @defaultValue 'auto' */
  readonly scale?: 'linear' | 'logarithmic' | 'auto';
  /** How values are written. @defaultValue nanoseconds */
  readonly format?: ValueFormat;
  /** Width (px). @defaultValue 880 */
  readonly width?: number;
  /** Height (px). @defaultValue 440 */
  readonly height?: number;
}

/** Number of nines of a percentile: 90 is 1, 99 is 2. */
const ninesOf = (percentile: number): number => -Math.log10(1 - percentile / 100);
const percentileOf = (nines: number): number => 100 * (1 - 10 ** -nines);

/** Points per line; between two of them the line is straight. */
const POINTS = 240;
const BAND_POINTS = 80;

interface Plane {
  readonly nines: number;
  readonly x: (nines: number) => number;
  readonly y: (value: number) => number;
}

const lineOf = (plane: Plane, { histogram }: SpectrumRun): string => {
  const last = Math.min(plane.nines, Math.log10(histogram.count));
  const levels = Array.from({ length: POINTS + 1 }, (_, i) => (last * i) / POINTS);
  const values = histogram.percentiles(levels.map(percentileOf));
  const points = levels.map((level, i) => `${px(plane.x(level))} ${px(plane.y(values[i]!))}`);
  // The greatest value is beyond every percentile that the count can tell.
  points.push(`${px(plane.x(last))} ${px(plane.y(histogram.max))}`);
  return `M${points.join('L')}`;
};

const bandOf = (plane: Plane, { histogram }: SpectrumRun, confidence: number): string => {
  const last = Math.min(plane.nines, Math.log10(histogram.count));
  const upper: string[] = [];
  const lower: string[] = [];
  // Without the ends, where a percentile has no interval.
  for (let i = 1; i < BAND_POINTS; i++) {
    const level = (last * i) / BAND_POINTS;
    const { low, high } = percentileInterval(histogram, percentileOf(level), confidence);
    upper.push(`${px(plane.x(level))} ${px(plane.y(high))}`);
    lower.push(`${px(plane.x(level))} ${px(plane.y(low))}`);
  }
  return upper.length === 0 ? '' : `M${upper.join('L')}L${lower.reverse().join('L')}Z`;
};

const limitOf = (plane: Plane, frame: Frame, limit: SpectrumLimit, format: ValueFormat): string => {
  const end = plane.x(Math.min(plane.nines, ninesOf(limit.percentile ?? 100)));
  const y = plane.y(limit.value);
  return (
    `<path class="limit" d="M${frame.left} ${px(y)}H${px(end)}${end < frame.width - frame.right - 1 ? `V${frame.top}` : ''}"/>` +
    text(frame.left + 8, y - 6, `${limit.name}: ${format(limit.value)}`, ' class="limit-text"')
  );
};

/** Ticks of the values, and where a value lies from 0 to 1. */
const valueAxis = (
  low: number,
  high: number,
  scale: 'linear' | 'logarithmic',
  format: ValueFormat,
): { ticks: Tick[]; at: (value: number) => number } => {
  if (scale === 'linear') {
    const values = linearTicks(high);
    const top = values.at(-1)!;
    return {
      ticks: values.map((value) => ({ at: value / top, text: format(value) })),
      at: (value) => value / top,
    };
  }
  const values = logTicks(low, high);
  const from = Math.log10(low);
  const range = Math.log10(high) - from;
  const at = (value: number): number => (Math.log10(Math.max(value, low)) - from) / range;
  // More than ten texts crowd the axis: then powers of ten only.
  const crowded = values.length > 12;
  return {
    ticks: values.map((value) => ({
      at: at(value),
      text: format(value),
      minor:
        crowded &&
        !/^1(e|0*$|\.?0*$)/.test(String(Number(value.toPrecision(3))).replace(/^0\.0*/, '')),
    })),
    at,
  };
};

const LEGEND_LEFT = 16;
/** From one line of the legend to the next. */
const LEGEND_LINE = 18;

/** Where each label of the legend begins: on the first line that has room for it, in their order. */
function legendPlaces(
  labels: readonly string[],
  from: number,
  to: number,
): { left: number; line: number }[] {
  let left = from;
  let line = 0;
  return labels.map((label) => {
    // The text's own width isn't known here: so much a character is enough for system fonts at this size.
    const width = 20 + label.length * 6.4;
    if (left > from && left + width > to) {
      left = from;
      line++;
    }
    const place = { left, line };
    left += width + 24;
    return place;
  });
}

/**
 * Draws the percentile spectrum of one run or several as SVG.
 *
 * @param runs - 1 to 6 runs, none empty
 * @param options - bands, limits, scale, size
 * @returns one self-contained SVG document; a legend of several lines makes it so much higher than asked for
 * @throws {HistogramRangeError} ERR_HISTOGRAM_EMPTY if there is no run, or one without values;
 * ERR_HISTOGRAM_OPTION if there are more than 6
 *
 * Concurrency: owner thread of the histograms. Cost: some milliseconds; 80 intervals per band.
 */
export function percentileSpectrumSvg(
  runs: readonly SpectrumRun[],
  options: SpectrumOptions = {},
): string {
  if (runs.length === 0 || runs.some(({ histogram }) => histogram.isEmpty)) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_EMPTY',
      `runs must have values: runs=${runs.length}`,
    );
  }
  if (runs.length > SERIES_COLOURS.length) {
    throw new HistogramRangeError(
      'ERR_HISTOGRAM_OPTION',
      `runs must be at most 6: runs=${runs.length}`,
    );
  }
  const { width = 880, height = 440, format = formatNanoseconds, limits = [] } = options;
  const confidence = options.confidence ?? (runs.length > 1 ? 0.95 : false);
  const labels = runs.map(
    ({ name, histogram }) =>
      `${name} (${grouped(histogram.count)} values, max ${format(histogram.max)})`,
  );
  const places = legendPlaces(labels, LEGEND_LEFT, width - 24);
  const more = places.at(-1)!.line * LEGEND_LINE;
  const frame: Frame = {
    width,
    height: height + more,
    left: 76,
    right: 24,
    top: 84 + more,
    bottom: 56,
  };
  const nines = Math.max(1, ...runs.map(({ histogram }) => Math.log10(histogram.count)));
  const high = Math.max(
    ...runs.map(({ histogram }) => histogram.max),
    ...limits.map(({ value }) => value),
  );
  const least = Math.min(...runs.map(({ histogram }) => histogram.percentile(0)));
  const { step } = runs[0]!.histogram.layout;
  const low = Math.max(least, step);
  const spread = high / low > 30 && high > low;
  const scale =
    options.scale === undefined || options.scale === 'auto'
      ? spread
        ? 'logarithmic'
        : 'linear'
      : options.scale;
  const axis = valueAxis(low * 0.9, Math.max(high * 1.1, low * 2), scale, format);
  const bottom = frame.height - frame.bottom;
  const plane: Plane = {
    nines,
    x: (level) => frame.left + (level / nines) * (width - frame.right - frame.left),
    y: (value) => bottom - axis.at(value) * (bottom - frame.top),
  };
  const across: Tick[] = [
    { at: 0, text: '0' },
    { at: ninesOf(50) / nines, text: '50', minor: nines > 7 },
  ];
  for (let level = 1; level <= nines + 1e-9; level++) {
    across.push({ at: level / nines, text: formatPercentile(percentileOf(level)) });
  }
  const title = options.title ?? 'Latency by percentile';
  let svg = text(LEGEND_LEFT, 26, title, ' class="head"');
  svg += axes(frame, across, axis.ticks, { across: 'percentile (%)', upward: '' });
  for (const limit of limits) svg += limitOf(plane, frame, limit, format);
  for (const [i, run] of runs.entries()) {
    const colour = SERIES_COLOURS[i]!;
    if (confidence !== false) {
      svg += `<path class="band" fill="${colour}" d="${bandOf(plane, run, confidence)}"/>`;
    }
    svg += `<path class="run" stroke="${colour}" d="${lineOf(plane, run)}"/>`;
    const { left, line } = places[i]!;
    const down = line * LEGEND_LINE;
    svg += `<rect x="${left}" y="${42 + down}" width="14" height="4" rx="2" fill="${colour}"/>`;
    svg += text(left + 20, 49 + down, labels[i]!);
  }
  if (confidence !== false) {
    svg += text(
      LEGEND_LEFT,
      68 + more,
      `bands: ${formatPercentile(confidence * 100)} % confidence`,
      ' class="title"',
    );
  }
  return document(frame, title, svg);
}
