/**
 * Lock-free queues over SharedArrayBuffer. Exports in the order of a record's way: create a ring, produce,
 * consume.
 */

export { type ReadyOptions, RingConsumer } from './consumer.ts';
export { ConsumerCore, DRAIN_ABORT, DRAIN_STOP, type DrainCallback } from './consumer-core.ts';
export type { CopyKernel } from './copy.ts';
export {
  RingClosedError,
  type RingEnd,
  type RingErrorCode,
  RingRangeError,
  RingStateError,
  RingTypeError,
} from './errors.ts';
export type {
  ConsumerOptions,
  FullPolicy,
  HandleOptions,
  ProducerOptions,
  PublishPolicy,
} from './options.ts';
export { type PushOptions, RingProducer } from './producer.ts';
export { ProducerCore } from './producer-core.ts';
export {
  attachConsumer,
  attachProducer,
  createRing,
  markDead,
  type Ring,
  type RingHandle,
  type RingOptions,
  type RingSide,
  ringBytes,
} from './ring.ts';
export type { Doorbell, WaitOptions, WaitStrategy } from './wait.ts';
