/** What a session tells: its events and its figures. */
import type { Notification } from '@millrace/tmux-proto';
import type { Reconnected } from './control/link.ts';
import type { SessionEnd } from './end.ts';
import type { BridgeError } from './errors.ts';
import type { StationName, StationStats } from './measure/stations.ts';
import type { ModelChange } from './model/entities.ts';
import type { Pane } from './pane.ts';
import type { ResyncReport } from './resync/resync.ts';

/** What a session tells, by `session.on(name, listener)`. */
export interface SessionEvents {
  /** A pane was seen for the first time. */
  pane: [pane: Pane];
  /** A pane is gone; its pipes are closing. */
  'pane-closed': [pane: Pane];
  /** Something of the server changed: a name, a layout, a title, a client; see `session.model`. */
  change: [change: ModelChange];
  /** The client is attached to another session now; its panes are about to come and go. */
  attached: [session: number];
  /**
   * Other clients came or went. While an ordinary one is attached, anywhere on the server, tmux drops what a slow session
   * lags behind instead of holding programs up; `pause-after` is `mixedPauseAfterSeconds` then. Another one of control
   * mode (a second session counts) does the same as long as it keeps up, and `pause-after` stays.
   */
  mixed: [ordinaryClients: number, otherControlClients: number];
  /** The focused pane is another one, or none. */
  focus: [pane: Pane | undefined];
  /** The value of a watched option changed. */
  option: [name: string, value: string, before: string | undefined];
  /** tmux said something: every notification, also those that the events above tell in other words. */
  notification: [notification: Notification];
  /**
   * tmux dropped output of a pane because this client was too far behind: its sinks miss bytes, and get a snapshot
   * of the screen instead (tmux 3.2 and later).
   */
  gap: [pane: Pane];
  /**
   * tmux is falling behind with a pane because this client reads too slowly: output is `ageMs` old when it comes, more
   * than half of what makes tmux pause the pane and drop it (a `gap`). Once, until it has caught up to a quarter.
   * A session that is held up sees nothing until it reads again.
   */
  lag: [pane: Pane, ageMs: number, pauseAfterMs: number];
  /** A snapshot of the pane's screen was handed to one of its pipes, and what of it isn't exact. */
  resync: [pane: Pane, report: ResyncReport];
  /** A pipe ended because its sink failed. */
  'sink-failed': [pane: number, error: BridgeError];
  /** The recording broke off: disk full, for example. The session goes on. */
  'recording-failed': [error: BridgeError];
  /** The connection broke; another is being tried. Commands reject with `ERR_TMUX_DISCONNECTED` meanwhile. */
  disconnected: [error: BridgeError];
  /** There is another connection: each pane has a `gap`, and its pipes get a snapshot (tmux 3.2 and later). */
  reconnected: [how: Reconnected];
  /** The session has ended; the same as `closed`. */
  closed: [end: SessionEnd];
}

/** Figures of a session. */
export interface SessionStats {
  /** Bytes read from tmux. */
  readonly bytes: number;
  /** Records of output in them. */
  readonly records: number;
  /** Lines that were no protocol. */
  readonly strayLines: number;
  /** Connections after the first. */
  readonly reconnects: number;
  /** Clients of the server that don't speak control mode; see the event `mixed`. */
  readonly ordinaryClients: number;
  /** Clients of the server that speak control mode, this one not counted; see the event `mixed`. */
  readonly otherControlClients: number;
  /** Times that output of a pane was lost: tmux dropped it, or there was no connection. */
  readonly gaps: number;
  /** Latency of each station. */
  readonly stations: Readonly<Record<StationName, StationStats>>;
}
