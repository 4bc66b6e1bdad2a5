/** Runs one transport between two workers and returns the best decile of its windows, in ns per message. */
import { readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { capacityFor, inPlaceCapacityFor, transports } from './transports.ts';

const home = fileURLToPath(new URL('../../packages/ringbuffer/', import.meta.url));
const builtMs = statSync(`${home}dist/index.js`, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Whether there is a build, what users run, and it isn't older than the source; else workers run the source. */
export const isBuilt: boolean = readdirSync(`${home}src`).every(
  (name) => statSync(`${home}src/${name}`).mtimeMs <= builtMs,
);
export const builtArgv: string[] = isBuilt ? [] : ['--conditions=@millrace/source'];

export interface PairData {
  readonly name: string;
  readonly role: 'producer' | 'consumer';
  readonly link: unknown;
  readonly size: number;
  readonly total: number;
  readonly first: number;
  readonly windowCount: number;
  readonly gate: SharedArrayBuffer;
}

const isInPlace = (name: string): boolean => name.endsWith('in place') && !name.startsWith('copy');

/** Messages per sample: enough windows of enough messages, and still under a second. */
function totalOf(name: string, size: number): number {
  if (isInPlace(name)) return 3e6 * (size < 64 ? 4 : 1); // whatever the size: no payload is copied
  const bytes = name.startsWith('postMessage') ? 64e6 : name.startsWith('ringbuf') ? 256e6 : 1e9;
  const most =
    name === 'postMessage, 64 by hand'
      ? 1e6
      : name.startsWith('post')
        ? 60_000
        : size < 64
          ? 12e6
          : 3e6;
  const whole = Math.min(most, Math.max(2_000, bytes / size));
  return Math.ceil(whole / 64) * 64;
}

export async function pair(name: string, size: number): Promise<number> {
  const transport = transports[name]!;
  const channel = transport.make === undefined ? new MessageChannel() : undefined;
  const link = await transport.make?.(size);
  const total = totalOf(name, size);
  // A window holds at least eight rings of traffic, so that no backlog flatters the consumer; a port queues
  // without bound, so it has one window, from the first quarter to the end.
  const capacity = isInPlace(name) ? inPlaceCapacityFor(size) : capacityFor(size);
  const windowCount = channel
    ? total - (total >> 2)
    : Math.min(total >> 3, Math.max(64, (capacity * 8) / (size + 8)) | 0);
  const common = { name, size, total, windowCount, first: total >> 2 };
  const gate = new SharedArrayBuffer(8);
  let figure = Number.NaN;
  const spawn = (role: PairData['role'], port: MessagePort | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./pair-worker.ts', import.meta.url), {
        execArgv: builtArgv,
        workerData: { ...common, role, gate, link: port ?? link },
        transferList: port === undefined ? [] : [port as never],
      });
      worker.on('message', (message: number) => {
        figure = message;
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  await Promise.all([
    spawn('consumer', channel?.port1 as never),
    spawn('producer', channel?.port2 as never),
  ]);
  return figure;
}
