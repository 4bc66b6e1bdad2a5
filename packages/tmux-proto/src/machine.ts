/**
 * The stream's state machine: chunks to whole lines, the wrapper of -CC, limits, ownership of arenas.
 *
 * ```text
 * push(chunk) -> [outer text] -> arena -> whole lines -> engine: output lines, fast
 *                     |                                    |
 *                 passthrough                              +--> line-machine: every other line
 * ```
 * M1: the events depend on the bytes alone, never on how they were cut into chunks.
 * M2: a line never ends the session: what fits no grammar is reported, counted, and forgotten.
 * M3: a reply closes only on `%end` or `%error` with the very text of its `%begin`.
 * M4: `ESC \` ends control mode only inside a DCS, at the start of a line, outside of a reply.
 * M5: `arena.pos` stands behind a line before its event is delivered, so a handler that throws loses nothing.
 * M6: one CR before LF belongs to the line's end exactly if the first `%begin` had one (until then: if there
 *     is one); any other CR is data.
 *
 * Single-threaded; never re-entered by its own handler. Cost: the engine's and one copy of the
 * chunk; no allocation.
 */
import { type Arena, type ArenaOwner, type ArenaPool, LargeArena } from './arena.ts';
import { checkInteger, ParserError } from './errors.ts';
import type { ControlHandler, ParserOptions } from './handler.ts';
import { LineMachine } from './line-machine.ts';
import { OuterScan } from './outer.ts';

const LINE_BYTES_MAX = 16 * 1024 * 1024;
const LINE_BYTES_LEAST = 1024;
const TARGET_BYTES_LEAST = 32 * 1024;
/** One parser but for its hot loop; an engine adds `parseLines`. */
export abstract class Machine extends LineMachine implements ArenaOwner {
  #inLines: boolean;
  #inDcs = false;
  #skipping = false;
  #busy = false;
  #ended = false;
  #arena: Arena | undefined;
  /** The arena lent to a transport, kept while one long line needs another. */
  #lent: Arena | undefined;
  /** Bytes of the last `commit` that the engine hasn't been told of: it may not change buffers under it. */
  #committed = 0;
  #parked = new Uint8Array(0);
  #parkedLength = 0;
  #pool: ArenaPool;
  readonly #outer: OuterScan;
  readonly #maxLineBytes: number;

  constructor(pool: ArenaPool, handler: ControlHandler, options: ParserOptions) {
    super(handler, options);
    const framing = options.framing ?? 'auto';
    this.#pool = pool;
    this.#inLines = framing === 'lines';
    this.#outer = new OuterScan(framing === 'auto', (bytes, start, end) =>
      this.call(() => handler.passthrough?.(bytes, start, end)),
    );
    this.#maxLineBytes = checkInteger(
      'maxLineBytes',
      options.maxLineBytes ?? LINE_BYTES_MAX,
      LINE_BYTES_LEAST,
      0x3fffffff,
    );
  }

  /**
   * Parses the whole lines up to `limit`, which stands behind a LF; advances `arena.pos` (M5). Returns early
   * when a line ended control mode (M4). Passes what a handler throws to `fail` and goes on.
   */
  protected abstract parseLines(arena: Arena, limit: number): void;

  /** Name of the engine at work. */
  abstract get engine(): 'js' | 'wasm';

  /** Learns of bytes that come; an engine may choose another pool here (`usePool`), where nothing is parsed yet. */
  protected received(_count: number): void {}

  /** Takes receive buffers from another pool; unread bytes move there with the next ones (A2). */
  protected usePool(pool: ArenaPool): void {
    this.#pool = pool;
    const arena = this.#arena;
    if (arena !== undefined) {
      this.park(arena);
      arena.busy = false;
      arena.owner = undefined;
    }
    this.#giveBack();
  }

  get insideControlMode(): boolean {
    return this.#inLines;
  }

  push(chunk: Uint8Array): void {
    this.#enter();
    try {
      const length = chunk.length;
      this.counters.total[0]! += length;
      this.received(length);
      let at = 0;
      if (!this.#inLines) at = this.#scanOuter(chunk, 0, length);
      if (this.#inLines && (at < length || this.#outer.heldBytes > 0)) {
        this.#feed(chunk, at, length);
      }
    } finally {
      this.#busy = false;
    }
    this.rethrow();
  }

  end(): void {
    if (this.#ended) return;
    this.#enter();
    this.#ended = true;
    try {
      if (this.#inLines) {
        const arena = this.#acquire();
        const { bytes, pos, end } = arena;
        if (end > pos) this.call(() => this.unknownLine(bytes, pos, end, 'partial'));
        arena.pos = end;
      } else {
        this.#outer.flush();
      }
      this.abandon();
    } finally {
      this.#giveBack();
      this.#busy = false;
    }
    this.rethrow();
  }

  /** Returns the free part of the arena, which stays this parser's until `end` (A3). */
  target(): Uint8Array {
    this.#enter();
    this.#busy = false;
    this.received(this.#committed);
    this.#committed = 0;
    const arena = this.#acquire();
    if (arena.limit - arena.end < TARGET_BYTES_LEAST) {
      if (arena.pos > arena.base) arena.slide();
      if (arena.limit - arena.end < TARGET_BYTES_LEAST) return this.#lend(this.#grow(arena));
    }
    return this.#lend(arena);
  }

  #lend(arena: Arena): Uint8Array {
    if (!(arena instanceof LargeArena)) this.#lent = arena;
    arena.busy = true;
    return arena.bytes.subarray(arena.end, arena.limit);
  }

  /** Parses `count` bytes that a transport wrote to `target()`. */
  commit(count: number): void {
    const arena = this.#arena;
    if (arena === undefined || !arena.busy) {
      throw new ParserError('ERR_TMUX_TARGET', `commit needs a target() before it: count=${count}`);
    }
    checkInteger('count', count, 0, arena.limit - arena.end);
    this.#enter();
    try {
      this.counters.total[0]! += count;
      this.#committed = count;
      arena.end += count;
      this.#run(arena);
    } finally {
      this.#settle(arena);
      this.#busy = false;
    }
    this.rethrow();
  }

  resync(): void {
    this.#enter();
    this.abandon();
    this.#busy = false;
    this.rethrow();
  }

  /** A2: saves the unread bytes; the arena goes to another parser. */
  park(arena: Arena): void {
    const unread = arena.end - arena.pos;
    if (unread > this.#parked.length) this.#parked = new Uint8Array(unread * 2);
    this.#parked.set(arena.bytes.subarray(arena.pos, arena.end));
    this.#parkedLength = unread;
    arena.clear();
    this.#arena = undefined;
  }

  /** After a push: an arena without unread bytes goes back, unless it is lent. */
  #settle(arena: Arena): void {
    if (this.#lent !== undefined) {
      if (arena !== this.#lent && arena.end === arena.base) this.#arena = this.#lent;
      return;
    }
    arena.busy = false;
    if (arena.end === arena.base) {
      arena.owner = undefined;
      this.#arena = undefined;
    }
  }

  /** At the end: every arena goes back. */
  #giveBack(): void {
    for (const arena of [this.#arena, this.#lent]) {
      if (arena === undefined) continue;
      arena.clear();
      arena.busy = false;
      arena.owner = undefined;
    }
    this.#arena = undefined;
    this.#lent = undefined;
  }

  /** Replaces a full arena by a larger one. */
  #grow(arena: Arena): Arena {
    const larger = arena.grown();
    larger.owner = this;
    larger.busy = true;
    this.#arena = larger;
    arena.clear();
    if (arena !== this.#lent) {
      arena.busy = false;
      arena.owner = undefined;
    }
    return larger;
  }

  /** Makes room for more bytes; returns the arena to go on with. */
  #makeRoom(arena: Arena): Arena {
    if (arena.end < arena.limit) return arena;
    if (arena.pos - arena.base < (arena.limit - arena.base) >> 2) return this.#grow(arena);
    arena.slide();
    return arena;
  }

  #enter(): void {
    if (this.#busy) {
      throw new ParserError('ERR_TMUX_REENTRANT', 'a handler must not call its own parser');
    }
    if (this.#ended) throw new ParserError('ERR_TMUX_ENDED', 'the parser has ended');
    this.#busy = true;
  }

  #acquire(): Arena {
    let arena = this.#arena;
    if (arena === undefined) {
      arena = this.#pool.take(this);
      this.#arena = arena;
      if (this.#parkedLength > 0) {
        const parked = this.#parked.subarray(0, this.#parkedLength);
        this.#parkedLength = 0;
        while (arena.limit - arena.end < parked.length) arena = this.#grow(arena);
        arena.bytes.set(parked, arena.end);
        arena.end += parked.length;
      }
    }
    arena.busy = true;
    return arena;
  }

  #feed(chunk: Uint8Array, start: number, end: number): void {
    let arena = this.#acquire();
    try {
      this.#unhold(arena);
      let at = start;
      do {
        arena = this.#makeRoom(arena);
        const count = Math.min(arena.limit - arena.end, end - at);
        arena.bytes.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), arena.end);
        arena.end += count;
        at += count;
        this.#run(arena);
      } while (at < end);
    } finally {
      this.#settle(arena);
    }
  }

  /** Puts the start of a first line that was held back (O1) before the unread bytes (A1). */
  #unhold(arena: Arena): void {
    if (this.#outer.heldBytes === 0) return;
    const { held } = this.#outer;
    arena.pos -= held.length;
    arena.scanned = arena.pos;
    arena.bytes.set(held, arena.pos);
    this.#outer.restart();
  }

  /** Parses what is in the arena as far as whole lines go. */
  #run(arena: Arena): void {
    for (;;) {
      if (!this.#inLines) {
        arena.pos = this.#scanOuter(arena.bytes, arena.pos, arena.end);
        arena.scanned = arena.pos;
        if (!this.#inLines) break;
        this.#unhold(arena);
      }
      if (this.#skipping && !this.#skip(arena)) break;
      if (arena.end - arena.pos > this.#maxLineBytes) {
        if (!this.#limited(arena)) break;
        continue;
      }
      const limit = arena.linesEnd();
      if (limit > arena.pos) this.parseLines(arena, limit);
      if (!this.#inLines) continue;
      if (this.#atTerminator(arena)) {
        arena.pos += 2;
        this.leaveDcs();
        continue;
      }
      break;
    }
    if (arena.scanned < arena.pos) arena.scanned = arena.pos;
    arena.reclaim();
  }

  #atTerminator(arena: Arena): boolean {
    return (
      this.#inDcs &&
      !this.inBlock && // M4
      arena.end - arena.pos >= 2 &&
      arena.bytes[arena.pos] === 0x1b &&
      arena.bytes[arena.pos + 1] === 0x5c
    );
  }

  /** Drops the rest of an overlong line; returns whether its end was found. */
  #skip(arena: Arena): boolean {
    const lineFeed = arena.bytes.indexOf(10, arena.pos);
    const found = lineFeed >= 0 && lineFeed < arena.end;
    arena.pos = found ? lineFeed + 1 : arena.end;
    if (arena.scanned < arena.pos) arena.scanned = arena.pos;
    this.#skipping = !found;
    return found;
  }

  /** Parses one line, checking its length; returns false when the arena holds no whole line any more. */
  #limited(arena: Arena): boolean {
    if (this.#atTerminator(arena)) {
      arena.pos += 2;
      this.leaveDcs();
      return true;
    }
    const found = arena.bytes.indexOf(10, arena.pos);
    const whole = found >= 0 && found < arena.end;
    const limit = this.#maxLineBytes;
    if (whole && found - arena.pos <= limit) {
      this.parseLines(arena, found + 1);
      return true;
    }
    this.counters.overlongLines++;
    if (this.limitPolicy === 'truncate') {
      const cut = arena.pos + limit;
      arena.bytes[cut] = 10;
      this.parseLines(arena, cut + 1);
    } else if (this.limitPolicy === 'error') {
      this.fail(
        new ParserError('ERR_TMUX_LINE_LIMIT', `a line is longer than maxLineBytes=${limit}`),
      );
    }
    arena.pos = whole ? found + 1 : arena.end;
    arena.scanned = arena.pos;
    this.#skipping = !whole;
    return whole;
  }

  #scanOuter(bytes: Uint8Array, start: number, end: number): number {
    const found = this.#outer.scan(bytes, start, end);
    if (found === 'nothing') return end;
    this.#inLines = true;
    this.eolKnown = false;
    this.stripCr = true;
    if (found === 'dcs') {
      this.#inDcs = true;
      this.#outer.restart();
      this.call(() => this.handler.enter?.());
    }
    return this.#outer.stopped;
  }

  /** M4: control mode is over, text follows. */
  protected leaveDcs(): void {
    this.#inDcs = false;
    this.#inLines = false;
    this.#outer.restart();
    this.call(() => this.handler.leave?.());
  }

  /** Whether `ESC \` at the start of a line outside of a reply ends control mode (M4). */
  protected get insideDcs(): boolean {
    return this.#inDcs;
  }
}
