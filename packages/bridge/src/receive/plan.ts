/** What to receive from, and the transport that does it, in whichever thread. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../measure/clock.ts';
import { DuplexTransport, type StreamPair } from './duplex.ts';
import { parseRecording } from './recording-format.ts';
import type { ReplayOptions } from './replay.ts';
import { TmuxClient, type TmuxClientOptions } from './tmux-client.ts';
import type { Transport } from './transport.ts';

/** What a worker can be told to open. */
export type PortablePlan =
  | { readonly kind: 'tmux'; readonly client: TmuxClientOptions }
  | { readonly kind: 'recording'; readonly file: Uint8Array; readonly replay: ReplayOptions };

/** What to open. */
export type SourcePlan =
  | PortablePlan
  | { readonly kind: 'stream'; readonly stream: Duplex | StreamPair };

/**
 * Opens the transport of a plan, in whichever thread.
 *
 * @param mayBlock - whether the thread does nothing else
 */
export async function transportOf(
  plan: SourcePlan,
  clock: Clock,
  record: string | undefined,
  watchdogMs: number,
  mayBlock: boolean,
): Promise<Transport> {
  if (plan.kind === 'recording') {
    const { ReplayTransport } = await import('./replay.ts');
    return new ReplayTransport(parseRecording(plan.file), plan.replay, clock, mayBlock);
  }
  const transport =
    plan.kind === 'tmux'
      ? new TmuxClient(plan.client, watchdogMs)
      : new DuplexTransport(plan.stream);
  if (record === undefined) return transport;
  const { RecordingTransport } = await import('./recorder.ts');
  return new RecordingTransport(transport, record);
}
