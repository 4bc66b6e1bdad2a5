/**
 * Goal: every event of real streams of tmux 1.8 to 3.8 is right, by every engine and any cut. Method:
 * recordings made by this project (fixtures/recordings), whose counts of events and digests of each pane's
 * bytes were established by an independent program; and the same events for every way to cut.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ControlHandler, ParserOptions } from '@millrace/tmux-proto';
import { describe, expect, test } from 'vitest';
import { type Construct, pushCut, run } from './support/collect.ts';
import { engines } from './support/engines.ts';

interface Recording {
  tmux: string;
  mode: '-C' | '-CC';
  sha256: string;
  counts: Record<string, number>;
  panes: Record<string, { len: number; sha256: string }>;
  groundTruth: Record<string, { len: number; sha256: string }>;
}
const folder = new URL('./fixtures/recordings/', import.meta.url);
const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as Record<
  string,
  Recording
>;
const streams = Object.entries(index).map(([name, recording]) => {
  const bytes = new Uint8Array(gunzipSync(readFileSync(new URL(`${name}.bin.gz`, folder))));
  // The counts call a guard that closes nothing `unknown`; here it is `stray`.
  const { unknown = 0, stray = 0, ...counts } = recording.counts;
  if (unknown + stray > 0) counts['stray'] = unknown + stray;
  recording.counts = counts;
  return { name, recording, bytes };
});

/** Counts events under the names that the recordings use. */
function summary(Parser: Construct, bytes: Uint8Array, size: number, options: ParserOptions) {
  const counts: Record<string, number> = {};
  const add = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  const panes = new Map<number, { hash: ReturnType<typeof createHash>; len: number }>();
  const output = (pane: number, b: Uint8Array, start: number, end: number): void => {
    let entry = panes.get(pane);
    if (entry === undefined) {
      entry = { hash: createHash('sha256'), len: 0 };
      panes.set(pane, entry);
    }
    entry.hash.update(b.subarray(start, end));
    entry.len += end - start;
  };
  let passed = 0;
  const handler: ControlHandler = {
    output: (pane, b, s, e) => {
      add('output');
      output(pane, b, s, e);
    },
    extendedOutput: (pane, _age, b, s, e) => {
      add('extended-output');
      output(pane, b, s, e);
    },
    begin: () => add('block'),
    abandon: () => add('abandoned'),
    notification: (event) => add(event.type),
    exit: () => add('exit'),
    unknown: (_b, _s, _e, reason) => add(reason),
    enter: () => {
      add('enter');
      passed = 0;
    },
    leave: () => {
      add('leave');
      passed = 0;
    },
    passthrough: () => {
      if (passed++ === 0) add('passthrough');
    },
  };
  const parser = new Parser(handler, options);
  const cuts: number[] = [];
  for (let at = size; at < bytes.length; at += size) cuts.push(at);
  pushCut(parser, bytes, cuts);
  parser.end();
  return {
    counts,
    panes: Object.fromEntries(
      [...panes].map(([pane, { hash, len }]) => [pane, { len, sha256: hash.digest('hex') }]),
    ),
  };
}

describe.each(engines)('%s engine', (_, Parser, extra) => {
  test.each(streams)('$name', ({ recording, bytes }) => {
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(recording.sha256);
    const framing = recording.mode === '-C' ? 'lines' : 'dcs';
    for (const [size, mode] of [
      [65536, framing],
      [4096, 'auto'],
      [997, framing],
    ] as const) {
      const { counts, panes } = summary(Parser, bytes, size, { ...extra, framing: mode });
      expect({ size, mode, counts }).toEqual({ size, mode, counts: recording.counts });
      expect(panes).toEqual(recording.panes);
    }
  });

  test.each(streams.filter(({ bytes }) => bytes.length < 300_000))(
    '$name, byte by byte',
    ({ recording, bytes }) => {
      const framing = recording.mode === '-C' ? 'lines' : 'dcs';
      const whole = run(Parser, bytes, [], { ...extra, framing });
      const cuts = Array.from({ length: bytes.length }, (_, at) => at);
      expect(run(Parser, bytes, cuts, { ...extra, framing }).join('\n') === whole.join('\n')).toBe(
        true,
      );
    },
  );

  test('what the panes wrote is what pipe-pane saw', () => {
    for (const { recording } of streams) {
      const truth = recording.groundTruth['pane_0_after_pipe'];
      if (truth !== undefined) expect(recording.panes['0']).toEqual(truth);
    }
  });
});
