/**
 * Chooses the source: inline or in a worker, over the transport that the plan describes. What only some sessions need
 * (the worker and its ring, recordings) is loaded when it is asked for: an inline session keeps none of it in memory.
 */
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder, Stations } from '../measure/stations.ts';
import type { Settings } from '../options.ts';
import { type SourcePlan, transportOf } from '../receive/plan.ts';
import { InlineSource } from './inline-source.ts';
import type { Source } from './source.ts';
import { workerOwner } from './worker-messages.ts';

/** Makes the source that the settings ask for. */
export async function openSource(
  plan: SourcePlan,
  settings: Settings,
  clock: Clock,
  stations: Stations,
  recorder: StationRecorder,
  again: boolean,
): Promise<Source> {
  const { options, replyBytesMax, ringBytes, watchdogMs } = settings;
  const record = options.recordTo;
  const reader = { replyBytesMax, replies: plan.kind !== 'recording' };
  if (again) stations.releaseOwner(workerOwner); // the worker of the connection before
  if (options.worker && plan.kind !== 'stream') {
    const transport = options.worker === 'message' ? 'message' : 'auto';
    const { WorkerSource } = await import('./worker-source.ts');
    return new WorkerSource(
      { plan, record, ringBytes, transport, reader, watchdogMs },
      clock,
      stations,
      recorder,
    );
  }
  const transport = await transportOf(plan, clock, record, watchdogMs, false);
  return new InlineSource(transport, clock, recorder, reader);
}
