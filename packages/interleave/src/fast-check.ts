/**
 * Scenarios as fast-check arbitraries: generation finds the script that a list of scenarios lacks, and shrinking,
 * deterministic here, makes it the smallest that still fails.
 *
 * @packageDocumentation
 */
import * as fc from 'fast-check';
import { check, checkAsync } from './check.ts';
import { NotVerifiedError } from './errors.ts';
import type { Bounds, CheckResult, Operation, Scenario } from './scenario.ts';

/** Threads of one kind, such as producers. */
export interface Role {
  /** Calls that a thread of this kind may make. */
  readonly operations: readonly fc.Arbitrary<Operation>[];
  /** Fewest threads (count). @defaultValue 1 */
  readonly threadsMin?: number;
  /** Most threads (count). @defaultValue 1 */
  readonly threadsMax?: number;
  /** Fewest calls of a thread (count). @defaultValue 1 */
  readonly callsMin?: number;
  /** Most calls of a thread (count). @defaultValue 3 */
  readonly callsMax?: number;
}

/**
 * Makes an arbitrary of one call.
 *
 * @param name - name of the operation
 * @param args - an arbitrary for each argument
 */
export function operation(
  name: string,
  ...args: readonly fc.Arbitrary<unknown>[]
): fc.Arbitrary<Operation> {
  return fc.tuple(...args).map((values): Operation => [name, ...values]);
}

/**
 * Makes an arbitrary of scripts: for each role its threads, for each thread its calls.
 *
 * @param roles - by name
 */
export function scripts<Name extends string>(
  roles: Readonly<Record<Name, Role>>,
): fc.Arbitrary<Record<Name, Operation[][]>> {
  const arbitraries = Object.entries<Role>(roles).map(([name, role]) => {
    const { operations, threadsMin = 1, threadsMax = Math.max(1, threadsMin) } = role;
    const { callsMin = 1, callsMax = Math.max(3, callsMin) } = role;
    const calls = fc.array(fc.oneof(...operations), { minLength: callsMin, maxLength: callsMax });
    return [name, fc.array(calls, { minLength: threadsMin, maxLength: threadsMax })] as const;
  });
  return fc.record(Object.fromEntries(arbitraries)) as unknown as fc.Arbitrary<
    Record<Name, Operation[][]>
  >;
}

/** Options of {@link neverViolates}. */
export interface NeverViolatesOptions {
  /** Limits of each search. @defaultValue two preemptions, 200,000 states */
  readonly bounds?: Bounds;
}

const boundsDefault: Bounds = { preemptions: 2, states: 200_000 };

function accept(result: CheckResult): void {
  if (result.verdict === 'violation') throw new NotVerifiedError(`\n${result}\n`);
  const { kind } = result;
  if (kind === 'nondeterminism' || kind === 'bounded-spin')
    throw new NotVerifiedError(`\n${result}\n`);
}

/**
 * Makes a property: no scenario that can be generated has a violation. A limit that was reached is accepted here:
 * generated scenarios look for bugs, listed ones prove their absence.
 *
 * @param arbitrary - values that scenarios are made from; shrinking works on them
 * @param build - makes the scenario
 * @returns a property for `fc.assert`
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { register } from '@millrace/interleave';
 * import { neverViolates, operation, scripts } from '@millrace/interleave/fast-check';
 * import * as fc from 'fast-check';
 *
 * const users = { operations: [operation('load'), operation('add', fc.nat({ max: 3 }))], threadsMin: 2, threadsMax: 3 };
 * const property = (add: (cells: Int32Array, value: number) => number) =>
 *   neverViolates(scripts({ users }), ({ users: threads }) => ({
 *     setup: () => new Int32Array(new SharedArrayBuffer(4)),
 *     threads: threads.map((ops) => ({
 *       attach: (cells: Int32Array) => ({ load: () => Atomics.load(cells, 0), add: (value: number) => add(cells, value) }),
 *       ops,
 *     })),
 *     spec: register(),
 *   }));
 * fc.assert(property((cells, value) => Atomics.add(cells, 0, value)), { numRuns: 30 });
 *
 * const lossy = fc.check(
 *   property((cells, value) => {
 *     const old = Atomics.load(cells, 0);
 *     Atomics.store(cells, 0, old + value);
 *     return old;
 *   }),
 * );
 * assert.equal(lossy.failed, true);
 * ```
 */
export function neverViolates<Value, Shared>(
  arbitrary: fc.Arbitrary<Value>,
  build: (value: Value) => Scenario<Shared>,
  options: NeverViolatesOptions = {},
): fc.IProperty<[Value]> {
  const { bounds = boundsDefault } = options;
  return fc.property(arbitrary, (value) => {
    const scenario = build(value);
    accept(check({ ...scenario, bounds: { ...bounds, ...scenario.bounds } }));
  });
}

/**
 * Makes the same property of scenarios with async threads.
 *
 * @param arbitrary - as for `neverViolates`
 * @param build - makes the scenario
 * @returns a property for `await fc.assert`
 */
export function neverViolatesAsync<Value, Shared>(
  arbitrary: fc.Arbitrary<Value>,
  build: (value: Value) => Scenario<Shared>,
  options: NeverViolatesOptions = {},
): fc.IAsyncProperty<[Value]> {
  const { bounds = boundsDefault } = options;
  return fc.asyncProperty(arbitrary, async (value) => {
    const scenario = build(value);
    accept(await checkAsync({ ...scenario, bounds: { ...bounds, ...scenario.bounds } }));
  });
}
