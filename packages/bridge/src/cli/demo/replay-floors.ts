/**
 * Throughput and latency on the shipped recording: all stages composed, null sinks.
 *
 * Throughput is replayed as fast as it is taken. Latency is open-loop: each record has its time at 200,000 a second,
 * and counts from there, also when its delivery was late. Every pane's bytes are counted against the recording.
 */
import { connect } from '../../connect.ts';
import { type StationStats, stationNames } from '../../measure/stations.ts';
import { type NullSink, nullSink } from '../../sinks/null.ts';
import { formatCount, formatDuration } from '../format.ts';
import type { Floor } from './floors.ts';

const floorRecordsPerSecond = 200_000;
const floorStationNs = 500_000;

interface Replay {
  readonly records: number;
  readonly seconds: number;
  readonly bytesByPane: ReadonlyMap<number, number>;
  readonly stations: Readonly<Record<(typeof stationNames)[number], StationStats>>;
}

async function replay(
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
  const end = await session.closed;
  if (end.error !== undefined) throw end.error;
  signal.throwIfAborted();
  const { records, stations } = session.stats();
  return {
    records,
    seconds: (performance.now() - started) / 1000,
    bytesByPane: new Map([...sinks].map(([pane, sink]) => [pane, sink.bytes])),
    stations,
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

const worstP99 = (stations: Replay['stations']): { name: string; p99: number } =>
  stationNames
    .filter((name) => name !== 'total')
    .map((name) => ({ name, p99: stations[name].p99 }))
    .reduce((worst, station) => (station.p99 > worst.p99 ? station : worst));

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
  const pacedLoops = loopsFor(once.records, floorRecordsPerSecond, replaySeconds * scale);
  const paced = await replay(file, worker, pacedLoops, floorRecordsPerSecond, signal);
  const perSecond = fast.records / fast.seconds;
  const { name, p99 } = worstP99(paced.stations);
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
      measured: `${formatDuration(p99)} (${name})`,
      holds: p99 < floorStationNs,
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
