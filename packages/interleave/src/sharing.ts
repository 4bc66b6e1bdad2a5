/**
 * Which words of memory several threads access, and which are ever read: what the search may leave out.
 *
 * H1: an access to a word that only one thread ever accesses is no scheduling point: nobody can see it.
 * H3: nor is an atomic load of a word that no other thread ever writes: it commutes with everything that
 *     others do, and there is no write of theirs that it could synchronise with.
 * H2: a word that nobody ever reads is no part of a state.
 * Both are learned while searching. A word that turns out to be shared, or read, after the search relied on
 * the contrary starts it over (`grown`).
 */
import { type Access, Kind } from './access.ts';
import { Native } from './native.ts';

const untouched = -1;
const shared = -2;

export class Sharing {
  readonly #owner: Int32Array;
  /** The one thread that writes each word. */
  readonly #writer: Int32Array;
  readonly #read: Uint8Array;
  /** Whether something was learned that invalidates the search so far. */
  grown = false;

  /**
   * @param bytes - size of memory
   * @param observed - by whom besides the threads: predicates that look at ends only, or at every state
   */
  constructor(bytes: number, observed: 'never' | 'at ends' | 'always') {
    const words = (bytes + 3) >> 2;
    const allRead = observed !== 'never';
    this.#owner = new Native.Int32Array(words).fill(observed === 'always' ? shared : untouched);
    this.#writer = new Native.Int32Array(words).fill(untouched);
    this.#read = new Native.Uint8Array(words).fill(allRead ? 1 : 0);
  }

  /** Learns from an access that a thread is going to make. */
  note(thread: number, { kind, at, bytes }: Access): void {
    const isWaiting = kind === Kind.wait || kind === Kind.waitAsync || kind === Kind.notify;
    const onlyReads = kind === Kind.load || kind === Kind.read || isWaiting;
    const reads = kind !== Kind.store && kind !== Kind.write && kind !== Kind.notify;
    for (let word = at >> 2; word * 4 < at + bytes; word++) {
      const owner = this.#owner[word]!;
      if (owner === untouched && !isWaiting) this.#owner[word] = thread;
      else if (owner !== thread && owner !== shared) {
        this.#owner[word] = shared;
        if (owner !== untouched) this.grown = true;
      }
      const writer = this.#writer[word]!;
      if (!onlyReads && writer !== thread && writer !== shared) {
        // Whoever loaded it as a word that nobody else writes was wrong.
        this.#writer[word] = writer === untouched ? thread : shared;
        if (owner !== untouched && owner !== thread) this.grown = true;
      }
      // A word written in part keeps its other bytes, which is reading them.
      const partly = at > word * 4 || at + bytes < word * 4 + 4;
      if ((reads || partly) && this.#read[word] === 0) {
        this.#read[word] = 1;
        if (owner !== untouched) this.grown = true;
      }
    }
  }

  /** Whether no other thread can see the atomic access, or that it was made. */
  isUnseen(thread: number, access: Access): boolean {
    return this.#isPrivate(access) || this.#isQuiet(thread, access);
  }

  /** Whether only one thread accesses these bytes (H1). */
  #isPrivate({ at, bytes }: Access): boolean {
    for (let word = at >> 2; word * 4 < at + bytes; word++) {
      if (this.#owner[word] === shared) return false;
    }
    return true;
  }

  /** Whether the access is a load that no other thread ever writes anything for (H3). */
  #isQuiet(thread: number, { kind, at, bytes }: Access): boolean {
    if (kind !== Kind.load) return false;
    for (let word = at >> 2; word * 4 < at + bytes; word++) {
      const writer = this.#writer[word]!;
      if (writer !== untouched && writer !== thread) return false;
    }
    return true;
  }

  /** Whether every word of these bytes is known to be read. */
  isEachRead(at: number, bytes: number): boolean {
    for (let word = at >> 2; word * 4 < at + bytes; word++) if (!this.isRead(word)) return false;
    return true;
  }

  /** Whether anybody reads the word (H2). */
  isRead(word: number): boolean {
    return this.#read[word] !== 0;
  }
}
