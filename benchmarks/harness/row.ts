/**
 * What a benchmark is: a row of the table, made of contenders that are measured in turn.
 *
 * A contender returns one sample: the figure of one measurement that it made itself, long enough to be
 * above the clock's resolution (a few milliseconds at least), after its own warm-up. The runner calls ours
 * and the peers interleaved (A B A B ...), takes each one's median, and forms the ratio; a machine whose
 * speed drifts then moves both sides alike. Nothing here is a test: a missed bar is printed, never thrown.
 */

/** One measurement: returns a figure in the row's unit. */
export type Contender = () => number | Promise<number>;

interface RowBase {
  /** What is measured, as a phrase; unique within the package. */
  readonly name: string;
  /** Unit of every contender's figure, e.g. `ns/op`, `MB/s`. */
  readonly unit: string;
  /** Whether less or more of the unit is better. */
  readonly better: 'lower' | 'higher';
  /** Rounds to run, 3 or more; `--rounds` overrides. @defaultValue 5 */
  readonly rounds?: number;
  /** Returns why the row can't run here (tmux missing, no compiler), or undefined when it can. */
  readonly unavailable?: () => string | undefined;
  /** Runs before the first and after the last round. */
  readonly setup?: () => void | Promise<void>;
  readonly teardown?: () => void | Promise<void>;
  readonly ours: Contender;
  /** Measured in the same rounds and printed, without a say in ratio and verdict: what the hardware gives. */
  readonly beside?: Readonly<Record<string, Contender>>;
  /** Printed beside a bar that is missed: what keeps it from holding. */
  readonly note?: string;
}

/** Ours against one peer or several: `bar` and `stretch` are factors, how many times better than the best peer. */
export interface ComparisonRow extends RowBase {
  readonly kind: 'comparison';
  readonly peers: Readonly<Record<string, Contender>>;
  readonly bar: number;
  readonly stretch?: number;
}

/** Ours alone against a figure in the row's unit: at most `bar` when lower is better, else at least `bar`. */
export interface AbsoluteRow extends RowBase {
  readonly kind: 'absolute';
  readonly bar: number;
  readonly stretch?: number;
  /** Measured and printed beside ours, without a say in the verdict. */
  readonly peers?: Readonly<Record<string, Contender>>;
}

export type Row = ComparisonRow | AbsoluteRow;

/** A finished row. `ratio` is ours to the best peer, always so that more is better; absent without peers. */
export interface Result {
  readonly package: string;
  readonly name: string;
  readonly unit: string;
  readonly ours?: number;
  readonly spread?: readonly [minimum: number, maximum: number];
  readonly peers: Readonly<Record<string, number>>;
  readonly beside?: Readonly<Record<string, number>>;
  readonly ratio?: number;
  readonly bar: string;
  readonly stretch?: string;
  readonly verdict: 'holds' | 'falls short' | 'not run';
  readonly stretchHolds?: boolean;
  readonly reason?: string;
  readonly note?: string;
}
