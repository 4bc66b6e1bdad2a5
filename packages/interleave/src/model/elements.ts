/** Element types: how each typed array turns a JS value into bits and back, exactly as the engine does. */
import type { Raw } from '../access.ts';
import { Native, NativeFloat16Array } from '../native.ts';

/** A typed array over real memory, read and written by index. */
export interface Indexed {
  [index: number]: number | bigint;
  readonly length: number;
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface ElementType {
  readonly name: string;
  readonly bytes: 1 | 2 | 4 | 8;
  /** Whether `Atomics` accepts it: integers, not clamped. */
  readonly atomic: boolean;
  /** Whether `Atomics.wait` accepts it. */
  readonly waitable: boolean;
  readonly construct: new (...parameters: never[]) => Indexed;
  toRaw(value: unknown): Raw;
  fromRaw(raw: Raw): number | bigint;
}

const scratch = new Native.ArrayBuffer(8);
const unsigned8 = new Native.Uint8Array(scratch);
const unsigned16 = new Native.Uint16Array(scratch);
const signed32 = new Native.Int32Array(scratch);
const unsigned64 = new Native.BigUint64Array(scratch);

const define = (
  name: string,
  bytes: 1 | 2 | 4 | 8,
  construct: unknown,
  atomic = true,
  waitable = false,
): ElementType => {
  const build = construct as new (...parameters: unknown[]) => Indexed;
  const cell = new build(scratch);
  const bits = (bytes === 1
    ? unsigned8
    : bytes === 2
      ? unsigned16
      : signed32) as unknown as Indexed;
  return {
    name,
    bytes,
    atomic,
    waitable,
    construct: build as unknown as ElementType['construct'],
    toRaw: (value) => {
      cell[0] = value as number;
      return bytes === 8 ? unsigned64[0]! : bits[0]!;
    },
    fromRaw: (raw) => {
      if (bytes === 8) unsigned64[0] = raw as bigint;
      else bits[0] = raw as number;
      return cell[0]!;
    },
  };
};

/** All element types by constructor name. */
export const elementTypes: ReadonlyMap<string, ElementType> = new Map(
  [
    define('Int8Array', 1, Native.Int8Array),
    define('Uint8Array', 1, Native.Uint8Array),
    define('Uint8ClampedArray', 1, Native.Uint8ClampedArray, false),
    define('Int16Array', 2, Native.Int16Array),
    define('Uint16Array', 2, Native.Uint16Array),
    define('Int32Array', 4, Native.Int32Array, true, true),
    define('Uint32Array', 4, Native.Uint32Array),
    define('Float32Array', 4, Native.Float32Array, false),
    define('Float64Array', 8, Native.Float64Array, false),
    define('BigInt64Array', 8, Native.BigInt64Array, true, true),
    define('BigUint64Array', 8, Native.BigUint64Array),
    ...(NativeFloat16Array === undefined
      ? []
      : [define('Float16Array', 2, NativeFloat16Array, false)]),
  ].map((type) => [type.name, type]),
);

/** Bytes of a real typed array as a raw string. */
export const bytesOf = (source: Indexed): string => {
  const bytes = new Native.Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};
