/**
 * A stream of the caller's as a transport: `ssh host tmux -C attach` over a channel, a socket, a pty.
 *
 * The stream is the caller's to create; the bridge ends it on close, and destroys it at the deadline or when its
 * reading side has ended. Two streams may stand for one: of a child process, `Duplex.from` drops what is still unread
 * when the process ends, and with it tmux's goodbye.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Receiver, Transport } from './transport.ts';

/** Where to read from and where to write to, such as a child's `stdout` and `stdin`. */
export interface StreamPair {
  /** What tmux sends. */
  readonly readable: Readable;
  /** What is sent to tmux. */
  readonly writable: Writable;
}

/** How long the reading side may still deliver after the writing side broke. */
const remainderMs = 1000;

/** Reads and writes control mode over a stream of the caller's. */
export class DuplexTransport implements Transport {
  readonly #readable: Readable;
  readonly #writable: Writable;
  #ended = false;
  #onEnded: (() => void) | undefined;

  constructor(stream: Duplex | StreamPair) {
    // A duplex has a `readable` too, which says whether it is.
    const pair = typeof stream.readable === 'object';
    this.#readable = pair ? (stream as StreamPair).readable : (stream as Duplex);
    this.#writable = pair ? (stream as StreamPair).writable : (stream as Duplex);
  }

  open(receiver: Receiver): void {
    const finish = (cause?: unknown): void => {
      if (this.#ended) return;
      this.#ended = true;
      receiver.ended(cause === undefined ? {} : { cause });
      this.kill();
      this.#onEnded?.();
    };
    this.#readable.on('data', (chunk: Uint8Array | string) => {
      if (this.#ended) return;
      receiver.received(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
      receiver.readEnd();
    });
    this.#readable.on('end', () => finish());
    this.#readable.on('error', (error) => finish(error));
    this.#readable.on('close', () => finish());
    // One that was over before tells nobody.
    if (this.#readable.destroyed || this.#readable.readableEnded) setImmediate(finish);
    if (this.#writable === (this.#readable as unknown)) return;
    this.#writable.on('error', (error) => {
      setTimeout(() => finish(error), remainderMs).unref();
    });
  }

  write(bytes: Uint8Array | string): boolean {
    return !this.#ended && this.#writable.writable && this.#writable.write(bytes);
  }

  pause(): void {
    this.#readable.pause();
  }

  resume(): void {
    this.#readable.resume();
  }

  close(deadlineMs: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.kill(), deadlineMs);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#writable.writable) this.#writable.end('\n');
      this.#readable.resume();
    });
  }

  kill(): void {
    this.#readable.destroy();
    this.#writable.destroy();
  }
}
