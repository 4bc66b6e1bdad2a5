/**
 * A ring without shared memory, for pages that aren't cross-origin isolated: each thread has a ring of its own,
 * and messages keep the two alike. The handles are the same classes as over shared memory.
 *
 * ```text
 *   thread of the producer                             thread of the consumer
 *   RingProducer -> [ring in an ArrayBuffer]           [ring in an ArrayBuffer] -> RingConsumer
 *                        |  tail and the bytes up to it, transferred  ^
 *                        +--------------- MessagePort ----------------+
 *                        ^  head                                      |
 *                        +--------------- MessagePort ----------------+
 * ```
 * R1: a mirror's wait line has the flag bit 2 set for ever, so each publication, release and end rings the bell.
 *     The bell sends once per microtask what has changed since the last message.
 * R2: bytes travel with the tail that covers them, heads with nothing: the receiver stores the bytes first. The
 *     producer never writes beyond the head that it has received, so the two sides agree on all bytes between.
 * R3: no thread can block here: `…Sync` calls fail with `ERR_RING_BLOCKING` when they would have to.
 *
 * Cost: one message per tick with traffic and direction, one copy more than over shared memory.
 */
import { RingConsumer } from './consumer.ts';
import { endOnce, readEnd } from './ends.ts';
import { type RingEnd, RingTypeError } from './errors.ts';
import {
  CONSUMER_END,
  CONTROL_BYTES,
  CONTROL_WORDS,
  DATA_LINE,
  type EndMemory,
  formatRing,
  HEAD,
  PRODUCER_END,
  SPACE_LINE,
  TAIL,
} from './layout.ts';
import type { ConsumerOptions, ProducerOptions } from './options.ts';
import { RingProducer } from './producer.ts';
import { FLAG, FLAG_ENDED, FLAG_MIRROR, TARGET, type Waiter } from './wait.ts';

/** One end of a ring that is mirrored by messages; send it with its port in the transfer list. */
export interface MessageHandle {
  /** Way to the other end. */
  readonly port: MessagePort;
  /** Bytes for records and headers, at each end. */
  readonly capacity: number;
}

interface Update {
  /** Index behind the bytes, or up to which they are released. */
  readonly index: number;
  readonly bytes?: Uint8Array | undefined;
  readonly end?: RingEnd | undefined;
}

/** Whether a handle is one of a mirrored ring. @internal */
export const isMessageHandle = (handle: unknown): handle is MessageHandle =>
  typeof handle === 'object' && handle !== null && 'port' in handle;

function mirrorMemory({ port, capacity }: MessageHandle): EndMemory {
  if (typeof port?.postMessage !== 'function') {
    throw new RingTypeError('ERR_RING_TYPE', `port must be a MessagePort: port=${String(port)}`);
  }
  const buffer = new ArrayBuffer(CONTROL_BYTES + capacity);
  formatRing(buffer, 0, capacity, 0);
  const words = new Int32Array(buffer, 0, CONTROL_WORDS);
  return {
    words,
    dataWords: words,
    dataLine: DATA_LINE,
    buffer,
    byteOffset: 0,
    capacity,
    local: true,
  };
}

/** Attaches to the producing end of a mirrored ring. @internal */
export function mirrorProducer(handle: MessageHandle, options: ProducerOptions): RingProducer {
  const memory = mirrorMemory(handle);
  const producer = new RingProducer(memory, options);
  const sent = { index: producer.published };
  connect(handle.port, memory.words, DATA_LINE, producer, CONSUMER_END, {
    collect: () => {
      const tail = Atomics.load(memory.words, TAIL);
      const bytes = cut(producer.bytes, sent.index, tail);
      sent.index = tail;
      return { index: tail, bytes, end: readEnd(memory.words, PRODUCER_END) };
    },
    accept: ({ index }) => Atomics.store(memory.words, HEAD, index),
  });
  return producer;
}

/** Attaches to the consuming end of a mirrored ring. @internal */
export function mirrorConsumer(handle: MessageHandle, options: ConsumerOptions): RingConsumer {
  const memory = mirrorMemory(handle);
  const consumer = new RingConsumer(memory, options);
  connect(handle.port, memory.words, SPACE_LINE, consumer, PRODUCER_END, {
    collect: () => ({
      index: Atomics.load(memory.words, HEAD),
      end: readEnd(memory.words, CONSUMER_END),
    }),
    accept: ({ index, bytes }) => {
      if (bytes !== undefined) paste(consumer.bytes, Atomics.load(memory.words, TAIL), bytes);
      Atomics.store(memory.words, TAIL, index); // R2
    },
  });
  return consumer;
}

interface Mirror {
  readonly waiter: Waiter;
  bell: (() => void) | undefined;
}

interface Exchange {
  /** What to send. */
  collect(): Update;
  /** Applies what came. */
  accept(update: Update): void;
}

/** Ties a handle to its port: its bell sends, messages wake it. */
function connect(
  port: MessagePort,
  words: Int32Array,
  line: number,
  handle: Mirror,
  peerEnd: number,
  { collect, accept }: Exchange,
): void {
  let scheduled = false;
  let endSent = false;
  const send = (): void => {
    scheduled = false;
    if (endSent) return;
    const update = collect();
    Atomics.store(words, line + TARGET, update.index); // the next publication is always beyond it: R1
    endSent = update.end !== undefined && peerEnd === CONSUMER_END;
    port.postMessage(update, update.bytes === undefined ? [] : [update.bytes.buffer]);
  };
  handle.bell = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(send);
  };
  Atomics.store(words, line + FLAG, FLAG_MIRROR); // R1
  const endPeer = (end: RingEnd): void => {
    endOnce(words, peerEnd, end.how, end.reason);
    if (peerEnd === CONSUMER_END) Atomics.or(words, DATA_LINE + FLAG, FLAG_ENDED);
    handle.waiter.kick();
  };
  port.addEventListener('message', (event) => {
    const update = event.data as Update;
    accept(update);
    if (update.end !== undefined) endPeer(update.end);
    handle.waiter.kick();
  });
  port.addEventListener('close', () => endPeer({ how: 'dead', reason: 'port closed' }));
  port.start();
  // Waits hold the event loop themselves, if their handle wants that.
  (port as { unref?: () => void }).unref?.();
}

/** Copies the bytes between two indices out of the ring. */
function cut(ring: Uint8Array, from: number, to: number): Uint8Array | undefined {
  const length = (to - from) | 0;
  if (length === 0) return undefined;
  const bytes = new Uint8Array(length);
  const offset = from & (ring.length - 1);
  const first = Math.min(length, ring.length - offset);
  bytes.set(ring.subarray(offset, offset + first));
  bytes.set(ring.subarray(0, length - first), first);
  return bytes;
}

/** Copies bytes into the ring at an index. */
function paste(ring: Uint8Array, at: number, bytes: Uint8Array): void {
  const offset = at & (ring.length - 1);
  const first = Math.min(bytes.length, ring.length - offset);
  ring.set(bytes.subarray(0, first), offset);
  ring.set(bytes.subarray(first), 0);
}
