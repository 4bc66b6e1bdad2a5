/**
 * The results as one HTML file that needs nothing else: no script, no font, no network.
 *
 * Each scenario has its echo latencies by percentile, all contenders over one another, and a table; the data is
 * embedded as JSON, histograms included, so that whoever has the file can analyse it again.
 */
import { percentileSpectrumSvg } from '@millrace/histogram/report';
import {
  type BenchReport,
  contenderRows,
  echoesOf,
  figureRows,
  machineLine,
  remarksOf,
  toJson,
} from './report.ts';
import type { ScenarioResult } from './run-scenarios.ts';

const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

const style = [
  ':root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--page:#fff;--good:#1a7f37;--bad:#bc4c00}',
  '@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--page:#0d1117;--good:#3fb950;--bad:#f0883e}}',
  'body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:960px;margin:32px auto;padding:0 20px}',
  'h1{font-size:24px}h2{font-size:18px;margin-top:40px}svg{max-width:100%;height:auto}.soft{color:var(--soft)}',
  '.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:12px 0}',
  'th,td{padding:4px 16px 4px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}',
  'th{font-weight:600}td:first-child,th:first-child{text-align:left;white-space:normal}',
  '.holds{color:var(--good)}.falls{color:var(--bad)}',
  'pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:11px;color:var(--soft)}',
].join('');

const classOf = (cell: string): string =>
  cell === 'holds' ? ' class="holds"' : cell === 'falls short' ? ' class="falls"' : '';

function table([head, ...rows]: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    row.map((cell) => `<${tag}${classOf(cell)}>${escapeHtml(cell)}</${tag}>`).join('');
  return (
    `<div class="wide"><table><thead><tr>${cells(head ?? [], 'th')}</tr></thead><tbody>` +
    `${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</tbody></table></div>`
  );
}

function section(result: ScenarioResult): string {
  const runs = result.contenders.flatMap((contender) => {
    const histogram = echoesOf(contender);
    return histogram === undefined ? [] : [{ name: contender.name, histogram }];
  });
  const picture =
    runs.length === 0
      ? ''
      : percentileSpectrumSvg(runs, {
          title: 'Key to echo, by percentile',
          scale: 'logarithmic',
          width: 1000,
          height: 380,
        });
  return (
    `<h2>${escapeHtml(result.scenario.name)}</h2><p>${escapeHtml(result.scenario.title)}</p>${picture}` +
    (result.contenders.length === 0 ? '' : table(contenderRows(result))) +
    remarksOf(result)
      .map((remark) => `<p class="soft">${escapeHtml(remark)}</p>`)
      .join('')
  );
}

/** Returns the file's text. */
export function toHtml(report: BenchReport): string {
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">' +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    '<meta name="viewport" content="width=device-width">' +
    `<title>millrace bench</title><style>${style}</style></head><body>` +
    '<h1>millrace bench</h1>' +
    `<p class="soft">${escapeHtml(machineLine(report))}<br>${escapeHtml(report.command)}</p>` +
    '<p>A key is typed every 20 ms into one pane of a real tmux, and has come back when the viewer has got its ' +
    'echo. Each contender is a process of its own on a tmux of its own; medians over the rounds. A key that ' +
    'never came back counts with the age that it had reached.</p>' +
    table(figureRows(report.results)) +
    report.results.map(section).join('') +
    '<h2>Data</h2><details><summary class="soft">everything measured, as JSON; echoes as HdrHistogram V2, base64</summary>' +
    `<pre>${escapeHtml(JSON.stringify(toJson(report), undefined, 1))}</pre></details></body></html>\n`
  );
}
