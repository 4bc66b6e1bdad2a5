/**
 * What one thread that has all ends of a group of lanes can notice of a broken one: order, what is refused, who may have
 * a lane, and where numbers go on. For the mutation gate, so that the scenarios can be about what threads do to one
 * another.
 */
import type { GateScenario } from '@millrace/interleave/mutate';
import { DRAIN_ABORT, DRAIN_STOP, type LanesOptions, type RingHandle } from '@millrace/ringbuffer';
import { aloneOn, codeOf, same } from './alone.ts';
import type { Package } from './parts.ts';

const quiet = { copy: 'words', spin: 0, ref: false } as const;
/** Words of lanes.ts and layout.ts. */
const [OWNER, CLAIMING, SEQUENCE, DATA_LINE] = [191, 33, 64, 96] as const;
/** Flags of wait.ts. */
const [SLEEPER, BELL, MIRROR] = [1, 2, 4] as const;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export function lanesAloneOf(ring: Package): readonly GateScenario[] {
  const group = (
    name: string,
    options: LanesOptions,
    body: (handle: RingHandle) => void,
    before: (handle: RingHandle) => void = () => {},
  ): GateScenario =>
    aloneOn(
      name,
      () => {
        const { handle } = ring.createLanes(options);
        before(handle);
        return handle;
      },
      body,
    );
  const lane = (handle: RingHandle, index: number, options = {}) =>
    ring.attachLane(handle, { ...quiet, lane: index, ...options });
  const consumerOf = (handle: RingHandle) => ring.attachLanesConsumer(handle, quiet);
  const drained = (consumer: ReturnType<typeof consumerOf>, limit?: number): string[] => {
    const found: string[] = [];
    consumer.drain((data, from, to, kind, index) => {
      found.push(`${index}:${data.slice(from, to)}${kind === 1 ? '!' : ''}`);
    }, limit);
    return found;
  };
  const wordsOf = (handle: RingHandle, index = -1): Int32Array =>
    new Int32Array(handle.buffer, index < 0 ? 0 : 1024 + index * (1024 + 32));
  const total = { laneCount: 2, capacity: 64, order: 'total' } as const;
  const totalLane = (handle: RingHandle, index: number): Int32Array =>
    new Int32Array(handle.buffer, 1024 + index * ((ring.lanesBytes(2, 64) - 1024) / 2));

  return [
    group('lanes take turns', { laneCount: 3, capacity: 32 }, (handle) => {
      const consumer = consumerOf(handle);
      const producers = [0, 1, 2].map((index) => lane(handle, index));
      same(drained(consumer), [], 'nothing');
      producers[1]!.tryPush(bytes(1));
      producers[2]!.tryPush(bytes(2));
      producers[2]!.tryPush(bytes(3, 3), 0, 2, 1);
      same(drained(consumer, 1), ['1:1'], 'the first');
      producers[1]!.tryPush(bytes(4));
      same(drained(consumer, 1), ['2:2'], 'the lane behind');
      same(consumer.lane, 2, 'whose');
      producers[0]!.tryPush(bytes(5));
      same(drained(consumer, 2), ['0:5', '1:4'], 'round again');
      same([consumer.tryPop(), consumer.kind], [bytes(3, 3), 1], 'what was left of a lane');
      same([drained(consumer), consumer.tryPop()], [[], undefined], 'empty');
      same(drained(consumer, 0), [], 'none wanted');
    }),
    group(
      'a callback stops a drain, or gives its record back',
      { laneCount: 2, capacity: 64 },
      (handle) => {
        const consumer = consumerOf(handle);
        for (const index of [0, 1]) {
          const producer = lane(handle, index);
          for (const value of [1, 2]) producer.tryPush(bytes(index * 10 + value));
        }
        const take = (answer: typeof DRAIN_STOP | typeof DRAIN_ABORT): string => {
          const seen: number[] = [];
          const count = consumer.drain((data, from) => {
            seen.push(data[from]!);
            return answer;
          });
          return `${count}: ${seen}`;
        };
        same(take(DRAIN_ABORT), '0: 1', 'given back');
        same(take(DRAIN_STOP), '1: 11', 'the next lane');
        const code = codeOf(() => consumer.drain(() => void consumer.drain(() => {})));
        same(code, 'ERR_RING_ORDER', 'a drain inside');
        const thrown = codeOf(() =>
          consumer.drain(() => {
            throw new Error('poison');
          }),
        );
        same(thrown, 'Error: poison', 'what the callback threw');
        same(drained(consumer), ['1:12'], 'the rest: what was thrown at counts as taken');
      },
    ),
    group('40 lanes have two words', { laneCount: 40, capacity: 16 }, (handle) => {
      const consumer = consumerOf(handle);
      same(drained(consumer), [], 'nothing');
      const [first, last] = [lane(handle, 1), lane(handle, 33)];
      last.tryPush(bytes(1));
      same(drained(consumer), ['33:1'], 'the second word');
      same(wordsOf(handle).subarray(32, 34).join(), '0,0', 'bits left');
      first.tryPush(bytes(2));
      same(wordsOf(handle).subarray(32, 34).join(), '2,0', 'bits');
      same(drained(consumer), ['1:2'], 'the first word');
      last.tryPush(bytes(3));
      first.tryPush(bytes(4));
      same([consumer.closed, drained(consumer)], [false, ['33:3', '1:4']], 'both');
    }),
    group('a lane has one owner', { laneCount: 2, capacity: 16 }, (handle) => {
      const consumer = consumerOf(handle);
      const producer = ring.attachLane(handle, quiet);
      same(producer.lane, 0, 'the first');
      same(
        codeOf(() => lane(handle, 0)),
        'ERR_RING_OWNER',
        'taken',
      );
      same(
        codeOf(() => lane(handle, 2)),
        'ERR_RING_ARGUMENT',
        'no such lane',
      );
      same(
        codeOf(() => consumer.laneEnd(2)),
        'ERR_RING_ARGUMENT',
        'no end of such a lane',
      );
      consumer.seal();
      same([consumer.laneEnd(0), consumer.laneEnd(1)?.how], [undefined, 'closed'], 'sealed');
      same(
        codeOf(() => lane(handle, 1)),
        'ERR_RING_OWNER',
        'a sealed lane',
      );
      producer.tryPush(bytes(1));
      producer.close();
      same(
        [consumer.closed, drained(consumer), consumer.closed],
        [false, ['0:1'], true],
        'the end',
      );
    }),
    group(
      'a lane is reopened when it has ended and is empty',
      { laneCount: 1, capacity: 32 },
      (handle) => {
        const consumer = consumerOf(handle);
        const producer = lane(handle, 0);
        same(
          codeOf(() => consumer.reopen(0)),
          'ERR_RING_ORDER',
          'not ended',
        );
        producer.tryPush(bytes(1));
        Atomics.store(wordsOf(handle, 0), CLAIMING, 1);
        producer.close();
        same(
          codeOf(() => consumer.reopen(0)),
          'ERR_RING_ORDER',
          'not empty',
        );
        same(drained(consumer), ['0:1'], 'what was left');
        consumer.reopen(0);
        const words = wordsOf(handle, 0);
        same([words[OWNER], words[CLAIMING], consumer.laneEnd(0)], [0, 0, undefined], 'as new');
        lane(handle, 0).tryPush(bytes(2));
        same(drained(consumer), ['0:2'], 'its next record');
      },
    ),
    group('a closed group refuses', { laneCount: 2, capacity: 32 }, (handle) => {
      const [producer, other] = [lane(handle, 0), lane(handle, 1)];
      const consumer = consumerOf(handle);
      Atomics.store(wordsOf(handle), DATA_LINE, 16);
      producer.tryPush(bytes(1));
      consumer.close('over');
      same(consumer.closed, false, 'closed, with a record');
      same(Atomics.load(wordsOf(handle), DATA_LINE), 24, 'flags');
      same(drained(consumer), ['0:1'], 'what was there');
      same(consumer.closed, true, 'closed');
      other.tryPush(bytes(2));
      same(
        codeOf(() => other.tryPush(bytes(2))),
        'ERR_RING_CLOSED',
        'the second push',
      );
      same(other.consumerEnd, { how: 'closed', reason: 'over' }, 'why');
    }),
    group('a sleeping consumer is counted', { laneCount: 1, capacity: 64 }, (handle) => {
      const producer = lane(handle, 0);
      producer.tryPush(bytes(1));
      for (const flag of [SLEEPER, BELL, MIRROR]) {
        Atomics.store(wordsOf(handle), DATA_LINE, flag);
        producer.tryPush(bytes(2));
      }
      same(producer['wakes'], 2, 'wakes');
    }),
    group(
      'total order is the order of the pushes',
      { ...total, startIndex: 0x7ffffff8 },
      (handle) => {
        const producers = [0, 1].map((index) => lane(handle, index));
        const consumer = consumerOf(handle);
        same(drained(consumer), [], 'nothing');
        producers[1]!.tryPush(bytes(1, 1));
        producers[0]!.tryPush(bytes(9, 2, 9), 1, 2, 1);
        producers[0]!.tryPush(bytes());
        same(producers[1]!.tryPushMany([bytes(4), bytes(5, 5, 5, 5, 5)]), true, 'many');
        same(totalLane(handle, 1)[CLAIMING], 0, 'claiming');
        same(consumer.closed, false, 'closed');
        same(drained(consumer, 2), ['1:1,1', '0:2!'], 'two');
        const at = producers[0]!.claim(3);
        producers[0]!.bytes.set(bytes(6, 7, 8), at);
        producers[0]!.commit(2);
        same(totalLane(handle, 0)[CLAIMING], 0, 'claiming');
        same(consumer.tryPop(), bytes(), 'an empty one');
        same(drained(consumer), ['1:4', '1:5,5,5,5,5', '0:6,7'], 'the rest');
        same([consumer.tryPop(), consumer.skipped], [undefined, 0], 'empty');
        same(Atomics.load(wordsOf(handle), SEQUENCE), 6, 'numbers');
      },
    ),
    group('total order refuses what does not fit', total, (handle) => {
      const consumer = consumerOf(handle);
      const producer = lane(handle, 0);
      const dropping = lane(handle, 1, { full: 'drop-newest', copy: 'set' });
      const longest = producer.lengthBytesMax;
      same(longest, 24, 'longest');
      const push = (from: number, to: number): unknown =>
        codeOf(() => producer.tryPush(new Uint8Array(40), from, to));
      same(push(-1, 2), 'ERR_RING_ARGUMENT', 'before the source');
      same(push(39, 41), 'ERR_RING_ARGUMENT', 'behind the source');
      same(push(3, 2), 'ERR_RING_ARGUMENT', 'backwards');
      same(push(0, 25), 'ERR_RING_ARGUMENT', 'too long');
      same(
        codeOf(() => producer.claim(25)),
        'ERR_RING_ARGUMENT',
        'a claim too long',
      );
      same(
        codeOf(() => producer.commit()),
        'ERR_RING_ORDER',
        'a commit of nothing',
      );
      producer.claim(1);
      same(
        codeOf(() => producer.tryPushMany([bytes(1)])),
        'ERR_RING_ORDER',
        'many within a claim',
      );
      same(totalLane(handle, 0)[CLAIMING], 0, 'claiming');
      producer.abort();
      same(
        codeOf(() => lane(handle, 0, { alignBytes: 8 })),
        'ERR_RING_OWNER',
        'taken',
      );
      same(
        [dropping.tryPush(new Uint8Array(24)), dropping.tryPush(new Uint8Array(24))],
        [true, true],
        'fit',
      );
      same([dropping.tryPush(bytes(1)), dropping.dropped], [false, 1], 'dropped');
      same(
        [dropping.tryPushMany([bytes(1), bytes(2)]), dropping.dropped],
        [false, 3],
        'many dropped',
      );
      same(
        [producer.tryPush(new Uint8Array(24).fill(7)), producer.dropped],
        [true, 0],
        'the longest',
      );
      producer.tryPush(bytes());
      same(producer.tryPushMany([bytes(8, 8, 8, 8), bytes(9)]), true, 'many that just fit');
      same([producer.tryPush(bytes(1)), producer.tryPushMany([bytes(1)])], [false, false], 'full');
      same(producer.dropped, 0, 'dropped');
      const left = drained(consumer);
      same(left[2], `0:${new Uint8Array(24).fill(7)}`, 'the longest, taken');
      same(left.slice(3), ['0:', '0:8,8,8,8', '0:9'], 'the many, taken');
      same([consumer.skipped, consumer.closed], [0, false], 'skipped');
    }),
    group('total order, held back by cork and by threshold', total, (handle) => {
      const producer = lane(handle, 0, { publish: 1000 });
      const consumer = consumerOf(handle);
      producer.cork();
      producer.tryPush(bytes(1));
      same(drained(consumer), ['0:1'], 'published although corked');
      producer.tryPushMany([bytes(2), bytes(3)]);
      same(drained(consumer), ['0:2', '0:3'], 'many');
      producer.close();
      same(
        codeOf(() => producer.tryPushMany([bytes(4)])),
        'ERR_RING_CLOSED',
        'closed',
      );
    }),
    group(
      'total order, a number whose taker died is skipped when it is declared dead',
      total,
      (handle) => {
        const [dead, alive] = [lane(handle, 0), lane(handle, 1)];
        const consumer = consumerOf(handle);
        dead.tryPush(bytes(1));
        Atomics.store(totalLane(handle, 0), CLAIMING, 1);
        Atomics.add(wordsOf(handle), SEQUENCE, 1);
        alive.tryPush(bytes(3));
        same([drained(consumer), consumer.skipped], [['0:1'], 0], 'before');
        same([consumer.closed, consumer.readySync({ timeoutMs: 0 })], [false, false], 'ready');
        ring.markLaneDead(handle, 0);
        same([drained(consumer), consumer.skipped], [['1:3'], 1], 'after');
        alive.close();
        same([drained(consumer), consumer.closed, consumer.skipped], [[], true, 1], 'the end');
      },
    ),
    group('total order, a callback stops a drain, or gives its record back', total, (handle) => {
      const consumer = consumerOf(handle);
      const [one, other] = [lane(handle, 0), lane(handle, 1)];
      one.tryPush(bytes(1));
      other.tryPush(bytes(2));
      const answers: (typeof DRAIN_STOP | typeof DRAIN_ABORT)[] = [DRAIN_ABORT, DRAIN_STOP];
      const counts = answers.map((answer) => consumer.drain(() => answer));
      same(counts, [0, 1], 'taken');
      const thrown = codeOf(() =>
        consumer.drain(() => {
          throw new Error('poison');
        }),
      );
      same([thrown, drained(consumer), consumer.skipped], ['Error: poison', [], 0], 'the rest');
    }),
    group(
      'total order, a consumer goes on in the middle',
      total,
      (handle) => {
        const consumer = consumerOf(handle);
        const other = lane(handle, 0);
        other.tryPush(bytes(4));
        same([drained(consumer), consumer.skipped], [['1:2', '1:3', '0:4'], 0], 'what is left');
        Atomics.store(totalLane(handle, 1), CLAIMING, 1); // has taken the next number
        Atomics.add(wordsOf(handle), SEQUENCE, 1);
        other.tryPush(bytes(5));
        same(drained(consumer), [], 'what comes behind it');
      },
      (handle) => {
        const producer = lane(handle, 1);
        for (const value of [1, 2, 3]) producer.tryPush(bytes(value));
        consumerOf(handle).tryPop();
      },
    ),
    group(
      'total order, a consumer comes to an empty group in use',
      total,
      (handle) => {
        const consumer = consumerOf(handle);
        same(consumer.tryPop(), undefined, 'nothing');
        lane(handle, 0).tryPush(bytes(4));
        same([drained(consumer), consumer.skipped], [['0:4'], 0], 'the next');
      },
      (handle) => {
        const producer = lane(handle, 1);
        for (const value of [1, 2]) producer.tryPush(bytes(value));
        drained(consumerOf(handle));
      },
    ),
    group(
      'total order, two lanes hold records when a consumer comes',
      total,
      (handle) => same(drained(consumerOf(handle)), ['1:1', '0:2', '1:3'], 'in order'),
      (handle) => {
        const [one, other] = [lane(handle, 0), lane(handle, 1)];
        other.tryPush(bytes(1));
        one.tryPush(bytes(2));
        other.tryPush(bytes(3));
      },
    ),
  ];
}
