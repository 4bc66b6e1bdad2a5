/**
 * Linearizability, decided while the search runs: the set of all explanations of what has been seen so far.
 *
 * Source: the just-in-time linearization of Lowe ("Testing for linearizability", 2017), with calls of several
 * steps as in two-phase specifications.
 *
 *   explanation = (specification state, per thread: no call | call in its p-th phase | done with result r)
 *
 * I1: the set is empty exactly when the history so far is not linearizable.
 * I2: calls take effect only when some call returns; until then they are merely pending, so the set is the
 *     same whichever order concurrent calls began in.
 * Every event on a set is computed once and remembered. Cost: one table look-up per call and per return.
 */
import { ScenarioError } from './errors.ts';
import { Native } from './native.ts';
import type { AnySpec, Operation, SpecStep } from './scenario.ts';
import { NameTable, RowTable, TripleTable } from './tables.ts';
import { describeValue } from './values.ts';

/** No call in progress. */
const idle = 0;
const phaseLimit = 64;

interface Event {
  readonly thread: number;
  readonly op: number;
  /** Interned result; -1 for the call itself. */
  readonly result: number;
}

export class Monitor {
  readonly #spec: AnySpec;
  readonly #scripts: readonly (readonly Operation[])[];
  readonly #states = new NameTable();
  readonly #results = new NameTable();
  /** Explanations: specification state, then a status per thread. */
  readonly #explanations = new RowTable();
  /** Explanations that are one step of a pending call away. */
  readonly #successors: (readonly number[] | undefined)[] = [];
  /** Sets: ids of explanations, ascending. */
  readonly #sets = new RowTable();
  readonly #events: Event[] = [];
  readonly #eventIds = new Map<string, number>();
  readonly #steps = new TripleTable();
  readonly #specSteps = new Map<string, readonly (readonly [state: number, status: number])[]>();
  /** Id of the set before any call. */
  readonly start: number;

  constructor(spec: AnySpec, scripts: readonly (readonly Operation[])[]) {
    this.#spec = spec;
    this.#scripts = scripts;
    const state = this.#states.intern(JSON.stringify(spec.initial));
    this.start = this.#intern([this.#explanation([state, ...scripts.map(() => idle)])]);
  }

  get count(): number {
    return this.#sets.count;
  }

  #event(thread: number, op: number, result: number): number {
    const key = `${thread},${op},${result}`;
    let id = this.#eventIds.get(key);
    if (id === undefined) {
      id = this.#events.push({ thread, op, result }) - 1;
      this.#eventIds.set(key, id);
    }
    return id;
  }

  /** Id of the event that a call begins. */
  callEvent(thread: number, op: number): number {
    return this.#event(thread, op, -1);
  }

  /** Id of the event that a call returns with a result. */
  returnEvent(thread: number, op: number, result: unknown): number {
    return this.#event(thread, op, this.#results.intern(describeValue(result)));
  }

  /** Id of the set after an event; -2 when nothing explains it. */
  apply(set: number, event: number): number {
    const known = this.#steps.get(set, event, 0);
    if (known !== -1) return known;
    const { thread, op, result } = this.#events[event]!;
    const next = result < 0 ? this.#call(set, thread, op) : this.#return(set, thread, result);
    return this.#steps.set(set, event, 0, next);
  }

  #explanation(cells: readonly number[]): number {
    return this.#explanations.intern(Native.Int32Array.from(cells), cells.length);
  }

  #cells(explanation: number): number[] {
    const from = this.#explanations.start(explanation);
    const to = from + this.#explanations.length(explanation);
    return Array.from(this.#explanations.pool.subarray(from, to));
  }

  #members(set: number): number[] {
    const from = this.#sets.start(set);
    return Array.from(this.#sets.pool.subarray(from, from + this.#sets.length(set)));
  }

  #intern(explanations: Iterable<number>): number {
    const sorted = Native.Int32Array.from(explanations).sort();
    return this.#sets.intern(sorted, sorted.length);
  }

  #call(set: number, thread: number, op: number): number {
    const next = this.#members(set).map((explanation) => {
      const cells = this.#cells(explanation);
      cells[1 + thread] = 1 + op * phaseLimit;
      return this.#explanation(cells);
    });
    return this.#intern(next);
  }

  #return(set: number, thread: number, result: number): number {
    const work = this.#members(set);
    const seen = new Set(work);
    for (let explanation = work.pop(); explanation !== undefined; explanation = work.pop()) {
      for (const next of this.#successorsOf(explanation)) {
        if (!seen.has(next)) {
          seen.add(next);
          work.push(next);
        }
      }
    }
    const wanted = -(result + 1);
    const rest = new Set<number>();
    for (const explanation of seen) {
      if (this.#explanations.pool[this.#explanations.start(explanation) + 1 + thread] !== wanted) {
        continue;
      }
      const cells = this.#cells(explanation);
      cells[1 + thread] = idle;
      rest.add(this.#explanation(cells));
    }
    return rest.size === 0 ? -2 : this.#intern(rest); // I1
  }

  /** Explanations in which one more pending call has taken a step. */
  #successorsOf(explanation: number): readonly number[] {
    const known = this.#successors[explanation];
    if (known !== undefined) return known;
    const cells = this.#cells(explanation);
    const found: number[] = [];
    for (let thread = 0; thread < this.#scripts.length; thread++) {
      const status = cells[1 + thread]!;
      if (status <= idle) continue;
      for (const [state, next] of this.#specStep(cells[0]!, thread, status)) {
        const changed = cells.slice();
        changed[0] = state;
        changed[1 + thread] = next;
        found.push(this.#explanation(changed));
      }
    }
    this.#successors[explanation] = found;
    return found;
  }

  #specStep(state: number, thread: number, status: number): readonly (readonly [number, number])[] {
    const key = `${state},${thread},${status}`;
    const known = this.#specSteps.get(key);
    if (known !== undefined) return known;
    const op = Math.trunc((status - 1) / phaseLimit);
    const phase = (status - 1) % phaseLimit;
    if (phase === phaseLimit - 1) {
      throw new ScenarioError(`a specified call has too many steps: limit=${phaseLimit - 1}`);
    }
    const [name, ...args] = this.#scripts[thread]![op]!;
    const value = JSON.parse(this.#states.names[state]!) as never;
    const steps = this.#spec
      .step(value, { name, args, thread, phase })
      .map((step: SpecStep<unknown>) => {
        const after = this.#states.intern(JSON.stringify(step[0]));
        const result = step[1] ? -(this.#results.intern(describeValue(step[2])) + 1) : status + 1;
        return [after, result] as const;
      });
    this.#specSteps.set(key, steps);
    return steps;
  }

  /** The specification states that still explain the history, for reports. */
  states(set: number): string[] {
    const states = this.#members(set).map((explanation) => this.#cells(explanation)[0]!);
    return [...new Set(states)].map((state) => this.#states.names[state]!);
  }
}
