/**
 * Every way, ours and the peers', to send `total` messages of `size` bytes from one worker to another.
 *
 * Every producer writes a serial number into the first word of every message, every consumer sums those words,
 * and the sum is checked: no contender can skip touching the data. `mark(i)` is called at window borders.
 */
import type { MessagePort } from 'node:worker_threads';
import {
  attachConsumer,
  attachLane,
  attachLanesConsumer,
  attachProducer,
  createLanes,
  createRing,
} from '@millrace/ringbuffer';
import { RingBuffer } from 'ringbuf.js';
import { bareConsume, bareProduce, bareRing } from './bare.ts';
import { CasConsumer, CasProducer, createCasRing } from './cas-ring.ts';

/** Called when message `i` has been consumed and a window ends; returns the next border. */
export type Mark = (i: number) => number;

export interface Transport {
  /** Makes what both workers get; absent for message ports. */
  readonly make?: (size: number) => unknown | Promise<unknown>;
  readonly produce: (link: never, size: number, total: number) => void | Promise<void>;
  readonly consume: (
    link: never,
    size: number,
    total: number,
    first: number,
    mark: Mark,
  ) => number | Promise<number>;
}

/** One megabyte for large messages, else a quarter: what fits the second-level cache. */
export const capacityFor = (size: number): number => (size >= 16384 ? 1 << 20 : 1 << 18);
const BATCH = 4096;

/**
 * In place a line or two of a message travel, so it isn't bytes that limit: the ring has room for a thousand messages,
 * within limits. One that holds fifteen stands still while its head and tail travel, and so does the one in C++.
 */
export const inPlaceCapacityFor = (size: number): number =>
  Math.min(1 << 24, Math.max(1 << 18, size << 10));

/** Bytes per publication: an atomic store waits for all stores before it, so large messages want more of them. */
const batchFor = (size: number): number =>
  Math.max(BATCH, Math.min(inPlaceCapacityFor(size) >> 3, size << 5));

/** Messages per call of a loop: the engine replaces what runs by better code only at a call. */
const LOOP_COUNT = 1024;

type Handle = ReturnType<typeof createRing>['handle'];

const message = (size: number): { bytes: Uint8Array; words: Int32Array } => {
  const bytes = new Uint8Array(Math.max(size, 8)).fill(7);
  return { bytes, words: new Int32Array(bytes.buffer) };
};

/** Copies in by `tryPush`, and out by `tryPopInto`. */
const copying = (batch: number): Transport => ({
  make: (size) => createRing({ capacity: capacityFor(size) }).handle,
  produce(handle: Handle, size, total) {
    const producer = attachProducer(handle, { publish: batch });
    const { bytes, words } = message(size);
    for (let i = 0; i < total; i++) {
      words[0] = i;
      while (!producer.tryPush(bytes, 0, size));
    }
    producer.flush();
  },
  consume(handle: Handle, size, total, first, mark) {
    const consumer = attachConsumer(handle, { releaseBytes: batch });
    const { bytes, words } = message(size);
    let sum = 0;
    let border = first;
    for (let i = 0; i < total; ) {
      if (consumer.tryPopInto(bytes) < 0) continue;
      sum = (sum + words[0]!) | 0;
      if (++i === border) border = mark(i);
    }
    consumer.flush();
    return sum;
  },
});

/** Copies in by `tryPush`, reads in place by `drain`: what we recommend for small messages. */
const draining = (copy: 'auto' | 'words' | 'set' | 'buffer'): Transport => ({
  make: (size) => createRing({ capacity: capacityFor(size) }).handle,
  produce(handle: Handle, size, total) {
    const producer = attachProducer(handle, { publish: BATCH, copy });
    const { bytes, words } = message(size);
    for (let i = 0; i < total; i++) {
      words[0] = i;
      while (!producer.tryPush(bytes, 0, size));
    }
    producer.flush();
  },
  consume(handle: Handle, _size, total, first, mark) {
    const consumer = attachConsumer(handle);
    const view = new DataView(consumer.bytes.buffer, consumer.bytes.byteOffset);
    let sum = 0;
    let border = first;
    let i = 0;
    const take = (_bytes: Uint8Array, start: number): void => {
      sum = (sum + view.getInt32(start, true)) | 0;
      if (++i === border) border = mark(i);
    };
    while (i < total) consumer.drain(take, 64);
    return sum;
  },
});

/** Claims, writes the serial number only, commits; drains in place: what the ring itself costs. */
const inPlace: Transport = {
  make: (size) => createRing({ capacity: inPlaceCapacityFor(size) }).handle,
  produce(handle: Handle, size, total) {
    const producer = attachProducer(handle, { publish: batchFor(size) });
    const words = new Int32Array(producer.bytes.buffer, producer.bytes.byteOffset);
    const some = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        let start = producer.claim(size);
        while (start < 0) start = producer.claim(size);
        words[start >> 2] = i;
        producer.commit();
      }
    };
    for (let i = 0; i < total; i += LOOP_COUNT) some(i, Math.min(i + LOOP_COUNT, total));
    producer.flush();
  },
  consume(handle: Handle, _size, total, first, mark) {
    const consumer = attachConsumer(handle);
    const words = new Int32Array(consumer.bytes.buffer, consumer.bytes.byteOffset);
    let sum = 0;
    let border = first;
    let i = 0;
    const take = (_bytes: Uint8Array, start: number): void => {
      sum = (sum + words[start >> 2]!) | 0;
      if (++i === border) border = mark(i);
    };
    while (i < total) consumer.drain(take, 64);
    return sum;
  },
};

/** The floor under `inPlace`: plain loops. */
const bare: Transport = {
  make: (size) => bareRing(inPlaceCapacityFor(size)),
  produce(handle: Handle, size, total) {
    bareProduce(handle, inPlaceCapacityFor(size), batchFor(size), size, total);
  },
  consume(handle: Handle, size, total, first, mark) {
    return bareConsume(handle, inPlaceCapacityFor(size), total, first, mark);
  },
};

type Elements = typeof Uint8Array | typeof Int32Array;

/** ringbuf.js has no messages: the consumer waits until a whole one is there. */
const ringbufJs = (Type: Elements): Transport => ({
  make: (size) =>
    RingBuffer.getStorageForCapacity(capacityFor(size) / Type.BYTES_PER_ELEMENT, Type),
  produce(storage: SharedArrayBuffer, size, total) {
    const ring = new RingBuffer(storage, Type);
    const { bytes, words } = message(size);
    const elements = new Type(bytes.buffer as ArrayBuffer, 0, size / Type.BYTES_PER_ELEMENT);
    for (let i = 0; i < total; i++) {
      words[0] = i;
      while (ring.availableWrite() < elements.length);
      ring.push(elements);
    }
  },
  consume(storage: SharedArrayBuffer, size, total, first, mark) {
    const ring = new RingBuffer(storage, Type);
    const { bytes, words } = message(size);
    const elements = new Type(bytes.buffer as ArrayBuffer, 0, size / Type.BYTES_PER_ELEMENT);
    let sum = 0;
    let border = first;
    for (let i = 0; i < total; ) {
      if (ring.availableRead() < elements.length) continue;
      ring.pop(elements);
      sum = (sum + words[0]!) | 0;
      if (++i === border) border = mark(i);
    }
    return sum;
  },
});

const acknowledged = (port: MessagePort): Promise<void> =>
  new Promise((resolve) => {
    port.once('message', () => {
      port.close();
      resolve();
    });
  });

/** A port per message, or one message per `per` of them, cloned or transferred. */
const port = (per: number, transfer: boolean): Transport => ({
  produce(port: MessagePort, size, total) {
    for (let i = 0; i < total; i += per) {
      const words = new Int32Array((size * per) >> 2);
      for (let k = 0; k < per; k++) words[(k * size) >> 2] = i + k;
      if (transfer) port.postMessage(words, [words.buffer]);
      else port.postMessage(words);
    }
    return acknowledged(port);
  },
  consume(port: MessagePort, size, total, first, mark) {
    return new Promise((resolve) => {
      let sum = 0;
      let i = 0;
      let border = first;
      port.on('message', (words: Int32Array) => {
        for (let k = 0; k < words.length; k += size >> 2) {
          sum = (sum + words[k]!) | 0;
          if (++i === border) border = mark(i);
        }
        if (i < total) return;
        port.postMessage(0);
        resolve(sum);
      });
    });
  },
});

/** One of four lanes is active. */
const lanes: Transport = {
  make: () => createLanes({ laneCount: 4, capacity: 1 << 16 }).handle,
  produce(handle: Handle, size, total) {
    const producer = attachLane(handle, { lane: 2, publish: BATCH });
    const { bytes, words } = message(size);
    for (let i = 0; i < total; i++) {
      words[0] = i;
      while (!producer.tryPush(bytes, 0, size));
    }
    producer.flush();
  },
  consume(handle: Handle, _size, total, first, mark) {
    const consumer = attachLanesConsumer(handle);
    const view = new DataView(handle.buffer);
    let sum = 0;
    let border = first;
    let i = 0;
    const take = (bytes: Uint8Array, start: number): void => {
      sum = (sum + view.getInt32(bytes.byteOffset + start, true)) | 0;
      if (++i === border) border = mark(i);
    };
    while (i < total) consumer.drain(take, 256);
    return sum;
  },
};

const casClaim: Transport = {
  make: () => createCasRing(1 << 18),
  produce(buffer: SharedArrayBuffer, size, total) {
    const producer = new CasProducer(buffer);
    const { words } = message(size);
    for (let i = 0; i < total; i++) {
      words[0] = i;
      while (!producer.tryPush(words, size));
    }
  },
  consume(buffer: SharedArrayBuffer, _size, total, first, mark) {
    const consumer = new CasConsumer(buffer);
    let sum = 0;
    let border = first;
    let i = 0;
    const take = (data: Int32Array, at: number): void => {
      sum = (sum + data[at]!) | 0;
      if (++i === border) border = mark(i);
    };
    while (i < total) consumer.drain(take, 1024);
    return sum;
  },
};

interface WasmLink {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
}

const RING_AT = 65536;
const SOURCE_AT = 1024;
const CALL_COUNT = 4096;

/** The loops of `wasm.ts` over a ring of ours in a shared WebAssembly.Memory. */
const wasm: Transport = {
  async make() {
    const { compileRing, PAGES } = await import('./wasm.ts');
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    createRing({ capacity: 1 << 18, buffer, byteOffset: RING_AT });
    return { memory, module: await compileRing() };
  },
  async produce({ memory, module }: WasmLink, size, total) {
    const { instantiate } = await import('./wasm.ts');
    const ring = instantiate(module, memory);
    // In many calls, as V8 replaces baseline code by optimised code only at a call.
    for (let i = 0; i < total; i += CALL_COUNT) {
      const count = Math.min(CALL_COUNT, total - i);
      ring.produce(RING_AT, 1 << 18, SOURCE_AT, size, i, count, BATCH);
    }
  },
  async consume({ memory, module }: WasmLink, _size, total, first, mark) {
    const { instantiate } = await import('./wasm.ts');
    const ring = instantiate(module, memory);
    let sum = 0;
    let border = first;
    for (let i = 0; i < total; ) {
      const count = Math.min(border, total) - i;
      sum = (sum + ring.consume(RING_AT, 1 << 18, count, BATCH)) | 0;
      i += count;
      border = mark(i);
    }
    return sum;
  },
};

export const transports: Readonly<Record<string, Transport>> = {
  copy: copying(BATCH),
  'copy, published each': copying(0),
  'copy in, drain in place': draining('auto'),
  'copy in by set, drain in place': draining('set'),
  'copy in by words, drain in place': draining('words'),
  'copy in by buffer, drain in place': draining('buffer'),
  'in place': inPlace,
  'bare loops, in place': bare,
  wasm,
  lanes,
  'CAS claim': casClaim,
  'ringbuf.js Uint8Array': ringbufJs(Uint8Array),
  'ringbuf.js Int32Array': ringbufJs(Int32Array),
  'postMessage clone': port(1, false),
  'postMessage transfer': port(1, true),
  'postMessage, 64 by hand': port(64, true),
};
