/**
 * What one thread that has both ends of a broadcast ring can notice of a broken one: which records are left, what is
 * refused, how losses are counted. For the mutation gate, so that the scenarios can be about what threads do to one
 * another.
 */
import type { GateScenario } from '@millrace/interleave/mutate';
import { DRAIN_STOP, type RingHandle, type RingOptions } from '@millrace/ringbuffer';
import { aloneOn, codeOf, same } from './alone.ts';
import type { Package } from './parts.ts';

const quiet = { copy: 'words', spin: 0, ref: false } as const;
/** Words of layout.ts, and flags of wait.ts. */
const [TAIL, OLDEST, DATA_LINE, COUNTS, DATA] = [32, 64, 96, 160, 256] as const;

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export function broadcastAloneOf(ring: Package): readonly GateScenario[] {
  const on = (
    name: string,
    options: RingOptions,
    body: (handle: RingHandle) => void,
    before: (handle: RingHandle) => void = () => {},
  ): GateScenario =>
    aloneOn(
      `broadcast, ${name}`,
      () => {
        const { handle } = ring.createBroadcast(options);
        before(handle);
        return handle;
      },
      body,
    );
  const producerOf = (handle: RingHandle, copy: 'words' | 'set' = 'words') =>
    ring.attachBroadcastProducer(handle, { copy });
  const consumerOf = (handle: RingHandle, from: 'oldest' | 'latest' = 'oldest') =>
    ring.attachBroadcastConsumer(handle, { ...quiet, from });
  const wordsOf = (handle: RingHandle): Int32Array => new Int32Array(handle.buffer);

  /** Pushes records of these lengths, a consumer reading now and then, and compares with a list. */
  const against = (startIndex: number, lengths: readonly number[]): GateScenario =>
    on(`from ${startIndex}, lengths ${lengths}`, { capacity: 32, startIndex }, (handle) => {
      const producer = producerOf(handle);
      const [eager, lazy] = [consumerOf(handle), consumerOf(handle, 'latest')];
      const target = new Uint8Array(20);
      let read = 0;
      for (const [index, length] of lengths.entries()) {
        const sent = new Uint8Array(length + 2).fill(index + 1);
        producer.tryPush(sent, 1, length + 1, index & 1);
        same(eager.tryPop(), sent.subarray(2), `record ${index}`);
        same(eager.kind, index & 1, `kind of record ${index}`);
        if (index % 4 !== 3) continue;
        read = producer.overwritten;
        const at = lazy.tryPopInto(target, 1);
        same(
          target.subarray(1, 1 + at),
          new Uint8Array(lengths[read]!).fill(read + 1),
          'the oldest',
        );
        same(lazy.lost + lazy.popped - 1, read, 'lost');
      }
      same([eager.lost, eager.laps, eager.tryPop()], [0, 0, undefined], 'at last');
    });

  return [
    against(0, [0, 4, 8, 1, 5, 7, 0, 8]),
    against(-8, [3, 8, 0, 8]),
    against(0x7ffffff8, [8, 8, 2, 8]),
    on('drain', { capacity: 64 }, (handle) => {
      const producer = producerOf(handle);
      const consumer = consumerOf(handle);
      const drained = (limit?: number): number[] => {
        const found: number[] = [];
        consumer.drain((data, from, to) => {
          for (let at = from; at < to; at++) found.push(data[at]!);
        }, limit);
        return found;
      };
      same(drained(), [], 'nothing');
      for (const value of [1, 2, 3, 4]) producer.tryPush(bytes(value));
      same([drained(0), drained(2)], [[], [1, 2]], 'some');
      let pushes = 0;
      const count = consumer.drain((data, from) => {
        if (pushes++ < 3) producer.tryPush(bytes(data[from]! + 10));
      });
      same(count, 2, 'no further than what was there');
      same(
        consumer.drain(() => DRAIN_STOP),
        1,
        'stopped',
      );
      same([drained(), consumer.closed], [[14], false], 'the rest');
      producer.tryPush(bytes());
      producer.tryPush(bytes(9));
      producer.close();
      same([consumer.closed, drained(), consumer.closed], [false, [9], true], 'the end');
      same(consumer.producerEnd, { how: 'closed', reason: '' }, 'how');
    }),
    on('drain, all that was there has gone', { capacity: 32 }, (handle) => {
      const producer = producerOf(handle);
      const consumer = consumerOf(handle);
      for (const value of [1, 2]) producer.tryPush(bytes(value, 0, 0, 0));
      const seen: number[] = [];
      const count = consumer.drain((data, from, to) => {
        seen.push(data[from]!, to - from);
        producer.claim(8); // behind a skip, over all that is there
      });
      same([count, seen], [1, [1, 4]], 'the one');
    }),
    on('claims', { capacity: 64 }, (handle) => {
      const producer = producerOf(handle, 'set');
      const consumer = consumerOf(handle);
      same(
        codeOf(() => producer.commit()),
        'ERR_RING_ORDER',
        'a commit of nothing',
      );
      same(
        codeOf(() => producer.abort()),
        'ERR_RING_ORDER',
        'an abort of nothing',
      );
      for (const [length, code] of [
        [25, 'ERR_RING_ARGUMENT'],
        [-1, 'ERR_RING_ARGUMENT'],
        [24, undefined],
      ] as const) {
        same(
          codeOf(() => producer.claim(length)),
          code,
          `a claim of ${length}`,
        );
      }
      same(
        codeOf(() => producer.claim(1)),
        'ERR_RING_ORDER',
        'a claim within a claim',
      );
      producer.abort();
      same(consumer.tryPop(), undefined, 'what was given back');
      const source = bytes(1, 2, 3);
      for (const [from, to, code] of [
        [-1, 2, 'ERR_RING_ARGUMENT'],
        [2, 4, 'ERR_RING_ARGUMENT'],
        [2, 1, 'ERR_RING_ARGUMENT'],
        [1, 3, undefined],
      ] as const) {
        same(
          codeOf(() => producer.tryPush(source, from, to)),
          code,
          `a push of ${from} to ${to}`,
        );
      }
      same(consumer.tryPop(), bytes(2, 3), 'what was pushed');
      producer.close('why');
      producer.close('later');
      same(
        codeOf(() => producer.tryPush(source)),
        'ERR_RING_CLOSED',
        'a push behind the end',
      );
      same([consumer.producerEnd?.reason, consumer.closed], ['why', true], 'why');
    }),
    on('targets', { capacity: 64 }, (handle) => {
      const producer = producerOf(handle);
      const consumer = consumerOf(handle);
      producer.tryPush(bytes(5, 6, 7, 8), 0, 4, 1);
      const target = new Uint8Array(6);
      for (const offset of [3, -1]) {
        const code = codeOf(() => consumer.tryPopInto(target, offset));
        same(code, 'ERR_RING_ARGUMENT', `offset ${offset}`);
      }
      same([consumer.tryPopInto(target, 2), consumer.kind], [4, 1], 'taken');
      same(target, bytes(0, 0, 5, 6, 7, 8), 'what was taken');
      producer.tryPush(bytes(1, 2, 3, 4, 5, 6));
      same(
        [consumer.tryPopInto(target), target],
        [6, bytes(1, 2, 3, 4, 5, 6)],
        'as long as the target',
      );
      same([consumer.tryPopInto(target), consumer.popped], [-1, 2], 'nothing');
      const code = codeOf(() => consumer.tryPopInto(target, 7));
      same(code, undefined, 'nothing to complain about');
    }),
    on('a record over the place of the next one looks like a skip', { capacity: 32 }, (handle) => {
      const producer = producerOf(handle);
      const consumer = consumerOf(handle);
      producer.tryPush(bytes());
      same(consumer.tryPop(), bytes(), 'the first');
      for (let count = 0; count < 3; count++) producer.tryPush(bytes(), 0, 0, count & 1);
      producer.tryPush(new Uint8Array(8).fill(0xff));
      const found = [consumer.tryPop()?.length, consumer.kind, consumer.lost, consumer.laps];
      same(found, [0, 1, 1, 1], 'the oldest that is intact');
    }),
    on('a long record needs another buffer', { capacity: 1024 }, (handle) => {
      const producer = producerOf(handle, 'set');
      const consumer = ring.attachBroadcastConsumer(handle, {
        ...quiet,
        copy: 'set',
        from: 'oldest',
      });
      for (const length of [256, 300]) {
        const sent = new Uint8Array(length).fill(length);
        producer.tryPush(sent);
        same(consumer.tryPop(), sent, `a record of ${length}`);
      }
    }),
    on(
      'a consumer comes to a ring in use',
      { capacity: 64 },
      (handle) => {
        const [latest, oldest] = [consumerOf(handle, 'latest'), consumerOf(handle)];
        same(latest.tryPop(), undefined, 'the latest');
        same(oldest.tryPop(), new Uint8Array(16).fill(4), 'the oldest');
        const producer = producerOf(handle);
        producer.tryPush(bytes(7));
        same([latest.tryPop(), latest.lost, latest.laps], [bytes(7), 0, 0], 'the next');
        const rest: number[] = [];
        oldest.drain((data, from) => void rest.push(data[from]!));
        same([rest, oldest.lost, oldest.laps], [[5, 7], 0, 0], 'the rest');
        same([producer.pushed, producer.overwritten], [1, 1], 'counts');
      },
      (handle) => {
        const producer = producerOf(handle);
        // 24 bytes each in 64: two and a skip.
        for (let value = 1; value <= 5; value++) producer.tryPush(new Uint8Array(16).fill(value));
      },
    ),
    on('damage', { capacity: 32 }, (handle) => {
      const consumer = consumerOf(handle);
      producerOf(handle).tryPush(bytes(1, 2, 3, 4));
      const words = wordsOf(handle);
      for (const length of [5, 100, 0x7ffffff0]) {
        words[DATA] = length;
        same(
          codeOf(() => consumer.tryPop()),
          'ERR_RING_CORRUPT',
          `length ${length}`,
        );
      }
      words[DATA] = 4;
      same(consumer.tryPop(), bytes(1, 2, 3, 4), 'repaired');
    }),
    on('words', { capacity: 32 }, (handle) => {
      const producer = producerOf(handle);
      const words = wordsOf(handle);
      for (let value = 1; value <= 4; value++) producer.tryPush(bytes(value, 0, 0, 0, 0, 0, 0, 0));
      same(
        [words[TAIL], words[TAIL + 1], words[OLDEST], words[OLDEST + 1]],
        [64, 4, 32, 0],
        'indices',
      );
      for (const flag of [1, 2]) {
        Atomics.store(words, DATA_LINE, flag);
        producer.tryPush(bytes(1));
        same(Atomics.load(words, DATA_LINE), 0, `flag ${flag}`);
      }
      same(words[COUNTS + 1], 0, 'counts');
      producer.close();
      same([words[COUNTS + 1], words[COUNTS + 4]], [6, producer.overwritten], 'counts at the end');
    }),
  ];
}
