/**
 * Where control-mode bytes come from and where commands go: one interface for a spawned tmux, a stream of the
 * caller's, and a recording.
 *
 * A transport calls its receiver from the event loop of the thread that opened it, never from within `open`,
 * `pause`, `resume` or `write`. After `ended` it calls nothing more.
 */

import type { BridgeError } from '../errors.ts';

/** What a transport calls. */
export interface Receiver {
  /**
   * Takes bytes as they arrived; they are valid until the call returns. An open-loop replay says when they
   * were due, in nanoseconds of the session's clock: latency counts from there.
   */
  received(chunk: Uint8Array, dueAt?: number): void;
  /** Learns that what was received since the last time is all that came at once: follows one `received` or several. */
  readEnd(): void;
  /** Learns the process id of the tmux client, once it runs, if the transport starts one. */
  started?(pid: number): void;
  /** Learns that what it receives is recorded no longer. */
  recordingFailed?(error: BridgeError): void;
  /** Learns that nothing more will come, and why if that wasn't asked for. */
  ended(exit: TransportExit): void;
}

/** How a connection ended. */
export interface TransportExit {
  /** The exit status of the tmux client, if there is one. */
  readonly status?: number | null;
  /** The signal that ended it. */
  readonly signal?: string | null;
  /** What it said on its standard error, at most 4 KiB. */
  readonly message?: string;
  /** What broke the connection, where something threw. */
  readonly cause?: unknown;
  /** How long the session's thread was stuck when the watchdog ended the client (ms), 0 if it didn't. */
  readonly stuckMs?: number;
}

/** A source of control-mode bytes that also takes commands. */
export interface Transport {
  /** Process id of the tmux client while it runs, if the transport has started one. */
  readonly pid?: number | undefined;
  /** Starts delivering to `receiver`. Called once. */
  open(receiver: Receiver): void;
  /** Sends bytes to tmux; false says that they are held in memory for now. */
  write(bytes: Uint8Array | string): boolean;
  /** Stops reading, so that tmux feels backpressure; a chunk under way may still arrive. */
  pause(): void;
  /** Reads again after `pause`. */
  resume(): void;
  /**
   * Ends the connection: asks politely, keeps draining, and after `deadlineMs` ends the client by force.
   * Resolves after `ended` was called.
   */
  close(deadlineMs: number): Promise<void>;
  /** Ends the client at once, without asking. Safe to call at process exit. */
  kill(): void;
}
