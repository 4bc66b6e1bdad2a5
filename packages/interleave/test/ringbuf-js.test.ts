/**
 * Goal: code that isn't ours is checked as it is. Method: the published ringbuf.js, unmodified, with one
 * producer (no alarm) and with two, which it doesn't claim to support (a race, at once).
 */
import { assertVerified, check, fifo, type Operation, type Scenario } from '@millrace/interleave';
import { RingBuffer } from 'ringbuf.js';
import { expect, test } from 'vitest';

interface Memory {
  readonly storage: SharedArrayBuffer;
}

const capacity = 2;
const call = (ring: InstanceType<typeof RingBuffer>, name: string, args: readonly unknown[]) => {
  if (name === 'push') return ring.push(new Int32Array([args[0] as number]), 1) === 1;
  const out = new Int32Array(1);
  return ring.pop(out, 1) === 1 ? out[0] : undefined;
};

const scenario = (...scripts: Operation[][]): Scenario<Memory> => ({
  name: 'ringbuf.js',
  setup: () => ({ storage: RingBuffer.getStorageForCapacity(capacity, Int32Array) }),
  threads: scripts.map((ops) => ({
    attach: ({ storage }: Memory) => new RingBuffer(storage, Int32Array as never),
    call,
    ops,
  })),
  spec: fifo({ capacity }),
  cover: {
    full: ({ name, result }) => name === 'push' && result === false,
    empty: ({ name, result }) => name === 'pop' && result === undefined,
    wrapped: ({ args, result }) => args[0] === 4 && result === true,
  },
});

const push = (...values: number[]): Operation[] => values.map((value) => ['push', value]);
const pop = (count: number): Operation[] => Array.from({ length: count }, () => ['pop']);

test('one producer, one consumer: every interleaving is right', () => {
  const result = check(scenario(push(1, 2, 3, 4, 5), pop(6)));
  assertVerified(result);
  expect(result.states).toBeGreaterThan(100);
});

test('two producers: caught', () => {
  const result = check(scenario(push(1, 2), push(3, 4), pop(4)));
  expect(result.verdict).toBe('violation');
  expect(result.kind).toBe('race');
});
