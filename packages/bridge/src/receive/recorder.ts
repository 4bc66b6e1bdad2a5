/** Writes a connection to a recording file while it runs: a tap around any transport. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { BridgeError } from '../errors.ts';
import { encodeFrame, encodeRecordingHeader, type RecordingHeader } from './recording-format.ts';
import type { Receiver, Transport, TransportExit } from './transport.ts';

/** The failure to write a recording, as the caller is told. */
export const recordingError = (path: string, cause: unknown): BridgeError =>
  new BridgeError(
    'ERR_RECORDING_WRITE',
    `the recording can't be written: recordTo=${JSON.stringify(path)} (${(cause as Error).message})`,
    cause,
  );

/**
 * Begins a recording: an empty one, that connections append to.
 *
 * @throws {BridgeError} `ERR_RECORDING_WRITE`
 */
export function beginRecording(path: string, header: RecordingHeader): void {
  try {
    const file = openSync(path, 'w', 0o600);
    try {
      writeSync(file, encodeRecordingHeader(header));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw recordingError(path, error);
  }
}

/**
 * Passes everything through and records both directions. Frames are written at once: a recording of a crash
 * holds what led to it. When writing fails, the recording ends there, the receiver is told, and the connection goes on.
 */
export class RecordingTransport implements Transport {
  readonly #inner: Transport;
  readonly #path: string;
  #file: number | undefined;
  #receiver: Receiver | undefined;
  #previous = performance.now();

  constructor(inner: Transport, path: string) {
    this.#inner = inner;
    this.#path = path;
  }

  get pid(): number | undefined {
    return this.#inner.pid;
  }

  #record(toTmux: boolean, bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    const now = performance.now();
    const frame = encodeFrame((now - this.#previous) * 1000, toTmux, bytes);
    this.#previous = now;
    try {
      for (let at = 0; at < frame.length; ) at += writeSync(this.#file, frame, at);
    } catch (error) {
      this.#close();
      this.#receiver?.recordingFailed?.(recordingError(this.#path, error));
    }
  }

  #close(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    try {
      closeSync(file);
    } catch {
      // What was written is written; an error was told when it was.
    }
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
    try {
      this.#file = openSync(this.#path, 'a', 0o600);
    } catch (error) {
      const failure = recordingError(this.#path, error);
      setImmediate(() => receiver.recordingFailed?.(failure));
    }
    this.#inner.open({
      started: (pid) => receiver.started?.(pid),
      received: (chunk, dueAt) => {
        this.#record(false, chunk);
        receiver.received(chunk, dueAt);
      },
      readEnd: () => receiver.readEnd(),
      ended: (exit: TransportExit) => {
        this.#close();
        receiver.ended(exit);
      },
    });
  }

  write(bytes: Uint8Array | string): boolean {
    this.#record(true, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    return this.#inner.write(bytes);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(deadlineMs: number): Promise<void> {
    return this.#inner.close(deadlineMs);
  }

  kill(): void {
    this.#inner.kill();
  }
}
