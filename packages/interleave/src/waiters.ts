/**
 * The waiter lists of all locations, as rows: who sleeps where, in the order of arrival.
 *
 *   row:   | at, thread, wait, state | at, thread, wait, state | ...   sorted by address, then arrival
 *   wait:  0 for Atomics.wait, k + 1 for the k-th waitAsync of the thread
 *   state: bit 0 = has a finite timeout, bit 1 = notified, but the thread hasn't run yet (waitAsync only)
 */
import { Native } from './native.ts';
import { RowTable } from './tables.ts';

export interface Waiter {
  readonly at: number;
  readonly thread: number;
  /** Ordinal of the thread's waitAsync; -1 for a blocking wait. */
  readonly wait: number;
  readonly finite: boolean;
  readonly notified: boolean;
}

export class Waiters {
  readonly #rows = new RowTable();
  readonly #lists: Waiter[][] = [];
  /** Id of the state in which nobody waits. */
  readonly start: number = this.intern([]);

  /** Waiters of a state, in order. */
  list(id: number): readonly Waiter[] {
    return this.#lists[id]!;
  }

  /** Id of a state with these waiters; the order of waiters of one location counts. */
  intern(waiters: readonly Waiter[]): number {
    const sorted = waiters
      .map((waiter, index) => ({ waiter, index }))
      .sort((x, y) => order(x.waiter) - order(y.waiter) || x.index - y.index)
      .map(({ waiter }) => waiter);
    const cells = new Native.Int32Array(sorted.length * 4);
    sorted.forEach(({ at, thread, wait, finite, notified }, index) => {
      cells.set([at, thread, wait, (finite ? 1 : 0) + (notified ? 2 : 0)], index * 4);
    });
    const id = this.#rows.intern(cells, cells.length);
    this.#lists[id] ??= sorted;
    return id;
  }
}

/** Notified waiters are no longer in any list: their order carries no meaning. */
const order = ({ at, thread, wait, notified }: Waiter): number =>
  notified ? 2 ** 40 + thread * 2 ** 20 + wait : at;
