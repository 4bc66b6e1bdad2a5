/** What session and worker say to each other beside the ring. */
import type { MessageHandle, RingHandle } from '@millrace/ringbuffer';
import type { StationBuffers } from '../measure/stations.ts';
import type { ReaderOptions } from '../parse/reader.ts';
import type { PortablePlan } from '../receive/plan.ts';

/** The owner tag of the worker's shards in the shared histograms. */
export const workerOwner = 2;

/** What the worker is started with. */
export interface WorkerSetup {
  readonly plan: PortablePlan;
  readonly record: string | undefined;
  readonly reader: ReaderOptions;
  /** The producing end of the ring: shared memory, or a port that is moved to the worker. */
  readonly ring: RingHandle | MessageHandle;
  /** Where to record; undefined over messages: the session's thread records for both. */
  readonly stations: StationBuffers | undefined;
  readonly epoch: bigint;
}

/** From the session to the worker. */
export type ToWorker =
  | { readonly type: 'write'; readonly bytes: Uint8Array | string }
  | { readonly type: 'close'; readonly deadlineMs: number }
  | { readonly type: 'kill' };

/** From the worker to the session. */
export interface FromWorker {
  readonly type: 'pid';
  /** Process id of the tmux client. */
  readonly pid: number;
}
