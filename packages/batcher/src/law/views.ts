/**
 * The ways in which the law looks at the past: each names a context for an arrival, and each context learns its gaps.
 *
 * | view | context | tells |
 * | --- | --- | --- |
 * | burst | arrivals before this one with no gap of tau between them | when a burst of a usual length ends |
 * | all | one for all | an even flow, soonest learned |
 * | gap | length of the last gap, in half octaves of tau | a rate that changes slowly, clusters |
 * | batch | arrivals before this one in the same batch | a reply in pieces that a delivery caused |
 *
 * No view is best for every producer; the law follows the one whose holds would have cost least lately (expert.ts).
 */

import { floorLog2 } from './gap-model.ts';

/** Contexts of the views, in the order of the table. */
export const VIEW_CONTEXTS: readonly number[] = [33, 1, 24, 8];

/** Context of "tau" in the view of the last gap. */
const GAP_TAU = 16;

/** Returns the context of the view of the last gap: half octaves of it over tau, rounded. */
export function gapContext(gap: number, tau: number): number {
  const ratio = gap / tau;
  const context = floorLog2(ratio * ratio * Math.SQRT2) + GAP_TAU;
  return Math.max(0, Math.min(VIEW_CONTEXTS[2]! - 1, context));
}
