/** What the live view shows, taken from a running session at a moment. */
import type { StationName, StationStats } from '../../measure/stations.ts';
import type { Session } from '../../session.ts';

/** A pane's line in the view. */
export interface PaneSnapshot {
  readonly title: string;
  readonly bytes: number;
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
}

/** Everything in the view. */
export interface Snapshot {
  readonly title: string;
  readonly elapsedSeconds: number;
  /** User and system time of this process per second of time, since the last snapshot. */
  readonly cpuShare: number;
  readonly rssBytes: number;
  readonly panes: readonly PaneSnapshot[];
  readonly stations: Readonly<Record<StationName, StationStats>>;
  readonly echo?: StationStats;
}

/** Takes snapshots of one session, with rates since the one before. */
export class Sampler {
  readonly #session: Session;
  readonly #title: string;
  readonly #paneTitle: (id: number) => string;
  readonly #echo: (() => StationStats) | undefined;
  readonly #startMs: number = performance.now();
  readonly #before = new Map<number, { bytes: number; records: number }>();
  #sampledMs: number = performance.now();
  #cpu: NodeJS.CpuUsage = process.cpuUsage();

  constructor(
    session: Session,
    title: string,
    paneTitle: (id: number) => string,
    echo?: () => StationStats,
  ) {
    this.#session = session;
    this.#title = title;
    this.#paneTitle = paneTitle;
    this.#echo = echo;
  }

  /** Takes a snapshot. */
  sample(): Snapshot {
    const now = performance.now();
    const seconds = Math.max(1e-3, (now - this.#sampledMs) / 1000);
    const cpu = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    this.#sampledMs = now;
    const panes = [...this.#session.panes.values()].map((pane) => {
      const before = this.#before.get(pane.id) ?? { bytes: 0, records: 0 };
      this.#before.set(pane.id, { bytes: pane.bytes, records: pane.records });
      return {
        title: this.#paneTitle(pane.id),
        bytes: pane.bytes,
        bytesPerSecond: (pane.bytes - before.bytes) / seconds,
        recordsPerSecond: (pane.records - before.records) / seconds,
      };
    });
    const echo = this.#echo?.();
    return {
      title: this.#title,
      elapsedSeconds: (now - this.#startMs) / 1000,
      cpuShare: (cpu.user + cpu.system) / 1e6 / seconds,
      rssBytes: process.memoryUsage.rss(),
      panes,
      stations: this.#session.stats().stations,
      ...(echo === undefined ? {} : { echo }),
    };
  }
}
