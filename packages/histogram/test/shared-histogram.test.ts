// Goal: threads record at once and nothing is lost, doubled or negative; readers don't disturb one another.
// Method: real worker threads against the same sequences recorded by one thread; states set by hand for
// counts near 2^31 and 2^32.
import { Histogram, SharedHistogram } from '@millrace/histogram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filled, runs, values } from './support/arbitraries.ts';
import { expected, startWriter } from './support/shared.ts';

const OPTIONS = { highest: 10_000_000, digits: 3 } as const;

describe('in one thread', () => {
  it('counts as a private histogram does', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const shared = SharedHistogram.create({ shards: 2 });
        const one = shared.claim();
        const two = shared.claim();
        one.recordMany(a);
        two.recordMany(b);
        const total = shared.total();
        const model = filled([...a, ...b]);
        expect(total.equals(model)).toBe(true);
        expect([total.min, total.max]).toEqual([model.min, model.max]);
      }),
      runs(50),
    );
  });

  it('gives every record to exactly one interval of each reader', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 6 }), (batches) => {
        const shared = SharedHistogram.create({ shards: 1 });
        const recorder = shared.claim();
        const often = shared.intervals();
        const rarely = shared.intervals();
        const sum = new Histogram();
        for (const batch of batches) {
          recorder.recordMany(batch);
          const interval = often.next();
          const model = filled(batch);
          expect(interval.equals(model)).toBe(true);
          // Exact where news, else within the bucket.
          expect(interval.layout.indexOf(interval.max)).toBe(model.layout.indexOf(model.max));
          expect(interval.layout.indexOf(interval.min)).toBe(model.layout.indexOf(model.min));
          sum.add(interval);
        }
        expect(sum.equals(shared.total())).toBe(true);
        expect(rarely.next().equals(sum)).toBe(true);
        expect(rarely.next().isEmpty).toBe(true);
      }),
      runs(50),
    );
  });

  it('starts intervals at the reader’s creation, or at the start', () => {
    const shared = SharedHistogram.create(OPTIONS);
    const recorder = shared.claim();
    recorder.record(5);
    const late = shared.intervals();
    const whole = shared.intervals({ from: 'start' });
    recorder.record(6);
    expect(late.next().count).toBe(1);
    expect(whole.next().count).toBe(2);
    recorder.record(7);
    late.skip();
    expect(late.next().isEmpty).toBe(true);
  });

  it('reuses a histogram that the caller hands in', () => {
    const shared = SharedHistogram.create(OPTIONS);
    const recorder = shared.claim();
    const reader = shared.intervals();
    const mine = new Histogram(OPTIONS);
    recorder.recordCount(9, 3);
    expect(reader.next(mine)).toBe(mine);
    expect(mine.count).toBe(3);
    recorder.record(10);
    reader.next(mine);
    expect([mine.count, mine.min]).toEqual([1, 10]);
    expect(shared.total(mine).count).toBe(4);
    expect(() => reader.next(new Histogram({ digits: 2 }))).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
    );
    expect(() => shared.total(new Histogram({ digits: 2 }))).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
    );
  });

  it('accounts for values without a bucket', () => {
    const odd = [Number.NaN, -1, 1e12, Number.POSITIVE_INFINITY, 5, '7' as unknown as number];
    for (const shards of [1, 2]) {
      const shared = SharedHistogram.create({ ...OPTIONS, shards: 1 });
      if (shards === 2) shared.claim(); // the second claim gets the common shard
      const recorder = shared.claim();
      for (const value of odd) recorder.record(value);
      const total = shared.total();
      expect([total.count, total.clamped, total.dropped]).toEqual([4, 2, 2]);
      if (recorder.exclusive) expect(total.max).toBe(1e12);
    }
    const dropping = SharedHistogram.create({ ...OPTIONS, outOfRange: 'drop' });
    dropping.claim().recordCount(-1, 5);
    expect([dropping.total().count, dropping.total().dropped]).toEqual([0, 5]);
    const throwing = SharedHistogram.create({ ...OPTIONS, outOfRange: 'throw' });
    expect(() => throwing.claim().record(-1)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_VALUE' }),
    );
  });
});

describe('shards', () => {
  it('are claimed once, released once, and go on counting', () => {
    const shared = SharedHistogram.create({ ...OPTIONS, shards: 2 });
    const one = shared.claim(11);
    const two = shared.claim(12);
    const three = shared.claim(13);
    expect([one.exclusive, two.exclusive, three.exclusive]).toEqual([true, true, false]);
    for (const recorder of [one, two, three]) recorder.record(100);
    one[Symbol.dispose]();
    one.release();
    expect(() => one.record(1)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_RELEASED' }),
    );
    const four = shared.claim(14);
    expect([four.shard, four.exclusive]).toEqual([one.shard, true]);
    four.record(50);
    const total = shared.total();
    expect([total.count, total.min, total.max]).toEqual([4, 50, 100]);
    expect(shared.releaseOwner(12)).toBe(1);
    expect(shared.releaseOwner(12)).toBe(0);
    three.release();
    expect(() => three.record(1)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_RELEASED' }),
    );
  });

  it('count exactly across 2^31, 2^32 and beyond', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 33 })), {
          maxLength: 6,
        }),
        fc.boolean(),
        (entries, common) => {
          const shared = SharedHistogram.create({ digits: 1, highest: 100, shards: 1 });
          if (common) shared.claim();
          const recorder = shared.claim();
          const reader = shared.intervals();
          const model = new Map<number, number>();
          for (const [value, count] of entries) {
            recorder.recordCount(value, count);
            recorder.record(value);
            model.set(value, (model.get(value) ?? 0) + count + 1);
            expect(reader.next().countAt(value)).toBe(count + 1);
          }
          const total = shared.total();
          for (const [value, count] of model) expect(total.countAt(value)).toBe(count);
        },
      ),
      runs(50),
    );
  });
});

describe('memory', () => {
  it('is refused when it holds something else', () => {
    const code = (expectedCode: string) => expect.objectContaining({ code: expectedCode });
    expect(() => SharedHistogram.attach(new ArrayBuffer(8) as never)).toThrow(
      code('ERR_HISTOGRAM_NOT_SHARED'),
    );
    expect(() => SharedHistogram.attach(new SharedArrayBuffer(8))).toThrow(
      code('ERR_HISTOGRAM_SHARED_FORMAT'),
    );
    expect(() => SharedHistogram.attach(new SharedArrayBuffer(8192))).toThrow(
      code('ERR_HISTOGRAM_SHARED_FORMAT'),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 1, max: 0xffffffff }),
        (word, mask) => {
          const { buffer } = SharedHistogram.create({ ...OPTIONS, shards: 1 });
          const words = new Int32Array(buffer);
          words[word] = words[word]! ^ mask;
          try {
            SharedHistogram.attach(buffer).total();
          } catch (error) {
            expect(error).toMatchObject(code('ERR_HISTOGRAM_SHARED_FORMAT'));
          }
        },
      ),
      runs(300),
    );
  });

  it('is refused when options make no sense', () => {
    for (const options of [{ shards: 0 }, { shards: 1.5 }, { outOfRange: 'grow' as 'clamp' }]) {
      expect(() => SharedHistogram.create(options)).toThrow(
        expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
      );
    }
    expect(() => SharedHistogram.create(OPTIONS).claim(0)).toThrow(
      expect.objectContaining({ code: 'ERR_HISTOGRAM_OPTION' }),
    );
  });
});

describe('across worker threads', () => {
  it('loses nothing with more writers than shards and readers all along', async () => {
    const shared = SharedHistogram.create({ ...OPTIONS, shards: 2 });
    const readers = [shared.intervals(), shared.intervals()];
    const sums = readers.map(() => new Histogram(OPTIONS));
    const writers = [1, 2, 3].map((owner) => ({
      owner,
      count: 300_000,
      seed: owner * 7919,
      end: 'exit' as const,
    }));
    const running = writers.map((writer) => startWriter(shared, writer));
    let done = false;
    const finished = Promise.all(running.map(({ ended }) => ended)).then(() => {
      done = true;
    });
    while (!done) {
      for (const [i, reader] of readers.entries()) {
        const interval = reader.next();
        expect(interval.count).toBeGreaterThanOrEqual(0);
        sums[i]!.add(interval);
        await new Promise((resolve) => setTimeout(resolve, i + 1));
      }
    }
    await finished;
    const model = expected(OPTIONS, writers);
    for (const [i, reader] of readers.entries()) {
      sums[i]!.add(reader.next());
      expect(sums[i]!.equals(model)).toBe(true);
    }
    expect(shared.total().equals(model)).toBe(true);
  });

  it('keeps what a terminated worker had recorded, and hands its shard on', async () => {
    const shared = SharedHistogram.create({ ...OPTIONS, shards: 1 });
    const writer = { owner: 5, count: 50_000, seed: 99, end: 'hang' as const };
    const { worker, recorded } = startWriter(shared, writer);
    await recorded;
    await worker.terminate();
    const first = shared.total();
    const counted = first.countAt(1);
    first.subtract(expected(OPTIONS, [writer]));
    expect(first.count).toBe(counted - expected(OPTIONS, [writer]).countAt(1));
    expect(shared.claim().exclusive).toBe(false);
    expect(shared.releaseOwner(5)).toBe(1);
    const next = shared.claim(6);
    expect(next.exclusive).toBe(true);
    next.record(1);
    expect(shared.total().countAt(1)).toBe(counted + 1);
  });
});
