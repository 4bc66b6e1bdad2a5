/**
 * The real globals, taken before any check replaces them. Everything in this package that runs while a
 * replay is on the stack uses these names, never the globals.
 */

interface RealGlobals {
  readonly Atomics: typeof globalThis.Atomics;
  readonly SharedArrayBuffer: typeof globalThis.SharedArrayBuffer;
  readonly ArrayBuffer: typeof globalThis.ArrayBuffer;
  readonly DataView: typeof globalThis.DataView;
  readonly Int8Array: typeof globalThis.Int8Array;
  readonly Uint8Array: typeof globalThis.Uint8Array;
  readonly Uint8ClampedArray: typeof globalThis.Uint8ClampedArray;
  readonly Int16Array: typeof globalThis.Int16Array;
  readonly Uint16Array: typeof globalThis.Uint16Array;
  readonly Int32Array: typeof globalThis.Int32Array;
  readonly Uint32Array: typeof globalThis.Uint32Array;
  readonly Float32Array: typeof globalThis.Float32Array;
  readonly Float64Array: typeof globalThis.Float64Array;
  readonly BigInt64Array: typeof globalThis.BigInt64Array;
  readonly BigUint64Array: typeof globalThis.BigUint64Array;
  readonly Date: typeof globalThis.Date;
  readonly performance: typeof globalThis.performance;
  readonly setTimeout: typeof globalThis.setTimeout;
  readonly isView: typeof ArrayBuffer.isView;
}

/** Real globals by name, as they were when this module was loaded. */
export const Native: RealGlobals = {
  Atomics: globalThis.Atomics,
  SharedArrayBuffer: globalThis.SharedArrayBuffer,
  ArrayBuffer: globalThis.ArrayBuffer,
  DataView: globalThis.DataView,
  Int8Array: globalThis.Int8Array,
  Uint8Array: globalThis.Uint8Array,
  Uint8ClampedArray: globalThis.Uint8ClampedArray,
  Int16Array: globalThis.Int16Array,
  Uint16Array: globalThis.Uint16Array,
  Int32Array: globalThis.Int32Array,
  Uint32Array: globalThis.Uint32Array,
  Float32Array: globalThis.Float32Array,
  Float64Array: globalThis.Float64Array,
  BigInt64Array: globalThis.BigInt64Array,
  BigUint64Array: globalThis.BigUint64Array,
  Date: globalThis.Date,
  performance: globalThis.performance,
  setTimeout: globalThis.setTimeout,
  isView: globalThis.ArrayBuffer.isView,
};

/** Present in recent engines only. */
export const NativeFloat16Array: Float32ArrayConstructor | undefined = (
  globalThis as { Float16Array?: Float32ArrayConstructor }
).Float16Array;

/** Milliseconds of the real clock. */
export const nowMs = (): number => Native.performance.now();

const immediate = (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate;

/** Resolves after the microtask queue has run dry. */
export const drainMicrotasks: () => Promise<void> =
  immediate === undefined
    ? () => new Promise((resolve) => void Native.setTimeout(resolve, 0))
    : () => new Promise((resolve) => void immediate(resolve));
