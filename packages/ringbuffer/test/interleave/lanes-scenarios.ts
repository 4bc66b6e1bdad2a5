/** Scenarios of groups of lanes: a producer per lane, one consumer; in the lanes' order and in total order. */
import {
  type AnySpec,
  type BuiltinCoverage,
  check,
  type Operation,
  type ScriptedThread,
  type SpecStep,
} from '@millrace/interleave';
import type { RingHandle } from '@millrace/ringbuffer';
import {
  base,
  call,
  type Definition,
  ended,
  type Killed,
  options,
  type Package,
  push,
  record,
  repeat,
  thread,
  valueIn,
} from './parts.ts';

/** Records of 4 bytes that fit into a lane. */
const room = 2;

/** Records of one lane in order, lanes in any order. */
const laneSpec = (laneCount: number): AnySpec => ({
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

/** A record in total order: whose it is, and whether it is there, only its number taken, or that before the attach. */
type Numbered = readonly [lane: number, value: number, state: 'there' | 'taken' | 'taken before'];

/**
 * One order of all records. A push takes its number and then publishes; a pop finds nothing while the next number
 * is taken and its record not there, but needn't wait for one whose push was under way when the consumer came.
 */
const totalSpec: AnySpec = {
  initial: [],
  step(line: Numbered[], { name, args, thread: lane, phase }) {
    if (name === 'join') {
      const late = line.map(
        (entry): Numbered => (entry[2] === 'taken' ? [entry[0], entry[1], 'taken before'] : entry),
      );
      return [[late, true, undefined]];
    }
    if (name === 'tryPush') {
      if (phase === 0) {
        const own = line.filter((entry) => entry[0] === lane);
        if (own.length === room) return [[line, true, false]];
        return [[[...line, [lane, args[0] as number, 'taken']], false]];
      }
      const next = line.map(
        (entry): Numbered => (entry[0] === lane ? [lane, entry[1], 'there'] : entry),
      );
      return [[next, true, true]];
    }
    const next = line.find(([, , state]) => state !== 'taken before');
    const steps: SpecStep<Numbered[]>[] = [];
    if (next?.[2] === 'there') steps.push([line.filter((entry) => entry !== next), true, next[1]]);
    if (name === 'tryPop' && (line.length === 0 || line[0]![2] !== 'there')) {
      steps.push([line, true, undefined]);
    }
    return steps;
  },
};

/** A consumer that attaches by a call of its own, so that the specification knows when. */
interface Joining {
  consumer: object | undefined;
}

const joining = (ring: Package, ops: readonly Operation[]): ScriptedThread<RingHandle> => ({
  attach: (handle): Joining & { readonly handle: RingHandle } => ({ handle, consumer: undefined }),
  ops: [['join'], ...ops],
  call(holder, name, args) {
    const held = holder as Joining & { readonly handle: RingHandle };
    if (name !== 'join') return call(held.consumer!, name, args);
    held.consumer = ring.attachLanesConsumer(held.handle, options());
    return undefined;
  },
});

interface LanesOf {
  readonly killed?: Killed;
  readonly deep?: boolean;
  readonly order?: 'lane' | 'total';
  readonly startIndex?: number;
}

/** Scripts of the producers and, last, of the consumer. */
const lanes = (
  name: string,
  scripts: readonly (readonly Operation[])[],
  { killed, deep = false, order = 'lane', startIndex = 0 }: LanesOf = {},
): Definition => ({
  name,
  deep,
  run: (ring) => {
    const laneCount = scripts.length - 1;
    // A record takes 8 bytes, and in total order 12: what is left of 32 bytes needs a skip.
    const capacity = order === 'lane' ? room * 8 : room * 16;
    const spec = order === 'lane' ? laneSpec(laneCount) : totalSpec;
    return check(
      base(name, {
        setup: () => ring.createLanes({ laneCount, capacity, order, startIndex }).handle,
        threads: scripts.map((ops, lane) =>
          lane < laneCount
            ? {
                ...thread((handle) => ring.attachLane(handle, { ...options(), lane }), ops),
                crash: killed === 'producer',
              }
            : {
                ...(order === 'total'
                  ? joining(ring, ops)
                  : thread((handle) => ring.attachLanesConsumer(handle, options()), ops)),
                crash: killed === 'consumer',
              },
        ),
        spec,
        cover:
          killed !== undefined
            ? ['crashed']
            : scripts.at(-1)!.some(([name]) => name === 'takeReady')
              ? ['blocked', 'woken']
              : {},
      }),
    );
  },
});

/** All records of a group, by a consumer that comes when all is over. */
const restOf = (ring: Package, handle: RingHandle): unknown[] => {
  const consumer = ring.attachLanesConsumer(handle, options());
  const rest: unknown[] = [];
  consumer.drain((bytes, from, to) => void rest.push(valueIn(bytes.slice(from, to))));
  return rest;
};

/**
 * A producer is killed at any point, declared dead when all is over: what the other one pushed comes in its order, the
 * dead one's records too, and nothing stands in the way.
 */
const totalKilled: Definition = {
  name: 'lanes in total order, producer killed at any point and declared dead: the others go on',
  run: (ring) =>
    check({
      name: 'lanes in total order, producer killed',
      setup: () => ring.createLanes({ laneCount: 2, capacity: 64, order: 'total' }).handle,
      threads: [
        {
          crash: true,
          run(handle) {
            const lane = ring.attachLane(handle, { ...options(), lane: 0 });
            lane.tryPush(record(1));
            lane.tryPush(record(2));
          },
        },
        {
          run(handle) {
            const lane = ring.attachLane(handle, { ...options(), lane: 1 });
            return [3, 4].map((value) => lane.tryPush(record(value))).join();
          },
        },
      ],
      final(handle: RingHandle, [, pushed]) {
        ring.markLaneDead(handle, 0);
        const rest = restOf(ring, handle).join();
        const ofDead = rest.replace(/[34],?/g, '').replace(/,$/, '');
        const ofOther = rest.replace(/[12],?/g, '').replace(/,$/, '');
        const isWhole = ofOther === '3,4' && ['', '1', '1,2'].includes(ofDead);
        return (pushed!.join() === 'true,true' && isWhole) || `pushed ${pushed}, found ${rest}`;
      },
      cover: ['crashed'] satisfies BuiltinCoverage[],
    }),
};

/** Two records under one call, and a number of another between their numbers or not: whole, and in order. */
const totalMany: Definition = {
  name: 'lanes in total order, two records at once beside another producer',
  run: (ring) =>
    check({
      name: 'lanes in total order, many',
      setup: () => ring.createLanes({ laneCount: 2, capacity: 64, order: 'total' }).handle,
      threads: [
        {
          run: (handle) =>
            ring.attachLane(handle, { ...options(), lane: 0 }).tryPushMany([record(1), record(2)]),
        },
        {
          run: (handle) => ring.attachLane(handle, { ...options(), lane: 1 }).tryPush(record(3)),
        },
        {
          run(handle) {
            const consumer = ring.attachLanesConsumer(handle, options());
            const got = [1, 2, 3].map(() => valueIn(consumer.tryPop()));
            return [got.filter((value) => value !== undefined).join(), consumer.skipped];
          },
        },
      ],
      final(handle: RingHandle, [, , taken]) {
        const [got, skipped] = taken![0] as [string, number];
        const all = [got, ...restOf(ring, handle)].filter((value) => value !== '').join();
        const isRight = ['1,2,3', '1,3,2', '3,1,2'].includes(all) && skipped === 0;
        return isRight || `${all}, ${skipped} skipped`;
      },
    }),
};

/** Takes a free lane, pushes and closes: whether the push was admitted, or why there was no lane. */
function pushOnTakenLane(ring: Package, handle: RingHandle, value: number): unknown {
  try {
    const lane = ring.attachLane(handle, options());
    const pushed = lane.tryPush(record(value));
    lane.close();
    return pushed;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** A lane is sealed while somebody takes it: it is his, and what he pushes comes, or it has ended. */
const sealed: Definition = {
  name: 'lanes, sealed while a producer takes its lane',
  run: (ring) =>
    check({
      name: 'lanes sealed',
      setup: () => ring.createLanes({ laneCount: 1, capacity: 16 }).handle,
      threads: [
        { run: (handle) => pushOnTakenLane(ring, handle, 1) },
        {
          run(handle) {
            const consumer = ring.attachLanesConsumer(handle, options());
            consumer.seal();
            const [first, second] = [consumer.popSync(), consumer.popSync()];
            return `${valueIn(first)} ${second} ${consumer.closed} ${consumer.laneEnd(0)?.how}`;
          },
        },
      ],
      final: (_handle, results) =>
        ['true 1 undefined true closed', 'ERR_RING_OWNER undefined undefined true closed'].includes(
          results.join(' '),
        ) || results.join(' '),
      cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
    }),
};

/** A lane is made free while another tries to take it: he gets a lane that works, or none. */
const reopened: Definition = {
  name: 'lanes, reopened while another producer takes the lane',
  run: (ring) =>
    check({
      name: 'lanes reopened',
      setup: () => {
        const { handle } = ring.createLanes({ laneCount: 1, capacity: 32, order: 'total' });
        ring.attachLane(handle, options()).tryPush(record(1));
        Atomics.store(new Int32Array(handle.buffer, 1024), 33, 1); // killed while it claims
        ring.markLaneDead(handle, 0);
        return handle;
      },
      threads: [
        { run: (handle) => pushOnTakenLane(ring, handle, 2) },
        {
          run(handle) {
            const consumer = ring.attachLanesConsumer(handle, options());
            const first = valueIn(consumer.tryPop());
            consumer.reopen(0);
            return first;
          },
        },
      ],
      final(handle: RingHandle, [took, rest]) {
        const { how } = ring.attachLanesConsumer(handle, options()).laneEnd(0) ?? {};
        const found = `${took} ${rest} ${how} ${restOf(ring, handle)}`;
        return ['true 1 closed 2', 'ERR_RING_OWNER 1 undefined '].includes(found) || found;
      },
    }),
};

/** The consumer ends while a producer sleeps, because its lane is full, or works. */
const closes = (puts: number): Definition => {
  const name = `lanes, closed by the consumer while a producer sleeps or works, ${puts} puts`;
  return {
    name,
    run: (ring) =>
      check({
        name,
        setup: () => ring.createLanes({ laneCount: 2, capacity: room * 8 }).handle,
        threads: [
          {
            run: (handle) => {
              const lane = ring.attachLane(handle, { ...options(), lane: 1 });
              return ended(() => repeat(puts, '').map(() => lane.pushSync(record(1))).length);
            },
          },
          { run: (handle) => ring.attachLanesConsumer(handle, options()).close() },
        ],
        final: (handle: RingHandle, [did]) => {
          // Who attaches now learns by the first publication at the latest, and at once if nothing was left.
          const next = ring.attachLane(handle, { ...options(), lane: 0 });
          const found = ended(() => [1, 2].map(() => next.tryPush(record(1))));
          return (
            (found === 'closed' && ['closed', `${puts}`].includes(String(did))) || `${found} ${did}`
          );
        },
        cover: puts > room ? (['blocked', 'woken'] satisfies BuiltinCoverage[]) : [],
      }),
  };
};

/** A consumer that sleeps until all lanes have ended; the first has a record, or not. */
const lanesEnd = (laneCount: number, hasRecord: boolean): Definition => {
  const what = hasRecord ? 'push and close' : 'close';
  const name = `lanes, ${laneCount} producers ${what} while the consumer sleeps or works`;
  return {
    name,
    deep: laneCount > 1 && hasRecord,
    run: (ring) =>
      check(
        base(name, {
          setup: () => ring.createLanes({ laneCount, capacity: 16 }).handle,
          threads: [
            ...Array.from({ length: laneCount }, (_, lane) =>
              thread(
                (handle) => ring.attachLane(handle, { ...options(), lane }),
                lane === 0 && hasRecord ? [['tryPush', 1], ['close']] : [['close']],
              ),
            ),
            thread(
              (handle) => ring.attachLanesConsumer(handle, options()),
              [...(hasRecord ? repeat(1, 'take') : []), ['take']],
            ),
          ],
          final: (_handle, results) =>
            results.at(-1)!.join() === (hasRecord ? '1,' : '') || `got ${results.at(-1)}`,
          cover: ['blocked', 'woken'] satisfies BuiltinCoverage[],
        }),
      ),
  };
};

/** The scenarios of lanes. */
export const lanesDefinitions: readonly Definition[] = [
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
  lanes('lanes in total order, 2 producers x 1, 3 pops', [push(1), push(2), repeat(3, 'tryPop')], {
    order: 'total',
  }),
  lanes(
    'lanes in total order, 1 producer x 2, consumer sleeps',
    [push(1, 2), repeat(2, 'takeReady')],
    {
      order: 'total',
    },
  ),
  lanes(
    'lanes in total order, 2 producers x 1, consumer sleeps',
    [push(1), push(2), repeat(2, 'takeReady')],
    { order: 'total', deep: true },
  ),
  lanes(
    'lanes in total order, 2 producers killed at any point',
    [push(1), push(2), repeat(2, 'tryPop')],
    { order: 'total', killed: 'producer' },
  ),
  lanes(
    'lanes in total order, 2 producers x 2, 4 pops',
    [push(1, 3), push(2, 4), repeat(4, 'tryPop')],
    { order: 'total', deep: true },
  ),
  ...[-8, 0x7ffffff8].map((startIndex) =>
    lanes(
      `lanes, 2 producers x 2, 4 pops, from ${startIndex}`,
      [push(1, 3), push(2, 4), repeat(4, 'tryPop')],
      {
        startIndex,
      },
    ),
  ),
  ...[-12, 0x7ffffff4].map((startIndex) =>
    lanes(
      `lanes in total order, 1 producer x 3, 4 pops, from ${startIndex}`,
      [push(1, 2, 3), repeat(4, 'tryPop')],
      {
        order: 'total',
        startIndex,
      },
    ),
  ),
  totalKilled,
  totalMany,
  sealed,
  reopened,
  lanesEnd(1, true),
  lanesEnd(2, false),
  lanesEnd(2, true),
  closes(2),
  closes(3),
];
