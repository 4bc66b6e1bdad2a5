// Goal: whatever the calls, sizes, options and start index, a ring behaves like an array of records with a
// byte budget. Method: fast-check drives both ends in one thread against that model. FC_RUNS scales the runs.
import { fc, test } from '@fast-check/vitest';
import {
  attachConsumer,
  attachProducer,
  type CopyKernel,
  createRing,
  DRAIN_ABORT,
  DRAIN_STOP,
} from '@millrace/ringbuffer';
import { expect } from 'vitest';

const numRuns = Number(process.env['FC_RUNS'] ?? 300);

const call = fc.oneof(
  fc.record({
    call: fc.constant('push' as const),
    length: fc.nat(140),
    align: fc.nat(7),
    kind: fc.nat(1),
  }),
  fc.record({ call: fc.constant('pushMany' as const), lengths: fc.array(fc.nat(40)) }),
  fc.record({
    call: fc.constant('claim' as const),
    length: fc.nat(140),
    commit: fc.option(fc.nat(140)),
  }),
  fc.record({ call: fc.constant('pop' as const), align: fc.nat(7) }),
  fc.record({
    call: fc.constant('drain' as const),
    limit: fc.nat(5),
    stopAt: fc.nat(8),
    stop: fc.constantFrom(undefined, DRAIN_STOP, DRAIN_ABORT),
  }),
  fc.record({ call: fc.constant('peek' as const), count: fc.nat(4), release: fc.nat(4) }),
  fc.record({ call: fc.constantFrom('flush' as const, 'cork' as const, 'uncork' as const) }),
);

const scenario = fc.record({
  capacity: fc.constantFrom(16, 32, 64, 256, 512),
  startIndex: fc.constantFrom(0, 4, 2 ** 31 - 64, 2 ** 31 - 4, 2 ** 32 - 64, 2 ** 32 - 4),
  publish: fc.constantFrom('each' as const, 0, 8, 40),
  releaseBytes: fc.constantFrom(0, 8, 16),
  alignBytes: fc.constantFrom(4 as const, 8 as const),
  copy: fc.constantFrom<CopyKernel>('auto', 'words', 'set', 'buffer'),
  debug: fc.boolean(),
  calls: fc.array(call, { maxLength: 120, size: 'max' }),
});

interface Expected {
  readonly payload: Uint8Array;
  readonly kind: number;
}

test.prop([scenario], { numRuns })('a ring is a queue of records', (given) => {
  const { handle } = createRing(given);
  const producer = attachProducer(handle, given);
  const consumer = attachConsumer(handle, given);
  // What has been pushed and not been taken; the last `hidden` of them may not be visible yet.
  const model: Expected[] = [];
  let serial = 0;
  let corks = 0;
  const make = (length: number, align: number): Uint8Array => {
    const array = new Uint8Array(length + align).subarray(align);
    for (let i = 0; i < length; i++) array[i] = serial * 31 + i;
    serial++;
    return array;
  };
  const take = (payload: Uint8Array, kind: number): void => {
    const expected = model.shift();
    expect(expected, 'a record out of nowhere').toBeDefined();
    expect(payload).toEqual(expected!.payload);
    expect(kind).toBe(expected!.kind);
  };
  const fits = (length: number): boolean => length <= producer.lengthBytesMax;
  const record = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
    bytes.slice(start, end);

  for (const step of given.calls) {
    const { freeBytes } = producer;
    expect(freeBytes).toBeGreaterThanOrEqual(0);
    expect(freeBytes).toBeLessThanOrEqual(given.capacity);
    switch (step.call) {
      case 'push': {
        const payload = make(step.length, step.align);
        if (!fits(step.length)) {
          expect(() => producer.tryPush(payload)).toThrow(RangeError);
        } else if (producer.tryPush(payload, 0, payload.length, step.kind)) {
          model.push({ payload, kind: step.kind });
        } else {
          // Refused only without room; at worst the record is padded and skips a shorter rest.
          expect(freeBytes).toBeLessThan(2 * (step.length + 14));
        }
        break;
      }
      case 'pushMany': {
        const payloads = step.lengths.filter(fits).map((length) => make(length, serial & 7));
        try {
          if (producer.tryPushMany(payloads)) {
            for (const payload of payloads) model.push({ payload, kind: 0 });
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_RING_ARGUMENT' });
          expect(payloads.reduce((sum, { length }) => sum + length + 14, 0)).toBeGreaterThan(
            given.capacity / 2,
          );
        }
        break;
      }
      case 'claim': {
        if (!fits(step.length)) break;
        const start = producer.claim(step.length);
        if (start < 0) break;
        expect(start % given.alignBytes).toBe(0);
        if (step.commit === null) {
          producer.abort();
          break;
        }
        const length = Math.min(step.commit, step.length);
        const payload = make(length, 0);
        producer.bytes.set(payload, start);
        producer.commit(length);
        model.push({ payload, kind: 0 });
        break;
      }
      case 'pop': {
        const target = new Uint8Array(300);
        const length = consumer.tryPopInto(target, step.align);
        if (length >= 0) take(target.slice(step.align, step.align + length), consumer.kind);
        break;
      }
      case 'drain': {
        let count = 0;
        const taken = consumer.drain((bytes, start, end, kind) => {
          const last = count === step.stopAt;
          if (!last || step.stop !== DRAIN_ABORT) take(record(bytes, start, end), kind);
          count++;
          return last ? step.stop : undefined;
        }, step.limit);
        expect(taken).toBeLessThanOrEqual(step.limit);
        break;
      }
      case 'peek': {
        const kinds: number[] = [];
        const ranges: [number, number][] = [];
        for (let i = 0; i < step.count && consumer.peek() >= 0; i++) {
          ranges.push([consumer.start, consumer.end]);
          kinds.push(consumer.kind);
        }
        for (const [i, [start, end]] of ranges.entries()) {
          take(record(consumer.bytes, start, end), kinds[i]!);
        }
        const first = Math.min(step.release, consumer.held);
        consumer.release(first);
        consumer.release(consumer.held);
        break;
      }
      case 'flush':
        producer.flush();
        consumer.flush();
        break;
      case 'cork':
        producer.cork();
        corks++;
        break;
      case 'uncork':
        if (corks > 0) {
          producer.uncork();
          corks--;
        }
    }
  }
  producer.close();
  consumer.drain((bytes, start, end, kind) => take(record(bytes, start, end), kind));
  expect(model).toEqual([]);
  expect(consumer.closed).toBe(true);
});
