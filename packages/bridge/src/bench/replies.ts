/** How long commands take while a sink holds their session up: tmux answers behind the output that it queued before. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { BridgeError } from '../errors.ts';
import type { BenchContext, Measure, Measurement } from './scenario.ts';
import { floodCommand, withWorkload } from './workload.ts';

const seconds = 8;
/** Apart by times that no timer of the session shares; a command that comes late finds more before it. */
const gapsMs = [70, 1310, 230, 590, 30, 870];
/** What commands may read ahead is a limit, not what is measured. */
const aheadBytesMax = 2 ** 30;
/** From here on a sink that accepts nothing holds its session up: the default of a pipe. */
const heldBytes = 1 << 18;

/** Asks again and again, one at a time, and returns how long the answers took. */
async function measureReplies(
  { signal, scale }: BenchContext,
  ask: () => Promise<unknown>,
): Promise<Measurement> {
  const untilMs = performance.now() + seconds * 1000 * scale;
  const took: number[] = [];
  while (performance.now() < untilMs || took.length < 3) {
    await sleep(gapsMs[took.length % gapsMs.length], undefined, { signal });
    const askedMs = performance.now();
    await ask();
    took.push(performance.now() - askedMs);
  }
  took.sort((a, b) => a - b);
  return { values: { replyP50Ms: took[took.length >> 1]!, replyMaxMs: took.at(-1)! } };
}

/**
 * Sends commands to a session with a flooding pane.
 *
 * @param accepts - whether the pane's sink accepts what it is given; if not, it never does
 */
export const timeReplies =
  (accepts: boolean): Measure =>
  (context) =>
    withWorkload(context.tmux, floodCommand, context.signal, async ({ socketPath, floodPane }) => {
      const { tmux, signal } = context;
      const closeTimeoutMs = 200;
      const session = await connect({ tmux, socketPath, signal, aheadBytesMax, closeTimeoutMs });
      try {
        const write = accepts ? () => undefined : () => new Promise<void>(() => {});
        session.panes.get(floodPane)!.pipe({ write }, { stalledMs: 0 });
        return await measureReplies(context, () =>
          session.command('display-message', '-p', 'here'),
        );
      } finally {
        await session.close();
      }
    });

/**
 * Sends the same commands with nothing of ours: a client of control mode that isn't read but for its replies, and whose
 * bytes are looked at for nothing but the reply. What tmux has queued by then is all that it waits for.
 */
export const timeBareReplies: Measure = (context) =>
  withWorkload(context.tmux, floodCommand, context.signal, async ({ socketPath }) => {
    const { TMUX: _, ...env } = process.env;
    const args = ['-S', socketPath, '-u', '-C', 'attach-session'];
    const client = spawn(context.tmux, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.stdin.on('error', () => {});
    let bytes = 0;
    let tail = '';
    let answered: ((error?: Error) => void) | undefined;
    let mark = '';
    client.once('close', () => {
      answered?.(new BridgeError('ERR_TMUX_EXITED', 'the bare client ended'));
    });
    client.stdout.setEncoding('latin1').on('data', (text: string) => {
      bytes += text.length;
      const seen = tail + text;
      tail = seen.slice(-64);
      if (answered !== undefined ? seen.includes(mark) : bytes >= heldBytes) {
        client.stdout.pause();
        answered?.();
      }
    });
    let asked = 0;
    const ask = (): Promise<void> =>
      new Promise((resolve, reject) => {
        mark = `\nhere ${asked++}\n`;
        answered = (error) => (error === undefined ? resolve() : reject(error));
        client.stdin.write(`display-message -p '${mark.trim()}'\n`);
        client.stdout.resume();
      });
    try {
      while (bytes < heldBytes) await sleep(10, undefined, { signal: context.signal });
      return await measureReplies(context, ask);
    } finally {
      answered = undefined;
      client.kill('SIGKILL');
      client.stdout.destroy();
      await gone;
    }
  });
