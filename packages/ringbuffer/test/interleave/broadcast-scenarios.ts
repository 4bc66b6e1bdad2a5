/**
 * Scenarios of broadcast rings: one producer that overwrites, consumers that lose records. Their races are intended,
 * and modelled: a racy read returns whatever the memory model allows.
 */
import {
  type AnySpec,
  type BuiltinCoverage,
  check,
  type Scenario,
  type ScriptedThread,
} from '@millrace/interleave';
import type { RingHandle } from '@millrace/ringbuffer';
import {
  call,
  type Definition,
  from,
  type Killed,
  options,
  type Package,
  repeat,
} from './parts.ts';

interface Lossy {
  readonly published: number;
  readonly last: readonly number[];
  readonly closed: boolean;
}

/** Values are pushed in ascending order: a pop gives a newer one than the last, or nothing if there is none. */
const lossySpec = (consumers: number): AnySpec => ({
  initial: { published: 0, last: new Array<number>(consumers).fill(0), closed: false },
  step(state: Lossy, { name, thread: index }) {
    const { published, last } = state;
    if (name === 'tryPush') return [[{ ...state, published: published + 1 }, true, true]];
    if (name === 'close') return [[{ ...state, closed: true }, true, undefined]];
    const own = last[index - 1]!;
    if (published === own) {
      return name !== 'take' || state.closed ? [[state, true, undefined]] : [];
    }
    return Array.from({ length: published - own }, (_, gap) => {
      const value = own + 1 + gap;
      return [{ ...state, last: last.with(index - 1, value) }, true, value] as const;
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
  readonly startIndex?: number;
  /** Whether consumers sleep until there is a record, or the end. */
  readonly sleeping?: boolean;
  readonly pop?: 'tryPop' | 'drain' | 'popCounted';
}

/** One producer, and consumers that may lose records. */
const broadcast = (
  pushes: number,
  pops: readonly number[],
  {
    deep = false,
    killed,
    startIndex = 0,
    sleeping = false,
    pop = 'tryPop',
    joining = killed !== undefined,
  }: BroadcastOptions = {},
): Definition => {
  const how = `${joining ? ', attaching meanwhile' : ''}${pop === 'drain' ? ', by drain' : ''}${from(startIndex)}`;
  const name = sleeping
    ? `broadcast, ${pushes} pushes and the end, the consumer sleeps`
    : killed === undefined
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
      ops: [...repeat(pushes, 'tryPush'), ...(sleeping ? [['close'] as const] : [])],
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
      ops: repeat(count, sleeping ? 'take' : pop),
      call,
      crash: killed === 'consumer',
    });
    return {
      name,
      setup: () => ({
        ...ring.createBroadcast({ capacity: 32, startIndex }).handle,
        attached: new Int32Array(new SharedArrayBuffer(4)),
      }),
      threads: [producing, ...pops.map(consuming)],
      spec: lossySpec(pops.length),
      racy: ({ buffer }) => [{ view: new Uint8Array(buffer, 1024, 32), name: 'records' }],
      fingerprint: 'fields',
      bounds: { states: 30_000_000 },
      cover: [
        ...(killed === undefined ? [] : (['crashed'] as const)),
        ...(sleeping ? (['blocked', 'woken'] as const) : []),
      ] satisfies BuiltinCoverage[],
    };
  };
  return { name, deep, run: (ring) => check(scenario(ring)) };
};

/** Racy on purpose. */
export const racyDefinitions: readonly Definition[] = [
  broadcast(3, [2]),
  broadcast(4, [2]),
  broadcast(3, [2], { startIndex: -32 }),
  broadcast(3, [2], { startIndex: 0x7fffffe0 }),
  broadcast(3, [1, 1], { deep: true }),
  broadcast(5, [2], { deep: true }),
  broadcast(3, [1], { joining: true, pop: 'popCounted' }),
  broadcast(3, [2], { pop: 'drain' }),
  broadcast(1, [2], { sleeping: true }),
  broadcast(2, [2], { sleeping: true }),
  broadcast(3, [1], { killed: 'producer' }),
  broadcast(3, [1], { killed: 'consumer' }),
];
