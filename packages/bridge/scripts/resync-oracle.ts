/**
 * Runs the resync oracle for long: `npm run oracle -- [CYCLES] [SEED] [--worker] [--floods N] [--alone] [--kinds a,b]
 * [--gap] [--seconds N] [--without PART] [--ablation] [--verbose]`. Exit status 1 if a resync was wrong and didn't say
 * so. `--without` leaves a part of the recipe out (names in src/resync/recipe.ts, or `carry`: the sink's); `--ablation`
 * prints a table with one such run for each part.
 */
import { parseArgs } from 'node:util';
import { recipe } from '../src/resync/recipe.ts';
import { type OracleOptions, type OracleResult, runOracle } from '../test/oracle/oracle.ts';

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
const parts = recipe as Record<string, boolean>;
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

// As many as can be in the time.
recipe.paced = false;

async function without(names: readonly string[], changes: object = {}): Promise<OracleResult> {
  for (const name of names) if (name !== 'carry') parts[name] = false;
  try {
    return await runOracle({ ...options, carry: !names.includes('carry'), ...changes });
  } finally {
    for (const name of names) if (name !== 'carry') parts[name] = true;
  }
}

/** What each part is worth. */
async function ablation(): Promise<void> {
  const rows: [label: string, names: string[], changes?: object][] = [
    ['the whole recipe', []],
    ['four commands, one after the other', ['oneLine']],
    ['without the sequence under way', ['pending']],
    ['without the character under way', ['cut']],
    ['without the colours of the next character', ['pen']],
    ['without the backgrounds of erased cells', ['backgrounds']],
    ['a sink that carries no cut characters', ['carry']],
    ['6 panes flooding beside', [], { floods: 6 }],
    ['6 panes flooding beside, the seam where the reply is', ['search'], { floods: 6 }],
  ];
  console.log('| recipe | resyncs claimed exact | wrong screens |\n| --- | --- | --- |');
  for (const [label, names, changes] of rows) {
    const { exact, wrong } = await without(names, changes);
    console.log(`| ${label} | ${exact} | ${wrong} |`);
  }
}

if (values.ablation) await ablation();
else {
  const result = await without(values.without);
  console.log(JSON.stringify(result, undefined, 2));
  process.exitCode = result.wrong === 0 ? 0 : 1;
}
