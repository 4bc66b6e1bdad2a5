/**
 * The parser without WebAssembly: the same API and behaviour as `@millrace/tmux-proto`, for a strict content
 * security policy or the smallest bundle.
 *
 * @packageDocumentation
 */
import { JsMachine } from './engine-js.ts';
import type { ControlHandler, ParserOptions } from './handler.ts';
import { ParserBase } from './parser-base.ts';

export * from './exports.ts';

/** {@link ParserBase} over the plain JavaScript engine. */
export class ControlParser extends ParserBase {
  /**
   * Creates a parser.
   * @param handler - receives the events; which methods it has is looked at here, once
   * @param options - framing, limits and checks
   * @throws {RangeError} If a limit is out of its range.
   */
  constructor(handler: ControlHandler, options: ParserOptions = {}) {
    super((checked, settings) => new JsMachine(checked, settings), handler, options);
  }
}
