/**
 * Before and after: a naive reader and this library, one after the other, before the same slow viewer.
 *
 * The viewer is behind a link of 2 MB/s, one pane floods, and keys are typed into the other. The naive reader, a
 * process of its own like any contender of the benchmark, is ended after 5 s or at 300 MB, whichever comes first.
 */

import { measureContender } from '../../bench/measure.ts';
import type { ContenderProgress } from '../../bench/plan.ts';
import type { Measurement } from '../../bench/scenario.ts';
import { formatDuration, formatTable } from '../format.ts';
import type { Floor } from './floors.ts';
import type { View } from './view.ts';

/** How it is run. */
export interface BeforeAfterOptions {
  readonly tmux: string;
  readonly signal: AbortSignal;
  /** Scales the times. */
  readonly scale: number;
}

/** What it showed, for scripts. */
export interface BeforeAfter {
  readonly naive: Measurement['values'];
  readonly millrace: Measurement['values'];
}

/** The summary's name for it. */
export const beforeAfterFigure = 'viewer at 2 MB/s beside a flood: key to echo P99';

const linkBytesPerSecond = 2_000_000;
const naiveSeconds = 5;
const bridgeSeconds = 4;
const barCells = 16;
/** A bar of one cell is this many bytes. */
const barBytes = 2_000_000;
const silentNs = 500_000_000;

const names = { naive: 'readline + regex', bridge: 'millrace' } as const;
type Side = keyof typeof names;

const bar = (bytes: number): string =>
  '▇'.repeat(Math.min(barCells, Math.round(bytes / barBytes))).padEnd(barCells);

const bytesText = (bytes: number): string =>
  bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(0)} KB`;

const echoText = ({ oldestNs, lastNs }: ContenderProgress): string =>
  oldestNs > silentNs
    ? `no echo for ${formatDuration(oldestNs)}`
    : lastNs > 0
      ? formatDuration(lastNs)
      : '-';

/** Returns the screen's lines. */
function lines(seen: ReadonlyMap<Side, ContenderProgress>, title: string): string[] {
  const table = formatTable([
    ['', 'key to echo, now', 'keys back', 'waits for the viewer', 'memory'],
    ...[...seen].map(([side, progress]) => [
      names[side],
      echoText(progress),
      `${progress.keysSeen} of ${progress.keysSent}`,
      `${bar(progress.queuedBytes)} ${bytesText(progress.queuedBytes).padStart(8)}`,
      bytesText(progress.rssBytes),
    ]),
  ]);
  return [title, '', ...table];
}

const plain = (side: Side, progress: ContenderProgress): string =>
  [
    `${names[side]} before a viewer at 2 MB/s`,
    `${progress.seconds.toFixed(1)} s`,
    `key to echo ${echoText(progress)}`,
    `${progress.keysSeen} of ${progress.keysSent} keys back`,
    `${bytesText(progress.queuedBytes)} wait`,
    `RSS ${bytesText(progress.rssBytes)}`,
  ].join('   ');

/** Runs both, drawing as they go; returns the summary's line and the figures. */
export async function beforeAfter(
  options: BeforeAfterOptions,
  view: View,
): Promise<{ floor: Floor; figures: BeforeAfter }> {
  const seen = new Map<Side, ContenderProgress>();
  const measure = (side: Side, seconds: number): Promise<Measurement> => {
    let drawn = 0;
    const draw = (progress: ContenderProgress): void => {
      seen.set(side, progress);
      const title = `${side === 'naive' ? 'before' : 'after'}: a viewer behind a link of 2 MB/s, one pane floods, keys are typed into another`;
      view.drawLines(
        drawn++ === 0 ? 0 : progress.seconds,
        () => lines(seen, title),
        () => plain(side, progress),
      );
    };
    const secondsMax = seconds * options.scale;
    const plan = { kind: side, linkBytesPerSecond, secondsMax } as const;
    return measureContender({ ...options, progress: draw }, seconds, plan);
  };
  const naive = await measure('naive', naiveSeconds);
  const millrace = await measure('bridge', bridgeSeconds);
  view.settle();
  const echo = ({ values: { echoP99Ms = Number.NaN } }: Measurement): string =>
    formatDuration(echoP99Ms * 1e6);
  return {
    figures: { naive: naive.values, millrace: millrace.values },
    floor: {
      figure: beforeAfterFigure,
      floor: '-',
      measured: `${echo(millrace)} (${names.naive}: ${echo(naive)})`,
    },
  };
}
