/** How long commands take while a sink holds their session up: tmux answers behind the output that it queued before. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../connect.ts';
import type { Measure } from './scenario.ts';
import { floodCommand, withWorkload } from './workload.ts';

const seconds = 8;
/** Apart by times that no timer of the session shares; a command that comes late finds more before it. */
const gapsMs = [70, 1310, 230, 590, 30, 870];
/** What commands may read ahead is a limit, not what is measured. */
const aheadBytesMax = 2 ** 30;

/**
 * Sends commands, one at a time, to a session with a flooding pane.
 *
 * @param accepts - whether the pane's sink accepts what it is given; if not, it never does
 */
export const timeReplies =
  (accepts: boolean): Measure =>
  ({ tmux, signal, scale }) =>
    withWorkload(tmux, floodCommand, signal, async ({ socketPath, floodPane }) => {
      const session = await connect({
        tmux,
        socketPath,
        signal,
        aheadBytesMax,
        closeTimeoutMs: 200,
      });
      try {
        const write = accepts ? () => undefined : () => new Promise<void>(() => {});
        session.panes.get(floodPane)!.pipe({ write }, { stalledMs: 0 });
        const untilMs = performance.now() + seconds * 1000 * scale;
        const took: number[] = [];
        while (performance.now() < untilMs || took.length < 3) {
          await sleep(gapsMs[took.length % gapsMs.length], undefined, { signal });
          const sentMs = performance.now();
          await session.command('display-message', '-p', 'here');
          took.push(performance.now() - sentMs);
        }
        took.sort((a, b) => a - b);
        return { values: { replyP50Ms: took[took.length >> 1]!, replyMaxMs: took.at(-1)! } };
      } finally {
        await session.close();
      }
    });
