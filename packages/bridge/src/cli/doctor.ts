/**
 * `millrace doctor`: says whether this machine's tmux is fit to be bridged, and how fast it is.
 *
 * What it knows of versions comes from tmux's own history; what it says of speed it measures, on a private server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { supports, versionOrder } from '@millrace/tmux-proto/commands';
import type { StationStats } from '../measure/stations.ts';
import { readTmuxVersion } from '../receive/version.ts';
import { LivePanes } from './demo/live-panes.ts';
import type { Output } from './demo/view.ts';
import { formatDuration } from './format.ts';
import { openPrivateServer } from './private-server.ts';

/** How to examine. */
export interface DoctorOptions {
  readonly tmux: string;
  readonly signal: AbortSignal;
  readonly output: Output;
  /** Seconds per measurement. */
  readonly seconds: number;
}

/** Something known of versions of tmux that matters to who bridges them. */
interface Finding {
  readonly applies: (version: string) => boolean;
  readonly text: string;
}

const before = (version: string, limit: string): boolean =>
  versionOrder(version) < versionOrder(limit);

const findings: readonly Finding[] = [
  {
    applies: (version) => !supports(version, 'flow-control'),
    text: 'no pause-after before 3.2: with a second, ordinary client attached, tmux queues up to 300 s of output for a client that lags',
  },
  {
    applies: (version) => !supports(version, 'safe-pane-off'),
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

const describe = ({ p50, p99, count }: StationStats): string =>
  count === 0
    ? 'no key came back'
    : `key to echo p50 ${formatDuration(p50)}, p99 ${formatDuration(p99)} (${count} keys)`;

/** Examines, and prints what it found; throws if there is no usable tmux. */
export async function doctor(options: DoctorOptions): Promise<void> {
  const print = (line: string): void => {
    options.output.write(`${line}\n`);
  };
  const version = await readTmuxVersion(options.tmux);
  print(`tmux ${version}: supported`);
  print(`Node ${process.version}`);
  print(
    isUtf8()
      ? 'locale: UTF-8'
      : 'locale: not UTF-8; the bridge asks tmux for UTF-8 itself (-u), programs in panes may not',
  );
  const known = findings.filter((finding) => finding.applies(version));
  for (const { text } of known) print(`note: ${text}`);
  const quiet = await measureEcho(options, idle);
  print(`idle: ${describe(quiet)}`);
  const flooded = await measureEcho(options, {});
  print(`while another pane floods: ${describe(flooded)}`);
  print('both are mostly tmux itself: a bridge cannot be faster than the tmux behind it');
}
