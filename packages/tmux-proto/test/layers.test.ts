/**
 * Goal: the layers tell what the handler tells, in order, with bytes of their own; text by pane is what one
 * decoder would make of it (U1). Method: examples, and a property against TextDecoder.
 */

import { ControlParser } from '@millrace/tmux-proto';
import {
  type ControlEvent,
  controlEvents,
  controlTransform,
  eventHandler,
  PaneText,
} from '@millrace/tmux-proto/layers';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const STREAM =
  '$ \x1bP1000p%begin 1 2 1\r\none\r\n%end 1 2 1\r\n%begin 1 3 1\r\nno\r\n%error 1 3 1\r\n%output %1 a\\033\r\n%extended-output %2 7 : b\r\n%window-add @1\r\n?\r\n%exit bye\r\n\x1b\\$ ';
const chunks = (size: number): Uint8Array[] => {
  const whole = Buffer.from(STREAM, 'latin1');
  return Array.from(
    { length: Math.ceil(whole.length / size) },
    (_, index) => new Uint8Array(whole.subarray(index * size, (index + 1) * size)),
  );
};
const show = (event: ControlEvent): unknown => {
  if (event.type === 'reply')
    return [
      event.status,
      event.guard.number,
      ...event.lines.map((line) => Buffer.from(line).toString()),
    ];
  if ('bytes' in event)
    return [
      event.type,
      Buffer.from(event.bytes).toString(),
      ...('pane' in event ? [event.pane, event.ageMs] : []),
    ];
  if (event.type === 'notification') return event.notification;
  return event.type === 'exit' ? ['exit', event.reason] : event.type;
};
/** How text is cut isn't part of the contract. */
const join = (events: unknown[]): unknown[] =>
  events.filter((event, index) => {
    const before = events[index - 1];
    if (!Array.isArray(event) || !Array.isArray(before) || event[0] !== 'passthrough') return true;
    if (before[0] !== 'passthrough') return true;
    before[1] += event[1];
    return false;
  });
const WANTED = [
  ['passthrough', '$ '],
  'enter',
  ['end', 2, 'one'],
  ['error', 3, 'no'],
  ['output', 'a\x1b', 1, -1],
  ['output', 'b', 2, 7],
  { type: 'window-add', window: 1 },
  ['unknown', '?'],
  ['exit', 'bye'],
  'leave',
  ['passthrough', '$ '],
];

test('objects own their bytes', () => {
  const events: ControlEvent[] = [];
  const parser = new ControlParser(
    eventHandler((event) => events.push(event)),
    { debug: true },
  );
  for (const chunk of chunks(1000)) {
    parser.push(chunk);
    chunk.fill(0);
  }
  expect(events.map(show)).toEqual(WANTED);
});

test('an async iterator gives the same events', async () => {
  const events: unknown[] = [];
  async function* slowly() {
    for (const chunk of chunks(30)) {
      await Promise.resolve();
      yield chunk;
    }
  }
  for await (const event of controlEvents(slowly())) events.push(show(event));
  expect(join(events)).toEqual(WANTED);
});

test('an open reply ends with the stream', async () => {
  const events: unknown[] = [];
  for await (const event of controlEvents([Buffer.from('%begin 1 2 1\nx\n')]))
    events.push(show(event));
  expect(events).toEqual([['abandoned', 2, 'x']]);
});

test('a transform stream gives the same events', async () => {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks(50)) controller.enqueue(chunk);
      controller.close();
    },
  });
  const events: unknown[] = [];
  await source
    .pipeThrough(controlTransform())
    .pipeTo(new WritableStream({ write: (event) => void events.push(show(event)) }));
  expect(join(events)).toEqual(WANTED);
});

test('text of panes is what one decoder makes of each (U1)', () => {
  const bytes = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
        fc.constantFrom(...['é', '─', '😀', '\ufeff', 'a'].map((text) => Buffer.from(text))),
        fc
          .constantFrom(0x80, 0xc0, 0xc3, 0xe0, 0xed, 0xa0, 0xf0, 0x9f, 0xf4, 0x90, 0xf5, 0xff)
          .map((byte) => Buffer.of(byte)),
      ),
    )
    .map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(
      fc.array(bytes, { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(fc.nat()),
      (panes, random) => {
        const text = new PaneText();
        const got = panes.map(() => '');
        const at = panes.map(() => 0);
        while (panes.some((pane, index) => at[index]! < pane.length)) {
          const pane = (random.next().value as number) % panes.length;
          const end = Math.min(
            at[pane]! + 1 + ((random.next().value as number) % 4),
            panes[pane]!.length,
          );
          got[pane] += text.decode(pane, panes[pane]!, at[pane]!, end);
          at[pane] = end;
        }
        const flushed = got.map((text1, pane) => text1 + text.flush(pane));
        expect(flushed).toEqual(
          panes.map((pane) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(pane)),
        );
      },
    ),
    { numRuns: Number(process.env['FC_RUNS'] ?? 400) },
  );
});
