/**
 * The brief's floors on the whole system: throughput and paced latency on the shipped recording, added latency, CPU
 * and memory on a live tmux. What the demo shows in ten seconds, measured for longer.
 *
 * Not measured here: viewers that lag, where the bridge's flow control decides; see `viewers.ts`. The naive peer is
 * what users write: readline and a regular expression.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, nullSink, parseRecording } from '@millrace/bridge';
import { LivePanes } from '../../packages/bridge/src/cli/demo/live-panes.ts';
import { probeMemory } from '../../packages/bridge/src/cli/demo/memory.ts';
import { typicalLog } from '../../packages/bridge/src/cli/demo/programs.ts';
import { replay, type WorstStation } from '../../packages/bridge/src/cli/demo/replay-floors.ts';
import { openPrivateServer } from '../../packages/bridge/src/cli/private-server.ts';
import type { Contender, Row } from '../harness/row.ts';
import { bareLiveP99Ms } from './bare-live.ts';
import { bareLoopP99Ms, bareRingP99Ms } from './bare-pace.ts';

const tmux = process.env['MILLRACE_TMUX'] ?? 'tmux';
const noTmux = (): string | undefined =>
  spawnSync(tmux, ['-V']).error === undefined ? undefined : 'no tmux on PATH';

const file = readFileSync(
  new URL('../../packages/bridge/recordings/demo.millrace.gz', import.meta.url),
);
const received = Buffer.concat(
  parseRecording(file)
    .frames.filter((frame) => !frame.toTmux)
    .map((frame) => frame.bytes),
);
const loops = 500;
const recordsPerLoop = received.toString('latin1').match(/^%(?:extended-)?output /gm)!.length;
const never = new AbortController().signal;

async function replayRecordsPerSecond(worker: boolean | 'message'): Promise<number> {
  const started = performance.now();
  const session = await connect({
    recording: { source: file, pace: { kind: 'max' }, loops },
    worker,
    sink: () => nullSink(),
  });
  await session.closed;
  return session.stats().records / ((performance.now() - started) / 1000);
}

/** Readline and a regular expression over the same bytes in the same reads, strings decoded. */
async function naiveRecordsPerSecond(): Promise<number> {
  const naiveLoops = 20;
  let records = 0;
  let length = 0;
  const started = performance.now();
  function* reads(): Generator<Buffer> {
    for (let loop = 0; loop < naiveLoops; loop++) {
      for (let start = 0; start < received.length; start += 65_536) {
        yield received.subarray(start, start + 65_536);
      }
    }
  }
  for await (const line of createInterface({ input: Readable.from(reads()) })) {
    const match = /^%(?:output %(\d+)|extended-output %(\d+) \d+ :) (.*)$/.exec(line);
    if (match === null) continue;
    records++;
    length += match[3]!.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ).length;
  }
  if (length === 0) throw new Error('nothing decoded');
  return records / ((performance.now() - started) / 1000);
}

const perSecond = 200_000;
const pacedSeconds = 4;

/** The worst station's P99 of a paced replay, in its first second and after it: one replay gives a round both. */
function pacedContenders(worker: boolean): { first: Contender; worst: Contender } {
  let round: Promise<{ first: WorstStation; worst: WorstStation }> | undefined;
  const loops = Math.ceil(((pacedSeconds + 1) * perSecond) / recordsPerLoop);
  return {
    worst: async () => {
      round = replay(file, worker, loops, perSecond, never);
      return (await round).worst.p99 / 1e6;
    },
    first: async () => (await round!).first.p99 / 1e6,
  };
}

async function withPanes<Result>(
  commands: ConstructorParameters<typeof LivePanes>[3],
  worker: boolean,
  body: (watch: Awaited<ReturnType<LivePanes['watch']>>, socketPath: string) => Promise<Result>,
): Promise<Result> {
  const server = openPrivateServer(tmux);
  try {
    const watch = await new LivePanes(server, tmux, never, commands).watch(worker);
    try {
      return await body(watch, server.socketPath);
    } finally {
      watch.echo.stop();
      await watch.session.close();
    }
  } finally {
    await server.close();
  }
}

const typicalPanes = { flood: typicalLog, build: typicalLog, screen: typicalLog };

const addedP99Ms = (worker: boolean): Promise<number> =>
  withPanes({}, worker, async ({ session }) => {
    await sleep(5000);
    return session.stats().stations.total.p99 / 1e6;
  });

/** The same flood, read by a thread with nothing of ours. */
const bareAddedP99Ms = (how: 'ring' | 'message'): Promise<number> =>
  withPanes({}, false, async (watch, socketPath) => {
    watch.echo.stop();
    await watch.session.close();
    return bareLiveP99Ms(how, tmux, socketPath, 5);
  });

const cpuShare = (): Promise<number> =>
  withPanes(typicalPanes, false, async () => {
    await sleep(1000);
    const started = performance.now();
    const before = process.cpuUsage();
    await sleep(10_000);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 10 / (performance.now() - started);
  });

/** The built package's probe. From source, both sides also hold what strips their types, a fourth of the whole. */
const builtProbe = new URL('../../packages/bridge/dist/memory-probe.js', import.meta.url);
const notBuilt = (): string | undefined =>
  existsSync(builtProbe) ? undefined : 'not built: npm run build';

const memoryOver = (): Promise<number> =>
  withPanes(typicalPanes, false, async (watch, socketPath) => {
    watch.echo.stop();
    await watch.session.close();
    // At the same time: both draw the same bytes.
    const [plain, bridge] = await Promise.all([
      probeMemory('plain', tmux, socketPath, 30, never, builtProbe),
      probeMemory('bridge', tmux, socketPath, 30, never, builtProbe),
    ]);
    return (bridge.rss / plain.rss - 1) * 100;
  });

const modes = [
  { worker: false, mode: 'inline' },
  { worker: true, mode: 'worker' },
];

export const floorRows: readonly Row[] = [
  ...modes.map(
    ({ worker, mode }): Row => ({
      kind: 'absolute',
      name: `replayed recording, all stages, ${mode}`,
      unit: 'records/s',
      better: 'higher',
      bar: 500_000,
      stretch: 2_000_000,
      ours: () => replayRecordsPerSecond(worker),
      peers: { 'readline + regex': naiveRecordsPerSecond },
      ...(worker
        ? { beside: { 'the same by messages': () => replayRecordsPerSecond('message') } }
        : {}),
    }),
  ),
  ...modes.map(({ worker, mode }): Row => {
    const { worst, first } = pacedContenders(worker);
    return {
      kind: 'absolute',
      name: `recording paced at 200,000 records/s, worst P99 of a station, ${mode}`,
      unit: 'ms',
      better: 'lower',
      bar: 0.5,
      rounds: 3,
      ours: worst,
      peers: {
        'its first second, cold': first,
        ...(worker
          ? { 'a bare ring between two threads': () => bareRingP99Ms(perSecond, pacedSeconds) }
          : { 'a bare loop at that pace': () => bareLoopP99Ms(perSecond, pacedSeconds) }),
      },
      ...(worker
        ? {
            note: "where 'a bare ring between two threads' (stamps, nothing else) is above the bar, the bar can't hold on that machine in that run",
          }
        : {}),
    };
  }),
  ...modes.map(
    ({ worker, mode }): Row => ({
      kind: 'absolute',
      name: `latency added, live flood in 4 panes, P99, ${mode}`,
      unit: 'ms',
      better: 'lower',
      bar: 0.3,
      stretch: 0.1,
      rounds: 3,
      unavailable: noTmux,
      ours: () => addedP99Ms(worker),
      ...(worker
        ? {
            beside: {
              'a bare reader, by the ring': () => bareAddedP99Ms('ring'),
              'a bare reader, by postMessage': () => bareAddedP99Ms('message'),
            },
            note: "where 'a bare reader' (a thread that hands on what it reads, nothing else) is above the bar, the bar can't hold: it is the time in which a thread that was woken waits for a core",
          }
        : {}),
    }),
  ),
  {
    kind: 'absolute',
    name: 'CPU, typing + 200 KB/s of logs in 4 panes, inline',
    unit: '% of a core',
    better: 'lower',
    bar: 6,
    stretch: 2,
    rounds: 3,
    unavailable: noTmux,
    ours: cpuShare,
  },
  {
    kind: 'absolute',
    name: 'memory (RSS) over the same program without the bridge, inline, both built',
    unit: '%',
    better: 'lower',
    bar: 3,
    rounds: 5,
    unavailable: () => noTmux() ?? notBuilt(),
    ours: memoryOver,
  },
];
