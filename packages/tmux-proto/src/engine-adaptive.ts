/**
 * The engine that takes the least memory while tmux says little, and the fastest one from the first flood on.
 *
 * Own design. What Node needs to compile and run the kernel, or to optimise the large loop of the plain engine, is
 * memory that a session of keystrokes and log lines never earns back: pages of V8 itself, and the compiler's own. So
 * lines are first found and decoded by `indexOf` and `copyWithin`, which are compiled already, and understood by the
 * line machine; there is no loop here that is worth optimising.
 *
 * ```text
 * calm ── FLOOD_BYTES above what CALM_BYTES_PER_MS allow ──▶ the kernel, or the plain engine where it can't run
 * ```
 * V1: it changes between two reads, never back; unread bytes move to the kernel's memory by way of `park` (A2), and
 *     the stream's state is the machine's, which all engines share: so the events are the same wherever it changes.
 *
 * What counts is the rate, however small the reads are: a sender of short lines at a steady pace would otherwise be
 * parsed by the slow way for ever. Time is taken off the count of bytes when that is over the limit, not with each read:
 * so a flood is known when FLOOD_BYTES of it have come, and as much again where the clock has to say that what came
 * before it was calm.
 *
 * Cost: no allocation. Calm, some 0.2 us for a line and for each escape, and a look at the clock for each 256 KiB; from
 * a flood on, that of the engine.
 */
import type { Arena } from './arena.ts';
import { plainArenas } from './engine-js.ts';
import { isWasmAvailable, WasmMachine, wasmArenas } from './engine-wasm.ts';
import type { ControlHandler, ParserOptions } from './handler.ts';

/** What may come for ever without being a flood: five times a busy log. */
const CALM_BYTES_PER_MS = 1024;
/** What may come at once: a few screens, and a file that is looked at. */
const FLOOD_BYTES = 1 << 18;
const BACKSLASH = 0x5c;

/** A parser's machine that begins calmly. */
export class AdaptiveMachine extends WasmMachine {
  readonly #floodBytes: number;
  readonly #nowMs: () => number;
  #level = 0;
  #lookedAtMs: number;
  #isCalm = true;
  #engine: 'js' | 'wasm' = 'js';

  /** The limit and the clock are for tests. */
  constructor(
    handler: ControlHandler,
    options: ParserOptions,
    floodBytes: number = FLOOD_BYTES,
    nowMs: () => number = Date.now,
  ) {
    super(handler, options, plainArenas);
    this.#floodBytes = floodBytes;
    this.#nowMs = nowMs;
    this.#lookedAtMs = nowMs();
  }

  override get engine(): 'js' | 'wasm' {
    return this.#engine;
  }

  protected override received(count: number): void {
    if (!this.#isCalm) return;
    this.#level += count;
    if (this.#level <= this.#floodBytes) return;
    const now = this.#nowMs();
    // A clock that was set back says nothing.
    const level = this.#level - Math.max(0, now - this.#lookedAtMs) * CALM_BYTES_PER_MS;
    this.#lookedAtMs = now;
    this.#level = Math.max(0, level);
    if (this.#level <= this.#floodBytes) return;
    this.#isCalm = false;
    if (!isWasmAvailable()) return;
    this.#engine = 'wasm';
    this.usePool(wasmArenas); // V1
  }

  protected override parseLines(arena: Arena, limit: number): void {
    if (!this.#isCalm) {
      super.parseLines(arena, limit);
      return;
    }
    const { bytes } = arena;
    while (arena.pos < limit && this.insideControlMode) {
      const start = arena.pos;
      if (bytes[start] === 0x1b && bytes[start + 1] === BACKSLASH && this.#atLeave) {
        arena.pos = start + 2;
        this.leaveDcs();
        return;
      }
      const end = bytes.indexOf(10, start);
      arena.pos = end + 1; // M5
      try {
        this.line(bytes, start, end);
      } catch (error) {
        this.handlerFailed(error);
      }
    }
  }

  /** M4. */
  get #atLeave(): boolean {
    return this.insideDcs && !this.inBlock;
  }

  protected override decode(bytes: Uint8Array, start: number, end: number): number {
    if (!this.#isCalm) return super.decode(bytes, start, end);
    this.decodedStart = start;
    bytes[end] = BACKSLASH; // ends every search; the line is spent, and a CR of its end is not payload
    let at = bytes.indexOf(BACKSLASH, start);
    let to = at;
    while (at < end) {
      const high = bytes[at + 1]! - 0x30;
      const middle = bytes[at + 2]! - 0x30;
      const low = bytes[at + 3]! - 0x30;
      if (high >>> 2 === 0 && middle >>> 3 === 0 && low >>> 3 === 0) {
        bytes[to++] = (high << 6) | (middle << 3) | low;
        at += 4;
      } else {
        bytes[to++] = BACKSLASH; // starts no escape: stays
        at++;
      }
      if (bytes[at] === BACKSLASH) continue;
      const next = bytes.indexOf(BACKSLASH, at);
      bytes.copyWithin(to, at, next);
      to += next - at;
      at = next;
    }
    return to;
  }
}
