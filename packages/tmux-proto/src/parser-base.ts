/** The public face of a parser, the same over every engine. */
import { debugHandler } from './debug.ts';
import type { ControlHandler, ParserCounters, ParserOptions } from './handler.ts';
import type { Machine } from './machine.ts';

/** Creates the machine of one engine. */
export type MachineFactory = (handler: ControlHandler, options: ParserOptions) => Machine;

/**
 * Parses tmux control mode: bytes in, events out, without allocation for output.
 *
 * Feed it whatever arrives, cut anywhere. It never throws for what is in the stream, except over a limit
 * with the policy `error`.
 *
 * Concurrency: belongs to one thread; different parsers are independent, also when one's handler pushes into
 * another.
 */
export abstract class ParserBase {
  readonly #machine: Machine;
  /** @internal */
  protected constructor(create: MachineFactory, handler: ControlHandler, options: ParserOptions) {
    this.#machine = create(options.debug ? debugHandler(handler) : handler, options);
  }

  /** Name of the engine at work; with `engine: 'adaptive'` it changes once at most, from `js` to `wasm`. */
  get engine(): 'js' | 'wasm' {
    return this.#machine.engine;
  }

  /** Live counts of what was irregular. */
  get counters(): ParserCounters {
    return this.#machine.counters;
  }

  /** Whether the stream stands inside a reply. */
  get insideBlock(): boolean {
    return this.#machine.insideBlock;
  }

  /** Whether the stream stands inside control mode; false in the shell's text round `tmux -CC`. */
  get insideControlMode(): boolean {
    return this.#machine.insideControlMode;
  }

  /**
   * Parses a chunk; all events that it completes are delivered before this returns.
   *
   * Cost: O(n) over all chunks however they are cut; no allocation for output and reply lines.
   * @param chunk - borrowed until the call returns, never written to
   * @throws {ParserError} `ERR_TMUX_LINE_LIMIT` or `ERR_TMUX_BLOCK_LIMIT` by `limitPolicy: 'error'`, after
   * the whole chunk was parsed; `ERR_TMUX_ENDED` after `end`; `ERR_TMUX_REENTRANT` from a handler.
   * @throws The first error that a handler threw, after the whole chunk was parsed.
   */
  push(chunk: Uint8Array): void {
    this.#machine.push(chunk);
  }

  /**
   * Returns memory that a transport may write received bytes to, to be parsed by `commit` without a copy. The
   * parser keeps a receive buffer of its own from now on, until `end`.
   * @returns borrowed until the next call of any method of this parser; at least 32 KiB
   * @throws {ParserError} `ERR_TMUX_ENDED`, `ERR_TMUX_REENTRANT`
   */
  target(): Uint8Array {
    return this.#machine.target();
  }

  /**
   * Parses the first `count` bytes of what `target` returned; otherwise like `push`.
   * @param count - bytes written, 0 to the length of the target
   * @throws {RangeError} If `count` is out of its range.
   * @throws {ParserError} like `push`; `ERR_TMUX_TARGET` without a `target` before it
   */
  commit(count: number): void {
    this.#machine.commit(count);
  }

  /**
   * Ends the stream: an unfinished line is reported as `partial`, an open reply abandoned. Further calls do
   * nothing.
   */
  end(): void {
    this.#machine.end();
  }

  /**
   * Abandons the open reply, if any: for a stream that lost its `%end` (see the correlator's timeout).
   */
  resync(): void {
    this.#machine.resync();
  }
}
