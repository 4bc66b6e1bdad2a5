/**
 * Goal: every mode delivers exactly what a recording holds, at every pace, in order, whatever the sinks do.
 * Method: the shipped recording, decoded by a second, slow decoder, against memory sinks.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type ConnectOptions,
  connect,
  type MemorySink,
  memorySink,
  nullSink,
  type Sink,
} from '@millrace/bridge';
import { describe, expect, test } from 'vitest';
import { modes } from './support/modes.ts';
import { panesOf, recordingFile } from './support/recording.ts';
import { hasTmux, testServer, until } from './support/tmux.ts';

const file = recordingFile;
const wanted = panesOf(file);

async function play(
  options: Partial<ConnectOptions>,
  recording: ConnectOptions['recording'],
  wrap: (sink: MemorySink) => Sink = (sink) => sink,
): Promise<Map<number, string>> {
  const sinks = new Map<number, MemorySink>();
  const session = await connect({
    ...options,
    recording: recording!,
    sink: (pane) => {
      const sink = memorySink();
      sinks.set(pane, sink);
      return wrap(sink);
    },
  });
  expect(await session.closed).toEqual({ reason: 'exited', message: 'the recording is over' });
  return new Map(
    [...sinks].map(([pane, sink]) => [pane, Buffer.from(sink.contents()).toString('latin1')]),
  );
}

test('the recording has four panes with something in each', () => {
  expect(wanted.size).toBe(4);
  for (const text of wanted.values()) expect(text.length).toBeGreaterThan(100);
});

describe.each(modes)('worker: $worker', ({ worker }) => {
  test.each([
    { kind: 'max' },
    { kind: 'recorded', speed: 50 },
    { kind: 'records', perSecond: 20_000 },
  ] as const)('every byte arrives in order at pace %j', async (pace) => {
    expect(await play({ worker }, { source: file, pace })).toEqual(wanted);
  });

  test('loops repeat it', async () => {
    const source = file;
    const got = await play({ worker }, { source, pace: { kind: 'max' }, loops: 3 });
    for (const [pane, text] of wanted) expect(got.get(pane)).toBe(text.repeat(3));
  });

  test.each([{ kind: 'max' }, { kind: 'records', perSecond: 1e9 }] as const)(
    'sinks that lag feel nothing but backpressure at pace %j',
    async (pace) => {
      let largest = 0;
      const got = await play(
        { worker, ringBytes: 65_536, pipe: { bytesHigh: 4096 } },
        { source: file, pace },
        (sink) => ({
          write: async (bytes) => {
            largest = Math.max(largest, bytes.length);
            await new Promise((resolve) => setImmediate(resolve));
            sink.write(bytes);
          },
        }),
      );
      expect(got).toEqual(wanted);
      // One read is 64 KiB; a pipe holds bytesHigh and the read that took it over, no more.
      expect(largest).toBeLessThanOrEqual(4096 + 65_536);
    },
  );

  test('what is due in one turn is one read', async () => {
    let writes = 0;
    const pace = { kind: 'records', perSecond: 1e9 } as const;
    const got = await play({ worker }, { source: file, pace }, (sink) => ({
      write: (bytes) => {
        writes++;
        return sink.write(bytes);
      },
    }));
    expect(got).toEqual(wanted);
    // Half a megabyte in reads of 64 KiB, published by 16 KiB, for four panes; 1,013 records if each were a read.
    expect(writes).toBeLessThan(250);
  });

  test('a sink that never accepts does not keep close from ending', async () => {
    const session = await connect({
      recording: { source: file, pace: { kind: 'max' }, loops: 1000 },
      worker,
      closeTimeoutMs: 100,
      sink: () => ({ write: () => new Promise(() => {}) }),
    });
    await until(() => session.panes.size > 0);
    expect((await session.close()).reason).toBe('closed');
  });

  test('every station has counted every record', async () => {
    const session = await connect({
      recording: { source: file, pace: { kind: 'max' } },
      worker,
      sink: () => nullSink(),
    });
    await session.closed;
    const { records, bytes, stations } = session.stats();
    expect(records).toBeGreaterThan(500);
    expect(bytes).toBeGreaterThan(500_000);
    expect(stations.parse.count).toBe(records);
    expect(stations.ring.count).toBe(worker ? records : 0);
    expect(stations.batch.count).toBe(records);
    expect(stations.total.count).toBe(records);
    expect(stations.total.max).toBeGreaterThanOrEqual(stations.batch.p50);
  });

  test('a recording takes no command, and a damaged one is refused', async () => {
    const session = await connect({ recording: { source: file }, worker });
    await expect(session.command('list-panes')).rejects.toMatchObject({
      code: 'ERR_BRIDGE_ARGUMENT',
    });
    await session.close();
    for (const source of [gzipSync('nothing'), '/nowhere/file']) {
      await expect(connect({ recording: { source }, worker })).rejects.toMatchObject({
        code: 'ERR_RECORDING_FORMAT',
      });
    }
  });

  test.skipIf(!hasTmux)('a live connection records what can be played again', async () => {
    const server = testServer();
    const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
    try {
      const path = join(directory, 'live');
      const sinks = new Map<number, MemorySink>();
      const session = await connect({
        socketPath: server.socketPath,
        configFile: '/dev/null',
        session: 'main',
        create: { command: 'for i in 1 2 3 4 5; do seq $i 1000; sleep 0.02; done' },
        worker,
        recordTo: path,
        sink: (pane) => {
          const sink = memorySink();
          sinks.set(pane, sink);
          return sink;
        },
      });
      await session.closed;
      const again = await play({ worker }, { source: path, pace: { kind: 'max' } });
      expect(again.size).toBe(1);
      for (const [pane, text] of again) {
        expect(Buffer.from(sinks.get(pane)!.contents()).toString('latin1')).toBe(text);
        expect(text).toContain('1000\r\n');
      }
    } finally {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
