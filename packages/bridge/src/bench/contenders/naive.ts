/**
 * The contender that most programs begin with: `readline` and a regular expression over `tmux -C`.
 *
 * `naive` sends on whatever it has read. `backpressure` stops reading while its viewer is 64 KiB behind, as a
 * stream's `pipe` does.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, Viewer } from './viewer.ts';

const highBytes = 65_536;
const lowBytes = 16_384;

/** Attaches, reads lines and sends them on. */
export async function openNaive(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const { TMUX: _, ...env } = process.env;
  const child = spawn(plan.tmux, ['-S', plan.socketPath, '-u', '-C', 'attach-session'], { env });
  const bounded = plan.kind === 'backpressure';
  child.stdin.on('error', () => {});
  child.stdout.setEncoding('latin1');
  const passed = (): void => {
    if (bounded && viewer.queuedBytes < lowBytes) child.stdout.resume();
  };
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const match = /^%output %(\d+) (.*)$/.exec(line);
    if (match === null) return;
    const text = match[2]!.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const role = Number(match[1]) === plan.echoPane ? 'echo' : 'flood';
    viewer.deliver(role, Buffer.from(text, 'latin1'), passed);
    if (bounded && viewer.queuedBytes > highBytes) child.stdout.pause();
  });
  await new Promise((resolve) => lines.once('line', resolve));
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    type: (text) => {
      child.stdin.write(`send-keys -t %${plan.echoPane} -l ${text}\n`);
    },
    queuedBytes: () => viewer.queuedBytes,
    stop: () => {
      child.kill('SIGKILL');
      // What it has sent is of no use now, and would keep 'close' from coming.
      child.stdout.destroy();
      return gone;
    },
  };
}
