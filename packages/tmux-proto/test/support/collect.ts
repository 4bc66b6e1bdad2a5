/** Collects events as strings, comparable with the oracle's; overwrites each chunk after its push. */
import type { ControlHandler, ParserBase, ParserOptions } from '@millrace/tmux-proto';

export type Construct = new (handler: ControlHandler, options?: ParserOptions) => ParserBase;

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');

export function collector(): { events: string[]; handler: ControlHandler } {
  const events: string[] = [];
  let text = false;
  const add = (event: string): void => {
    text = false;
    events.push(event);
  };
  const handler: ControlHandler = {
    output: (pane, b, s, e) => add(`output ${pane} ${latin1(b, s, e)}`),
    extendedOutput: (pane, age, b, s, e) => add(`extended ${pane} ${age} ${latin1(b, s, e)}`),
    begin: (guard) => add(`begin ${guard.text}`),
    replyLine: (b, s, e) => add(`reply ${latin1(b, s, e)}`),
    end: (guard) => add(`end ${guard.text}`),
    error: (guard) => add(`error ${guard.text}`),
    abandon: (guard) => add(`abandon ${guard.text}`),
    notification: (event) => add(`notification ${event.type}`),
    exit: (reason) => add(`exit ${Buffer.from(reason).toString('latin1')}`),
    unknown: (b, s, e, reason) => add(`${reason} ${latin1(b, s, e)}`),
    enter: () => add('enter'),
    leave: () => add('leave'),
    passthrough: (b, s, e) => {
      // How text is cut isn't part of the contract.
      if (text) events[events.length - 1] += latin1(b, s, e);
      else events.push(`text ${latin1(b, s, e)}`);
      text = true;
    },
  };
  return { events, handler };
}

/** Pushes `input` cut at `cuts` (ascending), each chunk in a buffer that is overwritten afterwards. */
export function pushCut(parser: ParserBase, input: Uint8Array, cuts: readonly number[]): void {
  let from = 0;
  for (const cut of [...cuts, input.length]) {
    const to = Math.min(cut, input.length);
    if (to <= from) continue;
    const chunk = new Uint8Array(input.subarray(from, to)); // a copy, of a Buffer too
    parser.push(chunk);
    chunk.fill(0xee);
    from = to;
  }
}

export function run(
  Parser: Construct,
  input: Uint8Array,
  cuts: readonly number[],
  options: ParserOptions,
): string[] {
  const { events, handler } = collector();
  const parser = new Parser(handler, options);
  pushCut(parser, input, cuts);
  parser.end();
  return events;
}

/** Writes `input`, cut at `cuts`, to the parser's own memory, as a transport would. */
export function commitCut(parser: ParserBase, input: Uint8Array, cuts: readonly number[]): void {
  let from = 0;
  for (const cut of [...cuts, input.length]) {
    while (from < Math.min(cut, input.length)) {
      const target = parser.target();
      const to = Math.min(cut, input.length, from + target.length);
      target.set(input.subarray(from, to));
      parser.commit(to - from);
      from = to;
    }
  }
}
