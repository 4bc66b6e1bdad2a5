/**
 * Text of everything that a thread's handle remembers, or null where something can't be seen.
 *
 * Two histories of a thread may be treated as one only if the thread cannot tell them apart afterwards. A
 * handle whose whole state lies in its fields allows that; private `#` fields, closures, promises and weak
 * collections are invisible, so a handle that reaches any of them isn't merged at all, unless the scenario
 * says that its fields are all there is.
 */
import { ModelSharedArrayBuffer } from './model/buffer.ts';
import { ModelDataView } from './model/data-view.ts';
import { coreOf } from './model/views.ts';
import { Native } from './native.ts';
import { describeValue } from './values.ts';

const sourceOf = Function.prototype.toString;
const opaqueClasses = new WeakMap<object, boolean>();

/** Whether instances may hold private fields: read off the source of the class. */
function isOpaqueClass(type: unknown): boolean {
  if (typeof type !== 'function') return true;
  const known = opaqueClasses.get(type);
  if (known !== undefined) return known;
  const source = sourceOf.call(type);
  const native = source.includes('[native code]');
  const opaque = native || /#\w/.test(source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ''));
  opaqueClasses.set(type, opaque);
  return opaque;
}

const invisible: unique symbol = Symbol('invisible');

function isTransparent(value: object): boolean {
  for (
    let prototype = Object.getPrototypeOf(value);
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (prototype === Array.prototype) return true;
    if (isOpaqueClass(prototype.constructor)) return false;
  }
  return true;
}

function walk(value: unknown, seen: Map<object, number>, strict: boolean): string {
  if (typeof value === 'function') {
    if (strict) throw invisible;
    return 'function';
  }
  if (typeof value !== 'object' || value === null) return describeValue(value);
  const core = coreOf(value);
  if (core !== undefined) {
    return `${core.type.name}@${core.buffer.at + core.byteOffset}+${core.length}`;
  }
  if (value instanceof ModelSharedArrayBuffer) return `buffer@${value.at}`;
  if (value instanceof ModelDataView) return `view@${value.buffer.at + value.byteOffset}`;
  const index = seen.get(value);
  if (index !== undefined) return `^${index}`;
  seen.set(value, seen.size);
  if (Native.isView(value)) return describeValue(value);
  if (value instanceof Native.ArrayBuffer) return describeValue(new Native.Uint8Array(value));
  if (value instanceof Map) return `Map${walk([...value], seen, strict)}`;
  if (value instanceof Set) return `Set${walk([...value], seen, strict)}`;
  if (strict && !isTransparent(value)) throw invisible;
  const fields = Reflect.ownKeys(value).map((key) => {
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key)!;
    if (!('value' in descriptor)) {
      if (strict) throw invisible;
      return String(key);
    }
    return `${String(key)}:${walk(descriptor.value, seen, strict)}`;
  });
  return `{${fields.join()}}`;
}

/**
 * The text; null when part of the handle's state is invisible.
 *
 * @param strict - false to pass over what can't be seen
 */
export function fingerprintOf(handle: unknown, strict = true): string | null {
  try {
    return walk(handle, new Map(), strict);
  } catch (error) {
    if (error === invisible) return null;
    throw error;
  }
}
