/**
 * How items of one key become one value.
 *
 * A merge works on an accumulator that it creates once and that the batcher reuses: `append` copies what it needs
 * out of the item, which is only borrowed during the call. `clear` makes the accumulator empty again; a merge
 * without `clear` gives its accumulators away, so that the sink may keep them.
 *
 * An `append` that throws refuses its item: the push throws the same error, and the batcher is as before. The other
 * functions of a merge must not throw.
 */

/** Merges items of one key into an accumulator that is handed to the sink as it is. */
export interface Merge<Item, Key, Accumulator> {
  /** Returns an empty accumulator for a key. */
  create(key: Key): Accumulator;
  /** Takes an item in. The item is borrowed: after the call it may change. */
  append(accumulator: Accumulator, item: Item): void;
  /** Empties an accumulator for reuse. Without it each batch gets new ones and owns them. */
  clear?(accumulator: Accumulator): void;
  /** Returns the bytes of an item. @defaultValue 1 for each item */
  weigh?(item: Item): number;
  /** Says that an append replaces what was there: the entry weighs what its last item weighs. */
  readonly replaces?: boolean;
  /** Moves the later half of the items into `rest`, to isolate what a sink chokes on; returns how many, 0 if it can't. */
  split?(accumulator: Accumulator, rest: Accumulator): number;
}

/** A merge whose sinks see a value made of the accumulator, once per batch. */
export interface MergeWithValue<Item, Key, Accumulator, Value>
  extends Merge<Item, Key, Accumulator> {
  /** Returns what the sink sees. */
  value(accumulator: Accumulator): Value;
}

/** The `create` of every `list()`: a batcher knows both, and makes and fills such lists itself. */
export const createList = (): never[] => [];

/** The `append` of every `list()`. */
export function appendToList<Item>(items: Item[], item: Item): void {
  items.push(item);
}

/** Returns the merge that keeps every item, in order, in an array that the sink may keep. */
export function list<Item, Key = unknown>(): Merge<Item, Key, Item[]> {
  return {
    create: createList,
    append: appendToList,
    split: (items, rest) => {
      for (const item of items.splice((items.length + 1) >> 1)) rest.push(item);
      return rest.length;
    },
  };
}

/** A value in a box, so that numbers and the like can be replaced in place. */
export interface Box<Value> {
  /** The boxed value. */
  value: Value;
}

/** Returns the merge that keeps the newest item only: state, progress, a screen. */
export function last<Item, Key = unknown>(): MergeWithValue<
  Item,
  Key,
  Box<Item | undefined>,
  Item
> {
  return {
    replaces: true,
    create: () => ({ value: undefined }),
    append: (box, item) => {
      box.value = item;
    },
    clear: (box) => {
      box.value = undefined;
    },
    value: (box) => box.value as Item,
  };
}

/** Returns the merge that adds numbers. */
export function sum<Key = unknown>(): MergeWithValue<number, Key, Box<number>, number> {
  return {
    replaces: true,
    create: () => ({ value: 0 }),
    append: (box, item) => {
      box.value += item;
    },
    clear: (box) => {
      box.value = 0;
    },
    value: (box) => box.value,
  };
}

/** A growing byte buffer; `bytes.subarray(0, length)` is its content. */
export interface ByteAccumulator {
  /** Storage; its end is unused. */
  bytes: Uint8Array;
  /** Bytes in use. */
  length: number;
}

/**
 * Returns the merge that appends bytes. The sink sees a view that is borrowed until its flush has ended.
 *
 * @param capacity - bytes that each buffer starts with
 */
export function concat<Key = unknown>(
  capacity = 4096,
): MergeWithValue<Uint8Array, Key, ByteAccumulator, Uint8Array> {
  return {
    create: () => ({ bytes: new Uint8Array(capacity), length: 0 }),
    append: (buffer, item) => {
      const end = buffer.length + item.length;
      if (end > buffer.bytes.length) {
        const grown = new Uint8Array(Math.max(end, 2 * buffer.bytes.length));
        grown.set(buffer.bytes.subarray(0, buffer.length));
        buffer.bytes = grown;
      }
      buffer.bytes.set(item, buffer.length);
      buffer.length = end;
    },
    clear: (buffer) => {
      buffer.length = 0;
    },
    value: (buffer) => buffer.bytes.subarray(0, buffer.length),
    weigh: (item) => item.length,
  };
}
