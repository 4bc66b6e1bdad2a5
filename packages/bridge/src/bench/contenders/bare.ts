/** The bound of what a thread can see: the contender that looks for typed keys in shared memory whenever it is free. */
import type { ContenderPlan } from '../plan.ts';
import type { Contender, Viewer } from './viewer.ts';

/** Looks at each turn of the event loop. */
export function openBare(_plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  let isStopped = false;
  const look = (): void => {
    viewer.seeTyped();
    if (!isStopped) setImmediate(look);
  };
  look();
  return Promise.resolve({
    type: () => {},
    queuedBytes: () => 0,
    stop: () => {
      isStopped = true;
      return Promise.resolve();
    },
  });
}
