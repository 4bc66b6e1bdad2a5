/**
 * Keeps any number of terminal viewers current on a live tmux. Exports in the order in which a byte travels.
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts';
export type { CommandReply } from './control/commands.ts';
export type { Reconnected } from './control/link.ts';
export type { MouseInput } from './control/mouse.ts';
export type { Size } from './control/size.ts';
export type { SubscriptionListener } from './control/subscriptions.ts';
export { Pipe } from './deliver/pipe.ts';
export type { PipeOptions, PipePolicy, PipeStats } from './deliver/pipe-options.ts';
export type { SessionEnd } from './end.ts';
export { BridgeError, type BridgeErrorCode } from './errors.ts';
export { createViewer, type Viewer, type ViewerOptions, type ViewerStats } from './flow/viewer.ts';
export type { Clock } from './measure/clock.ts';
export type { StationName, StationStats } from './measure/stations.ts';
export type {
  Change,
  ClientInfo,
  ModelChange,
  PaneInfo,
  SessionInfo,
  WindowInfo,
  WindowLink,
} from './model/entities.ts';
export { Model } from './model/model.ts';
export { SessionOptions } from './model/options.ts';
export type {
  ConnectOptions,
  ControlStream,
  CreateOptions,
  ReconnectOptions,
  RecordingOptions,
} from './options.ts';
export { Pane } from './pane.ts';
export type { StreamPair } from './receive/duplex.ts';
export {
  parseRecording,
  type Recording,
  type RecordingFrame,
  type RecordingHeader,
} from './receive/recording-format.ts';
export type { MaximumPace, OpenLoopPace, RecordedPace, ReplayPace } from './receive/replay.ts';
export type { InexactReason } from './resync/inexact.ts';
export type { ResyncReport } from './resync/resync.ts';
export type { UntoldReason } from './resync/untold.ts';
export { Session } from './session.ts';
export type { SessionEvents, SessionStats } from './session-events.ts';
export { type MemorySink, memorySink } from './sinks/memory.ts';
export { type NullSink, nullSink } from './sinks/null.ts';
export type { Sink } from './sinks/sink.ts';
export { streamSink } from './sinks/stream.ts';
