/**
 * Where a session gets its records from: the receive and parse stations, in this thread or in a worker.
 *
 * Both deliver to the same target in the same order; a session can't tell them apart.
 */
import type { RecordTarget } from '../parse/records.ts';

/** Counts of the receive and parse stations; from a worker, up to what was taken from it. */
export interface SourceCounts {
  /** Bytes read from tmux. */
  readonly bytes: number;
  /** Records of output found in them. A worker cuts those larger than a quarter of its ring. */
  readonly records: number;
}

/** A running receive and parse station. */
export interface Source {
  /** Starts; records and events go to `target`, from this thread's event loop. */
  open(target: RecordTarget): void;
  /** Sends bytes to tmux. */
  write(bytes: Uint8Array | string): void;
  /** Stops delivering; tmux feels it as backpressure. */
  pause(): void;
  /** Delivers again. */
  resume(): void;
  /** Ends the connection as `Transport.close` does; resolves after the `ended` event was delivered. */
  close(deadlineMs: number): Promise<void>;
  /** Ends the connection at once. */
  kill(): void;
  /** Counts so far. */
  readonly counts: SourceCounts;
  /** How old the last record was when tmux sent it (ms), where that is known without asking a worker. */
  readonly ageMs?: number;
  /** How far it has come, in words, for the message of an error. */
  readonly standing: string;
}

/** Says how far a source has come. */
export const standingOf = (pid: number | undefined, bytes: number): string =>
  `${pid === undefined ? 'no client of ours' : `client ${pid}`}, ${bytes} bytes came`;
