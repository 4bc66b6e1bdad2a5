/**
 * All contents that shared memory takes during a search, each known by a number.
 *
 * A state's memory is a row of 32-bit words, one for each word that any thread ever changed, in the order in
 * which they were first changed. Words at the end of a row that hold their initial value are left out, so
 * a word that joins later doesn't rename older contents.
 *
 *   address  0        4        8        12 ...           row of a state
 *            +--------+--------+--------+                 +--------+--------+
 *            | word 0 | word 1 | word 2 |   cellOf[2]=0   | word 2 | word 0 |
 *            +--------+--------+--------+   cellOf[0]=1   +--------+--------+
 *
 * I1: two ids are equal exactly when every byte of memory that is ever read is.
 * Cost: a read is two loads; a write one table look-up, or one row copied the first time.
 */
import { type Raw, rawByte, rawFrom } from './access.ts';
import { Native } from './native.ts';
import type { Sharing } from './sharing.ts';
import { RowTable, TripleTable } from './tables.ts';

export class MemoryStates {
  readonly #sharing: Sharing;
  readonly #initial: Int32Array;
  readonly #cellOf: Int32Array;
  readonly #wordOf: number[] = [];
  readonly #rows = new RowTable();
  readonly #written = new TripleTable();
  #scratch = new Native.Int32Array(16);

  /**
   * @param initial - bytes of memory after setup
   * @param sharing - says which words are ever read; others aren't kept
   */
  constructor(initial: Uint8Array, sharing: Sharing) {
    this.#sharing = sharing;
    const words = new Native.Int32Array((initial.length + 3) >> 2);
    new Native.Uint8Array(words.buffer).set(initial);
    this.#initial = words;
    this.#cellOf = new Native.Int32Array(words.length).fill(-1);
    this.#rows.intern(this.#scratch, 0);
  }

  /** Id of the memory after setup. */
  readonly start = 0;

  get count(): number {
    return this.#rows.count;
  }

  #word(id: number, word: number): number {
    const cell = this.#cellOf[word]!;
    return cell >= 0 && cell < this.#rows.length(id)
      ? this.#rows.pool[this.#rows.start(id) + cell]!
      : this.#initial[word]!;
  }

  /** Reads `bytes` bytes. */
  read(id: number, at: number, bytes: number): Raw {
    if (bytes === 4 && (at & 3) === 0) return this.#word(id, at >> 2);
    return rawFrom((place) => (this.#word(id, place >> 2) >>> ((place & 3) * 8)) & 0xff, at, bytes);
  }

  /** Id of the memory that differs from `id` in the bytes written. */
  write(id: number, at: number, bytes: number, raw: Raw): number {
    if (bytes === 4 && (at & 3) === 0) return this.#writeWord(id, at >> 2, raw as number);
    let next = id;
    for (let done = 0; done < bytes; ) {
      const word = (at + done) >> 2;
      let value = this.#word(next, word);
      do {
        const shift = ((at + done) & 3) * 8;
        value = (value & ~(0xff << shift)) | (rawByte(raw, done) << shift);
        done++;
      } while (done < bytes && ((at + done) & 3) !== 0);
      next = this.#writeWord(next, word, value);
    }
    return next;
  }

  #writeWord(id: number, word: number, value: number): number {
    if (this.#word(id, word) === value || !this.#sharing.isRead(word)) return id;
    let cell = this.#cellOf[word]!;
    if (cell < 0) {
      cell = this.#wordOf.push(word) - 1;
      this.#cellOf[word] = cell;
    }
    const known = this.#written.get(id, cell, value);
    return known >= 0 ? known : this.#written.set(id, cell, value, this.#changed(id, cell, value));
  }

  #changed(id: number, cell: number, value: number): number {
    const from = this.#rows.start(id);
    const old = this.#rows.length(id);
    let length = Math.max(old, cell + 1);
    if (length > this.#scratch.length) this.#scratch = new Native.Int32Array(length * 2);
    const row = this.#scratch;
    for (let index = 0; index < length; index++) {
      row[index] =
        index < old ? this.#rows.pool[from + index]! : this.#initial[this.#wordOf[index]!]!;
    }
    row[cell] = value;
    while (length > 0 && row[length - 1] === this.#initial[this.#wordOf[length - 1]!]) length--;
    return this.#rows.intern(row, length);
  }

  /** Writes a state's memory over `bytes`, which held another state's, or (`whole`) anything. */
  restore(id: number, bytes: Uint8Array, whole: boolean): void {
    const words = new Native.Int32Array(bytes.buffer, bytes.byteOffset, this.#initial.length);
    if (whole) words.set(this.#initial);
    for (const word of this.#wordOf) words[word] = this.#word(id, word);
  }
}
