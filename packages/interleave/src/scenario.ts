/** What a check is given and what it returns: the public types. */

/** One call of a scripted thread: the method's name, then its arguments. */
export type Operation = readonly [name: string, ...args: unknown[]];

/** A thread that calls the methods of its handle one after another. */
export interface ScriptedThread<Shared> {
  /** Shown in traces. @defaultValue `T0`, `T1`, ... */
  readonly name?: string;
  /**
   * Makes the thread's handle, as the real thread would after receiving `shared` by postMessage. Runs in
   * every replay, inside the thread: what it reads is part of the interleaving.
   * @defaultValue the handle is `shared` itself
   */
  attach?(shared: Shared): object | Promise<object>;
  /** Calls in program order. */
  readonly ops: readonly Operation[];
  /**
   * Makes one call; for handles whose methods don't take the values that the specification speaks of.
   * @defaultValue `handle[name](...args)`
   */
  call?(handle: object, name: string, args: readonly unknown[]): unknown;
  /** Whether the thread may be asleep when nothing can happen any more. @defaultValue false */
  readonly mayBlock?: boolean;
  /** Whether the thread may also die at any point, as by `worker.terminate()`. @defaultValue false */
  readonly crash?: boolean;
}

/** A thread with a body of its own; its result is one value. */
export interface BodyThread<Shared> {
  /** Shown in traces. @defaultValue `T0`, `T1`, ... */
  readonly name?: string;
  /** The thread's program; what it returns is its result. */
  run(shared: Shared): unknown;
  /** Whether the thread may be asleep when nothing can happen any more. @defaultValue false */
  readonly mayBlock?: boolean;
  /** Whether the thread may also die at any point. @defaultValue false */
  readonly crash?: boolean;
}

/** A thread of a scenario: scripted calls, which a specification can judge, or a body. */
export type Thread<Shared> = ScriptedThread<Shared> | BodyThread<Shared>;

/** What a specification allows next: the new state, whether the call ends here, and then its result. */
export type SpecStep<State> = readonly [state: State, done: boolean, result?: unknown];

/** The call that a specification is asked about. */
export interface SpecCall {
  /** Name of the operation. */
  readonly name: string;
  /** Its arguments. */
  readonly args: readonly unknown[];
  /** Index of the calling thread. */
  readonly thread: number;
  /** Steps that this call has already taken: 0 for a call that takes effect at one point. */
  readonly phase: number;
}

/**
 * A sequential specification. States must be JSON values and are never changed in place.
 *
 * A call takes effect in one step (`done` true) or in several: a queue whose push reserves first and commits
 * later is described by two steps, between which other calls may come. Several entries mean that any of
 * them is allowed; none means that the call cannot proceed in this state.
 */
export interface Spec<State = unknown> {
  /** State before any call. */
  readonly initial: State;
  /** Lists what may happen next to a call. */
  step(state: State, call: SpecCall): readonly SpecStep<State>[];
}

/** A specification of whatever state. */
export interface AnySpec {
  /** State before any call. */
  readonly initial: unknown;
  /** Lists what may happen next to a call. */
  step(state: never, call: SpecCall): readonly SpecStep<unknown>[];
}

/** Describes all that a handle remembers; equal values must mean equal futures. */
export type Fingerprint = {
  /** Declared as a method, so that the handle's type may be named. */
  of(handle: object): unknown;
}['of'];

/** Limits of a search. Reaching one makes the verdict `inconclusive`, never `verified`. */
export interface Bounds {
  /** Distinct states (count). @defaultValue 5_000_000 */
  readonly states?: number;
  /** Times that a runnable thread may be interrupted (count). @defaultValue Infinity */
  readonly preemptions?: number;
  /** Shared accesses of one call (count); more is reported as a livelock. @defaultValue 400 */
  readonly opSteps?: number;
  /** Timeouts and timers of one call (count), beyond which it just waits. @defaultValue 3 */
  readonly timeouts?: number;
}

/** A call that returned, as `cover` sees it. */
export interface ReturnedCall {
  /** Index of the thread. */
  readonly thread: number;
  /** Name of the operation; `run` for a thread with a body. */
  readonly name: string;
  /** Arguments of the operation. */
  readonly args: readonly unknown[];
  /** What it returned. */
  readonly result: unknown;
}

/** Situations that every check counts by itself. */
export type BuiltinCoverage =
  | 'cas-failed'
  | 'blocked'
  | 'woken'
  | 'timed-out'
  | 'paused'
  | 'crashed';

/** A range of shared memory in which races are declared to be intended. */
export interface RacyRange {
  /** A typed array, DataView or SharedArrayBuffer made in setup; all its bytes are meant. */
  readonly view: object;
  /** Shown in reports. */
  readonly name?: string;
}

/** A program for a few threads, and what must hold of it. */
export interface Scenario<Shared> {
  /** Shown in reports. */
  readonly name?: string;
  /** Makes the shared memory; happens before everything else. Its SharedArrayBuffers are the model's. */
  setup(): Shared;
  /** 1 to 8 threads. */
  readonly threads: readonly Thread<Shared>[];
  /** What the calls of scripted threads must be linearizable to. */
  readonly spec?: AnySpec;
  /** Checked in every reachable state; throws, or returns false or a text, if it doesn't hold. */
  invariant?(shared: Shared): unknown;
  /** Checked when nothing can happen any more; `results[t][i]` is the result of call i of thread t. */
  final?(shared: Shared, results: readonly (readonly unknown[])[]): unknown;
  /** Memory that is read while it is written, on purpose. */
  racy?(shared: Shared): readonly RacyRange[];
  /**
   * Situations that the scenario must reach, or it proves nothing: built-in ones, and your own as predicates
   * over calls that returned.
   */
  readonly cover?:
    | readonly BuiltinCoverage[]
    | Readonly<Record<string, boolean | ((call: ReturnedCall) => boolean)>>;
  /**
   * Places of the code whose accesses to shared memory must be reached, as traces show them: a function's name, or
   * `file.ts:line`. Counted in `coverage` as `site ...`.
   */
  readonly sites?: readonly string[];
  /** Limits of the search. */
  readonly bounds?: Bounds;
  /**
   * How to tell that a handle is in the same state after different histories, which keeps long scripts
   * small. `auto`: by its fields, unless something in it can't be seen (private `#` fields, closures);
   * `fields`: by its fields, whatever else there may be; `none`: never; a function: by what it returns.
   * Always audited by replaying other histories.
   * @defaultValue 'auto'
   */
  readonly fingerprint?: 'auto' | 'fields' | 'none' | Fingerprint;
  /**
   * What `Atomics.pause` means: `sleep` until another thread changes memory (right for loops that spin
   * until something changes), or one more `step` (for loops that count their turns). @defaultValue 'sleep'
   */
  readonly pause?: 'sleep' | 'step';
}

/** What a check found out. */
export type Verdict = 'verified' | 'violation' | 'inconclusive';

/** What is wrong, or why nothing is known. */
export type Kind =
  | 'race'
  | 'linearizability'
  /** Several threads sleep for ever. */
  | 'deadlock'
  /** A thread sleeps for ever. */
  | 'lost-wakeup'
  /** A thread runs for ever. */
  | 'livelock'
  | 'exception'
  | 'invariant'
  | 'final'
  /** A thread depends on something besides its handle and the shared memory. */
  | 'nondeterminism'
  /** A limit of `bounds` was reached. */
  | 'bound'
  /** The scenario never reached what `cover` declares. */
  | 'uncovered'
  /** A loop with `Atomics.pause` counts its turns, for which `pause: 'sleep'` is no model. */
  | 'bounded-spin';

/** One step of a counterexample. */
export interface TraceStep {
  /** Index of the thread. */
  readonly thread: number;
  /** What was done, e.g. `store i32[4] = 1`. */
  readonly text: string;
  /** Call in progress, e.g. `push(1)`; empty outside of calls. */
  readonly call: string;
  /** File, line and column of the access, where known. */
  readonly site: string;
  /** Calls that returned with this step, e.g. `push(1) returns true`. */
  readonly returned: readonly string[];
}

/** Sizes of a search. */
export interface SearchCounts {
  /** Distinct states of the program (count). */
  readonly states: number;
  /** Steps between states (count). */
  readonly transitions: number;
  /** Times that real code was run. */
  readonly replays: number;
  /** States in which nothing can happen any more. */
  readonly terminal: number;
  /** Wall-clock time (milliseconds). */
  readonly durationMs: number;
}

/** Result of a check. */
export interface CheckResult extends SearchCounts {
  /** Name of the scenario. */
  readonly name: string;
  /** What is known of the scenario. */
  readonly verdict: Verdict;
  /** Absent when verified. */
  readonly kind?: Kind;
  /** One line: the verdict and its reason. */
  readonly message: string;
  /** Whether races in declared ranges were part of what was explored. */
  readonly racyReadsModelled: boolean;
  /** A shortest way to the violation; empty otherwise. */
  readonly trace: readonly TraceStep[];
  /** Replays the violation: `replay(scenario, token)`; empty otherwise. */
  readonly token: string;
  /** How often each situation was met, in distinct histories of a thread. */
  readonly coverage: Readonly<Record<string, number>>;
  /** The verdict with the trace in columns, for people. */
  toString(): string;
}

/** All results that a scenario can have. */
export interface OutcomesResult extends CheckResult {
  /** Each possible tuple of results once, as text: threads separated by ` | `, calls by `, `. */
  readonly outcomes: ReadonlySet<string>;
}
