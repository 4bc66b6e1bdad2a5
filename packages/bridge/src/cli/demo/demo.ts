/**
 * `millrace demo`: real tmux output through all stations, live, then a summary against the brief's floors.
 *
 * Six phases: a flood inline, the same with a worker, a slow viewer before and after, the brief's typical load for the
 * CPU's share, memory in processes of their own, and the recording. Without tmux the recording alone, and the summary
 * says so.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../connect.ts';
import { BridgeError } from '../../errors.ts';
import { readTmuxVersion } from '../../receive/version.ts';
import type { Session } from '../../session.ts';
import { nullSink } from '../../sinks/null.ts';
import { formatDuration } from '../format.ts';
import { openPrivateServer } from '../private-server.ts';
import { type BeforeAfter, beforeAfter, beforeAfterFigure } from './before-after.ts';
import { type Floor, floorLines } from './floors.ts';
import { LivePanes, type Watch } from './live-panes.ts';
import { memoryFigure, memoryFloor } from './memory.ts';
import { typicalLog } from './programs.ts';
import { replayFloors } from './replay-floors.ts';
import { Sampler } from './snapshot.ts';
import { type Output, View } from './view.ts';

/** How a demo is run. */
export interface DemoOptions {
  readonly tmux: string;
  /** Scales the phases' times. @defaultValue 1, about ten seconds of live view */
  readonly scale: number;
  readonly signal: AbortSignal;
  /** Where the view and the summary go; with `json`, only the data. */
  readonly output: Output;
  /** Prints the figures as one JSON object; the view goes to standard error. */
  readonly json?: boolean;
}

/** What the demo measured. */
export interface DemoResult {
  readonly floors: readonly Floor[];
  /** Missing where there is no tmux. */
  readonly beforeAfter?: BeforeAfter;
}

const frameMs = 200;
const floodSeconds = 4;
const workerSeconds = 3;
const typicalSeconds = 3;
const memorySeconds = 2;
const floorAddedNs = 500_000;
const floorCpu = 0.1;
const cpuFigure = 'CPU of a core, typing + 200 KB/s of logs, with this view';

/** The recording that ships with the package. */
const demoRecording: URL = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../../recordings/demo.millrace.gz'
    : '../recordings/demo.millrace.gz',
  import.meta.url,
);

async function show(
  view: View,
  sampler: Sampler,
  seconds: number,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const untilMs = performance.now() + seconds * 1000;
  let ended = false;
  session.closed.then(() => {
    ended = true;
  });
  while (performance.now() < untilMs && !ended) {
    await sleep(frameMs, undefined, { signal });
    view.draw(sampler.sample());
  }
  if (ended && session.live) {
    const { error } = await session.closed;
    throw error ?? new BridgeError('ERR_TMUX_EXITED', 'tmux ended during the demo');
  }
}

/** Watches the flood in one mode and returns its line of the summary. */
async function flood(
  panes: LivePanes,
  worker: boolean,
  seconds: number,
  view: View,
  signal: AbortSignal,
): Promise<Floor> {
  const watch = await panes.watch(worker);
  try {
    const mode = worker ? 'worker' : 'inline';
    const title = `${mode}, live on tmux ${watch.session.version}`;
    await show(view, samplerOf(watch, title), seconds, watch.session, signal);
    watch.echo.stop();
    const { total } = watch.session.stats().stations;
    const measured = `${formatDuration(total.p99)} (p50 ${formatDuration(total.p50)})`;
    const figure = `live flood, ${mode}: P99 from read to sink`;
    if (worker) return { figure, floor: '-', measured };
    return { figure, floor: '< 0.5 ms', measured, holds: total.p99 < floorAddedNs };
  } finally {
    watch.echo.stop();
    await watch.session.close();
    view.settle();
  }
}

const samplerOf = (watch: Watch, title: string): Sampler =>
  new Sampler(
    watch.session,
    title,
    (id) => watch.panes.find((pane) => pane.id === id)?.program.title ?? 'a log',
    () => watch.echo.stats,
  );

/** Watches the typical load on a server of its own, and measures CPU and memory on it. */
async function typical(options: DemoOptions, view: View): Promise<Floor[]> {
  const { signal, scale, tmux } = options;
  const server = openPrivateServer(tmux);
  let watch: Watch | undefined;
  try {
    const log = { flood: typicalLog, build: typicalLog, screen: typicalLog };
    watch = await new LivePanes(server, tmux, signal, log).watch(false);
    await sleep(300, undefined, { signal });
    const { session, echo, panes } = watch;
    const startMs = performance.now();
    const before = process.cpuUsage();
    const sampler = new Sampler(
      session,
      'inline, typing and 200 KB/s of logs in 4 panes',
      (id) => (id === panes[3]!.id ? panes[3]!.program.title : 'a log'),
      () => echo.stats,
    );
    await show(view, sampler, typicalSeconds * scale, session, signal);
    const used = process.cpuUsage(before);
    const share = (used.user + used.system) / 1000 / (performance.now() - startMs);
    echo.stop();
    view.print('measuring memory in processes of their own ...');
    return [
      {
        figure: cpuFigure,
        floor: '< 10 %',
        measured: `${(share * 100).toFixed(1)} %`,
        holds: share < floorCpu,
      },
      await memoryFloor(tmux, server.socketPath, memorySeconds * scale, signal),
    ];
  } finally {
    watch?.echo.stop();
    await watch?.session.close();
    view.settle();
    await server.close();
  }
}

/** Watches the flood in both modes. */
async function floods(options: DemoOptions, view: View): Promise<Floor[]> {
  const { tmux, scale, signal } = options;
  const server = openPrivateServer(tmux);
  try {
    const panes = new LivePanes(server, tmux, signal);
    return [
      await flood(panes, false, floodSeconds * scale, view, signal),
      await flood(panes, true, workerSeconds * scale, view, signal),
    ];
  } finally {
    await server.close();
  }
}

/** What stands for the live phases where there is no tmux. */
async function replayed(
  file: Uint8Array,
  options: DemoOptions,
  view: View,
  reason: string,
): Promise<Floor[]> {
  view.print(`${reason}; playing the recording that ships with the package instead`);
  for (const worker of [false, true]) {
    const session = await connect({
      recording: { source: file, loops: 100 },
      worker,
      signal: options.signal,
      sink: () => nullSink(),
    });
    try {
      const title = `${worker ? 'worker' : 'inline'}, recording of tmux ${session.version}`;
      const sampler = new Sampler(session, title, (id) => `pane %${id}`);
      await show(view, sampler, floodSeconds * options.scale, session, options.signal);
    } finally {
      await session.close();
      view.settle();
    }
  }
  return [
    { figure: 'live flood, inline: P99 from read to sink', floor: '< 0.5 ms' },
    { figure: cpuFigure, floor: '< 10 %' },
    { figure: memoryFigure, floor: '< 5 %' },
    { figure: beforeAfterFigure, floor: '-' },
  ];
}

/** All that is measured on a live tmux. */
async function live(options: DemoOptions, view: View): Promise<DemoResult> {
  const flooded = await floods(options, view);
  const { floor, figures } = await beforeAfter(options, view);
  return {
    floors: [...flooded, ...(await typical(options, view)), floor],
    beforeAfter: figures,
  };
}

/** Runs the demo; resolves with what it measured. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const view = new View(options.json ? process.stderr : options.output);
  const file = await readFile(demoRecording);
  try {
    let missing: BridgeError | undefined;
    await readTmuxVersion(options.tmux).catch((error: BridgeError) => {
      missing = error;
    });
    const first: DemoResult =
      missing === undefined
        ? await live(options, view)
        : { floors: await replayed(file, options, view, missing.message) };
    view.print('replaying the recording at full speed, then paced ...');
    const floors = [...(await replayFloors(file, options.scale, options.signal)), ...first.floors];
    const result = { ...first, floors };
    if (options.json) options.output.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else {
      view.print('');
      for (const line of floorLines(floors)) view.print(line);
    }
    return result;
  } finally {
    view.settle();
  }
}
