/**
 * What a second thread does for a busy one without a bridge: it reads tmux's pipe, looks for the bytes of keys and posts
 * them. No bound: it reads as fast as it can, so tmux floods more and gets to the key later than before a slower reader.
 *
 * It parses nothing, keeps nothing of the flood and knows no panes: the key's bytes don't occur in the flood.
 */
import { spawn } from 'node:child_process';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { keyLength, keyPattern } from '../key-text.ts';
import type { ContenderPlan } from '../plan.ts';
import type { Contender, Viewer } from './viewer.ts';

/** What the reading thread is told. */
export interface KeyReading {
  readonly type: 'read keys';
  readonly tmux: string;
  readonly socketPath: string;
}

/** Starts the thread. */
export async function openBareReader(
  { tmux, socketPath }: ContenderPlan,
  viewer: Viewer,
  program: URL,
): Promise<Contender> {
  const reading: KeyReading = { type: 'read keys', tmux, socketPath };
  const worker = new Worker(program, { workerData: reading, stdin: true });
  worker.on('message', (keys: string) => viewer.deliver('echo', Buffer.from(keys, 'latin1')));
  await new Promise((resolve) => worker.once('online', resolve));
  return {
    type: () => {},
    queuedBytes: () => 0,
    stop: async () => {
      await worker.terminate(); // the client's pipes close with it, so it ends
    },
  };
}

/** Posts keys as they come; the thread's whole program. */
export function readKeys({ tmux, socketPath }: KeyReading): void {
  if (isMainThread) throw new Error('a program for a worker');
  const { TMUX: _, ...env } = process.env;
  const child = spawn(tmux, ['-S', socketPath, '-u', '-C', 'attach-session'], { env });
  child.stdin.on('error', () => {});
  let carry = '';
  child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
    const text = carry + chunk;
    const keys = text.match(keyPattern);
    if (keys !== null) parentPort!.postMessage(keys.join(''));
    // A key that is cut comes again with its rest; a whole one isn't kept.
    const cut = text.lastIndexOf('K');
    carry = cut > text.length - keyLength ? text.slice(cut) : '';
  });
}
