/**
 * Scenarios of the structures that more than two threads use, and of slots: lanes, the work queue, broadcast.
 */
import {
  type AnySpec,
  type BuiltinCoverage,
  check,
  checkAsync,
  fifo,
  type Operation,
  type Scenario,
  type ScriptedThread,
  twoPhaseFifo,
} from '@millrace/interleave';
import type { RingHandle } from '@millrace/ringbuffer';
import {
  base,
  call,
  calls,
  type Definition,
  isEmpty,
  isFull,
  options,
  type Package,
  record,
  repeat,
  thread,
} from './parts.ts';

/** Which end is killed at any point. */
type Killed = 'producer' | 'consumer';

const slots = (pushes: number, pops: number, deep = false, killed?: Killed): Definition => {
  const name =
    killed === undefined
      ? `SPSC slots, ${pushes} x ${pops}, 2 slots`
      : `slots, ${killed} killed at any point`;
  return {
    name,
    deep,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createSlotRing({ slotCount: 2, slotBytes: 4 }).handle,
          threads: [
            {
              ...thread(
                (handle) => ring.attachSlotProducer(handle, options()),
                repeat(pushes, 'tryPush'),
              ),
              crash: killed === 'producer',
            },
            {
              ...thread(
                (handle) => ring.attachSlotConsumer(handle, options()),
                repeat(pops, 'tryPop'),
              ),
              crash: killed === 'consumer',
            },
          ],
          spec: fifo({ capacity: 2, ...calls }),
          cover: killed === undefined ? { full: isFull, empty: isEmpty } : ['crashed'],
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

/** Scripts of the producers and, last, of the consumer. */
const lanes = (
  name: string,
  scripts: readonly (readonly Operation[])[],
  { killed, deep = false }: { readonly killed?: Killed; readonly deep?: boolean } = {},
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
            ? {
                ...thread((handle) => ring.attachLane(handle, { ...options(), lane }), ops),
                crash: killed === 'producer',
              }
            : {
                ...thread((handle) => ring.attachLanesConsumer(handle, options()), ops),
                crash: killed === 'consumer',
              },
        ),
        spec: laneSpec(laneCount, room),
        cover:
          killed !== undefined
            ? ['crashed']
            : scripts.at(-1)![0]![0] === 'takeReady'
              ? ['blocked', 'woken']
              : {},
      }),
    );
  },
});

/** The first thread may be killed at any point. */
const queue = (
  name: string,
  scripts: readonly (readonly Operation[])[],
  { killed = false, deep = false } = {},
): Definition => ({
  name,
  deep,
  run: (ring) =>
    check(
      base(name, {
        setup: () => ring.createQueue({ slotCount: 2, slotBytes: 4 }).handle,
        threads: scripts.map((ops, index) => ({
          ...thread((handle) => ring.attachQueue(handle, options()), ops),
          crash: killed && index === 0,
        })),
        spec: twoPhaseFifo({ capacity: 2, ...calls }),
        cover: [killed ? 'crashed' : 'cas-failed'] satisfies BuiltinCoverage[],
      }),
    ),
});

/** Threads that sleep on a queue that holds the last of `held`; their results must be one of `allowed`. */
const queueAsleep = (
  name: string,
  held: readonly number[],
  scripts: readonly (readonly Operation[])[],
  allowed: readonly string[],
  deep = false,
): Definition => ({
  name,
  deep,
  run: (ring) => {
    const scenario = base(name, {
      setup: () => {
        const { handle } = ring.createQueue({ slotCount: 2, slotBytes: 4 });
        const queue = ring.attachQueue(handle, options());
        for (const value of held) {
          while (!queue.tryPush(record(value))) queue.tryPop();
        }
        return handle;
      },
      threads: scripts.map((ops) => thread((handle) => ring.attachQueue(handle, options()), ops)),
      final: (_handle, results) =>
        allowed.includes(results.join(' ')) || `got ${results.join(' ')}`,
      cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
    });
    const isAsync = scripts.some(([first]) => first![0].endsWith('Async'));
    return isAsync ? checkAsync(scenario) : check(scenario);
  },
});

const queueLookedAt: Definition = {
  name: 'queue, looked at while it is used',
  run: (ring) =>
    check(
      base('queue looked at', {
        setup: () => ring.createQueue({ slotCount: 2, slotBytes: 4 }).handle,
        threads: [
          thread((handle) => ring.attachQueue(handle, options()), [['tryPush', 1], ['tryPop']]),
          {
            run: (handle) => {
              const queue = ring.attachQueue(handle, options());
              const { call, slot } = queue.halfDone ?? {};
              return [queue.count, call, slot].join();
            },
          },
        ],
        final: (_handle, [, seen]) => /^[01],(,|push,0)$/.test(String(seen)) || `saw ${seen}`,
      }),
    ),
};

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

interface BroadcastOptions {
  readonly deep?: boolean;
  /** Whether consumers attach while records come and go, not before. */
  readonly joining?: boolean;
  readonly killed?: Killed;
}

/** One producer, and consumers that may lose records. */
const broadcast = (
  pushes: number,
  pops: readonly number[],
  { deep = false, killed, joining = killed !== undefined }: BroadcastOptions = {},
): Definition => {
  const how = joining ? ', attaching meanwhile' : '';
  const name =
    killed === undefined
      ? `broadcast, ${pushes} pushes, pops ${pops.join(' and ')}, room for 2${how}`
      : `broadcast, ${killed} killed at any point`;
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
      crash: killed === 'producer',
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
      crash: killed === 'consumer',
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
      cover: killed === undefined ? [] : (['crashed'] satisfies BuiltinCoverage[]),
    };
  };
  return { name, deep, run: (ring) => check(scenario(ring)) };
};

const push = (...values: number[]): Operation[] => values.map((value) => ['tryPush', value]);

/** The scenarios of the work queue. */
export const queueDefinitions: readonly Definition[] = [
  queueAsleep(
    'queue, a pusher sleeps until there is room',
    [0, 1, 2],
    [[['putOrEnd', 3]], [['tryPop']]],
    ['true 1'],
  ),
  queueAsleep(
    'queue, closed while a pusher sleeps',
    [1, 2],
    [[['putOrEnd', 3]], [['close']]],
    ['closed '],
  ),
  queueAsleep(
    'queue, closed while two poppers sleep or take the last record',
    [1],
    [[['take']], [['take']], [['close']]],
    ['1  ', ' 1 '],
  ),
  queueAsleep('queue, async pusher sleeps', [1, 2], [[['putAsync', 3]], [['tryPop']]], [' 1']),
  queueAsleep(
    'queue, two poppers sleep, one record and the end',
    [],
    [[['take']], [['take']], [['tryPush', 1], ['close']]],
    ['1  true,', ' 1 true,'],
    true,
  ),
  queueAsleep(
    'queue, a pusher sleeps beside another',
    [1, 2],
    [[['putOrEnd', 3]], [['tryPush', 4]], repeat(2, 'tryPop')],
    ['true true 1,2', 'true false 1,2'],
  ),
  queueAsleep(
    'queue, closed while an async popper sleeps',
    [],
    [[['takeAsync']], [['close']]],
    [' '],
  ),
  queueAsleep('queue, async popper sleeps', [], [[['takeAsync']], [['tryPush', 3]]], ['3 true']),
  queue('queue, 2 producers x 1, 1 consumer x 2', [push(1), push(2), repeat(2, 'tryPop')]),
  queue('queue, 2 producers x 1, consumer sleeps', [push(1), push(2), repeat(2, 'take')]),
  queue('queue, 2 producers x 2, 1 consumer x 4', [push(1, 2), push(3, 4), repeat(4, 'tryPop')]),
  queue('queue, 2 producers x 1, 2 consumers x 1', [
    push(1),
    push(2),
    repeat(1, 'tryPop'),
    repeat(1, 'tryPop'),
  ]),
  queue('queue, producer killed at any point', [push(1, 2), push(3), repeat(2, 'tryPop')], {
    killed: true,
  }),
  queue(
    'queue, consumer killed at any point',
    [repeat(2, 'tryPop'), push(1, 2), push(3), repeat(1, 'tryPop')],
    { killed: true },
  ),
  queueLookedAt,
  queueKilled('push'),
  queueKilled('pop'),
  queue(
    'queue, 2 producers x 2, 2 consumers x 2',
    [push(1, 2), push(3, 4), repeat(2, 'tryPop'), repeat(2, 'tryPop')],
    { deep: true },
  ),
  queue(
    'queue, 2 producers x 2 and 1, 2 consumers x 1',
    [push(1, 2), push(3), repeat(1, 'tryPop'), repeat(1, 'tryPop')],
    { deep: true },
  ),
];

/** The scenarios of this file. */
export const groupDefinitions: readonly Definition[] = [
  slots(6, 8),
  slots(12, 15, true),
  slots(3, 4, false, 'producer'),
  slots(3, 4, false, 'consumer'),
  lanes('lanes, 2 producers x 1, 3 pops', [push(1), push(2), repeat(3, 'tryPop')]),
  lanes('lanes, 2 producers x 1, consumer sleeps', [push(1), push(2), repeat(2, 'takeReady')]),
  lanes('lanes, 2 producers killed at any point', [push(1), push(2), repeat(2, 'tryPop')], {
    killed: 'producer',
  }),
  lanes('lanes, consumer killed at any point', [push(1), push(2), repeat(2, 'tryPop')], {
    killed: 'consumer',
  }),
  lanes('lanes, 2 producers x 2, 4 pops', [push(1, 3), push(2, 4), repeat(4, 'tryPop')], {
    deep: true,
  }),
  ...queueDefinitions,
];

/** Racy on purpose. */
export const racyDefinitions: readonly Definition[] = [
  broadcast(3, [2]),
  broadcast(4, [2]),
  broadcast(3, [1, 1], { deep: true }),
  broadcast(5, [2], { deep: true }),
  broadcast(3, [1], { joining: true }),
  broadcast(3, [1], { killed: 'producer' }),
  broadcast(3, [1], { killed: 'consumer' }),
];
