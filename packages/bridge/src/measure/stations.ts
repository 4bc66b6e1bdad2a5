/**
 * How long every station of the way took, recorded from one thread, or from any into shared histograms.
 *
 * ```text
 *  read ──parse──▶ parsed ──ring──▶ drained ──batch──▶ sink.write called ──sink──▶ acknowledged
 *    └────────────────────────── total: what the bridge adds ───────┘
 * ```
 *
 * With a worker, one shared histogram a station: each thread records into a shard of its own, nobody waits for anybody,
 * and who reads doesn't disturb who writes. Without one, a plain histogram each, which takes less memory. A record that
 * was joined with others counts with the latency of the oldest of them, so the figures err on the high side. `ring` is
 * used in worker mode only; inline, a record enters its pipe the moment it is parsed. Stamps travel with the records:
 * where no memory can be shared, the session's thread records for the worker when it takes them, and the figures hold
 * the same.
 *
 * Cost: two or three records of a few nanoseconds per record of tmux, two per write; no allocation.
 */
import { type Histogram, SharedHistogram, type SharedRecorder } from '@millrace/histogram';
import { LocalHistogram } from './local-histogram.ts';

/** The stations, in the order of the way; `total` spans from read to `sink.write`. */
export const stationNames: readonly StationName[] = ['parse', 'ring', 'batch', 'sink', 'total'];

/** Name of a station; `total` spans from read to `sink.write`. */
export type StationName = 'parse' | 'ring' | 'batch' | 'sink' | 'total';

/** Where a thread records one station's latencies (nanoseconds). */
export type LatencyRecorder = Pick<SharedRecorder, 'record' | 'recordCount'>;

/** A thread's way to record. */
export type StationRecorder = Readonly<Record<StationName, LatencyRecorder>> & {
  /** Gives the thread's shards back. */
  release(): void;
};

/** Latency of one station (nanoseconds). */
export interface StationStats {
  /** Records that passed it. */
  readonly count: number;
  /** Median. */
  readonly p50: number;
  /** 95th percentile. */
  readonly p95: number;
  /** 99th percentile. */
  readonly p99: number;
  /** Largest, exactly. */
  readonly max: number;
}

/** Memory of all stations; can be posted to a worker. */
export type StationBuffers = Readonly<Record<StationName, SharedArrayBuffer>>;

const threadsMax = 2;
const hourNs = 3_600_000_000_000;
const layout = { highest: hourNs, digits: 2 } as const;

function histogramOf(
  buffer: SharedArrayBuffer | undefined,
  shared: boolean,
): SharedHistogram | LocalHistogram {
  if (buffer !== undefined) return SharedHistogram.attach(buffer);
  if (!shared || typeof SharedArrayBuffer === 'undefined') return new LocalHistogram(layout);
  return SharedHistogram.create({ ...layout, shards: threadsMax });
}

/** The histograms of a session's stations. */
export class Stations {
  readonly #histograms: Readonly<Record<StationName, SharedHistogram | LocalHistogram>>;

  /**
   * @param shared - whether another thread is to record too, where there is shared memory
   * @param buffers - another thread's, to record into the same histograms
   */
  constructor(shared: boolean, buffers?: StationBuffers) {
    const entries = stationNames.map((name) => [name, histogramOf(buffers?.[name], shared)]);
    this.#histograms = Object.fromEntries(entries);
  }

  /** What to post to a worker; undefined if the memory isn't shared. */
  get buffers(): StationBuffers | undefined {
    const entries: [StationName, SharedArrayBuffer][] = [];
    for (const name of stationNames) {
      const histogram = this.#histograms[name];
      if (histogram instanceof LocalHistogram) return undefined;
      entries.push([name, histogram.buffer]);
    }
    return Object.fromEntries(entries) as StationBuffers;
  }

  /**
   * Claims this thread's shards.
   *
   * @param owner - tag of the thread, so that `releaseOwner` can free its shards if it dies
   */
  recorder(owner: number): StationRecorder {
    const recorders: (LatencyRecorder & { release?(): void })[] = stationNames.map((name) =>
      this.#histograms[name].claim(owner),
    );
    const named = Object.fromEntries(stationNames.map((name, index) => [name, recorders[index]!]));
    return {
      ...(named as Record<StationName, LatencyRecorder>),
      release: () => {
        for (const recorder of recorders) recorder.release?.();
      },
    };
  }

  /** Frees the shards of a thread that died; nothing that it recorded is lost. */
  releaseOwner(owner: number): void {
    for (const name of stationNames) {
      const histogram = this.#histograms[name];
      if (histogram instanceof SharedHistogram) histogram.releaseOwner(owner);
    }
  }

  /** Returns a station's latencies so far, as a histogram of nanoseconds that is the caller's. */
  histogram(name: StationName): Histogram {
    return this.#histograms[name].total();
  }

  /** Returns a reader of what a station recorded since its last look. */
  interval(name: StationName): () => StationStats {
    const reader = this.#histograms[name].intervals();
    return () => statsOf(reader.next());
  }

  /** Returns each station's figures so far. */
  stats(): Readonly<Record<StationName, StationStats>> {
    const entries = stationNames.map((name) => [name, statsOf(this.histogram(name))]);
    return Object.fromEntries(entries);
  }
}

/** Returns the figures of a latency histogram; all 0 if it is empty. */
export function statsOf(histogram: Histogram): StationStats {
  if (histogram.count === 0) return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
  return {
    count: histogram.count,
    p50: histogram.percentile(50),
    p95: histogram.percentile(95),
    p99: histogram.percentile(99),
    max: histogram.max,
  };
}
