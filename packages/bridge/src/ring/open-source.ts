/** Chooses the source: inline or in a worker, over the transport that the plan describes. */
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder, Stations } from '../measure/stations.ts';
import type { Settings } from '../options.ts';
import { type SourcePlan, transportOf } from '../receive/plan.ts';
import { InlineSource } from './inline-source.ts';
import type { Source } from './source.ts';
import { workerOwner } from './worker-messages.ts';
import { WorkerSource } from './worker-source.ts';

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
