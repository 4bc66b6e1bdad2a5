// Goal: what stands around a ring does what it says: structs, streams, counts, pictures, memory of one's own.
// Method: examples, and a round trip property for structs.
import { fc, test as property } from '@fast-check/vitest';
import {
  attachConsumer,
  attachLane,
  attachProducer,
  attachQueue,
  attachSlotProducer,
  createLanes,
  createQueue,
  createRing,
  createSlotRing,
  type FieldType,
  inspect,
  readableFrom,
  readStats,
  ringBytes,
  struct,
  writableTo,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';

const values: Record<FieldType, fc.Arbitrary<number | bigint>> = {
  i8: fc.integer({ min: -128, max: 127 }),
  u8: fc.integer({ min: 0, max: 255 }),
  i16: fc.integer({ min: -32768, max: 32767 }),
  u16: fc.integer({ min: 0, max: 65535 }),
  i32: fc.integer(),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  f32: fc.float(),
  f64: fc.double(),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
};
const field = fc
  .constantFrom(...(Object.keys(values) as FieldType[]))
  .chain((type) => fc.tuple(fc.constant(type), values[type]));

describe('struct', () => {
  property.prop([fc.array(field, { minLength: 1, maxLength: 8 }), fc.nat(7)])(
    'reads back what was written, in its natural alignment',
    (fields, start) => {
      const names = fields.map((_, i) => `field${i}`);
      const layout = struct(Object.fromEntries(fields.map(([type], i) => [names[i], type])));
      const record = Object.fromEntries(fields.map(([, value], i) => [names[i], value]));
      const bytes = new Uint8Array(layout.bytes + start).fill(0xee);
      layout.write(bytes, start, record as never);
      expect(layout.read(bytes, start)).toEqual(record);
      expect([...bytes.subarray(0, start)]).toEqual(new Array(start).fill(0xee));
      let end = 0;
      for (const [i, [type]] of fields.entries()) {
        const offset = layout.offsets[names[i]!]!;
        expect(offset % (Number(type.slice(1)) / 8)).toBe(0);
        expect(offset).toBeGreaterThanOrEqual(end);
        end = offset + Number(type.slice(1)) / 8;
      }
      expect(layout.bytes).toBe(end);
    },
  );

  test('checks types and ranges', () => {
    expect(() => struct({})).toThrow(/must not be empty/);
    expect(() => struct({ x: 'u24' as never })).toThrow(/x=u24/);
    const layout = struct({ x: 'u32' });
    expect(() => layout.read(new Uint8Array(6), 3)).toThrow(/start=3, length=6/);
  });
});

describe('streams', () => {
  test('carry records with backpressure, and their ends', async () => {
    const { handle } = createRing({ capacity: 256 });
    const consumer = attachConsumer(handle);
    const producer = attachProducer(handle);
    const chunks = Array.from({ length: 50 }, (_, i) => new Uint8Array(40).fill(i));
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    const done = source.pipeTo(writableTo(producer));
    const seen: Uint8Array[] = [];
    for await (const chunk of readableFrom(consumer) as unknown as AsyncIterable<Uint8Array>) {
      seen.push(chunk);
    }
    await done;
    expect(seen).toEqual(chunks);
  });

  test('pass cancellation and abortion to the other end', async () => {
    const { handle } = createRing({ capacity: 256 });
    const producer = attachProducer(handle);
    const stream = readableFrom(attachConsumer(handle));
    const reader = stream.getReader();
    const pending = reader.read();
    await reader.cancel('seen enough');
    expect((await pending).done).toBe(true);
    expect(producer.consumerEnd?.reason).toBe('seen enough');
    const other = createRing({ capacity: 256 });
    await writableTo(attachProducer(other.handle)).abort('broken');
    expect(attachConsumer(other.handle).producerEnd?.reason).toBe('broken');
  });
});

describe('stats and inspect', () => {
  test('count what both ends did', async () => {
    const { handle } = createRing({ capacity: 64 });
    const producer = attachProducer(handle, { full: 'drop-newest' });
    const consumer = attachConsumer(handle);
    while (producer.tryPush(new Uint8Array(12)));
    expect(await producer.ready(0, { timeoutMs: 2 })).toBe(false);
    expect(readStats(handle)).toMatchObject({
      producerWaits: true,
      pushed: 4,
      dropped: 1,
      fullHits: 1,
    });
    consumer.drain(() => {});
    expect(await consumer.ready({ timeoutMs: 2 })).toBe(false);
    producer.close('end');
    expect(readStats(handle)).toMatchObject({
      kind: 'bytes',
      capacity: 64,
      used: 0,
      highWater: 64,
      pushed: 4,
      popped: 4,
      dropped: 1,
      producerParks: 1,
      consumerParks: 1,
      consumerWakes: 1,
      producerWakes: 1,
      consumerWaits: false,
      producerWaits: false,
      producerEnd: { how: 'closed', reason: 'end' },
      consumerEnd: undefined,
    });
  });

  test('draw rings of every kind', () => {
    const { handle } = createRing({ capacity: 64, startIndex: 48 });
    const producer = attachProducer(handle);
    producer.tryPush(new Uint8Array(9), 0, 9, 1);
    producer.tryPush(new Uint8Array(3));
    producer.close('done');
    const picture = inspect(handle);
    expect(picture).toContain('[########........................................################]');
    expect(picture).toContain('records: 9 bytes at 48 (kind 1), 3 bytes at 0');
    expect(picture).toContain('producer: closed (done); 2 pushed');
    new Int32Array(handle.buffer)[256 + 12] = 0x0ffffff0;
    expect(inspect(handle)).toContain('damaged header 0xffffff0 at 48');
    const lanes = createLanes({ laneCount: 2, capacity: 64 });
    attachLane(lanes.handle, { lane: 1 }).tryPush(Uint8Array.of(1));
    expect(inspect(lanes.handle)).toMatch(
      /group of 2 lanes: 8 bytes used\nlane 0:\n {2}bytes ring: 0/,
    );
    const slots = createSlotRing({ slotCount: 4, slotBytes: 8 });
    attachSlotProducer(slots.handle).tryPush(new Uint8Array(8));
    expect(inspect(slots.handle)).toContain('slots ring: 1 of 4 slots of 8 bytes used\n[#...]');
    const queue = createQueue({ slotCount: 4, slotBytes: 8 });
    attachQueue(queue.handle).tryPush(new Uint8Array(8));
    expect(inspect(queue.handle)).toContain('queue ring: 1 of 4');
    expect(() => inspect(new SharedArrayBuffer(4096))).toThrow(/magic/);
  });
});

describe('memory', () => {
  test('of a shared WebAssembly.Memory can hold rings beside other data', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    const { handle } = createRing({ capacity: 4096, buffer, byteOffset: 1024 });
    const producer = attachProducer(handle, { alignBytes: 8 });
    const consumer = attachConsumer(handle);
    for (let i = 0; i < 1000; i++) {
      producer.tryPush(new Uint8Array(i % 600).fill(i));
      const at = consumer.peek();
      // Where wasm would read it: address in linear memory = byteOffset of the view + start.
      const address = consumer.bytes.byteOffset + at;
      expect(address % 8).toBe(0);
      expect(new Uint8Array(memory.buffer, address, i % 600)).toEqual(
        new Uint8Array(i % 600).fill(i),
      );
      consumer.release();
    }
    expect(new Uint8Array(memory.buffer, 0, 1024).every((byte) => byte === 0)).toBe(true);
    const behind = new Uint8Array(memory.buffer, 1024 + ringBytes(4096));
    expect(behind.every((byte) => byte === 0)).toBe(true);
  });

  test('that may move is copied byte by byte', () => {
    const { handle } = createRing({ capacity: 256 });
    const producer = attachProducer(handle);
    const consumer = attachConsumer(handle);
    const Resizable = ArrayBuffer as unknown as new (
      bytes: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer & { resize(bytes: number): void };
    const buffer = new Resizable(16, { maxByteLength: 32 });
    const source = new Uint8Array(buffer).fill(3);
    expect(producer.tryPush(source)).toBe(true);
    expect(consumer.tryPopInto(source.fill(0))).toBe(16);
    expect([...source]).toEqual(new Array(16).fill(3));
    buffer.resize(8);
    expect(producer.tryPush(source)).toBe(true);
    expect(() => producer.tryPush(source, 0, 16)).toThrow(/length=8/);
    expect(consumer.tryPop()).toEqual(new Uint8Array(8).fill(3));
  });
});
