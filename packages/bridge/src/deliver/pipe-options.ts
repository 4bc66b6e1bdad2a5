/** How a pipe is set up, what it reports, and what it needs of its session. */
import { checkArgument, checkInteger, checkObject } from '../errors.ts';
import type { ByteBudget } from '../flow/budget.ts';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder } from '../measure/stations.ts';
import type { PieceSink } from './outbox.ts';
import type { Pipe } from './pipe.ts';

/**
 * What happens to a sink that lags. `lossless`: it holds its session up, and with it tmux. `latest`: what it hasn't got
 * is skipped, and the screen restored exactly. `auto`: as `lossless` until it is `behindMs` behind, then as `latest`
 * until it has kept up for a second.
 */
export type PipePolicy = 'lossless' | 'latest' | 'auto';

/** How a pipe is set up. */
export interface PipeOptions {
  /**
   * What happens to a sink that lags by `bytesHigh`. `latest` and `auto` begin with a snapshot of the screen. They act as
   * `lossless` on a recording and before tmux 3.2. @defaultValue 'lossless'
   */
  readonly policy?: PipePolicy;
  /** Rows above the screen that a snapshot restores on attach and after a gap (0 to 100000). @defaultValue 0 */
  readonly historyLines?: number;
  /** Joined bytes from which the sink counts as lagging (bytes). @defaultValue 262144 */
  readonly bytesHigh?: number;
  /** Joined bytes at which it has caught up (bytes). @defaultValue a quarter of `bytesHigh` */
  readonly bytesLow?: number;
  /**
   * For `auto`: age of the oldest byte that the sink hasn't accepted from which it skips (ms, 1 to 3600000).
   * @defaultValue 100
   */
  readonly behindMs?: number;
  /**
   * How long a lagging sink may hold its session up while the pane is in a state that a snapshot couldn't restore
   * exactly (ms, 0 to 3600000). Then it skips all the same; a snapshot that isn't exact says so, and is followed by one
   * that is. @defaultValue 250
   */
  readonly inexactAfterMs?: number;
  /**
   * How long a sink may hold its session up without accepting a byte (ms, 0 for ever, to 2^31 - 1): then its pipe ends
   * with `ERR_SINK_STALLED`, and the others go on. Where the policy skips, more than `behindMs` and `inexactAfterMs`
   * together, or the pipe may end before it has skipped. @defaultValue 60000
   */
  readonly stalledMs?: number;
  /**
   * Limits shared with other pipes.
   * @internal
   */
  readonly shared?: SharedLimits;
}

/** Limits that a viewer gives to its pipes. */
export interface SharedLimits {
  readonly budget: ByteBudget;
  /** Changes with the viewer's rate. */
  readonly limit: PipeLimit;
  /** Most that `limit.bytesHigh` will ever be. */
  readonly bytesMax: number;
  /** The pipe's sink. */
  readonly lane: PieceSink;
}

/** Where a pipe's pressure begins and ends (bytes). */
export interface PipeLimit {
  bytesHigh: number;
  bytesLow: number;
  /** Returns how much of what waits when its sink lags too far is delivered before the rest is skipped; else none is. */
  bytesKept?(): number;
}

/** What a pipe has carried. */
export interface PipeStats {
  /** Bytes written to the sink. */
  readonly bytes: number;
  /** Records of tmux that they came in. */
  readonly records: number;
  /** Writes that they left in. */
  readonly writes: number;
  /** Bytes that wait or are being written. */
  readonly pendingBytes: number;
  /** Whether it delivers nothing now because a snapshot is on its way, or because nobody looks. */
  readonly skipping: boolean;
  /** Whether nobody looks. */
  readonly hidden: boolean;
  /** Whether it skips when its sink lags: always with `latest`, with `auto` while it is behind. */
  readonly lossy: boolean;
  /** Times that the sink lagged too far and its queue was dropped. */
  readonly skips: number;
  /** Snapshots that replaced what was missing. */
  readonly resyncs: number;
  /** Bytes that the snapshots replaced. */
  readonly bytesSkipped: number;
}

/** What a pipe needs of its session. */
export interface PipeHost {
  readonly clock: Clock;
  readonly stations: StationRecorder;
  /** What all pipes of the session may hold together. */
  readonly budget?: ByteBudget;
  /** Learns that the pipe is, or is no longer, under pressure. */
  pressure(pipe: Pipe, pressed: boolean): void;
  /** Whether a snapshot of the pipe's pane would be exact now; `never` if there can be none. */
  snapshot?(pipe: Pipe): 'exact' | 'inexact' | 'never';
  /** Learns that a pipe's sink is ready for a snapshot: its first, or one in place of what was skipped. */
  resync?(pipe: Pipe, isFirst: boolean): void;
  /** Learns that the pipe has ended. */
  ended(pipe: Pipe): void;
}

/** A pipe's options with the defaults filled in. */
export interface PipeSettings {
  readonly policy: PipePolicy;
  readonly historyLines: number;
  readonly limit: PipeLimit;
  readonly bytesMax: number;
  /** Its sink, if that is a viewer's lane. */
  readonly lane: PieceSink | undefined;
  readonly behindMs: number;
  readonly inexactAfterMs: number;
  readonly stalledMs: number;
}

/** Checks the options and fills in the defaults. */
export function pipeSettings(options: PipeOptions): PipeSettings {
  checkObject('options', options);
  const { bytesHigh = 1 << 18 } = options;
  checkArgument(
    typeof bytesHigh === 'number' && bytesHigh >= 1,
    'bytesHigh',
    '1 or more',
    bytesHigh,
  );
  const { bytesLow = bytesHigh >> 2 } = options;
  const { policy = 'lossless', historyLines = 0, behindMs = 100, inexactAfterMs = 250 } = options;
  const { stalledMs = 60_000 } = options;
  const isLow = typeof bytesLow === 'number' && bytesLow >= 0 && bytesLow <= bytesHigh;
  checkArgument(isLow, 'bytesLow', `from 0 to bytesHigh=${bytesHigh}`, bytesLow);
  const isPolicy = policy === 'lossless' || policy === 'latest' || policy === 'auto';
  checkArgument(isPolicy, 'policy', "'lossless', 'latest' or 'auto'", policy);
  checkInteger('historyLines', historyLines, 0, 100_000);
  checkInteger('behindMs', behindMs, 1, 3_600_000);
  checkInteger('inexactAfterMs', inexactAfterMs, 0, 3_600_000);
  checkInteger('stalledMs', stalledMs, 0, 2 ** 31 - 1);
  const { shared } = options;
  return {
    policy,
    historyLines,
    limit: shared?.limit ?? { bytesHigh, bytesLow },
    bytesMax: (shared?.bytesMax ?? bytesHigh) * 2,
    lane: shared?.lane,
    behindMs,
    inexactAfterMs,
    stalledMs,
  };
}
