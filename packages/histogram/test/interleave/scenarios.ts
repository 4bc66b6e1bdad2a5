/**
 * The scenarios that prove the shared histogram: recorders and readers of the production code, every
 * interleaving. Shards are read while they are written, on purpose: those ranges are declared racy, and a
 * read may return any value that ECMA-262 allows.
 *
 * A scenario's name begins with the guarantee that it proves, as the documentation names them: G1 to G4 of
 * shared-histogram.ts, R1 and R4 of shared-recorder.ts, S1 of shared-layout.ts. They use the module that they
 * are given, so that the mutation gate can give them broken ones.
 */

import {
  type CheckResult,
  check,
  type RacyRange,
  type Scenario,
  type Thread,
} from '@millrace/interleave';

type Module = Pick<typeof import('../../src/index.ts'), 'SharedHistogram'>;

/** A scenario that a test, the mutation gate or the table of scenarios runs. */
export interface Proof {
  readonly name: string;
  readonly run: () => CheckResult;
}

/** The histogram's memory, and a word that threads tell one another something by. */
interface Shared {
  readonly buffer: SharedArrayBuffer;
  readonly flag: Int32Array;
}

/** Offsets of shared-layout.ts. */
const HEADER_BYTES = 128;
const [CELLS_WORD, STRIDE_WORD] = [4, 5];
const [OWNER_BYTE, RANGE_BYTE, COUNTS_BYTE] = [0, 8, 128];

/** Views of one shard's words. */
const shardOf = (buffer: SharedArrayBuffer, shard: number) => {
  const header = new Int32Array(buffer, 0, HEADER_BYTES / 4);
  const cells = header[CELLS_WORD!]!;
  const start = HEADER_BYTES + shard * header[STRIDE_WORD!]!;
  return {
    owner: new Int32Array(buffer, start + OWNER_BYTE!, 1),
    used: new Int32Array(buffer, start + 4, 1),
    crossed: new Int32Array(buffer, start + 8, 1),
    range: new Float64Array(buffer, start + 16, 2),
    counts: new Uint32Array(buffer, start + COUNTS_BYTE!, cells),
    carries: new Uint32Array(buffer, start + COUNTS_BYTE! + 4 * cells, cells),
  };
};

/** What one writer stores plainly and readers load plainly: flag and range, counts, carries. */
const racy = ({ buffer }: Shared): RacyRange[] => {
  const header = new Int32Array(buffer, 0, HEADER_BYTES / 4);
  const shards = header[3]!;
  return Array.from({ length: shards }, (_, shard) => {
    const start = HEADER_BYTES + shard * header[STRIDE_WORD!]!;
    return [
      { view: new Int32Array(buffer, start + RANGE_BYTE!, 6), name: `range ${shard}` },
      {
        view: new Int32Array(buffer, start + COUNTS_BYTE!, 2 * header[CELLS_WORD!]!),
        name: `counts ${shard}`,
      },
    ];
  }).flat();
};

interface Counting {
  countAt(value: number): number;
  readonly count: number;
}
/** Counts of the three buckets: 0, 1, and 2 to 3. */
const countsOf = (histogram: Counting): number[] =>
  [0, 1, 2].map((value) => histogram.countAt(value));
const sumOf = (lists: readonly (readonly number[])[]): number[] =>
  [0, 1, 2].map((value) => lists.reduce((sum, list) => sum + list[value]!, 0));

/** Returns the proofs of a build of the package. */
export function proofsOf({ SharedHistogram }: Module): readonly Proof[] {
  const attach = ({ buffer }: Shared) => SharedHistogram.attach(buffer);

  /** Has a shard in use already, with `count` in bucket 1. */
  const preset = ({ buffer }: Shared, shard: number, count: number): void => {
    const { counts, carries, crossed, range, used } = shardOf(buffer, shard);
    counts[1] = count;
    carries[1] = Math.floor(count / 2 ** 31);
    crossed[0] = count >= 2 ** 31 ? 1 : 0;
    range.fill(1);
    Atomics.store(used, 0, 1);
  };
  /** Three buckets: as small as a histogram can be. `count` is what bucket 1 of a shard has counted before. */
  const create = (shards: number, count = 0, shard = 0): Shared => {
    const { buffer } = SharedHistogram.create({ digits: 0, highest: 2, lowest: 1, shards });
    const shared = { buffer, flag: new Int32Array(new SharedArrayBuffer(4)) };
    if (count > 0) preset(shared, shard, count);
    return shared;
  };

  const writer = (
    values: readonly number[],
    { crash = false, owner = 1, keep = false, tell = false } = {},
  ): Thread<Shared> => ({
    crash,
    run(shared) {
      const recorder = attach(shared).claim(owner);
      for (const value of values) recorder.record(value);
      if (tell) Atomics.store(shared.flag, 0, 1);
      if (!keep) recorder.release();
      return recorder.exclusive;
    },
  });

  const reader = (looks: number): Thread<Shared> => ({
    run(shared) {
      const intervals = attach(shared).intervals({ from: 'start' });
      return Array.from({ length: looks }, () => countsOf(intervals.next()));
    },
  });

  /** What a thread returned, or undefined if it died. */
  const resultOf = (results: readonly unknown[], thread: number): unknown =>
    (results[thread] as unknown[] | undefined)?.[0];

  /** Says what is wrong with intervals against a total: one negative, or a record in two of them. */
  const wrong = (intervals: readonly number[][], total: readonly number[]): string | undefined => {
    if (intervals.flat().some((count) => count < 0)) return `negative: ${intervals.join(' | ')}`;
    const sum = sumOf(intervals);
    if (sum.some((count, i) => count > total[i]!)) return `twice: ${intervals.join(' | ')}`;
    return undefined;
  };

  const proof = (name: string, scenario: Omit<Scenario<Shared>, 'name' | 'bounds'>): Proof => ({
    name: `histogram ${name}`,
    run: () =>
      check({
        name: `histogram ${name}`,
        bounds: { opSteps: 4000, states: 20_000_000 },
        ...scenario,
      } as Scenario<Shared>),
  });

  /** A writer beside a reader: no interval is negative, and together they hold no record twice. */
  const intervalsProof = (name: string, values: readonly number[], looks: number): Proof =>
    proof(name, {
      setup: () => create(1),
      threads: [writer(values), reader(looks)],
      racy,
      final(shared, results) {
        const total = countsOf(attach(shared).total());
        const recorded = [0, 1, 2].map((value) => values.filter((one) => one === value).length);
        if (total.join() !== recorded.join()) return `total is ${total} of ${recorded}`;
        return wrong(resultOf(results, 1) as number[][], total) ?? true;
      },
    });

  return [
    proof('R1: three carries by two writers on the common shard', {
      setup: () => {
        const shared = create(1, 2 ** 31 - 1, 1);
        attach(shared).claim(9);
        return shared;
      },
      threads: [1, 2 ** 32].map((count, i) => ({
        run(shared: Shared) {
          attach(shared)
            .claim(i + 1)
            .recordCount(1, count);
        },
      })),
      final(shared) {
        const total = attach(shared).total().countAt(1);
        return total === 3 * 2 ** 31 || `total is ${total}`;
      },
    }),
    proof('G1: what a message told of is in the total', {
      setup: () => create(1),
      threads: [
        writer([1, 0], { tell: true }),
        {
          run(shared) {
            const told = Atomics.load(shared.flag, 0) === 1;
            return [told, countsOf(attach(shared).total())];
          },
        },
      ],
      racy,
      final(_, results) {
        const [told, total] = resultOf(results, 1) as [boolean, number[]];
        return !told || total.join() === '1,1,0' || `told, but the total is ${total}`;
      },
    }),
    proof('G1: what a released shard held is in the total of the next owner', {
      setup: () => create(1),
      threads: [
        writer([1]),
        {
          run(shared) {
            const histogram = attach(shared);
            const recorder = histogram.claim(2);
            if (!recorder.exclusive) return 'taken';
            recorder.record(2);
            return countsOf(histogram.total());
          },
        },
      ],
      racy,
      final(shared, results) {
        const seen = resultOf(results, 1) as string | number[];
        const first = resultOf(results, 0) as boolean;
        const total = countsOf(attach(shared).total());
        if (seen === 'taken') return total.join() === '0,1,0' || `total is ${total}`;
        if (total.join() !== '0,1,1') return `total is ${total}`;
        // Whoever was refused the shard recorded elsewhere, and may be seen or not.
        return seen[2] === 1 && (!first || seen[1] === 1 || seen[1] === 0);
      },
    }),
    intervalsProof('G2: a writer of two and a reader of one interval', [1, 1], 1),
    intervalsProof('G2: a writer of one and a reader of two intervals', [1], 2),
    intervalsProof('G2: a writer of 0 2 and a reader of one interval', [0, 2], 1),
    intervalsProof('G2: a writer of two and a reader of two intervals', [1, 1], 2),
    proof('G2: after the last record, intervals hold each record once', {
      setup: () => create(1),
      threads: [
        writer([1], { tell: true }),
        {
          run(shared) {
            const intervals = attach(shared).intervals({ from: 'start' });
            const first = countsOf(intervals.next());
            const told = Atomics.load(shared.flag, 0) === 1;
            return [told, [first, countsOf(intervals.next()), countsOf(intervals.next())]];
          },
        },
      ],
      racy,
      final(shared, results) {
        const [told, seen] = resultOf(results, 1) as [boolean, number[][]];
        const total = countsOf(attach(shared).total());
        const sum = sumOf(seen);
        return (
          wrong(seen, total) ??
          (!told || sum.join() === '0,1,0' || `told, but seen ${seen.join(' | ')}`)
        );
      },
    }),
    proof('G2: two readers of one interval each, one writer', {
      setup: () => create(1),
      threads: [writer([1]), reader(1), reader(1)],
      racy,
      final(shared, results) {
        const total = countsOf(attach(shared).total());
        const seen = [1, 2].map((thread) => resultOf(results, thread) as number[][]);
        return wrong(seen[0]!, total) ?? wrong(seen[1]!, total) ?? true;
      },
    }),
    proof('G4, R4: what a writer that dies anywhere has counted is in the total', {
      setup: () => create(1),
      threads: [writer([0, 2, 1], { crash: true })],
      cover: ['crashed'],
      invariant(shared) {
        const total = countsOf(attach(shared).total());
        const { counts } = shardOf(shared.buffer, 0);
        return total.every((count, i) => count === counts[i]) || `hidden: ${total}`;
      },
      final(shared) {
        const histogram = attach(shared);
        const total = countsOf(histogram.total());
        const freed = histogram.releaseOwner(1);
        const next = histogram.claim(2);
        next.record(2);
        if (!next.exclusive) return `${freed} freed, but the shard is taken`;
        return histogram.total().countAt(2) === total[2]! + 1;
      },
    }),
    proof('G4: a writer that dies beside a reader of two intervals', {
      setup: () => create(1),
      threads: [writer([1], { crash: true }), reader(2)],
      racy,
      cover: ['crashed'],
      final(shared, results) {
        return wrong(resultOf(results, 1) as number[][], countsOf(attach(shared).total())) ?? true;
      },
    }),
    proof('G4: a writer releases the shard while another frees it', {
      setup: () => create(1),
      threads: [
        writer([1]),
        { run: (shared) => attach(shared).releaseOwner(2) },
        writer([0], { owner: 3, keep: true }),
      ],
      final(shared, results) {
        const total = countsOf(attach(shared).total());
        if (total.join() !== '1,1,0') return `total is ${total}`;
        return resultOf(results, 1) === 0;
      },
    }),
    ...[1, 2].map((shards) =>
      proof(`R1: two writers, ${shards === 1 ? 'one shard' : 'two shards'}, no race`, {
        setup: () => create(shards),
        threads: [writer([1, 1], { owner: 1 }), writer([0, 1], { owner: 2 })],
        cover: ['cas-failed'],
        final(shared) {
          const total = countsOf(attach(shared).total());
          return total.join() === '1,3,0' || `total is ${total}`;
        },
      }),
    ),
    proof('R1: two writers that keep their shards', {
      setup: () => create(2),
      threads: [writer([1], { owner: 1, keep: true }), writer([1], { owner: 2, keep: true })],
      final(shared, results) {
        const owners = [0, 1].map((shard) => shardOf(shared.buffer, shard).owner[0]!);
        if ([...owners].sort().join() !== '1,2') return `owners are ${owners}`;
        if (!results.every((_, thread) => resultOf(results, thread) === true))
          return 'not exclusive';
        return countsOf(attach(shared).total()).join() === '0,2,0';
      },
    }),
    proof('R1: two writers on the common shard', {
      setup: () => {
        const shared = create(1, 2 ** 31 - 1, 1);
        attach(shared).claim(9);
        return shared;
      },
      threads: [writer([1]), writer([1], { owner: 2 })],
      racy,
      final(shared) {
        const total = countsOf(attach(shared).total());
        return total[1] === 2 ** 31 + 1 || `total is ${total}`;
      },
    }),
    ...[31, 32].map((bits) =>
      proof(`R1, S1: a writer on the common shard passes 2^${bits} beside a reader`, {
        setup: () => {
          const shared = create(1, 2 ** bits - 1, 1);
          attach(shared).claim(9);
          return shared;
        },
        threads: [writer([1, -1]), reader(2)],
        final(shared, results) {
          const total = countsOf(attach(shared).total());
          if (total[0] !== 1 || total[1] !== 2 ** bits) return `total is ${total}`;
          return wrong(resultOf(results, 1) as number[][], total) ?? true;
        },
      }),
    ),
    ...[31, 32].map((bits) =>
      proof(`S1: a count passes 2^${bits} beside a reader`, {
        setup: () => create(1, 2 ** bits - 1),
        threads: [writer([1]), reader(2)],
        racy,
        final(shared, results) {
          const total = countsOf(attach(shared).total());
          if (total[1] !== 2 ** bits) return `total is ${total}`;
          // Nothing halfway: the count before, or the count after; and then the difference, if any.
          const [seen, then] = resultOf(results, 1) as number[][];
          const [first, second] = [seen![1]!, then![1]!];
          if (first === 2 ** bits) return second === 0 || `then ${second}`;
          return (first === 2 ** bits - 1 && second <= 1) || `seen ${first}, then ${second}`;
        },
      }),
    ),
    ...[31, 32].map((bits) =>
      proof(`S1: a writer that dies while a count passes 2^${bits}, and the next owner`, {
        setup: () => create(1, 2 ** bits - 1),
        threads: [writer([1], { crash: true }), reader(1)],
        racy,
        cover: ['crashed'],
        final(shared, results) {
          const histogram = attach(shared);
          const { counts } = shardOf(shared.buffer, 0);
          const [seen] = resultOf(results, 1) as number[][];
          if (![2 ** bits - 1, 2 ** bits].includes(seen![1]!)) return `seen ${seen}`;
          const before = histogram.total().countAt(1);
          const after = counts[1] === (2 ** bits - 1) >>> 0 ? 2 ** bits - 1 : 2 ** bits;
          if (before !== after) return `${before} instead of ${after}`;
          histogram.releaseOwner(1);
          const next = histogram.claim(2);
          next.recordCount(1, 2 ** 31);
          next.record(1);
          const total = histogram.total().countAt(1);
          return total === before + 2 ** 31 + 1 || `${total} instead of ${before + 2 ** 31 + 1}`;
        },
      }),
    ),
  ];
}
