/**
 * Goal: both engines run in a browser and behave alike. Method: a stream with everything in it, cut everywhere,
 * in Chromium.
 */
import { type ControlHandler, ControlParser, isWasmAvailable } from '@millrace/tmux-proto';
import { ControlParser as JsParser } from '@millrace/tmux-proto/js';
import { controlTransform, PaneText } from '@millrace/tmux-proto/layers';
import { expect, test } from 'vitest';

const STREAM =
  '$ \x1bP1000p%begin 1 2 1\r\none\r\n%end 1 2 1\r\n%output %1 a\\033\\134─\r\n' +
  '%extended-output %2 7 : b\\015\r\n%window-add @1\r\n?\r\n%exit bye\r\n\x1b\\$ ';
const bytes = new TextEncoder().encode(STREAM);

function events(Parser: typeof ControlParser | typeof JsParser, step: number): string[] {
  const seen: string[] = [];
  const text = new TextDecoder();
  const add =
    (name: string) =>
    (...args: unknown[]) => {
      const [b, start, end] = args.slice(-3) as [Uint8Array, number, number];
      seen.push(`${name} ${args.slice(0, -3)} ${text.decode(b.slice(start, end))}`);
    };
  const handler: ControlHandler = {
    output: add('output'),
    extendedOutput: add('extended'),
    replyLine: add('reply'),
    notification: (event) => seen.push(JSON.stringify(event)),
    exit: (reason) => seen.push(`exit ${reason}`),
    enter: () => seen.push('enter'),
    leave: () => seen.push('leave'),
  };
  const parser = new Parser(handler);
  for (let at = 0; at < bytes.length; at += step) parser.push(bytes.slice(at, at + step));
  parser.end();
  return seen;
}

test('both engines, any cut', () => {
  expect(isWasmAvailable()).toBe(true);
  const wanted = [
    'enter',
    'reply  one',
    'output 1 a\x1b\\─',
    'extended 2,7 b\r',
    '{"type":"window-add","window":1}',
    'exit bye',
    'leave',
  ];
  for (let step = 1; step < 60; step++) {
    expect(events(ControlParser, step)).toEqual(wanted);
    expect(events(JsParser, step)).toEqual(wanted);
  }
});

test('layers over Web Streams', async () => {
  const reader = new Blob([bytes]).stream().pipeThrough(controlTransform()).getReader();
  const text = new PaneText();
  let seen = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    if (value.type === 'output') seen += text.decode(value.pane, value.bytes);
  }
  expect(seen).toBe('a\x1b\\─b\r');
});
