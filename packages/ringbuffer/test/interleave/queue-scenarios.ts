/** Scenarios of the work queue: producers and consumers that claim by compare-and-swap. */
import {
  type BuiltinCoverage,
  check,
  checkAsync,
  type Operation,
  twoPhaseFifo,
} from '@millrace/interleave';
import type { RingHandle } from '@millrace/ringbuffer';
import {
  base,
  calls,
  type Definition,
  from,
  options,
  push,
  record,
  repeat,
  thread,
} from './parts.ts';

/** The first thread may be killed at any point. */
const queue = (
  name: string,
  scripts: readonly (readonly Operation[])[],
  { killed = false, deep = false, startIndex = 0 } = {},
): Definition => ({
  name: `${name}${from(startIndex)}`,
  deep,
  run: (ring) =>
    check(
      base(name, {
        setup: () => ring.createQueue({ slotCount: 2, slotBytes: 4, startIndex }).handle,
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
    'queue, closed while a push runs and poppers sleep or work: nobody sleeps for ever',
    [],
    [[['take']], [['close'], ['take']], [['pushOrEnd', 1]]],
    ['1 , true', ' ,1 true', ' , true', ' , closed'],
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
  ...[-2, 0x7ffffffe].map((startIndex) =>
    queue('queue, 2 producers x 2, 1 consumer x 4', [push(1, 2), push(3, 4), repeat(4, 'tryPop')], {
      startIndex,
    }),
  ),
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
