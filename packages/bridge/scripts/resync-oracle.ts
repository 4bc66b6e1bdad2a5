/**
 * Runs the resync oracle for long: `npm run oracle -- [CYCLES] [SEED] [--worker] [--floods N] [--alone] [--kinds a,b]
 * [--gap] [--seconds N] [--without PART] [--ablation] [--verbose]`. Exit status 1 if a resync was wrong and didn't say
 * so. `--without` leaves a part of the recipe out (names in test/oracle/ablation.ts, or `carry`: the sink's); `--ablation`
 * prints a table with one such run for each part, each in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { leaveOut } from '../test/oracle/ablation.ts';
import type { OracleOptions, OracleResult } from '../test/oracle/oracle.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    worker: { type: 'boolean', default: false },
    floods: { type: 'string', default: '0' },
    alone: { type: 'boolean', default: false },
    kinds: { type: 'string', default: 'all' },
    gap: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '3600' },
    without: { type: 'string', multiple: true, default: [] },
    ablation: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const options: OracleOptions = {
  cycles: Number(positionals[0] ?? 1000),
  seed: Number(positionals[1] ?? 1),
  worker: values.worker,
  floods: Number(values.floods),
  lossless: !values.alone,
  kinds: values.kinds,
  cause: values.gap ? 'gap' : 'skip',
  deadline: Date.now() + Number(values.seconds) * 1000,
  ...(values.verbose ? { log: (line: string) => console.error(line) } : {}),
};

/** Runs the oracle without some parts. */
async function run(): Promise<OracleResult> {
  // Paced, it would take long.
  leaveOut(['paced', ...values.without.filter((name) => name !== 'carry')]);
  const { runOracle } = await import('../test/oracle/oracle.ts');
  return runOracle({ ...options, carry: !values.without.includes('carry') });
}

/** Does the same in a process of its own, where the sources aren't loaded yet. */
function runApart(without: readonly string[], floods: number): OracleResult {
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      ...process.execArgv,
      fileURLToPath(import.meta.url),
      ...positionals,
      ...without.flatMap((name) => ['--without', name]),
      ...(values.worker ? ['--worker'] : []),
      '--floods',
      String(floods),
      '--kinds',
      values.kinds,
      '--seconds',
      values.seconds,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (!stdout.startsWith('{')) throw new Error(`the oracle ended with status ${status}`);
  return JSON.parse(stdout) as OracleResult;
}

/** What each part is worth. */
function ablation(): void {
  const rows: [label: string, names: string[], floods?: number][] = [
    ['the whole recipe', []],
    ['four commands, one after the other', ['oneLine']],
    ['without the sequence under way', ['pending']],
    ['without the character under way', ['cut']],
    ['without the colours of the next character', ['pen']],
    ['without the backgrounds of erased cells', ['backgrounds']],
    ['a sink that carries no cut characters', ['carry']],
    ['6 panes flooding beside', [], 6],
    ['6 panes flooding beside, the seam where the reply is', ['search'], 6],
  ];
  console.log('| recipe | resyncs claimed exact | wrong screens |\n| --- | --- | --- |');
  for (const [label, names, floods = options.floods] of rows) {
    const { exact, wrong } = runApart(names, floods);
    console.log(`| ${label} | ${exact} | ${wrong} |`);
  }
}

if (values.ablation) ablation();
else {
  const result = await run();
  console.log(JSON.stringify(result, undefined, 2));
  process.exitCode = result.wrong === 0 ? 0 : 1;
}
