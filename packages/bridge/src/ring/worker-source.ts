/**
 * Receives and parses in a worker thread; records come through a ring in shared memory, or, where none can be shared,
 * through a ring in each thread that messages keep alike.
 *
 * It pays when the session's own thread is busy, or when many panes flood: the pipe from tmux is drained and
 * parsed meanwhile. With an idle thread and a fast sink it brings nothing and costs the memory of a second isolate.
 *
 * Records are handed over by a `RingReader`, put in by the worker's `RingWriter`; neither knows which ring it is. Over
 * messages `ringBytes` bounds each thread's ring and what is on its way between them, so three times as much is held
 * at most; the producing end ends when the port closes, which is after the last message and before or after the
 * worker's `exit`.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import {
  attachConsumer,
  createChannel,
  markDead,
  type RingHandle,
  readStats,
  transferOf,
} from '@millrace/ringbuffer';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../measure/clock.ts';
import type { StationRecorder, Stations } from '../measure/stations.ts';
import type { ReaderOptions } from '../parse/reader.ts';
import type { RecordTarget } from '../parse/records.ts';
import type { PortablePlan } from '../receive/plan.ts';
import type { TransportExit } from '../receive/transport.ts';
import { type Watched, watch } from '../receive/watchdog.ts';
import { RingReader } from './ring-reader.ts';
import { type Source, type SourceCounts, standingOf } from './source.ts';
import {
  type FromWorker,
  type ToWorker,
  type WorkerSetup,
  workerOwner,
} from './worker-messages.ts';

/** What the worker is to do. */
export interface WorkerPlan {
  readonly plan: PortablePlan;
  readonly record: string | undefined;
  readonly ringBytes: number;
  /** `auto` is shared memory where there is some. */
  readonly transport: 'auto' | 'message';
  readonly reader: ReaderOptions;
  readonly watchdogMs: number;
}

/** The worker mode's receive, parse and ring stations. */
export class WorkerSource implements Source {
  readonly #plan: WorkerPlan;
  readonly #clock: Clock;
  readonly #stations: Stations;
  readonly #recorder: StationRecorder;
  readonly #workerGone: Promise<TransportExit>;
  #tellGone!: (exit: TransportExit) => void;
  /** The ring, if it is in shared memory. */
  #ring: RingHandle | undefined;
  #reader: RingReader | undefined;
  #target: RecordTarget | undefined;
  #worker: Worker | undefined;
  #watched: Watched | undefined;
  #clientPid: number | undefined;
  #ended = false;
  #onEnded: (() => void) | undefined;

  constructor(plan: WorkerPlan, clock: Clock, stations: Stations, recorder: StationRecorder) {
    this.#plan = plan;
    this.#clock = clock;
    this.#stations = stations;
    this.#recorder = recorder;
    this.#workerGone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  open(target: RecordTarget): void {
    this.#target = target;
    const { plan, record, reader, ringBytes, transport } = this.#plan;
    const channel = createChannel({ capacity: ringBytes, transport });
    const consumer = attachConsumer(channel.consumer);
    this.#ring = 'port' in channel.producer ? undefined : channel.producer;
    const setup: WorkerSetup = {
      plan,
      record,
      reader,
      ring: channel.producer,
      stations: this.#ring && this.#stations.buffers,
      epoch: this.#clock.epoch,
    };
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: setup,
      transferList: transferOf(channel.producer) as unknown[] as MessagePort[],
    });
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => {
      this.#clientPid = message.pid;
      const { watchdogMs } = this.#plan;
      if (watchdogMs > 0 && !this.#ended) this.#watched = watch(message.pid, watchdogMs);
    });
    worker.on('error', (error) => this.#gone(`the worker failed: ${error.message}`, error));
    worker.on('exit', (status) => this.#gone(`the worker ended: status=${status}`));
    const records = setup.stations === undefined;
    this.#reader = new RingReader(consumer, target, {
      drained: (readAt, parsedAt) => {
        const now = this.#clock.now();
        if (records) this.#recorder.parse.record(parsedAt - readAt);
        this.#recorder.ring.record(Math.max(0, now - parsedAt));
        return now;
      },
      workerGone: this.#workerGone,
    });
    this.#reader
      .run()
      .catch((cause) => {
        this.kill();
        return { cause: new BridgeError('ERR_WORKER_FAILED', `the ring broke: ${cause}`, cause) };
      })
      .then((exit) => {
        this.#end(exit);
        consumer.close();
      });
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
    this.#clientPid = undefined;
  }

  get counts(): SourceCounts {
    return { bytes: this.#reader?.bytes ?? 0, records: this.#reader?.records ?? 0 };
  }

  get standing(): string {
    const waiting =
      this.#ring === undefined ? '' : `, ${readStats(this.#ring).used} bytes in the ring`;
    return `in a worker, ${standingOf(this.#clientPid, this.counts.bytes)}${waiting}`;
  }

  #post(message: ToWorker): void {
    if (!this.#ended) this.#worker?.postMessage(message);
  }

  #gone(message: string, cause?: unknown): void {
    if (this.#ended) return;
    this.#tellGone({ cause: new BridgeError('ERR_WORKER_FAILED', message, cause) }); // the first one counts
    this.#killClient(); // nobody drains it any more
    this.#stations.releaseOwner(workerOwner);
    if (this.#ring !== undefined) markDead(this.#ring, 'producer'); // wakes the consumer; a port closes by itself
  }

  #end(exit: TransportExit): void {
    if (this.#ended) return;
    this.#ended = true;
    const stuckMs = exit.signal === 'SIGKILL' ? (this.#watched?.stuckMs ?? 0) : 0;
    this.#watched?.release();
    this.#target!.event({ type: 'ended', exit: { ...exit, stuckMs } });
    this.#worker?.terminate();
    this.#onEnded?.();
  }
}
