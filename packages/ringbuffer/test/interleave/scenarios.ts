/**
 * The scenarios that prove the rings: the production code, every interleaving of a few threads.
 *
 * Records carry one value and a check byte, so that a torn record shows; waits don't spin, because a spin loop
 * with a budget only multiplies states. Statistics that a handle keeps for itself are reset between calls,
 * so that they don't keep equal states apart. `deep` scenarios take longer than CI's minute. The code comes as an
 * argument: `proofs.ts` gives it the package, `mutation.gate.ts` the package with a mistake in it.
 */
import {
  type AnySpec,
  type BuiltinCoverage,
  type CheckResult,
  check,
  checkAsync,
  fifo,
  type Operation,
  type ReturnedCall,
  type Scenario,
  type ScriptedThread,
  twoPhaseFifo,
} from '@millrace/interleave';
import type * as Ring from '@millrace/ringbuffer';
import type { CopyKernel, RingHandle } from '@millrace/ringbuffer';

/** A scenario that a test or the table of scenarios runs. */
export interface Proof {
  readonly name: string;
  readonly deep?: boolean;
  readonly run: () => CheckResult | Promise<CheckResult>;
}

type Package = typeof Ring;

interface Definition {
  readonly name: string;
  readonly deep?: boolean;
  readonly run: (ring: Package) => CheckResult | Promise<CheckResult>;
}

const checkByte = 0xa5;
const record = (value: unknown): Uint8Array => Uint8Array.of(value as number, 0, 0, checkByte);

/** One array per handle, pushed from or popped into again and again: what handles have short cuts for. */
const arrays = new WeakMap<object, Uint8Array>();
function arrayOf(handle: object): Uint8Array {
  let array = arrays.get(handle);
  if (array === undefined) {
    array = new Uint8Array(new ArrayBuffer(8), 4, 4); // agrees with the payloads' places modulo 8: no pad
    array[3] = checkByte;
    arrays.set(handle, array);
  }
  return array;
}
function recordOf(handle: object, value: unknown): Uint8Array {
  const array = arrayOf(handle);
  array[0] = value as number;
  return array;
}
const valueIn = (bytes: Uint8Array | undefined): number | string | undefined =>
  bytes === undefined ? undefined : bytes[3] === checkByte ? bytes[0]! : `torn: ${bytes}`;

/** Any handle of this package. */
interface Handle {
  tryPush(source: Uint8Array): boolean;
  pushSync(source: Uint8Array): boolean;
  push(source: Uint8Array): Promise<boolean>;
  claim(length: number): number;
  commit(): void;
  readonly bytes: Uint8Array;
  tryPop(): Uint8Array | undefined;
  tryPopInto(target: Uint8Array): number;
  drain(callback: (bytes: Uint8Array, from: number, to: number) => void, limit: number): number;
  peek(): number;
  readonly start: number;
  readonly end: number;
  release(): void;
  popSync(): Uint8Array | undefined;
  pop(): Promise<Uint8Array | undefined>;
  readySync(options?: { bytes: number }): boolean;
  close(): void;
}

/** What a body returns when it finds the other end gone. */
const ended = (body: () => unknown): unknown => {
  try {
    return body();
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_RING_CLOSED') return 'closed';
    throw error;
  }
};

const statistics = ['wakes', 'fullHits', 'highWater', 'pushed', 'popped', 'dropped'];

/** Statistics don't matter to what a handle does: without them, more of its states are equal. */
function forget(handle: object): void {
  const fields = handle as Record<string, unknown>;
  for (const field of statistics) if (field in fields) fields[field] = 0;
  const waiter = fields['waiter'] as { parks: number } | undefined;
  if (waiter !== undefined) waiter.parks = 0;
}

function call(handle: object, name: string, args: readonly unknown[]): unknown {
  const result = callOf(handle, name, args);
  if (result instanceof Promise) {
    return result.then((value) => {
      forget(handle);
      return value;
    });
  }
  forget(handle);
  return result;
}

function callOf(handle: object, name: string, [value]: readonly unknown[]): unknown {
  const end = handle as Handle;
  switch (name) {
    case 'tryPush':
      return end.tryPush(recordOf(handle, value));
    case 'claim': {
      const at = end.claim(4);
      if (at < 0) return false;
      for (const [index, byte] of record(value).entries()) end.bytes[at + index] = byte;
      end.commit();
      return true;
    }
    case 'tryPop':
      return valueIn(end.tryPop());
    case 'popInto':
      return end.tryPopInto(arrayOf(handle)) < 0 ? undefined : valueIn(arrayOf(handle));
    case 'drain': {
      let taken: number | string | undefined;
      end.drain((bytes, from, to) => {
        taken = valueIn(bytes.slice(from, to));
      }, 1);
      return taken;
    }
    case 'peek': {
      if (end.peek() < 0) return undefined;
      const taken = valueIn(end.bytes.slice(end.start, end.end));
      end.release();
      return taken;
    }
    case 'put':
      end.pushSync(recordOf(handle, value));
      return undefined;
    case 'take':
      return valueIn(end.popSync());
    case 'putOrEnd':
      return ended(() => end.pushSync(recordOf(handle, value)));
    case 'takeEight':
      return end.readySync({ bytes: 8 }) ? valueIn(end.tryPop()) : undefined;
    case 'takeSixteen':
      return end.readySync({ bytes: 16 }) ? valueIn(end.tryPop()) : undefined;
    case 'putLong':
      end.pushSync(Uint8Array.of(value as number, 0, 0, checkByte, 0, 0, 0, 0, 0, 0, 0, 0));
      return undefined;
    case 'takeReady':
      return end.readySync() ? valueIn(end.tryPop()) : undefined;
    case 'putAsync':
      return end.push(record(value)).then(() => undefined);
    case 'takeAsync':
      return end.pop().then(valueIn);
    default:
      end.close();
      return undefined;
  }
}

export const repeat = (count: number, name: string, from = 1): Operation[] =>
  Array.from({ length: count }, (_, index) => [name, from + index]);

const options = (copy: CopyKernel = 'words') => ({ copy, spin: 0, ref: false });

type Attach = (handle: RingHandle) => object;
const thread = (attach: Attach, ops: readonly Operation[]): ScriptedThread<RingHandle> => ({
  attach,
  ops,
  call,
});
const producer = (ring: Package, ops: readonly Operation[], copy?: CopyKernel) =>
  thread((handle) => ring.attachProducer(handle, options(copy)), ops);
const consumer = (ring: Package, ops: readonly Operation[], copy?: CopyKernel) =>
  thread((handle) => ring.attachConsumer(handle, options(copy)), ops);

const calls = {
  push: ['tryPush', 'claim'],
  pop: ['tryPop', 'popInto', 'drain', 'peek'],
  take: ['take', 'takeReady', 'takeEight', 'takeSixteen', 'takeAsync'],
  put: ['put', 'putLong', 'putAsync'],
};

const isFull = ({ name, result }: ReturnedCall): boolean =>
  calls.push.includes(name) && result === false;
const isEmpty = ({ name, result }: ReturnedCall): boolean =>
  calls.pop.includes(name) && result === undefined;

const base = (
  name: string,
  scenario: Omit<Scenario<RingHandle>, 'name' | 'fingerprint'>,
): Scenario<RingHandle> => ({
  name,
  fingerprint: 'fields',
  bounds: { states: 30_000_000 },
  ...scenario,
});

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

const blocking = (
  puts: number,
  takes = puts,
  { startIndex = 0, deep = false } = {},
): Definition => {
  const from = startIndex === 0 ? '' : `, from ${startIndex}`;
  const name = `SPSC blocking, ${puts} x ${takes}, room for 2${from}`;
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
          bounds: { states: 100_000_000 }, // 8 x 8 has some 30 million
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
      }),
    ),
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

const slots = (pushes: number, pops: number, deep = false): Definition => {
  const name = `SPSC slots, ${pushes} x ${pops}, 2 slots`;
  return {
    name,
    deep,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createSlotRing({ slotCount: 2, slotBytes: 4 }).handle,
          threads: [
            thread(
              (handle) => ring.attachSlotProducer(handle, options()),
              repeat(pushes, 'tryPush'),
            ),
            thread((handle) => ring.attachSlotConsumer(handle, options()), repeat(pops, 'tryPop')),
          ],
          spec: fifo({ capacity: 2, ...calls }),
          cover: { full: isFull, empty: isEmpty },
        }),
      ),
  };
};

/** Records of one lane in order, lanes in any order. */
const laneSpec = (laneCount: number, room: number): AnySpec => ({
  initial: Array.from({ length: laneCount }, () => []),
  step(lanes: number[][], { name, args, thread: lane }) {
    if (name === 'tryPush') {
      if (lanes[lane]!.length === room) return [[lanes, true, false]];
      const next = lanes.map((items, index) =>
        index === lane ? [...items, args[0] as number] : items,
      );
      return [[next, true, true]];
    }
    const taken = lanes.flatMap((items, index) => {
      if (items.length === 0) return [];
      const rest = lanes.map((other, place) => (place === index ? other.slice(1) : other));
      return [[rest, true, items[0]] as const];
    });
    return taken.length > 0 || name !== 'tryPop' ? taken : [[lanes, true, undefined]];
  },
});

const lanes = (
  name: string,
  scripts: readonly (readonly Operation[])[],
  crash = false,
  deep = false,
): Definition => ({
  name,
  deep,
  run: (ring) => {
    const laneCount = scripts.length - 1;
    const room = 2;
    return check(
      base(name, {
        setup: () => ring.createLanes({ laneCount, capacity: room * 8 }).handle,
        threads: scripts.map((ops, lane) =>
          lane < laneCount
            ? { ...thread((handle) => ring.attachLane(handle, { ...options(), lane }), ops), crash }
            : thread((handle) => ring.attachLanesConsumer(handle, options()), ops),
        ),
        spec: laneSpec(laneCount, room),
        cover: crash
          ? ['crashed']
          : scripts.at(-1)![0]![0] === 'takeReady'
            ? ['blocked', 'woken']
            : {},
      }),
    );
  },
});

const queue = (
  name: string,
  scripts: readonly (readonly Operation[])[],
  deep = false,
): Definition => ({
  name,
  deep,
  run: (ring) =>
    check(
      base(name, {
        setup: () => ring.createQueue({ slotCount: 2, slotBytes: 4 }).handle,
        threads: scripts.map((ops) => thread((handle) => ring.attachQueue(handle, options()), ops)),
        spec: twoPhaseFifo({ capacity: 2, ...calls }),
        cover: ['cas-failed'] satisfies BuiltinCoverage[],
      }),
    ),
});

/**
 * One of two threads is killed at any point of its call: what the queue then refuses although there are records, or
 * there is room, it explains by `halfDone`, and nothing else.
 */
const queueKilled = (call: 'push' | 'pop'): Definition => {
  const name = `queue, ${call} killed at any point: it goes on, or says where it stands`;
  return {
    name,
    run: (ring) =>
      check({
        name,
        setup: () => {
          const { handle } = ring.createQueue({ slotCount: 2, slotBytes: 4 });
          const queue = ring.attachQueue(handle, options());
          if (call === 'pop') while (queue.tryPush(record(1)));
          return handle;
        },
        threads: [
          {
            crash: true,
            run: (handle) => {
              const queue = ring.attachQueue(handle, options());
              if (call === 'push') queue.tryPush(record(1));
              else queue.tryPop();
            },
          },
          {
            run: (handle) => {
              const queue = ring.attachQueue(handle, options());
              if (call === 'push') queue.tryPush(record(2));
              else queue.tryPop();
            },
          },
        ],
        final: (handle: RingHandle) => {
          const queue = ring.attachQueue(handle, options());
          const [stands, count] =
            call === 'push'
              ? [!queue['hasRecord'](), queue.count]
              : [!queue['hasRoom'](), queue.capacity - queue.count];
          const said = queue.halfDone?.call;
          return said === (stands && count > 0 ? call : undefined) || `${count}, but says ${said}`;
        },
        cover: ['crashed'] satisfies BuiltinCoverage[],
      }),
  };
};

/** Values are pushed in ascending order: a pop gives a newer one than the last, or nothing if there is none. */
const lossySpec = (consumers: number): AnySpec => ({
  initial: { published: 0, last: new Array<number>(consumers).fill(0) },
  step({ published, last }: { published: number; last: number[] }, { name, thread: index }) {
    if (name === 'tryPush') return [[{ published: published + 1, last }, true, true]];
    const own = last[index - 1]!;
    if (published === own) return [[{ published, last }, true, undefined]];
    return Array.from({ length: published - own }, (_, gap) => {
      const value = own + 1 + gap;
      return [{ published, last: last.with(index - 1, value) }, true, value] as const;
    });
  },
});

interface Broadcast extends RingHandle {
  /** Consumers that have attached. */
  readonly attached: Int32Array;
}

/**
 * One producer, and consumers that may lose records. The producer begins when all consumers have attached, or with
 * `joining` at once, so that they attach while records come and go.
 */
const broadcast = (
  pushes: number,
  pops: readonly number[],
  { deep = false, joining = false } = {},
): Definition => {
  const how = joining ? ', attaching meanwhile' : '';
  const name = `broadcast, ${pushes} pushes, pops ${pops.join(' and ')}, room for 2${how}`;
  const scenario = (ring: Package): Scenario<Broadcast> => {
    const producing: ScriptedThread<Broadcast> = {
      attach(handle) {
        for (;;) {
          const count = Atomics.load(handle.attached, 0);
          if (joining || count === pops.length)
            return ring.attachBroadcastProducer(handle, options());
          Atomics.wait(handle.attached, 0, count);
        }
      },
      ops: repeat(pushes, 'tryPush'),
      call,
    };
    const consuming = (count: number): ScriptedThread<Broadcast> => ({
      attach(handle) {
        const consumer = ring.attachBroadcastConsumer(handle, { ...options(), from: 'oldest' });
        Atomics.add(handle.attached, 0, 1);
        Atomics.notify(handle.attached, 0);
        return consumer;
      },
      ops: repeat(count, 'tryPop'),
      call,
    });
    return {
      name,
      setup: () => ({
        ...ring.createBroadcast({ capacity: 32 }).handle,
        attached: new Int32Array(new SharedArrayBuffer(4)),
      }),
      threads: [producing, ...pops.map(consuming)],
      spec: lossySpec(pops.length),
      racy: ({ buffer }) => [{ view: new Uint8Array(buffer, 1024, 32), name: 'records' }],
      fingerprint: 'fields',
      bounds: { states: 30_000_000 },
    };
  };
  return { name, deep, run: (ring) => check(scenario(ring)) };
};

const push = (...values: number[]): Operation[] => values.map((value) => ['tryPush', value]);

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
  spsc({ pushes: 12, pops: 15, room: 2, deep: true }),
  spsc({ pushes: 12, pops: 15, room: 4, deep: true }),
  blocking(3),
  blocking(3, 1, { startIndex: -16 }), // a target of 0 isn't reached
  blocking(4, 4, { deep: true }),
  blocking(8, 8, { deep: true }),
  watermark,
  refusedBelowWatermark,
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
  slots(6, 8),
  slots(12, 15, true),
  lanes('lanes, 2 producers x 1, 3 pops', [push(1), push(2), repeat(3, 'tryPop')]),
  lanes('lanes, 2 producers x 1, consumer sleeps', [push(1), push(2), repeat(2, 'takeReady')]),
  lanes('lanes, 2 producers killed at any point', [push(1), push(2), repeat(2, 'tryPop')], true),
  lanes(
    'lanes, 2 producers x 2, 4 pops',
    [push(1, 3), push(2, 4), repeat(4, 'tryPop')],
    false,
    true,
  ),
  queue('queue, 2 producers x 1, 1 consumer x 2', [push(1), push(2), repeat(2, 'tryPop')]),
  queue('queue, 2 producers x 1, consumer sleeps', [push(1), push(2), repeat(2, 'take')]),
  queue('queue, 2 producers x 2, 1 consumer x 4', [push(1, 2), push(3, 4), repeat(4, 'tryPop')]),
  queue('queue, 2 producers x 1, 2 consumers x 1', [
    push(1),
    push(2),
    repeat(1, 'tryPop'),
    repeat(1, 'tryPop'),
  ]),
  queueKilled('push'),
  queueKilled('pop'),
  queue(
    'queue, 2 producers x 2, 2 consumers x 2',
    [push(1, 2), push(3, 4), repeat(2, 'tryPop'), repeat(2, 'tryPop')],
    true,
  ),
  queue(
    'queue, 2 producers x 2 and 1, 2 consumers x 1',
    [push(1, 2), push(3), repeat(1, 'tryPop'), repeat(1, 'tryPop')],
    true,
  ),
];

/** Racy on purpose. */
const racyDefinitions: readonly Definition[] = [
  broadcast(3, [2]),
  broadcast(4, [2]),
  broadcast(3, [1, 1], { deep: true }),
  broadcast(5, [2], { deep: true }),
  broadcast(3, [1], { joining: true }),
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
