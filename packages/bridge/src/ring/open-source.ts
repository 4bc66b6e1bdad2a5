/** Chooses the source: inline or in a worker, over the transport that the plan describes. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder, Stations } from '../measure/stations.ts';
import type { Settings } from '../options.ts';
import { DuplexTransport, type StreamPair } from '../receive/duplex.ts';
import { RecordingTransport } from '../receive/recorder.ts';
import { parseRecording } from '../receive/recording-format.ts';
import { type ReplayOptions, ReplayTransport } from '../receive/replay.ts';
import { TmuxClient, type TmuxClientOptions } from '../receive/tmux-client.ts';
import type { Transport } from '../receive/transport.ts';
import type { WatchdogOptions } from '../receive/watchdog.ts';
import { InlineSource } from './inline-source.ts';
import type { Source } from './source.ts';
import { WorkerSource, workerOwner } from './worker-source.ts';

/** What a worker can be told to open. */
export type PortablePlan =
  | { readonly kind: 'tmux'; readonly client: TmuxClientOptions }
  | { readonly kind: 'recording'; readonly file: Uint8Array; readonly replay: ReplayOptions };

/** What to open. */
export type SourcePlan =
  | PortablePlan
  | { readonly kind: 'stream'; readonly stream: Duplex | StreamPair };

/** Where to record what is received, if anywhere. */
export interface RecordPlan {
  readonly path: string;
  readonly tmux: string;
  /** Whether an earlier connection has begun the file. */
  readonly append: boolean;
}

/** Opens the transport of a plan, in whichever thread. */
export function transportOf(
  plan: SourcePlan,
  clock: Clock,
  record: RecordPlan | undefined,
  watchdog: WatchdogOptions | undefined,
): Transport {
  if (plan.kind === 'recording') {
    return new ReplayTransport(parseRecording(plan.file), plan.replay, clock);
  }
  const transport =
    plan.kind === 'tmux' ? new TmuxClient(plan.client, watchdog) : new DuplexTransport(plan.stream);
  if (record === undefined) return transport;
  const header = { tmux: record.tmux, date: new Date().toISOString() };
  return new RecordingTransport(transport, record.path, record.append ? undefined : header);
}

/** Makes the source that the settings ask for. */
export function openSource(
  plan: SourcePlan,
  settings: Settings,
  clock: Clock,
  stations: Stations,
  recorder: StationRecorder,
  version: string,
  again: boolean,
): Source {
  const { options, replyBytesMax, ringBytes, watchdogMs } = settings;
  const record: RecordPlan | undefined =
    options.recordTo === undefined
      ? undefined
      : { path: options.recordTo, tmux: version, append: again };
  if (again) stations.releaseOwner(workerOwner); // the worker of the connection before
  if (options.worker === true && plan.kind !== 'stream') {
    return new WorkerSource(
      { plan, record, ringBytes, reader: { replyBytesMax }, watchdogMs },
      clock,
      stations,
      recorder,
    );
  }
  const watchdog = watchdogMs === 0 ? undefined : { limitMs: watchdogMs, own: true };
  return new InlineSource(transportOf(plan, clock, record, watchdog), clock, recorder, {
    replyBytesMax,
  });
}
