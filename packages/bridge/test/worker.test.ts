/**
 * Goal: a worker that dies at any moment costs a typed error and nothing else, and a runtime that shares no memory gets
 * the same bytes. Method: workers terminated after random delays, sinks that know what comes next; a Node whose
 * SharedArrayBuffer is switched off.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { connect, type Session, type Sink } from '@millrace/bridge';
import { describe, expect, test } from 'vitest';
import { workerModes } from './support/modes.ts';
import { panesOf, recordingFile } from './support/recording.ts';
import { watchWorkers } from './support/workers.ts';

const wanted = new Map(
  [...panesOf(recordingFile)].map(([pane, text]) => [pane, Buffer.from(text, 'latin1')]),
);

/** A sink that takes what a pane writes again and again, and notes where it differs. */
function strictSink(pane: number, wrong: number[]): Sink {
  const loop = wanted.get(pane)!;
  let at = 0;
  return {
    write: (bytes) => {
      for (let start = 0; start < bytes.length; ) {
        const length = Math.min(bytes.length - start, loop.length - at);
        const piece = bytes.subarray(start, start + length);
        if (loop.compare(piece, 0, length, at, at + length) !== 0) wrong.push(pane);
        start += length;
        at = (at + length) % loop.length;
      }
    },
  };
}

describe.each(workerModes)('a worker that is terminated, worker: $worker', ({ worker }) => {
  // 0: before it has its end of the ring; the later ones in the middle of a flood.
  test.each([0, 1, 20, 60, 90, 120, 150, 180])('after %i ms', async (delayMs) => {
    const wrong: number[] = [];
    const { workers, stop } = watchWorkers();
    let session: Session;
    try {
      session = await connect({
        recording: { source: recordingFile, pace: { kind: 'max' }, loops: 2 ** 30 },
        worker,
        ringBytes: 65_536,
        sink: (pane) => strictSink(pane, wrong),
      });
    } finally {
      stop();
    }
    expect(workers.size).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await [...workers][0]!.terminate();
    const { reason, error } = await session.closed;
    expect([reason, error?.code]).toEqual(['failed', 'ERR_WORKER_FAILED']);
    expect(wrong).toEqual([]);
  });
});

// The flag makes SharedArrayBuffer an option of each context, as Chromium does, and Node's contexts don't take it.
test.each([false, true])('a Node without SharedArrayBuffer, worker: %s', (worker) => {
  const fixture = fileURLToPath(new URL('./fixtures/play.mjs', import.meta.url));
  const recording = fileURLToPath(new URL('../recordings/demo.millrace.gz', import.meta.url));
  const flags = [...process.execArgv, '--enable-sharedarraybuffer-per-context'];
  const said = execFileSync(process.execPath, [...flags, fixture, recording, String(worker)], {
    encoding: 'utf8',
  });
  const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  expect(JSON.parse(said)).toEqual({
    shared: 'undefined',
    reason: 'exited',
    panes: Object.fromEntries([...wanted].map(([pane, bytes]) => [pane, hash(bytes)])),
    isCounted: true,
    gained: true,
    ring: worker,
  });
});
