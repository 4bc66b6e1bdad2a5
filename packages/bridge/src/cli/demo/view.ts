/**
 * The demo's live view: a screen redrawn in place on a terminal, one line a second elsewhere.
 *
 * The cursor goes up by as many lines as were drawn; nothing outside the view is touched, and what was drawn last
 * stays on the screen.
 */
import { stationNames } from '../../measure/stations.ts';
import { formatCount, formatDuration, formatRate, formatTable } from '../format.ts';
import type { Snapshot } from './snapshot.ts';

const latencyHead = ['', 'p50', 'p95', 'p99', 'max', 'count'];

const latencyRow = (
  name: string,
  stats: { p50: number; p95: number; p99: number; max: number; count: number },
): string[] => [
  name,
  formatDuration(stats.p50),
  formatDuration(stats.p95),
  formatDuration(stats.p99),
  formatDuration(stats.max),
  formatCount(stats.count),
];

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

const headLine = (snapshot: Snapshot): string =>
  [
    snapshot.title,
    `${snapshot.elapsedSeconds.toFixed(1)} s`,
    `bridge CPU ${(snapshot.cpuShare * 100).toFixed(1)} %`,
    `RSS ${megabytes(snapshot.rssBytes)}`,
  ].join('   ');

/** Returns the view's lines for a terminal. */
export function screenLines(snapshot: Snapshot): string[] {
  const panes = formatTable([
    ['pane', 'MB/s', 'records/s', 'bytes'],
    ...snapshot.panes.map((pane) => [
      pane.title,
      formatRate(pane.bytesPerSecond),
      formatCount(pane.recordsPerSecond),
      formatCount(pane.bytes),
    ]),
  ]);
  const used = stationNames.filter((name) => snapshot.stations[name].count > 0);
  const latencies = formatTable([
    latencyHead,
    ...used.map((name) =>
      latencyRow(name === 'total' ? 'read to sink' : name, snapshot.stations[name]),
    ),
    ...(snapshot.echo === undefined ? [] : [latencyRow('key to echo', snapshot.echo)]),
  ]);
  return [headLine(snapshot), '', ...panes, '', ...latencies];
}

/** Returns the view as one line, for a log. */
function plainLine(snapshot: Snapshot): string {
  const { total } = snapshot.stations;
  const bytes = snapshot.panes.reduce((sum, pane) => sum + pane.bytesPerSecond, 0);
  const records = snapshot.panes.reduce((sum, pane) => sum + pane.recordsPerSecond, 0);
  return [
    headLine(snapshot),
    formatRate(bytes),
    `${formatCount(records)} records/s`,
    `read to sink p50 ${formatDuration(total.p50)} p99 ${formatDuration(total.p99)} max ${formatDuration(total.max)}`,
    ...(snapshot.echo === undefined
      ? []
      : [`echo p50 ${formatDuration(snapshot.echo.p50)} p99 ${formatDuration(snapshot.echo.p99)}`]),
  ].join('   ');
}

/** Where the view is drawn. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** What stands out: verdicts, trouble, heads of tables, the title of what runs now. */
const colours: readonly (readonly [pattern: RegExp, code: string])[] = [
  [/\bholds$/, '32'],
  [/\bfalls short$/, '33'],
  [/\bno echo for [\d.]+ m?s/, '31'],
  [/▇+/g, '33'],
  [/^(?:pane {2}| {4,}p50|the brief's floors| {4,}key to echo).*$/, '2'],
  [/^(?:inline|worker|before|after)\b.*$/, '1'],
];

/** Draws snapshots. */
export class View {
  readonly #output: Output;
  readonly #coloured: boolean;
  #drawn = 0;
  #plainSecond = -1;

  constructor(output: Output) {
    this.#output = output;
    this.#coloured = output.isTTY === true && !process.env['NO_COLOR'];
  }

  /** Draws a snapshot over the one before. */
  draw(snapshot: Snapshot): void {
    this.drawLines(
      snapshot.elapsedSeconds,
      () => screenLines(snapshot),
      () => plainLine(snapshot),
    );
  }

  /**
   * Draws lines over those before; where there is no terminal, one line a second.
   *
   * @param elapsedSeconds - since the first of these drawings
   */
  drawLines(elapsedSeconds: number, screen: () => readonly string[], plain: () => string): void {
    if (this.#output.isTTY !== true) {
      const second = Math.floor(elapsedSeconds);
      if (second > this.#plainSecond) this.print(plain());
      this.#plainSecond = second;
      return;
    }
    // A terminal of no size, as some pseudo-terminals have it, is taken for an ordinary one.
    const width = Math.max(1, (this.#output.columns || 80) - 1);
    // What is above the top can't be drawn over.
    const height = Math.max(1, (this.#output.rows || 24) - 1);
    const lines = screen()
      .slice(0, height)
      .map((line) => this.#decorate(line.slice(0, width)));
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '\x1b[?25l';
    this.#output.write(`${up}\r\x1b[0J${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Leaves what is drawn where it is; the next drawing begins below. */
  settle(): void {
    if (this.#drawn > 0) this.#output.write('\x1b[?25h\n');
    this.#drawn = 0;
    this.#plainSecond = -1;
  }

  /** Prints a line below the view. */
  print(line: string): void {
    this.settle();
    this.#output.write(`${this.#decorate(line)}\n`);
  }

  /** Colours what the eye looks for, on a terminal whose user hasn't said no (https://no-color.org). */
  #decorate(line: string): string {
    if (!this.#coloured) return line;
    return colours.reduce((text, [pattern, code]) => {
      return text.replace(pattern, (match) => `\x1b[${code}m${match}\x1b[0m`);
    }, line);
  }
}
