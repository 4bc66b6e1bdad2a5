/**
 * Choosing how bytes enter and leave the ring.
 *
 * Three kernels, because engines differ by a factor of ten (`npm run bench -w packages/ringbuffer -- --row copy`):
 * - a loop over 32-bit words, best for small payloads whose source is 4-aligned; a byte loop beside it;
 * - `TypedArray.prototype.set`, the fastest way for a whole array of 64 bytes to some KiB *if* source and target
 *   agree modulo 8, and bytewise otherwise: hence the pad in the record header. Of a part of an array it needs a
 *   `subarray`, which costs as much again, and garbage;
 * - `Buffer.prototype.copy`, a native `memmove` from Node 26 on, at any alignment, behind a slow call.
 *
 * Never through Float64Array: engines may change the bits of a NaN.
 */
import { RingStateError } from './errors.ts';

/** How payloads are copied; every kernel gives the same bytes. */
export type CopyKernel = 'auto' | 'words' | 'set' | 'buffer';

type BufferCopy = (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  sourceStart: number,
  sourceEnd: number,
) => number;

interface Platform {
  readonly Buffer?: { readonly prototype: { readonly copy: BufferCopy } };
  readonly process?: { readonly versions?: { readonly node?: string } };
}

/** What a handle needs to know to copy. */
export interface CopyPlan {
  /** Payloads up to this length are copied by words when the source is 4-aligned. */
  readonly wordsMax: number;
  /** Payloads up to this length are copied by bytes otherwise. */
  readonly bytesMax: number;
  /** Whole arrays longer than this are copied by `set` although words would do (bytes) ... */
  readonly wholeMin: number;
  /** ... up to this length (bytes), placed so that they agree with their source modulo 8. */
  readonly wholeMax: number;
  /** Whether parts of arrays should be placed so as well. */
  readonly coalign: boolean;
  /** `Buffer.prototype.copy`, or undefined to use `set`. */
  readonly bufferCopy: BufferCopy | undefined;
}

const ANY_LENGTH = 0x7fffffff;

/** A plan that has only the bulk kernel. */
const BULK: CopyPlan = {
  wordsMax: -1,
  bytesMax: -1,
  wholeMin: ANY_LENGTH,
  wholeMax: -1,
  coalign: true,
  bufferCopy: undefined,
};

/** Returns the thresholds for this runtime. */
export function copyPlan(kernel: CopyKernel): CopyPlan {
  const { Buffer, process } = globalThis as unknown as Platform;
  const bufferCopy = Buffer?.prototype.copy;
  switch (kernel) {
    case 'words':
      return { ...BULK, wordsMax: ANY_LENGTH, bytesMax: ANY_LENGTH, coalign: false };
    case 'set':
      return { ...BULK, wholeMin: -1, wholeMax: ANY_LENGTH };
    case 'buffer':
      if (bufferCopy === undefined) {
        throw new RingStateError(
          'ERR_RING_UNSUPPORTED',
          "copy: 'buffer' needs Buffer.prototype.copy, which this runtime lacks",
        );
      }
      return { ...BULK, bufferCopy };
    default: {
      const plan = { ...BULK, wordsMax: 256, bytesMax: 32, wholeMin: 64, wholeMax: ANY_LENGTH };
      const major = Number.parseInt(process?.versions?.node ?? '0', 10);
      if (major < 26 || bufferCopy === undefined) return plan;
      return { ...plan, wordsMax: 128, wholeMax: 2048, coalign: false, bufferCopy };
    }
  }
}

/** Stands for an array whose memory can't be seen as words. */
export const NO_WORDS: Int32Array = /* @__PURE__ */ new Int32Array(0);

/**
 * Returns words that cover the array, starting at the 4-aligned byte at or before its first one, or
 * {@link NO_WORDS} when its memory may move or shrink, or its end isn't followed by a whole word.
 */
export function wordsOf(array: Uint8Array): Int32Array {
  const buffer = array.buffer as ArrayBufferLike & { resizable?: boolean; growable?: boolean };
  if (buffer.resizable === true || buffer.growable === true) return NO_WORDS;
  const first = array.byteOffset & -4;
  const count = (array.byteOffset + array.byteLength - first) >> 2;
  return new Int32Array(buffer, first, count);
}

/** Copies `length` bytes one by one. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
}

/** Copies `count` words, four a turn. */
export function copyWords(
  source: Int32Array,
  from: number,
  target: Int32Array,
  to: number,
  count: number,
): void {
  const end = to + count;
  for (; to + 4 <= end; to += 4, from += 4) {
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
    target[to + 2] = source[from + 2]!;
    target[to + 3] = source[from + 3]!;
  }
  for (; to < end; to++, from++) target[to] = source[from]!;
}

/** Copies by the bulk kernel of the plan. The target begins at a multiple of 8 bytes of its memory. */
export function copyBulk(
  plan: CopyPlan,
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  const isWhole = length === source.length;
  const sets = isWhole && length <= plan.wholeMax && ((source.byteOffset ^ to) & 7) === 0;
  if (plan.bufferCopy !== undefined && !sets) {
    plan.bufferCopy.call(source, target, to, from, from + length);
  } else {
    target.set(isWhole ? source : source.subarray(from, from + length), to);
  }
}
