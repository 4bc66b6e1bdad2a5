/** What arrives in a simulation: a fixed list of arrivals, or a producer that reacts to what was delivered. */
import type { Random } from './random.ts';

/** Arrivals of a simulation; times in us, ascending. */
export interface Workload {
  /** A short name. */
  readonly name: string;
  /** Arrival times (us, ascending). Equal times are one tick. */
  readonly times: Float64Array;
  /** Bytes of each arrival. @defaultValue 8 each */
  readonly bytes?: Float64Array;
  /** Key of each arrival. */
  readonly keys?: Int32Array;
  /**
   * What the law of the gap after each arrival depends on, as the generator knows it and no policy does: a number for
   * each state. Only `informedCost` looks at it.
   */
  readonly states?: Int32Array;
  /** Length of the observation (us). */
  readonly horizon: number;
  /** Spans in which the sink doesn't take anything, whatever the policy does (us, ascending). */
  readonly stalls?: readonly (readonly [start: number, end: number])[];
  /** A producer that waits for deliveries. */
  readonly loop?: ClosedLoop;
}

/** A producer that goes on only after its output was delivered: a request, a cursor report, a prompt. */
export interface ClosedLoop {
  /** Rounds until it ends. */
  readonly rounds: number;
  /** Time that the clairvoyant optimum holds in each round (us): from a round's first item to its last. */
  readonly roundHold: number;
  /** Arrivals of a round, relative to its start (us). */
  readonly offsets: readonly number[];
  /** Returns the time from a round's delivery to the next round's start (us). */
  readonly think: (random: Random) => number;
}

/** What flushing costs, and what the policy must keep. */
export interface CostConfiguration {
  /** Fixed cost of a flush (us). */
  readonly fixed: number;
  /** Cost of a byte (us). */
  readonly perByte: number;
  /** CPU us worth spending to save one us of staleness. */
  readonly overhead: number;
  /** Latency budget (us). */
  readonly delayMax: number;
  /** Items in a batch. */
  readonly countMax: number;
  /** Bytes in a batch. */
  readonly bytesMax: number;
}

/** The three sinks that the published tables use. */
export const configurations: Readonly<Record<'ipc' | 'render' | 'strict', CostConfiguration>> = {
  /** A message to another process or a WebSocket frame. */
  ipc: {
    fixed: 50,
    perByte: 0.002,
    overhead: 0.1,
    delayMax: 5000,
    countMax: 65536,
    bytesMax: 1 << 20,
  },
  /** A flush that draws. */
  render: {
    fixed: 1000,
    perByte: 0.02,
    overhead: 0.1,
    delayMax: 16000,
    countMax: 65536,
    bytesMax: 1 << 20,
  },
  /** A hand-over inside the process. */
  strict: {
    fixed: 5,
    perByte: 0.002,
    overhead: 0.1,
    delayMax: 500,
    countMax: 65536,
    bytesMax: 1 << 20,
  },
};
