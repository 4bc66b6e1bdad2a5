/**
 * `millrace bench`: how long a key takes to come back to a viewer that lags, with this library and without.
 *
 * Every scenario runs its contenders in turn on a private tmux, each in a process of its own; see `../bench`.
 */
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ContenderProgress } from '../bench/plan.ts';
import { type BenchReport, scenarioLines, toJson, verdictLines } from '../bench/report.ts';
import { toHtml } from '../bench/report-html.ts';
import { runScenario, type ScenarioResult } from '../bench/run-scenarios.ts';
import { scenarios } from '../bench/scenarios.ts';
import { BridgeError } from '../errors.ts';
import { readTmuxVersion } from '../receive/version.ts';
import type { Output } from './demo/view.ts';
import { formatDuration } from './format.ts';
import { Status } from './status.ts';

/** How to measure. */
export interface BenchOptions {
  readonly tmux: string;
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Where progress goes: standard error. */
  readonly progress: Output;
  /** One round, a quarter of the time. */
  readonly quick: boolean;
  /** Names of the scenarios; all, if empty. */
  readonly only: readonly string[];
  /** Prints data instead of tables. */
  readonly json: boolean;
  /** Writes the report to this file too. */
  readonly html: string | undefined;
  /** Scales the time of each measurement further. @defaultValue 1 */
  readonly scale?: number;
}

/** What `--scenario` takes. */
export const scenarioNames: readonly string[] = scenarios.map(({ name }) => name);

const quickScale = 0.25;

const progressText = (progress: ContenderProgress): string =>
  [
    `${progress.seconds.toFixed(1)} s`,
    progress.oldestNs > 1e9
      ? `no echo for ${formatDuration(progress.oldestNs)}`
      : `echo ${formatDuration(progress.lastNs)}`,
    `${(progress.queuedBytes / 1e6).toFixed(2)} MB queued`,
    `RSS ${(progress.rssBytes / 1e6).toFixed(0)} MB`,
  ].join('   ');

/** Says before minutes of measuring, not after them, that the report has no place to go. */
async function checkWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw new BridgeError(
      'ERR_BRIDGE_ARGUMENT',
      `the report can't be written: --html=${JSON.stringify(file)} (${(error as Error).message})`,
      error,
    );
  }
}

/** Measures, and prints what came out. */
export async function bench(options: BenchOptions): Promise<void> {
  const { tmux, signal, output, quick, only, json, html } = options;
  for (const name of only) {
    if (!scenarioNames.includes(name)) {
      throw new BridgeError(
        'ERR_BRIDGE_ARGUMENT',
        `no such scenario: ${JSON.stringify(name)}; there are ${scenarioNames.join(', ')}`,
      );
    }
  }
  if (html !== undefined) await checkWritable(html);
  const chosen = scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
  const tmuxVersion = await readTmuxVersion(tmux);
  const status = new Status(options.progress);
  const scale = (options.scale ?? 1) * (quick ? quickScale : 1);
  const results: ScenarioResult[] = [];
  try {
    for (const [index, scenario] of chosen.entries()) {
      let head = '';
      const context = {
        tmux,
        signal,
        scale,
        progress: (progress: ContenderProgress) =>
          status.update(`${head}   ${progressText(progress)}`),
      };
      const rounds = quick ? 1 : scenario.rounds;
      const result = await runScenario(scenario, rounds, context, (_, contender, round) => {
        const turn = rounds === 1 ? '' : `, round ${round + 1} of ${rounds}`;
        head = `${index + 1}/${chosen.length} ${scenario.name}: ${contender}${turn}`;
        status.begin(head);
      });
      status.clear();
      results.push(result);
      if (!json) output.write(`${[...scenarioLines(result), '', ''].join('\n')}`);
    }
  } finally {
    status.clear();
  }
  const command = `millrace bench${quick ? ' --quick' : ''}${only.map((name) => ` --scenario ${name}`).join('')}`;
  const report: BenchReport = { tmuxVersion, date: new Date(), command, results };
  if (html !== undefined) await writeFile(html, toHtml(report));
  if (json) output.write(`${JSON.stringify(toJson(report), undefined, 2)}\n`);
  else {
    for (const line of verdictLines(report)) output.write(`${line}\n`);
    if (html !== undefined) output.write(`the report with pictures is in ${html}\n`);
  }
}
