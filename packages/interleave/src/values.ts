/** Canonical text of results and arguments: equal values have equal texts, different values different ones. */
import { Native } from './native.ts';

/**
 * Describes a value by its content.
 *
 * @param value - primitives, arrays, plain objects, typed arrays, errors, maps and sets, nested at will
 * @returns text that is equal for equal content; `-0` and `0` differ, as do `undefined` and a missing key
 */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `${value}n`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      return value === null ? 'null' : describeObject(value);
    case 'function':
      return `function ${value.name}`;
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return `[${value.map(describeValue).join(', ')}]`;
  if (Native.isView(value) && !(value instanceof Native.DataView)) {
    const elements = Array.from(value as unknown as ArrayLike<number | bigint>, describeValue);
    return `${value.constructor.name}[${elements.join(', ')}]`;
  }
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Map) {
    return `Map{${[...value].map(([k, v]) => `${describeValue(k)}: ${describeValue(v)}`).join(', ')}}`;
  }
  if (value instanceof Set) return `Set{${[...value].map(describeValue).join(', ')}}`;
  const entries = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
  return `{${entries.map(([key, item]) => `${key}: ${describeValue(item)}`).join(', ')}}`;
}
