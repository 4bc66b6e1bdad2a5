/**
 * Runs a thread on by itself, while its code is being replayed anyway: what it would see if no other thread took a
 * step. So one replay makes a whole chain of nodes, up to the end of the call, instead of one.
 *
 * N1: the thread alone is one of the interleavings, so every node made ahead is one that the search reaches.
 * N2: memory doesn't keep what nobody is known to read (sharing.ts H2), so the first read of a word stops it: its
 *     value may be wrong until the search has learned of the read and starts over.
 */
import { type Access, applied, Kind, type Raw } from './access.ts';
import type { MemoryStates } from './memory-states.ts';
import type { Sharing } from './sharing.ts';
import type { Waiter } from './waiters.ts';

/** Answers a thread's accesses from one state on. */
export class Ahead {
  readonly #memory: MemoryStates;
  readonly #sharing: Sharing;
  readonly #waiters: readonly Waiter[];
  readonly #isRacy: (at: number, bytes: number) => boolean;
  #state: number;

  constructor(
    memory: MemoryStates,
    sharing: Sharing,
    state: number,
    waiters: readonly Waiter[],
    isRacy: (at: number, bytes: number) => boolean,
  ) {
    this.#memory = memory;
    this.#sharing = sharing;
    this.#state = state;
    this.#waiters = waiters;
    this.#isRacy = isRacy;
  }

  /** What the access returns; undefined where that depends on more than memory. */
  answer(access: Access): Raw | undefined {
    const { kind, at, bytes, a } = access;
    if (kind === Kind.notify) {
      return this.#waiters.some((waiter) => waiter.at === at) ? undefined : 0;
    }
    const isPlain = kind === Kind.read || kind === Kind.write;
    if ((kind > Kind.xor && !isPlain) || this.#isRacy(at, bytes)) return undefined;
    const reads = kind !== Kind.write && kind !== Kind.store;
    if (reads && !this.#sharing.isEachRead(at, bytes)) return undefined; // N2
    const old = this.#memory.read(this.#state, at, bytes);
    if (kind === Kind.read) return old;
    const next = kind === Kind.write ? a : applied(access, old);
    if (next !== old) this.#state = this.#memory.write(this.#state, at, bytes, next);
    return kind === Kind.write || kind === Kind.store ? 0 : old;
  }
}
