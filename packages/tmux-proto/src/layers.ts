/**
 * Convenience over the parser: event objects, async iteration, Web Streams, text by pane. Each costs what it
 * allocates; the handler of the parser itself costs nothing.
 *
 * @packageDocumentation
 */
import type { Guard } from './guard.ts';
import type { ControlHandler, UnknownReason } from './handler.ts';
import { ControlParser, type ControlParserOptions } from './index.ts';
import type { Notification } from './notifications.ts';

export { PaneText } from './pane-text.ts';

/** An event as an object; every `bytes` is a copy that belongs to the receiver. */
export type ControlEvent =
  | {
      /** What a program wrote to its pane. */
      readonly type: 'output';
      /** Number of the pane. */
      readonly pane: number;
      /** Time that tmux queued it (milliseconds), -1 if tmux didn't say. */
      readonly ageMs: number;
      /** Decoded bytes. */
      readonly bytes: Uint8Array;
    }
  | {
      /** A complete reply, or one that broke off. */
      readonly type: 'reply';
      /** The guard round it. */
      readonly guard: Guard;
      /** How it ended. */
      readonly status: 'end' | 'error' | 'abandoned';
      /** Its lines. */
      readonly lines: readonly Uint8Array[];
    }
  | {
      /** Any other notification. */
      readonly type: 'notification';
      /** Which, with its fields. */
      readonly notification: Notification;
    }
  | {
      /** tmux says that it ends this client. */
      readonly type: 'exit';
      /** Why; may be empty. */
      readonly reason: string;
    }
  | {
      /** A line that is no event of the protocol. */
      readonly type: 'unknown';
      /** Which kind. */
      readonly reason: UnknownReason;
      /** The line. */
      readonly bytes: Uint8Array;
    }
  | {
      /** Control mode of `tmux -CC` begins or ends. */
      readonly type: 'enter' | 'leave';
    }
  | {
      /** The shell's own output round `tmux -CC`. */
      readonly type: 'passthrough';
      /** The text. */
      readonly bytes: Uint8Array;
    };

/**
 * Returns a handler that makes an object of every event.
 *
 * Cost: an object and a copy of its bytes for each event.
 * @param emit - receives the objects, in stream order
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { ControlParser } from '@millrace/tmux-proto';
 * import { eventHandler, type ControlEvent } from '@millrace/tmux-proto/layers';
 *
 * const events: ControlEvent[] = [];
 * const parser = new ControlParser(eventHandler((event) => events.push(event)));
 * parser.push(new TextEncoder().encode('%output %1 hi\n%pause %1\n'));
 * assert.deepEqual(events.map((event) => event.type), ['output', 'notification']);
 * ```
 */
export function eventHandler(emit: (event: ControlEvent) => void): ControlHandler {
  let lines: Uint8Array[] = [];
  const reply = (guard: Guard, status: 'end' | 'error' | 'abandoned'): void => {
    const own = lines;
    lines = [];
    emit({ type: 'reply', guard, status, lines: own });
  };
  const copy = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
    new Uint8Array(bytes.subarray(start, end));
  return {
    output: (pane, bytes, start, end) =>
      emit({ type: 'output', pane, ageMs: -1, bytes: copy(bytes, start, end) }),
    extendedOutput: (pane, ageMs, bytes, start, end) =>
      emit({ type: 'output', pane, ageMs, bytes: copy(bytes, start, end) }),
    replyLine: (bytes, start, end) => {
      lines.push(copy(bytes, start, end));
    },
    end: (guard) => reply(guard, 'end'),
    error: (guard) => reply(guard, 'error'),
    abandon: (guard) => reply(guard, 'abandoned'),
    notification: (notification) => emit({ type: 'notification', notification }),
    exit: (reason) => emit({ type: 'exit', reason }),
    unknown: (bytes, start, end, reason) =>
      emit({ type: 'unknown', reason, bytes: copy(bytes, start, end) }),
    enter: () => emit({ type: 'enter' }),
    leave: () => emit({ type: 'leave' }),
    passthrough: (bytes, start, end) =>
      emit({ type: 'passthrough', bytes: copy(bytes, start, end) }),
  };
}

/**
 * Parses a stream of chunks into a stream of events; pulls a chunk only when the events of the last are taken.
 *
 * @param source - a Node stream, a Web `ReadableStream` (where it can be iterated), or any iterable of chunks
 * @param options - of the parser
 * @throws What the source throws; a `ParserError` over a limit.
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { controlEvents } from '@millrace/tmux-proto/layers';
 *
 * const chunks = ['%output %1 he', 'llo\n'].map((text) => new TextEncoder().encode(text));
 * for await (const event of controlEvents(chunks)) {
 *   assert(event.type === 'output');
 *   assert.equal(new TextDecoder().decode(event.bytes), 'hello');
 * }
 * ```
 */
export async function* controlEvents(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ControlParserOptions = {},
): AsyncGenerator<ControlEvent, void, undefined> {
  let events: ControlEvent[] = [];
  const parser = new ControlParser(
    eventHandler((event) => events.push(event)),
    options,
  );
  for await (const chunk of source) {
    parser.push(chunk);
    const ready = events;
    events = [];
    for (const event of ready) yield event; // `yield*` would cost twice the time
  }
  parser.end();
  for (const event of events) yield event;
}

/**
 * Returns a Web `TransformStream` from chunks to events.
 *
 * @param options - of the parser
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { controlTransform } from '@millrace/tmux-proto/layers';
 *
 * const bytes = new Blob(['%session-changed $0 main\n']).stream();
 * const reader = bytes.pipeThrough(controlTransform()).getReader();
 * const { value } = await reader.read();
 * assert(value?.type === 'notification');
 * assert.deepEqual(value.notification, { type: 'session-changed', session: 0, name: 'main' });
 * ```
 */
export function controlTransform(
  options: ControlParserOptions = {},
): TransformStream<Uint8Array, ControlEvent> {
  let parser: ControlParser;
  return new TransformStream<Uint8Array, ControlEvent>({
    start(controller) {
      parser = new ControlParser(
        eventHandler((event) => controller.enqueue(event)),
        options,
      );
    },
    transform: (chunk) => parser.push(chunk),
    flush: () => parser.end(),
  });
}
