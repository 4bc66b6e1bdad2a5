/**
 * Goal: for every pane, the bytes at a lossless sink are the bytes that the program in the pane wrote.
 * Method: a real tmux, several panes writing random bytes at once; tmux's own `pipe-pane` is the ground truth.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type MemorySink, memorySink, type Sink } from '@millrace/bridge';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modes } from './support/modes.ts';
import { hasTmux, type TestServer, testServer, until } from './support/tmux.ts';

const paneCount = 4;
const lineCount = 400;

/** Text with colour, wide characters, tabs and backslashes, cut at random places by slow writes. */
function makePayload(seed: number): Buffer {
  const pieces: string[] = [];
  for (let line = 0; line < lineCount; line++) {
    const colour = (seed * 31 + line * 7) % 256;
    const filler = 'x'.repeat((line * 13 + seed) % 180);
    pieces.push(
      `\x1b[38;5;${colour}m${line}\t\\${seed}\\033 日本語 é ─ 🙂 ${filler}\x1b[0m\x07\x7f\r\n`,
    );
  }
  return Buffer.concat([Buffer.from(pieces.join('')), Buffer.from([0x1b, 0x5c, 0x9b, 0xff, 0xe2])]);
}

let server: TestServer;
beforeEach(() => {
  server = testServer();
});
afterEach(() => server.close());

/** A sink that takes its time now and then, so that bytes queue up and backpressure is felt. */
const slow = (sink: MemorySink, everyBytes: number): Sink => {
  let bytes = 0;
  return {
    write(chunk) {
      sink.write(chunk);
      bytes += chunk.length;
      if (bytes < everyBytes) return undefined;
      bytes = 0;
      return new Promise((resolve) => setTimeout(resolve, 3));
    },
  };
};

const cases = modes.flatMap((mode) => [false, true].map((lagging) => ({ ...mode, lagging })));

describe.skipIf(!hasTmux).each(cases)(
  'worker: $worker, lagging sinks: $lagging',
  ({ worker, lagging }) => {
    test('each pane delivers what its program wrote, and nothing else', async () => {
      const sinks = new Map<number, MemorySink>();
      const go = join(server.directory, 'go');
      const program = (index: number): string => {
        const file = join(server.directory, `payload-${index}`);
        writeFileSync(file, makePayload(index));
        const wait = `while [ ! -e ${go} ]; do sleep 0.02; done`;
        return `stty raw -echo; ${wait}; for i in 1 2 3; do cat ${file}; done; printf DONE; sleep 60`;
      };
      await using session = await connect({
        socketPath: server.socketPath,
        configFile: '/dev/null',
        session: 'truth',
        create: { command: program(0) },
        worker,
        ringBytes: 65_536,
        pipe: { bytesHigh: 20_000 },
        sink: (pane) => {
          const sink = memorySink();
          sinks.set(pane, sink);
          return lagging ? slow(sink, 30_000) : sink;
        },
      });
      for (let index = 1; index < paneCount; index++) {
        await session.command('split-window', '-d', '-t', 'truth', program(index));
        await session.command('select-layout', '-t', 'truth', 'tiled');
      }
      const ids = (await session.command('list-panes', '-F', '#{pane_id}')).lines;
      expect(ids).toHaveLength(paneCount);
      for (const id of ids) {
        const file = join(server.directory, `truth-${id.slice(1)}`);
        await session.command('pipe-pane', '-O', '-t', id, `cat > ${file}`);
      }
      // tmux starts the pipes' programs in its own time; their files appear when they run.
      const truth = (id: string): string => join(server.directory, `truth-${id.slice(1)}`);
      await until(() => ids.every((id) => existsSync(truth(id))));
      writeFileSync(go, '');
      const done = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('DONE');
      await until(() => ids.every((id) => done(sinks.get(Number(id.slice(1)))!.contents())));
      await until(() => ids.every((id) => done(readFileSync(truth(id)))));
      for (const id of ids) {
        const got = Buffer.from(sinks.get(Number(id.slice(1)))!.contents());
        const wanted = readFileSync(truth(id));
        expect(wanted.length).toBeGreaterThan(3 * lineCount * 20);
        // What the shell and stty wrote before the pipe began is in ours only.
        expect(got.subarray(got.length - wanted.length).equals(wanted)).toBe(true);
        expect(got.length - wanted.length).toBeLessThan(200);
      }
      expect(session.stats().gaps).toBe(0);
    });
  },
);
