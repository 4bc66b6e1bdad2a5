// Goal: a count in two words reads right at every moment of its update (S1 of shared-layout.ts).
// Method: every interleaving of a reader's two loads with a writer's stores around 2^31 and 2^32, and a
// writer that was killed between its stores.
import { describe, expect, it } from 'vitest';
import { countOf, nextCarry } from '../src/shared-layout.ts';

/** The states of (low, carry) that memory goes through while a writer counts from `start` on. */
const history = (start: number, records: number): { low: number; carry: number }[] => {
  let low = start % 2 ** 32;
  let carry = Math.floor(start / 2 ** 31);
  const states = [{ low, carry }];
  for (let i = 0; i < records; i++) {
    low = (low + 1) % 2 ** 32;
    states.push({ low, carry });
    if (low % 2 ** 31 === 0) {
      carry = nextCarry(carry, low | 0);
      states.push({ low, carry });
    }
  }
  return states;
};

describe('a count in two words', () => {
  it.each([0, 2 ** 31 - 3, 2 ** 32 - 3, 3 * 2 ** 31 - 3, 2 ** 33 - 3, 2 ** 40 - 3])(
    'reads right from %d on, whatever the reader’s loads fall between',
    (start) => {
      const states = history(start, 6);
      for (const [i, first] of states.entries()) {
        for (const second of states.slice(i)) {
          // Low word first, carry later; then the other way round.
          expect(countOf(first.low, second.carry)).toBe(countOf(first.low, first.carry));
          expect(countOf(second.low, first.carry)).toBe(countOf(second.low, second.carry));
        }
      }
      expect(countOf(states.at(-1)!.low, states.at(-1)!.carry)).toBe(start + 6);
    },
  );

  it('goes on right after a writer died between its two stores', () => {
    const low = 2 ** 31;
    const carry = 0; // the carry was never stored
    expect(countOf(low, carry)).toBe(2 ** 31);
    const next = nextCarry(carry, 0); // 2^31 records later, with the low word back at 0
    expect(countOf(0, next)).toBe(2 ** 32);
    expect(countOf(2 ** 31, nextCarry(next, 2 ** 31))).toBe(3 * 2 ** 31);
  });
});
