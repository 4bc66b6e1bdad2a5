// Writes the tables of the batcher's guide and README: `npm run figures -w packages/batcher`. They are made of the
// benchmark's own rows that run in virtual time, so every machine gives the same figures. An argument, `ratios` or
// `rows`, writes only that table.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Row } from '../harness/row.ts';
import { guaranteeRows } from './guarantees.ts';
import { lawRows } from './law.ts';

const root = new URL('../../', import.meta.url);
const RATIO = /^cost over the clairvoyant optimum, (mean|max): (.+)$/;

const figure = (value: number): string =>
  value === 0 || value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value.toFixed(2);

/** Ours and every peer of a row, by name, in that order. */
async function measured(row: Row): Promise<Map<string, number>> {
  const values = new Map([['this law', await row.ours()]]);
  for (const [name, peer] of Object.entries(row.peers ?? {})) values.set(name, await peer());
  return values;
}

const bar = (row: Row): string =>
  `${row.better === 'lower' ? '≤' : '≥'} ${figure(row.bar)} ${row.unit}`;

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;

/** One line for each set of workloads: mean / max of everybody. */
async function ratioTable(): Promise<string> {
  const sets = new Map<string, Map<string, number>[]>();
  for (const row of lawRows) {
    const match = RATIO.exec(row.name);
    if (match === null) continue;
    const values = await measured(row);
    sets.set(match[2]!, [...(sets.get(match[2]!) ?? []), values]);
  }
  const names = [...sets.values()][0]![0]!;
  const head = ['mean / max', ...names.keys()];
  let table = line(head) + line(head.map(() => '---'));
  for (const [where, [mean, max]] of sets) {
    table += line([
      where,
      ...[...names.keys()].map(
        (name) => `${figure(mean!.get(name)!)} / ${figure(max!.get(name)!)}`,
      ),
    ]);
  }
  return table;
}

/** One line for each other row: ours, the others, the bar. */
async function rowTable(): Promise<string> {
  const head = ['figure', 'this law', 'others', 'bar'];
  let table = line(head) + line(head.map(() => '---'));
  for (const row of [...lawRows, ...guaranteeRows]) {
    if (RATIO.test(row.name)) continue;
    const values = await measured(row);
    const [ours, ...others] = [...values].map(([name, value]) => [name, figure(value)] as const);
    table += line([
      row.name,
      `${ours![1]} ${row.unit}`,
      others.map(([name, value]) => `${name} ${value}`).join(', '),
      bar(row),
    ]);
  }
  return table;
}

/** Replaces what stands between two markers of a page. */
function write(path: string, marker: string, table: string): void {
  const url = new URL(path, root);
  const text = readFileSync(url, 'utf8');
  const start = `<!-- figures: ${marker} -->\n`;
  const end = `<!-- /figures -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${path} has no markers for ${marker}`);
  const date = new Date().toISOString().slice(0, 10);
  const note = `\`npm run figures -w packages/batcher\`, ${date}, Node ${process.versions.node.split('.')[0]}; virtual time, the same on every machine.\n\n`;
  writeFileSync(url, text.slice(0, from) + start + note + table + text.slice(to));
}

const only = process.argv[2];
if (only !== 'rows') {
  const table = await ratioTable();
  write('packages/batcher/README.md', 'ratios', table);
  write('docs/guides/batcher.md', 'ratios', table);
}
if (only !== 'ratios') write('docs/guides/batcher.md', 'rows', await rowTable());
