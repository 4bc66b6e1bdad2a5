/**
 * `millrace doctor`: says whether this machine's tmux is fit to be bridged, and how fast it is.
 *
 * What it knows of versions comes from tmux's own history; what it says of speed it measures, on a private server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { supports, versionOrder } from '@millrace/tmux-proto/commands';
import { BridgeError } from '../errors.ts';
import type { StationStats } from '../measure/stations.ts';
import { readTmuxVersion } from '../receive/version.ts';
import { LivePanes } from './demo/live-panes.ts';
import type { Output } from './demo/view.ts';
import { formatDuration } from './format.ts';
import { openPrivateServer } from './private-server.ts';
import { Status } from './status.ts';

/** How to examine. */
export interface DoctorOptions {
  readonly tmux: string;
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Seconds per measurement. */
  readonly seconds: number;
  /** Where progress goes: standard error. */
  readonly progress: Output;
  /** Prints the findings as JSON. */
  readonly json: boolean;
}

/** Something known of versions of tmux that matters to who bridges them. */
interface Finding {
  readonly applies: (version: string) => boolean;
  readonly text: string;
}

/** All that the doctor has to say. */
interface Report {
  /** Null if there is none that can be used; then nothing of it follows but the verdict. */
  readonly tmux: string | null;
  readonly node: string;
  readonly utf8: boolean;
  /** Whether tmux pauses panes for a client that lags, and screens can be restored: 3.2 and later. */
  readonly flowControl?: boolean;
  readonly notes?: readonly string[];
  /** From key to echo (nanoseconds). */
  readonly idle?: StationStats;
  readonly flooded?: StationStats;
  readonly verdict: string;
}

const before = (version: string, limit: string): boolean =>
  versionOrder(version) < versionOrder(limit);

const findings: readonly Finding[] = [
  {
    applies: (version) => !supports(version, 'flow-control'),
    text: 'before 3.2 tmux does not wait for a client that lags: the bridge reads on, keeps up to aheadBytesMax (32 MiB) for a sink that lags, then ends its pipe',
  },
  {
    applies: (version) => !supports(version, 'flow-control'),
    text: 'no pause-after and no resync before 3.2: the bridge is lossless only, and with a second, ordinary client attached, tmux queues up to 300 s of output for a client that lags',
  },
  {
    applies: (version) => !before(version, '3.2') && !supports(version, 'safe-pane-off'),
    text: 'before 3.7 `refresh-client -A %pane:off` under load can end the server; the bridge never sends it',
  },
  {
    applies: (version) => !before(version, '3.2') && before(version, '3.8'),
    text: 'a control client that stays attached without being drained blocks the whole server; the bridge keeps draining while it closes',
  },
  {
    applies: (version) => !before(version, '3.4') && before(version, '3.7'),
    text: 'names of paste buffers are not cleaned before 3.7: the bridge treats every name as hostile text',
  },
];

async function measureEcho(
  options: DoctorOptions,
  commands: ConstructorParameters<typeof LivePanes>[3],
): Promise<StationStats> {
  const server = openPrivateServer(options.tmux);
  try {
    const watch = await new LivePanes(server, options.tmux, options.signal, commands).watch(false);
    try {
      await sleep(options.seconds * 1000, undefined, { signal: options.signal });
      return watch.echo.stats;
    } finally {
      watch.echo.stop();
      await watch.session.close();
    }
  } finally {
    await server.close();
  }
}

const idle = { flood: 'exec sleep 1000', build: 'exec sleep 1000', screen: 'exec sleep 1000' };

const isUtf8 = (): boolean =>
  /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');

/** Above this a person feels the delay of a key. */
const feltNs = 50e6;

function verdictOn(flowControl: boolean, quiet: StationStats, flooded: StationStats): string {
  if (quiet.count === 0 || flooded.count === 0) {
    return 'not fit: keys did not come back while it was measured; is the machine overloaded?';
  }
  if (!flowControl) {
    return 'fit for lossless viewers only: one that stays slower than tmux is ended when it lags too far; tmux 3.2 or later skips and restores';
  }
  return flooded.p99 < feltNs
    ? 'fit: slow viewers skip and are restored, and keys come back before a person notices'
    : `fit, but slow here: while a pane floods, one key in a hundred takes ${formatDuration(flooded.p99)} or more, most of it in tmux`;
}

const describe = ({ p50, p99, count }: StationStats): string =>
  count === 0
    ? 'no key came back'
    : `key to echo p50 ${formatDuration(p50)}, p99 ${formatDuration(p99)} (${count} keys)`;

/** Examines, and prints what it found; throws after that if there is no usable tmux. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const { json, output, progress } = options;
  const print = (line: string): void => {
    if (!json) output.write(`${line}\n`);
  };
  const { report, failure } = await examine(options, print, new Status(progress));
  print(`verdict: ${report.verdict}`);
  if (json) output.write(`${JSON.stringify(report)}\n`);
  if (failure !== undefined) throw failure;
}

async function examine(
  options: DoctorOptions,
  print: (line: string) => void,
  status: Status,
): Promise<{ readonly report: Report; readonly failure?: BridgeError }> {
  const utf8 = isUtf8();
  const { version: node } = process;
  const about = (): void => {
    print(`Node ${node}`);
    print(
      utf8
        ? 'locale: UTF-8'
        : 'locale: not UTF-8; the bridge asks tmux for UTF-8 itself (-u), programs in panes may not',
    );
  };
  let tmux: string;
  try {
    tmux = await readTmuxVersion(options.tmux);
  } catch (failure) {
    if (!(failure instanceof BridgeError)) throw failure;
    print('tmux: none that can be used');
    about();
    const verdict = `not fit: ${failure.message}`;
    return { report: { tmux: null, node, utf8, verdict }, failure };
  }
  const flowControl = supports(tmux, 'flow-control');
  const notes = findings.filter(({ applies }) => applies(tmux)).map(({ text }) => text);
  print(`tmux ${tmux}: supported${flowControl ? '' : ', lossless only'}`);
  about();
  print(
    `slow viewers: ${flowControl ? 'skip, and are restored exactly' : 'miss nothing, and are ended when they lag too far'}`,
  );
  for (const note of notes) print(`note: ${note}`);
  const measure = async (
    name: string,
    commands: Parameters<typeof measureEcho>[1],
  ): Promise<StationStats> => {
    status.update(`measuring for ${options.seconds} s, ${name} ...`);
    const stats = await measureEcho(options, commands).finally(() => status.clear());
    print(`${name}: ${describe(stats)}`);
    return stats;
  };
  const quiet = await measure('idle', idle);
  const flooded = await measure('while another pane floods', {});
  print('both are mostly tmux itself: a bridge cannot be faster than the tmux behind it');
  const verdict = verdictOn(flowControl, quiet, flooded);
  return {
    report: { tmux, node, utf8, flowControl, notes, idle: quiet, flooded, verdict },
  };
}
