/**
 * The scenarios that prove the waits between the worker's end of the ring and the session's: the production classes
 * (`RingWriter`, `RingReader`, the ring), with a transport that hands out reads while it isn't paused. The ring holds
 * two records, so that it is full and empty all the time.
 */
import { type CheckResult, checkAsync } from '@millrace/interleave';
import {
  attachConsumer,
  attachProducer,
  createRing,
  markDead,
  type RingHandle,
} from '@millrace/ringbuffer';
import type { RecordTarget } from '../../src/parse/records.ts';

/** The two ends: the sources, or a mutant of them. */
export interface RingEnds {
  readonly RingReader: typeof import('../../src/ring/ring-reader.ts').RingReader;
  readonly RingWriter: typeof import('../../src/ring/ring-writer.ts').RingWriter;
}

/** A scenario that a test or the mutation gate runs. */
export interface Proof {
  readonly name: string;
  readonly deep: boolean;
  readonly run: () => Promise<CheckResult>;
}

/** What the worker reads, and what the session does meanwhile. */
interface Shape {
  readonly reads: number;
  readonly records: number;
  readonly pausing: boolean;
}

const nameOf = (what: string, { reads, records, pausing }: Shape): string =>
  `bridge ring, ${what}: ${reads} reads of ${records} records${pausing ? ', session pauses' : ''}`;

interface Shared {
  readonly ring: RingHandle;
}

/** Accesses of a whole body, with a margin: what makes more of them spins. */
const opSteps = 450;

const ringBytes = 128;
/** A record of output: 4 of the ring's header, 4 of padding at most, 24 of ours, and this much. */
const outputBytes = 24;

const setup = (): Shared => ({ ring: createRing({ capacity: ringBytes }).handle });

/** The worker: `reads` reads of `records` records each, then, if it lives, the end of the connection. */
async function work(
  { RingWriter }: RingEnds,
  { ring }: Shared,
  { reads, records }: Shape,
  ends: boolean,
): Promise<number> {
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
async function take(
  { RingReader }: RingEnds,
  { ring }: Shared,
  { pausing }: Shape,
): Promise<string> {
  const consumer = attachConsumer(ring, { spin: 0, ref: false });
  const got: number[] = [];
  const target: RecordTarget = {
    output: (pane, bytes, start, end, readAt, drainedAt) => {
      if (pane !== 7 || readAt !== 1 || drainedAt !== 3) got.push(-2);
      if (start === end) got.push(-3);
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
    drained: (_readAt, parsedAt) => parsedAt + 1,
    workerGone: Promise.resolve({ message: 'gone' }),
  });
  const exit = await reader.run();
  return `${got.join(',')} ${exit.message ?? 'ended'}`;
}

const inOrder = ({ reads, records }: Shape): string =>
  Array.from({ length: reads * records }, (_, index) => index + 1).join(',');

const living = (ends: RingEnds, shape: Shape): Promise<CheckResult> =>
  checkAsync<Shared>({
    name: nameOf('delivers', shape),
    setup,
    threads: [
      { name: 'worker', run: (shared) => work(ends, shared, shape, true) },
      { name: 'session', run: (shared) => take(ends, shared, shape) },
    ],
    final: (_shared, [, took]) => took?.[0] === `${inOrder(shape)} ended` || `got ${took}`,
    cover: {
      blocked: true,
      woken: true,
      'put aside': ({ thread, result }) => thread === 0 && (result as number) > 0,
    },
    bounds: { states: 20_000_000, opSteps },
  });

const dying = (ends: RingEnds, shape: Shape): Promise<CheckResult> =>
  checkAsync<Shared>({
    name: nameOf('worker killed at any point', shape),
    setup,
    threads: [
      {
        name: 'worker',
        run: (shared) => work(ends, shared, shape, false),
        crash: true,
        mayBlock: true,
      },
      { name: 'session', run: (shared) => take(ends, shared, shape) },
      {
        name: 'exit event',
        run: ({ ring }) => void markDead(ring, 'producer'),
      },
    ],
    final: (_shared, [, took]) => {
      const [numbers, how] = String(took).split(' ') as [string, string];
      return (how === 'gone' && inOrder(shape).startsWith(numbers)) || `got ${took}`;
    },
    cover: ['blocked', 'woken', 'crashed'],
    bounds: { states: 20_000_000, opSteps },
  });

/** A worker that leaves without saying so through the ring: what it had put in comes first (K1). */
const leaving = (ends: RingEnds, shape: Shape): Promise<CheckResult> =>
  checkAsync<Shared>({
    name: nameOf('worker leaves silently', shape),
    setup,
    threads: [
      {
        name: 'worker',
        run: async (shared) => {
          const pauses = await work(ends, shared, shape, false);
          markDead(shared.ring, 'producer');
          return pauses;
        },
      },
      { name: 'session', run: (shared) => take(ends, shared, shape) },
    ],
    final: (_shared, [, took]) => took?.[0] === `${inOrder(shape)} gone` || `got ${took}`,
    cover: ['blocked', 'woken'],
    bounds: { states: 20_000_000, opSteps },
  });

const single: Shape = { reads: 1, records: 2, pausing: false };
const double: Shape = { reads: 2, records: 1, pausing: false };
const doublePausing: Shape = { reads: 2, records: 1, pausing: true };
const triple: Shape = { reads: 1, records: 3, pausing: false };
const triplePausing: Shape = { reads: 1, records: 3, pausing: true };

/** Lists the scenarios over a pair of ends. */
export function proofsOf(ends: RingEnds): Proof[] {
  const proof = (
    what: string,
    run: (ends: RingEnds, shape: Shape) => Promise<CheckResult>,
    shape: Shape,
    deep: boolean,
  ): Proof => ({ name: nameOf(what, shape), deep, run: () => run(ends, shape) });
  return [
    ...[single, double, doublePausing].flatMap((shape) => [
      proof('delivers', living, shape, false),
      proof('worker leaves silently', leaving, shape, false),
      proof('worker killed at any point', dying, shape, shape !== single),
    ]),
    ...[triple, triplePausing].flatMap((shape) => [
      proof('delivers', living, shape, true),
      proof('worker leaves silently', leaving, shape, true),
    ]),
  ];
}
