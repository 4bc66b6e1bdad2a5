/**
 * The one seam between the program under test and the checker: every model operation ends in `perform`.
 *
 * While a replay is on the stack, `perform` feeds the thread the values of its log; at the first access
 * beyond the log it notes the access and throws a sentinel, which unwinds the real code to the replayer.
 * Without a replay (setup, invariants) accesses go straight to the session's bytes.
 *
 * I1: at most one session exists at a time, and at most one run in it.
 * I2: after the frontier every further access throws the sentinel again, so code that catches everything
 *     still cannot get past it.
 * I3: every replayed access equals the one recorded at that depth, else the thread is not deterministic.
 */
import {
  type Access,
  applied,
  Kind as K,
  type Kind,
  type Raw,
  rawByte,
  rawFrom,
  sameAccess,
  waitRaw,
} from './access.ts';
import { ScenarioError } from './errors.ts';
import { Native } from './native.ts';

/** Thrown through the program under test; the program must let it pass. */
export const frontierReached: Error = new Error(
  'interleave: this exception pauses a replay; code under test must not swallow it',
);

/** Thrown when a replay departs from its log. */
export class NondeterminismError extends Error {
  override readonly name = 'NondeterminismError';
}

/** The event loop of an async thread during one replay. */
export interface EventLoop {
  /** Resolves the promise of each `waitAsync` of this replay, by ordinal. */
  readonly wakes: ((result: 'ok' | 'timed-out') => void)[];
  readonly timeoutsMs: number[];
  readonly timers: { readonly dueMs: number; readonly fire: () => void; active: boolean }[];
}

/** One replay of one thread. */
export interface Run {
  readonly log: Raw[];
  /** The access that each entry of the log answered; null, or undefined, where that isn't known. */
  readonly path: readonly (Access | undefined)[] | null;
  /** Answers an access beyond the log, which then grows; undefined to stop there. */
  ahead: ((access: Access) => Raw | undefined) | null;
  readonly loop: EventLoop | null;
  position: number;
  /** Whether the operation in progress has accessed shared memory. */
  touched: boolean;
  frontier: Access | null;
  /** Virtual time of this thread: moves only when a wait times out or a timer fires. */
  clockMs: number;
  opsAfterFrontier: number;
  /** Stack at the frontier, for traces; taken only when asked for, because it is slow. */
  site: string | null;
  readonly wantsSite: boolean;
}

/** Bytes that one session may allocate. */
export const capacityBytes: number = 1 << 22;
const gapBytes = 64;
const runawayLimit = 10_000;

/** Model memory while no replay runs: all buffers in one address space. */
export class Session {
  readonly bytes: Uint8Array = new Native.Uint8Array(capacityBytes);
  top: number = gapBytes;
  run: Run | null = null;
  /** Whether code that runs between replays (setup, invariant, final) has written since this was last reset. */
  written = false;
  /** Stacks of all accesses, if the scenario names places that must be reached. */
  stacks: Set<string> | null = null;
  /** First byte and length of each buffer, in the order of allocation. */
  readonly buffers: { readonly at: number; readonly bytes: number }[] = [];
  /** Byte ranges `[from, to)` in which races are declared. */
  readonly racy: { readonly from: number; readonly to: number; readonly name: string }[] = [];

  /** Reserves `bytes` bytes, 8-aligned, apart from every other buffer. */
  allocate(bytes: number): number {
    if (this.run !== null) {
      throw new ScenarioError(
        'a SharedArrayBuffer was allocated inside a thread: allocate in setup',
      );
    }
    const at = this.top;
    this.top = (at + bytes + gapBytes + 7) & ~7;
    if (this.top > capacityBytes) {
      throw new ScenarioError(
        `shared memory of a scenario is limited: bytes=${this.top} limit=${capacityBytes}`,
      );
    }
    this.buffers.push({ at, bytes });
    return at;
  }

  isRacy(at: number, bytes: number): boolean {
    for (const range of this.racy) if (at < range.to && range.from < at + bytes) return true;
    return false;
  }
}

let current: Session | null = null;

/** Makes a session the current one while `body` runs. */
export function withSession<Result>(session: Session, body: () => Result): Result {
  const outer = current;
  current = session;
  try {
    return body();
  } finally {
    current = outer;
  }
}

/** The current session. */
export function activeSession(): Session {
  if (current === null) {
    throw new ScenarioError('a model view was used outside of its check');
  }
  return current;
}

/** The replay on the stack, if any. */
export const activeRun = (): Run | null => current?.run ?? null;

/** Sets or clears the current session for as long as an async replay lasts. */
export const enterSession = (session: Session | null): Session | null => {
  const outer = current;
  current = session;
  return outer;
};

/** Does one access: from the log, at the frontier, or directly on the session's bytes. */
export function perform(
  kind: Kind,
  at: number,
  bytes: number,
  a: Raw = 0,
  b: Raw = 0,
  timeoutMs: number = Number.POSITIVE_INFINITY,
): Raw {
  const session = activeSession();
  const access: Access = { kind, at, bytes, a, b, timeoutMs };
  return session.run === null ? direct(session, access) : replayed(session, session.run, access);
}

function replayed(session: Session, run: Run, access: Access): Raw {
  run.touched = true;
  if (run.frontier !== null) {
    // I2
    if (++run.opsAfterFrontier > runawayLimit) {
      throw new ScenarioError(
        'code under test keeps catching the exception that pauses its replay',
      );
    }
    throw frontierReached;
  }
  const { position, log } = run;
  if (position === log.length) {
    session.stacks?.add(new Error('site').stack ?? '');
    const answer = run.ahead?.(access);
    if (answer === undefined) {
      run.frontier = access;
      if (run.wantsSite) run.site = new Error('site').stack ?? '';
      throw frontierReached;
    }
    log.push(answer);
  }
  const expected = run.path?.[position];
  if (expected !== undefined && !sameAccess(expected, access)) {
    // I3
    throw new NondeterminismError(
      `replayed with the same values, step ${position} was ${describe(expected)} before and is ${describe(access)} now: ` +
        'the thread depends on something outside of its handle and the shared memory',
    );
  }
  run.position = position + 1;
  const value = log[position]!;
  if (access.kind === K.wait && value === waitRaw.timedOut) run.clockMs += access.timeoutMs;
  return value;
}

const describe = (access: Access): string => {
  const kind = Object.keys(K).find((name) => K[name as keyof typeof K] === access.kind);
  return `${kind}@${access.at}${access.kind === K.read || access.kind === K.load ? '' : `(${access.a})`}`;
};

/** Reads straight from the session's bytes. */
export const readDirect = (session: Session, at: number, bytes: number): Raw =>
  rawFrom((index) => session.bytes[index]!, at, bytes);

function direct(session: Session, access: Access): Raw {
  const { kind, at, bytes } = access;
  if (kind === K.none || kind === K.pause || kind === K.notify) return 0;
  if (kind === K.wait || kind === K.waitAsync) {
    if (readDirect(session, at, bytes) !== access.a) return waitRaw.notEqual;
    throw new ScenarioError('setup, invariant and final must not wait');
  }
  const old = readDirect(session, at, bytes);
  const next = kind === K.write ? access.a : kind === K.read ? old : applied(access, old);
  if (next !== old) {
    session.written = true;
    for (let index = 0; index < bytes; index++) session.bytes[at + index] = rawByte(next, index);
  }
  return old;
}
