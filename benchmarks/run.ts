/**
 * The one benchmark runner: `npm run bench [-- PACKAGE...] [--row TEXT] [--rounds N] [--json FILE]`.
 *
 * Each package has a folder here whose `rows.ts` exports `rows`, and may export `about`, which says in what state the
 * machine was measured. With `--report`, the results are written to
 * docs/perf_report.md as well.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Result, Row } from './harness/row.ts';
import { formatResult, runRow } from './harness/run-row.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    row: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    report: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const here = new URL('.', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/rows.ts`, here)))
  .map((entry) => entry.name);
const chosen = positionals.length > 0 ? positionals : folders;
for (const name of chosen) {
  if (!folders.includes(name)) {
    throw new RangeError(`no benchmarks for package=${name}; there are: ${folders.join(', ')}`);
  }
}

const head = ['figure', 'ours: median (min-max)', 'peers', 'ratio', 'bar', 'stretch', 'verdict'];
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const output: string[] = [];
const print = (text: string): void => {
  output.push(text);
  console.log(text);
};

const results: Result[] = [];
for (const name of chosen) {
  const { rows, about } = (await import(`./${name}/rows.ts`)) as {
    rows: readonly Row[];
    about?: () => string | Promise<string>;
  };
  const wanted = rows.filter((row) => values.row === undefined || row.name.includes(values.row));
  if (wanted.length === 0) continue;
  print(`\n## ${name}\n`);
  if (values.list) {
    for (const row of wanted) print(`- ${row.name}`);
    continue;
  }
  if (about !== undefined) print(`${await about()}\n`);
  print(line(head));
  print(line(head.map(() => '---')));
  for (const row of wanted) {
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    const result = await runRow(name, row, rounds);
    results.push(result);
    print(line(formatResult(result)));
  }
}
const count = (verdict: Result['verdict']): number =>
  results.filter((result) => result.verdict === verdict).length;
const summary = `${count('holds')} hold, ${count('falls short')} fall short, ${count('not run')} not run`;
const machine = `${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
print(`\n${summary}. Machine: ${machine}.`);

if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
}
if (values.report) {
  const path = new URL('../docs/perf_report.md', here);
  const intro = readFileSync(new URL('./report-intro.md', here), 'utf8');
  writeFileSync(path, `${intro}${output.join('\n')}\n`);
}
process.exit(0);
