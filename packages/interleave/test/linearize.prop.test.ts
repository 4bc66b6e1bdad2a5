/**
 * Goal: a recorded history is judged right. Method: random short histories of a register against every
 * permutation of the calls that respects real time.
 */
import { fifo, register } from '@millrace/interleave';
import { linearize, type RecordedCall } from '@millrace/interleave/linearize';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

const numRuns = Math.min(Number(process.env['FC_RUNS'] ?? 1000), 5000);

const apply = (value: number, { name, args }: RecordedCall): [number, number | undefined] => {
  if (name === 'store') return [args[0] as number, undefined];
  return name === 'add' ? [value + (args[0] as number), value] : [value, value];
};

/** Whether some order that respects real time explains all results; pending calls may be left out. */
function byPermutation(calls: readonly RecordedCall[], value = 0): boolean {
  if (calls.every(({ end }) => end === undefined)) return true;
  const firstEnd = Math.min(...calls.map(({ end }) => end ?? Number.POSITIVE_INFINITY));
  return calls.some((call, index) => {
    if (call.start > firstEnd) return false;
    const [next, result] = apply(value, call);
    if (call.end !== undefined && result !== call.result) return false;
    return byPermutation(calls.toSpliced(index, 1), next);
  });
}

const histories = fc
  .array(
    fc.record({
      thread: fc.nat({ max: 2 }),
      name: fc.constantFrom('load', 'store', 'add'),
      arg: fc.nat({ max: 2 }),
      result: fc.nat({ max: 3 }),
      gap: fc.nat({ max: 3 }),
      length: fc.nat({ max: 4 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((items) => {
    const clocks = [0, 0, 0];
    return items.map(({ thread, name, arg, result, gap, length }): RecordedCall => {
      const start = clocks[thread]! + gap + 1;
      clocks[thread] = start + length;
      const args = name === 'load' ? [] : [arg];
      return {
        thread,
        name,
        args,
        result: name === 'store' ? undefined : result,
        start,
        end: start + length,
      };
    });
  });

test('agrees with trying every order', () => {
  let legal = 0;
  fc.assert(
    fc.property(histories, (history) => {
      const expected = byPermutation(history);
      if (expected) legal++;
      expect(linearize(history, register()).linearizable).toBe(expected);
    }),
    { numRuns },
  );
  expect(legal).toBeGreaterThan(numRuns / 50);
});

test('a pending call may have taken effect or not', () => {
  const pending: RecordedCall = { thread: 0, name: 'store', args: [1], start: 0 };
  for (const result of [0, 1]) {
    const load = { thread: 1, name: 'load', args: [], result, start: 1, end: 2 };
    expect(linearize([pending, load], register()).linearizable).toBe(true);
  }
});

test('the report has the longest legal prefix and the culprit', () => {
  const calls: RecordedCall[] = [
    { thread: 0, name: 'push', args: [1], result: true, start: 0, end: 1 },
    { thread: 0, name: 'push', args: [2], result: true, start: 2, end: 3 },
    { thread: 1, name: 'pop', args: [], result: 2, start: 4, end: 5 },
    { thread: 1, name: 'pop', args: [], result: 1, start: 6, end: 7 },
  ];
  const result = linearize(calls, fifo({ capacity: 2 }));
  expect(result.linearizable).toBe(false);
  expect(result.culprit).toBe(calls[2]);
  expect(result.prefix).toEqual(calls.slice(0, 3));
  expect(result.message).toContain('pop() of thread 1 returned 2');
});

test('parts are judged on their own', () => {
  const calls: RecordedCall[] = [1, 2].map((value, thread) => ({
    thread,
    name: 'push',
    args: [value],
    result: true,
    start: 0,
    end: 1,
  }));
  const pop = { thread: 2, name: 'pop', args: [2], result: 2, start: 2, end: 3 };
  const split = linearize([...calls, pop], fifo({ capacity: 1 }), {
    partition: ({ args }) => args[0] as number,
  });
  expect(split).toMatchObject({ linearizable: true, message: 'linearizable: 3 calls in 2 parts' });
  expect(linearize([...calls, pop], fifo({ capacity: 1 })).linearizable).toBe(false);
});
