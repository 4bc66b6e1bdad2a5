/**
 * Streaming, byte-exact parser of tmux control mode (`tmux -C`, `tmux -CC`).
 *
 * @packageDocumentation
 */
import { AdaptiveMachine } from './engine-adaptive.ts';
import { JsMachine } from './engine-js.ts';
import { isWasmAvailable, WasmMachine } from './engine-wasm.ts';
import type { ControlHandler, ParserOptions } from './handler.ts';
import { ParserBase } from './parser-base.ts';

export * from './exports.ts';
export { isWasmAvailable };

/** Options of {@link ControlParser}: those of every parser, and the choice of the engine. */
export interface ControlParserOptions extends ParserOptions {
  /**
   * `wasm` is faster and needs WebAssembly SIMD and a security policy that allows it; `auto` takes it where
   * it can run. `adaptive` needs the least memory: it begins with code that is hardly compiled, and loads what `auto`
   * takes with the first flood: some 256 KB at once, or more than 1 MB/s for a while. All behave alike.
   * @defaultValue `'auto'`
   */
  readonly engine?: 'adaptive' | 'auto' | 'js' | 'wasm';
}

/** {@link ParserBase} over the fastest engine that can run here. */
export class ControlParser extends ParserBase {
  /**
   * Creates a parser.
   * @param handler - receives the events; which methods it has is looked at here, once
   * @param options - engine, framing, limits and checks
   * @throws {RangeError} If a limit is out of its range.
   * @throws {ParserError} `ERR_TMUX_ENGINE` If `engine: 'wasm'` can't run here.
   */
  constructor(handler: ControlHandler, options: ControlParserOptions = {}) {
    const { engine = 'auto' } = options;
    if (engine === 'adaptive') {
      super((checked, settings) => new AdaptiveMachine(checked, settings), handler, options);
    } else if (engine === 'wasm' || (engine === 'auto' && isWasmAvailable())) {
      super((checked, settings) => new WasmMachine(checked, settings), handler, options);
    } else {
      super((checked, settings) => new JsMachine(checked, settings), handler, options);
    }
  }
}
