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
 *
 * D1: the writes of a declared word are ordered by happens-before (one writer, or owners one after another),
 *     and it is accessed in one element size; anything else is an error.
 * D2: a write that all live threads know hides everything before it, and is dropped with it.
 * D3: a promise can't be kept, and the path doesn't exist, once each possible writer has ended or knows of
 *     the read.
 * D4: who may write which value is learned; a new one starts the search over (`grown`).
 */
import type { Raw } from './access.ts';
import { UnmodelledError } from './errors.ts';
import type { EffectSummary } from './knowledge.ts';
import { NameTable, TripleTable } from './tables.ts';

interface Entry {
  readonly promise: boolean;
  readonly at: number;
  /** Before the write, or promised. */
  readonly value: Raw;
  readonly mask: bigint;
}

interface Row {
  readonly live: bigint;
  readonly entries: readonly Entry[];
}

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
    const text = sorted.map(
      ({ promise, at, value, mask }) => `${promise ? 'p' : 'w'}${at}:${value}:${mask}`,
    );
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
    return this.#rows[row]!.entries.some((entry) => entry.promise);
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
      if (entry.at !== at || entry.promise) continue;
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
      if (entry.at !== at || entry.promise) continue;
      if (entry.mask & bit) return false;
      if (entry.value === value) return true;
    }
    return false;
  }

  /** Row after a read has returned one of its choices. */
  read(row: number, thread: number, at: number, current: Raw, value: Raw): number {
    if (this.#isPast(row, thread, at, current, value)) return row;
    const { live, entries } = this.#rows[row]!;
    const promise: Entry = { promise: true, at, value, mask: 1n << BigInt(thread) };
    return this.#settle(live, [...entries, promise]);
  }

  /** Row after a write. */
  write(row: number, thread: number, at: number, bytes: number, before: Raw, value: Raw): number {
    this.#checkSize(at, bytes);
    this.#learn(thread, at, value);
    const { live, entries } = this.#rows[row]!;
    const bit = 1n << BigInt(thread);
    if (entries.some((entry) => !entry.promise && entry.at === at && (entry.mask & bit) === 0n)) {
      // D1
      throw new UnmodelledError(
        `writes of declared racy memory must not race with each other: T${thread} writes byte ${at} without knowing of the write before`,
      );
    }
    const kept = entries.filter(
      (entry) =>
        !(entry.promise && entry.at === at && entry.value === value && (entry.mask & bit) === 0n),
    );
    const next =
      before === value ? kept : [...kept, { promise: false, at, value: before, mask: bit }];
    return this.#settle(live, next);
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
      if (entry.promise) {
        if (!this.#canBeKept(live, entry)) return impossible;
        kept.push(entry);
      } else if ((entry.mask & live) === live) {
        // D2
        for (let index = kept.length - 1; index >= 0; index--) {
          if (kept[index]!.at === entry.at && !kept[index]!.promise) kept.splice(index, 1);
        }
      } else {
        kept.push(entry);
      }
    }
    return this.#intern({ live, entries: kept });
  }
}
