/**
 * The model's typed arrays: proxies whose indexed reads and writes are accesses of the model.
 *
 * Everything that touches elements goes through `perform`; what is bulk in the engine (`set`, `fill`,
 * `copyWithin`, `slice`) is one plain access of many bytes, except in declared racy ranges, where it is one
 * access a word. Methods that only read or write by index are the generic ones of Array.prototype.
 * Cost: a Proxy trap per access, paid in replays only.
 */
import { Kind, type Raw } from '../access.ts';
import { ScenarioError, UnmodelledError } from '../errors.ts';
import { Native } from '../native.ts';
import { activeSession, perform } from '../session.ts';
import { ModelSharedArrayBuffer } from './buffer.ts';
import { bytesOf, type ElementType, elementTypes, type Indexed } from './elements.ts';

const coreKey: unique symbol = Symbol('interleave.view');

/** What a view is over. */
export interface ViewCore {
  readonly type: ElementType;
  readonly buffer: ModelSharedArrayBuffer;
  readonly byteOffset: number;
  readonly length: number;
}

/** The core of a model view; undefined for anything else. */
export const coreOf = (value: unknown): ViewCore | undefined =>
  typeof value === 'object' && value !== null
    ? (value as { [coreKey]?: ViewCore })[coreKey]
    : undefined;

const addressOf = (core: ViewCore, index: number): number =>
  core.buffer.at + core.byteOffset + index * core.type.bytes;

/** One element; 64-bit ones, which may tear, as two words where races are declared. */
function element(core: ViewCore, index: number, value: Raw | null): Raw {
  const at = addressOf(core, index);
  const { bytes } = core.type;
  const kind = value === null ? Kind.read : Kind.write;
  if (bytes < 8 || !activeSession().isRacy(at, bytes)) return perform(kind, at, bytes, value ?? 0);
  const raw = (value ?? 0n) as bigint;
  const low = perform(kind, at, 4, Number(BigInt.asIntN(32, raw))) as number;
  const high = perform(kind, at + 4, 4, Number(BigInt.asIntN(32, raw >> 32n))) as number;
  return BigInt.asUintN(32, BigInt(low)) | (BigInt.asUintN(32, BigInt(high)) << 32n);
}

const readElement = (core: ViewCore, index: number): number | bigint =>
  core.type.fromRaw(element(core, index, null));

/** Plain access of many bytes: whole, or word by word where races are declared. */
function bulk(at: number, bytes: number, data: string | null): string {
  if (bytes === 0) return '';
  const kind = data === null ? Kind.read : Kind.write;
  const small = bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8;
  if (!activeSession().isRacy(at, bytes) && !small) {
    const raw = perform(kind, at, bytes, data ?? 0);
    return data ?? (raw as string);
  }
  let text = '';
  for (let done = 0; done < bytes; ) {
    const size = ((at + done) & 3) === 0 && bytes - done >= 4 ? 4 : 1;
    const type = elementTypes.get(size === 4 ? 'Int32Array' : 'Uint8Array')!;
    const chunk: Raw = data === null ? 0 : packed(data, done, size);
    const raw = perform(kind, at + done, size, chunk) as number;
    if (data === null) {
      for (let byte = 0; byte < type.bytes; byte++) {
        text += String.fromCharCode((raw >>> (byte * 8)) & 0xff);
      }
    }
    done += size;
  }
  return data ?? text;
}

const packed = (data: string, from: number, bytes: number): number => {
  let raw = 0;
  for (let index = 0; index < bytes; index++) raw |= data.charCodeAt(from + index) << (index * 8);
  return raw;
};

const toNative = (type: ElementType, text: string): Indexed => {
  const bytes = new Native.Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return new (type.construct as unknown as new (buffer: ArrayBuffer) => Indexed)(bytes.buffer);
};

const relative = (value: unknown, length: number, fallback: number): number => {
  if (value === undefined) return fallback;
  const index = Math.trunc(Number(value)) || 0;
  return index < 0 ? Math.max(length + index, 0) : Math.min(index, length);
};

const valuesToBytes = (type: ElementType, source: ArrayLike<unknown>): string => {
  const values = new (type.construct as unknown as new (length: number) => Indexed)(source.length);
  for (let index = 0; index < source.length; index++) values[index] = source[index] as number;
  return bytesOf(values);
};

const sourceBytes = (type: ElementType, source: ArrayLike<unknown>): string => {
  const core = coreOf(source);
  if (core !== undefined && core.type === type) {
    return bulk(addressOf(core, 0), core.length * type.bytes, null);
  }
  return valuesToBytes(type, source);
};

type Method = (this: object, ...parameters: never[]) => unknown;
const self = (view: object): ViewCore => {
  const core = coreOf(view);
  if (core === undefined) throw new TypeError('this is not a typed array of the model');
  return core;
};

const own: Record<string, Method> = {
  subarray(this: object, from?: number, to?: number) {
    const core = self(this);
    const begin = relative(from, core.length, 0);
    const end = Math.max(begin, relative(to, core.length, core.length));
    const byteOffset = core.byteOffset + begin * core.type.bytes;
    return createView({ ...core, byteOffset, length: end - begin });
  },
  set(this: object, source: ArrayLike<unknown>, offset = 0) {
    const core = self(this);
    if (offset < 0 || offset + source.length > core.length) {
      throw new RangeError('offset is out of bounds');
    }
    const data = sourceBytes(core.type, source);
    bulk(addressOf(core, offset), data.length, data);
  },
  fill(this: object, value: unknown, from?: number, to?: number) {
    const core = self(this);
    const begin = relative(from, core.length, 0);
    const end = relative(to, core.length, core.length);
    if (end > begin) {
      const data = valuesToBytes(core.type, [value]).repeat(end - begin);
      bulk(addressOf(core, begin), data.length, data);
    }
    return this;
  },
  copyWithin(this: object, target: number, from: number, to?: number) {
    const core = self(this);
    const goal = relative(target, core.length, 0);
    const begin = relative(from, core.length, 0);
    const end = relative(to, core.length, core.length);
    const count = Math.min(end - begin, core.length - goal);
    if (count > 0) {
      const data = bulk(addressOf(core, begin), count * core.type.bytes, null);
      bulk(addressOf(core, goal), data.length, data);
    }
    return this;
  },
  slice(this: object, from?: number, to?: number) {
    const core = self(this);
    const begin = relative(from, core.length, 0);
    const end = Math.max(begin, relative(to, core.length, core.length));
    return toNative(core.type, bulk(addressOf(core, begin), (end - begin) * core.type.bytes, null));
  },
  at(this: object, index: number) {
    const core = self(this);
    const place = index < 0 ? core.length + index : index;
    return place >= 0 && place < core.length ? readElement(core, place) : undefined;
  },
};
const copied = (view: object): Indexed => own['slice']!.call(view) as Indexed;
for (const name of ['map', 'filter', 'toSorted', 'toReversed', 'with']) {
  own[name] = function (this: object, ...parameters: never[]) {
    const copy = copied(this) as unknown as Record<string, Method>;
    const method = copy[name];
    if (method === undefined) throw new UnmodelledError(`typed arrays have no ${name} here`);
    return method.call(copy, ...parameters);
  };
}
const generic = [
  'entries every find findIndex findLast findLastIndex forEach includes indexOf join keys lastIndexOf reduce',
  'reduceRight reverse some sort values toString toLocaleString',
].flatMap((names) => names.split(' '));
for (const name of generic) {
  own[name] = (Array.prototype as unknown as Record<string, Method>)[name]!;
}

const indexPattern = /^(?:0|[1-9]\d*)$/;
const isIndex = (key: string | symbol): key is string =>
  typeof key === 'string' && indexPattern.test(key);

const property = (core: ViewCore, key: string | symbol): unknown => {
  switch (key) {
    case coreKey:
      return core;
    case 'length':
      return core.length;
    case 'buffer':
      return core.buffer;
    case 'byteOffset':
      return core.byteOffset;
    case 'byteLength':
      return core.length * core.type.bytes;
    case 'BYTES_PER_ELEMENT':
      return core.type.bytes;
    case Symbol.toStringTag:
      return core.type.name;
    case Symbol.iterator:
      return Array.prototype.values;
    case 'constructor':
      return (globalThis as Record<string, unknown>)[core.type.name];
    default:
      return typeof key === 'string' && Object.hasOwn(own, key)
        ? own[key]
        : (Object.prototype as unknown as Record<string | symbol, unknown>)[key];
  }
};

const handler: ProxyHandler<{ core: ViewCore }> = {
  get({ core }, key) {
    if (!isIndex(key)) return property(core, key);
    const index = Number(key);
    return index < core.length ? readElement(core, index) : undefined;
  },
  set({ core }, key, value) {
    if (!isIndex(key)) throw new UnmodelledError(`a typed array has no writable ${String(key)}`);
    const raw = core.type.toRaw(value);
    const index = Number(key);
    if (index < core.length) element(core, index, raw);
    return true;
  },
  has({ core }, key) {
    return isIndex(key) ? Number(key) < core.length : property(core, key) !== undefined;
  },
  ownKeys: () => [],
  getPrototypeOf: ({ core }) => {
    const real = Native[core.type.name as 'Int32Array'] ?? Native.Uint8Array;
    return real.prototype;
  },
};

/** Makes a view; the offset and length must fit the buffer. */
export const createView = (core: ViewCore): object =>
  new Proxy<{ core: ViewCore }>({ core }, handler) as object;

/** Makes the view that `new Type(buffer, byteOffset, length)` asks for, with the engine's range checks. */
export function constructView(
  type: ElementType,
  buffer: ModelSharedArrayBuffer,
  byteOffset = 0,
  length?: number,
): object {
  if (byteOffset % type.bytes !== 0) {
    throw new RangeError(`start offset of ${type.name} should be a multiple of ${type.bytes}`);
  }
  const available = buffer.byteLength - byteOffset;
  if (length === undefined && available % type.bytes !== 0) {
    throw new RangeError(`byte length of ${type.name} should be a multiple of ${type.bytes}`);
  }
  const count = length ?? available / type.bytes;
  if (byteOffset < 0 || available < 0 || count * type.bytes > available) {
    throw new RangeError(`Invalid typed array length: ${count}`);
  }
  return createView({ type, buffer, byteOffset, length: count });
}

/** The byte range of a view or buffer of the model. */
export function rangeOf(target: unknown): { from: number; to: number } {
  if (target instanceof ModelSharedArrayBuffer) {
    return { from: target.at, to: target.at + target.byteLength };
  }
  const core = coreOf(target);
  if (core === undefined) {
    throw new ScenarioError('expected a view over shared memory made in setup');
  }
  const from = addressOf(core, 0);
  return { from, to: from + core.length * core.type.bytes };
}
