/** The worker's program: receives and parses, and puts records into the ring until the connection has ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachProducer } from '@millrace/ringbuffer';
import { createClock } from '../measure/clock.ts';
import { type LatencyRecorder, Stations } from '../measure/stations.ts';
import { Reader } from '../parse/reader.ts';
import { transportOf } from '../receive/plan.ts';
import { RingWriter } from './ring-writer.ts';
import {
  type FromWorker,
  type ToWorker,
  type WorkerSetup,
  workerOwner,
} from './worker-messages.ts';

const publishBytes = 16_384;

const setup = workerData as WorkerSetup;
const port = parentPort!;
const clock = createClock(setup.epoch);
const elsewhere: LatencyRecorder = { record: () => {}, recordCount: () => {} };
const parsing =
  setup.stations === undefined
    ? elsewhere
    : new Stations(true, setup.stations).recorder(workerOwner).parse;
const producer = attachProducer(setup.ring, {
  publish: publishBytes,
  alignBytes: 8,
});
const writer = new RingWriter(producer);
// The session's thread watches over the client: it is the one that may get stuck.
const transport = await transportOf(setup.plan, clock, setup.record, 0, true);
const reader = new Reader(writer, clock, parsing, setup.reader);
writer.control(transport);

port.on('message', (message: ToWorker) => {
  if (message.type === 'write') transport.write(message.bytes);
  else if (message.type === 'close') transport.close(message.deadlineMs);
  else transport.kill();
});
transport.open({
  started: (pid) => {
    const message: FromWorker = { type: 'pid', pid };
    port.postMessage(message);
  },
  received: (chunk, dueAt) => {
    writer.received(chunk.length);
    reader.received(chunk, dueAt);
  },
  readEnd: () => reader.readEnd(),
  recordingFailed: (error) => {
    reader.recordingFailed(error);
    writer.readEnd();
  },
  ended: (exit) => reader.ended(exit),
});
