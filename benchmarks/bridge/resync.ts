/**
 * The bridge table's row on exactness: resyncs in the middle of a flood, checked by the oracle of the package's tests.
 *
 * A program writes random pieces with colour, wide characters, the alternate screen, cursor and modes, a viewer skips,
 * the program is stopped right after the seam, and every cell, attribute and the cursor must equal what tmux shows.
 * All rounds are one run: a median would hide a wrong screen. A cycle whose snapshot names something as inexact, or in
 * which xterm.js and tmux disagree about a sequence, claims nothing, so there are more cycles than claims.
 */
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { OracleResult } from '../../packages/bridge/test/oracle/oracle.ts';
import type { Row } from '../harness/row.ts';

const tmux = process.env['MILLRACE_TMUX'] ?? 'tmux';
/** Screens that must be claimed exact. */
const claims = Number(process.env['MILLRACE_ORACLE_CLAIMS'] ?? 1000);
/** Of a hundred cycles some 95 claim. */
const cycles = Math.ceil(claims * 1.12);

let result: Promise<OracleResult> | undefined;

/** In a process of its own, whose viewer may lag as often as it can. */
async function runOracle(): Promise<OracleResult> {
  const script = new URL('../../packages/bridge/scripts/resync-oracle.ts', import.meta.url);
  const child = spawn(
    process.execPath,
    ['--conditions=@millrace/source', fileURLToPath(script), String(cycles), '1'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return JSON.parse(await text(child.stdout)) as OracleResult;
}

async function run(): Promise<OracleResult> {
  result ??= runOracle();
  const { exact, differences } = await result;
  if (exact < claims) throw new Error(`only ${exact} of ${cycles} cycles claimed to be exact`);
  for (const difference of differences.splice(0)) console.error(difference);
  return result;
}

/** The row. */
export const resyncRows: readonly Row[] = [
  {
    kind: 'absolute',
    name: `exact resync mid-flood, ${claims.toLocaleString('en')} claims or more: wrong screens`,
    unit: 'screens',
    better: 'lower',
    bar: 0,
    rounds: 3,
    unavailable: () =>
      spawnSync(tmux, ['-V']).error === undefined ? undefined : 'no tmux on PATH',
    ours: async () => (await run()).wrong,
    beside: {
      'claimed exact, and compared': async () => (await run()).exact,
      'named as inexact': async () =>
        Object.values((await run()).named).reduce((sum, count) => sum + count, 0),
    },
  },
];
