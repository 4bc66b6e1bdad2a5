/** Watches which worker threads a piece of the library starts. */
import { Worker } from 'node:worker_threads';

/** Returns the workers that are listened to from now until `stop`, which must be called. */
export function watchWorkers(): { readonly workers: ReadonlySet<Worker>; stop(): void } {
  const workers = new Set<Worker>();
  const { on } = Worker.prototype;
  Worker.prototype.on = function (this: Worker, ...args: Parameters<Worker['on']>) {
    workers.add(this);
    return on.apply(this, args);
  } as Worker['on'];
  return {
    workers,
    stop: () => {
      Worker.prototype.on = on;
    },
  };
}
