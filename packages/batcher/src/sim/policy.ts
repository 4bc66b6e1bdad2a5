/** What decides in a simulation when a batch leaves. */
import { Law } from '../law/law.ts';
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
  /** Called when a batch leaves, with the time that its flush will take. */
  flushed?(now: number, count: number, bytes: number, duration: number, age: number): void;
  /** Returns how many items of the queue the batch takes. @defaultValue all that the caps allow */
  take?(queue: QueueView): number;
}

/** Makes a policy for a cost configuration. */
export type PolicyFactory = (cost: CostConfiguration) => Policy;

/** The batcher's own law as a policy. */
export const lawPolicy: PolicyFactory = (cost) => {
  const law = new Law({ delayMax: cost.delayMax, overhead: cost.overhead });
  return {
    arrive: (now) => law.arrive(now),
    due: (now, queue) =>
      queue.count >= cost.countMax || queue.bytes >= cost.bytesMax
        ? now
        : law.due(now, queue.oldest),
    flushed: (now, _count, bytes, duration) => {
      law.flushed(now);
      law.cost.observe(bytes, duration);
    },
  };
};
