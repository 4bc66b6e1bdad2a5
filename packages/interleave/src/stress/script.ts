/**
 * Stress tests as scripts of calls: the same script runs on real workers and in the search, and one that fails is
 * made as small as it can be by the search, where failing isn't a matter of luck.
 */
import { check } from '../check.ts';
import { ScenarioError } from '../errors.ts';
import type { AnySpec, CheckResult, Operation, Scenario, ScriptedThread } from '../scenario.ts';
import type { StressProgram } from '../stress.ts';

/** What a stress module exports under the name `script`. */
export interface StressScript {
  /** Words of shared memory of one instance, all 0 at the start (count). */
  readonly words: number;
  /** Makes a thread's handle from an instance's memory. */
  attach(memory: Int32Array): object;
  /** Calls of each thread, up to four. */
  readonly threads: readonly (readonly Operation[])[];
  /** Makes one call. @defaultValue `handle[name](...args)` */
  call?(handle: object, name: string, args: readonly unknown[]): unknown;
  /** What the calls must be linearizable to, for the search. */
  readonly spec?: AnySpec;
}

/** A result as a whole number: what workers count. */
function encoded(result: unknown): number {
  if (Number.isInteger(result)) return (result as number) | 0;
  if (typeof result === 'boolean') return result ? 1 : 0;
  if (result === undefined || result === null) return -1;
  throw new ScenarioError(
    `a call of a stress script must return an integer, a boolean or nothing: result=${String(result)}`,
  );
}

const invoke = ({ call }: StressScript, handle: object, [name, ...args]: Operation): unknown =>
  call === undefined
    ? (handle as Record<string, (...values: unknown[]) => unknown>)[name]!(...args)
    : call(handle, name, args);

/**
 * Makes a stress program of a script; a result counts as itself, a boolean as 1 or 0, nothing as -1.
 *
 * @param script - calls of each thread
 */
export function programOf(script: StressScript): StressProgram {
  return {
    words: script.words,
    threads: script.threads.map((calls) => (memory: Int32Array) => {
      const handle = script.attach(memory);
      return calls.map((operation) => encoded(invoke(script, handle, operation)));
    }),
  };
}

/**
 * Makes the scenario whose `outcomes` are what a stress run of the program may show.
 *
 * @param program - as a stress module exports it
 */
export function stressScenario(program: StressProgram): Scenario<Int32Array> {
  return {
    setup: () => new Int32Array(new SharedArrayBuffer(4 * program.words)),
    threads: program.threads.map((run) => ({ run })),
  };
}

/** A script that fails, made small. */
export interface Explanation {
  /** The violation, with its trace and token. */
  readonly result: CheckResult;
  /** Calls that are left: without any of them it doesn't fail. */
  readonly threads: readonly (readonly Operation[])[];
}

const judged = (
  script: StressScript,
  threads: readonly (readonly Operation[])[],
): CheckResult | null => {
  const scripted = threads.map(
    (ops): ScriptedThread<Int32Array> => ({
      attach: (memory) => script.attach(memory),
      ops,
      call: (handle, name, args) => invoke(script, handle, [name, ...args]),
    }),
  );
  const result = check({
    setup: () => new Int32Array(new SharedArrayBuffer(4 * script.words)),
    threads: scripted,
    ...(script.spec === undefined ? {} : { spec: script.spec }),
  });
  return result.verdict === 'violation' ? result : null;
};

/**
 * Looks for a failing script's bug in the search, and leaves out calls as long as it still fails.
 *
 * @param script - one that showed a forbidden outcome on real workers
 * @returns the smallest failing script found and its violation; null if the search finds nothing wrong, which
 *   points at the engine, the CPU, or a wrong table of allowed outcomes
 *
 * Cost: one search per call that is tried to be left out.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { register } from '@millrace/interleave';
 * import { explain } from '@millrace/interleave/stress';
 *
 * const found = explain({
 *   words: 1,
 *   attach: (memory) => ({
 *     load: () => Atomics.load(memory, 0),
 *     add(value: number) {
 *       const old = Atomics.load(memory, 0);
 *       Atomics.store(memory, 0, old + value);
 *       return old;
 *     },
 *   }),
 *   threads: [[['load'], ['add', 1], ['load']], [['add', 2], ['load']]],
 *   spec: register(),
 * });
 * assert.deepEqual(found?.threads, [[['add', 1]], [['add', 2]]]);
 * ```
 */
export function explain(script: StressScript): Explanation | null {
  let threads: readonly (readonly Operation[])[] = script.threads;
  let result = judged(script, threads);
  if (result === null) return null;
  for (let tried = true; tried; ) {
    tried = false;
    for (const smaller of reductions(threads)) {
      const next = judged(script, smaller);
      if (next === null) continue;
      [threads, result, tried] = [smaller, next, true];
      break;
    }
  }
  return { result, threads };
}

/** The script without a thread, or without a call. */
function* reductions(
  threads: readonly (readonly Operation[])[],
): Generator<readonly (readonly Operation[])[]> {
  for (let thread = 0; threads.length > 1 && thread < threads.length; thread++) {
    yield threads.filter((_, index) => index !== thread);
  }
  for (let thread = 0; thread < threads.length; thread++) {
    for (let call = 0; call < threads[thread]!.length; call++) {
      yield threads.map((calls, index) =>
        index === thread ? calls.filter((_, place) => place !== call) : calls,
      );
    }
  }
}
