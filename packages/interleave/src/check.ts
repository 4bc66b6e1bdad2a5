/** The entry points: run a search and report it. */
import { MergeUnsound } from './automaton.ts';
import { NotVerifiedError } from './errors.ts';
import { Explorer, type ExplorerOptions, NeedEdge, type SearchEnd } from './explorer.ts';
import type { Failure, Recorded } from './machine-parts.ts';
import { installGlobals, restoreGlobals } from './model/globals.ts';
import { nowMs } from './native.ts';
import { type Prepared, prepare } from './prepare.ts';
import { withQuietReplays } from './replay.ts';
import type {
  CheckResult,
  Kind,
  OutcomesResult,
  Scenario,
  SearchCounts,
  TraceStep,
  Verdict,
} from './scenario.ts';
import { decodeToken, encodeToken, formatTrace, siteOf, traceSteps } from './trace.ts';

interface Mode {
  readonly asynchronous: boolean;
  readonly outcomes: boolean;
}

/** A search that has ended, before it is put into words. */
interface Finished {
  readonly prepared: Prepared;
  readonly explorer: Explorer;
  readonly end: SearchEnd;
  readonly recorded: readonly Recorded[];
  readonly sites: readonly string[];
  readonly startedMs: number;
}

const optionsOf = (scenario: Scenario<unknown>, mode: Mode): ExplorerOptions => ({
  asynchronous: mode.asynchronous,
  keepResults: mode.outcomes || scenario.final !== undefined,
  fingerprint: scenario.fingerprint ?? 'auto',
});

type Search = (explorer: Explorer) => SearchEnd;

const record = (explorer: Explorer, end: SearchEnd): Recorded[] => {
  const recorded: Recorded[] = [];
  if (end.failure !== null) explorer.walk(end.path, recorded);
  return recorded;
};

function runOnce(prepared: Prepared, options: ExplorerOptions, search: Search): Finished {
  const startedMs = nowMs();
  const explorer = new Explorer(prepared, options);
  installGlobals();
  try {
    const end = search(explorer);
    const recorded = record(explorer, end);
    const sites = recorded.map(({ thread, node }) => explorer.automata[thread]!.locate(node));
    return { prepared, explorer, end, recorded, sites, startedMs };
  } finally {
    restoreGlobals();
  }
}

function run(scenario: Scenario<unknown>, mode: Mode, search: Search): Finished {
  const options = optionsOf(scenario, mode);
  try {
    return runOnce(prepare(scenario), options, search);
  } catch (error) {
    // Fields that looked like the whole state were not: do without merging.
    if (!(error instanceof MergeUnsound)) throw error;
    return runOnce(prepare(scenario), { ...options, fingerprint: 'none' }, search);
  }
}

async function searchAsync(explorer: Explorer, search: Search): Promise<SearchEnd> {
  for (;;) {
    try {
      return search(explorer);
    } catch (error) {
      if (!(error instanceof NeedEdge)) throw error;
      const { thread, node, value } = error;
      await explorer.automata[thread]!.expandAsync(node, value);
    }
  }
}

async function runOnceAsync(
  prepared: Prepared,
  options: ExplorerOptions,
  search: Search,
): Promise<Finished> {
  const startedMs = nowMs();
  const explorer = new Explorer(prepared, options);
  const end = await searchAsync(explorer, search);
  const recorded = record(explorer, end);
  const sites: string[] = [];
  for (const { thread, node } of recorded) {
    sites.push(await explorer.automata[thread]!.locateAsync(node));
  }
  return { prepared, explorer, end, recorded, sites, startedMs };
}

let queue: Promise<unknown> = Promise.resolve();

function runAsync(scenario: Scenario<unknown>, mode: Mode, search: Search): Promise<Finished> {
  const options = optionsOf(scenario, mode);
  const body = async (): Promise<Finished> => {
    try {
      return await runOnceAsync(prepare(scenario), options, search);
    } catch (error) {
      if (!(error instanceof MergeUnsound)) throw error;
      return runOnceAsync(prepare(scenario), { ...options, fingerprint: 'none' }, search);
    }
  };
  // One at a time: all share the globals.
  const result = queue.then(() => withQuietReplays(body));
  queue = result.catch(() => undefined);
  return result;
}

interface Judgement {
  readonly verdict: Verdict;
  readonly kind?: Kind;
  readonly reason: string;
}

/** How many places of accesses each declared site stands for, by its label. */
function siteCounts({ scenario, session }: Prepared): Map<string, number> {
  const places = [...new Set([...(session.stacks ?? [])].map(siteOf))];
  const isAt = (place: string, site: string): boolean =>
    place.startsWith(`${site} (`) || place.includes(`/${site}:`);
  return new Map(
    (scenario.sites ?? []).map((site) => [
      `site ${site}`,
      places.filter((place) => isAt(place, site)).length,
    ]),
  );
}

function judge({ prepared, explorer, end }: Finished): Judgement {
  const { failure } = end;
  if (failure !== null) {
    // A thread that departs from its own history says nothing about the others.
    const verdict = failure.kind === 'nondeterminism' ? 'inconclusive' : 'violation';
    return { verdict, kind: failure.kind, reason: failure.message };
  }
  if (explorer.machine.boundedSpin) {
    return {
      verdict: 'inconclusive',
      kind: 'bounded-spin',
      reason:
        "a loop with Atomics.pause ends by itself after some turns: set its budget to 0 or 1 and pause to 'step'",
    };
  }
  if (end.bound !== null) {
    return { verdict: 'inconclusive', kind: 'bound', reason: `no violation within ${end.bound}` };
  }
  const missing = prepared.declared.filter((name) => (explorer.coverage.get(name) ?? 0) === 0);
  for (const [label, count] of siteCounts(prepared)) if (count === 0) missing.push(label);
  if (missing.length > 0) {
    return {
      verdict: 'inconclusive',
      kind: 'uncovered',
      reason: `the scenario never reaches: ${missing.join(', ')}`,
    };
  }
  const racy = prepared.session.racy.length > 0 ? ' (racy reads modelled)' : '';
  return { verdict: 'verified', reason: `all interleavings${racy}` };
}

function report(finished: Finished): CheckResult {
  const { prepared, explorer, end, recorded, sites, startedMs } = finished;
  const { scenario } = prepared;
  const { verdict, kind, reason } = judge(finished);
  const scripts = explorer.automata.map((automaton) => automaton.script);
  const names = scenario.threads.map((thread, index) => thread.name ?? `T${index}`);
  const trace = traceSteps(recorded, sites, scripts, prepared);
  const name = scenario.name ?? 'scenario';
  const counts: SearchCounts = {
    states: explorer.states,
    transitions: explorer.transitions,
    replays: explorer.replays,
    terminal: explorer.terminal,
    durationMs: nowMs() - startedMs,
  };
  const message = kind === undefined ? `${verdict}: ${reason}` : `${verdict} (${kind}): ${reason}`;
  const coverage: Record<string, number> = {};
  for (const label of [...prepared.declared, ...explorer.coverage.keys()]) {
    coverage[label] = explorer.coverage.get(label) ?? 0;
  }
  for (const [label, count] of siteCounts(prepared)) coverage[label] = count;
  const token = end.failure === null ? '' : encodeToken(names.length, end.path);
  return {
    name,
    verdict,
    ...(kind === undefined ? {} : { kind }),
    message,
    racyReadsModelled: prepared.session.racy.length > 0,
    trace,
    token,
    coverage,
    ...counts,
    toString: () => describe(name, message, counts, trace, names, token),
  };
}

function describe(
  name: string,
  message: string,
  counts: SearchCounts,
  trace: readonly TraceStep[],
  names: readonly string[],
  token: string,
): string {
  const sizes = `  ${counts.states} states, ${counts.transitions} transitions, ${counts.replays} replays, ${counts.durationMs.toFixed(0)} ms`;
  const head = `${name}: ${message}\n${sizes}`;
  if (trace.length === 0) return head;
  return `${head}\n\n${formatTrace(trace, names)}\n\n  replay token: ${token}`;
}

const search: Search = (explorer) => explorer.search();

/**
 * Runs every interleaving of a scenario of synchronous code.
 *
 * @param scenario - shared memory, threads, and what must hold
 * @returns the verdict; `verified` only if all interleavings were searched and none is wrong
 * @throws {ScenarioError} If the scenario itself is wrong, or a thread returns a promise.
 * @throws {UnmodelledError} If the code uses something that the model doesn't cover.
 *
 * Concurrency: synchronous; replaces globals until it returns. Not for use inside a thread of a check.
 *
 * Cost: memory and time grow with the number of states, some 100 bytes and a microsecond each.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { check } from '@millrace/interleave';
 *
 * const lost = check({
 *   setup: () => new Int32Array(new SharedArrayBuffer(4)),
 *   threads: [0, 1].map(() => ({
 *     run: (cells: Int32Array) => Atomics.store(cells, 0, Atomics.load(cells, 0) + 1),
 *   })),
 *   final: (cells: Int32Array) => cells[0] === 2,
 * });
 * assert.equal(lost.verdict, 'violation');
 * assert.equal(lost.kind, 'final');
 * ```
 */
export function check<Shared>(scenario: Scenario<Shared>): CheckResult {
  const mode = { asynchronous: false, outcomes: false };
  return report(run(scenario as Scenario<unknown>, mode, search));
}

/**
 * Runs every interleaving of a scenario whose threads are async: real `async` functions, `Atomics.waitAsync`
 * and `setTimeout`. Each thread has an event loop of its own.
 *
 * @param scenario - as for `check`; `attach`, `run`, `call` and methods may return promises
 * @returns a promise of what `check` returns
 * @throws {ScenarioError} If the scenario itself is wrong.
 * @throws {UnmodelledError} If the code uses something that the model doesn't cover.
 *
 * Concurrency: calls queue up; globals are replaced only while a replay runs.
 *
 * Cost: as `check`, plus one turn of the event loop for each replayed wait.
 */
export async function checkAsync<Shared>(scenario: Scenario<Shared>): Promise<CheckResult> {
  const mode = { asynchronous: true, outcomes: false };
  const finished = await runAsync(scenario as Scenario<unknown>, mode, search);
  return report(finished);
}

/**
 * Computes every tuple of results that a scenario can have: the table of allowed outcomes of a stress test.
 *
 * @param scenario - as for `check`
 * @returns the verdict, and `outcomes`, complete if the verdict is `verified`; a result as text, calls of a
 *   thread separated by `, ` and threads by ` | `, `no result` for a call that never returned
 * @throws {ScenarioError} If the scenario itself is wrong.
 *
 * Concurrency: as `check`. Cost: as `check`, without merging of histories, since results tell them apart.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { outcomes } from '@millrace/interleave';
 *
 * const { outcomes: all } = outcomes({
 *   setup: () => new Int32Array(new SharedArrayBuffer(8)),
 *   threads: [0, 1].map((own) => ({
 *     run(cells: Int32Array) {
 *       Atomics.store(cells, own, 1);
 *       return Atomics.load(cells, 1 - own);
 *     },
 *   })),
 * });
 * assert.deepEqual([...all].sort(), ['0 | 1', '1 | 0', '1 | 1']);
 * ```
 */
export function outcomes<Shared>(scenario: Scenario<Shared>): OutcomesResult {
  const mode = { asynchronous: false, outcomes: true };
  const finished = run(scenario as Scenario<unknown>, mode, search);
  return { ...report(finished), outcomes: finished.explorer.outcomes };
}

/**
 * Computes every tuple of results of a scenario with async threads.
 *
 * @param scenario - as for `checkAsync`
 * @returns a promise of what `outcomes` returns
 *
 * Concurrency: as `checkAsync`. Cost: as `outcomes`.
 */
export async function outcomesAsync<Shared>(scenario: Scenario<Shared>): Promise<OutcomesResult> {
  const mode = { asynchronous: true, outcomes: true };
  const finished = await runAsync(scenario as Scenario<unknown>, mode, search);
  return { ...report(finished), outcomes: finished.explorer.outcomes };
}

const walkAlong =
  (path: readonly number[]): Search =>
  (explorer) => {
    // Which values a racy read may return is learned by searching.
    if (explorer.isRacy) explorer.search();
    const failure: Failure | null = explorer.walk(path, []);
    const bound = failure === null ? 'the one interleaving of the token' : null;
    return { failure, path, bound };
  };

/**
 * Replays one interleaving: the way to a violation that an earlier check found.
 *
 * @param scenario - the same scenario, with code that has the same accesses up to the violation
 * @param token - `token` of a check's result
 * @returns the violation with its trace, or `inconclusive` when that interleaving isn't wrong any more
 * @throws {TokenError} If the token isn't one, or is of a scenario with another number of threads.
 * @throws {ScenarioError} If the program can't take the token's steps.
 *
 * Concurrency: as `check`. Cost: one run of the program.
 */
export function replay<Shared>(scenario: Scenario<Shared>, token: string): CheckResult {
  const path = decodeToken(token, scenario.threads.length);
  const mode = { asynchronous: false, outcomes: false };
  return report(run(scenario as Scenario<unknown>, mode, walkAlong(path)));
}

/**
 * Replays one interleaving of a scenario with async threads.
 *
 * @param scenario - as for `replay`
 * @param token - `token` of a result of `checkAsync`
 * @returns a promise of what `replay` returns
 *
 * Concurrency: as `checkAsync`. Cost: one run of the program.
 */
export async function replayAsync<Shared>(
  scenario: Scenario<Shared>,
  token: string,
): Promise<CheckResult> {
  const path = decodeToken(token, scenario.threads.length);
  const mode = { asynchronous: true, outcomes: false };
  return report(await runAsync(scenario as Scenario<unknown>, mode, walkAlong(path)));
}

/**
 * Throws unless the verdict is `verified`.
 *
 * @param result - of `check` or a sibling
 * @throws {NotVerifiedError} With the whole report, trace and token included.
 *
 * @example
 * ```ts
 * import { assertVerified, check } from '@millrace/interleave';
 *
 * assertVerified(
 *   check({
 *     setup: () => new Int32Array(new SharedArrayBuffer(4)),
 *     threads: [0, 1].map(() => ({ run: (cells: Int32Array) => Atomics.add(cells, 0, 1) })),
 *     final: (cells: Int32Array) => cells[0] === 2,
 *   }),
 * );
 * ```
 */
export function assertVerified(result: CheckResult): void {
  if (result.verdict !== 'verified') throw new NotVerifiedError(`\n${result.toString()}\n`);
}
