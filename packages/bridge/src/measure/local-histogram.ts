/**
 * A station's histogram where only one thread records, or no memory can be shared: what `SharedHistogram` does, for
 * the only thread that records.
 *
 * Cost: recording as in `Histogram`, no allocation; an interval copies the counts.
 */
import { Histogram, type HistogramOptions } from '@millrace/histogram';

/** Counts one thread's values. */
export class LocalHistogram {
  readonly #histogram: Histogram;

  constructor(options: HistogramOptions) {
    this.#histogram = new Histogram(options);
  }

  /** Returns where to record; there is nothing to give back. */
  claim(): Pick<Histogram, 'record' | 'recordCount'> {
    return this.#histogram;
  }

  /** Returns everything recorded so far, as the caller's own. */
  total(): Histogram {
    return this.#histogram.copy();
  }

  /** Creates a reader of intervals, the first of which starts now. */
  intervals(): { next(): Histogram } {
    let before = this.total();
    return {
      next: () => {
        const gained = this.total();
        const now = gained.copy();
        gained.subtract(before);
        before = now;
        return gained;
      },
    };
  }
}
