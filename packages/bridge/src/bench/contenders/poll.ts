/** The contender that asks: `tmux capture-pane` of both panes every 100 ms, each command a process of its own. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, PaneRole, Viewer } from './viewer.ts';

const run = promisify(execFile);
const pollMs = 100;

/** Begins to ask. */
export async function openPoll(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const { TMUX: _, ...env } = process.env;
  const tmux = (...args: string[]): Promise<{ stdout: Buffer }> =>
    run(plan.tmux, ['-S', plan.socketPath, ...args], { env, encoding: 'buffer' });
  const panes: readonly [PaneRole, number][] = [
    ['flood', plan.floodPane],
    ['echo', plan.echoPane],
  ];
  let open = true;
  const polling = (async () => {
    while (open) {
      const started = performance.now();
      for (const [role, pane] of panes) {
        const { stdout } = await tmux('capture-pane', '-p', '-e', '-t', `%${pane}`);
        // The next picture waits until the viewer has this one.
        await new Promise<void>((resolve) => viewer.deliver(role, stdout, resolve));
      }
      await sleep(Math.max(0, pollMs - (performance.now() - started)));
    }
  })();
  polling.catch(() => {});
  return {
    type: (text) => {
      tmux('send-keys', '-t', `%${plan.echoPane}`, '-l', text).catch(() => {});
    },
    queuedBytes: () => viewer.queuedBytes,
    stop: async () => {
      open = false;
      await polling.catch(() => {});
    },
  };
}
