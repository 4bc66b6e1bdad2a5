/** What a scenario is: contenders that are measured in turn, and figures that compare them. */
import type { Histogram } from '@millrace/histogram';
import type { ContenderProgress } from './plan.ts';

/** What one measurement of a contender gave. */
export interface Measurement {
  /** Key to echo (ns), if keys were typed. */
  readonly echo?: Histogram;
  readonly values: Readonly<Partial<Record<ValueName, number>>>;
  /** What the reader of a report should know: that it was ended early, and why. */
  readonly remark?: string;
}

/** Names of the numbers that measurements give, each with its unit. */
export type ValueName =
  | 'echoP50Ms'
  | 'echoP99Ms'
  | 'queuedKb'
  | 'rssGrowthMb'
  | 'serverRssMb'
  | 'cpuPercent'
  | 'cpuMsPerMb'
  | 'floodMbPerSecond'
  | 'snapshotsPerSecond'
  | 'bytesWrong'
  | 'replyP50Ms'
  | 'replyMaxMs';

/** How measurements are made. */
export interface BenchContext {
  readonly tmux: string;
  readonly signal: AbortSignal;
  /** Scales the time of each measurement. */
  readonly scale: number;
  /** Module of node-pty, for the contender that uses one. */
  readonly ptyModule?: string;
  readonly progress?: (progress: ContenderProgress) => void;
}

/** Makes one measurement. */
export type Measure = (context: BenchContext) => Promise<Measurement>;

/** One line of the table. */
export interface Figure {
  readonly name: string;
  readonly value: ValueName;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** What `ours` must reach: a factor against the best of `peers`, or without peers a value in the unit. */
  readonly bar: number;
  readonly stretch?: number;
  /** Contenders that it is compared with; none for an absolute figure. */
  readonly peers?: readonly string[];
  /** Contenders that are shown beside it, without a say in the verdict. */
  readonly beside?: readonly string[];
  /** Shown with a bar that is missed: what keeps it from holding. */
  readonly note?: string;
}

/** Contenders on one workload. */
export interface Scenario {
  /** A word, for `--scenario`. */
  readonly name: string;
  /** What is done, as a phrase. */
  readonly title: string;
  readonly ours: string;
  readonly contenders: Readonly<Record<string, Measure>>;
  readonly figures: readonly Figure[];
  /** Measurements per contender that `millrace bench` makes. */
  readonly rounds: number;
  /** Why it, or one contender, can't run here. */
  readonly unavailable?: (contender?: string) => string | undefined;
}
