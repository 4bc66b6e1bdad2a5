/**
 * Keeps any number of terminal viewers current on a live tmux. Exports in the order in which a byte travels.
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts';
export type { CommandReply } from './control/commands.ts';
export { Pipe, type PipeOptions, type PipeStats } from './deliver/pipe.ts';
export type { SessionEnd } from './end.ts';
export { BridgeError, type BridgeErrorCode } from './errors.ts';
export type { Clock } from './measure/clock.ts';
export type { StationName, StationStats } from './measure/stations.ts';
export type { ConnectOptions, CreateOptions, RecordingOptions } from './options.ts';
export { Pane, type PaneInfo } from './pane.ts';
export {
  parseRecording,
  type Recording,
  type RecordingFrame,
  type RecordingHeader,
} from './receive/recording-format.ts';
export type { MaximumPace, OpenLoopPace, RecordedPace, ReplayPace } from './receive/replay.ts';
export type { ResyncReport } from './resync/resync.ts';
export type { InexactReason } from './resync/tracker.ts';
export { Session, type SessionEvents, type SessionStats } from './session.ts';
export { type MemorySink, memorySink } from './sinks/memory.ts';
export { type NullSink, nullSink } from './sinks/null.ts';
export type { Sink } from './sinks/sink.ts';
export { streamSink } from './sinks/stream.ts';
