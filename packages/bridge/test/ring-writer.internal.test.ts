/**
 * Goal: records and events leave the ring in the order in which they entered it, also when it is full.
 * Method: random records and events through a small ring, read at random moments; compared with a list.
 */
import { fc, test } from '@fast-check/vitest';
import {
  attachConsumer,
  attachProducer,
  createChannel,
  createRing,
  transferOf,
} from '@millrace/ringbuffer';
import { describe, test as example, expect } from 'vitest';
import type { RecordTarget, StreamEvent } from '../src/parse/records.ts';
import {
  decodeEvent,
  encodeEvent,
  eventHeaderBytes,
  kindOutput,
  outputHeaderBytes,
  viewsOf,
} from '../src/ring/record.ts';
import { RingReader } from '../src/ring/ring-reader.ts';
import { RingWriter } from '../src/ring/ring-writer.ts';

const runs = Number(process.env['FC_RUNS'] ?? 200);

const output = fc.record({
  kind: fc.constant('output' as const),
  pane: fc.integer({ min: 0, max: 0xffff_ffff }),
  bytes: fc.uint8Array({ maxLength: 3000 }),
});
const event = fc.record({
  kind: fc.constant('event' as const),
  text: fc.string({ maxLength: 4000 }),
});
const read = fc.record({ kind: fc.constant('read' as const) });
const drain = fc.record({ kind: fc.constant('drain' as const) });

describe.each(['shared', 'message'] as const)('the ring writer, %s', (transport) => {
  test.prop([fc.array(fc.oneof(output, event, read, drain), { maxLength: 60 })], { numRuns: runs })(
    'keeps the order and loses nothing when the ring is full',
    async (steps) => {
      const channel = createChannel({ capacity: 4096, transport });
      const producer = attachProducer(channel.producer, { publish: 512, alignBytes: 8 });
      const consumer = attachConsumer(channel.consumer);
      const { words, doubles } = viewsOf(consumer.bytes);
      const writer = new RingWriter(producer);
      const control = { paused: 0, resumed: 0 };
      writer.control({
        pause: () => {
          control.paused++;
        },
        resume: () => {
          control.resumed++;
        },
      });
      // Output of a pane may be cut anywhere, so neighbouring pieces of one pane are joined before comparing.
      const wanted: string[] = [];
      const got: string[] = [];
      const add = (list: string[], pane: number, bytes: Uint8Array): void => {
        if (bytes.length === 0) return;
        const text = Buffer.from(bytes).toString('latin1');
        if (list.at(-1)?.startsWith(`${pane}:`)) list[list.length - 1] += text;
        else list.push(`${pane}:${text}`);
      };
      let parts: Uint8Array[] = [];
      const take = (): void => {
        consumer.drain((bytes, start, end, kind) => {
          if (kind === kindOutput) {
            expect(doubles[(start >> 3) + 1]).toBe(1.5);
            expect(doubles[(start >> 3) + 2]).toBe(2.5);
            add(got, words[start >> 2]!, bytes.slice(start + outputHeaderBytes, end));
            return;
          }
          parts.push(bytes.slice(start + eventHeaderBytes, end));
          if (words[start >> 2] !== 1) return;
          got.push(`event:${(decodeEvent(Buffer.concat(parts)) as { text: string }).text}`);
          parts = [];
        });
      };
      for (const step of steps) {
        if (step.kind === 'output') {
          writer.output(step.pane, step.bytes, 0, step.bytes.length, 1.5, 2.5);
          add(wanted, step.pane, step.bytes);
          step.bytes.fill(0xdb); // borrowed
        } else if (step.kind === 'event') {
          const stray: StreamEvent = { type: 'stray', text: step.text };
          writer.event(stray);
          wanted.push(`event:${step.text}`);
        } else if (step.kind === 'read') writer.readEnd();
        else take();
      }
      writer.readEnd();
      for (let turn = 0; turn < 2000 && got.join().length < wanted.join().length; turn++) {
        take();
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(got).toEqual(wanted);
      await new Promise((resolve) => setImmediate(resolve));
      expect(control.resumed).toBe(control.paused);
      consumer.close();
      for (const port of transferOf(channel.producer)) port.close();
    },
  );
});

const anyText = fc.string({ unit: 'binary', maxLength: 50 });
/** One of each kind, with any text: lone surrogates, quotes, control characters. */
const anyEvent: fc.Arbitrary<StreamEvent> = fc.oneof(
  fc.record({
    type: fc.constant('reply' as const),
    guard: anyText,
    ok: fc.boolean(),
    body: fc.uint8Array({ maxLength: 200 }),
    truncated: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('notification' as const),
    notification: fc.record({
      type: fc.constant('layout-change' as const),
      window: fc.nat(),
      layout: anyText,
      visibleLayout: fc.option(anyText, { nil: undefined }),
      flags: fc.option(anyText, { nil: undefined }),
    }),
  }),
  fc.record({ type: fc.constant('exit' as const), reason: anyText }),
  fc.record({ type: fc.constant('age' as const), pane: fc.nat(), ageMs: fc.nat() }),
  fc.record({ type: fc.constant('stray' as const), text: anyText }),
  fc.record({
    type: fc.constant('recording-failed' as const),
    message: anyText,
    cause: anyText,
  }),
  fc.record({
    type: fc.constant('ended' as const),
    exit: fc.record({
      status: fc.option(fc.nat(255)),
      signal: fc.option(fc.constant('SIGKILL')),
      message: anyText,
      stuckMs: fc.nat(),
    }),
  }),
);

describe('an event as bytes', () => {
  test.prop([anyEvent, fc.nat(20)], { numRuns: runs })(
    'comes back as it was, from wherever its bytes begin',
    (event, from) => {
      const bytes = encodeEvent(event);
      const moved = new Uint8Array(from + bytes.length + 3);
      moved.set(bytes, from);
      expect(decodeEvent(moved.subarray(from, from + bytes.length))).toEqual(event);
    },
  );

  example('brings what the session judges an error by', () => {
    const cause = Object.assign(new TypeError('read failed'), { code: 'EIO', fd: 7 });
    const ended = decodeEvent(encodeEvent({ type: 'ended', exit: { status: null, cause } }));
    const came = (ended as { exit: { cause: NodeJS.ErrnoException } }).exit.cause;
    expect(came).toBeInstanceOf(Error);
    expect(came.message).toBe('read failed');
    expect(came.code).toBe('EIO');
    expect(came.stack).toBe(cause.stack);
  });
});

describe('the ring between worker and session', () => {
  example('cuts an event into whole pieces without an empty one behind', () => {
    const { handle } = createRing({ capacity: 4096 });
    const writer = new RingWriter(attachProducer(handle, { alignBytes: 8 }));
    const consumer = attachConsumer(handle);
    const { words } = viewsOf(consumer.bytes);
    const pieceBytes = 4096 >> 2;
    const empty = encodeEvent({ type: 'stray', text: '' }).length;
    const lengths = Array.from({ length: 16 }, (_, more) => pieceBytes - empty - more);
    const text = lengths
      .map((length) => 'x'.repeat(length))
      .find((text) => encodeEvent({ type: 'stray', text }).length === pieceBytes)!;
    writer.event({ type: 'stray', text });
    writer.readEnd();
    const last: number[] = [];
    consumer.drain((_bytes, start) => {
      last.push(words[start >> 2]!);
      return undefined;
    });
    expect(last).toEqual([1]);
  });

  example('writes nothing behind a record, also when the ring is full to the last byte', () => {
    const { handle } = createRing({ capacity: 4096 });
    const producer = attachProducer(handle, { alignBytes: 8 });
    const writer = new RingWriter(producer);
    const consumer = attachConsumer(handle);
    const got: number[] = [];
    const take = (): void => {
      consumer.drain((_bytes, start, end) => {
        got.push(end - start - outputHeaderBytes);
        return undefined;
      });
    };
    const source = new Uint8Array(32).fill(7);
    writer.output(1, source, 0, 24, 0, 0);
    writer.readEnd();
    take();
    // 32 bytes of headers each: 70 x 56 + 3 x 40 to the end, and 56 up to the oldest record.
    const lengths = [...new Array(70).fill(24), 8, 8, 8, 24] as number[];
    for (const length of lengths) writer.output(1, source, 0, length, 0, 0);
    writer.readEnd();
    expect(producer.freeBytes).toBe(0);
    take();
    expect(got).toEqual([24, ...lengths]);
  });

  example('an event of several records arrives whole, and every byte read is counted', async () => {
    const { handle } = createRing({ capacity: 4096 });
    const writer = new RingWriter(attachProducer(handle, { alignBytes: 8 }));
    const events: StreamEvent[] = [];
    const target: RecordTarget = {
      output: () => {},
      event: (event) => void events.push(event),
      readEnd: () => {},
    };
    const host = { drained: () => 0, workerGone: new Promise<never>(() => {}) };
    const reader = new RingReader(attachConsumer(handle), target, host);
    const ended = reader.run();
    const stray: StreamEvent = { type: 'stray', text: 'long '.repeat(500) };
    writer.received(3000);
    writer.event(stray);
    writer.received(7); // without a record of its own
    writer.received(10);
    writer.output(1, new Uint8Array(4), 0, 4, 0, 0);
    writer.received(100);
    writer.event({ type: 'ended', exit: { message: 'over' } });
    writer.readEnd();
    expect(await ended).toEqual({ message: 'over' });
    expect(events).toEqual([stray]);
    expect([reader.bytes, reader.records]).toEqual([3117, 1]);
  });
});
