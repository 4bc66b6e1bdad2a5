/** Random straight-line programs with conditional skips, for comparing the checker with brute force. */
import * as fc from 'fast-check';

export type Size = 1 | 2 | 4;

/** One instruction; `at` is a byte offset, a multiple of `size`. */
export interface Instruction {
  readonly kind:
    | 'load'
    | 'store'
    | 'add'
    | 'exchange'
    | 'cas'
    | 'read'
    | 'write'
    | 'wait'
    | 'notify'
    | 'skip';
  readonly at: number;
  readonly size: Size;
  readonly a: number;
  readonly b: number;
}

export type Program = readonly (readonly Instruction[])[];

export const memoryBytes = 12;

const kinds: fc.Arbitrary<Instruction['kind']> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('load' as const) },
  { weight: 5, arbitrary: fc.constant('store' as const) },
  { weight: 2, arbitrary: fc.constant('add' as const) },
  { weight: 1, arbitrary: fc.constant('exchange' as const) },
  { weight: 2, arbitrary: fc.constant('cas' as const) },
  { weight: 4, arbitrary: fc.constant('read' as const) },
  { weight: 4, arbitrary: fc.constant('write' as const) },
  { weight: 1, arbitrary: fc.constant('wait' as const) },
  { weight: 1, arbitrary: fc.constant('notify' as const) },
  { weight: 4, arbitrary: fc.constant('skip' as const) },
);

const sizes = (mixed: boolean): fc.Arbitrary<Size> =>
  mixed ? fc.constantFrom<Size>(4, 4, 4, 2, 1) : fc.constant<Size>(4);

const instruction = (mixed: boolean): fc.Arbitrary<Instruction> =>
  fc
    .record({
      kind: kinds,
      size: sizes(mixed),
      place: fc.nat({ max: memoryBytes - 1 }),
      a: fc.nat({ max: 2 }),
      b: fc.nat({ max: 2 }),
    })
    .map(({ kind, size, place, a, b }) => {
      const bytes = kind === 'wait' || kind === 'notify' ? 4 : size;
      return { kind, at: place - (place % bytes), size: bytes, a, b };
    });

/** @param mixed - whether accesses of several sizes overlap */
export const program = (mixed: boolean): fc.Arbitrary<Program> =>
  fc.oneof(
    fc.array(fc.array(instruction(mixed), { minLength: 1, maxLength: 5 }), {
      minLength: 2,
      maxLength: 2,
    }),
    fc.array(fc.array(instruction(mixed), { minLength: 1, maxLength: 3 }), {
      minLength: 3,
      maxLength: 3,
    }),
  );

/** The program as real code for the checker: one body per thread, returning what its reads gave. */
export const runProgram = (code: readonly Instruction[], buffer: SharedArrayBuffer): number[] => {
  const views = {
    1: new Uint8Array(buffer),
    2: new Uint16Array(buffer),
    4: new Int32Array(buffer),
  };
  const results: number[] = [];
  for (let index = 0; index < code.length; index++) {
    const { kind, at, size, a, b } = code[index]!;
    const view = views[size];
    const place = at / size;
    if (kind === 'load') results.push(Atomics.load(view, place));
    else if (kind === 'store') Atomics.store(view, place, a);
    else if (kind === 'add') results.push(Atomics.add(view, place, a));
    else if (kind === 'exchange') results.push(Atomics.exchange(view, place, a));
    else if (kind === 'cas') results.push(Atomics.compareExchange(view, place, a, b));
    else if (kind === 'read') results.push(view[place]!);
    else if (kind === 'write') view[place] = a;
    else if (kind === 'wait') results.push(Atomics.wait(views[4], place, a) === 'ok' ? 1 : 0);
    else if (kind === 'notify')
      results.push(Atomics.notify(views[4], place, b === 0 ? undefined : b));
    else if (results.at(-1) === a) index++; // skip the next instruction
  }
  return results;
};
