/** Goal: the fast-check and vitest subpaths do what they say. Method: a correct and a broken queue each. */
import { check, fifo, NotVerifiedError } from '@millrace/interleave';
import {
  neverViolates,
  neverViolatesAsync,
  operation,
  scripts,
} from '@millrace/interleave/fast-check';
import { interleaveMatchers } from '@millrace/interleave/vitest';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { mpmc } from './support/subjects/mpmc.ts';
import { spsc } from './support/subjects/spsc.ts';

expect.extend(interleaveMatchers);

const shape = { capacity: 2, startIndex: 0, pushes: 3, pops: 3 };

const queueProperty = (bug: string) =>
  neverViolates(
    scripts({
      producers: {
        operations: [operation('push', fc.nat({ max: 9 }))],
        threadsMin: 1,
        threadsMax: 2,
      },
      consumers: { operations: [operation('pop')], threadsMin: 1, threadsMax: 1, callsMax: 3 },
    }),
    ({ producers, consumers }) => mpmc(2, [...producers, ...consumers], bug),
  );

test('generated scenarios of a correct queue have no violation', () => {
  fc.assert(queueProperty('none'), { numRuns: 20 });
});

test('a broken queue is found and shrunk to a small scenario', () => {
  const found = fc.check(queueProperty('stale sequence'), { numRuns: 200, seed: 1 });
  expect(found.failed).toBe(true);
  const [{ producers, consumers }] = found.counterexample!;
  expect([...producers, ...consumers].flat().length).toBeLessThanOrEqual(4);
});

test('async properties', async () => {
  await fc.assert(
    neverViolatesAsync(fc.constantFrom(1, 2), (pushes) => spsc({ ...shape, pushes })),
    { numRuns: 2 },
  );
});

test('the matchers tell violations, proofs and neither apart', () => {
  const verified = check(spsc(shape));
  const broken = check(spsc(shape, 'publish before write'));
  const open = check({ ...spsc(shape), bounds: { states: 5 } });
  expect(verified).toBeVerified();
  expect(broken).not.toBeVerified();
  expect(broken).toViolate();
  expect(broken).toViolate('race');
  expect(verified).not.toViolate();
  expect(() => expect(open).toBeVerified()).toThrow(/inconclusive/);
  expect(() => expect(open).not.toBeVerified()).toThrow(/inconclusive/);
  expect(() => expect(broken).toBeVerified()).toThrow(/races with/);
  expect(() => expect(1).toBeVerified()).toThrow(/expected the result of check/);
});

test('a violation of a property carries the report', () => {
  const property = neverViolates(fc.constant(0), () => spsc(shape, 'publish before write'));
  const { errorInstance } = fc.check(property, { numRuns: 1 });
  expect(errorInstance).toBeInstanceOf(NotVerifiedError);
  expect(fifo({ capacity: 1 }).initial).toEqual([]);
});
