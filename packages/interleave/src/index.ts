/**
 * Model checker for unmodified JavaScript over SharedArrayBuffer and Atomics: runs real functions through
 * every interleaving of a few threads.
 *
 * @packageDocumentation
 */
export {
  assertVerified,
  check,
  checkAsync,
  outcomes,
  outcomesAsync,
  replay,
  replayAsync,
} from './check.ts';
export {
  type InterleaveErrorCode,
  NotVerifiedError,
  ScenarioError,
  TokenError,
  UnmodelledError,
} from './errors.ts';
export type {
  AnySpec,
  BodyThread,
  Bounds,
  BuiltinCoverage,
  CheckResult,
  Fingerprint,
  Kind,
  Operation,
  OutcomesResult,
  RacyRange,
  ReturnedCall,
  Scenario,
  ScriptedThread,
  SearchCounts,
  Spec,
  SpecCall,
  SpecStep,
  Thread,
  TraceStep,
  Verdict,
} from './scenario.ts';
export {
  fifo,
  type QueueCalls,
  type QueueOptions,
  register,
  type TwoPhaseCell,
  twoPhaseFifo,
} from './specs.ts';
