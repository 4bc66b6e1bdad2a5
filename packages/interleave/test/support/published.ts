/**
 * Litmus programs that others have published, with the results that they allow: those of EMME (Mattarei, Barrett,
 * Guo, Nelson, Smith: "EMME: a formal tool for ECMAScript memory model evaluation", TACAS 2018; FMJS/EMME,
 * folder `examples`), whose sets were enumerated by an independent tool from a formal version of the model. The
 * programs are written anew; their names are those of the files.
 *
 *   fits = 'exact'   no data race: the search must come to exactly the published set
 *   fits = 'racy'    plain accesses of one size with one writer: declared racy, likewise exactly the published set
 *   otherwise        why the search doesn't enumerate it; it must report the race, and the published set must hold
 *                    every sequentially consistent result
 */
import { type OutcomesResult, outcomes, type Scenario } from '@millrace/interleave';
import type { Instruction, Size } from './programs.ts';

/** A program for real code: threads of functions over one or more buffers of 8 bytes. */
export interface Published {
  readonly name: string;
  readonly fits: 'exact' | 'racy';
  /** Buffers of 8 bytes that the threads get (count). @defaultValue 1 */
  readonly buffers?: number;
  readonly threads: readonly ((...buffers: SharedArrayBuffer[]) => readonly unknown[])[];
  /** What threads print, in order, joined by `;`. */
  readonly allowed: readonly string[];
}

/** The program for the search; `declared` says whether its races are. */
export const scenarioOf = (
  { threads, fits, buffers = 1 }: Published,
  declared: boolean,
): Scenario<SharedArrayBuffer[]> => ({
  setup: () => Array.from({ length: buffers }, () => new SharedArrayBuffer(8)),
  threads: threads.map((run) => ({ run: (shared: SharedArrayBuffer[]) => run(...shared) })),
  ...(declared && fits === 'racy' ? { racy: ([x]) => [{ view: x! }] } : {}),
});

/** What threads returned, without threads and brackets. */
const printed = (outcome: string): string =>
  outcome
    .split(' | ')
    .map((list) => list.slice(1, -1).replaceAll(', ', ';'))
    .filter((list) => list !== '')
    .join(';');

/** Runs a program. @returns the result, and what was printed in each outcome */
export function run(program: Published): { result: OutcomesResult; printed: string[] } {
  const result = outcomes(scenarioOf(program, true));
  return { result, printed: [...result.outcomes].map(printed).sort() };
}

const i8 = (buffer: SharedArrayBuffer) => new Int8Array(buffer);
const i16 = (buffer: SharedArrayBuffer) => new Int16Array(buffer);
const f32 = (buffer: SharedArrayBuffer) => new Float32Array(buffer);

type View = Int8Array | Int16Array | Float32Array;
type Make = (buffer: SharedArrayBuffer) => View;

/** Stores values by index, one after another; returns nothing. */
const writes =
  (make: Make, ...list: readonly (readonly [index: number, value: number])[]) =>
  (buffer: SharedArrayBuffer): unknown[] => {
    const view = make(buffer);
    for (const [index, value] of list) view[index] = value;
    return [];
  };
const stores =
  (make: typeof i8 | typeof i16, ...list: readonly (readonly [index: number, value: number])[]) =>
  (buffer: SharedArrayBuffer): unknown[] => {
    const view = make(buffer);
    for (const [index, value] of list) Atomics.store(view, index, value);
    return [];
  };
const reads = (make: Make) => (buffer: SharedArrayBuffer) => [make(buffer)[0]!];
const loads = (make: typeof i8 | typeof i16) => (buffer: SharedArrayBuffer) => [
  Atomics.load(make(buffer), 0),
];
const loadEach =
  (make: typeof i8 | typeof i16) =>
  (...buffers: SharedArrayBuffer[]) =>
    buffers.map((buffer) => Atomics.load(make(buffer), 0));

/** Reads twice, then a third time: at `equal` if both were equal, else at `other`. */
const compares =
  (read: (buffer: SharedArrayBuffer, index: number) => number, other: number) =>
  (buffer: SharedArrayBuffer) => {
    const [first, second] = [read(buffer, 0), read(buffer, 0)];
    return [first, second, read(buffer, first === second ? 0 : other)];
  };
/** Reads the first element, then that again if it is at least 1, else the second. */
const follows =
  (read: (buffer: SharedArrayBuffer, index: number) => number) => (buffer: SharedArrayBuffer) => {
    const first = read(buffer, 0);
    return [first, read(buffer, first >= 1 ? 0 : 1)];
  };
const plain8 = (buffer: SharedArrayBuffer, index: number) => i8(buffer)[index]!;
const atomic8 = (buffer: SharedArrayBuffer, index: number) => Atomics.load(i8(buffer), index);

const unique = (...values: number[]): string[] => [...new Set(values.map(String))];
const small = [0, 1, 2];
const triples = (values: readonly number[]): string[] =>
  values.flatMap((x) => values.flatMap((y) => values.map((z) => `${x};${y};${z}`)));

/** Families with parameters: every value of the published ranges. */
const families: readonly Published[] = [
  ...small.map(
    (value): Published => ({
      name: `param/sv_simple01, ${value}`,
      fits: 'racy',
      threads: [writes(i8, [0, value]), reads(i8)],
      allowed: unique(0, value),
    }),
  ),
  ...small.map(
    (value): Published => ({
      name: `param/sv_simple03, ${value}`,
      fits: 'exact',
      threads: [stores(i16, [0, value]), loads(i16)],
      allowed: unique(0, value),
    }),
  ),
  ...small.flatMap((first) =>
    small.map(
      (second): Published => ({
        name: `param/sv_simple04, ${first} and ${second}`,
        fits: 'exact',
        threads: [stores(i16, [0, first]), stores(i16, [0, second]), loads(i16)],
        allowed: unique(0, first, second),
      }),
    ),
  ),
  ...[1.1, 2.2, 0.5].map(
    (value): Published => ({
      name: `param/sv_simple06, ${value}`,
      fits: 'racy',
      threads: [writes(f32, [0, value]), reads(f32)],
      allowed: unique(0, Math.fround(value)),
    }),
  ),
];

export const published: readonly Published[] = [
  {
    name: 'sv_simple01',
    fits: 'racy',
    threads: [writes(i8, [0, 1]), reads(i8)],
    allowed: ['0', '1'],
  },
  {
    name: 'sv_simple02',
    fits: 'exact',
    threads: [stores(i8, [0, 1]), loads(i8)],
    allowed: ['0', '1'],
  },
  {
    name: 'sv_simple03',
    fits: 'exact',
    threads: [stores(i16, [0, 1]), loads(i16)],
    allowed: ['0', '1'],
  },
  {
    name: 'sv_simple04',
    fits: 'exact',
    threads: [stores(i16, [0, 1]), stores(i16, [0, 2]), loads(i16)],
    allowed: ['0', '1', '2'],
  },
  {
    name: 'sv_simple06',
    fits: 'racy',
    threads: [writes(f32, [0, 1.1]), reads(f32)],
    allowed: unique(0, Math.fround(1.1)),
  },
  {
    name: 'dv_simple01',
    fits: 'exact',
    buffers: 2,
    threads: [(x, y) => [...stores(i16, [0, 1])(x!), ...stores(i16, [0, 1])(y!)], loadEach(i16)],
    allowed: ['0;0', '0;1', '1;0', '1;1'],
  },
  {
    name: 'tv_simple01',
    fits: 'exact',
    buffers: 3,
    threads: [
      (...buffers) => buffers.flatMap((buffer) => stores(i8, [0, 1])(buffer)),
      loadEach(i8),
    ],
    allowed: triples([0, 1]),
  },
  {
    name: 'sv_i_simple02',
    fits: 'racy',
    threads: [writes(i8, [0, 1], [1, 1], [0, 2], [1, 2]), follows(plain8)],
    allowed: ['0;0', '0;1', '0;2', '1;0', '2;0', '1;1', '2;1', '1;2', '2;2'],
  },
  {
    name: 'sv_i_simple03',
    fits: 'racy',
    threads: [writes(i8, [0, 1], [0, 2]), compares(plain8, 0)],
    allowed: triples(small),
  },
  {
    name: 'sv_i_simple04',
    fits: 'exact',
    threads: [stores(i8, [0, 1], [1, 1], [0, 2], [1, 2]), follows(atomic8)],
    allowed: ['0;0', '0;1', '0;2', '1;1', '1;2', '2;2'],
  },
  {
    name: 'sv_i_simple05',
    fits: 'racy',
    threads: [writes(i8, [0, 1], [1, 2]), compares(plain8, 1)],
    allowed: ['1;0;0', '0;1;0', '1;0;2', '0;1;2', '0;0;0', '1;1;0', '0;0;1', '1;1;1'],
  },
  {
    name: 'sv_i_simple06',
    fits: 'exact',
    threads: [stores(i8, [0, 1], [1, 2]), compares(atomic8, 1)],
    allowed: ['0;1;0', '0;1;2', '0;0;0', '0;0;1', '1;1;1'],
  },
  ...families,
];

/** A program that isn't enumerated, as straight-line instructions for the oracle. */
export interface Rejected {
  readonly name: string;
  readonly reason: 'sizes' | 'writers';
  readonly threads: readonly (readonly Instruction[])[];
  /** The published set, if it is written down here. */
  readonly allowed?: readonly string[];
}

type Kind = Instruction['kind'];
const access =
  (kind: Kind) =>
  (size: Size, index: number, a = 0): Instruction => ({ kind, at: index * size, size, a, b: 0 });
const [write, read, store, load] = [
  access('write'),
  access('read'),
  access('store'),
  access('load'),
] as const;
const bytes = (kind: typeof write, ...list: readonly (readonly [number, number])[]) =>
  list.map(([index, value]) => kind(1, index, value));
const pairs = (first: readonly number[], second: readonly number[]): string[] =>
  first.flatMap((x) => second.map((y) => `${x};${y}`));

const [fifteen, seventeen] = [
  [
    '0;2',
    '0;0',
    '257;2',
    '257;0',
    '512;0',
    '512;2',
    '513;0',
    '131329;2',
    '513;2',
    '131584;2',
    '131585;2',
    '1;2',
    '1;0',
  ],
  [
    '0;2',
    '0;0',
    '257;2',
    '257;0',
    '513;0',
    '131072;2',
    '513;2',
    '131073;2',
    '131585;2',
    '1;2',
    '1;0',
    '131329;2',
  ],
];
/** Any mix of the bytes written. */
const mixes = [0, 1].flatMap((a) =>
  small.flatMap((b) =>
    small.flatMap((c) => [0, 2].map((d) => a + b * 256 + c * 65536 + d * 16777216)),
  ),
);
const upper = small.flatMap((low) => [0, 2].map((high) => low + high * 256));
const crossed = ['514;0', '0;257', '2;0', '0;0', '0;1'];

export const rejected: readonly Rejected[] = [
  {
    name: 'cpp_mem/data_race',
    reason: 'writers',
    threads: [[write(1, 0, 3)], [read(1, 0)], [write(1, 0, 2)]],
    allowed: ['0', '2', '3'],
  },
  {
    name: 'cpp_mem/sc_atomics, whose third thread writes plainly',
    reason: 'writers',
    threads: [[store(1, 0, 3)], [load(1, 0)], [write(1, 0, 2)]],
    allowed: ['0', '2', '3'],
  },
  {
    name: 'sv_simple05',
    reason: 'writers',
    threads: [[write(2, 0, 1)], [write(2, 0, 2)], [read(2, 0)]],
  },
  {
    name: 'sv_simple08 (there the reader takes the bytes for a float)',
    reason: 'sizes',
    threads: [[write(2, 0, 1)], [write(1, 0, 2)], [read(4, 0)]],
  },
  {
    name: 'sv_simple11',
    reason: 'sizes',
    threads: [bytes(write, [0, 1], [1, 1]), bytes(write, [1, 2], [2, 2]), [read(4, 0)]],
    allowed: ['1', '0', '131329', '513', '512', '131584', '131585', '257'],
  },
  {
    name: 'sv_simple13',
    reason: 'sizes',
    threads: [bytes(write, [0, 1], [1, 1]), bytes(write, [1, 2], [2, 2]), [read(4, 0), read(2, 1)]],
    allowed: fifteen!,
  },
  {
    name: 'sv_simple14',
    reason: 'sizes',
    threads: [bytes(write, [0, 1], [1, 1]), bytes(write, [1, 2], [2, 2]), [read(4, 0), read(2, 0)]],
    allowed: [
      ...['0;1', '0;0', '257;513', '1;1', '131585;257', '131585;513', '131329;513', '0;513'],
      ...['0;512', '257;257', '512;513', '512;512', '1;257', '513;513', '1;513', '131584;512'],
      ...['131584;257', '131329;257', '513;257', '131584;513', '0;257', '512;257'],
    ],
  },
  {
    name: 'sv_simple15',
    reason: 'sizes',
    threads: [bytes(store, [0, 1], [1, 1]), bytes(store, [1, 2], [2, 2]), [load(4, 0), load(2, 1)]],
    allowed: fifteen!,
  },
  {
    name: 'sv_simple16',
    reason: 'sizes',
    threads: [bytes(store, [0, 1], [1, 1], [1, 2], [2, 2]), [load(4, 0), load(2, 1)]],
    allowed: ['0;2', '0;0', '257;2', '513;0', '1;2', '1;0', '131585;2', '257;0', '513;2'],
  },
  {
    name: 'sv_simple17',
    reason: 'sizes',
    threads: [bytes(store, [0, 1], [1, 1], [1, 2]), bytes(store, [2, 2]), [load(4, 0), load(2, 1)]],
    allowed: seventeen!,
  },
  {
    name: 'sv_simple18',
    reason: 'sizes',
    threads: [bytes(write, [0, 1], [1, 2], [2, 3], [3, 4]), [read(2, 0), read(2, 1)]],
    allowed: pairs([0, 1, 512, 513], [0, 3, 1024, 1027]),
  },
  {
    name: 'sv_simple19',
    reason: 'sizes',
    threads: [
      bytes(store, [0, 1], [1, 1], [2, 1]),
      bytes(store, [1, 2], [2, 2], [3, 2]),
      [load(4, 0), load(2, 1)],
    ],
    allowed: pairs(mixes, upper),
  },
  {
    name: 'sv_simple20',
    reason: 'sizes',
    threads: [
      bytes(write, [0, 1], [1, 1], [2, 1]),
      bytes(write, [1, 2], [2, 2], [3, 2]),
      [read(4, 0), read(2, 1)],
    ],
    allowed: pairs(mixes, upper),
  },
  {
    name: 'sv_simple21',
    reason: 'sizes',
    threads: [
      [read(2, 0), ...bytes(write, [0, 1], [1, 1])],
      [read(2, 0), ...bytes(write, [0, 2], [1, 2])],
    ],
    allowed: crossed,
  },
  {
    name: 'sv_simple22',
    reason: 'sizes',
    threads: [
      [load(2, 0), ...bytes(store, [0, 1], [1, 1])],
      [load(2, 0), ...bytes(store, [0, 2], [1, 2])],
    ],
    allowed: crossed,
  },
  {
    name: 'sv_simple24 (there the second step subtracts 1)',
    reason: 'sizes',
    threads: [[store(1, 1, 2), access('add')(1, 1, 255)], [load(2, 0)]],
    allowed: ['2;256', '2;0', '2;512'],
  },
  {
    name: 'sv_f_simple02',
    reason: 'sizes',
    threads: [
      [write(1, 0, 1), ...bytes(store, [1, 1], [2, 2], [3, 3])],
      [load(2, 0), load(2, 1)],
    ],
    allowed: pairs([0, 1, 257], [0, 2, 770]),
  },
  {
    name: 'sv_f_simple03',
    reason: 'sizes',
    threads: [bytes(write, [0, 1], [1, 1], [2, 2], [3, 3]), [read(2, 0), read(2, 1)]],
    allowed: pairs([0, 1, 257], [0, 2, 770]),
  },
  {
    name: 'sv_i_simple01 (without its branch)',
    reason: 'sizes',
    threads: [[write(1, 0, 1)], [read(1, 0), write(1, 0, 2)], [read(2, 0)]],
  },
];

/** Published programs left out altogether, and why. */
export const omitted: Readonly<Record<string, string>> = {
  'sv_simple07, sv_simple09, sv_simple10, sv_simple12, sv_simple23, sv_f_simple01, sv_float_and_int':
    'floats that race with each other, or are read in another size: races as above, with nothing new but the printing',
  'param/ of the programs that are rejected here': 'races as above, with other values',
  'param/ite/sv_i_simple02 and sv_i_simple03':
    'the two programs above with other values and comparisons',
};
