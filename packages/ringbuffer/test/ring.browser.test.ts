// Goal: the core works in a real browser, on a cross-origin isolated page. Method: a worker blocks and
// produces, the page's main thread consumes; what a page may not do gives typed errors.
import {
  attachBroadcastConsumer,
  attachBroadcastProducer,
  attachConsumer,
  attachLane,
  attachLanesConsumer,
  attachProducer,
  attachQueue,
  attachSlotProducer,
  type CopyKernel,
  canShare,
  createBroadcast,
  createChannel,
  createLanes,
  createQueue,
  createRing,
  createSlotRing,
} from '@millrace/ringbuffer';
import { describe, expect, test } from 'vitest';
import { streamFromWorker } from './browser-stream.ts';

describe('an isolated page', () => {
  test('shares memory', () => {
    expect(globalThis.crossOriginIsolated).toBe(true);
    expect(canShare()).toBe(true);
    expect(createChannel().transport).toBe('shared');
  });

  test.each(['waitAsync', 'poll'] as const)(
    'consumes on its main thread by %s from a worker that blocks',
    async (strategy) => {
      await streamFromWorker(createChannel({ capacity: 4096 }), 'sync', { strategy });
    },
  );

  test('consumes from a worker that awaits, over either transport', async () => {
    await streamFromWorker(createChannel({ capacity: 4096 }), 'async');
    await streamFromWorker(createChannel({ capacity: 4096, transport: 'message' }), 'async');
  });

  test('may not block its main thread', () => {
    const { handle } = createRing({ capacity: 64 });
    const producer = attachProducer(handle);
    const code = { code: 'ERR_RING_BLOCKING' };
    expect(() => attachConsumer(handle).popSync()).toThrow(expect.objectContaining(code));
    while (producer.tryPush(new Uint8Array(4)));
    expect(() => producer.pushSync(new Uint8Array(4))).toThrow(expect.objectContaining(code));
  });

  test.each<CopyKernel>(['auto', 'words', 'set'])('copies by %s', (copy) => {
    const { handle } = createRing({ capacity: 2048, startIndex: 2 ** 31 - 1024 });
    const producer = attachProducer(handle, { copy });
    const consumer = attachConsumer(handle, { copy });
    const source = new Uint8Array(1000).map((_, i) => i);
    const target = new Uint8Array(1000);
    for (let i = 0; i < 2000; i++) {
      const length = i % 900;
      expect(producer.tryPush(source, i % 8, (i % 8) + length)).toBe(true);
      expect(consumer.tryPopInto(target, i % 5)).toBe(length);
      expect(target.subarray(i % 5, (i % 5) + length)).toEqual(
        source.subarray(i % 8, (i % 8) + length),
      );
    }
  });

  test('has no Buffer to copy by', () => {
    const { handle } = createRing({ capacity: 64 });
    expect(() => attachProducer(handle, { copy: 'buffer' })).toThrow(/Buffer.prototype.copy/);
  });

  test('has the other topologies too', async () => {
    const lanes = createLanes({ laneCount: 2, capacity: 64 });
    attachLane(lanes.handle).tryPush(Uint8Array.of(1));
    expect(await attachLanesConsumer(lanes.handle).pop()).toEqual(Uint8Array.of(1));
    const broadcast = createBroadcast({ capacity: 64 });
    const listener = attachBroadcastConsumer(broadcast.handle);
    const waiting = listener.pop();
    attachBroadcastProducer(broadcast.handle).tryPush(Uint8Array.of(2));
    expect(await waiting).toEqual(Uint8Array.of(2));
    const queue = attachQueue(createQueue({ slotCount: 2, slotBytes: 4 }).handle);
    await queue.push(Uint8Array.of(3));
    expect(await queue.pop()).toEqual(Uint8Array.of(3));
  });

  test('plays from an audio worklet, which has neither timers nor text decoders', async () => {
    const { handle } = createSlotRing({ slotBytes: 512, slotCount: 8 });
    const producer = attachSlotProducer(handle);
    const samples = Float32Array.from({ length: 512 }, (_, i) => i / 512);
    for (let at = 0; at < 512; at += 128) {
      producer.tryPush(new Uint8Array(samples.buffer, at * 4, 512));
    }
    producer.close('fin');
    const audio = new OfflineAudioContext(1, 640, 48_000);
    await audio.audioWorklet.addModule(new URL('./fixtures/audio-worklet.ts', import.meta.url));
    const player = new AudioWorkletNode(audio, 'player', { processorOptions: { handle } });
    const told = new Promise<unknown>((resolve) => {
      player.port.onmessage = ({ data }) => resolve(data);
    });
    player.connect(audio.destination);
    const played = (await audio.startRendering()).getChannelData(0);
    expect(played.subarray(0, 512)).toEqual(samples);
    expect(await told).toEqual({ end: { how: 'closed', reason: 'fin' }, hasDecoder: false });
    expect(producer.consumerEnd).toEqual({ how: 'closed', reason: 'played' });
  });
});
