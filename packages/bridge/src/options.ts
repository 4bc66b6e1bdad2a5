/** What `connect` takes, checked and with the defaults filled in. */
import type { Duplex } from 'node:stream';
import { type PipeOptions, pipeSettings } from './deliver/pipe-options.ts';
import { BridgeError, checkArgument, checkInteger, checkMethods, checkObject } from './errors.ts';
import type { StreamPair } from './receive/duplex.ts';
import type { ReplayPace } from './receive/replay.ts';
import type { Sink } from './sinks/sink.ts';

/** A session to create when there is none of that name. */
export interface CreateOptions {
  /** Shell command of its first pane. @defaultValue the user's shell */
  readonly command?: string;
  /** Columns of its window, 1 to 10000. @defaultValue 120 */
  readonly columns?: number;
  /** Rows of its window, 1 to 10000. @defaultValue 40 */
  readonly rows?: number;
}

/** A recording to play instead of a tmux. */
export interface RecordingOptions {
  /** Path of the file, or its bytes. */
  readonly source: string | Uint8Array;
  /** How fast. @defaultValue as recorded */
  readonly pace?: ReplayPace;
  /** How often, 1 to 2^31 - 1. @defaultValue 1 */
  readonly loops?: number;
}

/** A stream that speaks control mode: one, or one for each direction. */
export type ControlStream = Duplex | StreamPair;

/** How a session gets another connection when its own broke. */
export interface ReconnectOptions {
  /** Attempts after which it gives up, 1 to 1000000. @defaultValue 10 */
  readonly attemptsMax?: number;
  /** How long it waits before the first attempt, then twice as long each time (ms, 1 or more); half is random. @defaultValue 100 */
  readonly delayMs?: number;
  /** Longest wait (ms). @defaultValue 5000 */
  readonly delayMsMax?: number;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** The tmux program. @defaultValue `MILLRACE_TMUX`, else `tmux` */
  readonly tmux?: string;
  /** The server's socket by name (`tmux -L`). Not together with `socketPath`. */
  readonly socketName?: string;
  /** The server's socket by path (`tmux -S`). */
  readonly socketPath?: string;
  /** tmux's configuration file, read only if this starts the server (`tmux -f`). */
  readonly configFile?: string;
  /** The session to attach to, as tmux's `-t` takes it; or the name of the one to create. */
  readonly session?: string;
  /** Creates the session if it doesn't exist. @defaultValue attach only */
  readonly create?: CreateOptions | boolean;
  /** Environment of the client. @defaultValue the process's own, without `TMUX` */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * A stream that speaks control mode already (ssh, a socket), or a function that makes one: it is called again for
   * another connection. Not together with `worker`.
   */
  readonly stream?: ControlStream | (() => ControlStream | PromiseLike<ControlStream>);
  /**
   * Connects again when the connection broke but not the server: the tmux client or the worker died, the stream ended.
   * The session, its panes and pipes live on; see the events `disconnected` and `reconnected`. A server that is gone,
   * or that said goodbye, ends the session. A `stream` must be a function then. @defaultValue false
   */
  readonly reconnect?: ReconnectOptions | boolean;
  /** A recording to play instead. */
  readonly recording?: RecordingOptions;
  /**
   * Receives and parses in a worker thread; records come through a ring in shared memory, or by messages where this
   * runtime has no SharedArrayBuffer. `'message'` takes messages anyway. @defaultValue false
   */
  readonly worker?: boolean | 'message';
  /**
   * Capacity of that ring (bytes, a power of two from 65536 to 2^28); over messages, of each thread's. What tmux writes while
   * the session's thread is busy should fit: else tmux is held up meanwhile, and what comes next comes late.
   * @defaultValue 1048576, 80 ms of what one tmux sends at most
   */
  readonly ringBytes?: number;
  /** Writes everything received and sent to this file. Not together with `recording`. */
  readonly recordTo?: string;
  /** Called for each pane before its first byte is delivered; a sink that it returns is piped to. */
  readonly sink?: (pane: number) => Sink | undefined;
  /** Options of the pipes made for `sink`. */
  readonly pipe?: PipeOptions;
  /**
   * Seconds of backlog after which tmux pauses a pane for us rather than keep more (1 to 3600). Bytes that
   * tmux drops then are reported as a `gap`. Ignored before tmux 3.2. @defaultValue 60
   */
  readonly pauseAfterSeconds?: number;
  /**
   * The same while an ordinary client is attached to the server (1 to 3600): tmux keeps what we lag behind then, instead
   * of holding the program up. @defaultValue 1
   */
  readonly mixedPauseAfterSeconds?: number;
  /** How long `connect` waits for tmux (ms). @defaultValue 10000 */
  readonly connectTimeoutMs?: number;
  /** How long a command's reply may take (ms). @defaultValue 30000 */
  readonly commandTimeoutMs?: number;
  /**
   * Most commands that may wait for their replies (lines sent to tmux, 100 to 1000000); another one is refused with
   * `ERR_TMUX_QUEUE`. @defaultValue 100000
   */
  readonly commandsMax?: number;
  /** How long `close` waits for tmux and for sinks (ms). @defaultValue 2000 */
  readonly closeTimeoutMs?: number;
  /**
   * Most bytes that all pipes of the session may hold together, waiting and under way (65536 to 2^40): above it the one
   * that holds most skips, or the session stops reading. @defaultValue 64 MiB
   */
  readonly pendingBytesMax?: number;
  /**
   * Most bytes that a session which a sink holds up reads on all the same, so that commands are answered (0 to 2^30): they
   * wait in the pipes, on top of the other limits, and count anew when no sink holds it up any more. 0 leaves commands
   * waiting. A tmux before 3.2 doesn't wait for a client that lags, so there the session reads on as far as that in any
   * case, and then gives the sink up that holds it up: `ERR_SINK_STALLED`. @defaultValue 32 MiB
   */
  readonly aheadBytesMax?: number;
  /**
   * How long this thread may be stuck before the tmux client is ended (ms, 100 or more; 0 for never): a client that
   * nobody drains keeps the user's server from ending. The session ends with `ERR_WATCHDOG`, or reconnects. A breakpoint
   * counts as stuck. Not for a `stream`. @defaultValue 10000
   */
  readonly watchdogMs?: number;
  /** Largest reply that is kept whole (bytes). @defaultValue 16 MiB */
  readonly replyBytesMax?: number;
  /** Cancels `connect`, and closes the session later. */
  readonly signal?: AbortSignal;
}

/** The options with defaults, what both modes need. */
export interface Settings {
  readonly options: ConnectOptions;
  readonly program: string;
  readonly ringBytes: number;
  readonly pauseAfterSeconds: number;
  readonly mixedPauseAfterSeconds: number;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly commandsMax: number;
  readonly closeTimeoutMs: number;
  readonly pendingBytesMax: number;
  readonly aheadBytesMax: number;
  readonly replyBytesMax: number;
  readonly watchdogMs: number;
  readonly reconnect: Required<ReconnectOptions> | undefined;
}

const timeoutMsMax = 2 ** 31 - 1;

function checkExclusive(options: ConnectOptions): void {
  const pairs: readonly (readonly [keyof ConnectOptions, keyof ConnectOptions])[] = [
    ['socketName', 'socketPath'],
    ['stream', 'recording'],
    ['stream', 'worker'],
    ['stream', 'create'],
    ['recording', 'recordTo'],
    ['recording', 'create'],
    ['recording', 'reconnect'],
  ];
  for (const [one, other] of pairs) {
    if (options[one] && options[other]) {
      throw new BridgeError(
        'ERR_BRIDGE_ARGUMENT',
        `${one} can't be combined with ${other}: ${one}=${String(options[one]).slice(0, 60)}`,
      );
    }
  }
}

function checkText(name: string, value: string | undefined): void {
  if (value === undefined) return;
  // A leading dash would be read as an option by tmux, a NUL ends the argument.
  const holds =
    typeof value === 'string' && value !== '' && !value.startsWith('-') && !value.includes('\0');
  const must = "text that isn't empty, doesn't begin with a dash and has no NUL";
  checkArgument(holds, name, must, value);
}

function checkCreate(create: ConnectOptions['create']): void {
  if (create === undefined || typeof create === 'boolean') return;
  checkArgument(
    typeof create === 'object' && create !== null,
    'create',
    'a boolean or an object',
    create,
  );
  checkText('create.command', create.command);
  const { columns = 120, rows = 40 } = create;
  checkInteger('create.columns', columns, 1, 10_000);
  checkInteger('create.rows', rows, 1, 10_000);
}

function checkEnv(env: ConnectOptions['env']): void {
  if (env === undefined) return;
  checkObject('env', env);
  for (const [name, value] of Object.entries(env)) {
    // A program can't be given a NUL.
    const holds = typeof value === 'string' && !`${name}${value}`.includes('\0');
    checkArgument(holds, `env.${name}`, 'text without NUL', value);
  }
}

function checkRecording(recording: RecordingOptions): void {
  checkObject('recording', recording);
  const { source, pace, loops = 1 } = recording;
  const isSource = (typeof source === 'string' && source !== '') || source instanceof Uint8Array;
  checkArgument(isSource, 'recording.source', 'a path, or the bytes of a file', source);
  checkInteger('recording.loops', loops, 1, 2 ** 31 - 1);
  if (pace === undefined) return;
  checkObject('recording.pace', pace);
  switch (pace.kind) {
    case 'max':
      break;
    case 'recorded':
      checkRate('recording.pace.speed', pace.speed);
      break;
    case 'records':
      checkRate('recording.pace.perSecond', pace.perSecond);
      break;
    default:
      checkArgument(false, 'recording.pace', "of the kind 'recorded', 'max' or 'records'", pace);
  }
}

function checkRate(name: string, value: number): void {
  checkArgument(Number.isFinite(value) && value > 0, name, 'a number above 0', value);
}

/** What isn't a number: each is what its type says, also for callers without types. */
function checkShapes(options: ConnectOptions): void {
  checkText('tmux', options.tmux);
  checkText('socketName', options.socketName);
  checkText('socketPath', options.socketPath);
  checkText('configFile', options.configFile);
  checkText('session', options.session);
  checkCreate(options.create);
  checkEnv(options.env);
  const { worker, recordTo, sink, pipe, signal, stream, recording } = options;
  const isMode = [undefined, true, false, 'message'].includes(worker);
  checkArgument(isMode, 'worker', "true, false or 'message'", worker);
  const isPath = recordTo === undefined || (typeof recordTo === 'string' && recordTo !== '');
  checkArgument(isPath, 'recordTo', 'a path', recordTo);
  checkArgument(sink === undefined || typeof sink === 'function', 'sink', 'a function', sink);
  if (pipe !== undefined) pipeSettings(pipe);
  if (signal !== undefined) {
    checkMethods('signal', signal, 'addEventListener', 'removeEventListener');
  }
  const isStream = (typeof stream === 'object' && stream !== null) || typeof stream === 'function';
  const streams = 'a stream, a pair of streams, or a function that makes one';
  checkArgument(stream === undefined || isStream, 'stream', streams, stream);
  if (recording !== undefined) checkRecording(recording);
}

function reconnectOf({ reconnect, stream }: ConnectOptions): Settings['reconnect'] {
  if (reconnect === undefined || reconnect === false) return undefined;
  if (typeof stream === 'object') {
    throw new BridgeError(
      'ERR_BRIDGE_ARGUMENT',
      'reconnect needs a stream that can be made again: stream must be a function',
    );
  }
  if (reconnect !== true) checkObject('reconnect', reconnect);
  const {
    attemptsMax = 10,
    delayMs = 100,
    delayMsMax = 5000,
  } = reconnect === true ? {} : reconnect;
  checkInteger('reconnect.attemptsMax', attemptsMax, 1, 1_000_000);
  checkInteger('reconnect.delayMs', delayMs, 1, timeoutMsMax);
  checkInteger('reconnect.delayMsMax', delayMsMax, delayMs, timeoutMsMax);
  return { attemptsMax, delayMs, delayMsMax };
}

/** Checks the options and fills in the defaults. */
export function settingsOf(options: ConnectOptions): Settings {
  checkObject('options', options);
  checkShapes(options);
  checkExclusive(options);
  const settings: Settings = {
    options,
    program: options.tmux ?? process.env['MILLRACE_TMUX'] ?? 'tmux',
    ringBytes: options.ringBytes ?? 1 << 20,
    pauseAfterSeconds: options.pauseAfterSeconds ?? 60,
    mixedPauseAfterSeconds: options.mixedPauseAfterSeconds ?? 1,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 30_000,
    commandsMax: options.commandsMax ?? 100_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 2_000,
    pendingBytesMax: options.pendingBytesMax ?? 1 << 26,
    aheadBytesMax: options.aheadBytesMax ?? 1 << 25,
    replyBytesMax: options.replyBytesMax ?? 1 << 24,
    watchdogMs: options.watchdogMs ?? 10_000,
    reconnect: reconnectOf(options),
  };
  checkInteger('ringBytes', settings.ringBytes, 65_536, 2 ** 28);
  const isPower = (settings.ringBytes & (settings.ringBytes - 1)) === 0;
  checkArgument(isPower, 'ringBytes', 'a power of two', settings.ringBytes);
  checkInteger('pauseAfterSeconds', settings.pauseAfterSeconds, 1, 3600);
  checkInteger('mixedPauseAfterSeconds', settings.mixedPauseAfterSeconds, 1, 3600);
  checkInteger('connectTimeoutMs', settings.connectTimeoutMs, 1, timeoutMsMax);
  checkInteger('commandTimeoutMs', settings.commandTimeoutMs, 1, timeoutMsMax);
  checkInteger('commandsMax', settings.commandsMax, 100, 1_000_000);
  checkInteger('closeTimeoutMs', settings.closeTimeoutMs, 1, timeoutMsMax);
  checkInteger('pendingBytesMax', settings.pendingBytesMax, 65_536, 2 ** 40);
  checkInteger('aheadBytesMax', settings.aheadBytesMax, 0, 2 ** 30);
  if (settings.watchdogMs !== 0) {
    checkInteger('watchdogMs', settings.watchdogMs, 100, timeoutMsMax);
  }
  checkInteger('replyBytesMax', settings.replyBytesMax, 1, 2 ** 30);
  return settings;
}
