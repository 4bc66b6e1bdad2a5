/**
 * Lock-free queues over SharedArrayBuffer. Exports in the order of a record's way: create a ring, produce,
 * consume.
 */

export { attachBroadcastConsumer, attachBroadcastProducer, createBroadcast } from './broadcast.ts';
export {
  BroadcastConsumer,
  type BroadcastConsumerOptions,
  type BroadcastDrainCallback,
} from './broadcast-consumer.ts';
export { BroadcastProducer } from './broadcast-producer.ts';
export {
  type Channel,
  type ChannelOptions,
  canShare,
  createChannel,
  transferOf,
} from './channel.ts';
export { RingConsumer } from './consumer.ts';
export { ConsumerEnd, type ReadyOptions } from './consumer-end.ts';
export type { CopyKernel } from './copy.ts';
export { DRAIN_ABORT, DRAIN_STOP, type DrainCallback, type LanesDrainCallback } from './drain.ts';
export {
  RingClosedError,
  type RingEnd,
  type RingErrorCode,
  RingRangeError,
  RingStateError,
  RingTypeError,
} from './errors.ts';
export type { HalfDone } from './half-done.ts';
export { LaneProducer } from './lane-producer.ts';
export {
  attachLane,
  attachLanesConsumer,
  createLanes,
  type LaneOptions,
  type Lanes,
  type LanesOptions,
  lanesBytes,
  markLaneDead,
} from './lanes.ts';
export { LanesConsumer } from './lanes-consumer.ts';
export type { MessageHandle } from './mirror.ts';
export type {
  ConsumerOptions,
  FullPolicy,
  HandleOptions,
  ProducerOptions,
  PublishPolicy,
} from './options.ts';
export { RingProducer } from './producer.ts';
export { ProducerEnd } from './producer-end.ts';
export { attachQueue, createQueue } from './queue.ts';
export { Reader } from './reader.ts';
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
export { SlotConsumer } from './slot-consumer.ts';
export { SlotProducer } from './slot-producer.ts';
export {
  attachSlotConsumer,
  attachSlotProducer,
  createSlotRing,
  type SlotRingOptions,
} from './slots.ts';
export { inspect, type RingStats, readStats } from './stats.ts';
export { type ReadableSource, readableFrom, type WritableTarget, writableTo } from './streams.ts';
export { type Fields, type FieldType, type Struct, struct, type ValuesOf } from './struct.ts';
export type { Doorbell, WaitOptions, WaitStrategy } from './wait.ts';
export { WorkQueue } from './work-queue.ts';
export { type PushOptions, Writer } from './writer.ts';
