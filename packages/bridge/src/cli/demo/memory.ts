/** Memory over the same program without the bridge: pairs of processes on the same tmux at the same time. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Floor } from './floors.ts';

const run = promisify(execFile);
/** The summary's name for it. */
export const memoryFigure = 'memory (RSS) over the same program without it';

const floorRatio = 1.05;
const pairs = 3;

/** Memory of a process after a collection (bytes). */
export interface Memory {
  readonly rss: number;
  readonly heap: number;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Returns why the comparison can't run, if it can't. */
function memoryUnavailable(): string | undefined {
  try {
    createRequire(import.meta.url).resolve('@xterm/headless');
    return undefined;
  } catch {
    return '@xterm/headless is not installed';
  }
}

const isSource = import.meta.url.endsWith('.ts');
const ownProbe = new URL(isSource ? './memory-probe.ts' : './memory-probe.js', import.meta.url);

/**
 * Runs one side of the comparison in a process of its own and returns its memory.
 *
 * @param built - the built package's probe, to run that instead of the one beside this file
 */
export async function probeMemory(
  mode: 'bridge' | 'plain',
  tmux: string,
  socketPath: string,
  seconds: number,
  signal: AbortSignal,
  built?: URL,
): Promise<Memory> {
  const file = built ?? ownProbe;
  const { stdout } = await run(
    process.execPath,
    [
      ...(built === undefined ? process.execArgv : []),
      '--expose-gc',
      fileURLToPath(file),
      mode,
      tmux,
      socketPath,
      String(seconds),
    ],
    { signal, timeout: 60_000 },
  );
  return JSON.parse(stdout) as Memory;
}

/** Measures on a running tmux. */
export async function memoryFloor(
  tmux: string,
  socketPath: string,
  seconds: number,
  signal: AbortSignal,
): Promise<Floor> {
  const base = { figure: memoryFigure, floor: '< 5 %' };
  const reason = memoryUnavailable();
  if (reason !== undefined) return { ...base, reason };
  const bridges: number[] = [];
  const plains: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const [bridge, plain] = await Promise.all([
      probeMemory('bridge', tmux, socketPath, seconds, signal),
      probeMemory('plain', tmux, socketPath, seconds, signal),
    ]);
    bridges.push(bridge.rss);
    plains.push(plain.rss);
  }
  const ratio = median(bridges) / median(plains);
  return {
    ...base,
    measured: `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`,
    holds: ratio < floorRatio,
  };
}
