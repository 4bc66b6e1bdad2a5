/**
 * What a contender is told and what it answers: plain data, because each contender is a process of its own.
 *
 * A contender watches two panes of a private tmux (or, without tmux, two terminals of its own) the way one kind of
 * program would, types keys into one of them and measures how long each takes to be back at its viewer. Being a
 * process of its own, it begins with cold code and an empty heap like any other, its memory and CPU are its own,
 * and ending it costs nobody anything.
 */

/** How a contender reads and delivers. */
export type ContenderKind =
  /** This library, in the viewer's thread. */
  | 'bridge'
  /** This library, receiving and parsing in a worker. */
  | 'bridge-worker'
  /** This library's WebSocket sink, and its viewer's side. */
  | 'bridge-socket'
  /** `readline` and a regular expression over `tmux -C`; everything read is sent on. */
  | 'naive'
  /** The same, but it stops reading while its viewer is 64 KiB behind. */
  | 'backpressure'
  /** A pseudo-terminal per pane, no tmux, paused at 100,000 characters that weren't acknowledged (VS Code's way). */
  | 'ack-window'
  /** `tmux capture-pane` every 100 ms (libtmux's way). */
  | 'poll'
  /** No tmux at all: sees every key when its thread looks, which nobody can beat. For keys from another thread. */
  | 'bare'
  /** A thread that looks for the key's bytes in what `tmux -C` says and posts them: no parser, no panes, no pipes. */
  | 'bare-reader'
  /** The same in one thread, with the keys sent over a WebSocket, and typed from its other end. */
  | 'bare-socket'
  /** `ttyd` with `tmux attach` in it, and a WebSocket client. */
  | 'ttyd';

/** What a contender is told. */
export interface ContenderPlan {
  readonly kind: ContenderKind;
  readonly tmux: string;
  /** The private server. */
  readonly socketPath: string;
  /** Number of the pane that floods, or is quiet. */
  readonly floodPane: number;
  /** Number of the pane that echoes. */
  readonly echoPane: number;
  /** Its terminal's device. */
  readonly echoTerminal: string;
  /** Rate of the link to the viewer, shared by all its panes (bytes/s); accepted at once, if absent. */
  readonly linkBytesPerSecond?: number;
  /** Keys that are measured; 10 more come first and aren't. */
  readonly keys: number;
  /** Keys that come before these, each when the last is back, so that the code has been compiled. @defaultValue none */
  readonly warmKeys?: number;
  /**
   * Spins 30 of every 50 ms on the main thread. Keys come from another thread then, straight from the echoing pane's
   * terminal: the busy thread would type them when it is free, and have most of them back before it is busy again.
   */
  readonly busy?: boolean;
  /** A second viewer of the same panes, which accepts nothing from the start on. */
  readonly stalledViewer?: boolean;
  /** Module of node-pty for `ack-window`; `script` of util-linux, if absent. */
  readonly ptyModule?: string;
  /** Ends when a key hasn't come back for this long (ms). */
  readonly silenceMsMax: number;
  /** Ends after this time, whatever is still on its way (s). @defaultValue when the last key is back */
  readonly secondsMax?: number;
  /** Ends beyond this much memory (bytes). */
  readonly rssBytesMax: number;
}

/** Why a contender stopped. */
export type ContenderEnd = 'done' | 'time' | 'no echo' | 'memory';

/** What is known of a contender while it runs. */
export interface ContenderProgress {
  readonly type: 'progress';
  readonly seconds: number;
  readonly keysSent: number;
  readonly keysSeen: number;
  /** The last echo's latency (ns); 0 before the first. */
  readonly lastNs: number;
  /** For how long the oldest key has been on its way (ns); 0 if none is. */
  readonly oldestNs: number;
  readonly rssBytes: number;
  /** Bytes read for the viewer that it hasn't got. */
  readonly queuedBytes: number;
}

/** What a contender measured. */
export interface ContenderReport {
  readonly type: 'report';
  readonly end: ContenderEnd;
  /** Key to echo (ns), HdrHistogram V2, base64. A key that didn't come back counts with its age at the end. */
  readonly echo: string;
  readonly keysSent: number;
  readonly keysSeen: number;
  readonly seconds: number;
  /** User and system time of the process, per second. */
  readonly cpuShare: number;
  readonly rssGrowthBytes: number;
  readonly queuedBytesMax: number;
  /** Bytes of the flooding pane that reached the viewer. */
  readonly floodBytes: number;
  /** Snapshots of a screen that it took in place of what was skipped. */
  readonly snapshots: number;
}

/** A line of a contender's standard output. */
export type ContenderMessage =
  | ContenderProgress
  | ContenderReport
  | { readonly type: 'failed'; readonly message: string };
