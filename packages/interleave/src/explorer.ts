/**
 * The search: every state that the program can reach, breadth first, so that a counterexample is a shortest one.
 *
 * E1: a state is expanded once; the step and the state that first led to it are kept.
 * E2: a step that finds a place in need of tracking (knowledge.ts I5) starts the search over; thread automata
 *     survive that, so it costs no replays.
 * E3: where an edge must be made by an async replay, the search stops between two steps and resumes there.
 * E4: when nothing can happen any more, sleeping spinners go on by force: either they spin for ever, which
 *     `opSteps` shows, or they count their turns, which makes sleeping an invalid model of them.
 */
import { Ahead } from './ahead.ts';
import { Automaton, type Edge, type ThreadNode } from './automaton.ts';
import { ScenarioError } from './errors.ts';
import { Knowledge } from './knowledge.ts';
import { Machine } from './machine.ts';
import { Branch, type Failure, type Recorded, Status } from './machine-parts.ts';
import { MemoryStates } from './memory-states.ts';
import { Monitor } from './monitor.ts';
import { Native } from './native.ts';
import { evaluate, type Prepared } from './prepare.ts';
import { judgeTerminal, type TerminalView } from './quiescence.ts';
import { RacyMemory } from './racy.ts';
import type { Fingerprint } from './scenario.ts';
import { Sharing } from './sharing.ts';
import { StateTable } from './state-table.ts';
import { describeValue } from './values.ts';
import { Waiters } from './waiters.ts';

/** Raised towards the async driver: this edge must be made first. */
export class NeedEdge extends Error {
  readonly thread: number;
  readonly node: ThreadNode | null;
  readonly value: number | bigint | string;

  constructor(thread: number, node: ThreadNode | null, value: number | bigint | string) {
    super('an edge is missing');
    this.thread = thread;
    this.node = node;
    this.value = value;
  }
}

/** How a search ended. */
export interface SearchEnd {
  readonly failure: Failure | null;
  /** Steps to the failure. */
  readonly path: readonly number[];
  /** Why not everything was searched; null if it was. */
  readonly bound: string | null;
}

/** A step as one number. */
export const encodeAction = (thread: number, branch: number): number => thread | (branch << 4);
export const actionThread = (action: number): number => action & 15;
export const actionBranch = (action: number): number => action >> 4;

export interface ExplorerOptions {
  readonly asynchronous: boolean;
  readonly keepResults: boolean;
  readonly fingerprint: 'auto' | 'fields' | 'none' | Fingerprint;
}

export class Explorer {
  readonly automata: readonly Automaton[];
  readonly machine: Machine;
  readonly coverage: Map<string, number> = new Map();
  readonly outcomes: Set<string> = new Set();
  transitions = 0;
  terminal = 0;
  readonly #prepared: Prepared;
  readonly #options: ExplorerOptions;
  readonly #memory: MemoryStates;
  readonly #knowledge: Knowledge;
  readonly #sharing: Sharing;
  readonly #racy: RacyMemory | null;
  readonly #monitor: Monitor | null;
  readonly #waiters = new Waiters();
  readonly #row: Int32Array;
  readonly #found: number[] = [];
  readonly #branches: number[] = [];
  /** Whether nothing but deaths, or forced wake-ups, is possible in the state whose steps were listed last. */
  #isTerminal = false;
  #states: StateTable;
  #position = 0;
  #cursor = 0;
  #skipped = false;
  /** States of the searches that were started over. */
  #abandoned = 0;

  constructor(prepared: Prepared, options: ExplorerOptions) {
    const { scenario, session, shared, bounds } = prepared;
    this.#prepared = prepared;
    this.#options = options;
    this.automata = scenario.threads.map(
      (thread) =>
        new Automaton(session, thread, shared, {
          fingerprint: options.fingerprint,
          keepResults: options.keepResults,
          opSteps: bounds.opSteps,
        }),
    );
    const atEnds = scenario.final === undefined ? 'never' : 'at ends';
    const observed = scenario.invariant === undefined ? atEnds : 'always';
    this.#sharing = new Sharing(session.top, observed);
    this.#memory = new MemoryStates(session.bytes.slice(0, session.top), this.#sharing);
    this.#knowledge = new Knowledge(scenario.threads.length);
    this.#racy = session.racy.length === 0 ? null : new RacyMemory(scenario.threads.length);
    this.#monitor =
      scenario.spec === undefined
        ? null
        : new Monitor(
            scenario.spec,
            this.automata.map((automaton) => automaton.script),
          );
    this.machine = new Machine({
      automata: this.automata,
      memory: this.#memory,
      knowledge: this.#knowledge,
      sharing: this.#sharing,
      monitor: this.#monitor,
      waiters: this.#waiters,
      racy: this.#racy,
      isRacy: (at, bytes) => session.isRacy(at, bytes),
      describe: prepared.describeAddress,
      crashing: scenario.threads.map((thread) => thread.crash ?? false),
      timeouts: bounds.timeouts,
      pauseSleeps: (scenario.pause ?? 'sleep') === 'sleep',
      grow: (thread, node, value) => this.#grow(thread, node, value),
      cover: (name) => this.#count(name),
      covered: (thread, edge) => this.#covered(thread, edge),
    });
    this.#states = this.#table();
    this.#row = new Native.Int32Array(this.#states.width);
  }

  /** Whether races are declared. */
  get isRacy(): boolean {
    return this.#racy !== null;
  }

  get states(): number {
    return this.#states.count;
  }

  get replays(): number {
    return this.automata.reduce((sum, automaton) => sum + automaton.replays, 0);
  }

  #table(): StateTable {
    return new StateTable(this.machine.width + (this.#isPreemptionBounded ? 1 : 0));
  }

  get #isPreemptionBounded(): boolean {
    return this.#prepared.bounds.preemptions !== Number.POSITIVE_INFINITY;
  }

  #count(name: string): void {
    this.coverage.set(name, (this.coverage.get(name) ?? 0) + 1);
  }

  #grow(thread: number, node: ThreadNode | null, value: number | bigint | string): Edge {
    if (this.#options.asynchronous) throw new NeedEdge(thread, node, value);
    const { memory, waiters } = this.machine;
    const { session } = this.#prepared;
    const ahead = new Ahead(
      this.#memory,
      this.#sharing,
      memory,
      this.#waiters.list(waiters),
      (at, bytes) => session.isRacy(at, bytes),
    );
    return this.automata[thread]!.expand(node, value, ahead);
  }

  /** Counts the declared situations that calls show which return on an edge. */
  #covered(thread: number, edge: Edge): void {
    for (const { op, result } of edge.returned) {
      const [name, ...args] = this.automata[thread]!.script[op]!;
      for (const [label, predicate] of this.#prepared.predicates) {
        if (predicate({ thread, name, args, result })) this.#count(label);
      }
    }
  }

  /** Searches until the end or the first failure; call again after making the edge of a `NeedEdge`. */
  search(): SearchEnd {
    for (;;) {
      const end = this.#attempt();
      if (end !== 'restart') return end;
      this.#abandoned += this.#states.count + 1;
      this.#restart(); // E2
      this.#states = this.#table();
      this.#position = 0;
      this.#cursor = 0;
      this.coverage.clear();
      this.transitions = 0;
      this.terminal = 0;
    }
  }

  #restart(): void {
    this.#knowledge.restart();
    this.#sharing.grown = false;
    this.#racy?.restart();
    this.machine.restart();
  }

  #attempt(): SearchEnd | 'restart' {
    const { bounds } = this.#prepared;
    const { machine } = this;
    if (this.#states.count === 0) {
      machine.begin();
      if (this.machine.grown) return 'restart';
      if (machine.failure !== null) return { failure: machine.failure, path: [], bound: null };
      machine.save(this.#row);
      if (this.#isPreemptionBounded) this.#row[machine.width] = 0;
      this.#states.add(this.#row, -1, 0);
    }
    while (this.#position < this.#states.count) {
      const failure = this.#expandState();
      if (failure === 'restart') return failure;
      if (failure !== null) return failure;
      this.#position++;
      this.#cursor = 0;
      // Searches that were started over count too: learning might never end otherwise.
      if (this.#abandoned + this.#states.count >= bounds.states) {
        return { failure: null, path: [], bound: `the limit of ${bounds.states} states` };
      }
    }
    const cut = [
      ...(this.#skipped ? [`at most ${bounds.preemptions} preemptions`] : []),
      ...(machine.timeoutsCut ? [`at most ${bounds.timeouts} timeouts of a call`] : []),
    ];
    return { failure: null, path: [], bound: cut.length > 0 ? cut.join(' and ') : null };
  }

  #load(): void {
    this.machine.load(this.#states.cells, this.#position * this.#states.width);
  }

  /** Possible steps of the state in the registers, in `#found`. @returns how many */
  #actions(): number {
    const actions: number[] = this.#found;
    const branches = this.#branches;
    let count = 0;
    this.#isTerminal = true;
    const threads = this.automata.length;
    for (let thread = 0; thread < threads; thread++) {
      const found = this.machine.branches(thread, branches);
      for (let index = 0; index < found; index++) {
        const branch = branches[index]!;
        if (branch !== Branch.crash) this.#isTerminal = false;
        actions[count++] = encodeAction(thread, branch);
      }
    }
    if (!this.#isTerminal) return count;
    // E4: only deaths are possible, or nothing.
    for (let thread = 0; thread < threads; thread++) {
      if ((this.machine.status[thread]! & Status.doing) === Status.paused) {
        this.#isTerminal = false;
        actions[count++] = encodeAction(thread, Branch.force);
      }
    }
    return count;
  }

  #expandState(): SearchEnd | 'restart' | null {
    const { machine } = this;
    const states = this.#states;
    this.#load();
    const count = this.#actions();
    if (this.#cursor === 0) {
      const failure = this.#judge();
      if (failure !== null) {
        return { failure, path: states.pathTo(this.#position), bound: null };
      }
    }
    const last = this.#isPreemptionBounded
      ? states.cells[this.#position * states.width + machine.width]!
      : 0;
    for (; this.#cursor < count; this.#cursor++) {
      const action = this.#found[this.#cursor]!;
      const next = this.#isPreemptionBounded ? this.#preempted(last, action, count) : 0;
      if (next < 0) {
        this.#skipped = true;
        continue;
      }
      this.#load();
      machine.step(actionThread(action), actionBranch(action));
      if (this.machine.grown) return 'restart';
      this.transitions++;
      if (machine.failure !== null) {
        const path = [...states.pathTo(this.#position), action];
        return { failure: machine.failure, path, bound: null };
      }
      if (machine.isImpossible) continue;
      machine.save(this.#row);
      if (this.#isPreemptionBounded) this.#row[machine.width] = next;
      states.add(this.#row, this.#position, action);
    }
    return null;
  }

  /** The bound's cell after an action; -1 when it would be one preemption too many. */
  #preempted(cell: number, action: number, count: number): number {
    const thread = actionThread(action);
    const last = (cell & 15) - 1;
    let used = cell >> 4;
    const interrupts =
      last >= 0 &&
      last !== thread &&
      this.#found.some((other, index) => index < count && actionThread(other) === last);
    if (interrupts) used++;
    return used > this.#prepared.bounds.preemptions ? -1 : (used << 4) | (thread + 1);
  }

  /** Judges the state in the registers: the invariant always, the rest when nothing can happen any more. */
  #judge(): Failure | null {
    const { scenario, session, shared } = this.#prepared;
    // A path that depends on promises may not exist: nothing is judged before they are kept.
    if (this.#racy?.hasPromises(this.machine.racy)) return null;
    if (scenario.invariant !== undefined) {
      this.#restoreMemory();
      const text = evaluate(session, () => scenario.invariant!(shared));
      if (text !== null) return { kind: 'invariant', message: `invariant: ${text}`, thread: -1 };
    }
    if (!this.#isTerminal) return null;
    this.terminal++;
    const failure = judgeTerminal(this.#terminalView());
    if (failure !== null) return failure;
    return this.#judgeFinal();
  }

  /** Puts the state's memory where `invariant` and `final` read it: also what those of another state wrote is undone. */
  #restoreMemory(): void {
    const { session } = this.#prepared;
    this.#memory.restore(this.machine.memory, session.bytes, session.written);
    session.written = false;
  }

  #terminalView(): TerminalView {
    return {
      machine: this.machine,
      memory: this.#memory,
      waiters: this.#waiters.list(this.machine.waiters),
      threads: this.#prepared.scenario.threads,
      describe: this.#prepared.describeAddress,
    };
  }

  #judgeFinal(): Failure | null {
    const { scenario, session, shared } = this.#prepared;
    if (!this.#options.keepResults) return null;
    const results = this.automata.map((automaton, thread) => {
      const returned = automaton.results(this.machine.nodes[thread]!);
      return returned.map(({ result }) => result);
    });
    this.outcomes.add(
      results
        .map((list, thread) => outcomeText(list, this.automata[thread]!.script.length))
        .join(' | '),
    );
    if (scenario.final === undefined) return null;
    this.#restoreMemory();
    const text = evaluate(session, () => scenario.final!(shared, results));
    return text === null ? null : { kind: 'final', message: `final: ${text}`, thread: -1 };
  }

  /** Takes the given steps from the start. @returns the failure that they lead to, or null */
  walk(path: readonly number[], recorder: Recorded[]): Failure | null {
    const { machine } = this;
    for (;;) {
      recorder.length = 0;
      machine.recorder = recorder;
      const failure = this.#walkOnce(path);
      machine.recorder = null;
      if (failure !== 'restart') return failure;
      this.#restart();
    }
  }

  #walkOnce(path: readonly number[]): Failure | null | 'restart' {
    const { machine } = this;
    machine.begin();
    for (let at = 0; ; at++) {
      if (this.machine.grown) return 'restart';
      if (machine.failure !== null) return machine.failure;
      const count = this.#actions();
      const failure = this.#judge();
      if (failure !== null || at === path.length) return failure;
      const action = path[at]!;
      if (!this.#found.slice(0, count).includes(action)) {
        throw new ScenarioError(`step ${at} of the token is not possible: the program has changed`);
      }
      machine.step(actionThread(action), actionBranch(action));
    }
  }
}

const outcomeText = (results: readonly unknown[], calls: number): string =>
  Array.from({ length: calls }, (_, index) =>
    index < results.length ? describeValue(results[index]) : 'no result',
  ).join(', ');
