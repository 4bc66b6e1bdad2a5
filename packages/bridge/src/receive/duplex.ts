/**
 * Any duplex stream as a transport: `ssh host tmux -C attach` over a channel, a socket, a pty.
 *
 * The stream stays the caller's to create; the bridge ends it on close and destroys it at the deadline.
 */
import type { Duplex } from 'node:stream';
import type { Receiver, Transport } from './transport.ts';

/** Reads and writes control mode over a stream of the caller's. */
export class DuplexTransport implements Transport {
  readonly #stream: Duplex;
  #ended = false;
  #onEnded: (() => void) | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
  }

  open(receiver: Receiver): void {
    const finish = (cause?: unknown): void => {
      if (this.#ended) return;
      this.#ended = true;
      receiver.ended(cause === undefined ? {} : { cause });
      this.#onEnded?.();
    };
    this.#stream.on('data', (chunk: Uint8Array | string) => {
      if (this.#ended) return;
      receiver.received(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
    });
    this.#stream.on('end', () => finish());
    this.#stream.on('error', (error) => finish(error));
    this.#stream.on('close', () => finish());
  }

  write(bytes: Uint8Array | string): boolean {
    return !this.#ended && this.#stream.writable && this.#stream.write(bytes);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(deadlineMs: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.kill(), deadlineMs);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#stream.writable) this.#stream.end('\n');
      this.#stream.resume();
    });
  }

  kill(): void {
    this.#stream.destroy();
  }
}
