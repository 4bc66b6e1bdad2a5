/**
 * A thread of each topology killed at any point, as by `worker.terminate()`: whatever the others get afterwards is
 * what was published, whole and in order, and no call of theirs hangs. Killed ends of the ring itself and killed
 * lanes are among the scenarios of scenarios.ts.
 */
import {
  type AnySpec,
  type CheckResult,
  check,
  fifo,
  type Operation,
  type Scenario,
  type ScriptedThread,
  twoPhaseFifo,
} from '@millrace/interleave';
import {
  attachBroadcastConsumer,
  attachBroadcastProducer,
  attachLane,
  attachLanesConsumer,
  attachQueue,
  attachSlotConsumer,
  attachSlotProducer,
  createBroadcast,
  createLanes,
  createQueue,
  createSlotRing,
  type RingHandle,
} from '@millrace/ringbuffer';

const CHECK_BYTE = 0xa5;
const options = { copy: 'words', spin: 0, ref: false } as const;
const operations = { push: ['tryPush'], pop: ['tryPop'] };

interface End {
  tryPush(source: Uint8Array): boolean;
  tryPop(): Uint8Array | undefined;
}

/** Statistics that change nothing; without them more states of a handle are equal. */
const statistics = ['wakes', 'fullHits', 'highWater', 'pushed', 'popped', 'dropped'];

function call(handle: object, name: string, [value]: readonly unknown[]): unknown {
  const end = handle as End;
  let result: unknown;
  if (name === 'tryPush') {
    result = end.tryPush(Uint8Array.of(value as number, 0, 0, CHECK_BYTE));
  } else {
    const bytes = end.tryPop();
    if (bytes !== undefined) result = bytes[3] === CHECK_BYTE ? bytes[0] : `torn: ${bytes}`;
  }
  const fields = handle as Record<string, unknown>;
  for (const field of statistics) if (field in fields) fields[field] = 0;
  return result;
}

const push = (...values: number[]): Operation[] => values.map((value) => ['tryPush', value]);
const pop = (count: number): Operation[] => Array.from({ length: count }, () => ['tryPop']);

type Attach = (handle: RingHandle) => object;
const thread = (
  attach: Attach,
  ops: readonly Operation[],
  crash = false,
): ScriptedThread<RingHandle> => ({ attach, ops, call, crash });

/** Records of one lane in order, lanes in any order. */
const lanesSpec = (laneCount: number, room: number): AnySpec => ({
  initial: Array.from({ length: laneCount }, () => []),
  step(lanes: number[][], { name, args, thread: lane }) {
    if (name === 'tryPush') {
      if (lanes[lane]!.length === room) return [[lanes, true, false]];
      return [[lanes.with(lane, [...lanes[lane]!, args[0] as number]), true, true]];
    }
    const taken = lanes.flatMap((items, index) =>
      items.length === 0 ? [] : [[lanes.with(index, items.slice(1)), true, items[0]] as const],
    );
    return taken.length > 0 ? taken : [[lanes, true, undefined]];
  },
});

/** Ascending values of which any may be lost: each is newer than the one before. */
const lossySpec: AnySpec = {
  initial: { published: 0, last: 0 },
  step({ published, last }: { published: number; last: number }, { name }) {
    if (name === 'tryPush') return [[{ published: published + 1, last }, true, true]];
    if (published === last) return [[{ published, last }, true, undefined]];
    return Array.from({ length: published - last }, (_, gap) => {
      const value = last + 1 + gap;
      return [{ published, last: value }, true, value] as const;
    });
  },
};

/** A scenario that a test or the table of scenarios runs. */
interface Proof {
  readonly name: string;
  readonly run: () => CheckResult;
}

const proof = (
  name: string,
  scenario: Omit<Scenario<RingHandle>, 'name' | 'fingerprint' | 'cover'>,
): Proof => ({
  name,
  run: () => check({ name, fingerprint: 'fields', cover: ['crashed'], ...scenario }),
});

const slots = (killed: 'producer' | 'consumer'): Proof =>
  proof(`slots, ${killed} killed at any point`, {
    setup: () => createSlotRing({ slotCount: 2, slotBytes: 4 }).handle,
    threads: [
      thread((handle) => attachSlotProducer(handle, options), push(1, 2, 3), killed === 'producer'),
      thread((handle) => attachSlotConsumer(handle, options), pop(4), killed === 'consumer'),
    ],
    spec: fifo({ capacity: 2, ...operations }),
  });

const lanes: Proof = proof('lanes, consumer killed at any point', {
  setup: () => createLanes({ laneCount: 2, capacity: 16 }).handle,
  threads: [
    thread((handle) => attachLane(handle, { ...options, lane: 0 }), push(1)),
    thread((handle) => attachLane(handle, { ...options, lane: 1 }), push(2)),
    thread((handle) => attachLanesConsumer(handle, options), pop(2), true),
  ],
  spec: lanesSpec(2, 2),
});

/**
 * A producer that dies between claiming a slot and filling it leaves the slot claimed: what comes behind it isn't
 * seen any more, and the queue seems full after a lap. Nothing is lost, torn, reordered or blocked.
 */
const queue = (killed: 'producer' | 'consumer'): Proof => {
  const attach: Attach = (handle) => attachQueue(handle, options);
  return proof(`queue, ${killed} killed at any point`, {
    setup: () => createQueue({ slotCount: 2, slotBytes: 4 }).handle,
    threads: [
      thread(attach, push(1, 2), killed === 'producer'),
      thread(attach, push(3)),
      thread(attach, pop(2), killed === 'consumer'),
      ...(killed === 'consumer' ? [thread(attach, pop(1))] : []),
    ],
    spec: twoPhaseFifo({ capacity: 2, ...operations }),
  });
};

const broadcast = (killed: 'producer' | 'consumer'): Proof =>
  proof(`broadcast, ${killed} killed at any point`, {
    setup: () => createBroadcast({ capacity: 32 }).handle,
    threads: [
      thread(
        (handle) => attachBroadcastProducer(handle, options),
        push(1, 2, 3),
        killed === 'producer',
      ),
      thread(
        (handle) => attachBroadcastConsumer(handle, { ...options, from: 'oldest' }),
        pop(1),
        killed === 'consumer',
      ),
    ],
    spec: lossySpec,
    racy: ({ buffer }) => [{ view: new Uint8Array(buffer, 1024, 32), name: 'records' }],
  });

export const proofs: readonly Proof[] = [
  slots('producer'),
  slots('consumer'),
  lanes,
  queue('producer'),
  queue('consumer'),
  broadcast('producer'),
  broadcast('consumer'),
];
