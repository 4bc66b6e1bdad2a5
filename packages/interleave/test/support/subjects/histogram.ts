/** Shared counters as histograms use them, and the ways in which they lose counts. */
import type { Scenario } from '@millrace/interleave';

export const histogramBugs = [
  'plain increment',
  'load then store',
  'max without loop',
  'max with one try',
  'reset by load and store',
  'lost carry',
] as const;

interface Counts {
  readonly counts: Int32Array;
  readonly max: Int32Array;
}

const record = ({ counts, max }: Counts, value: number, bug: string): void => {
  if (bug === 'plain increment') counts[0]!++;
  else if (bug === 'load then store') Atomics.store(counts, 0, Atomics.load(counts, 0) + 1);
  else if (bug === 'lost carry') {
    // Two digits of one: the carry is added in two steps.
    if (Atomics.load(counts, 0) === 1) {
      Atomics.store(counts, 0, 0);
      Atomics.add(counts, 1, 1);
    } else Atomics.add(counts, 0, 1);
  } else Atomics.add(counts, 0, 1);
  let seen = Atomics.load(max, 0);
  while (value > seen) {
    if (bug === 'max without loop') {
      Atomics.store(max, 0, value);
      return;
    }
    const found = Atomics.compareExchange(max, 0, seen, value);
    if (found === seen || bug === 'max with one try') return;
    seen = found;
  }
};

const take = ({ counts }: Counts, bug: string): number => {
  if (bug !== 'reset by load and store') return Atomics.exchange(counts, 0, 0);
  const taken = Atomics.load(counts, 0);
  Atomics.store(counts, 0, 0);
  return taken;
};

/** Recorders, and a reader that takes and resets: no count may get lost or come twice. */
export const histogram = (
  recorders: readonly (readonly number[])[],
  bug = 'none',
): Scenario<Counts> => ({
  name: `histogram ${recorders.map((values) => values.join(' ')).join(' | ')}, ${bug}`,
  setup: () => {
    const buffer = new SharedArrayBuffer(16);
    return { counts: new Int32Array(buffer, 0, 2), max: new Int32Array(buffer, 8, 1) };
  },
  threads: [
    ...recorders.map((values) => ({
      run(shared: Counts) {
        for (const value of values) record(shared, value, bug);
      },
    })),
    { run: (shared: Counts) => (bug === 'lost carry' ? 0 : take(shared, bug)) },
  ],
  final({ counts, max }, results) {
    const values = recorders.flat();
    const total = counts[0]! + 2 * counts[1]! + (results.at(-1)![0] as number);
    if (total !== values.length) return `total is ${total}, recorded ${values.length}`;
    if (max[0] !== Math.max(...values)) return `max is ${max[0]}`;
    return true;
  },
});
