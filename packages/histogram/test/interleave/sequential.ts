/**
 * What one thread alone can notice of a broken recorder or reader: every call on a recorder of a shared histogram
 * and on a private one, which must agree after each. For the mutation gate, so that its other scenarios can be
 * about what threads do to one another. Not model checked: one thread has one interleaving.
 */
import { type CheckResult, check } from '@millrace/interleave';
import type { GateScenario } from '@millrace/interleave/mutate';

type Module = Pick<typeof import('../../src/index.ts'), 'SharedHistogram' | 'Histogram'>;
type Histogram = InstanceType<Module['Histogram']>;
type Recorder = Pick<Histogram, 'record' | 'recordCount' | 'recordMany'>;
type Call = (to: Recorder) => void;
interface Layout {
  readonly digits: 0 | 1 | 3;
  readonly highest: number;
}

/** What the gate takes for "not noticed"; a difference is thrown before. */
const fine = (): CheckResult =>
  check({ name: 'one thread', setup: () => new Int32Array(1), threads: [{ run: () => true }] });

const values =
  (...list: readonly number[]): Call =>
  (to) => {
    for (const value of list) to.record(value);
  };
const counts =
  (value: number, ...list: readonly number[]): Call =>
  (to) => {
    for (const count of list) to.recordCount(value, count);
  };
const edges: readonly Call[] = [
  values(0),
  values(0, 5),
  values(6, 8),
  values(1, 2, 3, 4, 7, 9, 10, 12),
  counts(3, 0, 1, 2),
  counts(-1, 0),
  counts(3, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 33),
  counts(4, 2 ** 32),
  values(4, 3),
  values(Number.NaN, Number.POSITIVE_INFINITY),
  values(-1),
  (to) => to.recordMany([1, 2, 3, 4], 1, 3),
];
const plans: readonly [name: string, layout: Layout, calls: readonly Call[]][] = [
  [
    'plain layout',
    { digits: 3, highest: 4000 },
    [
      ...edges,
      values(1500),
      values(5, 3000),
      values(5),
      values(1500),
      values(4095),
      values(4096),
      counts(4096, 1),
      counts(5000, 2 ** 31),
    ],
  ],
  [
    'coarse layout',
    { digits: 1, highest: 2 ** 32 },
    [
      ...edges,
      values(2 ** 31 - 1),
      values(2 ** 31),
      values(2 ** 31 + 2 ** 28),
      counts(2 ** 31, 1),
      values(2 ** 33 - 1),
      values(2 ** 33),
      counts(2 ** 33 - 1, 1),
      counts(2 ** 33, 1),
    ],
  ],
  [
    'plain layout around 2^31',
    { digits: 3, highest: 2 ** 32 },
    [values(2 ** 31 - 1), values(2 ** 31)],
  ],
];

/** Throws if a histogram differs from the one that it should be; min and max to the bucket if not `exact`. */
function same(is: Histogram, should: Histogram, exact: boolean, what: string): void {
  const bound = (value: number): number =>
    exact ? value : is.layout.indexOf(Math.min(value, is.highestTrackable));
  const words = (one: Histogram) =>
    [one.countBigInt, one.clamped, one.dropped, bound(one.min), bound(one.max)].join();
  if (words(is) !== words(should)) throw new Error(`${what}: ${words(is)}, not ${words(should)}`);
  if (!is.equals(should)) throw new Error(`${what}: other buckets`);
}

/** Returns the checks of a build of the package. */
export function sequentialChecks({ SharedHistogram, Histogram }: Module): readonly GateScenario[] {
  const plan = (
    layout: Layout,
    calls: readonly Call[],
    outOfRange: 'clamp' | 'drop' | 'throw',
    exclusive: boolean,
  ): void => {
    const options = { ...layout, outOfRange };
    const histogram = SharedHistogram.create({ ...options, shards: 1 });
    const first = histogram.claim(1);
    const recorder = exclusive ? first : histogram.claim(2);
    const whole = new Histogram(options);
    const [often, once] = [histogram.intervals(), histogram.intervals()];
    for (const [i, call] of calls.entries()) {
      const one = new Histogram(options);
      const codes = [recorder, whole, one].map((target) => {
        try {
          return String(call(target));
        } catch (error) {
          return (error as { code: string }).code;
        }
      });
      if (codes[0] !== codes[1]) throw new Error(`call ${i}: ${codes}`);
      same(often.next(), one, false, `interval of call ${i}`);
      same(histogram.total(), whole, exclusive, `total after call ${i}`);
    }
    same(once.next(), whole, exclusive, 'one interval');
    same(once.next(), new Histogram(options), true, 'an empty interval');
    // Released once, released for good.
    recorder.release();
    if (exclusive !== histogram.claim(3).exclusive) throw new Error('not free');
    recorder.release();
    if (histogram.claim(4).exclusive) throw new Error('freed twice');
    try {
      recorder.record(1);
    } catch {
      return;
    }
    throw new Error('recorded after release');
  };

  return [
    ...plans.map(([name, layout, calls]) => ({
      name: `one thread, ${name}`,
      run: (): CheckResult => {
        for (const outOfRange of ['clamp', 'drop', 'throw'] as const) {
          for (const exclusive of [true, false]) plan(layout, calls, outOfRange, exclusive);
        }
        return fine();
      },
    })),
    {
      name: 'one thread, two shards, another count in each bucket',
      run: (): CheckResult => {
        const options = { digits: 3, highest: 4000 } as const;
        const histogram = SharedHistogram.create({ ...options, shards: 2 });
        const model = new Histogram(options);
        for (const [i, factor] of [7, 1000].entries()) {
          const recorder = histogram.claim(i + 1);
          for (let value = i; value < 15; value++) {
            recorder.recordCount(value, factor * (value + 1) ** 2);
            model.recordCount(value, factor * (value + 1) ** 2);
          }
        }
        same(histogram.total(), model, true, 'total');
        same(histogram.intervals({ from: 'start' }).next(), model, true, 'interval');
        return fine();
      },
    },
    {
      name: 'one thread, four shards whose counts add up to 2^32',
      run: (): CheckResult => {
        const histogram = SharedHistogram.create({ digits: 0, highest: 2, shards: 4 });
        for (let owner = 1; owner <= 4; owner++) histogram.claim(owner).recordCount(1, 2 ** 30);
        const total = histogram.total().countAt(1);
        if (total !== 2 ** 32) throw new Error(`total is ${total}`);
        return fine();
      },
    },
  ];
}
