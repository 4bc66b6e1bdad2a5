/**
 * The bridge table's row on exactness: resyncs in the middle of a flood, checked by the oracle of the package's tests.
 *
 * A program writes random pieces with colour, wide characters, the alternate screen, cursor and modes, a viewer skips,
 * the program is stopped right after the seam, and every cell, attribute and the cursor must equal what tmux shows.
 * All rounds are one run of 1,000 cycles: a median would hide a wrong screen.
 */
import { spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { OracleResult } from '../../packages/bridge/test/oracle/oracle.ts';
import type { Row } from '../harness/row.ts';

const tmux = process.env['MILLRACE_TMUX'] ?? 'tmux';
const cycles = Number(process.env['MILLRACE_ORACLE_CYCLES'] ?? 1000);

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

function wrongScreens(): Promise<number> {
  result ??= runOracle();
  return result.then(({ exact, wrong, differences }) => {
    if (exact < cycles / 2) throw new Error(`only ${exact} of ${cycles} cycles could be compared`);
    for (const difference of differences) console.error(difference);
    return wrong;
  });
}

/** The row. */
export const resyncRows: readonly Row[] = [
  {
    kind: 'absolute',
    name: `exact resync, ${cycles.toLocaleString('en')} mid-flood cycles: wrong screens`,
    unit: 'screens',
    better: 'lower',
    bar: 0,
    rounds: 3,
    unavailable: () =>
      spawnSync(tmux, ['-V']).error === undefined ? undefined : 'no tmux on PATH',
    ours: wrongScreens,
  },
];
