/**
 * The bridge table's rows on viewers that lag, stall or run on a busy thread: the scenarios that `millrace bench` runs
 * too, with node-pty as the peer's pseudo-terminal. One measurement gives several rows their figures.
 *
 * Not measured here: browsers; see the rows to come with the page.
 */
import { spawnSync } from 'node:child_process';
import type { Measurement, Scenario } from '../../packages/bridge/src/bench/scenario.ts';
import { scenarios } from '../../packages/bridge/src/bench/scenarios.ts';
import type { Contender, Row } from '../harness/row.ts';

const tmux = process.env['MILLRACE_TMUX'] ?? 'tmux';
const noTmux = (): string | undefined =>
  spawnSync(tmux, ['-V']).error === undefined ? undefined : 'no tmux on PATH';

/** tmux's memory is watched for a minute. */
const scales: Readonly<Record<string, number>> = { mixed: 4 };

/** A scenario's rows: the first that asks for a contender's n-th round measures it, the others are given it. */
function rowsOf(scenario: Scenario): Row[] {
  const context = {
    tmux,
    signal: new AbortController().signal,
    scale: scales[scenario.name] ?? 1,
    ptyModule: import.meta.resolve('@lydell/node-pty'),
  };
  const made = new Map<string, Promise<Measurement>>();
  const contender = (name: string, value: keyof Measurement['values']): Contender => {
    let round = 0;
    return async () => {
      const key = `${name} ${round++}`;
      let measurement = made.get(key);
      if (measurement === undefined) {
        measurement = scenario.contenders[name]!(context);
        made.set(key, measurement);
      }
      const figure = (await measurement).values[value];
      if (figure === undefined) throw new Error(`${scenario.name}: ${name} gave no ${value}`);
      return figure;
    };
  };
  return scenario.figures.map((figure): Row => {
    const { name, value, unit, better, bar, stretch, peers, beside, note } = figure;
    const base = {
      name,
      unit,
      better,
      bar,
      rounds: 3,
      unavailable: () => noTmux() ?? scenario.unavailable?.(),
      ours: contender(scenario.ours, value),
      ...(stretch === undefined ? {} : { stretch }),
      ...(note === undefined ? {} : { note }),
    };
    const others = (names: readonly string[]): Record<string, Contender> =>
      Object.fromEntries(names.map((other) => [other, contender(other, value)]));
    const shown = beside === undefined ? {} : { beside: others(beside) };
    return peers === undefined
      ? { kind: 'absolute', ...base, ...shown }
      : { kind: 'comparison', ...base, peers: others(peers), ...shown };
  });
}

/** The rows, scenario by scenario. */
export const viewerRows: readonly Row[] = scenarios.flatMap(rowsOf);
