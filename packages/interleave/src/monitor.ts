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
import type { AnySpec, Operation, SpecStep } from './scenario.ts';
import { NameTable, TripleTable } from './tables.ts';
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
  readonly #sets = new NameTable();
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
    this.start = this.#sets.intern([state, ...scripts.map(() => idle)].join());
  }

  get count(): number {
    return this.#sets.names.length;
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

  #explanations(set: number): number[][] {
    return this.#sets.names[set]!.split(';').map((text) => text.split(',').map(Number));
  }

  #intern(explanations: Iterable<string>): number {
    return this.#sets.intern([...explanations].sort().join(';'));
  }

  #call(set: number, thread: number, op: number): number {
    const next = this.#explanations(set).map((explanation) => {
      explanation[1 + thread] = 1 + op * phaseLimit;
      return explanation.join();
    });
    return this.#intern(next);
  }

  #return(set: number, thread: number, result: number): number {
    const seen = new Set(this.#sets.names[set]!.split(';'));
    const work = [...seen];
    for (let text = work.pop(); text !== undefined; text = work.pop()) {
      for (const next of this.#successors(text)) {
        if (!seen.has(next)) {
          seen.add(next);
          work.push(next);
        }
      }
    }
    const wanted = -(result + 1);
    const rest = new Set<string>();
    for (const text of seen) {
      const explanation = text.split(',').map(Number);
      if (explanation[1 + thread] !== wanted) continue;
      explanation[1 + thread] = idle;
      rest.add(explanation.join());
    }
    return rest.size === 0 ? -2 : this.#intern(rest); // I1
  }

  /** Explanations in which one more pending call has taken a step. */
  #successors(text: string): string[] {
    const explanation = text.split(',').map(Number);
    const found: string[] = [];
    for (let thread = 0; thread < this.#scripts.length; thread++) {
      const status = explanation[1 + thread]!;
      if (status <= idle) continue;
      for (const [state, next] of this.#specStep(explanation[0]!, thread, status)) {
        const changed = explanation.slice();
        changed[0] = state;
        changed[1 + thread] = next;
        found.push(changed.join());
      }
    }
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
    return [...new Set(this.#explanations(set).map(([state]) => this.#states.names[state!]!))];
  }
}
