// Goal: an ordinary page, which may not share memory, gets the same API over messages. Method: the stream of
// the isolated suite, on a page served without COOP and COEP.
import { canShare, createChannel, createRing } from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';
import { streamFromWorker } from './browser-stream.ts';

describe('a page that is not isolated', () => {
  test('has no shared memory, and says so', () => {
    expect(globalThis.crossOriginIsolated).toBe(false);
    expect(canShare()).toBe(false);
    expect(() => createChannel({ transport: 'shared' })).toThrow(/cross-origin isolated/);
    expect(() => createRing()).toThrow(/SharedArrayBuffer is missing/);
  });

  test('consumes from a worker over messages', async () => {
    const channel = createChannel({ capacity: 4096 });
    expect(channel.transport).toBe('message');
    await streamFromWorker(channel, 'async');
  });
});
