/**
 * Matchers for vitest: `expect.extend(interleaveMatchers)`.
 *
 * @packageDocumentation
 */
import type {} from 'vitest';
import type { CheckResult, Kind } from './scenario.ts';

/** What vitest tells a matcher. */
export interface MatcherState {
  /** Whether the expectation is negated. */
  readonly isNot?: boolean;
}

/** What a matcher answers. */
export interface MatcherResult {
  /** Whether the expectation holds. */
  readonly pass: boolean;
  /** Why not: the report of the check. */
  message(): string;
}

const isResult = (value: unknown): value is CheckResult =>
  typeof value === 'object' && value !== null && 'verdict' in value && 'trace' in value;

function received(value: unknown): CheckResult {
  if (isResult(value)) return value;
  throw new TypeError(
    'expected the result of check, checkAsync, outcomes, outcomesAsync or replay',
  );
}

/** Matchers on results of checks. A type, not an interface: `expect.extend` wants an index signature. */
export type InterleaveMatchers = {
  /** Passes when the verdict is `verified`; `inconclusive` never passes, not even with `.not`. */
  toBeVerified(this: MatcherState, result: unknown): MatcherResult;
  /** Passes when the verdict is `violation`, of the given kind if there is one. */
  toViolate(this: MatcherState, result: unknown, kind?: Kind): MatcherResult;
};

/**
 * The matchers.
 *
 * @example
 * ```ts no-run
 * import { check } from '@millrace/interleave';
 * import { interleaveMatchers } from '@millrace/interleave/vitest';
 * import { expect, test } from 'vitest';
 *
 * expect.extend(interleaveMatchers);
 * test('no update is lost', () => {
 *   expect(
 *     check({
 *       setup: () => new Int32Array(new SharedArrayBuffer(4)),
 *       threads: [0, 1].map(() => ({ run: (cells: Int32Array) => Atomics.add(cells, 0, 1) })),
 *     }),
 *   ).toBeVerified();
 * });
 * ```
 */
export const interleaveMatchers: InterleaveMatchers = {
  toBeVerified(value) {
    const result = received(value);
    const isOpen = result.verdict === 'inconclusive';
    return {
      pass: isOpen ? this.isNot === true : result.verdict === 'verified',
      message: () => `expected the scenario ${this.isNot ? 'not ' : ''}to be verified\n\n${result}`,
    };
  },
  toViolate(value, kind) {
    const result = received(value);
    const what = kind === undefined ? 'a violation' : `a violation of the kind ${kind}`;
    return {
      pass: result.verdict === 'violation' && (kind === undefined || result.kind === kind),
      message: () => `expected ${this.isNot ? 'no' : ''} ${what}\n\n${result}`,
    };
  },
};

declare module 'vitest' {
  // The type parameters are vitest's own: declarations that merge must agree.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** Passes when the verdict of a check is `verified`. */
    toBeVerified(): R;
    /** Passes when a check found a violation, of the given kind if there is one. */
    toViolate(kind?: Kind): R;
  }
}
