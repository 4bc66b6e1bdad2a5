/** The results as text for people and as data for scripts; the HTML report is made of the same. */
import { cpus } from 'node:os';
import { Histogram } from '@millrace/histogram';
import { encodeBase64 } from '@millrace/histogram/codec';
import { formatTable } from '../cli/format.ts';
import {
  type ContenderResult,
  type FigureResult,
  medianOf,
  type ScenarioResult,
} from './run-scenarios.ts';
import type { Figure, ValueName } from './scenario.ts';

/** What a report is about. */
export interface BenchReport {
  readonly tmuxVersion: string;
  readonly date: Date;
  readonly command: string;
  readonly results: readonly ScenarioResult[];
}

/** Returns the machine, in a line. */
export const machineLine = (report: BenchReport): string =>
  [
    `tmux ${report.tmuxVersion}`,
    `Node ${process.version}`,
    `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    report.date.toISOString().slice(0, 10),
  ].join('   ');

const digits = (value: number): string =>
  value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(3);

/** Returns a number with its unit. */
const quantity = (value: number | undefined, unit: string): string =>
  value === undefined ? '-' : `${digits(value)} ${unit}`;

const columns: readonly [head: string, value: ValueName, unit: string][] = [
  ['echo p50', 'echoP50Ms', 'ms'],
  ['echo p99', 'echoP99Ms', 'ms'],
  ['queued', 'queuedKb', 'KB'],
  ['memory', 'rssGrowthMb', 'MB'],
  ['CPU', 'cpuPercent', '%'],
  ['flood shown', 'floodMbPerSecond', 'MB/s'],
  ["tmux's memory", 'serverRssMb', 'MB'],
  ['bytes wrong', 'bytesWrong', ''],
  ['reply p50', 'replyP50Ms', 'ms'],
  ['slowest reply', 'replyMaxMs', 'ms'],
];

/** Returns a table of what each contender reached (medians over the rounds), as rows of cells. */
export function contenderRows({ contenders }: ScenarioResult): string[][] {
  const used = columns.filter(([, value]) =>
    contenders.some((result) => medianOf(result, value) !== undefined),
  );
  return [
    ['', ...used.map(([head]) => head)],
    ...contenders.map((result) => [
      result.name,
      ...used.map(([, value, unit]) => quantity(medianOf(result, value), unit).trim()),
    ]),
  ];
}

/** Why a contender wasn't run, or was ended early. */
export function remarksOf({ contenders, reason }: ScenarioResult): string[] {
  const all = contenders.flatMap((result) => {
    const remarks = new Set(result.measurements.flatMap(({ remark }) => remark ?? []));
    if (result.reason !== undefined) remarks.add(`not run: ${result.reason}`);
    return [...remarks].map((remark) => `${result.name}: ${remark}`);
  });
  return reason === undefined ? all : [`not run: ${reason}`, ...all];
}

const targetOf = ({ peers, bar, unit, better }: Figure): string => {
  if (peers === undefined) return `${better === 'lower' ? '<=' : '>='} ${digits(bar)} ${unit}`;
  if (bar >= 1) return `${digits(bar)}x`;
  return better === 'lower'
    ? `at most ${digits(1 / bar)}x of it`
    : `at least ${digits(bar)}x of it`;
};

/** Returns a row of the verdicts' table. */
function figureRow({ figure, ours, peers, ratio, verdict }: FigureResult): string[] {
  const against = Object.entries(peers)
    .map(([name, value]) => `${name} ${quantity(value, figure.unit)}`)
    .join(', ');
  return [
    figure.name,
    quantity(ours, figure.unit),
    against || '-',
    ratio === undefined ? '-' : `${digits(ratio)}x`,
    targetOf(figure),
    verdict,
  ];
}

/** Returns the verdicts' table, as rows of cells. */
export const figureRows = (results: readonly ScenarioResult[]): string[][] => [
  ['figure', 'millrace', 'against', 'better by', 'target', 'verdict'],
  ...results.flatMap(({ figures }) => figures.map(figureRow)),
];

/** Returns a scenario as lines of text. */
export const scenarioLines = (result: ScenarioResult): string[] => [
  `${result.scenario.name}: ${result.scenario.title}`,
  ...formatTable(contenderRows(result)).map((line) => `  ${line}`),
  ...remarksOf(result).map((remark) => `  ${remark}`),
];

/** Returns the verdicts as lines of text. */
export const verdictLines = (report: BenchReport): string[] => [
  ...formatTable(figureRows(report.results)),
  '',
  machineLine(report),
];

/** Returns all echoes of a contender, or undefined if it typed nothing. */
export function echoesOf(result: ContenderResult): Histogram | undefined {
  const all = result.measurements.flatMap(({ echo }) => echo ?? []);
  if (all.length === 0) return undefined;
  const sum = new Histogram({ highest: 3_600_000_000_000, digits: 2 });
  for (const echo of all) sum.add(echo);
  return sum.count === 0 ? undefined : sum;
}

/** Returns the report as data for scripts. */
export function toJson(report: BenchReport): unknown {
  return {
    tmux: report.tmuxVersion,
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    date: report.date.toISOString(),
    command: report.command,
    scenarios: report.results.map((result) => ({
      name: result.scenario.name,
      title: result.scenario.title,
      ...(result.reason === undefined ? {} : { notRun: result.reason }),
      contenders: result.contenders.map((contender) => {
        const echo = echoesOf(contender);
        return {
          name: contender.name,
          ...(contender.reason === undefined ? {} : { notRun: contender.reason }),
          rounds: contender.measurements.map(({ values, remark }) => ({ ...values, remark })),
          // HdrHistogram V2, nanoseconds from key to echo, all rounds.
          ...(echo === undefined ? {} : { echo: encodeBase64(echo) }),
        };
      }),
      figures: result.figures.map(({ figure, ours, peers, ratio, verdict }) => ({
        name: figure.name,
        unit: figure.unit,
        ours,
        peers,
        ratio,
        bar: figure.bar,
        verdict,
      })),
    })),
  };
}
