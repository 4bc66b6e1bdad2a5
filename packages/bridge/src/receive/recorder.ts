/** Writes a connection to a recording file while it runs: a tap around any transport. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { encodeFrame, encodeRecordingHeader, type RecordingHeader } from './recording-format.ts';
import type { Receiver, Transport, TransportExit } from './transport.ts';

/**
 * Passes everything through and records both directions. Frames are written at once: a recording of a crash
 * holds what led to it.
 */
export class RecordingTransport implements Transport {
  readonly #inner: Transport;
  #file: number | undefined;
  #previous = performance.now();

  /** @param header - undefined to go on with the file of an earlier connection */
  constructor(inner: Transport, path: string, header: RecordingHeader | undefined) {
    this.#inner = inner;
    this.#file = openSync(path, header === undefined ? 'a' : 'w', 0o600);
    if (header !== undefined) writeSync(this.#file, encodeRecordingHeader(header));
  }

  get pid(): number | undefined {
    return this.#inner.pid;
  }

  #record(toTmux: boolean, bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    const now = performance.now();
    writeSync(this.#file, encodeFrame((now - this.#previous) * 1000, toTmux, bytes));
    this.#previous = now;
  }

  open(receiver: Receiver): void {
    this.#inner.open({
      received: (chunk, dueAt) => {
        this.#record(false, chunk);
        receiver.received(chunk, dueAt);
      },
      ended: (exit: TransportExit) => {
        if (this.#file !== undefined) closeSync(this.#file);
        this.#file = undefined;
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
