/**
 * Linearizability of recorded histories: did real threads, once, behave as the specification says?
 *
 * The same set of explanations as in the search (monitor.ts), fed with the calls and returns of one history in
 * the order of their times. Long runs: split them into windows, or by key with `partition`; the set of explanations
 * grows with the number of calls that overlap.
 *
 * @packageDocumentation
 */
import { ScenarioError } from './errors.ts';
import { Monitor } from './monitor.ts';
import type { AnySpec, Operation } from './scenario.ts';
import { describeValue } from './values.ts';

/** One call as it was recorded. */
export interface RecordedCall {
  /** Which thread called: any number, the same for calls that can't overlap. */
  readonly thread: number;
  /** Name of the operation. */
  readonly name: string;
  /** Its arguments. */
  readonly args: readonly unknown[];
  /** What it returned; ignored while `end` is absent. */
  readonly result?: unknown;
  /** When it was called: any clock that all threads share, such as a counter under `Atomics.add`. */
  readonly start: number;
  /** When it returned, on the same clock; absent when it never did. */
  readonly end?: number;
}

/** Options of {@link linearize}. */
export interface LinearizeOptions {
  /**
   * Splits the history into parts that don't influence each other (the key of a map, the number of a queue);
   * much cheaper than the whole. @defaultValue everything is one part
   */
  partition?(call: RecordedCall): string | number;
}

/** What is known of a history. */
export interface LinearizeResult {
  /** Whether some order of the calls explains every result. */
  readonly linearizable: boolean;
  /** One line: the verdict, and the return that nothing explains. */
  readonly message: string;
  /** The longest legal prefix: calls that had begun before that return, by start; all calls if linearizable. */
  readonly prefix: readonly RecordedCall[];
  /** The call whose return can't be explained. */
  readonly culprit?: RecordedCall;
  /** States of the specification, as JSON, that explain the prefix. */
  readonly states: readonly string[];
}

interface Moment {
  readonly time: number;
  readonly isReturn: boolean;
  readonly thread: number;
  readonly op: number;
  readonly call: RecordedCall;
}

/** Moments in order; of equal times, calls come first, which makes them overlap. */
function timeline(history: readonly RecordedCall[]): { scripts: Operation[][]; moments: Moment[] } {
  const threads = new Map<number, number>();
  const scripts: Operation[][] = [];
  const moments: Moment[] = [];
  for (const call of [...history].sort((x, y) => x.start - y.start)) {
    if (!(call.end === undefined || call.end >= call.start)) {
      throw new ScenarioError(`a call ends before it starts: start=${call.start} end=${call.end}`);
    }
    const thread = threads.get(call.thread) ?? threads.size;
    threads.set(call.thread, thread);
    scripts[thread] ??= [];
    const op = scripts[thread].push([call.name, ...call.args]) - 1;
    const base = { thread, op, call };
    moments.push({ ...base, time: call.start, isReturn: false });
    if (call.end !== undefined) moments.push({ ...base, time: call.end, isReturn: true });
  }
  moments.sort((x, y) => x.time - y.time || Number(x.isReturn) - Number(y.isReturn));
  return { scripts, moments };
}

const describe = ({ name, args, result, thread }: RecordedCall): string =>
  `${name}(${args.map(describeValue).join(', ')}) of thread ${thread} returned ${describeValue(result)}`;

function judge(history: readonly RecordedCall[], spec: AnySpec): LinearizeResult {
  const { scripts, moments } = timeline(history);
  const monitor = new Monitor(spec, scripts);
  const prefix: RecordedCall[] = [];
  let set = monitor.start;
  for (const { isReturn, thread, op, call } of moments) {
    const event = isReturn
      ? monitor.returnEvent(thread, op, call.result)
      : monitor.callEvent(thread, op);
    const next = monitor.apply(set, event);
    if (next < 0) {
      const states = monitor.states(set);
      const message = `not linearizable: ${describe(call)}, which no order of the calls explains; before it, the specification was at ${states.join(' or ')}`;
      return { linearizable: false, message, prefix, culprit: call, states };
    }
    set = next;
    if (!isReturn) prefix.push(call);
  }
  const message = `linearizable: ${history.length} calls`;
  return { linearizable: true, message, prefix, states: monitor.states(set) };
}

/**
 * Judges a recorded history.
 *
 * @param history - the calls, in any order; calls of one thread must not overlap
 * @param spec - what one thread alone would see
 * @returns the verdict, with the longest legal prefix
 * @throws {ScenarioError} If a call ends before it starts.
 *
 * Cost: grows with the number of calls that overlap, and with the history's length.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { fifo } from '@millrace/interleave';
 * import { linearize } from '@millrace/interleave/linearize';
 *
 * const pushed = { thread: 0, name: 'push', args: [1], result: true, start: 0, end: 1 };
 * const empty = { thread: 1, name: 'pop', args: [], result: undefined, start: 2, end: 3 };
 * const verdict = linearize([pushed, empty], fifo({ capacity: 2 }));
 * assert.equal(verdict.linearizable, false); // the queue wasn't empty any more
 * assert.deepEqual(verdict.culprit, empty);
 * assert.equal(linearize([pushed, { ...empty, start: 0 }], fifo({ capacity: 2 })).linearizable, true);
 * ```
 */
export function linearize(
  history: readonly RecordedCall[],
  spec: AnySpec,
  options: LinearizeOptions = {},
): LinearizeResult {
  const { partition } = options;
  if (partition === undefined) return judge(history, spec);
  const parts = new Map<string | number, RecordedCall[]>();
  for (const call of history) {
    const key = partition(call);
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [call]);
    else part.push(call);
  }
  for (const part of parts.values()) {
    const result = judge(part, spec);
    if (!result.linearizable) return result;
  }
  return {
    linearizable: true,
    message: `linearizable: ${history.length} calls in ${parts.size} parts`,
    prefix: history,
    states: [],
  };
}
