/**
 * Goal: every sink of the bridge fulfils the contract, and the checks find sinks that don't.
 * Method: the published conformance checks on each sink, and on sinks that break one rule each.
 */
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  createViewer,
  memorySink,
  nullSink,
  type Pane,
  type Pipe,
  type Sink,
  streamSink,
} from '@millrace/bridge';
import { asciicastSink } from '@millrace/bridge/sinks/asciicast';
import { assertSink, checkSink, type SinkUnderTest } from '@millrace/bridge/sinks/conformance';
import { ghosttySink, loadGhostty } from '@millrace/bridge/sinks/ghostty';
import { webSocketViewer } from '@millrace/bridge/sinks/websocket';
import { xtermSink } from '@millrace/bridge/sinks/xterm';
import { createWebViewer } from '@millrace/bridge/web';
import xterm from '@xterm/headless';
import { describe, expect, test } from 'vitest';
import { socketPair } from './support/socket-pair.ts';

/** A pane that hands over the sink that it was piped to. */
function capture(pipeTo: (pane: Pane) => void): Sink {
  let captured: Sink | undefined;
  const pane = {
    id: 3,
    info: { columns: 80, rows: 24 },
    pipe: (sink: Sink) => {
      captured = sink;
      return { close: async () => undefined, hide() {}, show() {} } as unknown as Pipe;
    },
  };
  pipeTo(pane as unknown as Pane);
  return captured!;
}

function drained(stream: PassThrough): () => Buffer {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}

const sinks: Record<string, () => SinkUnderTest | Promise<SinkUnderTest>> = {
  null: () => ({ sink: nullSink() }),
  memory: () => {
    const sink = memorySink();
    return { sink, received: () => sink.contents() };
  },
  stream: () => {
    const stream = new PassThrough({ highWaterMark: 100 });
    return { sink: streamSink(stream), received: drained(stream) };
  },
  asciicast: () => {
    const stream = new PassThrough({ highWaterMark: 100 });
    const all = drained(stream);
    const received = (): Uint8Array => {
      const lines = all().toString().trim().split('\n').slice(1);
      const events = lines.map((line) => JSON.parse(line) as [number, string, string]);
      return Buffer.from(events.map(([, code, text]) => (code === 'o' ? text : '')).join(''));
    };
    return { sink: asciicastSink(stream, { columns: 80, rows: 24 }), received };
  },
  xterm: () => ({
    sink: xtermSink(new xterm.Terminal({ cols: 80, rows: 24, allowProposedApi: true })),
  }),
  'xterm, what it writes': () => {
    const chunks: Uint8Array[] = [];
    const terminal = {
      write: (data: Uint8Array, callback?: () => void) => {
        chunks.push(data.slice());
        // Whole characters only: what the terminal of that name needs.
        new TextDecoder('utf-8', { fatal: true }).decode(data);
        setTimeout(() => callback?.(), 0);
      },
    };
    return { sink: xtermSink(terminal), received: () => Buffer.concat(chunks) };
  },
  ghostty: async () => ({ sink: ghosttySink((await loadGhostty()).createTerminal(80, 24)) }),
  viewer: () => {
    const inner = memorySink();
    const slow: Sink = {
      write: (bytes) => {
        inner.write(bytes);
        return new Promise<void>((resolve) => setTimeout(resolve, 0));
      },
    };
    return {
      sink: capture((pane) => createViewer({ windowBytesMin: 512 }).pipe(pane, slow)),
      received: () => inner.contents(),
    };
  },
  websocket: () => {
    const [near, far] = socketPair();
    const inner = memorySink();
    createWebViewer(far, { open: () => inner });
    const sink = capture((pane) => webSocketViewer(near).pipe(pane));
    return { sink, received: () => inner.contents() };
  },
};

describe('every sink fulfils the contract', () => {
  test.each(Object.keys(sinks))('%s', async (name) => {
    await assertSink({ create: sinks[name]! });
  });

  test('stream, of a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-sink-'));
    let files = 0;
    await assertSink({
      create: () => {
        const path = join(folder, String(files++));
        return {
          sink: streamSink(createWriteStream(path)),
          received: () => readFileSync(path),
        };
      },
    });
    rmSync(folder, { recursive: true });
  });
});

describe('the checks find a sink that', () => {
  const broken: Record<string, [string, () => SinkUnderTest]> = {
    'keeps borrowed bytes': [
      'borrowed',
      () => {
        const kept: Uint8Array[] = [];
        return {
          sink: { write: (bytes) => void kept.push(bytes) },
          received: () => Buffer.concat(kept),
        };
      },
    ],
    'fails on an empty write': [
      'empty',
      () => ({
        sink: {
          write(bytes) {
            if (bytes.length === 0) throw new Error('out of bounds');
            return undefined;
          },
        },
      }),
    ],
    'decodes each write by itself': [
      'cut',
      () => {
        let all = '';
        return {
          sink: {
            write: (bytes) => {
              all += new TextDecoder().decode(bytes);
              return undefined;
            },
          },
          received: () => new TextEncoder().encode(all),
        };
      },
    ],
    'never settles': ['accepts', () => ({ sink: { write: () => new Promise(() => {}) } })],
    'returns a number': [
      'accepts',
      () => ({
        sink: { write: ((bytes: Uint8Array) => bytes.length) as unknown as Sink['write'] },
      }),
    ],
    'writes into what it was lent': [
      'accepts',
      () => ({ sink: { write: (bytes) => void bytes.fill(0) } }),
    ],
    'tells more than was written': [
      'drawn',
      () => {
        let tell: (bytes: number) => void = () => {};
        return {
          sink: {
            write: (bytes) => void tell(bytes.length + 1e6),
            onDrawn: (listener) => {
              tell = listener;
            },
          },
        };
      },
    ],
    'never closes': [
      'close',
      () => ({ sink: { write: () => undefined, close: () => new Promise<void>(() => {}) } }),
    ],
    'loses what it carried': [
      'cut',
      () => {
        const inner = memorySink();
        return {
          sink: { write: (bytes) => (bytes.length > 1 ? inner.write(bytes) : undefined) },
          received: () => inner.contents(),
        };
      },
    ],
  };
  test.each(Object.keys(broken))('%s', async (name) => {
    const [check, create] = broken[name]!;
    const found = (await checkSink({ create, timeoutMs: 40 })).filter((one) => one.problem);
    expect(found.map((one) => one.name)).toContain(check);
    await expect(assertSink({ create, timeoutMs: 40 })).rejects.toThrow(check);
  });

  test('is shared between creations', async () => {
    const sink = memorySink();
    const found = await checkSink({ create: () => ({ sink }), timeoutMs: 40 });
    expect(found.find((one) => one.name === 'apart')?.problem).toMatch(/same sink/);
  });
});
