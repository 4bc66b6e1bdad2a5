/**
 * The scenarios that prove the rings: the production code, every interleaving of a few threads.
 *
 * This file has those of one producer and one consumer of bytes; the other topologies have files of their own. `deep`
 * scenarios take longer than CI's minute. The code comes as an argument: `proofs.ts` gives it the package, the gates
 * the package with a mistake in it.
 */
import {
  type AnySpec,
  type BuiltinCoverage,
  type CheckResult,
  check,
  checkAsync,
  fifo,
} from '@millrace/interleave';
import type { CopyKernel, RingHandle } from '@millrace/ringbuffer';
import { racyDefinitions } from './broadcast-scenarios.ts';
import { lanesDefinitions } from './lanes-scenarios.ts';
import {
  base,
  calls,
  consumer,
  type Definition,
  ended,
  from,
  isEmpty,
  isFull,
  options,
  type Package,
  producer,
  record,
  repeat,
  valueIn,
} from './parts.ts';
import { queueDefinitions } from './queue-scenarios.ts';
import { slotsDefinitions } from './slots-scenarios.ts';

/** A scenario that a test or the table of scenarios runs. */
export interface Proof {
  readonly name: string;
  readonly deep?: boolean;
  readonly run: () => CheckResult | Promise<CheckResult>;
}
interface Spsc {
  readonly pushes: number;
  readonly pops: number;
  /** Records of 4 bytes that fit. */
  readonly room: 2 | 4;
  readonly startIndex?: number;
  readonly copy?: CopyKernel;
  /** How records go in and out. */
  readonly push?: 'tryPush' | 'claim';
  readonly pop?: 'tryPop' | 'popInto' | 'drain' | 'peek';
  readonly deep?: boolean;
}

const spsc = ({
  pushes,
  pops,
  room,
  startIndex = 0,
  copy = 'words',
  push = 'tryPush',
  pop = 'tryPop',
  deep = false,
}: Spsc): Definition => {
  const how = push === 'tryPush' && pop === 'tryPop' ? '' : `, ${push} and ${pop}`;
  const name = `SPSC ${pushes} pushes x ${pops} pops, room for ${room}, from ${startIndex}, ${copy}${how}`;
  return {
    name,
    deep,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createRing({ capacity: room * 8, startIndex }).handle,
          threads: [
            producer(ring, repeat(pushes, push), copy),
            consumer(ring, repeat(pops, pop), copy),
          ],
          spec: fifo({ capacity: room, ...calls }),
          cover: {
            full: isFull,
            empty: isEmpty,
            wrapped: ({ args, result }) => args[0] === room + 1 && result === true,
          },
        }),
      ),
  };
};

/** Accesses of one call: a wait that doesn't sleep makes more. */
const bounds = { opSteps: 150 };

const blocking = (
  puts: number,
  takes = puts,
  { startIndex = 0, deep = false } = {},
): Definition => {
  const name = `SPSC blocking, ${puts} x ${takes}, room for 2${from(startIndex)}`;
  return {
    name,
    deep,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createRing({ capacity: 16, startIndex }).handle,
          threads: [producer(ring, repeat(puts, 'put')), consumer(ring, repeat(takes, 'take'))],
          spec: fifo({ capacity: 2, ...calls }),
          cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
          bounds: { ...bounds, states: 250_000_000 }, // 8 x 8 has more than 100 million
        }),
      ),
  };
};

/** The consumer sleeps until exactly what comes is there; a target of 0 would not be reached. */
const watermark: Definition = {
  name: 'SPSC watermark of one record, 2 x 2',
  run: (ring) =>
    check(
      base('SPSC watermark', {
        setup: () => ring.createRing({ capacity: 16, startIndex: -32 }).handle,
        threads: [producer(ring, repeat(2, 'tryPush')), consumer(ring, repeat(2, 'takeEight'))],
        spec: fifo({ capacity: 2, ...calls }),
        cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
        bounds,
      }),
    ),
};

/** A record that doesn't fit although less than the watermark is used: it would need a skip. */
const refusedBelowWatermark: Definition = {
  name: 'SPSC record without room below the watermark wakes its consumer',
  run: (ring) =>
    check(
      base('SPSC refused below the watermark', {
        setup: () => ring.createRing({ capacity: 32, startIndex: 12 }).handle,
        threads: [
          producer(ring, [
            ['put', 1],
            ['putLong', 2],
          ]),
          consumer(ring, repeat(2, 'takeSixteen')),
        ],
        spec: fifo({ capacity: 2, ...calls }),
        cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
        bounds,
      }),
    ),
};

/** What the consumer says when it ends isn't lost, whatever the producer does at that moment. */
const consumerCloses: Definition = {
  name: 'SPSC consumer closes while the producer works: the next publication notices',
  run: (ring) =>
    check({
      name: 'SPSC consumer closes',
      setup: () => ring.createRing({ capacity: 16 }).handle,
      threads: [
        producer(ring, repeat(2, 'pushOrEnd')),
        consumer(ring, [...repeat(1, 'take'), ['close']]),
      ],
      final: (handle: RingHandle) => {
        const next = ring.attachProducer(handle, options());
        const found = ended(() => [3, 4, 5].map((value) => next.tryPush(record(value))));
        return found === 'closed' || `found ${found}`;
      },
      fingerprint: 'fields',
      bounds,
    }),
};

/** Both ends attach to a ring that has been in use: one record was taken, one is left. */
const takenOver: Definition = {
  name: 'SPSC taken over in the middle, 3 pushes x 4 pops',
  run: (ring) =>
    check(
      base('SPSC taken over', {
        setup: () => {
          const { handle } = ring.createRing({ capacity: 16 });
          const before = ring.attachProducer(handle, options());
          for (const value of [8, 9]) before.tryPush(record(value));
          ring.attachConsumer(handle, options()).tryPop();
          return handle;
        },
        threads: [producer(ring, repeat(3, 'tryPush')), consumer(ring, repeat(4, 'tryPop'))],
        spec: { ...fifo({ capacity: 2, ...calls }), initial: [9] } as AnySpec,
      }),
    ),
};

const asynchronous = (put: 'putAsync' | 'tryPush', room: 2 | 4, deep = false): Definition => {
  const name = `SPSC async consumer, ${put} 3 x 3, room for ${room}`;
  return {
    name,
    deep,
    run: (ring) =>
      checkAsync(
        base(name, {
          setup: () => ring.createRing({ capacity: room * 8 }).handle,
          threads: [
            producer(ring, repeat(3, put)),
            consumer(ring, repeat(put === 'tryPush' && room === 2 ? 2 : 3, 'takeAsync')),
          ],
          spec: fifo({ capacity: room, ...calls }),
          cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
        }),
      ),
  };
};

/** A queue after whose close the consumer gets what is left, and then the end. */
const closable = (room: number): AnySpec => {
  const queue = fifo({ capacity: room, ...calls });
  interface State {
    readonly items: unknown[];
    readonly closed: boolean;
  }
  return {
    initial: { items: [], closed: false },
    step(state: State, request) {
      if (request.name === 'close') return [[{ ...state, closed: true }, true, undefined]];
      const next = queue
        .step(state.items, request)
        .map(([items, done, result]) => [{ ...state, items }, done, result] as const);
      return next.length === 0 && state.closed ? [[state, true, undefined]] : next;
    },
  };
};

const closing: Definition = {
  name: 'SPSC close while the consumer sleeps or works',
  run: (ring) =>
    check(
      base('SPSC close', {
        setup: () => ring.createRing({ capacity: 16 }).handle,
        threads: [
          producer(ring, [...repeat(2, 'tryPush'), ['close']]),
          consumer(ring, repeat(3, 'take')),
        ],
        spec: closable(2),
        cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
      }),
    ),
};

const killed: Definition = {
  name: 'SPSC producer killed at any point',
  run: (ring) =>
    check(
      base('SPSC producer killed', {
        setup: () => ring.createRing({ capacity: 16 }).handle,
        threads: [
          { ...producer(ring, repeat(3, 'tryPush')), crash: true },
          { ...consumer(ring, repeat(4, 'tryPop')) },
        ],
        spec: fifo({ capacity: 2, ...calls }),
        cover: ['crashed'] satisfies BuiltinCoverage[],
      }),
    ),
};

const consumerKilled: Definition = {
  name: 'SPSC consumer killed at any point',
  run: (ring) =>
    check(
      base('SPSC consumer killed', {
        setup: () => ring.createRing({ capacity: 16 }).handle,
        threads: [
          producer(ring, repeat(4, 'tryPush')),
          { ...consumer(ring, repeat(3, 'tryPop')), crash: true },
        ],
        spec: fifo({ capacity: 2, ...calls }),
        cover: ['crashed'] satisfies BuiltinCoverage[],
      }),
    ),
};

/** The thread that learns of a kill and says so: never too early to be safe, here at any point. */
const undertaker = (ring: Package, side: 'producer' | 'consumer') => ({
  run: (handle: RingHandle) => ring.markDead(handle, side),
});

const sleeperOfKilledProducer: Definition = {
  name: 'SPSC consumer asleep, producer killed at any point and declared dead',
  deep: true,
  run: (ring) =>
    check({
      name: 'SPSC sleeping consumer, producer killed',
      setup: () => ring.createRing({ capacity: 16 }).handle,
      threads: [
        {
          crash: true,
          run: (handle) => {
            const end = ring.attachProducer(handle, options());
            return ended(() => [1, 2].map((value) => end.tryPush(record(value))));
          },
        },
        {
          run: (handle) => {
            const end = ring.attachConsumer(handle, options());
            const got: unknown[] = [];
            for (let bytes = end.popSync(); bytes !== undefined; bytes = end.popSync()) {
              got.push(valueIn(bytes));
            }
            return got.join();
          },
        },
        undertaker(ring, 'producer'),
      ],
      final: (_handle, [, got]) => /^(1(,2)?)?$/.test(String(got)) || `got ${got}`,
      cover: ['blocked', 'woken', 'crashed'] satisfies BuiltinCoverage[],
    }),
};

const sleeperOfKilledConsumer: Definition = {
  name: 'SPSC producer asleep, consumer killed at any point and declared dead',
  deep: true,
  run: (ring) =>
    check({
      name: 'SPSC sleeping producer, consumer killed',
      setup: () => ring.createRing({ capacity: 16 }).handle,
      threads: [
        {
          run: (handle) => {
            const end = ring.attachProducer(handle, options());
            return ended(() => [1, 2, 3, 4].map((value) => end.pushSync(record(value))));
          },
        },
        {
          crash: true,
          run: (handle) => {
            const end = ring.attachConsumer(handle, options());
            return [valueIn(end.tryPop()), valueIn(end.tryPop())].join();
          },
        },
        undertaker(ring, 'consumer'),
      ],
      cover: ['blocked', 'woken', 'crashed'] satisfies BuiltinCoverage[],
    }),
};

/** A thread that declares an end dead, and another that sleeps on it or works. */
const declaredDead = (side: 'producer' | 'consumer'): Definition => {
  const name = `SPSC ${side} declared dead while the other end sleeps or works`;
  return {
    name,
    run: (ring) =>
      check({
        name,
        setup: () => ring.createRing({ capacity: 16 }).handle,
        threads: [
          side === 'producer'
            ? consumer(ring, repeat(1, 'take'))
            : producer(ring, repeat(3, 'putOrEnd')),
          { run: (handle: RingHandle) => ring.markDead(handle, side) },
        ],
        fingerprint: 'fields',
        cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
      }),
  };
};

/** Next to 2^32 and to 2^31: indices wrap, or change their sign, at the second record. */
const edges = [0, -8, 0x7ffffff8];

const definitions: readonly Definition[] = [
  ...edges.flatMap((startIndex) =>
    (['words', 'set'] as const).map((copy) =>
      spsc({ pushes: 6, pops: 8, room: 2, startIndex, copy }),
    ),
  ),
  spsc({ pushes: 7, pops: 8, room: 4 }),
  spsc({ pushes: 6, pops: 7, room: 4, copy: 'set' }),
  spsc({ pushes: 5, pops: 6, room: 2, push: 'claim', pop: 'drain' }),
  spsc({ pushes: 5, pops: 6, room: 2, pop: 'popInto' }),
  spsc({ pushes: 5, pops: 6, room: 2, pop: 'peek' }),
  spsc({ pushes: 8, pops: 10, room: 2 }),
  ...edges.map((startIndex) => spsc({ pushes: 12, pops: 15, room: 2, startIndex, deep: true })),
  spsc({ pushes: 12, pops: 15, room: 4, deep: true }),
  blocking(3),
  blocking(3, 3, { startIndex: -8 }),
  blocking(3, 3, { startIndex: 0x7ffffff8 }),
  blocking(3, 1, { startIndex: -16 }), // a target of 0 isn't reached
  blocking(4, 4, { deep: true }),
  blocking(8, 8, { deep: true }),
  watermark,
  refusedBelowWatermark,
  consumerCloses,
  takenOver,
  asynchronous('tryPush', 2),
  asynchronous('tryPush', 4, true),
  asynchronous('putAsync', 2, true),
  closing,
  declaredDead('producer'),
  declaredDead('consumer'),
  killed,
  sleeperOfKilledProducer,
  sleeperOfKilledConsumer,
  consumerKilled,
  ...slotsDefinitions,
  ...lanesDefinitions,
  ...queueDefinitions,
];

/** The scenarios, for this code. */
export function proofsOf(ring: Package): {
  readonly proofs: readonly Proof[];
  readonly racyProofs: readonly Proof[];
} {
  const bind = (list: readonly Definition[]): Proof[] =>
    list.map((definition) => ({ ...definition, run: () => definition.run(ring) }));
  return { proofs: bind(definitions), racyProofs: bind(racyDefinitions) };
}
