/**
 * Goal: a pipe writes every byte once and in order, one write at a time, says when it is under pressure, and ends once.
 * Method: random records and reads into sinks that accept at once, later, or fail; compared with a plain list.
 */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { Pipe } from '../src/deliver/pipe.ts';
import type { PipeHost } from '../src/deliver/pipe-options.ts';
import { createClock } from '../src/measure/clock.ts';
import { Stations } from '../src/measure/stations.ts';
import type { Sink } from '../src/sinks/sink.ts';

const runs = Number(process.env['FC_RUNS'] ?? 300);

interface Watched {
  readonly host: PipeHost;
  readonly pressures: boolean[];
  ended: number;
}

function makeHost(): Watched {
  const clock = createClock();
  const watched: Watched = {
    pressures: [],
    ended: 0,
    host: {
      clock,
      stations: new Stations(false).recorder(1),
      pressure: (_pipe, pressed) => {
        watched.pressures.push(pressed);
      },
      ended: () => {
        watched.ended++;
      },
    },
  };
  return watched;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push'), length: fc.nat({ max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush'), length: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), length: fc.constant(0) }) },
);

describe('a pipe', () => {
  test.prop(
    [
      fc.array(step, { maxLength: 80 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 2000 }),
    ],
    { numRuns: runs },
  )('loses, doubles and reorders nothing', async (steps, later, bytesHigh) => {
    const watched = makeHost();
    const got: number[] = [];
    let writing = 0;
    let writes = 0;
    let closed = 0;
    const sink: Sink = {
      write(bytes) {
        expect(++writing).toBe(1);
        const accept = (): void => {
          got.push(...bytes);
          writing--;
        };
        if (later[writes++ % later.length]) {
          return new Promise<void>((resolve) => setImmediate(resolve)).then(accept);
        }
        accept();
        return undefined;
      },
      close: () => {
        closed++;
      },
    };
    const pipe = new Pipe(7, sink, watched.host, { bytesHigh });
    const wanted: number[] = [];
    const memory = new Uint8Array(512);
    let next = 0;
    for (const { kind, length } of steps) {
      if (kind === 'flush') pipe.flush();
      else if (kind === 'wait') await new Promise((resolve) => setImmediate(resolve));
      else {
        const start = next % 100;
        for (let index = 0; index < length; index++) {
          memory[start + index] = next;
          wanted.push(next++ & 255);
        }
        pipe.push(memory, start, start + length, 0, 0);
        memory.fill(0xdb); // the record was borrowed
      }
    }
    expect(await pipe.close()).toBeUndefined();
    expect(got).toEqual(wanted);
    expect(pipe.stats).toMatchObject({ bytes: wanted.length, pendingBytes: 0 });
    expect([watched.ended, closed]).toEqual([1, 1]);
    // Pressure alternates, begins with true and ends relieved.
    expect(watched.pressures.every((pressed, index) => pressed === (index % 2 === 0))).toBe(true);
    expect(watched.pressures.length % 2).toBe(0);
  });

  test('keeps the order where a sink lags by more than a buffer, and is fed while it catches up', async () => {
    const watched = makeHost();
    const got: number[] = [];
    const accept: (() => void)[] = [];
    const sink: Sink = {
      write(bytes) {
        got.push(...bytes);
        return new Promise<void>((resolve) => accept.push(resolve));
      },
    };
    const pipe = new Pipe(1, sink, watched.host, { bytesHigh: 400 }); // a buffer is full at 100
    const wanted: number[] = [];
    const push = (count: number): void => {
      for (let index = 0; index < count; index++) {
        const byte = wanted.length & 255;
        wanted.push(byte);
        pipe.push(Uint8Array.of(byte), 0, 1, 0, 0);
      }
      pipe.flush();
    };
    push(10); // is being written
    push(100); // fills the buffer
    push(50); // and goes to the batcher
    for (let round = 0; round < 4; round++) {
      accept.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
      push(20);
    }
    const closed = pipe.close();
    while (pipe.stats.pendingBytes > 0) {
      accept.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(got).toEqual(wanted);
  });

  test.prop([fc.nat({ max: 6 }), fc.constantFrom('throw', 'reject')], { numRuns: 40 })(
    'whose sink fails is called no more, except for close',
    async (failAt, how) => {
      const watched = makeHost();
      let writes = 0;
      const errors: unknown[] = [];
      const pipe = new Pipe(
        3,
        {
          write() {
            if (writes++ === failAt) {
              if (how === 'throw') throw new Error('no');
              return Promise.reject(new Error('no'));
            }
            return undefined;
          },
          close: (error) => {
            errors.push(error);
          },
        },
        watched.host,
        { bytesHigh: 10 },
      );
      for (let record = 0; record < 10; record++) {
        pipe.push(Uint8Array.of(record), 0, 1, 0, 0);
        pipe.flush();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const error = await pipe.closed;
      expect(error?.code).toBe('ERR_SINK_FAILED');
      expect(writes).toBe(failAt + 1);
      expect(errors).toEqual([error]);
      expect(watched.ended).toBe(1);
    },
  );
});
