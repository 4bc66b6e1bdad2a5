export type { LawTuning } from '../law/tuning.ts';
export { type AdversaryOptions, type AdversaryResult, searchAdversary } from './adversary.ts';
export {
  type ComparisonOptions,
  type ComparisonRow,
  compare,
  type DelaySummary,
  geometricMean,
  type Outcome,
  percentile,
} from './compare.ts';
export { heldOutWorkloads } from './held-out.ts';
export { hindsightCost, informedCost } from './informed.ts';
export { clairvoyantOptimum, clairvoyantOptimumOfSum, type Optimum } from './optimum.ts';
export {
  additiveIncrease,
  cadence,
  debounce,
  each,
  gatherWhileBusy,
  greedy,
  hillClimb,
  linger,
  lingerOrBytes,
  type NamedPolicy,
  nagle,
  pace,
  peerPolicies,
  size,
  skiRental,
  squareRoot,
  twoTimers,
} from './policies.ts';
export {
  lawPolicy,
  lawPolicyWith,
  type Policy,
  type PolicyFactory,
  type QueueView,
} from './policy.ts';
export { type Random, seededRandom } from './random.ts';
export { comparisonSvg, comparisonTable, outcomeTable } from './report.ts';
export {
  type SimulationOptions,
  type SimulationResult,
  simulate,
  type TimerModel,
  timerResolution,
} from './simulate.ts';
export { parseTrace, type TraceArrival, TraceRecorder, traceWorkload } from './trace.ts';
export { variedWorkloads } from './varied.ts';
export { type VirtualScheduler, virtualScheduler } from './virtual.ts';
export {
  type ClosedLoop,
  type CostConfiguration,
  configurations,
  type Workload,
} from './workload.ts';
export { type Arrival, closedLoop, poisson, publicWorkloads, workloadOf } from './workloads.ts';
