/**
 * Receives and parses in a worker thread; records come through a ring in shared memory.
 *
 * It pays when the session's own thread is busy, or when many panes flood: the pipe from tmux is drained and
 * parsed meanwhile. With an idle thread and a fast sink it brings nothing and costs the memory of a second isolate.
 *
 * The session's end drains the ring in its event loop: all that is there, at most `drainCount` records a turn, then
 * the pipes are flushed. Pausing means not to drain: the ring fills, the worker pauses the transport, tmux feels it.
 *
 * K1: everything that the worker put into the ring is delivered before the end of the connection is.
 */
import { Worker } from 'node:worker_threads';
import {
  attachConsumer,
  createRing,
  DRAIN_STOP,
  type DrainCallback,
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
import type { PortablePlan, RecordPlan } from './open-source.ts';
import {
  decodeEvent,
  eventHeaderBytes,
  kindOutput,
  outputHeaderBytes,
  type RingViews,
  viewsOf,
} from './record.ts';
import type { Source, SourceCounts } from './source.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './worker-messages.ts';

/** The owner tag of the worker's shards in the shared histograms. */
export const workerOwner = 2;

const drainCount = 4096;

/** What the worker is to do. */
export interface WorkerPlan {
  readonly plan: PortablePlan;
  readonly record: RecordPlan | undefined;
  readonly ringBytes: number;
  readonly reader: ReaderOptions;
}

/** The worker mode's receive, parse and ring stations. */
export class WorkerSource implements Source {
  readonly #plan: WorkerPlan;
  readonly #clock: Clock;
  readonly #stations: Stations;
  readonly #recorder: StationRecorder;
  readonly #counts = new Float64Array(new SharedArrayBuffer(16));
  readonly #consumer: RingConsumer;
  readonly #views: RingViews;
  readonly #ring: RingHandle;
  #target: RecordTarget | undefined;
  #worker: Worker | undefined;
  #workerGone: TransportExit | undefined;
  #exit: TransportExit | undefined;
  #clientPid: number | undefined;
  #parts: Uint8Array[] = [];
  #paused = false;
  #resumed: (() => void) | undefined;
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
    this.#views = viewsOf(this.#consumer.bytes);
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
    });
    worker.on('error', (error) => this.#gone(`the worker failed: ${error.message}`, error));
    worker.on('exit', (status) => this.#gone(`the worker ended: status=${status}`));
    this.#drain().catch((cause) => {
      this.kill();
      this.#end({ cause: new BridgeError('ERR_WORKER_FAILED', `the ring broke: ${cause}`, cause) });
    });
  }

  write(bytes: Uint8Array | string): void {
    this.#post({ type: 'write', bytes });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#resumed?.();
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
    if (this.#clientPid !== undefined && !this.#ended) {
      try {
        process.kill(this.#clientPid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    this.#worker?.terminate();
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
    this.#stations.releaseOwner(workerOwner);
    markDead(this.#ring, 'producer'); // wakes the consumer
  }

  /** Hands records to the target until the connection has ended. */
  async #drain(): Promise<void> {
    const consumer = this.#consumer;
    while (!this.#ended) {
      if (this.#paused) {
        await new Promise<void>((resolve) => {
          this.#resumed = resolve;
        });
        this.#resumed = undefined;
        continue;
      }
      const count = consumer.drain(this.#take, drainCount);
      if (count > 0) this.#target!.readEnd();
      if (this.#exit !== undefined) this.#end(this.#exit);
      if (this.#ended || this.#paused) continue;
      if (count === drainCount) await new Promise((resolve) => setImmediate(resolve));
      else if (count > 0) continue;
      else if (this.#workerGone !== undefined)
        this.#end(this.#workerGone); // K1
      else await consumer.ready();
    }
  }

  readonly #take: DrainCallback = (bytes, start, end, kind) => {
    const { words, doubles } = this.#views;
    if (kind === kindOutput) {
      const drainedAt = this.#clock.now();
      const parsedAt = doubles[(start >> 3) + 2]!;
      this.#recorder.ring.record(Math.max(0, drainedAt - parsedAt));
      this.#target!.output(
        words[start >> 2]!,
        bytes,
        start + outputHeaderBytes,
        end,
        doubles[(start >> 3) + 1]!,
        drainedAt,
      );
      return this.#paused ? DRAIN_STOP : undefined;
    }
    this.#parts.push(bytes.slice(start + eventHeaderBytes, end));
    if (words[start >> 2] === 1) {
      const event = decodeEvent(Buffer.concat(this.#parts.splice(0)));
      if (event.type === 'ended') {
        this.#exit = event.exit;
        return DRAIN_STOP;
      }
      this.#target!.event(event);
    }
    return undefined;
  };

  #end(exit: TransportExit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#target!.event({ type: 'ended', exit });
    this.#consumer.close();
    this.#worker?.terminate();
    this.#onEnded?.();
  }
}
