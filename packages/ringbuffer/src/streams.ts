/** Rings as Web Streams, with the stream's own backpressure in both directions. */
import type { ReadyOptions } from './consumer-end.ts';
import type { PushOptions } from './writer.ts';

/** What a readable stream needs of a consumer; every consumer here has it. */
export interface ReadableSource {
  /** Takes a record, and waits for it if need be. */
  pop(options?: Pick<ReadyOptions, 'signal'>): Promise<Uint8Array | undefined>;
  /** Says that nobody reads any more. */
  close?(reason?: string): void;
}

/** What a writable stream needs of a producer; every producer that waits has it. */
export interface WritableTarget {
  /** Appends a record, and waits for room if need be. */
  push(source: Uint8Array, options?: Pick<PushOptions, 'signal'>): Promise<boolean>;
  /** Ends the stream. */
  close(reason?: string): void;
}

/**
 * Makes a stream of owned records from a consumer. Cancelling it closes the consumer's end.
 *
 * @param consumer - the stream takes it over
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, attachProducer, createRing, readableFrom, writableTo } from '@millrace/ringbuffer';
 *
 * const { handle } = createRing();
 * const done = new Blob(['hello']).stream().pipeTo(writableTo(attachProducer(handle)));
 * const text = await new Response(readableFrom(attachConsumer(handle)) as BodyInit).text();
 * await done;
 * assert.equal(text, 'hello');
 * ```
 */
export function readableFrom(consumer: ReadableSource): ReadableStream<Uint8Array> {
  const stop = new AbortController();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const record = await consumer.pop({ signal: stop.signal });
          if (record === undefined) controller.close();
          else controller.enqueue(record);
        } catch (error) {
          if (!stop.signal.aborted) throw error;
        }
      },
      cancel(reason) {
        stop.abort();
        consumer.close?.(reason === undefined ? '' : String(reason));
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Makes a stream that pushes each chunk as one record: one longer than `lengthBytesMax` fails the stream. Closing it
 * closes the producer's end; so does aborting it, with the reason.
 *
 * @param producer - the stream takes it over
 */
export function writableTo(producer: WritableTarget): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(chunk, controller) {
      await producer.push(chunk, { signal: controller.signal }); // dropped records are counted there
    },
    close: () => producer.close(),
    abort: (reason) => producer.close(reason === undefined ? '' : String(reason)),
  });
}
