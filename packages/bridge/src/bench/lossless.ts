/** Compares every byte at a lossless sink behind a slow link with what tmux's own `pipe-pane` wrote to a file. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { BridgeError } from '../errors.ts';
import { Link } from './link.ts';
import type { BenchContext, Measurement } from './scenario.ts';
import { withWorkload } from './workload.ts';

const bytesPerSecond = 4_000_000;
const bytesMax = 1 << 28;
const patienceMs = 60_000;
const endMark = 'all of it is written';

/** Lines of counted text in colour and with wide characters, then a mark; starts when a line is typed. */
const producer = (count: number): string =>
  [
    'stty raw -echo; read -r start;',
    `seq -f "$(printf '%%.0f \\033[3%sm colour \\033[0m 日本語 0123456789')" 1 ${count};`,
    `echo '${endMark}'; exec sleep 100000`,
  ].join(' ');

const differing = (one: Uint8Array, other: Uint8Array): number => {
  let count = Math.abs(one.length - other.length);
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) count++;
  return count;
};

/** Makes the comparison; `bytesWrong` counts places that differ and bytes that are missing. */
export async function compareLossless(context: BenchContext): Promise<Measurement> {
  const lines = Math.max(1000, Math.round(150_000 * context.scale));
  const { tmux, signal } = context;
  return withWorkload(
    tmux,
    producer(lines),
    signal,
    async ({ socketPath, directory, floodPane }) => {
      const link = new Link(bytesPerSecond);
      const got: Buffer[] = [];
      let gotBytes = 0;
      let ended = false;
      const session = await connect({ tmux, socketPath, signal });
      try {
        const pane = session.panes.get(floodPane)!;
        const file = join(directory, 'pipe-pane');
        await session.command('pipe-pane', '-t', `%${floodPane}`, `exec cat > '${file}'`);
        pane.pipe({
          write: (bytes) =>
            new Promise<void>((resolve) => {
              link.write(bytes.length, () => {
                const piece = Buffer.from(bytes);
                gotBytes += piece.length;
                if (gotBytes <= bytesMax) got.push(piece);
                if (Buffer.concat(got.slice(-2)).includes(endMark)) ended = true;
                resolve();
              });
            }),
        });
        await pane.type('go\n');
        const deadline = performance.now() + patienceMs;
        while (!ended) {
          await sleep(20, undefined, { signal });
          if (performance.now() > deadline || !session.panes.has(floodPane)) {
            throw new BridgeError('ERR_TMUX_TIMEOUT', `not written within ${patienceMs} ms`);
          }
        }
        const sink = Buffer.concat(got);
        let piped = await readFile(file);
        // `cat` may write its last part a moment later.
        for (let tries = 0; tries < 50 && !piped.includes(endMark); tries++) {
          await sleep(20, undefined, { signal });
          piped = await readFile(file);
        }
        return { values: { bytesWrong: differing(sink, piped) } };
      } finally {
        link.stop();
        await session.close();
      }
    },
  );
}
