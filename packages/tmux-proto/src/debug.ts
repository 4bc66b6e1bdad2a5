/**
 * The debug mode: makes misuse of borrowed bytes visible.
 *
 * D1: a handler sees a copy; when it returns, the copy is overwritten with 0xDB, so that a kept view shows.
 * D2: bytes outside of `[start, end)` are 0xDB too, so that a handler that reads past its range is found.
 * D3: a handler that writes to its range gets `ERR_TMUX_BORROW`.
 *
 * Cost: two copies and an allocation for each event.
 */
import { ParserError } from './errors.ts';
import type { ControlHandler } from './handler.ts';

const POISON = 0xdb;
const MARGIN = 32;

function lend(
  method: string,
  bytes: Uint8Array,
  start: number,
  end: number,
  use: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  const length = end - start;
  const copy = new Uint8Array(length + 2 * MARGIN).fill(POISON); // D2
  copy.set(bytes.subarray(start, end), MARGIN);
  try {
    use(copy, MARGIN, MARGIN + length);
    for (let index = 0; index < length; index++) {
      if (copy[MARGIN + index] !== bytes[start + index]) {
        throw new ParserError(
          'ERR_TMUX_BORROW', // D3
          `handler.${method} wrote to borrowed bytes at offset ${index} of ${length}`,
        );
      }
    }
  } finally {
    copy.fill(POISON); // D1
  }
}

/** Wraps a handler so that its use of borrowed bytes is checked (D1 to D3). */
export function debugHandler(handler: ControlHandler): ControlHandler {
  const checked: ControlHandler = {};
  if (handler.filter) checked.filter = (pane) => handler.filter!(pane);
  if (handler.begin) checked.begin = (guard) => handler.begin!(guard);
  if (handler.end) checked.end = (guard) => handler.end!(guard);
  if (handler.error) checked.error = (guard) => handler.error!(guard);
  if (handler.abandon) checked.abandon = (guard) => handler.abandon!(guard);
  if (handler.notification) checked.notification = (event) => handler.notification!(event);
  if (handler.exit) checked.exit = (reason) => handler.exit!(reason);
  if (handler.enter) checked.enter = () => handler.enter!();
  if (handler.leave) checked.leave = () => handler.leave!();
  if (handler.output) {
    checked.output = (pane, bytes, start, end) =>
      lend('output', bytes, start, end, (b, s, e) => handler.output!(pane, b, s, e));
  }
  if (handler.extendedOutput) {
    checked.extendedOutput = (pane, age, bytes, start, end) =>
      lend('extendedOutput', bytes, start, end, (b, s, e) =>
        handler.extendedOutput!(pane, age, b, s, e),
      );
  }
  if (handler.rawOutput) {
    checked.rawOutput = (pane, age, bytes, start, end) =>
      lend('rawOutput', bytes, start, end, (b, s, e) => handler.rawOutput!(pane, age, b, s, e));
  }
  if (handler.replyLine) {
    checked.replyLine = (bytes, start, end) =>
      lend('replyLine', bytes, start, end, (b, s, e) => handler.replyLine!(b, s, e));
  }
  if (handler.unknown) {
    checked.unknown = (bytes, start, end, reason) =>
      lend('unknown', bytes, start, end, (b, s, e) => handler.unknown!(b, s, e, reason));
  }
  if (handler.passthrough) {
    checked.passthrough = (bytes, start, end) =>
      lend('passthrough', bytes, start, end, (b, s, e) => handler.passthrough!(b, s, e));
  }
  return checked;
}
