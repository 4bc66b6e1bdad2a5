/**
 * Numbers in records: a fixed layout of named fields, read and written where the bytes lie.
 *
 * No schema, no versions, no nesting: for messages that are a handful of numbers. Fields are laid out in the
 * order given, each at a multiple of its size, little-endian.
 */
import { RingRangeError } from './errors.ts';

/** Type of a field: signed, unsigned or floating point, and its bits; the 64-bit integers are bigints. */
export type FieldType = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'f32' | 'f64' | 'i64' | 'u64';

/** Names and types of the fields, in order. */
export type Fields = Readonly<Record<string, FieldType>>;

/** The values of a layout's fields. */
export type ValuesOf<F extends Fields> = {
  -readonly [Name in keyof F]: F[Name] extends 'i64' | 'u64' ? bigint : number;
};

/** A layout of fields; made by {@link struct}. */
export interface Struct<F extends Fields> {
  /** Bytes from the first field to the end of the last (count). */
  readonly bytes: number;
  /** Where each field begins (bytes from the start of the struct). */
  readonly offsets: Readonly<Record<keyof F, number>>;
  /** Writes all fields at `start` of `target`. */
  write(target: Uint8Array, start: number, values: Readonly<ValuesOf<F>>): void;
  /** Reads all fields at `start` of `source`, into `into` if given; else it allocates the result. */
  read(source: Uint8Array, start: number, into?: ValuesOf<F>): ValuesOf<F>;
}

type Getter = (view: DataView, at: number) => number | bigint;
type Setter = (view: DataView, at: number, value: never) => void;

const TYPES: Readonly<Record<FieldType, readonly [bytes: number, get: Getter, set: Setter]>> = {
  i8: [1, (view, at) => view.getInt8(at), (view, at, value) => view.setInt8(at, value)],
  u8: [1, (view, at) => view.getUint8(at), (view, at, value) => view.setUint8(at, value)],
  i16: [2, (view, at) => view.getInt16(at, true), (view, at, v) => view.setInt16(at, v, true)],
  u16: [2, (view, at) => view.getUint16(at, true), (view, at, v) => view.setUint16(at, v, true)],
  i32: [4, (view, at) => view.getInt32(at, true), (view, at, v) => view.setInt32(at, v, true)],
  u32: [4, (view, at) => view.getUint32(at, true), (view, at, v) => view.setUint32(at, v, true)],
  f32: [4, (view, at) => view.getFloat32(at, true), (view, at, v) => view.setFloat32(at, v, true)],
  f64: [8, (view, at) => view.getFloat64(at, true), (view, at, v) => view.setFloat64(at, v, true)],
  i64: [
    8,
    (view, at) => view.getBigInt64(at, true),
    (view, at, v) => view.setBigInt64(at, v, true),
  ],
  u64: [
    8,
    (view, at) => view.getBigUint64(at, true),
    (view, at, v) => view.setBigUint64(at, v, true),
  ],
};

/**
 * Lays out fields.
 *
 * Cost: `write`, and `read` with a target, are O(fields) and allocate nothing for the arrays that come again.
 *
 * @param fields - names and types, in order
 * @throws {RingRangeError} If a type is unknown, or there is no field.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { attachConsumer, attachProducer, createRing, struct } from '@millrace/ringbuffer';
 *
 * const sample = struct({ id: 'u32', value: 'f64' });
 * const { handle } = createRing();
 * const producer = attachProducer(handle);
 * const at = producer.claim(sample.bytes);
 * sample.write(producer.bytes, at, { id: 7, value: 0.25 });
 * producer.commit();
 *
 * const into = { id: 0, value: 0 };
 * attachConsumer(handle).drain((bytes, start) => void sample.read(bytes, start, into));
 * assert.deepEqual(into, { id: 7, value: 0.25 });
 * ```
 */
export function struct<const F extends Fields>(fields: F): Struct<F> {
  const names = Object.keys(fields);
  const offsets: Record<string, number> = {};
  const plan: (readonly [name: string, offset: number, get: Getter, set: Setter])[] = [];
  let end = 0;
  for (const name of names) {
    const type = TYPES[fields[name]!];
    if (type === undefined) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `field must have a known type: ${name}=${String(fields[name])}`,
      );
    }
    const [bytes, get, set] = type;
    const offset = Math.ceil(end / bytes) * bytes;
    offsets[name] = offset;
    plan.push([name, offset, get, set]);
    end = offset + bytes;
  }
  if (end === 0) throw new RingRangeError('ERR_RING_ARGUMENT', 'fields must not be empty');
  let seen: Uint8Array | undefined;
  let view: DataView | undefined;
  const viewOf = (bytes: Uint8Array, start: number): DataView => {
    if (!(start >= 0 && start + end <= bytes.length)) {
      throw new RingRangeError(
        'ERR_RING_ARGUMENT',
        `struct of ${end} bytes must lie in the array: start=${start}, length=${bytes.length}`,
      );
    }
    if (bytes !== seen || view === undefined) {
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      seen = bytes;
    }
    return view;
  };
  return {
    bytes: end,
    offsets: offsets as Record<keyof F, number>,
    write(target, start, values) {
      const to = viewOf(target, start);
      for (const [name, offset, , set] of plan) {
        set(to, start + offset, (values as Readonly<Record<string, never>>)[name] as never);
      }
    },
    read(source, start, into = {} as ValuesOf<F>) {
      const from = viewOf(source, start);
      for (const [name, offset, get] of plan) {
        (into as Record<string, number | bigint>)[name] = get(from, start + offset);
      }
      return into;
    },
  };
}
