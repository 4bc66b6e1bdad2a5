/** Puts a session together: transport, source, clock, stations. */
import { supports } from '@millrace/tmux-proto/commands';
import { BridgeError, checkMethods } from './errors.ts';
import { createClock } from './measure/clock.ts';
import { Stations } from './measure/stations.ts';
import { type ConnectOptions, type ControlStream, type Settings, settingsOf } from './options.ts';
import type { SourcePlan } from './receive/plan.ts';
import { parseRecording } from './receive/recording-format.ts';
import { readTmuxVersion, unknownVersion } from './receive/version.ts';
import { loadResync } from './resync/resyncs.ts';
import { openSource } from './ring/open-source.ts';
import type { Source } from './ring/source.ts';
import { Session } from './session.ts';

/** The owner tag of this thread's shards; the worker has the next one. */
const mainOwner = 1;

/** What to attach to again. */
type Again = { readonly session: number | undefined };

/** Arguments of `tmux -C` for these settings. */
function tmuxArgs(settings: Settings, version: string, again: Again | undefined): string[] {
  const { socketName, socketPath, configFile, session, create } = settings.options;
  const args: string[] = [];
  if (socketName !== undefined) args.push('-L', socketName);
  if (socketPath !== undefined) args.push('-S', socketPath);
  if (configFile !== undefined) args.push('-f', configFile);
  // -u: without it a client in the C locale gets replies with every non-ASCII byte replaced.
  args.push('-u', '-C');
  if (again !== undefined || create === undefined || create === false) {
    // -N: else attaching to no server starts one, which reads the user's configuration and ends.
    if (supports(version, 'flow-control')) args.push('-N');
    args.push('attach-session');
    const target = again?.session === undefined ? session : `$${again.session}`;
    if (target !== undefined) args.push('-t', target);
    return args;
  }
  const { command, columns = 120, rows = 40 } = create === true ? {} : create;
  args.push('new-session', '-x', String(columns), '-y', String(rows));
  if (session !== undefined) args.push('-A', '-s', session);
  if (command !== undefined) args.push(command);
  return args;
}

function clientEnv(settings: Settings): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings.options.env ?? process.env)) {
    // With TMUX set, tmux refuses to nest and takes the wrong socket as its default.
    if (value !== undefined && name !== 'TMUX' && name !== 'TMUX_PANE') env[name] = value;
  }
  return env;
}

async function streamOf(stream: NonNullable<ConnectOptions['stream']>): Promise<ControlStream> {
  const made = typeof stream === 'function' ? await madeBy(stream) : stream;
  // A duplex has a `readable` too, which says whether it is.
  const isPair = typeof made?.readable === 'object';
  checkMethods('stream', isPair ? made.readable : made, 'on', 'pause', 'resume', 'destroy');
  checkMethods('stream', isPair ? made.writable : made, 'on', 'write', 'end', 'destroy');
  return made;
}

async function madeBy(
  stream: () => ControlStream | PromiseLike<ControlStream>,
): Promise<ControlStream> {
  try {
    return await stream();
  } catch (error) {
    throw new BridgeError(
      'ERR_TMUX_CONNECT',
      `no stream: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

/** What to open; `known` is the version if that is known from an earlier connection. */
async function planOf(
  settings: Settings,
  again?: Again,
  known?: string,
): Promise<{ plan: SourcePlan; version: string; live: boolean }> {
  const { recording, stream } = settings.options;
  if (recording !== undefined) {
    const { source } = recording;
    let file: Uint8Array;
    try {
      if (typeof source === 'string') {
        const { readFile } = await import('node:fs/promises');
        file = await readFile(source);
      } else file = source;
    } catch (error) {
      throw new BridgeError(
        'ERR_RECORDING_FORMAT',
        `the recording can't be read: source=${JSON.stringify(source)} (${(error as Error).message})`,
        error,
      );
    }
    const { header } = parseRecording(file);
    const replay = {
      pace: recording.pace ?? { kind: 'recorded' as const, speed: 1 },
      loops: recording.loops ?? 1,
    };
    return {
      plan: { kind: 'recording', file, replay },
      version: header.tmux,
      live: false,
    };
  }
  if (stream !== undefined) {
    const made = await streamOf(stream);
    return { plan: { kind: 'stream', stream: made }, version: unknownVersion, live: true };
  }
  const version = known ?? (await readTmuxVersion(settings.program));
  const client = {
    program: settings.program,
    args: tmuxArgs(settings, version, again),
    env: clientEnv(settings),
  };
  return { plan: { kind: 'tmux', client }, version, live: true };
}

/**
 * Connects to a tmux session (or plays a recording) and resolves when tmux has answered.
 *
 * @param options - where to and how
 * @returns the live session; close it, or let `await using` do it
 * @throws {BridgeError} (rejects) `ERR_BRIDGE_ARGUMENT`, `ERR_TMUX_NOT_FOUND`, `ERR_TMUX_VERSION`,
 *   `ERR_TMUX_CONNECT`, `ERR_TMUX_PROTOCOL`, `ERR_RECORDING_FORMAT`, `ERR_RECORDING_WRITE`,
 *   `ERR_SESSION_CLOSED` (aborted)
 *
 * @example
 * ```ts no-run
 * import { connect, memorySink } from '@millrace/bridge';
 *
 * await using session = await connect({ session: 'main', create: true, sink: () => memorySink() });
 * const reply = await session.command('display-message', '-p', '#{session_name}');
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<Session> {
  const settings = settingsOf(options);
  const { signal } = options;
  const aborted = (): BridgeError =>
    new BridgeError('ERR_SESSION_CLOSED', 'connect was aborted', signal?.reason);
  if (signal?.aborted) throw aborted();
  if ((options.pipe?.policy ?? 'lossless') !== 'lossless' && options.recording === undefined) {
    // Meanwhile; whoever needs it asks for it again, and is told if it can't be had.
    loadResync().catch(() => {});
  }
  const { plan, version, live } = await planOf(settings);
  if (signal?.aborted) throw aborted();
  if (options.recordTo !== undefined) {
    const { beginRecording } = await import('./receive/recorder.ts');
    beginRecording(options.recordTo, { tmux: version, date: new Date().toISOString() });
  }
  const clock = createClock();
  const stations = new Stations(settings.options.worker === true);
  const recorder = stations.recorder(mainOwner);
  const open = (next: SourcePlan, isAgain: boolean): Promise<Source> =>
    openSource(next, settings, clock, stations, recorder, isAgain);
  const source = await open(plan, false);
  if (signal?.aborted) throw aborted();
  const session = new Session({
    settings,
    source,
    openSource: async (again) => open((await planOf(settings, again, version)).plan, true),
    clock,
    stations,
    recorder,
    version,
    live,
  });
  const abort = (): void => {
    session.close();
  };
  signal?.addEventListener('abort', abort, { once: true });
  session.closed.then(() => signal?.removeEventListener('abort', abort));
  await session.open();
  return session;
}
