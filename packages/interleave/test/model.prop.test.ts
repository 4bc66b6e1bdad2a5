/**
 * Goal: model views behave as real typed arrays do. Method: the same random script of operations on real
 * shared memory and on the model's, inside setup; every result, exception name and final byte must agree.
 */
import { check } from '@millrace/interleave';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

const numRuns = Math.min(Number(process.env['FC_RUNS'] ?? 400), 5000);
const bytes = 32;

const names = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;
type Name = (typeof names)[number];

const number = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, 2 ** 31, 2 ** 32, -(2 ** 31), 0.5, 255.5),
);
const operation = fc.record({
  name: fc.constantFrom(...names),
  method: fc.constantFrom(
    'get',
    'put',
    'set',
    'setView',
    'fill',
    'copyWithin',
    'subarray',
    'slice',
    'at',
    'indexOf',
    'join',
    'spread',
    'load',
    'store',
    'add',
    'sub',
    'and',
    'or',
    'xor',
    'exchange',
    'compareExchange',
    'notify',
    'isView',
    'from',
    'dataGet',
    'dataSet',
    'map',
    'copy',
    'construct',
    'tag',
  ),
  i: fc.integer({ min: -3, max: 9 }),
  j: fc.integer({ min: -3, max: 9 }),
  k: fc.nat({ max: 40 }),
  value: number,
});
type Op = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

interface AnyView {
  [index: number]: number | bigint;
  readonly length: number;
  readonly [Symbol.toStringTag]: string;
  set(source: unknown, offset?: number): void;
  fill(value: unknown, from?: number, to?: number): AnyView;
  copyWithin(target: number, from: number, to?: number): AnyView;
  subarray(from?: number, to?: number): AnyView;
  slice(from?: number, to?: number): AnyView;
  at(index: number): unknown;
  indexOf(value: unknown): number;
  join(): string;
  map(callback: (value: never) => unknown): AnyView;
  [Symbol.iterator](): Iterator<unknown>;
}

const text = (value: unknown): string => {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'object' && value !== null && 'length' in value) {
    return `[${Array.from(value as ArrayLike<unknown>, text).join()}]`;
  }
  return String(value);
};

/** One operation, on whatever the globals are. */
function perform(buffer: SharedArrayBuffer, { name, method, i, j, k, value }: Op): unknown {
  const type = (globalThis as unknown as Record<Name, new (...parameters: unknown[]) => AnyView>)[
    name
  ];
  const view = new type(buffer);
  const item = name.startsWith('Big') ? BigInt(Math.trunc(value) || 0) : value;
  const atomics = Atomics as unknown as Record<string, (...parameters: unknown[]) => unknown>;
  const data = new DataView(buffer) as unknown as Record<
    string,
    (...parameters: unknown[]) => unknown
  >;
  const kind = name === 'Uint8ClampedArray' ? 'Uint8' : name.slice(0, -'Array'.length);
  switch (method) {
    case 'get':
      return view[i];
    case 'put':
      view[Math.abs(i)] = item as number;
      return undefined;
    case 'set':
      return view.set([item, item], i);
    case 'setView':
      return view.set(new type(buffer).subarray(0, 2), Math.abs(j));
    case 'fill':
      return view.fill(item, i, j);
    case 'copyWithin':
      return view.copyWithin(i, j, k % 10);
    case 'subarray':
      return view.subarray(i, j);
    case 'slice':
      return view.slice(i, j);
    case 'at':
      return view.at(i);
    case 'indexOf':
      return view.indexOf(item);
    case 'join':
      return view.join();
    case 'spread':
      return [...(view as unknown as Iterable<unknown>)];
    case 'map':
      return view.map((element) => element);
    case 'copy':
      return new type(view);
    case 'from':
      return Array.from(view as unknown as ArrayLike<unknown>);
    case 'isView':
      return ArrayBuffer.isView(view) && view instanceof (type as never as () => void);
    case 'construct':
      return new type(buffer, k, Math.abs(i)).length;
    case 'tag':
      return `${view[Symbol.toStringTag]} ${Object.prototype.toString.call(view)}`;
    case 'dataGet':
      return data[`get${kind}`]!(k, j > 0);
    case 'dataSet':
      return data[`set${kind}`]!(k, item, j > 0);
    case 'compareExchange':
      return atomics['compareExchange']!(view, i, view[Math.abs(i)] ?? 0, item);
    case 'notify':
      return atomics['notify']!(view, i);
    case 'load':
      return atomics['load']!(view, i);
    default:
      return atomics[method]!(view, i, item);
  }
}

function script(ops: readonly Op[]): string[] {
  const buffer = new SharedArrayBuffer(bytes);
  const results = ops.map((op) => {
    try {
      return text(perform(buffer, op));
    } catch (error) {
      return (error as Error).name;
    }
  });
  return [...results, text(new Uint8Array(buffer))];
}

test('random scripts give the same results and the same bytes', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 12 }), (ops) => {
      const real = script(ops);
      let model: string[] = [];
      check({
        setup: () => {
          model = script(ops);
        },
        threads: [{ run: () => undefined }],
      });
      expect(model).toEqual(real);
    }),
    { numRuns },
  );
});
