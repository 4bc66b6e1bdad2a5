/**
 * Receive buffers, shared by all parsers of a process.
 *
 * ```text
 * byte  0        pos          scanned      end           capacity  +16
 *       +--------+------------+------------+-------------+---------+
 *       | spent  | unread     | unread     | free        | slack   |
 *       |        | partial line, no LF yet | next bytes  | zero    |
 *       +--------+------------+------------+-------------+---------+
 * ```
 * A1: 0 <= pos <= scanned <= end <= capacity; the slack is readable, so that words may be loaded past a LF.
 * A2: an arena has at most one owner; its unread bytes are the owner's. Parsing is synchronous, so one
 *     arena serves any number of parsers: a new owner parks the former one's bytes first.
 * A3: a busy arena (a handler is running) is never taken; a nested parser gets the next arena of the pool.
 */

const CAPACITY = 256 * 1024;
const SLACK = 16;

/** A parser as the arena sees it. */
export interface ArenaOwner {
  /** Saves the unread bytes of `arena` and forgets it (A2). */
  park(arena: Arena): void;
}

/** One receive buffer in ordinary memory. */
export class Arena {
  bytes: Uint8Array;
  view: DataView;
  capacity: number;
  pos = 0;
  scanned = 0;
  end = 0;
  busy = false;
  owner: ArenaOwner | undefined;

  constructor(capacity: number = CAPACITY) {
    this.capacity = capacity;
    this.bytes = new Uint8Array(capacity + SLACK);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for at least one more byte: slides the unread bytes to the front, or doubles. */
  makeRoom(): void {
    const unread = this.end - this.pos;
    if (unread > this.capacity >> 1) {
      const former = this.bytes;
      this.capacity *= 2;
      this.bytes = new Uint8Array(this.capacity + SLACK);
      this.view = new DataView(this.bytes.buffer);
      this.bytes.set(former.subarray(this.pos, this.end));
    } else {
      this.bytes.copyWithin(0, this.pos, this.end);
    }
    this.scanned -= this.pos;
    this.end = unread;
    this.pos = 0;
  }

  /** Reclaims spent bytes after a run; gives memory back that one long line needed. */
  reclaim(): void {
    if (this.pos === this.end) {
      this.pos = 0;
      this.scanned = 0;
      this.end = 0;
      if (this.capacity > CAPACITY) {
        this.capacity = CAPACITY;
        this.bytes = new Uint8Array(CAPACITY + SLACK);
        this.view = new DataView(this.bytes.buffer);
      }
    } else if (this.end > this.capacity >> 1 && this.pos > 0) {
      this.makeRoom();
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

/** Arenas of one engine, taken and given back by its parsers. */
export class ArenaPool<T extends Arena> {
  readonly #arenas: T[] = [];
  readonly #create: () => T;

  constructor(create: () => T) {
    this.#create = create;
  }

  /** Gives `owner` an arena that nobody is using right now (A2, A3). */
  take(owner: ArenaOwner): T {
    for (const arena of this.#arenas) {
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
