export { type AdversaryOptions, type AdversaryResult, searchAdversary } from './adversary.ts';
export { heldOutWorkloads } from './held-out.ts';
export { clairvoyantOptimum, clairvoyantOptimumOfSum, type Optimum } from './optimum.ts';
export {
  lawPolicy,
  lawPolicyWith,
  type Policy,
  type PolicyFactory,
  type QueueView,
} from './policy.ts';
export { type Random, seededRandom } from './random.ts';
export {
  type SimulationOptions,
  type SimulationResult,
  simulate,
  type TimerModel,
} from './simulate.ts';
export { type VirtualScheduler, virtualScheduler } from './virtual.ts';
export {
  type ClosedLoop,
  type CostConfiguration,
  configurations,
  type Workload,
} from './workload.ts';
export { closedLoop, poisson, publicWorkloads, workloadOf } from './workloads.ts';
