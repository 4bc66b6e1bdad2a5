/**
 * Goal: the parse station hands replies over where somebody may wait for them, and nowhere else.
 * Method: a stream with output between replies, with and without; each event is written down.
 */
import { expect, test } from 'vitest';
import { createClock } from '../src/measure/clock.ts';
import { Reader } from '../src/parse/reader.ts';
import type { StreamEvent } from '../src/parse/records.ts';

const stream = [
  '%begin 1 1 1',
  'a line',
  '%output %9 no output: a line of the reply',
  '%end 1 1 1',
  '%output %1 between',
  '%begin 2 2 1',
  '%end 2 2 1',
  '%begin 3 3 1',
  "can't find pane: %7",
  '%error 3 3 1',
  '%sessions-changed',
  '%begin 4 4 1',
  'cut off',
].join('\n');

/** Says what a reader handed over of the stream, read in pieces of so many bytes. */
function told(replies: boolean, pieceBytes: number): string[] {
  const all: string[] = [];
  const target = {
    output: (pane: number, bytes: Uint8Array, start: number, end: number) => {
      all.push(`%${pane} ${Buffer.from(bytes.subarray(start, end)).toString()}`);
    },
    event: (event: StreamEvent) => {
      if (event.type !== 'reply') all.push(event.type);
      else all.push(`${event.ok} ${JSON.stringify(Buffer.from(event.body).toString())}`);
    },
    readEnd: () => {},
  };
  const parsing = { record: () => {}, recordCount: () => {} };
  const reader = new Reader(target, createClock(), parsing, { replyBytesMax: 1000, replies });
  const bytes = Buffer.from(`${stream}\n`);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.received(bytes.subarray(at, at + pieceBytes));
  }
  reader.ended({ status: 0 });
  return all;
}

test.each([1, 7, 1000])('replies go to whoever waits for them, in pieces of %i bytes', (size) => {
  expect(told(true, size)).toEqual([
    'true "a line\\n%output %9 no output: a line of the reply\\n"',
    '%1 between',
    'true ""',
    'false "can\'t find pane: %7\\n"',
    'notification',
    'false "cut off\\n"',
    'ended',
  ]);
});

test.each([1, 7, 1000])('those of a recording go nowhere, in pieces of %i bytes', (size) => {
  expect(told(false, size)).toEqual(['%1 between', 'notification', 'ended']);
});
