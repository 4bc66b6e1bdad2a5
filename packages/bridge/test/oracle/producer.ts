/** A program in a pane that writes at random, and that can be stopped and counted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TtyPane } from '../support/pane-tty.ts';

/** A thread that writes to the pane. */
export class Producer {
  readonly #words = new Int32Array(new SharedArrayBuffer(12));
  readonly #worker: Worker;
  readonly #tty: TtyPane;
  readonly #before: number;

  constructor(
    tty: TtyPane,
    options: { seed: number; kinds: string; columns: number; rows: number },
  ) {
    this.#tty = tty;
    this.#before = tty.written;
    this.#worker = new Worker(fileURLToPath(new URL('./writer.mjs', import.meta.url)), {
      workerData: { ...options, path: tty.path, control: this.#words.buffer },
      execArgv: [],
    });
  }

  /** Writes from now on. */
  run(): void {
    Atomics.store(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  /** Writes nothing more, but for the piece that is being written. */
  stop(): void {
    Atomics.store(this.#words, 0, 0);
    Atomics.notify(this.#words, 0);
  }

  /** Resolves when it stands still; from then on the pane knows how much it has written. */
  async still(extra: number): Promise<void> {
    while (Atomics.load(this.#words, 1) === 0) await sleep(1);
    this.#tty.written = this.#before + Atomics.load(this.#words, 2) + extra;
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    Atomics.store(this.#words, 0, 2);
    Atomics.notify(this.#words, 0);
    await this.#worker.terminate();
  }
}
