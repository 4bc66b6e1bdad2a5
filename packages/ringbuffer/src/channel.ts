/** One way to connect two threads, over shared memory where there is some, by messages elsewhere. */
import { RingStateError } from './errors.ts';
import { checkCapacity } from './layout.ts';
import type { MessageHandle } from './mirror.ts';
import { createRing, type RingHandle } from './ring.ts';

/** Settings of a new channel. */
export interface ChannelOptions {
  /**
   * As for `createRing`.
   *
   * @defaultValue 262144
   */
  readonly capacity?: number;
  /**
   * `shared` needs SharedArrayBuffer, in browsers a cross-origin isolated page; `auto` takes it if it is there.
   *
   * @defaultValue 'auto'
   */
  readonly transport?: 'auto' | 'shared' | 'message';
}

/** A new channel. */
export interface Channel {
  /** What it runs over. */
  readonly transport: 'shared' | 'message';
  /** For `attachProducer`, in the thread that pushes; see {@link transferOf}. */
  readonly producer: RingHandle | MessageHandle;
  /** For `attachConsumer`, in the thread that reads; see {@link transferOf}. */
  readonly consumer: RingHandle | MessageHandle;
}

/** Whether this thread can share memory with others. */
export const canShare = (): boolean =>
  typeof SharedArrayBuffer === 'function' &&
  (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false;

/**
 * Creates a ring whose two ends can be sent to two threads, whether or not they can share memory. Over messages
 * everything works but blocking.
 *
 * @throws {RingStateError} If `shared` is asked for where memory can't be shared.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, attachProducer, createChannel, transferOf } from '@millrace/ringbuffer';
 *
 * const channel = createChannel({ transport: 'message' });
 * // worker.postMessage(channel.producer, transferOf(channel.producer));
 * assert.equal(transferOf(channel.producer).length, 1);
 * const producer = attachProducer(channel.producer);
 * const consumer = attachConsumer(channel.consumer);
 * await producer.push(Uint8Array.of(1, 2, 3));
 * assert.deepEqual(await consumer.pop(), Uint8Array.of(1, 2, 3));
 * ```
 */
export function createChannel(options: ChannelOptions = {}): Channel {
  const { capacity = 1 << 18, transport = 'auto' } = options;
  checkCapacity(capacity);
  if (transport === 'shared' && !canShare()) {
    throw new RingStateError(
      'ERR_RING_UNSUPPORTED',
      "transport: 'shared' needs SharedArrayBuffer, in browsers a cross-origin isolated page",
    );
  }
  if (transport === 'message' || !canShare()) {
    const { port1, port2 } = new MessageChannel();
    return {
      transport: 'message',
      producer: { port: port1, capacity },
      consumer: { port: port2, capacity },
    };
  }
  const { handle } = createRing({ capacity });
  return { transport: 'shared', producer: handle, consumer: handle };
}

/** Returns the transfer list that `postMessage` needs to send this end of a channel. */
export const transferOf = (handle: RingHandle | MessageHandle): MessagePort[] =>
  'port' in handle ? [handle.port] : [];
