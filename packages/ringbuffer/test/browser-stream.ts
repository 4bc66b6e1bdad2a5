// What both browser suites do: a worker produces, the page consumes without blocking, every byte is checked.
import {
  attachConsumer,
  type Channel,
  type ConsumerOptions,
  transferOf,
} from '@millrace/ringbuffer';
import { expect } from 'vitest';
import { check } from './fixtures/stream.mjs';

export async function streamFromWorker(
  channel: Channel,
  mode: 'sync' | 'async',
  options: ConsumerOptions = {},
): Promise<void> {
  const count = 3_000;
  const worker = new Worker(new URL('./fixtures/browser-producer.ts', import.meta.url), {
    type: 'module',
  });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => reject(new Error(event.message)));
  });
  worker.postMessage({ handle: channel.producer, count, mode }, transferOf(channel.producer));
  const consumer = attachConsumer(channel.consumer, options);
  let serial = 0;
  const consume = async (): Promise<void> => {
    while (await consumer.ready()) {
      consumer.drain((bytes, start, end) => check(bytes, start, end, serial++));
    }
  };
  await Promise.race([consume(), failed]);
  expect(serial).toBe(count);
  expect(consumer.producerEnd).toEqual({ how: 'closed', reason: `sent ${count}` });
  worker.terminate();
}
