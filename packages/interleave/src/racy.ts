/**
 * Memory in which races are declared: which values a racy read may return, in every execution that ECMA-262 allows.
 *
 * A plain read may return any write that happens-before doesn't hide: the last one, an older one unless a
 * newer one is known to the reader, and also one that comes later in the interleaving, unless that write
 * knows of the read (the engine and the CPU may delay a read). The latter is explored as a promise: the value
 * is taken now, and the path counts only if its writer does write it.
 *
 *   row of a state: live threads, then per word, oldest first,
 *     write:   the value before it, and who knows of it     -> hides older values from those
 *     promise: the value read too early, and who knows of the read -> its writer must not
 *     guess:   a value written while promises were open, and by whom
 *
 * D1: the writes of a declared word are ordered by happens-before (one writer, or owners one after another),
 *     and it is accessed in one element size; anything else is an error.
 * D2: a write that all live threads know hides everything before it, and is dropped with it.
 * D3: a promise can't be kept, and the path doesn't exist, once each possible writer has ended or knows of
 *     the read.
 * D4: who may write which value is learned; a new one starts the search over (`grown`). What is written while
 *     promises are open is learned once all are kept: so a value that only justifies itself, out of thin air,
 *     is never explored, and learning ends.
 */
import type { Raw } from './access.ts';
import { UnmodelledError } from './errors.ts';
import type { EffectSummary } from './knowledge.ts';
import { NameTable, TripleTable } from './tables.ts';

interface Entry {
  readonly kind: 'write' | 'promise' | 'guess';
  readonly at: number;
  /** Before the write, promised, or written. */
  readonly value: Raw;
  /** Who knows; of a guess, the writer. */
  readonly mask: bigint;
}

interface Row {
  readonly live: bigint;
  readonly entries: readonly Entry[];
}

const isPromise = ({ kind }: Entry): boolean => kind === 'promise';
const threadOf = (mask: bigint): number => mask.toString(2).length - 1;

/** Result of a step onto a path that doesn't exist (D3). */
export const impossible = -2;

export class RacyMemory {
  /** Whether a value was learned that earlier reads could have returned. */
  grown = false;
  /** Row in which nothing has been written. */
  readonly start: number;
  readonly #names = new NameTable();
  readonly #rows: Row[] = [];
  #steps = new TripleTable();
  readonly #sizes = new Map<number, number>();
  /** Values that each thread may write to each word. */
  readonly #values = new Map<number, Map<number, Set<Raw>>>();

  constructor(threads: number) {
    this.start = this.#intern({ live: (1n << BigInt(threads)) - 1n, entries: [] });
  }

  #intern({ live, entries }: Row): number {
    const sorted = entries
      .map((entry, index) => ({ entry, index }))
      .sort((x, y) => x.entry.at - y.entry.at || x.index - y.index)
      .map(({ entry }) => entry);
    const text = sorted.map(({ kind, at, value, mask }) => `${kind}${at}:${value}:${mask}`);
    const id = this.#names.intern(`${live};${text.join(';')}`);
    this.#rows[id] ??= { live, entries: sorted };
    return id;
  }

  /** Forgets what depends on the numbers of effects, but not what was learned. */
  restart(): void {
    this.grown = false;
    this.#steps = new TripleTable();
  }

  /** Whether the path of this row still depends on writes to come. */
  hasPromises(row: number): boolean {
    return this.#rows[row]!.entries.some(isPromise);
  }

  #checkSize(at: number, bytes: number): void {
    const known = this.#sizes.get(at);
    if (known !== undefined && known !== bytes) {
      throw new UnmodelledError(
        `declared racy memory must be accessed in one element size: at byte ${at} ${known} and ${bytes}`,
      );
    }
    this.#sizes.set(at, bytes);
  }

  /** Values that a read of `thread` may return, the current one first. */
  choices(row: number, thread: number, at: number, bytes: number, current: Raw): Raw[] {
    this.#checkSize(at, bytes);
    const { entries } = this.#rows[row]!;
    const bit = 1n << BigInt(thread);
    const found = [current];
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry = entries[index]!;
      if (entry.at !== at || entry.kind !== 'write') continue;
      if (entry.mask & bit) break;
      if (!found.includes(entry.value)) found.push(entry.value);
    }
    for (const [writer, values] of this.#values.get(at) ?? []) {
      if (writer === thread) continue;
      for (const value of values) if (!found.includes(value)) found.push(value);
    }
    return found;
  }

  /** How many of the choices are writes that have happened; the others are promises. */
  #isPast(row: number, thread: number, at: number, current: Raw, value: Raw): boolean {
    const { entries } = this.#rows[row]!;
    const bit = 1n << BigInt(thread);
    if (value === current) return true;
    for (let index = entries.length - 1; index >= 0; index--) {
      const entry = entries[index]!;
      if (entry.at !== at || entry.kind !== 'write') continue;
      if (entry.mask & bit) return false;
      if (entry.value === value) return true;
    }
    return false;
  }

  /** Row after a read has returned one of its choices. */
  read(row: number, thread: number, at: number, current: Raw, value: Raw): number {
    if (this.#isPast(row, thread, at, current, value)) return row;
    const { live, entries } = this.#rows[row]!;
    const promise: Entry = { kind: 'promise', at, value, mask: 1n << BigInt(thread) };
    return this.#settle(live, [...entries, promise]);
  }

  /** Row after a write. */
  write(row: number, thread: number, at: number, bytes: number, before: Raw, value: Raw): number {
    this.#checkSize(at, bytes);
    const { live, entries } = this.#rows[row]!;
    const bit = 1n << BigInt(thread);
    if (entries.some((entry) => entry.kind === 'write' && entry.at === at && !(entry.mask & bit))) {
      // D1
      throw new UnmodelledError(
        `writes of declared racy memory must not race with each other: T${thread} writes byte ${at} without knowing of the write before`,
      );
    }
    const next = entries.filter(
      (entry) =>
        !(isPromise(entry) && entry.at === at && entry.value === value && !(entry.mask & bit)),
    );
    if (before !== value) next.push({ kind: 'write', at, value: before, mask: bit });
    return this.#settle(live, this.#learned(next, thread, at, value));
  }

  /** Entries after a value was written: learns it, and what was guessed, unless promises are open (D4). */
  #learned(entries: Entry[], thread: number, at: number, value: Raw): Entry[] {
    if (entries.some(isPromise)) {
      const mask = 1n << BigInt(thread);
      const isNew = !this.#values.get(at)?.get(thread)?.has(value);
      const isGuessed = entries.some(
        (entry) =>
          entry.kind === 'guess' && entry.at === at && entry.value === value && entry.mask === mask,
      );
      return isNew && !isGuessed ? [...entries, { kind: 'guess', at, value, mask }] : entries;
    }
    this.#learn(thread, at, value);
    return entries.filter((entry) => {
      if (entry.kind === 'guess') this.#learn(threadOf(entry.mask), entry.at, entry.value);
      return entry.kind !== 'guess';
    });
  }

  #learn(thread: number, at: number, value: Raw): void {
    const writers = this.#values.get(at) ?? new Map<number, Set<Raw>>();
    this.#values.set(at, writers);
    const values = writers.get(thread) ?? new Set();
    writers.set(thread, values);
    if (values.has(value)) return;
    values.add(value);
    this.grown = true; // D4
  }

  /** Whether some thread may still write what was promised (D3). */
  #canBeKept(live: bigint, { at, value, mask }: Entry): boolean {
    for (const [writer, values] of this.#values.get(at) ?? []) {
      const bit = 1n << BigInt(writer);
      if (values.has(value) && live & bit && (mask & bit) === 0n) return true;
    }
    return false;
  }

  /** Row after a synchronising access, as knowledge.ts describes it. */
  apply(row: number, effectId: number, describe: (effectId: number) => EffectSummary): number {
    const known = this.#steps.get(row, effectId, 0);
    if (known !== -1) return known;
    const effect = describe(effectId);
    const thread = 1n << BigInt(effect.thread);
    const { live, entries } = this.#rows[row]!;
    const next = entries.map((entry): Entry => {
      if (entry.kind === 'guess') return entry;
      let { mask } = entry;
      if (effect.acquires >= 0 && mask & (1n << BigInt(effect.acquires))) mask |= thread;
      for (const bit of effect.wiped) mask &= ~(1n << BigInt(bit));
      if (effect.releases >= 0) {
        const release = 1n << BigInt(effect.releases);
        mask = mask & thread ? mask | release : mask & ~release;
      }
      return { ...entry, mask };
    });
    const after = this.#settle(effect.ends ? live & ~thread : live, next);
    return this.#steps.set(row, effectId, 0, after);
  }

  #settle(live: bigint, entries: readonly Entry[]): number {
    const kept: Entry[] = [];
    for (const entry of entries) {
      if (isPromise(entry) && !this.#canBeKept(live, entry)) return impossible;
      if (entry.kind === 'write' && (entry.mask & live) === live) {
        // D2
        for (let index = kept.length - 1; index >= 0; index--) {
          const older = kept[index]!;
          if (older.at === entry.at && older.kind === 'write') kept.splice(index, 1);
        }
      } else {
        kept.push(entry);
      }
    }
    return this.#intern({ live, entries: kept });
  }
}
