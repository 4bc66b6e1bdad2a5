/**
 * Keeps counts where a WebAssembly kernel can sum and add them 4 at a time: an optional memory of histograms.
 *
 * Own design; the kernel is assembly/kernel.ts, about 500 bytes. Recording stays JavaScript: a store into this
 * memory costs what it costs elsewhere, a call into WebAssembly for each value would cost more than the record.
 *
 * ```text
 * byte  0          8 * (bytes / 256)
 *       +----------+--------------------+--------------------+---- ...
 *       | sums f64 | counts u32, zeros  | counts u32, zeros  | free
 *       +----------+--------------------+--------------------+---- ...
 *         one per    a multiple of 64 counts, and one block of 64 zeros more
 *         block
 * ```
 *
 * - M1: behind a histogram's last count come zeros, up to the end of its block of 64 and for one block more.
 *   So the kernel may begin anywhere, work in whole blocks and meet nobody else's counts.
 * - M2: the memory never grows: growing would detach the counts of every histogram in it. When it is full,
 *   or where there is no WebAssembly SIMD, counts are ordinary and all answers the same.
 * - M3: freed room is zeroed and handed out again only once the histogram's counts have moved out.
 *
 * One thread. Cost: allocate O(free list), or O(1) from the unused end; the kernel's in assembly/kernel.ts.
 */
import { BLOCK, type CountsMemory } from '../counts-memory.ts';
import { HistogramRangeError } from '../errors.ts';
import type { Histogram } from '../histogram.ts';
import { KERNEL_BASE64 } from './kernel.wasm.ts';

/** What the kernel exports; addresses and counts are u32. */
interface Kernel {
  sumBlocks(counts: number, blocks: number, sums: number): number;
  add(target: number, source: number, steps: number): number;
}

/** How to create a {@link SimdMemory}. */
export interface SimdMemoryOptions {
  /**
   * Room for counts (1 to 2^30); 135,424 bytes are one histogram of 3 digits from a nanosecond to an hour.
   * Pages that nobody writes to take no memory.
   * @defaultValue 4 MiB
   */
  readonly bytes?: number;
  /** `false` leaves WebAssembly alone, as if there were none; for comparisons. @defaultValue true */
  readonly wasm?: boolean;
}

const PAGE_BYTES = 65_536;
const BLOCK_BYTES = 4 * BLOCK;

let compiled: WebAssembly.Module | undefined;
let isRefused = false;

/** Compiles the kernel once; undefined where WebAssembly, its SIMD or a page's security policy forbid it. */
function compile(): WebAssembly.Module | undefined {
  if (compiled === undefined && !isRefused) {
    try {
      const bytes = Uint8Array.from(atob(KERNEL_BASE64), (letter) => letter.charCodeAt(0));
      compiled = new WebAssembly.Module(bytes);
    } catch {
      isRefused = true;
    }
  }
  return compiled;
}

/** Returns the bytes that `length` counts take, zeros behind them included (M1). */
const bytesOf = (length: number): number => (Math.ceil(length / BLOCK) + 1) * BLOCK_BYTES;

/**
 * Memory in which histograms answer percentiles and add up by WebAssembly SIMD; the results are the same as
 * without it.
 *
 * Where there is no WebAssembly SIMD (or a page's policy forbids it), and when it is full, histograms created
 * with it have ordinary memory: nothing fails, it is just not faster.
 *
 * Concurrency: one thread, that of its histograms.
 * Cost: `bytes` and 3 % more, of which the operating system gives only what is used.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { Histogram } from '@millrace/histogram';
 * import { SimdMemory } from '@millrace/histogram/simd';
 *
 * const memory = new SimdMemory();
 * const all = new Histogram({ memory });
 * const one = new Histogram({ memory });
 * one.recordMany([1000, 2000, 3000]);
 * all.add(one); // by the kernel: both are in the same memory
 * assert.equal(all.percentile(50), 2000);
 * memory.free(one); // its room is used again; `one` goes on in ordinary memory
 * assert.equal(one.count, 3);
 * ```
 */
export class SimdMemory implements CountsMemory {
  /** Whether there is WebAssembly SIMD here; without it histograms are in ordinary memory. */
  readonly isAccelerated: boolean;
  /** Room for counts. */
  readonly bytes: number;
  /** What `sumBlocks` has written. */
  readonly blockSums: Float64Array;
  readonly #kernel: Kernel | undefined;
  readonly #buffer: ArrayBuffer;
  /** First byte behind all that was ever handed out. */
  #end: number;
  readonly #limit: number;
  /** Starts of freed rooms, by their bytes. */
  readonly #freed: Map<number, number[]> = new Map();
  #bytesFreed = 0;

  /**
   * Creates an empty memory.
   *
   * @param options - size
   * @throws {HistogramRangeError} ERR_HISTOGRAM_OPTION if `bytes` isn't a whole number from 1 to 2^30
   * @throws {RangeError} If the system has no such memory
   */
  constructor(options: SimdMemoryOptions = {}) {
    const bytes = options.bytes ?? 4 * 1024 * 1024;
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > 2 ** 30) {
      throw new HistogramRangeError(
        'ERR_HISTOGRAM_OPTION',
        `bytes must be a whole number from 1 to 2^30: bytes=${String(bytes)}`,
      );
    }
    this.bytes = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    const module = options.wasm === false ? undefined : compile();
    this.isAccelerated = module !== undefined;
    const sumsBytes = module === undefined ? 0 : (this.bytes / BLOCK_BYTES) * 8;
    this.#end = sumsBytes;
    this.#limit = sumsBytes;
    this.#buffer = new ArrayBuffer(0);
    if (module !== undefined) {
      const pages = Math.ceil((sumsBytes + this.bytes) / PAGE_BYTES);
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages }); // M2
      this.#kernel = new WebAssembly.Instance(module, { env: { memory } })
        .exports as unknown as Kernel;
      this.#buffer = memory.buffer;
      this.#limit += this.bytes;
    }
    this.blockSums = new Float64Array(this.#buffer, 0, sumsBytes / 8);
  }

  /** Bytes that histograms have now. */
  get bytesUsed(): number {
    return this.#end - 8 * this.blockSums.length - this.#bytesFreed;
  }

  /**
   * Tells whether a histogram's counts are in this memory.
   *
   * @param histogram - any
   */
  holds(histogram: Histogram): boolean {
    return histogram.memory === this;
  }

  /**
   * Moves a histogram's counts to ordinary memory and takes their room back. The histogram stays as it is,
   * only slower. One that isn't in this memory is left alone.
   *
   * @param histogram - any
   *
   * Cost: O(buckets).
   */
  free(histogram: Histogram): void {
    if (this.holds(histogram)) histogram.leaveMemory();
  }

  /**
   * Returns room for counts, all 0; `Histogram` calls this.
   *
   * @param length - number of counts
   * @returns undefined if there isn't enough left
   */
  allocate(length: number): Uint32Array | undefined {
    const bytes = bytesOf(length);
    const freed = this.#freed.get(bytes)?.pop();
    const start = freed ?? this.#end;
    if (freed !== undefined) this.#bytesFreed -= bytes;
    else if (start + bytes > this.#limit) return undefined;
    else this.#end += bytes;
    return new Uint32Array(this.#buffer, start, length);
  }

  /**
   * Takes room back; `Histogram` calls this.
   *
   * @param counts - from `allocate`; nobody may use them any more
   */
  release(counts: Uint32Array): void {
    counts.fill(0); // M3
    const bytes = bytesOf(counts.length);
    const starts = this.#freed.get(bytes);
    if (starts === undefined) this.#freed.set(bytes, [counts.byteOffset]);
    else starts.push(counts.byteOffset);
    this.#bytesFreed += bytes;
  }

  /**
   * Writes the sum of each block of 64 counts into `blockSums`, -1 for one that may not fit 32 bits.
   *
   * @param counts - from `allocate`
   * @param first - first count
   * @param last - last count, included; any behind it up to the end of its block are 0
   * @returns the sum of all, or -1 if a block may not fit
   */
  sumBlocks(counts: Uint32Array, first: number, last: number): number {
    const blocks = (last - first + BLOCK) >>> 6;
    return this.#kernel!.sumBlocks(counts.byteOffset + 4 * first, blocks, 0);
  }

  /**
   * Adds counts modulo 2^32.
   *
   * @param target - from `allocate`
   * @param source - from `allocate`, not the same; any outside `first` to `last` are 0
   * @param first - first count
   * @param last - last count, included
   * @returns whether a sum may have wrapped
   */
  add(target: Uint32Array, source: Uint32Array, first: number, last: number): boolean {
    const start = first & ~15; // whole steps of 16 counts
    const steps = (last - start + 16) >>> 4;
    const offset = 4 * start;
    return this.#kernel!.add(target.byteOffset + offset, source.byteOffset + offset, steps) !== 0;
  }
}
