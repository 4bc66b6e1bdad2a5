/**
 * Where everything lies in the memory of a shared histogram: offsets, sizes, and the arithmetic of a count.
 *
 * ```text
 * byte   0       128                128 + stride          128 + 2 * stride      ...
 *        +--------+------------------+---------------------+---------------------+--------+
 *        | header | shard 0          | shard 1             | ...                 | common |
 *        +--------+------------------+---------------------+---------------------+--------+
 *
 * header   +0 magic  +4 version  +8 digits  +12 shards  +16 cells  +20 stride  +24 policy (i32 each)
 *          +32 lowest  +40 highest  +48 step (f64 each)
 *
 * shard    +0   owner i32     0 free, else the tag of its owner                      Atomics
 *          +4   used i32      1 once it has been claimed                             Atomics
 *          +8   crossed i32   1 once any count here has passed 2^31                  plain, owner
 *          +16  minimum f64, maximum f64   scaled, Infinity and -Infinity if empty   plain, owner
 *          +128 counts u32[cells]          one per bucket, then clamped, dropped     plain, owner
 *               carries u32[cells]         2^31s of each count                       plain, owner
 * ```
 *
 * - S1: one count is 63 bits in two words that are never updated together. `counts` runs on modulo 2^32;
 *   `carries` is the number of times it has passed a multiple of 2^31. The top bit of the first word is the
 *   parity of the second, so a reader that sees one word without the other notices and corrects by one
 *   (countOf). No lock, no retry, and a writer killed between the two stores leaves a count that still reads
 *   right. Sound while a reader's two loads are less than 2^30 increments apart. Proved by the scenarios of
 *   test/interleave/scenarios.ts that begin with S1.
 * - S2: shards are a multiple of 128 bytes, so two writers share no cache line nor adjacent-line prefetch.
 */

/** "MLHG" */
export const MAGIC = 0x4d4c4847;
export const VERSION = 1;
export const HEADER_BYTES = 128;
export const SHARD_HEADER_BYTES = 128;
const ALIGNMENT_BYTES = 128;

/** Header words, i32. */
export const WORD_MAGIC = 0;
export const WORD_VERSION = 1;
export const WORD_DIGITS = 2;
export const WORD_SHARDS = 3;
export const WORD_CELLS = 4;
export const WORD_STRIDE = 5;
export const WORD_POLICY = 6;
/** Header doubles, f64. */
export const FLOAT_LOWEST = 4;
export const FLOAT_HIGHEST = 5;
export const FLOAT_STEP = 6;

/** Shard words, i32, from the shard's first byte. */
export const WORD_OWNER = 0;
export const WORD_USED = 1;
export const WORD_CROSSED = 2;
/** Shard doubles, f64, from the shard's first byte. */
export const FLOAT_MINIMUM = 2;
export const FLOAT_MAXIMUM = 3;

/** Cells behind the buckets: how many values were clamped, how many dropped. */
export const CELL_CLAMPED = 0;
export const CELL_DROPPED = 1;
export const EXTRA_CELLS = 2;

/** Policies as stored in the header. */
export const POLICIES = ['clamp', 'drop', 'throw'] as const;

/** Returns the bytes of one shard (S2). */
export const strideOf = (cells: number): number =>
  Math.ceil((SHARD_HEADER_BYTES + 8 * cells) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

/** One shard's memory as typed arrays. */
export interface ShardViews {
  readonly control: Int32Array;
  readonly range: Float64Array;
  readonly counts: Uint32Array;
  readonly carries: Uint32Array;
}

/** Returns views of the shard at `index`; index `shards` is the common one. */
export const shardViews = (
  buffer: SharedArrayBuffer,
  index: number,
  cells: number,
  stride: number,
): ShardViews => {
  const start = HEADER_BYTES + index * stride;
  return {
    control: new Int32Array(buffer, start, SHARD_HEADER_BYTES / 4),
    range: new Float64Array(buffer, start, SHARD_HEADER_BYTES / 8),
    counts: new Uint32Array(buffer, start + SHARD_HEADER_BYTES, cells),
    carries: new Uint32Array(buffer, start + SHARD_HEADER_BYTES + 4 * cells, cells),
  };
};

/** Returns the count that two words mean, even if only one has been updated yet (S1). */
export const countOf = (low: number, carry: number): number => {
  const rest = low & 0x7fffffff;
  let epoch = carry;
  // mutant-ok index-off-by-one: as far off as that, S1 promises nothing
  if ((carry & 1) !== low >>> 31) epoch += rest < 0x40000000 ? 1 : -1;
  return epoch * 2 ** 31 + rest;
};

/** Returns the carry to store when a count has just passed a multiple of 2^31 and become `low` (S1). */
export const nextCarry = (carry: number, low: number): number =>
  // One more; two more if a killed owner left the word one behind.
  carry + 1 + ((carry + 1 + (low >>> 31)) & 1);
