/** Checks a scenario, runs its setup on model memory, and names its addresses. */
import { ScenarioError } from './errors.ts';
import { outerLimits } from './limits.ts';
import { ModelSharedArrayBuffer } from './model/buffer.ts';
import { installGlobals, restoreGlobals } from './model/globals.ts';
import { coreOf, rangeOf } from './model/views.ts';
import type { BuiltinCoverage, ReturnedCall, Scenario } from './scenario.ts';
import { Session, withSession } from './session.ts';
import { describeValue } from './values.ts';

export interface Prepared {
  readonly scenario: Scenario<unknown>;
  readonly session: Session;
  readonly shared: unknown;
  readonly bounds: {
    readonly states: number;
    readonly preemptions: number;
    readonly opSteps: number;
    readonly timeouts: number;
  };
  /** Labels that must be reached. */
  readonly declared: readonly string[];
  readonly predicates: ReadonlyMap<string, (call: ReturnedCall) => boolean>;
  readonly describeAddress: (at: number, bytes: number) => string;
}

/** Most threads of a scenario. */
export const threadLimit = 8;

const builtin: readonly BuiltinCoverage[] = [
  'cas-failed',
  'blocked',
  'woken',
  'timed-out',
  'paused',
  'crashed',
];

const positive = (name: string, value: number): number => {
  if (!(value >= 0))
    throw new ScenarioError(`${name} must be a non-negative number: ${name}=${value}`);
  return value;
};

/** Runs `body` with the model's globals on the session's bytes. */
export function onModel<Result>(session: Session, body: () => Result): Result {
  installGlobals();
  try {
    return withSession(session, body);
  } finally {
    restoreGlobals();
  }
}

/** Runs a predicate of the scenario. @returns null when it holds, else why not */
export function evaluate(session: Session, predicate: () => unknown): string | null {
  try {
    const result = onModel(session, predicate);
    if (result === undefined || result === true || result === null) return null;
    return typeof result === 'string' ? result : `returned ${describeValue(result)}`;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
  }
}

function coverage(scenario: Scenario<unknown>): Pick<Prepared, 'declared' | 'predicates'> {
  const { cover } = scenario;
  const predicates = new Map<string, (call: ReturnedCall) => boolean>();
  const declared: string[] = [];
  const entries: [string, boolean | ((call: ReturnedCall) => boolean)][] = Array.isArray(cover)
    ? cover.map((name: string) => [name, true])
    : Object.entries(cover ?? {});
  for (const [name, predicate] of entries) {
    if (predicate === false) continue;
    declared.push(name);
    if (typeof predicate === 'function') predicates.set(name, predicate);
    else if (!builtin.includes(name as BuiltinCoverage)) {
      throw new ScenarioError(
        `cover has no built-in situation of that name: ${name}; there are ${builtin.join(', ')}`,
      );
    }
  }
  return { declared, predicates };
}

interface NamedRange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** Views and buffers that are reachable from `shared` by properties. */
function namedRanges(value: unknown, name: string, depth: number, found: NamedRange[]): void {
  if (typeof value !== 'object' || value === null || depth > 3) return;
  const core = coreOf(value);
  if (core !== undefined || value instanceof ModelSharedArrayBuffer) {
    found.push({ name: name || 'shared', ...rangeOf(value), bytes: core?.type.bytes ?? 1 });
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    namedRanges(item, name === '' ? key : `${name}.${key}`, depth + 1, found);
  }
}

function addressNames(session: Session, shared: unknown): Prepared['describeAddress'] {
  const ranges: NamedRange[] = [];
  namedRanges(shared, '', 0, ranges);
  ranges.sort((x, y) => x.to - x.from - (y.to - y.from));
  return (at, bytes) => {
    const fitting = ranges.filter((range) => at >= range.from && at < range.to);
    const range = fitting.find((candidate) => candidate.bytes === bytes) ?? fitting[0];
    if (range !== undefined && range.bytes > 1) {
      return `${range.name}[${Math.trunc((at - range.from) / range.bytes)}]`;
    }
    const index = session.buffers.findIndex(
      (buffer) => at >= buffer.at && at < buffer.at + buffer.bytes,
    );
    const name = range?.name ?? (session.buffers.length > 1 ? `buffer ${index}` : 'buffer');
    return `${name}+${at - (session.buffers[index]?.at ?? 0)}`;
  };
}

/** Validates a scenario and runs its setup. */
export function prepare(scenario: Scenario<unknown>): Prepared {
  const { threads, bounds = {} } = scenario;
  if (threads.length < 1 || threads.length > threadLimit) {
    throw new ScenarioError(`threads must be 1 to ${threadLimit}: threads=${threads.length}`);
  }
  if (scenario.spec !== undefined && threads.some((thread) => !('ops' in thread))) {
    throw new ScenarioError('a specification needs threads with ops, not run');
  }
  const session = new Session();
  if (scenario.sites !== undefined) session.stacks = new Set();
  const shared = onModel(session, () => scenario.setup());
  if (typeof (shared as { then?: unknown } | null)?.then === 'function') {
    throw new ScenarioError('setup must not be async');
  }
  for (const { view, name } of onModel(session, () => scenario.racy?.(shared) ?? [])) {
    session.racy.push({ ...rangeOf(view), name: name ?? 'racy' });
  }
  return {
    scenario,
    session,
    shared,
    bounds: {
      states: Math.min(positive('bounds.states', bounds.states ?? 5_000_000), outerLimits.states),
      preemptions: positive('bounds.preemptions', bounds.preemptions ?? Number.POSITIVE_INFINITY),
      opSteps: positive('bounds.opSteps', bounds.opSteps ?? 400),
      timeouts: positive('bounds.timeouts', bounds.timeouts ?? 3),
    },
    ...coverage(scenario),
    describeAddress: addressNames(session, shared),
  };
}
