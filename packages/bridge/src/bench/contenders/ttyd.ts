/**
 * The contender that serves a terminal: `ttyd` runs `tmux attach`, and the viewer is a WebSocket client that speaks its
 * protocol as its own page does.
 *
 * ```text
 * client ──▶ subprotocol `tty`; the first message is JSON: token, columns, rows
 *        ──▶ '0' + what is typed · '2' pause · '3' resume
 *        ◀── '0' + output · '1' + title · '2' + preferences
 * ```
 *
 * tmux draws both panes into one screen, so every byte counts as the flood's, the echo's too: to its favour. A key comes
 * whole, because tmux draws a run of cells at once.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { BridgeError } from '../../errors.ts';
import type { ContenderPlan } from '../plan.ts';
import { spawnGuarded } from './guarded-child.ts';
import type { Contender, Viewer } from './viewer.ts';

/** What ttyd's page counts: blocks of so many bytes that its terminal hasn't drawn; more than 10 pause, below 4 resume. */
const blockBytes = 100_000;
const blocksHigh = 10;
const blocksLow = 4;

const command = { output: 0x30, input: '0', pause: '2', resume: '3' } as const;
const startMsMax = 10_000;

/** Starts ttyd on a Unix socket in the private server's folder; resolves when it listens. */
async function startTtyd(plan: ContenderPlan, path: string): Promise<{ kill(): void }> {
  const select = ['select-pane', '-t', `%${plan.echoPane}`, ';'];
  const attach = [plan.tmux, '-S', plan.socketPath, '-u', ...select, 'attach-session'];
  const child = spawnGuarded('ttyd', ['--writable', '-i', path, ...attach]);
  let said = '';
  child.stdout.resume();
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new BridgeError('ERR_TMUX_CONNECT', `ttyd ${why}: ${said.slice(-300).trim()}`));
    const timer = setTimeout(() => fail(`didn't listen within ${startMsMax} ms`), startMsMax);
    child.onExit(() => fail('ended'));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
      if (!/Listening on/.test(said)) return;
      clearTimeout(timer);
      resolve();
    });
  }).catch((error: unknown) => {
    child.kill();
    throw error;
  });
  return child;
}

/** Starts ttyd and opens its viewer. */
export async function openTtyd(plan: ContenderPlan, viewer: Viewer): Promise<Contender> {
  const path = join(plan.socketPath, '..', 'ttyd.sock');
  const ttyd = await startTtyd(plan, path);
  const socket = new WebSocket(`ws+unix:${path}:/ws`, ['tty'], { perMessageDeflate: false });
  socket.on('error', () => {});
  await once(socket, 'open');
  let blocks = 0;
  let written = 0;
  socket.on('message', (data: Buffer) => {
    if (data[0] !== command.output) return;
    const bytes = data.subarray(1);
    written += bytes.length;
    if (written <= blockBytes) {
      viewer.deliver('both', bytes);
      return;
    }
    written = 0;
    if (++blocks > blocksHigh) socket.send(command.pause);
    viewer.deliver('both', bytes, () => {
      if (--blocks < blocksLow) socket.send(command.resume);
    });
  });
  // A row more for tmux's status line.
  socket.send(JSON.stringify({ AuthToken: '', columns: 120, rows: 41 }));
  return {
    type: (text) => socket.send(command.input + text),
    queuedBytes: () => viewer.queuedBytes,
    stop: () => {
      socket.terminate();
      ttyd.kill();
      return Promise.resolve();
    },
  };
}
