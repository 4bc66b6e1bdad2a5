/**
 * Goal: the waits between the worker's end of the ring and the session's hold in every interleaving: nothing is lost
 * or reordered, nobody sleeps for ever, a worker that dies is noticed after its last record.
 * Method: the production classes (`RingWriter`, `RingReader`, the ring) under the model checker, with a transport
 * that hands out reads while it isn't paused. The ring holds two records, so it is full and empty all the time.
 */
import { assertVerified, type CheckResult, checkAsync } from '@millrace/interleave';
import {
  attachConsumer,
  attachProducer,
  createRing,
  markDead,
  type RingHandle,
} from '@millrace/ringbuffer';
import { describe, test } from 'vitest';
import type { RecordTarget } from '../../src/parse/records.ts';
import type { TransportExit } from '../../src/receive/transport.ts';
import { RingReader } from '../../src/ring/ring-reader.ts';
import { RingWriter } from '../../src/ring/ring-writer.ts';

interface Shared {
  readonly ring: RingHandle;
  /** Set before the ring is marked dead, as the session's own note of its worker's end. */
  readonly gone: Int32Array;
}

const ringBytes = 128;
/** A record of output: 4 of the ring's header, 4 of padding at most, 24 of ours, and this much. */
const outputBytes = 24;

const setup = (): Shared => ({
  ring: createRing({ capacity: ringBytes }).handle,
  gone: new Int32Array(new SharedArrayBuffer(4)),
});

/** The worker: `reads` reads of `records` records each, then, if it lives, the end of the connection. */
async function work({ ring }: Shared, reads: number, records: number, ends: boolean) {
  const producer = attachProducer(ring, { publish: 64, alignBytes: 8, spin: 0, ref: false });
  const writer = new RingWriter(producer);
  const bytes = new Uint8Array(outputBytes);
  let isPaused = false;
  let pauses = 0;
  let resumed: (() => void) | undefined;
  writer.control({
    pause: () => {
      isPaused = true;
      pauses++;
    },
    resume: () => {
      isPaused = false;
      resumed?.();
    },
  });
  for (let read = 0; read < reads; read++) {
    for (let record = 0; record < records; record++) {
      bytes.fill(read * records + record + 1);
      writer.output(7, bytes, 0, bytes.length, 1, 2);
    }
    writer.readEnd();
    while (isPaused) {
      await new Promise<void>((resolve) => {
        resumed = resolve;
      });
    }
  }
  if (ends) {
    writer.event({ type: 'ended', exit: {} });
    writer.readEnd();
    while (isPaused) {
      await new Promise<void>((resolve) => {
        resumed = resolve;
      });
    }
  }
  return pauses;
}

/** The session: takes everything; after each record it pauses for a turn, if it is to. */
async function take({ ring, gone }: Shared, pausing: boolean): Promise<string> {
  const consumer = attachConsumer(ring, { spin: 0, ref: false });
  const got: number[] = [];
  const target: RecordTarget = {
    output: (_pane, bytes, start, end) => {
      const first = bytes[start]!;
      for (let at = start; at < end; at++) if (bytes[at] !== first) got.push(-1);
      if (got.at(-1) !== first) got.push(first); // a piece of the same record
      if (pausing) {
        reader.pause();
        Promise.resolve().then(() => reader.resume());
      }
    },
    event: (event) => {
      throw new Error(`unexpected event: ${event.type}`);
    },
    readEnd: () => {},
  };
  const reader = new RingReader(consumer, target, {
    drainedAt: () => 3,
    workerGone: (): TransportExit | undefined =>
      Atomics.load(gone, 0) === 1 ? { message: 'gone' } : undefined,
  });
  const exit = await reader.run();
  return `${got.join(',')} ${exit?.message ?? 'ended'}`;
}

const inOrder = (count: number): string =>
  Array.from({ length: count }, (_, index) => index + 1).join(',');

interface Shape {
  readonly reads: number;
  readonly records: number;
  readonly pausing: boolean;
}

const living = ({ reads, records, pausing }: Shape): Promise<CheckResult> =>
  checkAsync<Shared>({
    name: `bridge ring: ${reads} reads of ${records} records${pausing ? ', a session that pauses' : ''}`,
    setup,
    threads: [
      { name: 'worker', run: (shared) => work(shared, reads, records, true) },
      { name: 'session', run: (shared) => take(shared, pausing) },
    ],
    final: (_shared, [, took]) =>
      took?.[0] === `${inOrder(reads * records)} ended` || `got ${took}`,
    cover: {
      blocked: true,
      woken: true,
      'put aside': ({ thread, result }) => thread === 0 && (result as number) > 0,
    },
    bounds: { states: 5_000_000, opSteps: 2000 },
  });

const dying = ({ reads, records, pausing }: Shape): Promise<CheckResult> =>
  checkAsync<Shared>({
    name: `bridge ring: a worker that dies at any point of ${reads} reads of ${records} records`,
    setup,
    threads: [
      {
        name: 'worker',
        run: (shared) => work(shared, reads, records, false),
        crash: true,
        mayBlock: true,
      },
      { name: 'session', run: (shared) => take(shared, pausing) },
      {
        name: 'exit event',
        run: ({ ring, gone }) => {
          Atomics.store(gone, 0, 1);
          markDead(ring, 'producer');
        },
      },
    ],
    final: (_shared, [, took]) => {
      const [numbers, how] = String(took).split(' ') as [string, string];
      return (how === 'gone' && inOrder(reads * records).startsWith(numbers)) || `got ${took}`;
    },
    cover: ['blocked', 'woken', 'crashed'],
    bounds: { states: 20_000_000, opSteps: 2000 },
  });

/** A worker that leaves without saying so through the ring: what it had put in comes first (K1). */
const leaving = ({ reads, records, pausing }: Shape): Promise<CheckResult> =>
  checkAsync<Shared>({
    name: `bridge ring: a worker that leaves after ${reads} reads of ${records} records`,
    setup,
    threads: [
      {
        name: 'worker',
        run: async (shared) => {
          const pauses = await work(shared, reads, records, false);
          Atomics.store(shared.gone, 0, 1);
          markDead(shared.ring, 'producer');
          return pauses;
        },
      },
      { name: 'session', run: (shared) => take(shared, pausing) },
    ],
    final: (_shared, [, took]) => took?.[0] === `${inOrder(reads * records)} gone` || `got ${took}`,
    cover: ['blocked', 'woken'],
    bounds: { states: 20_000_000, opSteps: 2000 },
  });

const isDeep = process.env['VERIFY_DEEP'] !== undefined;
const small: readonly Shape[] = [
  { reads: 1, records: 2, pausing: false },
  { reads: 2, records: 1, pausing: false },
  { reads: 2, records: 1, pausing: true },
];
const large: readonly Shape[] = [
  { reads: 1, records: 3, pausing: false },
  { reads: 1, records: 3, pausing: true },
];
const shapes = isDeep ? [...small, ...large] : small;

describe('the ring between worker and session, in every interleaving', { timeout: 600_000 }, () => {
  test.each(shapes)(
    'delivers $reads reads of $records records, pausing: $pausing',
    async (shape) => {
      assertVerified(await living(shape));
    },
  );

  test.each(shapes)(
    'delivers all of $reads reads of $records records before a silent exit, pausing: $pausing',
    async (shape) => {
      assertVerified(await leaving(shape));
    },
  );

  test.each(shapes)(
    'delivers a prefix of $reads reads of $records records when the worker dies, and ends, pausing: $pausing',
    async (shape) => {
      assertVerified(await dying(shape));
    },
  );
});
