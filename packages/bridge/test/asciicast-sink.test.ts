/**
 * Goal: an asciicast holds exactly the pane's text, in lines that every player reads.
 * Method: random text cut at random bytes; the lines parsed again.
 */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fc, test } from '@fast-check/vitest';
import { asciicastSink } from '@millrace/bridge/sinks/asciicast';
import { describe, expect } from 'vitest';

describe('the asciicast sink', () => {
  test.prop(
    [fc.string({ unit: 'grapheme', maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 6 }))],
    { numRuns: Number(process.env['FC_RUNS'] ?? 100) },
  )('keeps the text, the order and the times', async (written, cuts) => {
    const stream = new PassThrough();
    let time = 5000;
    const sink = asciicastSink(stream, { columns: 80, rows: 24, title: 't', now: () => time });
    const bytes = Buffer.from(written);
    for (let start = 0, turn = 0; start < bytes.length; turn++) {
      const end = start + (cuts[turn] ?? 7);
      time += 10;
      sink.write(bytes.subarray(start, end));
      start = end;
    }
    const all = text(stream);
    await sink.close?.();
    const [header, ...events] = (await all)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(header).toEqual({ version: 2, width: 80, height: 24, title: 't' });
    const parsed = events as [number, string, string][];
    expect(parsed.map((event) => event[2]).join('')).toBe(written);
    let before = 0;
    for (const [seconds, kind] of parsed) {
      expect(kind).toBe('o');
      expect(seconds).toBeGreaterThanOrEqual(before);
      before = seconds;
    }
  });
});
