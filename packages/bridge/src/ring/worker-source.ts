/**
 * Receives and parses in a worker thread; records come through a ring in shared memory.
 *
 * It pays when the session's own thread is busy, or when many panes flood: the pipe from tmux is drained and
 * parsed meanwhile. With an idle thread and a fast sink it brings nothing and costs the memory of a second isolate.
 *
 * Records are handed over by a `RingReader`, put in by the worker's `RingWriter`.
 */
import { Worker } from 'node:worker_threads';
import {
  attachConsumer,
  createRing,
  markDead,
  type RingConsumer,
  type RingHandle,
} from '@millrace/ringbuffer';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder, Stations } from '../measure/stations.ts';
import type { ReaderOptions } from '../parse/reader.ts';
import type { RecordTarget } from '../parse/records.ts';
import type { TransportExit } from '../receive/transport.ts';
import { type Watched, watch } from '../receive/watchdog.ts';
import type { PortablePlan } from './open-source.ts';
import { RingReader } from './ring-reader.ts';
import type { Source, SourceCounts } from './source.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './worker-messages.ts';

/** The owner tag of the worker's shards in the shared histograms. */
export const workerOwner = 2;

/** What the worker is to do. */
export interface WorkerPlan {
  readonly plan: PortablePlan;
  readonly record: string | undefined;
  readonly ringBytes: number;
  readonly reader: ReaderOptions;
  readonly watchdogMs: number;
}

/** The worker mode's receive, parse and ring stations. */
export class WorkerSource implements Source {
  readonly #plan: WorkerPlan;
  readonly #clock: Clock;
  readonly #stations: Stations;
  readonly #recorder: StationRecorder;
  readonly #counts = new Float64Array(new SharedArrayBuffer(16));
  readonly #consumer: RingConsumer;
  readonly #ring: RingHandle;
  #reader: RingReader | undefined;
  #target: RecordTarget | undefined;
  #worker: Worker | undefined;
  #watched: Watched | undefined;
  #workerGone: TransportExit | undefined;
  #clientPid: number | undefined;
  #ended = false;
  #onEnded: (() => void) | undefined;

  constructor(plan: WorkerPlan, clock: Clock, stations: Stations, recorder: StationRecorder) {
    this.#plan = plan;
    this.#clock = clock;
    this.#stations = stations;
    this.#recorder = recorder;
    const { handle } = createRing({ capacity: plan.ringBytes });
    this.#ring = handle;
    this.#consumer = attachConsumer(handle);
  }

  open(target: RecordTarget): void {
    this.#target = target;
    const { plan, record, reader } = this.#plan;
    const setup: WorkerSetup = {
      plan,
      record,
      reader,
      ring: this.#ring,
      stations: this.#stations.buffers,
      epoch: this.#clock.epoch,
      counts: this.#counts.buffer as SharedArrayBuffer,
    };
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), { workerData: setup });
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => {
      this.#clientPid = message.pid;
      const { watchdogMs } = this.#plan;
      if (watchdogMs > 0 && !this.#ended) this.#watched = watch(message.pid, watchdogMs);
    });
    worker.on('error', (error) => this.#gone(`the worker failed: ${error.message}`, error));
    worker.on('exit', (status) => this.#gone(`the worker ended: status=${status}`));
    this.#reader = new RingReader(this.#consumer, target, {
      drainedAt: (parsedAt) => {
        const now = this.#clock.now();
        this.#recorder.ring.record(Math.max(0, now - parsedAt));
        return now;
      },
      workerGone: () => this.#workerGone,
    });
    this.#reader.run().then(
      (exit) => {
        if (exit !== undefined) this.#end(exit);
      },
      (cause) => {
        this.kill();
        this.#end({
          cause: new BridgeError('ERR_WORKER_FAILED', `the ring broke: ${cause}`, cause),
        });
      },
    );
  }

  write(bytes: Uint8Array | string): void {
    this.#post({ type: 'write', bytes });
  }

  pause(): void {
    this.#reader?.pause();
  }

  resume(): void {
    this.#reader?.resume();
  }

  close(deadlineMs: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      // The worker keeps its own deadline; this one is for a worker that doesn't answer.
      const timer = setTimeout(() => this.kill(), deadlineMs + 1000);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#post({ type: 'close', deadlineMs });
    });
  }

  kill(): void {
    this.#post({ type: 'kill' });
    this.#killClient();
    this.#worker?.terminate();
  }

  #killClient(): void {
    if (this.#clientPid === undefined || this.#ended) return;
    try {
      process.kill(this.#clientPid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }

  get counts(): SourceCounts {
    return {
      bytes: this.#counts[0]!,
      records: this.#counts[1]!,
    };
  }

  #post(message: ToWorker): void {
    if (!this.#ended) this.#worker?.postMessage(message);
  }

  #gone(message: string, cause?: unknown): void {
    if (this.#ended || this.#workerGone !== undefined) return;
    this.#workerGone = { cause: new BridgeError('ERR_WORKER_FAILED', message, cause) };
    this.#killClient(); // nobody drains it any more
    this.#stations.releaseOwner(workerOwner);
    markDead(this.#ring, 'producer'); // wakes the consumer
  }

  #end(exit: TransportExit): void {
    if (this.#ended) return;
    this.#ended = true;
    const stuckMs = exit.signal === 'SIGKILL' ? (this.#watched?.stuckMs ?? 0) : 0;
    this.#watched?.release();
    this.#reader?.stop();
    this.#target!.event({ type: 'ended', exit: { ...exit, stuckMs } });
    this.#consumer.close();
    this.#worker?.terminate();
    this.#onEnded?.();
  }
}
