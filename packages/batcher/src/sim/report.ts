/** A comparison as text, as Markdown, and as a picture. */
import type { ComparisonRow } from './compare.ts';

const format = (ratio: number): string =>
  ratio >= 1000 ? ratio.toExponential(0) : ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2);

/** Returns the ratios as a Markdown table; `*` marks policies that may exceed the budget. */
export function comparisonTable(rows: readonly ComparisonRow[]): string {
  const names = rows[0]?.outcomes.map((outcome) => outcome.workload) ?? [];
  const cells = [
    ['policy', ...names, 'geomean', 'max'],
    ['---', ...names.map(() => '---'), '---', '---'],
    ...rows.map((row) => [
      row.ignoresBudget ? `${row.policy} *` : row.policy,
      ...row.outcomes.map((outcome) => format(outcome.ratio)),
      format(row.geomean),
      format(row.worst),
    ]),
  ];
  return cells.map((line) => `| ${line.join(' | ')} |\n`).join('');
}

/** Returns delays, batch sizes and overhead of one policy as a Markdown table. */
export function outcomeTable(row: ComparisonRow): string {
  const head = ['workload', 'ratio', 'p50 ms', 'p99 ms', 'max ms', 'items per flush', 'overhead'];
  const lines = [
    head,
    head.map(() => '---'),
    ...row.outcomes.map(({ workload, ratio, delayMs, itemsPerFlush, overhead }) => [
      workload,
      format(ratio),
      delayMs.p50.toFixed(3),
      delayMs.p99.toFixed(3),
      delayMs.max.toFixed(3),
      itemsPerFlush.toFixed(1),
      `${(100 * overhead).toFixed(2)} %`,
    ]),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |\n`).join('');
}

/** Characters that mean something in SVG. */
const escaped: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Returns text that is safe inside an SVG. */
export function escapeText(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => escaped[character]!);
}

const ROW = 22;
const LABEL = 130;
const WIDTH = 760;
const PLOT = WIDTH - LABEL - 90;
/** Ratios from here on are drawn at the edge. */
const RATIO_MAX = 16;

const position = (ratio: number): number =>
  LABEL +
  (PLOT * Math.log2(Math.min(RATIO_MAX, Math.max(0.5, ratio)) * 2)) / Math.log2(2 * RATIO_MAX);

function rowSvg(row: ComparisonRow, index: number): string {
  const y = 46 + index * ROW;
  const isOurs = index >= 0 && row.policy === 'millrace';
  const color = isOurs ? '#c2410c' : '#475569';
  const dots = row.outcomes
    .map(({ ratio, workload }) => {
      const x = position(ratio).toFixed(1);
      const title = escapeText(`${row.policy}, ${workload}: ${format(ratio)}`);
      return `<circle cx="${x}" cy="${y}" r="3" fill="${color}" fill-opacity="0.35"><title>${title}</title></circle>`;
    })
    .join('');
  const x = position(row.geomean).toFixed(1);
  const label = escapeText(row.ignoresBudget ? `${row.policy} *` : row.policy);
  return `<text x="${LABEL - 8}" y="${y + 4}" text-anchor="end" fill="${color}"${isOurs ? ' font-weight="bold"' : ''}>${label}</text>
${dots}<path d="M${x} ${y - 7}v14" stroke="${color}" stroke-width="3"/>
<text x="${WIDTH - 82}" y="${y + 4}" fill="${color}">${format(row.geomean)} / ${format(row.worst)}</text>`;
}

/**
 * Returns a picture of a comparison: one line a policy, one dot a workload, a bar at the geometric mean, on a
 * logarithmic scale of cost over the clairvoyant optimum. A complete SVG document.
 */
export function comparisonSvg(rows: readonly ComparisonRow[], title: string): string {
  const height = 60 + rows.length * ROW;
  const grid = [0.5, 1, 2, 4, 8, 16]
    .map((ratio) => {
      const x = position(ratio).toFixed(1);
      const text = ratio === RATIO_MAX ? `${ratio}+` : String(ratio);
      return `<path d="M${x} 30V${height - 14}" stroke="#cbd5e1"${ratio === 1 ? ' stroke-width="2"' : ''}/><text x="${x}" y="26" text-anchor="middle" fill="#64748b">${text}</text>`;
    })
    .join('\n');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="${LABEL}" y="12" fill="#0f172a" font-weight="bold">${escapeText(title)}</text>
<text x="${WIDTH - 82}" y="12" fill="#64748b">mean / max</text>
${grid}
${rows.map(rowSvg).join('\n')}
</svg>
`;
}
