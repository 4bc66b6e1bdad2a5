/**
 * Receive buffers, shared by all parsers of a process.
 *
 * ```text
 * bytes    base         pos          scanned      end           limit     +64
 *   | head  +------------+------------+------------+-------------+---------+
 *   | room  | spent      | unread     | unread     | free        | slack   |
 *   | >= 64 |            | partial line, no LF yet | next bytes  |         |
 *           +------------+------------+------------+-------------+---------+
 * ```
 * A1: base <= pos <= scanned <= end <= limit; the slack is readable, so that words and vectors may be loaded
 *     past a LF; the head room takes the start of a line that was held back (O1).
 * A2: an arena has at most one owner; its unread bytes are the owner's. Parsing is synchronous, so one
 *     arena serves any number of parsers: a new owner parks the former one's bytes first.
 * A3: a busy arena is never taken: a handler is running over it, or a parser has lent it to a transport. A
 *     nested parser gets the next arena of the pool.
 */

const CAPACITY = 256 * 1024;
/** Bytes readable behind `limit`, and writable before `base` (A1). */
export const SLACK = 64;

/** A parser as the arena sees it. */
export interface ArenaOwner {
  /** Saves the unread bytes of `arena` and forgets it (A2). */
  park(arena: Arena): void;
}

/** One receive buffer, in ordinary memory unless a subclass says otherwise. */
export class Arena {
  readonly base: number;
  bytes: Uint8Array;
  view: DataView;
  limit: number;
  pos: number;
  scanned: number;
  end: number;
  busy = false;
  owner: ArenaOwner | undefined;

  constructor(bytes: Uint8Array = new Uint8Array(CAPACITY + 2 * SLACK), base: number = SLACK) {
    this.base = base;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limit = Math.min(base + CAPACITY, bytes.length - SLACK);
    this.pos = this.scanned = this.end = base;
  }

  /** Moves the unread bytes to the front. */
  slide(): void {
    const by = this.pos - this.base;
    this.bytes.copyWithin(this.base, this.pos, this.end);
    this.pos = this.base;
    this.scanned -= by;
    this.end -= by;
  }

  /** Returns an arena of twice the room with the same unread bytes, in ordinary memory. */
  grown(): Arena {
    const capacity = (this.limit - this.base) * 2;
    const larger = new LargeArena(new Uint8Array(capacity + 2 * SLACK), SLACK);
    larger.limit = SLACK + capacity;
    larger.bytes.set(this.bytes.subarray(this.pos, this.end), SLACK);
    larger.end = SLACK + this.end - this.pos;
    larger.scanned = SLACK + this.scanned - this.pos;
    return larger;
  }

  /** Forgets all bytes. */
  clear(): void {
    this.pos = this.scanned = this.end = this.base;
  }

  /** Reclaims spent bytes after a run. */
  reclaim(): void {
    if (this.pos === this.end) this.clear();
    else if (this.end - this.base > (this.limit - this.base) >> 1 && this.pos > this.base) {
      this.slide();
    }
  }

  /** Returns the end of the last whole line (behind its LF), or `pos` if there is none. */
  linesEnd(): number {
    const bytes = this.bytes;
    const low = this.scanned;
    let index = this.end;
    while (index > low) {
      if (bytes[--index] === 10) return index + 1;
    }
    this.scanned = this.end;
    return this.pos;
  }
}

/** An arena made for one line that is longer than others; dropped when it is empty. */
export class LargeArena extends Arena {}

/** Arenas of one engine, taken and given back by its parsers. */
export class ArenaPool {
  readonly #arenas: Arena[] = [];
  readonly #create: () => Arena;

  constructor(create: () => Arena) {
    this.#create = create;
  }

  /** Gives `owner` an arena that nobody is using right now (A2, A3). */
  take(owner: ArenaOwner): Arena {
    // By index: an iterator would be garbage with every chunk.
    for (let index = 0; index < this.#arenas.length; index++) {
      const arena = this.#arenas[index]!;
      if (arena.busy) continue; // A3
      arena.owner?.park(arena); // A2
      arena.owner = owner;
      return arena;
    }
    const arena = this.#create();
    arena.owner = owner;
    this.#arenas.push(arena);
    return arena;
  }
}
