/**
 * Goal: the adaptive engine changes engines without a trace in the events, wherever it does (V1). Method: fast-check
 * against the oracle, with limits so low that it changes anywhere in the stream, in a line, in a reply, in lent memory.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AdaptiveMachine } from '../src/engine-adaptive.ts';
import type { ControlHandler, ParserOptions } from '../src/handler.ts';
import { ParserBase } from '../src/parser-base.ts';
import { cutting, garbage, wellFormed } from './support/arbitraries.ts';
import { collector, commitCut, pushCut } from './support/collect.ts';
import { oracle } from './support/oracle.ts';

const runs = Number(process.env['FC_RUNS'] ?? 600);
const seed = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };

class Parser extends ParserBase {
  constructor(
    handler: ControlHandler,
    options: ParserOptions,
    floodBytes?: number,
    nowMs: () => number = () => 0,
  ) {
    super(
      (checked, settings) => new AdaptiveMachine(checked, settings, floodBytes, nowMs),
      handler,
      options,
    );
  }
}

test('whatever the bytes, the cut and the moment of the change', () => {
  let changed = 0;
  const check = fc.property(
    fc.oneof(garbage, wellFormed),
    cutting,
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.boolean(),
    fc.constantFrom('lines' as const, 'dcs' as const),
    fc.boolean(),
    (body, cut, share, gluedGuards, framing, lends) => {
      const ends = ['$ tmux -CC\r\n\x1bP1000p', '\n\x1b\\$ '].map((text) => Buffer.from(text));
      const bytes = framing === 'lines' ? body : Buffer.concat([ends[0]!, body, ends[1]!]);
      const { events, handler } = collector();
      const parser = new Parser(
        handler,
        { framing, gluedGuards },
        Math.floor(share * bytes.length),
      );
      (lends ? commitCut : pushCut)(parser, bytes, cut(bytes.length));
      parser.end();
      if (parser.engine === 'wasm') changed++;
      const wanted = oracle(Buffer.from(bytes).toString('latin1'), { framing, gluedGuards });
      expect(events).toEqual(wanted);
    },
  );
  fc.assert(check, { numRuns: runs, ...seed });
  expect(changed).toBeGreaterThan(runs / 3);
});

test('a line longer than the buffer moves with it', () => {
  const payload = 'x'.repeat(700_000);
  const bytes = Buffer.from(`%output %1 ${payload}\n%output %2 y\n`);
  for (const floodBytes of [100_000, 400_000, 690_000]) {
    for (const feed of [pushCut, commitCut]) {
      const { events, handler } = collector();
      const parser = new Parser(handler, { framing: 'lines' }, floodBytes);
      const cuts = Array.from({ length: 40 }, (_, index) => (index + 1) * 20_000);
      feed(parser, bytes, cuts);
      parser.end();
      expect(parser.engine).toBe('wasm');
      expect(events).toEqual([`output 1 ${payload}`, 'output 2 y']);
    }
  }
});

/** Sends lines of 100 bytes in reads of ten, at a rate, for a virtual time. */
function engineAfter(bytesPerMs: number, ms: number): string {
  let now = 0;
  const parser = new Parser(collector().handler, { framing: 'lines' }, undefined, () => now);
  const read = Buffer.from(`%output %1 ${'x'.repeat(88)}\n`.repeat(10));
  for (let sent = 0; sent < bytesPerMs * ms; sent += read.length) {
    now = sent / bytesPerMs;
    parser.push(read);
  }
  return parser.engine;
}

test('small reads are a flood if they come fast, and never if they come slowly', () => {
  expect(engineAfter(10_000, 100)).toBe('wasm');
  expect(engineAfter(2048, 1000)).toBe('wasm');
  expect(engineAfter(1000, 60_000)).toBe('js');
});

test('the clock is asked when so much has come that it may be a flood, not with each read', () => {
  let looks = 0;
  let now = 0;
  const parser = new Parser(collector().handler, { framing: 'lines' }, 100_000, () => {
    looks++;
    return now;
  });
  const read = Buffer.from(`%output %1 ${'x'.repeat(988)}\n`);
  for (; now < 2000; now++) parser.push(read);
  expect(parser.engine).toBe('js');
  expect(looks).toBeLessThan(30);
  // Calm until now: what has come since is known as a flood after twice the limit at most.
  for (let sent = 0; sent <= 200_000; sent += read.length) parser.push(read);
  expect(parser.engine).toBe('wasm');
});
