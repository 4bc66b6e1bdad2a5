/**
 * How a contender is measured: a private tmux of its own with two panes, one that floods and one that echoes what is
 * typed, and the contender in a process of its own. Keys come 20 ms apart, whether or not the last has come back; echo is
 * the time from a key until the viewer has it.
 */
import { decodeBase64 } from '@millrace/histogram/codec';
import { statsOf } from '../measure/stations.ts';
import { attachOrdinaryClient, watchMemory } from './ordinary-client.ts';
import type { ContenderPlan, ContenderReport } from './plan.ts';
import { runContender } from './run-contender.ts';
import type { BenchContext, Measure, Measurement } from './scenario.ts';
import { floodCommand, withWorkload } from './workload.ts';

const keyMs = 20;
const keysMin = 25;
const silenceMsMax = 5000;
const rssBytesMax = 300_000_000;
const serverRssBytesMax = 300_000_000;

type Panes = Pick<ContenderPlan, 'socketPath' | 'floodPane' | 'echoPane' | 'echoTerminal'>;
type Variation = Partial<Omit<ContenderPlan, 'tmux' | keyof Panes>> & {
  readonly kind: ContenderPlan['kind'];
};

const planOf = (
  context: BenchContext,
  seconds: number,
  { socketPath, floodPane, echoPane, echoTerminal }: Panes,
  variation: Variation,
): ContenderPlan => ({
  tmux: context.tmux,
  socketPath,
  floodPane,
  echoPane,
  echoTerminal,
  keys: Math.max(keysMin, Math.round((seconds * context.scale * 1000) / keyMs)),
  silenceMsMax,
  rssBytesMax,
  ...(context.ptyModule === undefined ? {} : { ptyModule: context.ptyModule }),
  ...variation,
});

function measurementOf(report: ContenderReport): Measurement {
  const echo = decodeBase64(report.echo);
  const { p50, p99 } = statsOf(echo);
  const missing = report.keysSent - report.keysSeen;
  const remarks = {
    done: undefined,
    time: `${missing} of ${report.keysSent} keys missing after ${report.seconds.toFixed(1)} s`,
    'no echo': `ended after ${silenceMsMax / 1000} s without an echo, ${missing} of ${report.keysSent} keys missing`,
    memory: `ended at ${rssBytesMax / 1e6} MB of memory`,
  };
  const remark = remarks[report.end];
  const floodMb = report.floodBytes / 1e6;
  return {
    echo,
    values: {
      echoP50Ms: p50 / 1e6,
      echoP99Ms: p99 / 1e6,
      queuedKb: report.queuedBytesMax / 1000,
      rssGrowthMb: report.rssGrowthBytes / 1e6,
      cpuPercent: report.cpuShare * 100,
      floodMbPerSecond: floodMb / report.seconds,
      snapshotsPerSecond: report.snapshots / report.seconds,
      ...(floodMb > 0 ? { cpuMsPerMb: (report.cpuShare * report.seconds * 1000) / floodMb } : {}),
    },
    ...(remark === undefined ? {} : { remark }),
  };
}

/** Measures a contender for so many seconds on a workload of its own. */
export const measureContender = (
  context: BenchContext,
  seconds: number,
  variation: Variation,
  command: string = floodCommand,
): Promise<Measurement> =>
  withWorkload(context.tmux, command, context.signal, async (workload) =>
    measurementOf(
      await runContender(planOf(context, seconds, workload, variation), {
        signal: context.signal,
        progress: context.progress,
      }),
    ),
  );

/** A contender's measurement, for so many seconds. */
export const contender =
  (seconds: number, variation: Variation, command?: string): Measure =>
  (context) =>
    measureContender(context, seconds, variation, command);

/** The same with an ordinary client beside it; measures the server's memory. */
export const besideOrdinaryClient =
  (seconds: number, variation: Variation): Measure =>
  (context) =>
    withWorkload(context.tmux, floodCommand, context.signal, async (workload) => {
      const detach = attachOrdinaryClient(context.tmux, workload.socketPath);
      const tooMuch = new AbortController();
      const limit = serverRssBytesMax;
      const watched = watchMemory(workload.serverPid, limit, () => tooMuch.abort());
      const signal = AbortSignal.any([context.signal, tooMuch.signal]);
      let report: ContenderReport | undefined;
      let serverRssMb = 0;
      try {
        const plan = planOf(context, seconds, workload, variation);
        report = await runContender(plan, { signal, progress: context.progress });
      } catch (error) {
        if (context.signal.aborted || !tooMuch.signal.aborted) throw error;
      } finally {
        serverRssMb = watched() / 1e6;
        await detach();
      }
      if (report === undefined) {
        return { values: { serverRssMb }, remark: `ended at ${limit / 1e6} MB of tmux's memory` };
      }
      const measured = measurementOf(report);
      return { ...measured, values: { ...measured.values, serverRssMb } };
    });
