/** A program in a pane that writes at random, and that can be stopped and counted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TtyPane } from '../support/pane-tty.ts';

/** Makes a function that gives the next piece of what a program writes. */
export type Pieces = (options: {
  readonly seed: number;
  readonly columns: number;
  readonly rows: number;
  readonly kinds: string;
}) => () => Buffer;

/** The same pieces that the thread writes, for whoever needs to know them. */
export async function loadPieces(): Promise<Pieces> {
  const loaded = (await import(new URL('./units.mjs', import.meta.url).href)) as { pieces: Pieces };
  return loaded.pieces;
}

/** A thread that writes to the pane. */
export class Producer {
  readonly #words = new Int32Array(new SharedArrayBuffer(16));
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

  /** Stops after so many pieces more. */
  stopAfter(count: number): void {
    Atomics.store(this.#words, 3, count);
    Atomics.compareExchange(this.#words, 0, 1, 3);
  }

  /** Resolves when it stands still; from then on the pane knows how much it has written. */
  async still(extra: number): Promise<void> {
    while (Atomics.load(this.#words, 1) === 0) await sleep(1);
    this.#tty.written = this.#before + this.bytes + extra;
  }

  /** Bytes that it has written. */
  get bytes(): number {
    return Atomics.load(this.#words, 2);
  }

  /** Ends the thread. */
  async end(): Promise<void> {
    Atomics.store(this.#words, 0, 2);
    Atomics.notify(this.#words, 0);
    await this.#worker.terminate();
  }
}
