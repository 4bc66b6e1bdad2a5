/** What decides in a simulation when a batch leaves. */
import { Law } from '../law/law.ts';
import type { LawTuning } from '../law/tuning.ts';
import type { CostConfiguration } from './workload.ts';

/** What waits, as a policy sees it. */
export interface QueueView {
  /** Items. */
  readonly count: number;
  /** Bytes. */
  readonly bytes: number;
  /** Arrival of the oldest item (us). */
  readonly oldest: number;
  /** Arrival of the newest item (us). */
  readonly newest: number;
}

/** A batching policy under simulation; all times in us. */
export interface Policy {
  /** Called at each tick with arrivals. */
  arrive?(now: number, count: number, bytes: number, queue: QueueView): void;
  /** Returns when the batch should leave; at or before `now` means at once. */
  due(now: number, queue: QueueView): number;
  /** Called when a batch leaves, with the time that its flush will take and the items that it leaves behind. */
  flushed?(
    now: number,
    count: number,
    bytes: number,
    duration: number,
    age: number,
    left: number,
  ): void;
  /** Returns how many items of the queue the batch takes. @defaultValue all that the caps allow */
  take?(queue: QueueView): number;
}

/** Makes a policy for a cost configuration. */
export type PolicyFactory = (cost: CostConfiguration) => Policy;

/** Makes the batcher's own law a policy, with constants to vary. */
export function lawPolicyWith(
  tuning: Partial<LawTuning>,
  waiting: 'oldest' | 'each' = 'oldest',
  resolution = 0,
): PolicyFactory {
  return (cost) => {
    const { delayMax, overhead } = cost;
    const law = new Law({ delayMax, overhead, waiting, resolution, tuning });
    return {
      arrive: (now, _count, _bytes, queue) => law.arrive(now, queue.count),
      due: (now, queue) =>
        queue.count >= cost.countMax || queue.bytes >= cost.bytesMax
          ? now
          : law.due(now, queue.oldest),
      flushed: (now, _count, bytes, duration, _age, left) => {
        law.flushed(now, left);
        law.cost.observe(bytes, duration);
      },
    };
  };
}

/** The batcher's own law as a policy. */
export const lawPolicy: PolicyFactory = lawPolicyWith({});
