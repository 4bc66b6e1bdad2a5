/**
 * Throughput and latency on the shipped recording: all stages composed, null sinks.
 *
 * Throughput is replayed as fast as it is taken. Latency is open-loop: each record has its time at 200,000 a second,
 * and counts from there, also when its delivery was late. The first second of such a replay is told apart: code that
 * has never run is slower than 200,000 records/s until it is compiled, and what that has piled up has its age. Every
 * pane's bytes are counted against the recording.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../connect.ts';
import { type StationName, type StationStats, stationNames } from '../../measure/stations.ts';
import { type NullSink, nullSink } from '../../sinks/null.ts';
import { formatCount, formatDuration } from '../format.ts';
import type { Floor } from './floors.ts';

const floorRecordsPerSecond = 200_000;
const floorStationNs = 500_000;

/** A station, and its P99 (ns). */
export interface WorstStation {
  readonly name: StationName;
  readonly p99: number;
}

interface Replay {
  readonly records: number;
  readonly seconds: number;
  readonly bytesByPane: ReadonlyMap<number, number>;
  /** The slowest station in the replay's first second, and after it. */
  readonly first: WorstStation;
  readonly worst: WorstStation;
}

const firstMs = 1000;

const worstOf = (stations: readonly (readonly [StationName, StationStats])[]): WorstStation =>
  stations
    .map(([name, { p99 }]) => ({ name, p99 }))
    .reduce((worst, station) => (station.p99 > worst.p99 ? station : worst));

/**
 * Replays a recording into null sinks.
 *
 * @param perSecond - records a second; as fast as they are taken, if undefined
 */
export async function replay(
  file: Uint8Array,
  worker: boolean,
  loops: number,
  perSecond: number | undefined,
  signal: AbortSignal,
): Promise<Replay> {
  const sinks = new Map<number, NullSink>();
  const started = performance.now();
  const session = await connect({
    recording: {
      source: file,
      loops,
      pace: perSecond === undefined ? { kind: 'max' } : { kind: 'records', perSecond },
    },
    worker,
    signal,
    sink: (pane) => {
      const sink = nullSink();
      sinks.set(pane, sink);
      return sink;
    },
  });
  // `total` is none of them: it is their sum.
  const intervals = stationNames
    .filter((name) => name !== 'total')
    .map((name) => [name, session.interval(name)] as const);
  const look = (): WorstStation => worstOf(intervals.map(([name, next]) => [name, next()]));
  await Promise.race([session.closed, sleep(firstMs, undefined, { ref: false })]);
  const first = look();
  const end = await session.closed;
  if (end.error !== undefined) throw end.error;
  signal.throwIfAborted();
  const { records } = session.stats();
  return {
    records,
    seconds: (performance.now() - started) / 1000,
    bytesByPane: new Map([...sinks].map(([pane, sink]) => [pane, sink.bytes])),
    first,
    worst: look(),
  };
}

const replaySeconds = 2;

/** Loops so that a replay at this rate takes so many seconds. */
const loopsFor = (records: number, perSecond: number, seconds: number): number =>
  Math.max(1, Math.round((seconds * perSecond) / Math.max(1, records)));

function lostBytes(once: Replay, again: Replay, loops: number): number {
  let lost = 0;
  for (const [pane, bytes] of once.bytesByPane) {
    lost += Math.abs(bytes * loops - (again.bytesByPane.get(pane) ?? 0));
  }
  return lost;
}

/** Measures one mode; the first replay warms up and counts the recording's own bytes. */
async function measureMode(
  file: Uint8Array,
  worker: boolean,
  scale: number,
  signal: AbortSignal,
): Promise<Floor[]> {
  const mode = worker ? 'worker' : 'inline';
  const once = await replay(file, worker, 1, undefined, signal);
  const fastLoops = loopsFor(once.records, 1_000_000, replaySeconds * scale);
  const fast = await replay(file, worker, fastLoops, undefined, signal);
  const pacedSeconds = firstMs / 1000 + replaySeconds * scale;
  const pacedLoops = loopsFor(once.records, floorRecordsPerSecond, pacedSeconds);
  const paced = await replay(file, worker, pacedLoops, floorRecordsPerSecond, signal);
  const perSecond = fast.records / fast.seconds;
  const { first, worst } = paced;
  const lost = lostBytes(once, fast, fastLoops) + lostBytes(once, paced, pacedLoops);
  return [
    {
      figure: `recording, ${mode}: throughput`,
      floor: '>= 200,000/s',
      measured: `${formatCount(perSecond)} records/s`,
      holds: perSecond >= floorRecordsPerSecond,
    },
    {
      figure: `recording, ${mode}: worst station's P99 at 200,000/s`,
      floor: '< 0.5 ms',
      measured: `${formatDuration(worst.p99)} (${worst.name}; in the first second ${formatDuration(first.p99)})`,
      holds: worst.p99 < floorStationNs,
    },
    {
      figure: `recording, ${mode}: bytes lost`,
      floor: '0',
      measured: String(lost),
      holds: lost === 0,
    },
  ];
}

/**
 * Measures the recording in both modes.
 *
 * @param scale - factor on the time that it takes
 */
export async function replayFloors(
  file: Uint8Array,
  scale: number,
  signal: AbortSignal,
): Promise<Floor[]> {
  const inline = await measureMode(file, false, scale, signal);
  return [...inline, ...(await measureMode(file, true, scale, signal))];
}
