/** Copying a record's bytes without making a view of them, which `set` would need. */

/** Node 24 and later copy natively here, earlier ones make the view. */
const copyBytes = Buffer.prototype.copy;
/** A call into native code costs more than so few bytes do. */
const loopBytesMax = 24;

/**
 * Copies `from[start, end)` to `to`, beginning at `at`.
 *
 * Cost: O(length), no allocation on Node 24 and later.
 */
export function copyRange(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  at: number,
): void {
  const count = end - start;
  if (count > loopBytesMax) copyBytes.call(from, to, at, start, end);
  else for (let index = 0; index < count; index++) to[at + index] = from[start + index]!;
}
