/**
 * Writes and reads `.hlog`, HdrHistogram's log of interval histograms, formats 1.0 to 1.3.
 *
 * ```text
 * #[Histogram log format version 1.3]
 * #[StartTime: 1441812279.474 (seconds since epoch), Wed, 09 Sep 2015 15:24:39 GMT]
 * "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
 * Tag=name,0.127,1.007,2.769,HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnN...
 * ```
 *
 * A time below the start time by more than a year is relative to it, as Java's reader has it; BaseTime says
 * it outright. Histograms are decoded when asked for, so scanning a long log is cheap.
 */
import type { Histogram } from '../histogram.ts';
import { decodeBase64, encodeBase64 } from './base64-encoding.ts';
import { HistogramFormatError } from './errors.ts';
import type { DecodeOptions, EncodeOptions } from './hdr.ts';

/** How to write a log. */
export interface LogWriterOptions extends EncodeOptions {
  /** Start of the log (seconds since the epoch). @defaultValue the current time */
  readonly startTimeSeconds?: number;
  /** Subtracted from every interval's start (seconds since the epoch). @defaultValue none */
  readonly baseTimeSeconds?: number;
  /** Comment lines at the top. @defaultValue none */
  readonly comments?: readonly string[];
  /** Divides the maximum shown in the third column; 1e6 shows nanoseconds as ms. @defaultValue 1e6 */
  readonly maxValueScale?: number;
}

/** What a log says about one interval when it is written. */
export interface LogEntry {
  /** Start of the interval (seconds since the epoch). */
  readonly startTimeSeconds: number;
  /** Length of the interval (seconds). */
  readonly lengthSeconds: number;
  /** Name of the series; no comma, space or line end. @defaultValue none */
  readonly tag?: string;
  /** What was recorded in the interval; left unchanged. */
  readonly histogram: Histogram;
}

/** Returns a line of the header, checked to be one line. */
const comment = (text: string): string => {
  if (/[\r\n]/.test(text)) {
    throw new HistogramFormatError(`a comment must be one line: text=${JSON.stringify(text)}`);
  }
  return `#${text}\n`;
};

/**
 * Writes a log piece by piece; append what the methods return to a file or stream.
 *
 * Concurrency: one thread. Cost: `entry` as encodeBase64.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { LogWriter, readLog } from '@millrace/histogram/codec';
 *
 * const writer = new LogWriter({ startTimeSeconds: 1_700_000_000 });
 * const second = new Histogram();
 * second.recordMany([1500, 2500]);
 * const text =
 *   writer.header() +
 *   writer.entry({ startTimeSeconds: 1_700_000_001, lengthSeconds: 1, tag: 'read', histogram: second });
 *
 * const [interval] = readLog(text);
 * assert.equal(interval?.tag, 'read');
 * assert.ok(interval?.histogram().equals(second));
 * ```
 */
export class LogWriter {
  readonly #options: LogWriterOptions;

  /**
   * Creates a writer; nothing is written yet.
   *
   * @param options - times, comments, encoding
   */
  constructor(options: LogWriterOptions = {}) {
    this.#options = { startTimeSeconds: Date.now() / 1000, ...options };
  }

  /** Returns the first lines of the log. */
  header(): string {
    const { startTimeSeconds = 0, baseTimeSeconds, comments = [] } = this.#options;
    let text = comments.map(comment).join('');
    text += comment('[Histogram log format version 1.3]');
    const date = new Date(startTimeSeconds * 1000).toUTCString();
    text += comment(`[StartTime: ${startTimeSeconds.toFixed(3)} (seconds since epoch), ${date}]`);
    if (baseTimeSeconds !== undefined) {
      text += comment(`[BaseTime: ${baseTimeSeconds.toFixed(3)} (seconds since epoch)]`);
    }
    return `${text}"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n`;
  }

  /**
   * Returns the line of one interval.
   *
   * @param entry - times, tag, histogram
   * @throws {HistogramFormatError} If the tag has a comma, a space or a line end
   */
  entry(entry: LogEntry): string {
    const { startTimeSeconds, lengthSeconds, tag, histogram } = entry;
    if (tag !== undefined && !/^[^,\s]+$/.test(tag)) {
      throw new HistogramFormatError(
        `tag must have no comma, space or line end: tag=${JSON.stringify(tag)}`,
      );
    }
    const start = startTimeSeconds - (this.#options.baseTimeSeconds ?? 0);
    const max = histogram.isEmpty ? 0 : histogram.max / (this.#options.maxValueScale ?? 1e6);
    const prefix = tag === undefined ? '' : `Tag=${tag},`;
    const text = encodeBase64(histogram, this.#options);
    return `${prefix}${start.toFixed(3)},${lengthSeconds.toFixed(3)},${max.toFixed(3)},${text}\n`;
  }
}

/** One interval of a log. */
export interface LogInterval {
  /** Name of the series, if the line has one. */
  readonly tag: string | undefined;
  /** Start as written: relative or absolute (seconds). */
  readonly timestampSeconds: number;
  /** Start (seconds since the epoch, as far as the log tells). */
  readonly startTimeSeconds: number;
  /** Length (seconds). */
  readonly lengthSeconds: number;
  /** Maximum as written, in the writer's unit. */
  readonly max: number;
  /** The encoding as written. */
  readonly encoded: string;
  /** Number of the line, from 1. */
  readonly line: number;
  /**
   * Decodes the interval's histogram.
   *
   * @throws {HistogramFormatError} If the encoding is damaged
   */
  histogram(): Histogram;
}

/** How to read a log. */
export interface LogReaderOptions extends DecodeOptions {
  /** Reads only this series; `null` reads only untagged lines. @defaultValue every line */
  readonly tag?: string | null;
  /**
   * Called for each line that is no interval, instead of throwing: a log that was cut off by a crash ends
   * in half a line.
   */
  readonly onMalformedLine?: (line: string, lineNumber: number) => void;
}

const YEAR_SECONDS = 365 * 24 * 3600;
const ENTRY = /^(?:Tag=([^,]*),)?(\d+(?:\.\d*)?),(\d+(?:\.\d*)?),(\d+(?:\.\d*)?),(\S+)\s*$/;

/**
 * Reads a log, interval by interval.
 *
 * @param text - the log, or its lines
 * @param options - series, limits, what to do with malformed lines
 * @throws {HistogramFormatError} If a line is neither an interval, a comment nor a legend, unless
 * `onMalformedLine` takes it
 *
 * Concurrency: any thread. Cost: O(length); nothing is decoded before `histogram()`.
 */
export function* readLog(
  text: string | Iterable<string>,
  options: LogReaderOptions = {},
): IterableIterator<LogInterval> {
  let startTime: number | undefined;
  let baseTime: number | undefined;
  let number = 0;
  for (const raw of typeof text === 'string' ? text.split('\n') : text) {
    number++;
    const line = raw.replace(/\r$/, '');
    if (line.startsWith('#')) {
      startTime ??= numberIn(line, /^#\[StartTime: (\d+(?:\.\d*)?)/);
      baseTime ??= numberIn(line, /^#\[BaseTime: (\d+(?:\.\d*)?)/);
      continue;
    }
    if (line.trim() === '' || line.startsWith('"')) continue;
    const match = ENTRY.exec(line);
    if (match === null) {
      if (options.onMalformedLine === undefined) {
        throw new HistogramFormatError(
          `line ${number} is no interval: line=${JSON.stringify(line.slice(0, 80))}`,
        );
      }
      options.onMalformedLine(line, number);
      continue;
    }
    const [, tag, timestamp, length, max, encoded] = match;
    const timestampSeconds = Number(timestamp);
    startTime ??= timestampSeconds;
    baseTime ??= timestampSeconds < startTime - YEAR_SECONDS ? startTime : 0;
    if (options.tag !== undefined && (tag ?? null) !== options.tag) continue;
    yield {
      tag,
      timestampSeconds,
      startTimeSeconds: timestampSeconds + baseTime,
      lengthSeconds: Number(length),
      max: Number(max),
      encoded: encoded!,
      line: number,
      histogram: () => decodeBase64(encoded!, options),
    };
  }
}

const numberIn = (line: string, pattern: RegExp): number | undefined => {
  const match = pattern.exec(line);
  return match === null ? undefined : Number(match[1]);
};
