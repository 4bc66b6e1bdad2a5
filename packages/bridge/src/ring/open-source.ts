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

/** Opens the transport of a plan, in whichever thread. */
export function transportOf(
  plan: SourcePlan,
  clock: Clock,
  record: string | undefined,
  watchdogMs: number,
): Transport {
  if (plan.kind === 'recording') {
    return new ReplayTransport(parseRecording(plan.file), plan.replay, clock);
  }
  const transport =
    plan.kind === 'tmux'
      ? new TmuxClient(plan.client, watchdogMs)
      : new DuplexTransport(plan.stream);
  if (record === undefined) return transport;
  return new RecordingTransport(transport, record);
}

/** Makes the source that the settings ask for. */
export function openSource(
  plan: SourcePlan,
  settings: Settings,
  clock: Clock,
  stations: Stations,
  recorder: StationRecorder,
  again: boolean,
): Source {
  const { options, replyBytesMax, ringBytes, watchdogMs } = settings;
  const record = options.recordTo;
  if (again) stations.releaseOwner(workerOwner); // the worker of the connection before
  if (options.worker && plan.kind !== 'stream') {
    const transport = options.worker === 'message' ? 'message' : 'auto';
    return new WorkerSource(
      { plan, record, ringBytes, transport, reader: { replyBytesMax }, watchdogMs },
      clock,
      stations,
      recorder,
    );
  }
  return new InlineSource(transportOf(plan, clock, record, watchdogMs), clock, recorder, {
    replyBytesMax,
  });
}
