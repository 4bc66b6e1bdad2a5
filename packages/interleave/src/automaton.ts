/**
 * One thread as an automaton: what it does next, as a function of what its accesses have returned so far.
 *
 * The real code runs only to create a node: it is started anew, fed the values of its history, and stopped
 * at its first access beyond them (session.ts). Every other transition is a look-up in this trie.
 *
 *   root (load head) --0--> (load tail) --0--> (write slot) --> (store tail = 1) --> ...
 *                                       --2--> (load head again) --> ...
 *
 * I1: a node is the thread's whole local state: same node, same future for the same values. Replays verify
 *     that (session.ts I3).
 * I2: nodes at the start of a call may be merged when the handles' fingerprints are equal; each merge keeps
 *     up to two of the other histories, and whatever grows below the merged node is replayed behind those
 *     too. A difference proves the fingerprint incomplete.
 * Cost: a replay is as long as the history; a few microseconds.
 */
import { type Access, Kind, type Raw, sameAccess, waitRaw } from './access.ts';
import type { Ahead } from './ahead.ts';
import { ScenarioError, UnmodelledError } from './errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { runAsync, runSync } from './replay.ts';
import type { Fingerprint, Operation, ScriptedThread, Thread } from './scenario.ts';
import { NondeterminismError, perform, type Run, type Session } from './session.ts';
import { describeValue } from './values.ts';

/** A call that returned. */
export interface Returned {
  readonly op: number;
  readonly result: unknown;
}

/** What made a thread's own code fail. */
export interface ThreadFailure {
  readonly kind: 'exception' | 'nondeterminism' | 'livelock';
  readonly message: string;
}

/** What follows when a node's access returns a value. */
export interface Edge {
  readonly to: ThreadNode | null;
  readonly returned: readonly Returned[];
  readonly failure: ThreadFailure | null;
  /** Monitor events of `returned`; filled by the machine. */
  events: number[] | null;
  /** Search in which its calls were last counted for the coverage. */
  counted: number;
}

/** A local state of a thread. */
export class ThreadNode {
  readonly edges: Map<Raw, Edge> = new Map();
  /** Other histories that were merged into this node, see I2. */
  readonly aliases: (readonly Raw[])[] = [];
  /** The nearest node at or above this one that others were merged into. */
  base: ThreadNode = this;
  callEvent = -1;
  /** Whether its access has been taken note of in the table of shared words. */
  noted = false;
  /** Whether its access is one that no other thread can see; valid in the search `epoch`. */
  isPrivate = false;
  /** Whether its access is a step although others can't see it: its call has no other (machine.ts M6). */
  mustStep = false;
  /** Whether its access lies in memory where races are declared; likewise. */
  isRacy = false;
  /** Ids of the access's effects on knowledge, and the search they are valid in. */
  epoch = -1;
  effect = -1;
  writeEffect = -1;

  readonly id: number;
  readonly parent: ThreadNode | null;
  /** Value that led here from the parent. */
  readonly value: Raw;
  readonly depth: number;
  /** What the thread does next; null when it has ended. */
  readonly access: Access | null;
  /** Call in progress; -1 while attaching. */
  readonly op: number;
  /** Whether the access is the first of its call. */
  readonly opening: boolean;
  /** Number of waitAsync promises that this history has made. */
  readonly waits: number;
  /** Timeouts and timers that the call in progress has seen. */
  readonly timeouts: number;

  constructor(
    id: number,
    parent: ThreadNode | null,
    value: Raw,
    next: Pick<ThreadNode, 'access' | 'op' | 'opening' | 'waits'>,
  ) {
    this.id = id;
    this.parent = parent;
    this.value = value;
    this.depth = parent === null ? 0 : parent.depth + 1;
    this.access = next.access;
    this.op = next.op;
    this.opening = next.opening;
    this.waits = next.waits;
    const before = parent?.op === next.op ? parent.timeouts : 0;
    this.timeouts = before + (parent !== null && isTimeout(parent.access!, value) ? 1 : 0);
  }
}

const isTimeout = (access: Access, value: Raw): boolean =>
  access.kind === Kind.idle
    ? ((value as number) & 3) !== 0
    : access.kind === Kind.wait && value === waitRaw.timedOut;

/** Raised when an audit finds that merged histories differ. */
export class MergeUnsound extends Error {}

interface Progress {
  op: number;
  opStart: number;
  returned: Returned[];
  fingerprint: string | null;
}

/** A step that a replay took beyond its log. */
interface StepAhead {
  readonly access: Access;
  readonly value: Raw;
  readonly op: number;
}

interface Probe {
  readonly ahead: readonly StepAhead[];
  readonly access: Access | null;
  readonly progress: Progress;
  readonly failure: ThreadFailure | null;
  readonly waits: number;
}

export interface AutomatonOptions {
  readonly fingerprint: 'auto' | 'fields' | 'none' | Fingerprint;
  readonly opSteps: number;
  /** Whether ended threads must keep their histories apart, because results matter. */
  readonly keepResults: boolean;
}

const signature = (probe: Probe): string =>
  [
    probe.access === null ? 'end' : describeValue(probe.access),
    probe.progress.op,
    describeValue(probe.progress.returned),
    probe.failure?.message,
  ].join();

const aliasLimit = 2;

export class Automaton {
  readonly nodes: ThreadNode[] = [];
  readonly script: readonly Operation[];
  replays = 0;
  root: Edge | null = null;
  readonly #merged = new Map<string, ThreadNode>();
  readonly #session: Session;
  readonly #thread: Thread<unknown>;
  readonly #shared: unknown;
  readonly #options: AutomatonOptions;

  constructor(
    session: Session,
    thread: Thread<unknown>,
    shared: unknown,
    options: AutomatonOptions,
  ) {
    this.#session = session;
    this.#thread = thread;
    this.#shared = shared;
    this.#options = options;
    this.script = 'ops' in thread ? thread.ops : [['run']];
  }

  /** Values that lead to a node. */
  history(node: ThreadNode): Raw[] {
    const log: Raw[] = [];
    for (let at = node; at.parent !== null; at = at.parent) log.push(at.value);
    return log.reverse();
  }

  /** Calls that have returned on the way to a node. */
  results(node: ThreadNode): Returned[] {
    const found: (readonly Returned[])[] = [];
    for (let at = node; at.parent !== null; at = at.parent) {
      found.push(at.parent.edges.get(at.value)!.returned);
    }
    return found.reverse().flat();
  }

  #run(node: ThreadNode | null, log: Raw[], asynchronous: boolean, wantsSite = false): Run {
    const path: Access[] = [];
    for (let at = node; at !== null; at = at.parent) path.push(at.access!);
    return {
      log,
      path: path.reverse(),
      ahead: null,
      loop: asynchronous ? { wakes: [], timeoutsMs: [], timers: [] } : null,
      position: 0,
      touched: false,
      frontier: null,
      clockMs: 0,
      opsAfterFrontier: 0,
      site: null,
      wantsSite,
    };
  }

  /**
   * Creates the edge of a node (or, for null, the root) by running real code, and the nodes behind it as far as
   * `ahead` answers.
   */
  expand(node: ThreadNode | null, value: Raw, ahead: Ahead): Edge {
    const log = node === null ? [] : [...this.history(node), value];
    const known = log.length;
    const probe = this.#probe(this.#run(node, log, false), ahead);
    for (const alias of this.#audited(node)) {
      const behind = this.#behind(alias, node!, log);
      const path: (Access | undefined)[] = new Array(behind.length - log.length + known);
      for (const step of probe.ahead) path.push(step.access);
      this.#compare(probe, this.#probe({ ...this.#run(null, behind, false), path }));
    }
    return this.#attach(node, value, probe);
  }

  /** As `expand`, for threads with an event loop. */
  async expandAsync(node: ThreadNode | null, value: Raw): Promise<Edge> {
    const log = node === null ? [] : [...this.history(node), value];
    const probe = await this.#probeAsync(this.#run(node, log, true));
    for (const alias of this.#audited(node)) {
      const run = this.#run(null, this.#behind(alias, node!, log), true);
      this.#compare(probe, await this.#probeAsync({ ...run, path: null }));
    }
    return this.#attach(node, value, probe);
  }

  /** Stack of the node's access. */
  locate(node: ThreadNode): string {
    const run = this.#run(node.parent, this.history(node), false, true);
    this.#probe(run);
    return run.site ?? '';
  }

  /** As `locate`, for threads with an event loop. */
  async locateAsync(node: ThreadNode): Promise<string> {
    const run = this.#run(node.parent, this.history(node), true, true);
    await this.#probeAsync(run);
    return run.site ?? '';
  }

  #audited(node: ThreadNode | null): readonly (readonly Raw[])[] {
    return node === null ? [] : node.base.aliases;
  }

  #behind(alias: readonly Raw[], node: ThreadNode, log: readonly Raw[]): Raw[] {
    return [...alias, ...log.slice(node.base.depth)];
  }

  #compare(expected: Probe, found: Probe): void {
    if (signature(expected) === signature(found)) return;
    if (this.#options.fingerprint === 'auto') throw new MergeUnsound();
    throw new ScenarioError(
      `the fingerprint hides state: equal fingerprints, then ${signature(expected)} or ${signature(found)}`,
    );
  }

  #probe(run: Run, ahead: Ahead | null = null): Probe {
    this.replays++;
    const progress: Progress = { op: -1, opStart: 0, returned: [], fingerprint: null };
    const steps: StepAhead[] = [];
    if (ahead !== null) {
      run.ahead = (access) => {
        const isOpening = progress.op >= 0 && run.position === progress.opStart;
        const isLong = run.position - progress.opStart >= this.#options.opSteps;
        const value = isOpening || isLong ? undefined : ahead.answer(access);
        if (value !== undefined) steps.push({ access, value, op: progress.op });
        return value;
      };
    }
    const error = runSync(this.#session, run, this.#steps(run, progress));
    return this.#judge(run, progress, error, steps);
  }

  async #probeAsync(run: Run): Promise<Probe> {
    this.replays++;
    const progress: Progress = { op: -1, opStart: 0, returned: [], fingerprint: null };
    const error = await runAsync(this.#session, run, this.#steps(run, progress));
    return this.#judge(run, progress, error);
  }

  #judge(run: Run, progress: Progress, error: unknown, ahead: readonly StepAhead[] = []): Probe {
    const waits = run.loop?.wakes.length ?? 0;
    // What happens after the frontier (a catch block, a finally) is no part of the history.
    if (error !== null && (run.frontier === null || error instanceof ScenarioError)) {
      return { ahead, access: null, progress, failure: threadFailure(error), waits };
    }
    const steps = run.log.length - progress.opStart;
    if (run.frontier !== null && steps > this.#options.opSteps) {
      const call = describeCall(this.script, progress.op);
      const message = `${call} made more than ${this.#options.opSteps} accesses: a loop without Atomics.pause, or without end`;
      return { ahead, access: null, progress, failure: { kind: 'livelock', message }, waits };
    }
    return { ahead, access: run.frontier, progress, failure: null, waits };
  }

  /** The thread's program; each value yielded may be a promise. */
  *#steps(run: Run, progress: Progress): Generator<unknown, void, unknown> {
    const thread = this.#thread;
    if (!('ops' in thread)) {
      this.#begin(run, progress, 0, null);
      this.#end(run, progress, yield thread.run(this.#shared));
      return;
    }
    const handle = thread.attach === undefined ? this.#shared : yield thread.attach(this.#shared);
    for (let op = 0; op < thread.ops.length; op++) {
      this.#begin(run, progress, op, handle);
      this.#end(run, progress, yield invoke(thread, handle as object, thread.ops[op]!));
    }
    progress.fingerprint = this.#options.keepResults || hasPending(run) ? null : 'end';
  }

  #begin(run: Run, progress: Progress, op: number, handle: unknown): void {
    progress.op = op;
    progress.opStart = run.position;
    run.touched = false;
    progress.fingerprint = null;
    // Only where the history ends is the handle in the state that the new node stands for.
    if (run.position !== run.log.length || run.frontier !== null || handle === null) return;
    const text = this.#fingerprint(run, handle);
    if (text !== null) {
      const kept = this.#options.keepResults ? describeValue(progress.returned) : '';
      progress.fingerprint = `${op};${run.clockMs};${text};${kept}`;
    }
  }

  #fingerprint(run: Run, handle: unknown): string | null {
    const { fingerprint, keepResults } = this.#options;
    if (fingerprint === 'none' || keepResults || hasPending(run)) return null;
    return typeof fingerprint === 'string'
      ? fingerprintOf(handle, fingerprint === 'auto')
      : describeValue(fingerprint(handle as object));
  }

  #end(run: Run, progress: Progress, result: unknown): void {
    if (!run.touched) perform(Kind.none, 0, 0);
    if (run.position === run.log.length && run.frontier === null) {
      progress.returned.push({ op: progress.op, result });
    }
  }

  #attach(parent: ThreadNode | null, value: Raw, probe: Probe): Edge {
    let first: Edge | null = null;
    let [from, by] = [parent, value];
    for (const { access, value: next, op } of probe.ahead) {
      const node = this.#newNode(from, by, { access, op, opening: false, waits: 0 });
      const edge = this.#link(from, by, { to: node, returned: [], failure: null });
      first ??= edge;
      [from, by] = [node, next];
    }
    const { progress, failure } = probe;
    const to = failure === null ? this.#node(from, by, probe) : null;
    const last = this.#link(from, by, { to, returned: progress.returned, failure });
    return first ?? last;
  }

  #link(
    parent: ThreadNode | null,
    value: Raw,
    end: Pick<Edge, 'to' | 'returned' | 'failure'>,
  ): Edge {
    const edge: Edge = { ...end, events: null, counted: -1 };
    if (parent === null) this.root = edge;
    else parent.edges.set(value, edge);
    return edge;
  }

  #newNode(
    parent: ThreadNode | null,
    value: Raw,
    next: Pick<ThreadNode, 'access' | 'op' | 'opening' | 'waits'>,
  ): ThreadNode {
    const node = new ThreadNode(this.nodes.length, parent, value, next);
    this.nodes.push(node);
    if (parent !== null) node.base = parent.base;
    return node;
  }

  #node(parent: ThreadNode | null, value: Raw, { access, progress, waits }: Probe): ThreadNode {
    const depth = parent === null ? 0 : parent.depth + 1;
    const opening = access !== null && progress.op >= 0 && depth === progress.opStart;
    const key = opening || access === null ? progress.fingerprint : null;
    if (key !== null) {
      const known = this.#merged.get(key);
      if (known !== undefined && this.#sameStart(known, access)) {
        if (known.aliases.length < aliasLimit) {
          known.aliases.push(parent === null ? [] : [...this.history(parent), value]);
        }
        return known;
      }
    }
    const node = this.#newNode(parent, value, { access, op: progress.op, opening, waits });
    if (key !== null) {
      node.base = node;
      this.#merged.set(key, node);
    }
    return node;
  }

  #sameStart(known: ThreadNode, access: Access | null): boolean {
    const same =
      known.access === null || access === null
        ? known.access === access
        : sameAccess(known.access, access);
    if (!same && this.#options.fingerprint === 'auto') throw new MergeUnsound();
    return same;
  }
}

const hasPending = (run: Run): boolean =>
  run.loop !== null && (run.loop.timers.some((timer) => timer.active) || run.loop.wakes.length > 0);

/** One call as text, e.g. `push(1)`. */
export const describeCall = (script: readonly Operation[], op: number): string => {
  const call = script[op];
  if (call === undefined) return 'attach';
  const [name, ...args] = call;
  return `${name}(${args.map(describeValue).join(', ')})`;
};

function invoke(thread: ScriptedThread<unknown>, handle: object, operation: Operation): unknown {
  const [name, ...args] = operation;
  if (thread.call !== undefined) return thread.call(handle, name, args);
  const method = (handle as Record<string, unknown>)[name];
  if (typeof method !== 'function') {
    throw new ScenarioError(`the handle has no method for the operation: name=${name}`);
  }
  return method.apply(handle, args);
}

const nativeHint =
  /shared (?:integer )?typed array|incompatible receiver|must be an instance of|not a typed array|Receiver should/i;

function threadFailure(error: unknown): ThreadFailure {
  if (error instanceof ScenarioError || error instanceof UnmodelledError) throw error;
  if (error instanceof NondeterminismError) {
    return { kind: 'nondeterminism', message: error.message };
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
  const hint =
    error instanceof TypeError && nativeHint.test(error.message)
      ? ' (a native function was reached with a model array: call Atomics and constructors as globals, ' +
        'and keep Buffer, TextDecoder and the like out of what is checked)'
      : '';
  return { kind: 'exception', message: text + hint };
}
